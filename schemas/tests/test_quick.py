"""A quick yes is jsonschema's yes, and its no is quick's: on keywords, and on the documents with one place changed."""

import copy
import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateproof_schemas import names, validate
from gateproof_schemas.library import find, registry
from gateproof_schemas.quick import Compiler, Unknown, quick

FOLDER = Path(__file__).parent / "documents"
DOCUMENTS = [
    str(path.relative_to(FOLDER).with_suffix(""))
    for path in sorted(FOLDER.rglob("*.json"))
    if not path.is_relative_to(FOLDER / "own")
]
AWKWARD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 1.0, 1.5, -0.0, float("inf"), 10**400),
    *("", "a", "ab", "1", "null", "\ud83e", "a\n"),
    *([], [1], [[]], ["a", 1.0], [None], {}, {"a": 1}, {"a": "a"}, {"a": None, "b": 1}, {"b": []}, {"type": "a"}),
)
SCHEMAS: tuple[Any, ...] = (
    *({"type": name} for name in ("string", "object", "array", "null", "boolean", "number", "integer")),
    {"type": ["integer", "null"]},
    {"type": ["integer", "null", "string"]},
    *({"const": word} for word in ("a", "", None, True, False)),
    {"enum": ["a", None, "ab"]},
    {"enum": [True]},
    {"required": ["a"]},
    {"properties": {"a": {"type": "integer"}, "b": False}},
    {"properties": {"a": True}, "additionalProperties": False},
    {"properties": {"a": True}, "additionalProperties": {"type": "integer"}},
    {"additionalProperties": True},
    {"items": {"type": "integer"}},
    {"minItems": 1},
    {"minLength": 2},
    {"minimum": 1},
    {"maximum": 1},
    {"pattern": "^a$"},
    {"allOf": [{"type": "object"}, {"required": ["a"]}]},
    {"anyOf": [{"type": "string"}, {"minimum": 1}]},
    {"anyOf": [{"type": "string"}, {"type": "null"}, {"const": True}]},
    {"not": {"type": "string"}},
    {"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"type": "object"}},
    {"if": {"type": "string"}, "then": False},
    {"if": {"type": "string"}, "else": False},
    {"then": False, "else": False, "title": "t", "default": 1},
    {},
    True,
    False,
)


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_every_keyword_means_what_it_means_to_jsonschema(schema: Any) -> None:
    accepts = Compiler().test(schema, "")
    validator = Draft202012Validator(schema)
    assert [accepts(value) for value in AWKWARD] == [validator.is_valid(value) for value in AWKWARD]


@pytest.mark.parametrize(
    "schema",
    [{"const": 1}, {"enum": ["a", 1]}, {"patternProperties": {}, "additionalProperties": False}, {"oneOf": []}],
)
def test_what_has_no_quick_form_is_refused(schema: Any) -> None:
    with pytest.raises(Unknown):
        Compiler().test(schema, "")


@pytest.mark.parametrize("title", DOCUMENTS)
def test_the_verdict_is_that_of_jsonschema_whatever_stands_at_a_place(title: str) -> None:
    name = title.rpartition("/")[0]
    document = json.loads((FOLDER / f"{title}.json").read_text("utf-8"))
    accepts = quick(name)
    validator = Draft202012Validator(registry().contents(find(name)["$id"]), registry=registry())
    assert accepts(document)
    for changed in variations(document):
        assert accepts(changed) == validator.is_valid(changed), changed


def variations(document: Any) -> Iterator[Any]:
    """Each place in turn with the next awkward value, every third one without what stands there."""
    values = cycle(AWKWARD)
    for number, place in enumerate(places(document)):
        changed = copy.deepcopy(document)
        parent = changed
        for step in place[:-1]:
            parent = parent[step]
        if number % 3:
            parent[place[-1]] = next(values)
        else:
            del parent[place[-1]]
        yield changed


def places(node: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, child in steps:
        yield (*above, step)
        yield from places(child, (*above, step))


def test_every_schema_of_the_apis_has_a_quick_form() -> None:
    apis = [name for name in names() if not name.startswith("own/")]
    tests = [Compiler().test(find(name), find(name)["$id"]) for name in apis]
    assert len(tests) == len(apis) > 50


def test_a_document_without_end_is_too_deep_and_no_error() -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"content": [deep]}
    assert validate(deep, "messages/response")
