"""A script: how one upstream call is played. Its Python form, its JSON form, and the messages for a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from gateproof_mock.turns import (
    ELEMENTS,
    Cut,
    Element,
    Ending,
    ErrorEvent,
    Event,
    Failed,
    Interleaved,
    Refused,
    ToolCall,
)
from gateproof_mock.wire import Wire


class ScriptError(ValueError):
    """A script that cannot be played; the message names the path of the wrong key and the nearest right one."""


@dataclass(frozen=True, slots=True)
class Script:
    """One call's answer: the turn, and how it is put on the wire."""

    turn: tuple[Element, ...] = ()
    wire: Wire = field(default_factory=Wire)

    @property
    def ending(self) -> Ending | None:
        return next((e for e in self.turn if isinstance(e, Ending)), None)

    @property
    def lawful(self) -> bool:
        """Whether a provider that keeps its own documents could have sent this."""
        lawless = any(isinstance(e, Event | Cut) for e in self.turn)
        return self.wire.lawful and not lawless

    @property
    def fails(self) -> bool:
        return isinstance(self.ending, Failed | ErrorEvent | Cut | Refused)

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
        endings = [i for i, e in enumerate(turn) if isinstance(e, Ending)]
        if len(endings) > 1 or (endings and endings[0] != len(turn) - 1):
            raise ScriptError(f"{path}.say[{endings[0]}]: an ending is the last element, and there is one at most")
        wire = data.get("wire", {})
        if not isinstance(wire, Mapping):
            raise ScriptError(f"{path}.wire: expected an object, got {_short(wire)}")
        _known(wire, [f.name for f in fields(Wire)], f"{path}.wire")
        for f in fields(Wire):
            if f.name in wire and type(wire[f.name]) is not type(getattr(Wire(), f.name)):
                kind = type(getattr(Wire(), f.name)).__name__
                raise ScriptError(f"{path}.wire.{f.name}: expected a {kind}, got {_short(wire[f.name])}")
        return cls(turn, Wire(**wire))


def script(*elements: Element, wire: Wire | None = None) -> Script:
    """A script from elements. Raises ScriptError if the ending is not the last of them."""
    if any(isinstance(e, Ending) for e in elements[:-1]):
        raise ScriptError("an ending is the last element, and there is one at most")
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
        default = f.default_factory() if f.default_factory is not MISSING else f.default
        if value != default or f.name == names[0]:
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
    if isinstance(value, Mapping) and (set(value) & {f.name for f in specs} or not value):
        _known(value, [f.name for f in specs], path)
        given = dict(value)
    elif isinstance(value, Mapping) and cls is not Event:
        _known(value, [f.name for f in specs], path)
        given = {}
    else:
        given = {specs[0].name: value}
    kwargs: dict[str, Any] = {}
    for f in specs:
        if f.name not in given:
            continue
        default: Any = f.default_factory() if f.default_factory is not MISSING else f.default
        kwargs[f.name] = _read_field(cls, f.name, default, given[f.name], f"{path}.{f.name}")
    return cls(**kwargs)


def _read_field(cls: type[Element], name: str, default: Any, value: Any, path: str) -> Any:
    if cls is Interleaved and name == "calls":
        if not isinstance(value, list):
            raise ScriptError(f"{path}: expected a list of calls, got {_short(value)}")
        return tuple(_build(ToolCall, v, f"{path}[{i}]") for i, v in enumerate(value))
    if isinstance(default, tuple):
        pieces = [value] if isinstance(value, str) else value
        if not isinstance(pieces, list) or not all(isinstance(p, str) for p in pieces):
            raise ScriptError(f"{path}: expected a string or a list of strings, got {_short(value)}")
        return tuple(pieces)
    if default is None:
        return value
    wanted: type = dict if isinstance(default, Mapping) else type(default)
    if not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
        raise ScriptError(f"{path}: expected a {wanted.__name__}, got {_short(value)}")
    if cls is Cut and value not in ("eof", "fin", "rst"):
        raise ScriptError(f"{path}: expected eof, fin or rst, got {_short(value)}")
    return value


def _known(data: Iterable[Any], allowed: Iterable[str], path: str) -> None:
    names = list(allowed)
    for key in data:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(names)}"
            raise ScriptError(f"{path}: unknown key `{key}`{hint}")


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
