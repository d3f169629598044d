"""The strict form: what nobody documents is found, and nothing else is refused that the wire form takes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from sdk_agreement import here, keys, root, says
from test_documents import DOCUMENTS, Place, load, replaced

from gateproof_schemas import names, schema, validate
from gateproof_schemas.__main__ import main
from gateproof_schemas.library import library, variants
from gateproof_schemas.strict import STRICT_BASE

OF_APIS = [title for title in DOCUMENTS if not title.startswith("own/")]
OPEN_WORLD = {
    "messages/blocks/unknown",
    "messages/error/two-keys",
    "messages/event/unknown",
    "messages/events/content_block_delta/unknown",
    "messages/events/content_block_start/unknown",
    "messages/response/new-reason",
    "responses/event/keepalive",
    "responses/event/unknown",
    "responses/events/response.output_item.added/unknown-item",
    "responses/events/response.output_item.done/one",
    "responses/items/message",
    "responses/items/unknown",
}
"""Documents with a word that no provider has."""

UNKNOWN = "x_unknown"


def objects(nodes: tuple[Any, ...], document: Any, place: Place = ()) -> Iterator[tuple[Place, bool]]:
    """Every object of a document that its schema speaks about, and whether it is an open map."""
    if isinstance(document, dict):
        free = True in says(nodes, document, "additionalProperties")
        yield place, free
        for key, inside in keys(nodes, document).items():
            if key in document and not free:
                yield from objects(inside, document[key], (*place, key))
    elif isinstance(document, list):
        items = [node for node in here(nodes, document) if "items" in node.schema]
        for number, item in enumerate(document):
            yield from objects(tuple(node.at(node.schema["items"]) for node in items), item, (*place, number))


def at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


@pytest.mark.parametrize("title", OF_APIS)
def test_a_document_is_strictly_valid_unless_it_has_a_word_that_nobody_documents(title: str) -> None:
    name, document = load(title)
    found = [str(violation) for violation in validate(document, name, strict=True)]
    assert bool(found) == (title in OPEN_WORLD), found


@pytest.mark.parametrize("title", [title for title in OF_APIS if title not in OPEN_WORLD])
def test_an_unknown_key_at_any_object_is_found_there_and_passes_on_the_wire(title: str) -> None:
    name, document = load(title)
    for place, free in objects((root(name),), document):
        more = replaced(document, place, at(document, place) | {UNKNOWN: 1})
        assert validate(more, name) == []
        found = validate(more, name, strict=True)
        told = [(violation.path, violation.got) for violation in found]
        assert [got for _, got in told] == ([] if free else [f'"{UNKNOWN}"']), (place, told)


@pytest.mark.parametrize(
    ("document", "name", "line"),
    [
        (
            {"usage": {"prompt_token": 1}},
            "chat/chunk",
            '$.usage: expected a known key like "prompt_tokens", got "prompt_token"',
        ),
        ({"typ": "ping"}, "messages/events/ping", '$: expected a known key like "type", got "typ"'),
        (
            {"type": "response.output_txt.delta"},
            "responses/event",
            (
                '$.type: expected one of 62 known words, such as "response.output_text.delta", '
                'got "response.output_txt.delta" (a string)'
            ),
        ),
    ],
)
def test_the_nearest_known_key_or_word_is_told(document: Any, name: str, line: str) -> None:
    assert line in [str(violation) for violation in validate(document, name, strict=True)]


def test_a_key_that_is_known_is_not_called_unknown_for_another_fault_beside_it() -> None:
    item = {"type": "message", "id": "i", "role": "assistant", "status": "completed", "content": 5, "phaze": None}
    assert [str(violation) for violation in validate(item, "responses/items", strict=True)] == [
        "$.content: expected an array, got 5 (an integer)",
        '$: expected a known key like "phase", got "phaze"',
    ]


@pytest.mark.parametrize("name", [name for name in library() if not name.startswith("own/")])
def test_every_object_is_closed_or_says_that_it_is_open(name: str) -> None:
    """An object schema without any key is left open, as only what adds to another schema may be."""
    bare = [place for place, node in walk(library()[name]) if node.get("type") == "object" and len(node) == 1]
    adds = {"responses/response": [("error",), ("incomplete_details",)]}
    assert [place[-1:] for place in bare] == adds.get(name, [])


def walk(node: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(node, dict):
        yield place, node
        for key, child in node.items():
            if key != "if":
                yield from walk(child, (*place, key))
    elif isinstance(node, list):
        for child in node:
            yield from walk(child, place)


@pytest.mark.parametrize("name", [name for name in library() if not name.startswith("own/")])
def test_words_are_listed_of_strings_alone_and_each_once(name: str) -> None:
    for place, node in walk(library()[name]):
        if place[-1:] != ("properties",) and "examples" in node:
            assert node.get("type", "string") in ("string", ["string", "null"])
            assert len(set(node["examples"])) == len(node["examples"]) > 0


def test_an_event_is_strict_by_its_type_alone() -> None:
    for event in ("responses/event", "messages/event"):
        assert schema(event, strict=True)["properties"]["type"] == {"enum": list(variants(event))}


def test_the_suites_own_files_have_one_strength() -> None:
    for name in names():
        assert (schema(name) == schema(name, strict=True)) == name.startswith("own/")


def test_the_written_files_are_whole_and_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--strict", str(tmp_path)])
    written = {path.relative_to(tmp_path).with_suffix("").as_posix(): path for path in tmp_path.rglob("*.json")}
    assert written.keys() == {name for name in library() if not name.startswith("own/")}
    assert capsys.readouterr().out == f"{len(written)} strict schemas in {tmp_path}\n"
    files = {name: json.loads(path.read_text(encoding="utf-8")) for name, path in written.items()}
    assert all(file["$id"] == f"{STRICT_BASE}{name}.json" for name, file in files.items())
    alone = Registry[Any]().with_resources(
        [(file["$id"], Resource[Any].from_contents(file)) for file in files.values()]
    )
    for title in OF_APIS:
        name, document = load(title)
        assert Draft202012Validator(files[name], registry=alone).is_valid(document) == (title not in OPEN_WORLD)
