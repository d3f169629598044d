"""Turns that Hypothesis makes, as the mock puts them on the wire, and what they mean.

The mock is a second reading of the same rules: what writes the turns here is not what reads them there.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from gateproof_mock import Script
from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects.steps import Head, Write
from gateproof_mock.language.turns import (
    Cancelled,
    Completed,
    Element,
    Ending,
    ErrorEvent,
    Failed,
    Incomplete,
    Interleaved,
    NextMessage,
    NextPart,
    Ping,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Unfinished,
    Usage,
)
from gateproof_mock.language.wire import Wire
from gateproof_reference import Call, Turn
from gateproof_reference import Usage as Counts
from gateproof_reference.reading import joined, normal

APIS = ("responses", "chat", "messages")
PAIRS = [(source, target) for source in APIS for target in APIS]
"""Of all pairs, the upstream's API and the client's."""

FOREIGN = [pair for pair in PAIRS if pair[0] != pair[1]]
FAILURES = (Failed, ErrorEvent, Cancelled, Unfinished)

# -------------------------------------------------------------------------------------------------------- words

ODD = [
    *(
        "a",
        " ",
        "é",
        "\u0301",
        "終",
        "🙂",
        "👩\u200d👧",
        "\u2028",
        "\u2029",
        "\u0085",
        "\ufeff",
        "\x00",
        "\x1b",
        "\x7f",
    ),
    *("\r", "\n", "\t", '"', "\\", "/", "<", "{", "}", "[DONE]", "data: x\n\n", "event: error\n", "</think>"),
    *("\ud83d", "\ude42", "\udfff"),
]
"""Surrogates alone are in it: JSON can escape half a character, and a delta may end in the middle of one."""

words = st.lists(st.sampled_from(ODD) | st.text(max_size=4), max_size=6).map("".join)
"""Words that are not empty are needed where an API has no empty ones."""

some_words = words.filter(bool)


@st.composite
def pieces(draw: st.DrawFn, whole: str) -> tuple[str, ...]:
    """The deltas of these words: cut anywhere, between two surrogates too, with empty ones among them."""
    units = whole.encode("utf-16-le", "surrogatepass")
    cuts = draw(st.lists(st.integers(0, len(units) // 2), max_size=4).map(sorted))
    bounds = [0, *cuts, len(units) // 2]
    return tuple(units[2 * a : 2 * b].decode("utf-16-le", "surrogatepass") for a, b in pairwise(bounds))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def arguments(draw: st.DrawFn) -> str:
    """The arguments of a call: JSON of an object, spaced and escaped in one way or the other; or none at all."""
    value = draw(st.dictionaries(words, json_values, max_size=3))
    if not value and draw(st.booleans()):
        return ""
    separators = draw(st.sampled_from([None, (",", ":"), (" , ", "\n:\t")]))
    # Raw surrogates are half a character each, which no JSON text of a provider has outside an escape.
    return json.dumps(value, separators=separators, ensure_ascii="\\ud" in json.dumps(value) or draw(st.booleans()))


# ------------------------------------------------------------------------------------------------------ elements

names = st.sampled_from(["look", "get_weather", "a-b_c", "mcp__x__y"])
counts = st.integers(0, 60)


@st.composite
def texts(draw: st.DrawFn) -> Element:
    return Text(draw(pieces(draw(words))))


@st.composite
def refusals(draw: st.DrawFn) -> Element:
    return Refusal(draw(pieces(draw(some_words))))


@st.composite
def thoughts(draw: st.DrawFn) -> Element:
    """Reasoning that is shown, with or without a seal, or nothing but its seal."""
    seal = draw(st.sampled_from(["c2VhbA==", "EqQB", "x" * 300]))
    shown = draw(pieces(draw(words)))
    if not any(shown):
        return Reasoning(encrypted=seal)
    sealed = {"encrypted": draw(st.sampled_from(["", seal])), "signature": seal}
    form = draw(st.sampled_from(["summary", "full", "both"]))
    summary = shown if form == "summary" else draw(pieces(draw(some_words))) if form == "both" else ()
    return Reasoning(summary, () if form == "summary" else shown, **sealed)


@st.composite
def calls(draw: st.DrawFn) -> Element:
    """One call, or several whose arguments come interleaved. Their ids are given later."""
    made = draw(st.lists(st.builds(ToolCall, names, arguments().flatmap(pieces)), min_size=1, max_size=3))
    return made[0] if len(made) == 1 else Interleaved(tuple(made), draw(st.booleans()))


@st.composite
def usages(draw: st.DrawFn) -> Element:
    """Counts, the details as parts of the totals."""
    inside = {name: draw(counts) for name in ("cached", "cache_write", "audio_input")}
    made = {name: draw(counts) for name in ("reasoning", "audio_output", "accepted_prediction", "rejected_prediction")}
    more = st.integers(0, 2**40)
    return Usage(input=sum(inside.values()) + draw(more), output=sum(made.values()) + draw(more), **inside, **made)


CODES = (
    *("server_error", "rate_limit_exceeded", "insufficient_quota", "context_length_exceeded", "invalid_prompt"),
    *("server_is_overloaded", "invalid_image_url", "brand_new_code"),
)
TYPES = ("", "server_error", "rate_limit_error", "invalid_request_error", "overloaded_error", "brand_new_type")

completions: st.SearchStrategy[Ending] = st.builds(Completed)
cut_short: st.SearchStrategy[Ending] = st.builds(Incomplete, st.sampled_from(["max_output_tokens", "content_filter"]))
failures: st.SearchStrategy[Ending] = (
    st.builds(Failed, st.sampled_from(CODES), some_words, st.sampled_from(TYPES), st.sampled_from([400, 429, 500, 503]))
    | st.builds(ErrorEvent, st.sampled_from(CODES), some_words, st.booleans(), st.booleans())
    | st.builds(Cancelled)
    | st.builds(Unfinished, st.sampled_from(["queued", "in_progress"]))
)

wires = st.builds(
    Wire,
    preamble=st.booleans(),
    reasoning_key=st.sampled_from(["reasoning_content", "reasoning"]),
    terminal_output=st.sampled_from(["full", "empty"]),
    done=st.booleans(),
    line_end=st.sampled_from(["lf", "crlf", "cr", "mixed"]),
    no_space=st.booleans(),
    data_lines=st.integers(1, 4),
    ascii=st.booleans(),
    bom=st.booleans(),
    event_ids=st.booleans(),
    retry=st.sampled_from([0, 3000]),
    comments=st.sampled_from(["", "ping", "data: not"]),
)
"""Every lawful way to write a stream."""


@st.composite
def scripts(draw: st.DrawFn, ending: st.SearchStrategy[Ending], wire: st.SearchStrategy[Wire]) -> Script:
    """A turn with this kind of ending. Ids of calls are given here, so that each is unique."""
    between = st.sampled_from([NextMessage(), NextPart(), Ping()])
    said = draw(st.lists(texts() | refusals() | thoughts() | calls() | between, max_size=5))
    counted = draw(st.lists(usages(), max_size=1))
    return Script((*_named(said), *counted, draw(ending)), draw(wire))


def _named(said: list[Element]) -> Iterator[Element]:
    number = iter(range(99))
    for element in said:
        match element:
            case ToolCall():
                yield replace(element, id=f"call_{next(number)}")
            case Interleaved():
                yield replace(element, calls=tuple(replace(c, id=f"call_{next(number)}") for c in element.calls))
            case _:
                yield element


whole_turns = scripts(completions | cut_short, wires)
turns = scripts(completions | cut_short | failures, wires)
plain_turns = scripts(completions | cut_short | failures, st.just(Wire()))
"""In LF form, an event after the other."""

# ---------------------------------------------------------------------------------------------------- on the wire


def written(script: Script, api: str, *, stream: bool) -> tuple[int, bytes]:
    """The status and the bytes of a turn's answer; the same every time."""
    body = {"model": "m", "stream": stream, "stream_options": {"include_usage": True}}
    steps = list(DIALECTS[api].render(script, Asked(body, call="0123456789abcdef", created=1)))
    status = next(step.status for step in steps if isinstance(step, Head))
    return status, b"".join(step.data for step in steps if isinstance(step, Write))


def streamed(script: Script, api: str) -> bytes:
    return written(script, api, stream=True)[1]


# ------------------------------------------------------------------------------------------------------- meaning


def meant(script: Script, api: str) -> Turn:
    """What a turn means in an API, except why a failed one failed."""
    turn = Turn(
        text=_words(script, (Text, Refusal) if api == "messages" else (Text,)),
        refusal="" if api == "messages" else _words(script, (Refusal,)),
        reasoning=joined("".join(_thought(e, api) for e in script.turn if isinstance(e, Reasoning))),
        seals=tuple(filter(None, (_seal(e, api) for e in script.turn if isinstance(e, Reasoning)))),
        calls=tuple(_calls(script, api)),
        model="m",
    )
    if isinstance(script.ending, FAILURES):
        return replace(turn, ending="failed")
    counted = next((e for e in script.turn if isinstance(e, Usage)), Usage())
    return replace(turn, ending=_ending(script, turn, api), usage=_usage(counted, api))


def _words(script: Script, kinds: tuple[type[Text] | type[Refusal], ...]) -> str:
    found = [e.deltas if isinstance(e, Text) else e.pieces for e in script.turn if isinstance(e, kinds)]
    return joined("".join("".join(one) for one in found))


def _thought(thought: Reasoning, api: str) -> str:
    """What is shown of it: Responses has both of its forms, the others have the full one if it is there."""
    return "".join(thought.pieces + thought.full if api == "responses" else thought.full or thought.pieces)


def _seal(thought: Reasoning, api: str) -> str:
    if api == "chat":
        return ""
    return thought.encrypted if api == "responses" else thought.signature or thought.encrypted


def _calls(script: Script, api: str) -> Iterator[Call]:
    for element in script.turn:
        found: tuple[ToolCall, ...] = ()
        if isinstance(element, ToolCall):
            found = (element,)
        elif isinstance(element, Interleaved):
            found = element.calls[::-1] if element.reverse and api == "messages" else element.calls
        for call in found:
            # That there are no arguments is certain only when the turn is over.
            none = "" if isinstance(script.ending, FAILURES) else "{}"
            yield Call(call.name, normal("".join(call.arguments) or none), call.id)


def _ending(script: Script, turn: Turn, api: str) -> Any:
    if isinstance(script.ending, Incomplete):
        return "length" if script.ending.reason == "max_output_tokens" else "content_filter"
    if api == "messages" and any(isinstance(e, Refusal) for e in script.turn):
        return "content_filter"
    return "tool_calls" if turn.calls else "stop"


def _usage(counted: Usage, api: str) -> Counts:
    into = {"cached_tokens": counted.cached, "cache_write_tokens": counted.cache_write}
    out = {"reasoning_tokens": counted.reasoning}
    if api != "messages":
        into["audio_tokens"] = counted.audio_input
        out |= {
            "audio_tokens": counted.audio_output,
            "accepted_prediction_tokens": counted.accepted_prediction,
            "rejected_prediction_tokens": counted.rejected_prediction,
        }
    return Counts(
        counted.input,
        counted.output,
        counted.input + counted.output,
        {name: count for name, count in into.items() if count},
        {name: count for name, count in out.items() if count},
    )
