"""Every rule of every schema, proved both ways: documents that keep it, and the least change to them that breaks it.

`documents/<name>/*.json` are valid documents. What must fail is not written down but derived: wherever a schema has a rule
about a place of a document, that place alone is changed so that it breaks that rule.
"""

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin

import pytest
from jsonschema import Draft202012Validator

from gateproof_schemas import names, schema, validate
from gateproof_schemas.library import library, registry
from gateproof_schemas.violation import path_of

FOLDER = Path(__file__).parent / "documents"
DOCUMENTS = [str(path.relative_to(FOLDER).with_suffix("")) for path in sorted(FOLDER.rglob("*.json"))]

ANY = (dict, list, str, int, float, bool, type(None))
# The rules that are broken here, and what they apply to.
RULES = {
    "type": ANY,
    "const": ANY,
    "enum": ANY,
    "required": dict,
    "minLength": str,
    "minItems": list,
    "minimum": (int, float),
}
ONE_OF_EACH_TYPE = {"string": "text", "number": 1.5, "boolean": True, "null": None, "array": [], "object": {}}
NO_SUCH_WORD = "no such word"

# Without an error, or with a null one, these two are judged as the other thing that they may be.
SWITCHES = {("chat/chunk", ("error",)), ("responses/events/error", ("error",))}

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Rule:
    """A keyword in a schema, as it applies to one place of a document; `guarded` if null is spared from it."""

    where: str
    keyword: str
    place: Place
    guarded: bool


@dataclass(frozen=True)
class Mutation:
    """A document with one rule broken, the place, and a text that a violation there must contain."""

    document: Any
    place: Place
    message: str


def load(title: str) -> tuple[str, dict[str, Any]]:
    return title.rpartition("/")[0], json.loads((FOLDER / f"{title}.json").read_text(encoding="utf-8"))


def rules(url: str, document: Any, place: Place = (), guarded: bool = False) -> Iterator[tuple[Rule, Any, Any]]:
    """Each rule below the schema at `url` that applies to the document, with the keyword's value and the instance."""
    node = registry().resolver().lookup(url).contents
    assert isinstance(node, dict)
    for keyword in RULES.keys() & node.keys():
        if isinstance(document, RULES[keyword]):
            yield Rule(f"{url}/{keyword}", keyword, place, guarded), node[keyword], document
    if "$ref" in node:
        yield from rules(absolute(url, node["$ref"]), document, place, guarded)
    for number, _ in enumerate(node.get("allOf", [])):
        yield from rules(f"{url}/allOf/{number}", document, place, guarded)
    if "if" in node:
        branch = "then" if Draft202012Validator(node["if"]).is_valid(document) else "else"
        if branch in node:
            yield from rules(f"{url}/{branch}", document, place, guarded or "type" in node["if"])
    if isinstance(document, dict):
        for key in node.get("properties", {}).keys() & document.keys():
            yield from rules(f"{url}/properties/{key}", document[key], (*place, key))
    if isinstance(document, list) and "items" in node:
        for number, item in enumerate(document):
            yield from rules(f"{url}/items", item, (*place, number))


def absolute(url: str, reference: str) -> str:
    target = urljoin(urldefrag(url).url, reference)
    return target if "#" in target else f"{target}#"


def root(name: str) -> str:
    return f"{schema(name)['$id']}#"


def mutations(name: str, document: Any) -> Iterator[Mutation]:
    for rule, value, instance in rules(root(name), document):
        match rule.keyword:
            case "required":
                for key in value:
                    without = {other: content for other, content in instance.items() if other != key}
                    if (name, (*rule.place, key)) not in SWITCHES:
                        yield Mutation(replaced(document, rule.place, without), rule.place, f'the key "{key}"')
            case "type":
                allowed = {value} if isinstance(value, str) else set(value)
                if rule.guarded or (name, rule.place) in SWITCHES:
                    allowed.add("null")
                for type_, sample in ONE_OF_EACH_TYPE.items():
                    if type_ not in allowed:
                        yield Mutation(replaced(document, rule.place, sample), rule.place, "expected a")
            case "const" | "enum":
                yield Mutation(replaced(document, rule.place, NO_SUCH_WORD), rule.place, NO_SUCH_WORD)
            case "minLength":
                yield Mutation(replaced(document, rule.place, ""), rule.place, "not empty")
            case "minItems":
                yield Mutation(replaced(document, rule.place, []), rule.place, "at least")
            case "minimum":
                yield Mutation(replaced(document, rule.place, value - 1), rule.place, "not below")


def replaced(document: Any, place: Place, value: Any) -> Any:
    if not place:
        return value
    result = copy.deepcopy(document)
    parent = result
    for step in place[:-1]:
        parent = parent[step]
    parent[place[-1]] = value
    return result


def with_unknown_keys(document: Any) -> Any:
    if isinstance(document, dict):
        return {"x_unknown": {"since": 2030}} | {key: with_unknown_keys(value) for key, value in document.items()}
    return [with_unknown_keys(item) for item in document] if isinstance(document, list) else document


def written_rules(node: Any, url: str) -> Iterator[str]:
    """Where each rule of a file stands. What an `if` says is no rule but a choice."""
    if not isinstance(node, dict):
        return
    yield from (f"{url}/{keyword}" for keyword in RULES.keys() & node.keys())
    for keyword in ("then", "else", "items"):
        yield from written_rules(node.get(keyword), f"{url}/{keyword}")
    for keyword in ("properties", "$defs"):
        for key, child in node.get(keyword, {}).items():
            yield from written_rules(child, f"{url}/{keyword}/{key}")
    for number, child in enumerate(node.get("allOf", [])):
        yield from written_rules(child, f"{url}/allOf/{number}")


@lru_cache(maxsize=1)
def kept_rules() -> frozenset[str]:
    loaded = [load(title) for title in DOCUMENTS]
    return frozenset(rule.where for name, document in loaded for rule, _, _ in rules(root(name), document))


@pytest.mark.parametrize("title", DOCUMENTS)
def test_the_document_is_valid_whatever_else_it_carries(title: str) -> None:
    name, document = load(title)
    assert validate(document, name) == []
    assert validate(with_unknown_keys(document), name) == []


@pytest.mark.parametrize("title", DOCUMENTS)
def test_the_least_breach_of_any_rule_is_found_where_it_is(title: str) -> None:
    name, document = load(title)
    for mutation in mutations(name, document):
        found = validate(mutation.document, name)
        there = [str(violation) for violation in found if violation.path == path_of(mutation.place)]
        assert any(mutation.message in line for line in there), (mutation, found)


@pytest.mark.parametrize("title", [title for title in DOCUMENTS if "/events/" in title])
def test_an_event_is_judged_by_its_own_type(title: str) -> None:
    name, document = load(title)
    any_event = f"{name.partition('/')[0]}/event"
    assert validate(document, any_event) == []
    without_type = {key: value for key, value in document.items() if key != "type"}
    assert [violation.expected for violation in validate(without_type, any_event)] == ['the key "type"']
    for mutation in mutations(name, document):
        if isinstance(mutation.document, dict) and mutation.document.get("type") == document["type"]:
            assert validate(mutation.document, any_event) == validate(mutation.document, name)


@pytest.mark.parametrize("name", [name for name in names() if not name.startswith("own/")])
def test_every_schema_has_documents(name: str) -> None:
    assert any(load(title)[0] == name for title in DOCUMENTS)


@pytest.mark.parametrize("name", [name for name in library() if not name.startswith("own/")])
def test_the_documents_use_every_rule(name: str) -> None:
    file = library()[name]
    assert set(written_rules(file, f"{file['$id']}#")) - kept_rules() == set()
