"""The rules of a whole turn: what no element can tell alone, and what a provider could have sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields

from gateproof_mock.jsontext import dumps
from gateproof_mock.language.errors import below, wrong
from gateproof_mock.language.field_rules import COMPLETED_REASONS, DELTA_LIMIT, INCOMPLETE_REASONS, SAID_LIMIT
from gateproof_mock.language.turns import (
    AFTER,
    Comment,
    Completed,
    CustomToolCall,
    Cut,
    Element,
    Ending,
    Event,
    Hold,
    Incomplete,
    Interleaved,
    Item,
    NextMessage,
    NextPart,
    Pause,
    Ping,
    Raw,
    Reasoning,
    Refusal,
    Refused,
    Text,
    ToolCall,
    Usage,
)
from gateproof_mock.language.wire import Wire

WRITE_LIMIT = 2_000_000
"""Writes that `split_every` may come to, about: more are a mistake, and minutes of work."""

# What one delta and one piece of text come to in bytes on the wire: on Responses the words stand in up to four events.
_DELTA_BYTES = 200
_TIMES_SAID = 5
_LOGPROB_SIZE = 5
"""What a byte comes to beside the number that a probability's entry says of it: `"a"` and `97,`."""


def check_turn(turn: Sequence[Element], wire: Wire, path: str) -> None:
    """Check what no element can tell alone. `path`: of the script; "" in Python. Raises ScriptError."""
    say = below(path, "say")
    _check_order(turn, say)
    counts = [i for i, e in enumerate(turn) if isinstance(e, Usage)]
    if len(counts) > 1:
        raise wrong(f"{say}[{counts[1]}]", "a turn has one usage at most")
    for i, element in enumerate(turn):
        if isinstance(element, Cut):
            _check_cut(element, turn[:i], wire, f"{say}[{i}].cut")
    _check_budget(turn, wire, path)


def _check_order(turn: Sequence[Element], say: str) -> None:
    ends = next((i for i, e in enumerate(turn) if isinstance(e, Ending)), len(turn))
    for i, element in enumerate(turn[ends + 1 :], ends + 1):
        ending = turn[ends]
        if isinstance(element, Ending):
            raise wrong(f"{say}[{i}]", f"a turn has one ending at most, and {say}[{ends}] ({ending.KEY}) is one")
        if isinstance(ending, Cut | Refused):
            raise wrong(f"{say}[{i}]", f"nothing can follow `{ending.KEY}`, got {element.KEY}")
        if not isinstance(element, AFTER):
            allowed = ", ".join(cls.KEY for cls in AFTER)
            raise wrong(f"{say}[{i}]", f"after an ending come only {allowed}, got {element.KEY}")


def _check_cut(cut: Cut, before: Sequence[Element], wire: Wire, path: str) -> None:
    if cut.where == "chunk" and cut.how == "eof":
        raise wrong(path, "a clean end (`eof`) cannot be inside a chunk; use `fin` or `rst`")
    if cut.where != "utf8":
        return
    if wire.ascii:
        raise wrong(path, "with wire.ascii there is no character of more than one byte to be cut in")
    words = next((_last_words(e) for e in reversed(before) if not isinstance(e, _SILENT)), "")
    if words.isascii():
        raise wrong(path, "what is said last has to end in a piece that holds a character outside ASCII")


_SILENT = (Usage, Hold, Pause, NextMessage, NextPart)


def _last_words(element: Element) -> str:
    """The words of the last write that this element makes."""
    match element:
        case Text(pieces=pieces) | Refusal(pieces=pieces) | CustomToolCall(input=pieces):
            return pieces[-1] if pieces else ""
        case ToolCall(arguments=pieces):
            return pieces[-1] if pieces else ""
        case Reasoning(pieces=pieces, full=full):
            return (full or pieces or ("",))[-1]
        case Interleaved(calls=calls):
            return "".join(call.arguments[-1] for call in calls if call.arguments)
        case Comment(text=words) | Raw(text=words):
            return words
        case Event(data=data) | Item(data=data):
            return dumps(data).decode()
        case _:
            return ""


def _check_budget(turn: Sequence[Element], wire: Wire, path: str) -> None:
    size = sum(_size(element) for element in turn)
    deltas = sum(_deltas(element) for element in turn)
    say = below(path, "say")
    if size > SAID_LIMIT:
        raise wrong(say, f"a script may say 64 MiB ({SAID_LIMIT} bytes) at most, got {size}")
    if deltas > DELTA_LIMIT:
        raise wrong(say, f"a script may say {DELTA_LIMIT} deltas at most, got {deltas}")
    if wire.split_every:
        writes = (_TIMES_SAID * size + _DELTA_BYTES * deltas) // wire.split_every
        if writes > WRITE_LIMIT:
            where = f"{below(path, 'wire')}.split_every"
            raise wrong(where, f"a script may have {WRITE_LIMIT} writes at most, got about {writes}")


def _size(element: Element) -> int:
    """The bytes that an element says: all the words of its fields, and its JSON."""
    size = 0
    for spec in fields(element):
        value = getattr(element, spec.name)
        if isinstance(value, str):
            size += len(value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, tuple):
            size += sum(_size(v) if isinstance(v, Element) else len(v.encode("utf-8", "surrogatepass")) for v in value)
        elif isinstance(value, Mapping | list):
            size += len(dumps(value))
    if isinstance(element, Text):
        size *= element.times * element.stretch * (_LOGPROB_SIZE if element.logprobs else 1)
    return size


def _deltas(element: Element) -> int:
    count = 0
    for spec in fields(element):
        value = getattr(element, spec.name)
        if isinstance(value, tuple):
            count += sum(_deltas(v) if isinstance(v, Element) else 1 for v in value)
    return max(1, count * element.times if isinstance(element, Text) else count)


def is_lawful(turn: Sequence[Element], wire: Wire) -> bool:
    """Whether a provider that keeps its own documents could have sent this."""
    return wire.lawful and all(map(_lawful, turn)) and not _pings_after_the_end(turn)


def _pings_after_the_end(turn: Sequence[Element]) -> bool:
    ended = next((i for i, e in enumerate(turn) if isinstance(e, Ending)), len(turn))
    return any(isinstance(e, Ping) for e in turn[ended:])


def _lawful(element: Element) -> bool:
    match element:
        case Event() | Raw() | Cut():
            return False
        case Incomplete(reason=reason):
            return reason in INCOMPLETE_REASONS
        case Completed(reason=reason):
            return reason in COMPLETED_REASONS
        case Usage(extra=extra):
            return not extra
        case _:
            return True
