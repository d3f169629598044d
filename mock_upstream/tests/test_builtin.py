"""The built-in scripts: how they are addressed, that they are complete, and that the schema agrees with them."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from functools import cache
from typing import Any

import pytest

from gateproof_mock import builtin
from gateproof_mock.builtin import registry, said
from gateproof_mock.language.field_rules import CUT_HOW, CUT_WHERE
from gateproof_mock.language.scripts import Script, ScriptError, script
from gateproof_mock.language.turns import (
    ELEMENTS,
    Citation,
    Cut,
    Element,
    Hold,
    Image,
    Interleaved,
    Refused,
    Text,
    ToolCall,
    text,
    usage,
)
from gateproof_mock.language.wire import CHOICES, Wire
from gateproof_schemas import schema, validate

NAMES = builtin.names()
SEEDS = (0, 1, 2, 7, 999_999_999)


@cache
def everything() -> tuple[Script, ...]:
    return tuple(builtin.script(name, seed) for name in NAMES for seed in SEEDS)


# --- the word in the prompt -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", None),
        (b"gp-readme-firstone", None),
        (b"gp-play-", None),
        (b"gp-play-Text", None),
        (b"gp-play-text_1", None),
        (b"gp-play-textX", None),
        (b'{"input": "Please play gp-play-text"}', ("text", 0)),
        (b'{"input": "\\ngp-play-text\\n"}', ("text", 0)),
        (b"[gp-play-deltas-1000.42]", ("deltas-1000", 42)),
        (b"Play gp-play-text. Now.", ("text", 0)),
        (b"gp-play-text.7.", ("text", 7)),
        (b"gp-play-text.007", ("text", 7)),
        (b"gp-play-text- now", ("text", 0)),
        (b"gp-play-held.1 and then gp-play-text.2", ("text", 2)),
        (b"gp-play-text.2 and then gp-play-", ("text", 2)),
        (b"gp-play-text.2 and then gp-play-X", ("text", 2)),
        (b"gp-play-text.1000000000", ("text", 1_000_000_000)),
        (b"gp-play-no-such-thing", ("no-such-thing", 0)),
        (b"\xff\xfegp-play-text\xff", ("text", 0)),
    ],
)
def test_the_last_word_in_the_body_counts(body: bytes, found: tuple[str, int] | None) -> None:
    assert builtin.find(body) == found


@pytest.mark.parametrize(
    "body", [b"gp-play-" * 200_000 + b"_", b"gp-play-" + b"a" * 2_000_000 + b"_", b"gp-play-a." * 200_000]
)
def test_a_hostile_body_is_searched_quickly(body: bytes) -> None:
    builtin.find(body)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(
        ScriptError, match="gp-play-delta-1000: there is no such built-in script; did you mean `deltas-1000`"
    ):
        builtin.script("delta-1000", 0)
    with pytest.raises(
        ScriptError, match=f"gp-play-q: there is no such built-in script; there are {len(NAMES)} others"
    ):
        builtin.script("q", 0)
    with pytest.raises(ScriptError, match="there is no such built-in script"):
        builtin.describe("")
    with pytest.raises(ScriptError, match="gp-play-text: expected a seed of 0 to 999999999, got 1000000000"):
        builtin.script("text", 1_000_000_000)


def test_the_same_name_and_seed_is_the_same_object() -> None:
    assert builtin.script("text", 3) is builtin.script("text", 3)
    assert builtin.script("text", 3) != builtin.script("text", 4)


PROGRAM = """
import hashlib, json
from gateproof_mock import builtin
said = [builtin.script(name, seed).to_json() for name in builtin.names() for seed in (0, 5)]
print(hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest())
"""


def test_it_is_the_same_in_every_process() -> None:
    ran = {
        subprocess.run(
            [sys.executable, "-c", PROGRAM],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(ran) == 1


def test_what_a_seed_says_stays() -> None:
    # It may be written down somewhere, in a baseline or a bug report.
    pieces = ("Hello! Cand", "le crystal m", "arsh island", " beacon.")
    assert builtin.script("text", 0) == script(text(*pieces), usage(37, 13))


# --- that each is as it should be -----------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_found_described_and_written(name: str) -> None:
    assert builtin.find(f"gp-play-{name}.12".encode()) == (name, 12)
    line = builtin.describe(name)
    assert line[0].isupper() or line[0] in "0123456789`"
    assert line.endswith(".")
    assert len(line) <= 140
    for seed in SEEDS:
        document = json.loads(json.dumps(builtin.script(name, seed).to_json()))
        assert validate(document, "own/script") == []
        assert Script.from_json(document) == builtin.script(name, seed)


def test_seeds_vary_the_words() -> None:
    fixed = ("refused-", "awkward-", "held-twice", "nothing", "completed", "tool-call-no", "tool-call-empty")
    same = {
        name for name in NAMES if len({json.dumps(builtin.script(name, seed).to_json()) for seed in range(20)}) == 1
    }
    assert {name for name in same if not name.startswith(fixed)} <= ALWAYS_THE_SAME


ALWAYS_THE_SAME = (
    {"custom-tool-call-empty", "failed-empty-call", "image-webp"}
    | {f"{ending}-at-once" for ending in ("failed", "error-event", "incomplete", "cut")}
    | {"failed-instant"}
)


def test_what_the_benches_count() -> None:
    for name, deltas in (
        ("deltas-1000", 1000),
        ("deltas-1000-together", 1000),
        ("deltas-10000", 10_000),
        ("paced-100", 100),
    ):
        for seed in SEEDS:
            (said_text,) = (e for e in builtin.script(name, seed).turn if isinstance(e, Text))
            assert [len(delta) for delta in said_text.deltas] == [6] * deltas
    assert builtin.script("deltas-1000-together", 0).wire == Wire(together=16)
    assert builtin.script("paced-100", 0).wire == Wire(pace=0.02)
    for seed in SEEDS:
        (line,) = (e for e in builtin.script("line-8mib", seed).turn if isinstance(e, Text))
        assert [len(delta) for delta in line.deltas] == [8 * 1024 * 1024]
        held = builtin.script("held", seed).turn
        assert [type(e) for e in held] == [Text, Hold, Text]
        assert held[1] == Hold("held")


def test_images_are_images() -> None:
    for whole in everything():
        for element in whole.turn:
            if isinstance(element, Image):
                assert base64.b64decode(element.data, validate=True)[:4] in (b"\x89PNG", b"RIFF")


def test_a_name_is_given_once() -> None:
    with pytest.raises(ValueError, match="'text' is there already"):
        registry.register("text", said.answer, "Again.")
    with pytest.raises(ValueError, match="'Te xt'"):
        registry.register("Te xt", said.answer, "No prompt could hold it.")


# --- that nothing is forgotten --------------------------------------------------------------------


def elements() -> Iterator[Element]:
    for whole in everything():
        for element in whole.turn:
            yield element
            if isinstance(element, Interleaved):
                yield from element.calls
            if isinstance(element, Text):
                yield from element.citations


def test_every_element_and_every_field_is_used() -> None:
    used = {(type(e), f.name) for e in elements() for f in fields(e) if getattr(e, f.name) != default(f)}
    for cls in (*ELEMENTS.values(), Citation):
        assert any(isinstance(e, cls) for e in elements()), cls
        assert {f.name for f in fields(cls) if f.name != "on"} <= {name for c, name in used if c is cls}, cls


def default(spec: Any) -> Any:
    return spec.default_factory() if spec.default_factory is not MISSING else spec.default


def test_every_cut_is_there() -> None:
    cuts = {(e.how, e.where) for e in elements() if isinstance(e, Cut)}
    assert cuts == {(how, where) for how in CUT_HOW for where in CUT_WHERE} - {("eof", "chunk")}


def test_the_usual_refusals_are_there() -> None:
    refused = [e for e in elements() if isinstance(e, Refused)]
    assert {400, 401, 403, 404, 429, 500, 502, 503, 529} <= {e.status for e in refused}
    assert any(e.status == 429 and "retry-after" in e.headers for e in refused)
    assert any(e.body is None for e in refused)
    assert any(str(e.body).startswith("<html>") for e in refused)


@pytest.mark.parametrize("spec", fields(Wire), ids=lambda spec: spec.name)
def test_every_switch_has_one_named_after_it(spec: Any) -> None:
    name = spec.name.replace("_", "-")
    values = {getattr(s.wire, spec.name) for s in everything()}
    if spec.name in CHOICES:
        for word in CHOICES[spec.name][1:]:
            assert getattr(builtin.script(f"{name}-{word.replace('_', '-')}", 0).wire, spec.name) == word
    else:
        named = [n for n in NAMES if n in (f"no-{name}", name) or n.startswith(f"{name}-")]
        assert any(getattr(builtin.script(n, 0).wire, spec.name) != spec.default for n in named)
        assert len(values) >= 2


# --- the schema and the parser --------------------------------------------------------------------


SCHEMA = schema("own/script")


def resolved(node: dict[str, Any]) -> dict[str, Any]:
    reference = node.get("$ref")
    return SCHEMA["$defs"][reference.removeprefix("#/$defs/")] | node if reference else node


def object_branch(node: dict[str, Any]) -> dict[str, Any]:
    """The form of an element that is an object of its fields."""
    branches = [resolved(branch) for branch in node.get("anyOf", [node])]
    (found,) = [branch for branch in branches if branch.get("additionalProperties") is False]
    return found


def test_the_schema_knows_the_keys_of_the_parser() -> None:
    assert set(SCHEMA["properties"]) == {"say", "wire"}
    assert list(SCHEMA["$defs"]["element"]["properties"]) == list(ELEMENTS)
    assert list(SCHEMA["$defs"]["wire"]["properties"]) == [f.name for f in fields(Wire)]


@pytest.mark.parametrize(
    "cls", [*(c for c in ELEMENTS.values() if c.KEY not in ("event", "item")), Citation], ids=lambda c: c.KEY
)
def test_the_schema_knows_the_fields_and_their_defaults(cls: type[Element]) -> None:
    node = SCHEMA["$defs"]["citation"] if cls is Citation else SCHEMA["$defs"]["element"]["properties"][cls.KEY]
    properties = object_branch(node)["properties"]
    assert list(properties) == [f.name for f in fields(cls)]
    for spec in fields(cls):
        given = resolved(properties[spec.name]).get("default", "not said")
        if given != "not said":
            plain = list(default(spec)) if isinstance(default(spec), tuple) else default(spec)
            assert given == plain, spec.name


@pytest.mark.parametrize("spec", fields(Wire), ids=lambda spec: spec.name)
def test_the_schema_knows_the_switches(spec: Any) -> None:
    node = SCHEMA["$defs"]["wire"]["properties"][spec.name]
    assert node["description"]
    assert node["default"] == (list(spec.default) if isinstance(spec.default, tuple) else spec.default)
    assert node.get("enum", []) == list(CHOICES.get(spec.name, ()))


def test_every_key_is_described() -> None:
    for name, node in SCHEMA["$defs"]["element"]["properties"].items():
        assert node["description"].endswith("."), name


RIGHT: list[dict[str, Any]] = [
    {},
    {"say": [], "wire": {}},
    {"say": [{"text": "a"}, {"text": ["a"]}, {"text": {"pieces": "a", "citations": ["u", {"url": "u"}]}}]},
    {"say": [{"interleaved": ["f", {"name": "g", "arguments": "{}"}]}, {"tool_call": {"name": "f"}}]},
    {
        "say": [
            {"event": {"data": "word"}},
            {"event": {"type": "x", "data": {"type": 3}}},
            {"event": {"data": {"a": 1}}},
        ]
    },
    {"say": [{"item": {"type": "a"}}, {"item": {"data": {"type": "a"}}}]},
    {"say": [{"usage": {}}, {"comment": {}}, {"completed": {}}]},
    {"say": [{"pause": 1}, {"pause": {"seconds": 0.5}}, {"cut": {}}]},
    {"say": [{"refused": {"status": 400, "body": [1], "headers": {"a": "b"}, "gzip": True}}]},
    {"say": [{"failed": {"status": 400}}], "wire": {"split_at": [1, 2], "pace": 1, "terminal": "a.b"}},
]

WRONG: list[Any] = [
    {"says": []},
    {"say": {}},
    {"say": ["text"]},
    {"say": [{}]},
    {"say": [{"text": "a", "hold": "b"}]},
    {"wire": []},
    {"wire": {"no_dne": True}},
    *[
        {"say": [{key: value}]}
        for key, values in {
            "txt": ["a"],
            "text": [
                *(3, [3], {"piece": "a"}, {"times": 0}, {"stretch": 0}, {"logprobs": 1}),
                *({"citations": "u"}, {"citations": [{}]}),
            ],
            "reasoning": [3, {"full": 3}, {"encrypted": None}],
            "refusal": [None],
            "next_message": [False, 1],
            "next_part": [False, {"on": False}],
            "tool_call": ["", {}, {"nam": "f"}, {"name": "f", "arguments": {}}],
            "custom_tool_call": ["", {}, {"name": "f", "arguments": "a"}],
            "interleaved": [[], "f", ["f", ""], {"calls": []}, {"reverse": True}],
            "web_search": [3],
            "image": [{}, 3, {"data": "a", "type": "b"}],
            "item": [{}, {"a": 1}, {"data": {"a": 1}}, "a"],
            "usage": [-1, True, {"input": -1}, {"inputs": 1}, {"extra": []}],
            "hold": ["", "a/b", "..", "a" * 101, {}],
            "pause": [-1, 601, "1", True, {}],
            "comment": ["a\nb", 3, {"text": "a\r"}],
            "ping": [False, "a"],
            "event": [{}, [], {"type": "a\nb"}, {"type": 3}, {"data": {"type": 3}}, {"data": {}}],
            "raw": ["", 3, {}],
            "completed": [False, {"reasons": ""}, {"reason": 3}],
            "incomplete": ["", {"reason": ""}],
            "failed": [3, {"status": 200}, {"mesage": ""}],
            "error_event": [{"nested": 1}, {"then_failed": "a"}],
            "cancelled": [False],
            "unfinished": ["in-progress", {"status": "done"}],
            "cut": ["reset", {"where": "middle"}, {"where": "chunk"}, {"how": "eof", "where": "chunk"}],
            "refused": [99, "429", {"headers": {"a b": "c"}}, {"headers": {"a": "b\r\nc"}}, {"headers": {"a": 1}}, {"gzip": 1}],
        }.items()
        for value in values
    ],
    *[
        {"wire": {key: value}}
        for key, values in {
            **{name: ["no such word", 3] for name in CHOICES},
            "preamble": [1, None],
            "terminal": ["a\n\nb", None],
            "split_at": [3, [0], ["a"], [1] * 1001],
            "split_every": [-1, 1.5],
            "together": [-1],
            "data_lines": [0],
            "retry": [-1, True],
            "pace": [-1, 601, "1"],
            "head_delay": [-0.5, True],
            "comments": ["a\nb"],
            "opening_comment": ["a\rb", 3],
        }.items()
        for value in values
    ],
]  # fmt: skip

# Right to the schema and wrong to the parser, which looks at more than one place at a time, or more closely.
ONLY_THE_PARSER: dict[str, Any] = {
    "one usage": {"say": [{"usage": 1}, {"usage": 2}]},
    "one ending": {"say": [{"completed": True}, {"failed": {}}]},
    "what may follow an ending": {"say": [{"completed": True}, {"text": "a"}]},
    "nothing follows a cut": {"say": [{"cut": "fin"}, {"ping": True}]},
    "nothing follows a refusal": {"say": [{"refused": 400}, {"ping": True}]},
    "a cut inside a character needs one": {"say": [{"text": "a"}, {"cut": {"where": "utf8"}}]},
    "and no wire.ascii": {"say": [{"text": "é"}, {"cut": {"where": "utf8"}}], "wire": {"ascii": True}},
    "the framing headers are the mock's": {"say": [{"refused": {"headers": {"Content-Length": "3"}}}]},
    "how much is said": {"say": [{"text": {"pieces": "aa", "stretch": 64 * 1024 * 1024}}]},
    "how many deltas": {"say": [{"text": {"pieces": ["", ""], "times": 200_000}}]},
    "how many writes": {"say": [{"text": {"pieces": "a", "stretch": 1024 * 1024}}], "wire": {"split_every": 1}},
    "half a surrogate pair": {"say": [{"comment": "\ud800"}]},
    "a whole number is written as one": {"say": [{"usage": 3.0}]},
}


@pytest.mark.parametrize("data", RIGHT, ids=str)
def test_what_both_take(data: dict[str, Any]) -> None:
    assert validate(data, "own/script") == []
    # A turn has one ending, and what stands here is several turns.
    for element in data.get("say", []):
        assert Script.from_json({"say": [element]}).turn
    assert Script.from_json({"wire": data.get("wire", {})})


@pytest.mark.parametrize("data", WRONG, ids=lambda data: str(data)[:80])
def test_what_both_refuse(data: Any) -> None:
    assert validate(data, "own/script") != []
    with pytest.raises(ScriptError):
        Script.from_json(data)


@pytest.mark.parametrize("data", ONLY_THE_PARSER.values(), ids=ONLY_THE_PARSER)
def test_what_only_the_parser_refuses(data: Any) -> None:
    assert validate(data, "own/script") == []
    with pytest.raises(ScriptError):
        Script.from_json(data)


def test_a_call_of_a_function_is_one_thing_everywhere() -> None:
    assert list(SCHEMA["$defs"]["tool_call"]["properties"]) == [f.name for f in fields(ToolCall)]
