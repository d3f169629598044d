"""The schema files themselves: valid, findable by `$id`, quick to choose from, and open to what is not known yet."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateproof_schemas import names, schema
from gateproof_schemas.library import read, registry

BASE = "https://gateproof.invalid/schemas/"
EVENTS = "responses/events/"
MESSAGES_EVENTS = "messages/events/"
FILES = dict(read(Path(__file__).parent.parent / "gateproof_schemas"))
UNNUMBERED = {"error", "response.failed"}


def subschemas(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from subschemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from subschemas(child)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_a_valid_schema_that_says_what_it_is(name: str) -> None:
    Draft202012Validator.check_schema(FILES[name])
    assert FILES[name]["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert FILES[name]["title"]
    assert FILES[name]["description"]


@pytest.mark.parametrize("name", FILES)
def test_the_id_is_the_path_so_that_it_is_unique_and_references_work_on_disk_too(name: str) -> None:
    assert FILES[name]["$id"] == f"{BASE}{name}.json"


@pytest.mark.parametrize("name", FILES)
def test_every_reference_resolves_inside_the_folder(name: str) -> None:
    resolver = registry().resolver(f"{BASE}{name}.json")
    for node in subschemas(FILES[name]):
        if "$ref" in node:
            assert isinstance(resolver.lookup(node["$ref"]).contents, dict)


@pytest.mark.parametrize("name", FILES)
def test_alternatives_are_few(name: str) -> None:
    for node in subschemas(FILES[name]):
        for union in ("oneOf", "anyOf"):
            assert len(node.get(union, [])) <= 3


@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("own/")])
def test_the_wire_may_carry_more_than_is_known(name: str) -> None:
    for node in subschemas(FILES[name]):
        assert not {"unevaluatedProperties", "propertyNames"} & node.keys()
        assert node.get("additionalProperties", True) is True


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(EVENTS)])
def test_an_event_file_is_named_after_its_type_and_numbered(name: str) -> None:
    type_ = name.removeprefix(EVENTS)
    assert FILES[name]["title"] == type_
    assert FILES[name]["properties"]["type"] == {"const": type_}
    assert FILES[name]["properties"]["sequence_number"] == {"type": "integer"}
    assert ("sequence_number" in FILES[name]["required"]) == (type_ not in UNNUMBERED)


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith(MESSAGES_EVENTS)])
def test_a_messages_event_file_is_named_after_its_type(name: str) -> None:
    type_ = name.removeprefix(MESSAGES_EVENTS)
    assert FILES[name]["title"] == type_
    assert FILES[name]["properties"]["type"] == {"const": type_}


def test_names_are_the_files_in_order() -> None:
    assert names() == tuple(sorted(name for name in FILES if not name.rpartition("/")[2].startswith("_")))
    assert {"chat/chunk", "responses/event", "responses/events/response.completed", "models/list"} <= set(names())


def test_a_schema_is_handed_out_as_a_copy() -> None:
    schema("chat/usage")["properties"].clear()
    assert schema("chat/usage")["properties"]


def test_files_are_found_at_any_depth_and_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "own" / "deeper").mkdir(parents=True)
    (tmp_path / "own" / "deeper" / "result.json").write_text('{"$id": "x"}')
    (tmp_path / "own" / "_shared.json").write_text('{"$id": "y"}')
    (tmp_path / "own" / "notes.txt").write_text("not a schema")
    assert dict(read(tmp_path)) == {"own/deeper/result": {"$id": "x"}, "own/_shared": {"$id": "y"}}


@pytest.mark.parametrize(("text", "complaint"), [("{", "not JSON"), ("[]", r"\$id"), ("{}", r"\$id")])
def test_a_broken_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "broken.json").write_text(text)
    with pytest.raises(ValueError, match=f"schema broken: .*{complaint}"):
        dict(read(tmp_path))
