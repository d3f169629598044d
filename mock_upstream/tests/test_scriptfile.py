"""Files of scripts: what they may say, and where a wrong one is said to be wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateproof_mock.language import yamltext
from gateproof_mock.language.files import Registration, load, registration_from_json
from gateproof_mock.language.matching import When
from gateproof_mock.language.scripts import Script, ScriptError, script
from gateproof_mock.language.turns import completed, event, failed, text
from gateproof_mock.language.wire import Wire
from gateproof_schemas import validate

MARK = "gp-readme-firstone"

FILE = f"""\
# Two kinds of names.
{MARK}:
  - say:
      - text: [Hel, lo]
      - failed: {{code: server_error, message: "The model fell over."}}
  - &second
    say: [text: again]
    wire: {{line_end: crlf, pace: 1}}
any.name:1-2_x:
  when: {{model: "gpt-*", stream: yes_not_a_bool, dialect: chat}}
  calls:
    - *second
"""


@pytest.fixture(params=["SafeLoader", "CSafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """YAML is read by PyYAML alone and by libyaml, whichever a machine has."""
    if not hasattr(yaml, request.param):
        pytest.skip("there is no libyaml")
    monkeypatch.setattr(yamltext, "_LOADER", getattr(yaml, request.param))


def written(folder: Path, content: str | bytes, name: str = "scripts.yaml") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def refusal(folder: Path, content: str | bytes, name: str = "scripts.yaml") -> str:
    path = written(folder, content, name)
    with pytest.raises(ScriptError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    return message.removeprefix(str(path))


@pytest.mark.usefixtures("loader")
def test_a_yaml_file(tmp_path: Path) -> None:
    first, second = load(written(tmp_path, FILE.replace("yes_not_a_bool", "true")))
    again = script(text("again"), wire=Wire(line_end="crlf", pace=1))
    assert first == Registration(MARK, (script(text("Hel", "lo"), failed()), again))
    assert second == Registration("any.name:1-2_x", (again,), When(model="gpt-*", stream=True, dialect="chat"))


def test_the_same_in_json(tmp_path: Path) -> None:
    document = {MARK: [{"say": [{"text": "a"}]}], "rule": {"when": {}, "calls": [{"say": []}]}}
    found = load(written(tmp_path, "\ufeff" + json.dumps(document), "scripts.json"))
    assert found == [Registration(MARK, (script(text("a")),)), Registration("rule", (script(),), When())]
    assert load(str(written(tmp_path, json.dumps(document), "scripts.yml"))) == found
    assert load(written(tmp_path, "{}", "none.json")) == []


def turn(folder: Path, elements: str) -> Script:
    (found,) = load(written(folder, f"{MARK}:\n- say:\n{elements}\n"))
    return found.calls[0]


@pytest.mark.usefixtures("loader")
def test_the_words_of_yaml_1_2(tmp_path: Path) -> None:
    words = turn(tmp_path, "  - text: [yes, no, on, off, y, 2001-01-01, '3', \"null\", 1_000, 1:30, <<, =, .inf]")
    assert words == script(
        text("yes", "no", "on", "off", "y", "2001-01-01", "3", "null", "1_000", "1:30", "<<", "=", ".inf")
    )
    numbers = "010, 0o10, 0x10, -3, +4, 1.5, .5, 1e3, 2., ~, null, true, FALSE, !!str 5, !!int 6, ! 7, !!float 8.5"
    data = turn(tmp_path, f"  - event: {{a: [{numbers}]}}")
    assert data == script(event(a=[10, 8, 16, -3, 4, 1.5, 0.5, 1000.0, 2.0, None, None, True, False, "5", 6, "7", 8.5]))
    assert turn(tmp_path, "  - completed: {on: true}") == script(completed())
    assert turn(tmp_path, "  - event: {true: 1, 5: 2, ~: 3}") == script(event(**{"true": 1, "5": 2, "~": 3}))
    assert turn(tmp_path, "  - text: |\n      a\n      b\n") == script(text("a\nb\n"))


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a: [\n", ":2: "),
        ("a: b: c\n", ":1: mapping values are not allowed"),
        ("a: 1\n---\nb: 2\n", ":2: expected one document, and here a second begins"),
        ("a:\n  - 1\nb: 2\na: 3\n", ":4: the key `a` is there twice"),
        ("a: *b\n", ":1: *b refers to nothing before it"),
        ("a: &b\n- *b\n", ":2: *b refers to itself"),
        ("a: !!python/object:os.system x\n", ":1: the tag tag:yaml.org,2002:python/object:os.system is not known here"),
        ("a: !mine {}\n", ":1: the tag !mine is not known here"),
        ("a: !!int x\n", ":1: the tag tag:yaml.org,2002:int is not known here, or not for this"),
        ("? [a]\n: b\n", ":1: expected a word as a key"),
        ("a: &a b\n? *a\n: b\n", ":2: expected a word as a key"),
        ("a: b\nc: \x01\n", ":2: a control character"),
        ("a: " + "9" * 5000 + "\n", ":1: a number of too many digits"),
        ("x:\n  " + "[" * 200 + "]" * 200, ":2: expected 128 levels at most"),
        ("\n", ":1: expected NAME: [script, ...]"),
        ("- a\n", ":1: expected NAME: [script, ...]"),
    ],
)
def test_wrong_yaml(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(tmp_path, content).startswith(message)


@pytest.mark.usefixtures("loader")
def test_a_file_that_grows_when_it_is_read_is_refused(tmp_path: Path) -> None:
    laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    laughs += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    assert "expected 1000000 values at most, with what aliases repeat" in refusal(tmp_path, laughs)
    deep = "a0: &a0 []\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 200))
    assert refusal(tmp_path, deep).endswith("expected 128 levels at most")


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{MARK}:\n- say:\n  - txt: a\n", f":3: {MARK}[0].say[0]: unknown key `txt`; did you mean `text`?"),
        (f"{MARK}:\n- say: []\n- says: []\n", f":3: {MARK}[1]: unknown key `says`; did you mean `say`?"),
        (
            f"{MARK}:\n- say:\n  - tool_call:\n      name: f\n\n      id: 3\n",
            f":6: {MARK}[0].say[0].tool_call.id: expected a string, got 3",
        ),
        (
            f"{MARK}:\n- wire:\n    pace: 1\n    line_end: crfl\n",
            f":4: {MARK}[0].wire.line_end: expected one of lf, crlf",
        ),
        (f"{MARK}:\n- say:\n  - completed: true\n  - text: a\n", f":4: {MARK}[0].say[1]: after an ending come only"),
        (
            f"{MARK}:\n- say:\n  - hold:\n      nam: a\n",
            f":4: {MARK}[0].say[0].hold: unknown key `nam`; did you mean `name`",
        ),
        (
            "a.b:\n  when:\n    modle: x\n  calls: [say: []]\n",
            ":3: a.b.when: unknown key `modle`; did you mean `model`?",
        ),
        (
            "a:\n  calls: [say: []]\n",
            ":1: a: 'a' is no marker (gp-xxxxxx-xxxxxxxx, where x is a to z or 2 to 7), so it needs",
        ),
        ("a:\n  when: {}\n", ":1: a: `calls` is missing"),
        ("a:\n  when: {}\n  calls: []\n", ":3: a.calls: expected a list of at least one script"),
        ("a: 3\n", ":1: a: expected [script, ...] or an object with `calls`, got 3"),
        ("a b: []\n", ":1: a b: expected a name: 1 to 100 of A-Z"),
        ("a.b:\n  calls: []\na:\n  b: 1\n", ":2: a.b.calls: expected a list"),
    ],
)
def test_a_wrong_script_is_said_with_its_line(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(tmp_path, content).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a":\n tru}', ":2: not JSON: Expecting value"),
        ("[]", ": expected NAME: [script, ...]"),
        (f'{{"{MARK}": [{{"say": [{{"txt": 1}}]}}]}}', f": {MARK}[0].say[0]: unknown key `txt`; did you mean `text`?"),
        ('{"a": 1, "a": 2}', ": the key `a` is there twice"),
        ('{"a": NaN}', ": NaN is not JSON"),
        ('{"a": "\\ud800"}', ": half a surrogate pair"),
        ("[" * 200 + "]" * 200, ": expected 128 levels at most"),
        ("[" * 100_000, ": expected 128 levels at most"),
        ("9" * 5000, ": a number of too many digits"),
    ],
)
def test_wrong_json(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(tmp_path, content, "scripts.json").startswith(message)


@pytest.mark.parametrize("name", ["scripts.yaml", "scripts.json"])
@pytest.mark.parametrize("bad", [b"\xff", b"\xed\xa0\x80"], ids=["no UTF-8", "a surrogate"])
def test_a_file_that_is_not_utf_8(tmp_path: Path, name: str, bad: bytes) -> None:
    assert refusal(tmp_path, b'{"a":\n"' + bad + b'"}', name) == f":2: not UTF-8: byte 0x{bad[0]:02x}"


@pytest.mark.usefixtures("loader")
def test_half_a_pair_in_yaml(tmp_path: Path) -> None:
    assert refusal(tmp_path, '\na: "\\ud800"\n').startswith(":2: ")


def test_a_file_that_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"none\.yaml: cannot be read: No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ScriptError, match="cannot be read: Is a directory"):
        load(tmp_path)
    assert refusal(tmp_path, b" " * (16 * 1024 * 1024 + 1)) == ": larger than 16 MiB"


def test_the_body_of_a_control_request() -> None:
    calls = [{"say": [{"text": "a"}]}]
    assert registration_from_json(MARK, {"calls": calls}) == Registration(MARK, (script(text("a")),))
    found = registration_from_json("rule", {"calls": calls, "when": {"model": "m"}})
    assert found == Registration("rule", (script(text("a")),), When(model="m"))


WRONG_BODIES: list[tuple[str, Any, str]] = [
    (MARK, {"calls": [{"say": [{"txt": "a"}]}]}, "calls[0].say[0]: unknown key `txt`; did you mean `text`?"),
    (MARK, {"call": []}, "unknown key `call`; did you mean `calls`?"),
    (MARK, {}, "`calls` is missing: a list of at least one script"),
    (MARK, {"calls": [{}], "when": {"modle": 1}}, "when: unknown key `modle`; did you mean `model`?"),
    (MARK, 3, "expected [script, ...] or an object with `calls`, got 3"),
    (MARK, [], "calls: expected a list of at least one script, got []"),
    (
        "rule",
        {"calls": [{}]},
        "'rule' is no marker (gp-xxxxxx-xxxxxxxx, where x is a to z or 2 to 7), so it needs a `when`",
    ),
    ("", {"calls": [{}], "when": {}}, "expected a name: 1 to 100 of A-Z a-z 0-9 _ . : -, got ''"),
    ("a" * 101, {"calls": [{}], "when": {}}, "expected a name"),
]


@pytest.mark.parametrize(("name", "data", "message"), WRONG_BODIES, ids=[m for _, _, m in WRONG_BODIES])
def test_wrong_bodies(name: str, data: Any, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        registration_from_json(name, data)
    assert str(caught.value).startswith(message)


AGREED: list[tuple[Any, bool]] = [
    ({}, True),
    ({MARK: [{}]}, True),
    ({MARK: {"calls": [{}]}}, True),
    ({MARK: {"calls": [{}], "when": {"stream": False, "headers": {"A": "b"}, "body": {"n": 1}, "key": "k"}}}, True),
    ({"rule": {"calls": [{}], "when": {"dialect": "messages", "path": "*", "method": "GET", "model": "m"}}}, True),
    ({"rule": {"calls": [{}]}}, False),
    ({"rule": [{}]}, False),
    ({MARK: []}, False),
    ({MARK: {}}, False),
    ({MARK: {"calls": [{}], "whom": {}}}, False),
    ({"a b": {"calls": [{}], "when": {}}}, False),
    ({MARK: [{"says": []}]}, False),
    *[({MARK: {"calls": [{}], "when": when}}, False) for when in ([], {"modle": "a"}, {"dialect": "x"}, {"model": ""})],
    *[({MARK: {"calls": [{}], "when": when}}, False) for when in ({"stream": 1}, {"headers": {"a": 1}}, {"body": []})],
]


@pytest.mark.parametrize(("document", "right"), AGREED, ids=[str(d) for d, _ in AGREED])
def test_the_schema_agrees(tmp_path: Path, document: Any, right: bool) -> None:
    assert (validate(document, "own/script-file") == []) == right
    path = written(tmp_path, json.dumps(document), "scripts.json")
    if right:
        assert len(load(path)) == len(document)
    else:
        with pytest.raises(ScriptError):
            load(path)
