"""A script: how one upstream call is played. Its Python form, its JSON form, and the messages for a wrong one."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any

from gateproof_mock.jsontext import DEPTH_LIMIT, too_deep
from gateproof_mock.turns import (
    ELEMENTS,
    Cut,
    Element,
    Ending,
    Event,
    Hold,
    Incomplete,
    Interleaved,
    ToolCall,
    Usage,
)
from gateproof_mock.wire import ARGUMENTS_IN, Wire

BARRIER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,99}")
"""A barrier's name stands in a URL of the control API, where `.` and `..` alone would be folded away."""

_BARRIER_RULE = "1 to 100 of A-Z a-z 0-9 _ . : - beginning with a letter, a digit or _"
_DOCUMENTED_REASONS = ("max_output_tokens", "content_filter")
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_FRAMING = ("content-length", "transfer-encoding", "connection")
_EVENT_TYPE = re.compile(r"[A-Za-z0-9_]+([.:-][A-Za-z0-9_]+)*")


class ScriptError(ValueError):
    """A script that cannot be played; the message names the path of the wrong key and the nearest right one."""


@dataclass(frozen=True, slots=True)
class Script:
    """One call's answer: the turn, and how it is put on the wire. Raises ScriptError for what cannot be played."""

    turn: tuple[Element, ...] = ()
    wire: Wire = field(default_factory=Wire)

    def __post_init__(self) -> None:
        for i, element in enumerate(self.turn):
            if not isinstance(element, Element) or type(element) not in ELEMENTS.values():
                raise ScriptError(f"say[{i}]: expected an element such as text('Hello'), got {_short(element)}")
            _check_element(element, f"say[{i}].{element.KEY}")
        _check_turn(self.turn, "say")
        if not isinstance(self.wire, Wire):
            raise ScriptError(f"wire: expected a Wire, got {_short(self.wire)}")
        _check_wire({f.name: getattr(self.wire, f.name) for f in fields(Wire)}, "wire")

    @property
    def ending(self) -> Ending | None:
        return next((e for e in self.turn if isinstance(e, Ending)), None)

    @property
    def lawful(self) -> bool:
        """Whether a provider that keeps its own documents could have sent this."""
        ending = self.ending
        made_up = isinstance(ending, Incomplete) and ending.reason not in _DOCUMENTED_REASONS
        lawless = any(isinstance(e, Event | Cut) for e in self.turn)
        return self.wire.lawful and not lawless and not made_up

    def to_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"say": [_element_to_json(e) for e in self.turn]}
        default = Wire()
        wire = {f.name: getattr(self.wire, f.name) for f in fields(Wire)}
        changed = {k: v for k, v in wire.items() if v != getattr(default, k)}
        if changed:
            out["wire"] = changed
        return out

    @classmethod
    def from_json(cls, data: object, path: str = "script") -> Script:
        """Read the JSON form. Raises ScriptError."""
        if not isinstance(data, Mapping):
            raise ScriptError(f"{path}: expected an object with `say`, got {_short(data)}")
        _known(data, ("say", "wire"), path)
        say = data.get("say", [])
        if not isinstance(say, Sequence) or isinstance(say, str):
            raise ScriptError(f"{path}.say: expected a list of elements, got {_short(say)}")
        turn = tuple(_element_from_json(e, f"{path}.say[{i}]") for i, e in enumerate(say))
        _check_turn(turn, f"{path}.say")
        wire = data.get("wire", {})
        if not isinstance(wire, Mapping):
            raise ScriptError(f"{path}.wire: expected an object, got {_short(wire)}")
        _known(wire, [f.name for f in fields(Wire)], f"{path}.wire")
        _check_wire(wire, f"{path}.wire")
        return cls(turn, Wire(**wire))


def script(*elements: Element, wire: Wire | None = None) -> Script:
    """A script from elements. Raises ScriptError for what cannot be played, such as an ending that is not the last."""
    return Script(tuple(elements), wire or Wire())


def scripts_from_json(data: object, path: str = "calls") -> tuple[Script, ...]:
    """The scripts of a marker's first, second, nth call; later calls repeat the last. Raises ScriptError."""
    if not isinstance(data, Sequence) or isinstance(data, str) or not data:
        raise ScriptError(f"{path}: expected a list of at least one script, got {_short(data)}")
    return tuple(Script.from_json(s, f"{path}[{i}]") for i, s in enumerate(data))


# --- elements -------------------------------------------------------------------------------------


def _element_to_json(element: Element) -> dict[str, Any]:
    values: dict[str, Any] = {}
    names = [f.name for f in fields(element)]
    for f in fields(element):
        value = getattr(element, f.name)
        if value != _default(f) or f.name == names[0]:
            values[f.name] = _plain(value)
    alone = list(values) == names[:1] and not isinstance(values[names[0]], Mapping)
    return {element.KEY: values[names[0]] if alone else values}


def _plain(value: Any) -> Any:
    if isinstance(value, ToolCall):
        inner = _element_to_json(value)[ToolCall.KEY]
        return inner if isinstance(inner, dict) else {"name": inner}
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return dict(value) if isinstance(value, Mapping) else value


def _element_from_json(data: object, path: str) -> Element:
    if not isinstance(data, Mapping) or len(data) != 1:
        raise ScriptError(f'{path}: expected one element such as {{"text": "Hello"}}, got {_short(data)}')
    ((key, value),) = data.items()
    _known({key: value}, ELEMENTS, path)
    return _build(ELEMENTS[key], value, f"{path}.{key}")


def _build(cls: type[Element], value: object, path: str) -> Element:
    specs = fields(cls)
    first = specs[0].name
    # An event may be given whole: then it is an object of which nothing is a field, save when `data` is all that it has.
    whole = cls is Event and isinstance(value, Mapping) and bool(value)
    if whole and isinstance(value, Mapping) and list(value) == [first] and isinstance(value[first], Mapping):
        whole = False
    if isinstance(value, Mapping) and not whole:
        _known(value, [f.name for f in specs], path)
        given = {name: (inner, f"{path}.{name}") for name, inner in value.items()}
    else:
        given = {first: (value, path)}
    if first not in given and first != "on" and _needed(cls):
        raise ScriptError(f"{path}: `{first}` is missing")
    kwargs: dict[str, Any] = {}
    for f in specs:
        if f.name in given:
            kwargs[f.name] = _read_field(cls, f, *given[f.name])
    return cls(**kwargs)


def _needed(cls: type[Element]) -> bool:
    return cls in (ToolCall, Interleaved, Hold, Event)


def _read_field(cls: type[Element], spec: Field[Any], value: Any, path: str) -> Any:
    if cls is Interleaved and spec.name == "calls":
        if not isinstance(value, list):
            raise ScriptError(f"{path}: expected a list of calls, got {_short(value)}")
        value = tuple(_build(ToolCall, v, f"{path}[{i}]") for i, v in enumerate(value))
    elif isinstance(_default(spec), tuple):
        pieces = [value] if isinstance(value, str) else value
        value = tuple(pieces) if isinstance(pieces, list) and all(isinstance(p, str) for p in pieces) else value
    _check_field(cls, spec, value, path)
    return value


def _default(spec: Field[Any]) -> Any:
    return spec.default_factory() if spec.default_factory is not MISSING else spec.default


# --- what can be played ---------------------------------------------------------------------------


def _check_turn(turn: Sequence[Element], path: str) -> None:
    endings = [i for i, e in enumerate(turn) if isinstance(e, Ending)]
    if len(endings) > 1 or (endings and endings[0] != len(turn) - 1):
        raise ScriptError(f"{path}[{endings[0]}]: an ending is the last element, and there is one at most")
    counts = [i for i, e in enumerate(turn) if isinstance(e, Usage)]
    if len(counts) > 1:
        raise ScriptError(f"{path}[{counts[1]}]: a turn has one usage at most")


def _check_element(element: Element, path: str) -> None:
    for spec in fields(element):
        _check_field(type(element), spec, getattr(element, spec.name), f"{path}.{spec.name}")


def _check_field(cls: type[Element], spec: Field[Any], value: Any, path: str) -> None:
    default = _default(spec)
    if cls is Interleaved and spec.name == "calls":
        if not isinstance(value, tuple) or not value or not all(isinstance(c, ToolCall) for c in value):
            raise ScriptError(f"{path}: expected at least one call, got {_short(value)}")
        for i, call in enumerate(value):
            _check_element(call, f"{path}[{i}]")
    elif isinstance(default, tuple):
        if not isinstance(value, tuple) or not all(isinstance(p, str) for p in value):
            raise ScriptError(f"{path}: expected a string or a list of strings, got {_short(value)}")
    elif default is not None:
        wanted: type = Mapping if isinstance(default, Mapping) else type(default)
        if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            kind = "an object" if wanted is Mapping else _KINDS[wanted]
            raise ScriptError(f"{path}: expected {kind}, got {_short(value)}")
    problem = _problem(cls, spec.name, value)
    if problem:
        raise ScriptError(f"{path}: {problem}, got {_short(value)}")


_KINDS = {str: "a string", int: "a whole number", bool: "true or false"}


def _problem(cls: type[Element], name: str, value: Any) -> str:
    """What the rule of this field misses in a value of the right type; "" if it is kept."""
    match cls.KEY, name:
        case "hold", "name":
            return "" if BARRIER_NAME.fullmatch(value) else f"expected a name: {_BARRIER_RULE}"
        case "tool_call", "name":
            return "" if value else "expected the function's name"
        case "comment", "text":
            return "expected one line" if re.search(r"[\r\n\ud800-\udfff]", value) else ""
        case "event", "data":
            kind = value.get("type", "message")
            if not value or not isinstance(kind, str) or not _EVENT_TYPE.fullmatch(kind):
                return "expected an event's data, whose `type` (if any) is a word such as response.queued"
            return _json_problem(value)
        case (("next_message" | "completed" | "cancelled"), "on"):
            return "" if value else "expected true, or no such element"
        case "incomplete", "reason":
            return "" if value else "expected a reason such as max_output_tokens"
        case "unfinished", "status":
            return _one_of(value, ("queued", "in_progress"))
        case "cut", "how":
            return _one_of(value, ("eof", "fin", "rst"))
        case "failed", "status":
            return "" if 400 <= value <= 599 else "expected an HTTP error status, 400 to 599"
        case "refused", "status":
            return "" if 200 <= value <= 599 else "expected an HTTP status, 200 to 599"
        case "refused", "body":
            return _json_problem(value)
        case "refused", "headers":
            return _headers_problem(value)
        case "usage", _:
            return "" if value >= 0 else "expected a count of tokens"
        case _:
            return ""


def _check_wire(wire: Mapping[str, Any], path: str) -> None:
    for f in fields(Wire):
        if f.name not in wire:
            continue
        value: Any = wire[f.name]
        kind: type = type(f.default)
        if not issubclass(type(value), kind):
            raise ScriptError(f"{path}.{f.name}: expected {_KINDS[kind]}, got {_short(value)}")
        problem = ""
        if f.name == "arguments_in":
            problem = _one_of(value, ARGUMENTS_IN)
        elif f.name == "terminal" and value and not _EVENT_TYPE.fullmatch(value):
            problem = "expected an event type such as response.done"
        if problem:
            raise ScriptError(f"{path}.{f.name}: {problem}, got {_short(value)}")


def _one_of(value: str, allowed: Sequence[str]) -> str:
    if value in allowed:
        return ""
    near = difflib.get_close_matches(value, allowed, n=1)
    return f"expected one of {', '.join(allowed)}" + (f" (did you mean `{near[0]}`?)" if near else "")


def _json_problem(value: Any) -> str:
    if too_deep(value):
        return f"expected JSON of {DEPTH_LIMIT} levels at most"
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return "expected what JSON can say"
    return ""


def _headers_problem(headers: Mapping[Any, Any]) -> str:
    for name, value in headers.items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            return f"expected header names, not {_short(name)}"
        if name.lower() in _FRAMING:
            return f"{name} is the mock's own to say (see `cut` for broken transfers)"
        if not isinstance(value, str) or re.search(r"[\r\n\0]", value):
            return f"expected one line as the value of {name}"
    return ""


def _known(data: Iterable[Any], allowed: Iterable[str], path: str) -> None:
    names = list(allowed)
    for key in data:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(names)}"
            raise ScriptError(f"{path}: unknown key `{_cut(str(key))}`{hint}")


def _short(value: object) -> str:
    try:
        return _cut(repr(value))
    except RecursionError:
        return "something nested too deeply to show"


def _cut(shown: str) -> str:
    return shown if len(shown) <= 60 else shown[:57] + "..."
