"""What can be played: the rules of every field and every switch. Those of a whole turn are in `turn_rules`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, Field, fields
from typing import Any

from gateproof_mock.jsontext import DEPTH_LIMIT, too_deep
from gateproof_mock.language.errors import one_of, short, wrong
from gateproof_mock.language.turns import (
    Citation,
    CustomToolCall,
    Element,
    Event,
    Hold,
    Image,
    Interleaved,
    Item,
    Pause,
    Raw,
    Text,
    ToolCall,
    Usage,
)
from gateproof_mock.language.wire import CHOICES, Wire

SECONDS_LIMIT = 600
"""Of one pause, of one delay, and between two writes."""

SAID_LIMIT = 64 * 1024 * 1024
"""Bytes that one script may say."""

DELTA_LIMIT = 200_000
"""Deltas of one script."""

PLACES_LIMIT = 1000
"""Offsets of `split_at`: each is looked at for every write."""

NUMBER_LIMIT = 2**63 - 1

BARRIER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,99}")
"""A barrier's name stands in a URL of the control API, where `.` and `..` alone would be folded away."""

CUT_HOW = ("eof", "fin", "rst")
CUT_WHERE = ("", "event", "utf8", "chunk")
UNFINISHED = ("queued", "in_progress")
INCOMPLETE_REASONS = ("max_output_tokens", "content_filter")
COMPLETED_REASONS = ("", "pause_turn", "model_context_window_exceeded", "stop_sequence", "end_turn")
"""The reasons that some dialect documents."""

NESTED: dict[tuple[type[Element], str], type[Element]] = {
    (Interleaved, "calls"): ToolCall,
    (Text, "citations"): Citation,
}
"""Fields that are lists of elements."""

NEEDED = (ToolCall, CustomToolCall, Interleaved, Hold, Pause, Image, Event, Item, Raw, Citation)
"""Elements that are nothing without their first field."""

_BARRIER_RULE = "1 to 100 of A-Z a-z 0-9 _ . : - beginning with a letter, a digit or _"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]*")
_FRAMING = ("content-length", "transfer-encoding", "connection")
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_]+([.:-][A-Za-z0-9_]+)*")
_KINDS = {str: "a string", int: "a whole number", float: "a number of seconds", bool: "true or false"}


def default_of(spec: Field[Any]) -> Any:
    return spec.default_factory() if spec.default_factory is not MISSING else spec.default


# --- one element ----------------------------------------------------------------------------------


def check_element(element: Element, path: str) -> None:
    for spec in fields(element):
        check_field(type(element), spec, getattr(element, spec.name), f"{path}.{spec.name}")


def check_field(cls: type[Element], spec: Field[Any], value: Any, path: str) -> None:
    nested = NESTED.get((cls, spec.name))
    if nested is not None:
        if not isinstance(value, tuple) or not all(isinstance(inner, nested) for inner in value):
            raise wrong(path, f"expected a list of {nested.KEY}, got {short(value)}")
        for i, inner in enumerate(value):
            check_element(inner, f"{path}[{i}]")
    else:
        _check_type(default_of(spec), value, path)
    rule = _RULES.get((cls.KEY, spec.name))
    problem = rule(value) if rule else _by_type(default_of(spec), value)
    if problem:
        raise wrong(path, f"{problem}, got {short(value)}")


def _check_type(default: Any, value: Any, path: str) -> None:
    if isinstance(default, tuple):
        if not isinstance(value, tuple) or not all(isinstance(p, str) for p in value):
            raise wrong(path, f"expected a string or a list of strings, got {short(value)}")
    elif isinstance(default, Mapping):
        if not isinstance(value, Mapping):
            raise wrong(path, f"expected an object, got {short(value)}")
    elif default is not None and not _is(value, type(default)):
        raise wrong(path, f"expected {_KINDS[type(default)]}, got {short(value)}")


def _is(value: object, kind: type) -> bool:
    """Whether a value is of a field's type: true is no number, and every whole number will do for one with a fraction."""
    if kind in (int, float) and isinstance(value, bool):
        return False
    return isinstance(value, int | float if kind is float else kind)


def _by_type(default: Any, value: Any) -> str:
    """The rule of every field that has none of its own."""
    if isinstance(default, bool):
        return ""
    if isinstance(default, float):
        return _seconds(value)
    return _at_least(0)(value) if isinstance(default, int) else ""


def _at_least(least: int, most: int = NUMBER_LIMIT) -> Callable[[int], str]:
    def rule(value: int) -> str:
        if value < least:
            return f"expected a number not below {least}"
        return f"expected {most} at most" if value > most else ""

    return rule


def _seconds(value: float) -> str:
    # Compared before it is made a float, which a whole number may be too large for.
    if 0 <= value <= SECONDS_LIMIT and math.isfinite(value):
        return ""
    return f"expected 0 to {SECONDS_LIMIT} seconds"


def _tokens(value: int) -> str:
    return "" if 0 <= value <= NUMBER_LIMIT else "expected a count of tokens"


def _on(value: bool) -> str:
    return "" if value else "expected true, or no such element"


def _given(what: str) -> Callable[[Any], str]:
    return lambda value: "" if value else f"expected {what}"


def _choice(allowed: Sequence[str]) -> Callable[[str], str]:
    return lambda value: one_of(value, allowed)


def _one_line(value: str) -> str:
    return "expected one line" if re.search(r"[\r\n\ud800-\udfff]", value) else ""


def _barrier(value: str) -> str:
    return "" if BARRIER_NAME.fullmatch(value) else f"expected a name: {_BARRIER_RULE}"


def _characters(value: str) -> str:
    if not value:
        return "expected characters"
    return "expected characters that UTF-8 has" if re.search(r"[\ud800-\udfff]", value) else ""


def _event(data: Mapping[str, Any]) -> str:
    kind = data.get("type", "message")
    if not data or not isinstance(kind, str) or not _EVENT_TYPE.fullmatch(kind):
        return "expected an event's data, whose `type` (if any) is a word such as response.queued"
    return _sayable(data)


def _item(data: Mapping[str, Any]) -> str:
    if not isinstance(data.get("type"), str) or not data["type"]:
        return "expected an item, whose `type` is a word such as mcp_call"
    return _sayable(data)


def _error_status(value: int) -> str:
    return "" if 400 <= value <= 599 else "expected an HTTP error status, 400 to 599"


def _status(value: int) -> str:
    return "" if 200 <= value <= 599 else "expected an HTTP status, 200 to 599"


def _sayable(value: Any) -> str:
    if too_deep(value):
        return f"expected JSON of {DEPTH_LIMIT} levels at most"
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "expected what JSON can say"
    return ""


def _headers(headers: Mapping[Any, Any]) -> str:
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            return f"expected header names, not {short(name)}"
        if name.lower() in _FRAMING:
            return f"{name} is the mock's own to say (see `cut` for broken transfers)"
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            return f"expected one line of visible Latin-1 characters as the value of {name}"
    return ""


Rule = Callable[[Any], str]
"""What a value of the right type misses, as a message says it; "" if it is right."""

_USAGE_RULES: dict[tuple[str, str], Rule] = {("usage", f.name): _tokens for f in fields(Usage) if f.name != "extra"}
_RULES: dict[tuple[str, str], Rule] = {
    **_USAGE_RULES,
    ("text", "times"): _at_least(1, DELTA_LIMIT),
    ("text", "stretch"): _at_least(1, SAID_LIMIT),
    ("citation", "url"): _given("the address of the source"),
    ("next_message", "on"): _on,
    ("next_part", "on"): _on,
    ("tool_call", "name"): _given("the function's name"),
    ("custom_tool_call", "name"): _given("the tool's name"),
    ("interleaved", "calls"): _given("at least one call"),
    ("item", "data"): _item,
    ("usage", "extra"): _sayable,
    ("hold", "name"): _barrier,
    ("comment", "text"): _one_line,
    ("ping", "on"): _on,
    ("event", "data"): _event,
    ("raw", "text"): _characters,
    ("completed", "on"): _on,
    ("cancelled", "on"): _on,
    ("incomplete", "reason"): _given("a reason such as max_output_tokens"),
    ("failed", "status"): _error_status,
    ("unfinished", "status"): _choice(UNFINISHED),
    ("cut", "how"): _choice(CUT_HOW),
    ("cut", "where"): _choice(CUT_WHERE),
    ("refused", "status"): _status,
    ("refused", "body"): _sayable,
    ("refused", "headers"): _headers,
}


# --- the wire -------------------------------------------------------------------------------------


def check_wire(wire: Mapping[str, Any], path: str) -> None:
    """Check these switches. Raises ScriptError."""
    for spec in fields(Wire):
        if spec.name in wire:
            value = wire[spec.name]
            _check_wire_type(spec, value, f"{path}.{spec.name}")
            rule = _WIRE_RULES.get(spec.name)
            problem = rule(value) if rule else _by_type(spec.default, value)
            if problem:
                raise wrong(f"{path}.{spec.name}", f"{problem}, got {short(value)}")


def _check_wire_type(spec: Field[Any], value: Any, path: str) -> None:
    if isinstance(spec.default, tuple):
        if not isinstance(value, list | tuple) or not all(_is(place, int) for place in value):
            raise wrong(path, f"expected a list of whole numbers, got {short(value)}")
    elif not _is(value, type(spec.default)):
        raise wrong(path, f"expected {_KINDS[type(spec.default)]}, got {short(value)}")


def _terminal(value: str) -> str:
    return "expected an event type such as response.done" if value and not _EVENT_TYPE.fullmatch(value) else ""


def _places(value: Sequence[int]) -> str:
    if len(value) > PLACES_LIMIT:
        return f"expected {PLACES_LIMIT} offsets at most"
    return "" if all(0 < place <= NUMBER_LIMIT for place in value) else "expected offsets above 0"


_CHOICE_RULES: dict[str, Rule] = {name: _choice(words) for name, words in CHOICES.items()}
_WIRE_RULES: dict[str, Rule] = {
    **_CHOICE_RULES,
    "terminal": _terminal,
    "opening_comment": _one_line,
    "comments": _one_line,
    "data_lines": _at_least(1),
    "split_at": _places,
}
