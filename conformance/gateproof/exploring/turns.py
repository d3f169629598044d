"""Hypothesis strategies for turns: what the script language holds and every API of a pair can be asked about.

Everything here is lawful for a provider to say, but for the transfers that are cut. Left out: custom tools, images and items
given whole, which not every API has; the reasons and switches whose reading is contested; and pauses, which find nothing that a
split does not. Half a surrogate pair is no character, and no script file can hold one.

Characters come from tables and code points. `st.text` would mix in every string of the modules that are loaded from a checkout,
such as the words that the mock replaces in a text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, pairwise
from typing import Any

from hypothesis import strategies as st

from gateproof.exploring.wires import wires
from gateproof_mock import Script
from gateproof_mock.language.turns import (
    Cancelled,
    Citation,
    Comment,
    Completed,
    Cut,
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
    Refused,
    Text,
    ToolCall,
    Unfinished,
    Usage,
    WebSearch,
)

# --- words ----------------------------------------------------------------------------------------

_PLAIN = ("a", " ", "Hello", "\n", "é", "日本", "🦄")
_AWKWARD = (
    *("\t", "\r", "\r\n", "\n\n", '"', "\\", "/", "'", "<", ">", "&", "{", "}", "[", "]", "\\n", "\\u0041"),
    # Invisible, combining, in two UTF-16 units joined by another, and what some readers take for the end of a line.
    *(
        "\x00",
        "\x07",
        "\x1b[31m",
        "\x7f",
        "\u0301",
        "\u200b",
        "👩\u200d👧",
        "\u202e",
        "\u2028",
        "\u2029",
        "\x85",
        "\ufeff",
    ),
)
_PROTOCOL = (
    *("[DONE]", "data: [DONE]\n\n", "data: x", "event: error\ndata: {}\n\n", ": ping\n\n", "id: 7\n", "retry: 9\n"),
    *(
        '{"type":"response.completed"}',
        '{"error":{"message":"No."}}',
        '"finish_reason":"stop"',
        "<|im_end|>",
        "</think>",
    ),
    *("<tool_call>", "</s>", "null", "undefined", "true", "0", "{}", "```json\n", "None", "NaN"),
)

_code_points = st.integers(0x20, 0x10F7FF).map(lambda n: chr(n if n < 0xD800 else n + 0x800))
_fragments = st.sampled_from(_PLAIN) | st.sampled_from(_AWKWARD) | st.sampled_from(_PROTOCOL) | _code_points

words = st.lists(_fragments, max_size=4).map("".join)
some_words = st.lists(_fragments, min_size=1, max_size=4).map("".join)


@st.composite
def pieces(draw: st.DrawFn, whole: str) -> tuple[str, ...]:
    """The deltas of these words, split anywhere between two characters, with empty ones among them."""
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
    return tuple(whole[start:end] for start, end in pairwise([0, *cuts, len(whole)])) if cuts or whole else ()


# --- what is said ---------------------------------------------------------------------------------

_ADDRESSES = ("https://example.org/a", "https://example.org/b?q=1&r=é#part", "http://example.org/")


@st.composite
def texts(draw: st.DrawFn) -> Element:
    whole = draw(words)
    said = draw(pieces(whole))
    if not whole or not draw(st.booleans()):
        return Text(said)
    places = st.tuples(st.integers(0, len(whole)), st.integers(0, len(whole))).map(sorted)
    cited = st.builds(
        lambda url, title, place, quoted: Citation(url, title, place[0], place[1], quoted),
        *(st.sampled_from(_ADDRESSES), words, places, some_words),
    )
    return Text(said, tuple(draw(st.lists(cited, min_size=1, max_size=2))))


@st.composite
def refusals(draw: st.DrawFn) -> Element:
    return Refusal(draw(pieces(draw(some_words))))


_SEALS = ("c2VhbA==", "EqQB" * 75)


@st.composite
def thoughts(draw: st.DrawFn) -> Element:
    """Reasoning that is shown, as a summary, whole or both, with or without a seal; or nothing but its seal."""
    seal = draw(st.sampled_from(_SEALS))
    shown = draw(pieces(draw(words)))
    if not "".join(shown):
        return Reasoning(encrypted=seal)
    form = draw(st.sampled_from(["summary", "full", "both"]))
    summary = shown if form == "summary" else draw(pieces(draw(some_words))) if form == "both" else ()
    # Anthropic signs every thinking block.
    return Reasoning(summary, () if form == "summary" else shown, draw(st.sampled_from(["", seal])), seal)


_NAMES = ("look", "get_weather", "a-b_c", "mcp__server__tool", "n" * 64)

# What is exact in a double, as RFC 8259 (6) advises: a gateway may read numbers as such.
_numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.sampled_from([0.5, -1.25e-07, 1e21, 1.0, 100.0])
_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _numbers | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=3,
)


@st.composite
def arguments(draw: st.DrawFn) -> str:
    """JSON of an object, spaced and escaped in one way or another; or nothing at all."""
    value = draw(st.dictionaries(words, _values, max_size=2))
    if not value and draw(st.booleans()):
        return ""
    separators = draw(st.sampled_from([None, (",", ":"), (" , ", "\n:\t")]))
    return json.dumps(value, separators=separators, ensure_ascii=draw(st.booleans()))


@st.composite
def calls(draw: st.DrawFn) -> Element:
    """One call, or several whose arguments come in turns. Their ids are given later."""
    call = st.builds(ToolCall, st.sampled_from(_NAMES), arguments().flatmap(pieces))
    made = draw(st.lists(call, min_size=1, max_size=3))
    return made[0] if len(made) == 1 else Interleaved(tuple(made), draw(st.booleans()))


_between = st.sampled_from([NextMessage(), NextPart(), Ping(), Comment("PROCESSING"), Comment("")])
_said = texts() | calls() | thoughts() | texts() | calls() | refusals() | st.builds(WebSearch, words) | _between

# Nobody was ever billed more for one turn, and no gateway's integers are smaller.
_counts = st.integers(0, 10) | st.integers(0, 2_000_000)


@st.composite
def usages(draw: st.DrawFn) -> Element:
    """Counts whose details are parts of the totals. A turn that was said has cost a token on either side."""
    asked = {name: draw(_counts) for name in ("cached", "cache_write", "audio_input")}
    made = {name: draw(_counts) for name in ("reasoning", "audio_output", "accepted_prediction", "rejected_prediction")}
    totals = sum(asked.values()) + draw(_counts) + 1, sum(made.values()) + draw(_counts) + 1
    details: dict[str, Any] = asked | made
    return Usage(*totals, **details)


# --- endings --------------------------------------------------------------------------------------

_CODES = ("server_error", "rate_limit_exceeded", "insufficient_quota", "context_length_exceeded", "brand_new_code")
_TYPES = ("", "server_error", "rate_limit_error", "invalid_request_error", "overloaded_error", "brand_new_type")
# 401, 403, 408 and 409 are left out: to lock a key out or to try again is a gateway's right.
_STATUSES = (400, 404, 413, 422, 429, 500, 502, 503, 529)
_PAGES: tuple[Any, ...] = (
    None,
    "",
    "Bad Gateway",
    "<html><body>502 Bad Gateway</body></html>",
    {},
    {"detail": "no"},
    [],
    "null",
)

_completions: st.SearchStrategy[Ending] = st.builds(Completed)
_truncations: st.SearchStrategy[Ending] = st.builds(
    Incomplete, st.sampled_from(["max_output_tokens", "content_filter"])
)
_failures: st.SearchStrategy[Ending] = (
    st.builds(
        Failed, st.sampled_from(_CODES), some_words, st.sampled_from(_TYPES), st.sampled_from([400, 429, 500, 503])
    )
    | st.builds(ErrorEvent, st.sampled_from(_CODES), some_words, st.booleans(), st.booleans())
    | st.builds(Cancelled)
    | st.builds(Unfinished, st.sampled_from(["queued", "in_progress"]))
)
_cuts: st.SearchStrategy[Ending] = st.sampled_from(
    [
        Cut("eof"),
        Cut("fin"),
        Cut("rst"),
        Cut("eof", "event"),
        Cut("fin", "event"),
        Cut("rst", "event"),
        Cut("fin", "chunk"),
    ]
)


@st.composite
def _refused(draw: st.DrawFn, dialect: str) -> Ending:
    status = draw(st.sampled_from(_STATUSES))
    if draw(st.booleans()):
        return Refused(status, draw(st.sampled_from(_PAGES)))
    error: dict[str, Any] = {"message": draw(some_words), "type": draw(st.sampled_from(_TYPES)) or "server_error"}
    if dialect == "messages":
        return Refused(status, {"type": "error", "error": error})
    return Refused(status, {"error": {**error, "param": None, "code": draw(st.sampled_from([None, *_CODES]))}})


def _endings(dialect: str) -> st.SearchStrategy[Ending]:
    whole = _completions | _completions | _truncations
    return whole | whole | _failures | _cuts | _refused(dialect)


# --- scripts --------------------------------------------------------------------------------------


@st.composite
def scripts(draw: st.DrawFn, dialect: str) -> Script:
    """A turn of this dialect's provider, and how it is put on the wire."""
    said = list(_named(draw(st.lists(_said, max_size=5))))
    counted = draw(st.lists(usages(), max_size=1))
    ending = draw(_endings(dialect))
    if said and isinstance(said[-1], ToolCall) and not isinstance(ending, Completed) and draw(st.booleans()):
        whole = "".join(said[-1].arguments)
        said[-1] = replace(said[-1], arguments=draw(pieces(whole[: draw(st.integers(0, len(whole)))])))
    return Script((*said, *counted, ending), draw(wires()))


def _named(said: list[Element]) -> Iterator[Element]:
    """The elements with an id for each call, all of them different."""
    numbers = count(1)
    for element in said:
        match element:
            case ToolCall():
                yield replace(element, id=f"call_{next(numbers)}")
            case Interleaved():
                yield replace(element, calls=tuple(replace(c, id=f"call_{next(numbers)}") for c in element.calls))
            case _:
                yield element
