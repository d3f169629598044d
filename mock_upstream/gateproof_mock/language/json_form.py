"""The JSON form of scripts: `{key: value}` for an element, with the value its first field alone or an object of its fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from gateproof_mock.language.errors import known, short, wrong
from gateproof_mock.language.field_rules import NEEDED, NESTED, check_field, check_wire, default_of
from gateproof_mock.language.turns import ELEMENTS, Element, Event, Item
from gateproof_mock.language.wire import Wire

_WHOLE = (Event, Item)


def turn_to_json(turn: tuple[Element, ...]) -> list[dict[str, Any]]:
    return [_element_to_json(element) for element in turn]


def wire_to_json(wire: Wire) -> dict[str, Any]:
    """The switches that are not as usual."""
    values = {spec.name: getattr(wire, spec.name) for spec in fields(Wire)}
    return {spec.name: _plain(values[spec.name]) for spec in fields(Wire) if values[spec.name] != spec.default}


def turn_from_json(data: object, path: str) -> tuple[Element, ...]:
    """Read `say`. Raises ScriptError."""
    if not isinstance(data, list | tuple):
        raise wrong(path, f"expected a list of elements, got {short(data)}")
    return tuple(_element_from_json(element, f"{path}[{i}]") for i, element in enumerate(data))


def wire_from_json(data: object, path: str) -> Wire:
    """Read `wire`. Raises ScriptError."""
    if not isinstance(data, Mapping):
        raise wrong(path, f"expected an object, got {short(data)}")
    known(data, [spec.name for spec in fields(Wire)], path)
    check_wire(data, path)
    switches: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
    return Wire(**switches)


def _element_to_json(element: Element) -> dict[str, Any]:
    values = _fields_to_json(element)
    first = fields(element)[0].name
    alone = list(values) == [first] and not isinstance(values[first], Mapping)
    return {element.KEY: values[first] if alone else values}


def _fields_to_json(element: Element) -> dict[str, Any]:
    first, *others = fields(element)
    changed = {f.name: getattr(element, f.name) for f in others if getattr(element, f.name) != default_of(f)}
    # `on` says no more than that the element is there.
    leading = {} if first.name == "on" and changed else {first.name: getattr(element, first.name)}
    return {name: _plain(value) for name, value in (leading | changed).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Element):
        return _fields_to_json(value)
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    return dict(value) if isinstance(value, Mapping) else value


def _element_from_json(data: object, path: str) -> Element:
    if not isinstance(data, Mapping) or len(data) != 1:
        raise wrong(path, f'expected one element such as {{"text": "Hello"}}, got {short(data)}')
    ((key, value),) = data.items()
    known(data, ELEMENTS, path)
    return _build(ELEMENTS[key], value, f"{path}.{key}")


def _build(cls: type[Element], value: object, path: str) -> Element:
    specs = fields(cls)
    first = specs[0].name
    given: dict[str, tuple[Any, str]] = {first: (value, path)}
    if isinstance(value, Mapping) and not _is_whole(cls, value, first):
        known(value, [spec.name for spec in specs], path)
        given = {name: (inner, f"{path}.{name}") for name, inner in value.items()}
    if first not in given and cls in NEEDED:
        raise wrong(path, f"`{first}` is missing")
    return cls(**{spec.name: _read(cls, spec, *given[spec.name]) for spec in specs if spec.name in given})


def _is_whole(cls: type[Element], value: Mapping[Any, Any], first: str) -> bool:
    """Whether this is an event's or item's data itself: nothing in it is a field, save when `data` is all that it has."""
    return cls in _WHOLE and bool(value) and not (list(value) == [first] and isinstance(value[first], Mapping))


def _read(cls: type[Element], spec: Field[Any], value: Any, path: str) -> Any:
    nested = NESTED.get((cls, spec.name))
    if nested is not None:
        if not isinstance(value, list):
            raise wrong(path, f"expected a list of {nested.KEY}, got {short(value)}")
        value = tuple(_build(nested, inner, f"{path}[{i}]") for i, inner in enumerate(value))
    elif isinstance(default_of(spec), tuple):
        pieces = [value] if isinstance(value, str) else value
        # What is no list of strings stays as it was written, for the message.
        value = tuple(pieces) if isinstance(pieces, list) and all(isinstance(p, str) for p in pieces) else value
    check_field(cls, spec, value, path)
    return value
