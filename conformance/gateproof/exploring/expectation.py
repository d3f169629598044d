"""What the answer to a turn has to be, computed from the script. The requirements of `mix.*` say it, and those that they rest on.

Where they leave a choice (how a refusal is told, a filter on Messages, a turn that says nothing), every choice is accepted; what
is a SHOULD (reasoning, citations, the words of an error) is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from gateproof.answers.answer import COMPLETE, ERROR, HUNG, Answer
from gateproof.answers.document import parse
from gateproof.exploring.places import Place
from gateproof_mock import Script
from gateproof_mock.language.turns import (
    Cancelled,
    Cut,
    Element,
    ErrorEvent,
    Failed,
    Incomplete,
    Interleaved,
    Reasoning,
    Refusal,
    Refused,
    Text,
    ToolCall,
    Unfinished,
    Usage,
)

OWN = ("stop", "tool_calls", "length", "content_filter")
"""Endings of a turn that is told as complete (see Answer.finish)."""

ANOTHER = "another word"
TOLD = (*OWN, ANOTHER)

FAILED, UNFINISHED = "error", "unfinished"


class Breach(NamedTuple):
    """What broke, and how. Two breaches of one `what` are taken for one defect.

    `what`: `text`, `tools`, `usage`, `usage details`, `ending: stop told as length`, or an invariant's id.
    """

    what: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the client has to get.

    `endings`: any of these: an ending of a complete turn (OWN), `error`: every client is told that it failed, `unfinished`:
    anything but a complete turn. `text` and `refusal`: the words of each; `texts`: all that are seen, in each accepted order.
    `calls`: name and arguments; `calls_are_whole` unless the turn was broken off, where a call may be missing or half there.
    `by_value`: the arguments are compared as JSON. `in_order`: the calls are. `details`: counts beside the totals that have to
    be there.
    """

    endings: tuple[str, ...]
    text: str
    refusal: str
    texts: tuple[str, ...]
    calls: tuple[tuple[str, str], ...]
    calls_are_whole: bool
    by_value: bool
    in_order: bool
    usage: dict[str, int]
    details: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """For the file beside the script."""
        return asdict(self)

    def breaches(self, answer: Answer) -> Iterator[Breach]:
        """What of it an answer does not keep; nothing more of a turn whose ending is wrong already."""
        got = _ending(answer)
        if not self._accepts(answer, got):
            yield Breach(f"ending: {self._told_as(got)}", f"expected {' or '.join(self.endings)}, got {answer!r}")
        elif answer.outcome == COMPLETE:
            yield from self._of_a_whole_turn(answer)
        else:
            yield from self._of_a_beginning(answer)

    def _accepts(self, answer: Answer, got: str) -> bool:
        if answer.outcome == COMPLETE:
            return got in self.endings
        if FAILED in self.endings and answer.failed and not answer.finish:
            return True
        # A stream that just ends must not have an ending of the gateway's own making either.
        made_up = bool(answer.finish) or (answer.done and not answer.failed)
        return UNFINISHED in self.endings and answer.outcome != HUNG and not made_up

    def _told_as(self, got: str) -> str:
        """The words matter where both turns are complete: what makes an error of a whole turn does so whatever its ending."""
        wanted = self.endings[0]
        if wanted in OWN and got in TOLD:
            return f"{wanted} told as {got}"
        return f"{'complete' if wanted in OWN else wanted} told as {'complete' if got in TOLD else got}"

    def _of_a_whole_turn(self, answer: Answer) -> Iterator[Breach]:
        said = answer.text + answer.refusal
        if said not in self.texts:
            yield Breach("text", f"expected the text {_short(self.texts[0])}, got {_short(said)}")
        if self.calls_are_whole:
            yield from self._of_calls(answer)
        else:
            yield from self._of_strange_calls(answer)
        if not answer.usage:
            yield Breach("usage", f"expected {self.usage}, got no usage")
            return
        for what, wanted in (("usage", self.usage), ("usage details", self.details)):
            told = {name: getattr(answer.usage, name) for name in wanted}
            if told != wanted:
                yield Breach(what, f"expected {wanted}, got {told}")

    def _of_calls(self, answer: Answer) -> Iterator[Breach]:
        made = [(name, self._read(arguments)) for name, arguments in answer.calls]
        wanted = [(name, self._read(arguments)) for name, arguments in self.calls]
        if not self.in_order:
            made, wanted = sorted(made, key=repr), sorted(wanted, key=repr)
        if made != wanted:
            yield Breach("tools", f"expected the calls {_short(list(self.calls))}, got {_short(answer.calls)}")
        ids = [call.id for call in answer.tool_calls]
        if not all(isinstance(id, str) and id for id in ids) or len(set(map(str, ids))) < len(ids):
            yield Breach("tools", f"expected an id for each call, all different, got {_short(ids)}")

    def _read(self, arguments: Any) -> Any:
        if arguments == "":
            arguments = "{}"
        if not self.by_value:
            return arguments
        try:
            return parse(arguments)
        except (TypeError, ValueError):
            return f"no JSON: {arguments!r}"

    def _of_strange_calls(self, answer: Answer) -> Iterator[Breach]:
        names = {name for name, _ in self.calls}
        strange = [call.name for call in answer.tool_calls if call.name not in names]
        if strange:
            yield Breach("tools", f"expected calls of {sorted(names)} at most, got {_short(strange)}")

    def _of_a_beginning(self, answer: Answer) -> Iterator[Breach]:
        said = answer.text + answer.refusal
        apart = self.text.startswith(answer.text) and self.refusal.startswith(answer.refusal)
        if not apart and not any(text.startswith(said) for text in self.texts):
            yield Breach("text", f"expected a beginning of {_short(self.texts[0])}, got {_short(said)}")
        yield from self._of_strange_calls(answer)


def expect(script: Script, place: Place, *, extended_details: bool = False) -> Expectation:
    """What a client is to get of this turn. `extended_details`: the gateway claims to tell audio and predicted tokens too."""
    turn, pair = script.turn, place.pair
    text, refusal = _words(turn, Text), _words(turn, Refusal)
    return Expectation(
        endings=_endings(script, place),
        text=text,
        refusal=refusal,
        texts=_texts(_words(turn, Text, Refusal), text, refusal, place),
        calls=tuple((call.name, "".join(call.arguments)) for call in _calls(turn, place)),
        calls_are_whole=not isinstance(script.ending, Incomplete),
        by_value="messages" in (pair.surface, pair.dialect),
        in_order=not any(isinstance(e, Interleaved) and e.reverse for e in turn),
        **_counts(turn, place, extended_details=extended_details),
    )


# --- the ending -----------------------------------------------------------------------------------


def _ending(answer: Answer) -> str:
    """An answer's ending as a word of few: any other finish would make a defect of every word that there is."""
    if answer.outcome != COMPLETE:
        return FAILED if answer.outcome == ERROR else answer.outcome
    return answer.finish if answer.finish in OWN else ANOTHER


def _endings(script: Script, place: Place) -> tuple[str, ...]:
    ending, turn, pair = script.ending, script.turn, place.pair
    if isinstance(ending, Cut):
        # That a clean end is an error too is asked of translators alone: `ending.truncated-upstream-is-an-error`.
        eof = ending.how == "eof"
        return (UNFINISHED,) if eof and not (pair.translated and place.mode == "stream") else (FAILED,)
    if isinstance(ending, Cancelled | Unfinished):
        # A relay of Responses may pass the state on.
        return (UNFINISHED,) if str(pair) == "responses.responses" else (FAILED,)
    if isinstance(ending, Failed | ErrorEvent | Refused):
        return (FAILED,)
    if isinstance(ending, Incomplete):
        return ("length",) if ending.reason == "max_output_tokens" else _filtered(place)
    if _refuses(turn):
        # How a refusal is told is another requirement's business.
        return OWN
    plain = "tool_calls" if _calls(turn, place) else "stop"
    return (plain,) if any(map(_says, turn)) else (plain, FAILED)


def _filtered(place: Place) -> tuple[str, ...]:
    """Messages knows one word, refusal, for what the model and what a filter will not say (`ending.filter-is-content-filter`)."""
    told = ["content_filter"]
    if place.pair.surface == "messages":
        told.append(FAILED)
    if place.pair.dialect == "messages":
        told += ["stop", "tool_calls"]
    return tuple(told)


def _says(element: Element) -> bool:
    """Whether there is anything of it to be told. A turn that says nothing may be an error: `ending.empty-turn-is-told-alike`."""
    match element:
        case Text(pieces=said) | Refusal(pieces=said):
            return any(said)
        case Reasoning():
            return True
        case ToolCall() | Interleaved():
            return True
        case _:
            return False


# --- what is said ---------------------------------------------------------------------------------


def _refuses(turn: tuple[Element, ...]) -> bool:
    return any(isinstance(e, Refusal) for e in turn)


def _words(turn: tuple[Element, ...], *kinds: type[Text | Refusal]) -> str:
    return "".join("".join(e.pieces) for e in turn if isinstance(e, kinds))


def _texts(whole: str, text: str, refusal: str, place: Place) -> tuple[str, ...]:
    """In order, as one text; a refusal apart from it, as Chat Completions and Responses have it; on Messages, where it may stand
    in `stop_details`, also without it."""
    accepted = [whole, text + refusal, *([text] if place.pair.surface == "messages" else [])]
    return tuple(dict.fromkeys(accepted))


def _calls(turn: tuple[Element, ...], place: Place) -> list[ToolCall]:
    made: list[ToolCall] = []
    for element in turn:
        if isinstance(element, ToolCall):
            made.append(element)
        elif isinstance(element, Interleaved):
            made += element.calls[::-1] if element.reverse and place.pair.dialect == "messages" else element.calls
    return made


# --- the counts -----------------------------------------------------------------------------------

_AUDIO = ("audio_input", "audio_output")
_PREDICTED = ("accepted_prediction", "rejected_prediction")


def _counts(turn: tuple[Element, ...], place: Place, *, extended_details: bool) -> dict[str, dict[str, int]]:
    counted = next((e for e in turn if isinstance(e, Usage)), Usage())
    surface, dialect = place.pair.surface, place.pair.dialect
    details = ["cached"]
    if surface != "messages":
        # Messages got a place for them late: `usage.cached-and-reasoning-tokens-survive`.
        details.append("reasoning")
    if extended_details and "messages" not in (surface, dialect):
        details += [*_AUDIO, *(_PREDICTED if surface == "chat" else ())]
    totals = {"input": counted.input, "output": counted.output, "total": counted.total}
    return {"usage": totals, "details": {name: getattr(counted, name) for name in details}}


def _short(value: Any) -> str:
    shown = ascii(value)
    return shown if len(shown) <= 400 else f"{shown[:400]}... ({len(shown)} characters)"
