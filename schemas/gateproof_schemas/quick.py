"""A quick yes: whether a document certainly satisfies a schema, in a tenth of the time of the validator.

Nearly every document of a run is valid, and the validator resolves references and makes objects at every place of each. Here
a schema becomes functions once. jsonschema stays the authority: what gets no yes here is put to it, and every word about a
document is its own. A schema with a keyword that is not known here has no quick form; the strict ones have none, for
`unevaluatedProperties` needs to be told which keys were looked at.
"""

import re
from collections.abc import Callable
from functools import cache
from types import NoneType
from typing import Any
from urllib.parse import urljoin

from gateproof_schemas.library import Schema, find, library

Test = Callable[[Any], bool]

_ANNOTATIONS = frozenset(("$schema", "$id", "$defs", "title", "description", "examples", "default", "then", "else"))
"""Keywords that ask nothing by themselves."""

_TYPES: dict[str, type] = {"string": str, "object": dict, "array": list, "null": NoneType, "boolean": bool}

_NUMBERS: dict[str, Test] = {
    "number": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    ),
}


class Unknown(Exception):
    """A keyword, or a value of one, that has no quick form."""


@cache
def quick(name: str, strict: bool = False) -> Test:
    """What says a quick yes for the schema of that name, and for one without a quick form always no.

    Raises KeyError as `schema` does. The function raises RecursionError for a document that is nested too deeply.
    """
    file = find(name, strict=strict)
    try:
        if not strict:
            return _SHARED.test(file, file["$id"])
    except Unknown:
        pass
    return lambda _: False


class Compiler:
    """One for all schemas: what several refer to is made once."""

    def __init__(self) -> None:
        self._targets: dict[str, list[Test]] = {}

    def test(self, schema: Schema | bool, at: str) -> Test:
        if isinstance(schema, bool):
            return lambda _: schema
        tests = [self._keyword(keyword, schema, at) for keyword in schema if keyword not in _ANNOTATIONS]
        return _all(tests)

    def _keyword(self, keyword: str, schema: Schema, at: str) -> Test:
        rule = schema[keyword]
        match keyword:
            case "$ref":
                return self._reference(rule, at)
            case "type":
                return _of_type([rule] if isinstance(rule, str) else rule)
            case "const":
                return _one_of([rule])
            case "enum":
                return _one_of(rule)
            case "properties":
                return self._properties(rule, at)
            case "required":
                needed = frozenset(rule)
                return lambda value: not isinstance(value, dict) or needed <= value.keys()
            case "additionalProperties" if "patternProperties" not in schema:
                return self._others(schema.get("properties", {}), rule, at)
            case "items" if "prefixItems" not in schema:
                item = self.test(rule, at)
                return lambda value: not isinstance(value, list) or all(map(item, value))
            case "minItems":
                return lambda value: not isinstance(value, list) or len(value) >= rule
            case "minLength":
                return lambda value: not isinstance(value, str) or len(value) >= rule
            case "minimum":
                return lambda value: not _NUMBERS["number"](value) or value >= rule
            case "maximum":
                return lambda value: not _NUMBERS["number"](value) or value <= rule
            case "pattern":
                search = re.compile(rule).search
                return lambda value: not isinstance(value, str) or search(value) is not None
            case "allOf":
                return _all([self.test(part, at) for part in rule])
            case "anyOf":
                return _either([self.test(part, at) for part in rule])
            case "not":
                refused = self.test(rule, at)
                return lambda value: not refused(value)
            case "if":
                condition, then, other = (self.test(schema.get(word, True), at) for word in ("if", "then", "else"))
                return lambda value: then(value) if condition(value) else other(value)
            case _:
                raise Unknown(keyword)

    def _reference(self, reference: str, at: str) -> Test:
        target = urljoin(at, reference)
        if target in self._targets:
            held = self._targets[target]
            # A schema may lead back to itself, and then its function is not there yet.
            return held[0] if held else lambda value: held[0](value)
        made = self._targets[target] = []
        address, _, place = target.partition("#")
        schema: Any = _files()[address]
        for step in place.split("/")[1:]:
            schema = schema[step]
        try:
            made.append(self.test(schema, address))
        except Unknown:
            del self._targets[target]
            raise
        return made[0]

    def _properties(self, rule: dict[str, Schema], at: str) -> Test:
        tests = {key: self.test(child, at) for key, child in rule.items()}

        def holds(value: Any) -> bool:
            if isinstance(value, dict):
                for key, child in value.items():
                    test = tests.get(key)
                    if test is not None and not test(child):
                        return False
            return True

        return holds

    def _others(self, known: dict[str, Schema], rule: Schema | bool, at: str) -> Test:
        test = self.test(rule, at)
        return lambda value: (
            not isinstance(value, dict) or all(test(child) for key, child in value.items() if key not in known)
        )


_SHARED = Compiler()


@cache
def _files() -> dict[str, Schema]:
    """Every file by its address."""
    return {file["$id"]: file for file in library().values()}


def _all(tests: list[Test]) -> Test:
    # Plain loops here and below: a generator within `all` or `any` takes as long as what it asks.
    match tests:
        case []:
            return lambda _: True
        case [only]:
            return only
        case [first, second]:
            return lambda value: first(value) and second(value)
        case [first, second, third]:
            return lambda value: first(value) and second(value) and third(value)

    def holds(value: Any) -> bool:
        for test in tests:  # noqa: SIM110
            if not test(value):
                return False
        return True

    return holds


def _either(tests: list[Test]) -> Test:
    match tests:
        case [only]:
            return only
        case [first, second]:
            return lambda value: first(value) or second(value)

    def holds(value: Any) -> bool:
        for test in tests:  # noqa: SIM110
            if test(value):
                return True
        return False

    return holds


def _of_type(names: list[str]) -> Test:
    plain = tuple(_TYPES[name] for name in names if name in _TYPES)
    numbers = [_NUMBERS[name] for name in names if name in _NUMBERS]
    if not plain:
        return _either(numbers)
    kind = plain[0] if len(plain) == 1 else plain
    return _either([lambda value: isinstance(value, kind), *numbers])


def _one_of(words: list[Any]) -> Test:
    if all(isinstance(word, bool) for word in words):
        return lambda value: isinstance(value, bool) and value in words
    if all(word is None or isinstance(word, str) for word in words):
        # Compared one by one, for a value that is no word may have no hash. They are few, but for some enums.
        return lambda value: value in words
    # 1 equals 1.0 and not true, at any depth of lists and objects: jsonschema knows how.
    raise Unknown("enum")
