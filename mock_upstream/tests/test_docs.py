"""The README's tables say what the code says: names, fields, defaults, routes, keys, limits; whatever is missing is named."""

import argparse
import ast
import inspect
import itertools
import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gateproof_mock import MockView, When, Wire, control
from gateproof_mock.cli import ENGINES, parser
from gateproof_mock.dialects import routes
from gateproof_mock.dialects.frames import Frame
from gateproof_mock.dialects.sse import stream
from gateproof_mock.dialects.steps import Break, Head, Rest, Write
from gateproof_mock.jsontext import DEPTH_LIMIT
from gateproof_mock.language import matching, wire
from gateproof_mock.language.field_rules import DELTA_LIMIT, NEEDED, SAID_LIMIT, SECONDS_LIMIT, default_of
from gateproof_mock.language.turns import AFTER, ELEMENTS, Citation, Cut, Element, Ending, Refused
from gateproof_mock.serving import journal, stage
from gateproof_mock.serving.limits import BARRIER_CEILING, BODY_LIMIT
from gateproof_schemas import schema

FOLDER = Path(__file__).parent.parent
README = (FOLDER / "README.md").read_text("utf-8")
PROVIDERS = re.findall(
    r"\S+",
    "aimock Azure Bedrock CLIProxyAPI Cloudflare Codex DashScope DeepSeek Gemini Groq IIS .NET Ollama OpenRouter Spring"
    " nginx openai-python httpx sub2api vLLM",
)


def section(title: str) -> str:
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#+ |\Z)", README, re.MULTILINE | re.DOTALL)
    assert found, f"the README has no section {title!r}"
    return found[1]


def tables(title: str) -> list[dict[str, list[str]]]:
    """The tables of a section: of each its rows, by the words in backticks of their first cell."""
    found = []
    for text in re.findall(r"(?:^\|.*\n)+", section(title), re.MULTILINE):
        rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines()[2:]]
        found.append({name: row[1:] for row in rows for name in re.findall(r"`([^`]+)`", row[0])})
    return found


def assert_same(said: Any, real: Any, what: str) -> None:
    missing, extra = sorted(set(real) - set(said)), sorted(set(said) - set(real))
    assert not missing, f"the README's {what} lack {', '.join(missing)}"
    assert not extra, f"the README's {what} name what is not there: {', '.join(extra)}"


# --- the script language --------------------------------------------------------------------------


def element_rows() -> dict[str, list[str]]:
    return {name: row for table in tables("The script language") for name, row in table.items()}


def fields_of(cls: type[Element]) -> str:
    """The fields of an element as their cell has them."""
    shown = []
    for number, spec in enumerate(fields(cls)):
        default = default_of(spec)
        if spec.name == "on":
            continue
        name = f"**{spec.name}**" if not number and cls in NEEDED else spec.name
        shown.append(f"{name}={json.dumps(default)}" if default else name)
    return ", ".join(shown)


def test_the_tables_name_every_element() -> None:
    said, done, endings = ([*table] for table in tables("The script language"))
    assert_same(endings, [key for key, cls in ELEMENTS.items() if issubclass(cls, Ending)], "endings")
    assert_same(done, [cls.KEY for cls in AFTER], "things done on the wire")
    assert_same(said, [key for key in (*ELEMENTS, "citation") if key not in endings + done], "things said")


@pytest.mark.parametrize("cls", [*ELEMENTS.values(), Citation], ids=lambda cls: cls.KEY)
def test_the_tables_have_the_fields_and_defaults_of(cls: type[Element]) -> None:
    assert element_rows()[cls.KEY][0] == fields_of(cls), f"the row of `{cls.KEY}` is not what the dataclass has"


def test_what_may_follow_an_ending_is_said_by_its_count() -> None:
    words = section("The script language")
    assert len(AFTER) == 6
    assert f"These six may also follow an ending, except `{Cut.KEY}` and `{Refused.KEY}`." in words


# --- the wire -------------------------------------------------------------------------------------


def wire_rows() -> dict[str, list[str]]:
    (rows,) = tables("The wire")
    return rows


def wire_docs() -> dict[str, str]:
    """The docstring below each field."""
    body = next(n for n in ast.parse(inspect.getsource(wire)).body if isinstance(n, ast.ClassDef)).body
    docs = {}
    for statement, after in itertools.pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
        ):
            assert isinstance(statement.target, ast.Name)
            docs[statement.target.id] = " ".join(str(after.value.value).split())
    return docs


def test_the_table_names_every_switch() -> None:
    assert_same(wire_rows(), [spec.name for spec in fields(Wire)], "wire switches")


@pytest.mark.parametrize("spec", fields(Wire), ids=lambda spec: spec.name)
def test_the_table_has_the_values_and_the_docstring_s_sources_of(spec: Any) -> None:
    values, lawful, about = wire_rows()[spec.name]
    default = list(spec.default) if isinstance(spec.default, tuple) else spec.default
    choices = wire.CHOICES.get(spec.name)
    assert values == ", ".join(f"`{word}`" for word in choices or (json.dumps(default),))
    if choices:
        assert spec.default == choices[0]
    allowed = wire.LAWFUL_VALUES.get(spec.name, ())
    assert lawful == (", ".join(f"`{v}`" for v in allowed) or "no" if spec.name in wire.UNLAWFUL else "yes")
    doc = wire_docs()[spec.name]
    issues = re.findall(r"[\w./-]+#\d+", doc)
    missing = [name for name in (*issues, *PROVIDERS) if name in doc and name not in about]
    assert not missing, f"the row of `{spec.name}` does not name {', '.join(missing)}"


EVENTS = 3


def written(**switches: Any) -> list[Any]:
    """The steps of a stream of three events, after its head."""
    cues = [Frame({"wide": f"é{number}", "n": [number]}) for number in range(EVENTS)]
    return [step.data if isinstance(step, Write) else step for step in stream(cues, Wire(**switches))][1:]


@pytest.mark.parametrize(
    ("switches", "writes"),
    [
        ({"line_end": "crlf"}, [b'data: {"wide":"\xc3\xa90","n":[0]}\r\n\r\n']),
        ({"line_end": "cr"}, [b'data: {"wide":"\xc3\xa90","n":[0]}\r\r']),
        ({"no_space": True}, [b'data:{"wide":"\xc3\xa90","n":[0]}\n\n']),
        ({"data_lines": 2}, [b'data: {"wide":"\xc3\xa90",\ndata: "n":[0]}\n\n']),
        ({"ascii": True}, [b'data: {"wide":"\\u00e90","n":[0]}\n\n']),
        ({"bom": True}, [b'\xef\xbb\xbfdata: {"wide":"\xc3\xa90","n":[0]}\n\n']),
        ({"event_ids": True}, [b'id: 0\ndata: {"wide":"\xc3\xa90","n":[0]}\n\n']),
        ({"retry": 3000}, [b"retry: 3000\n\n", b'data: {"wide":"\xc3\xa90","n":[0]}\n\n']),
        ({"opening_comment": "a"}, [b": a\n\n", b'data: {"wide":"\xc3\xa90","n":[0]}\n\n']),
        (
            {"comments": "a"},
            [b'data: {"wide":"\xc3\xa90","n":[0]}\n\n', b": a\n\n", b'data: {"wide":"\xc3\xa91","n":[1]}\n\n'],
        ),
        ({"split_every": 16}, [b'data: {"wide":"\xc3', b'\xa90","n":[0]}\n\n', b'data: {"wide":"\xc3']),
        (
            {"split_at": (1,)},
            [b"d", b'ata: {"wide":"\xc3\xa90","n":[0]}\n\n', b'data: {"wide":"\xc3\xa91","n":[1]}\n\n'],
        ),
        (
            {"together": 2},
            [
                b'data: {"wide":"\xc3\xa90","n":[0]}\n\ndata: {"wide":"\xc3\xa91","n":[1]}\n\n',
                b'data: {"wide":"\xc3\xa92","n":[2]}\n\n',
            ],
        ),
        (
            {"pace": 0.5},
            [b'data: {"wide":"\xc3\xa90","n":[0]}\n\n', Rest(0.5), b'data: {"wide":"\xc3\xa91","n":[1]}\n\n'],
        ),
    ],
    ids=lambda given: next(iter(given)) if isinstance(given, dict) else "",
)
def test_the_bytes_are_as_the_table_says(switches: dict[str, Any], writes: list[Any]) -> None:
    assert written(**switches)[: len(writes)] == writes


def test_what_stands_before_and_after_the_bytes() -> None:
    assert written(keep_open=True)[-1] == Break("open")
    first, second, *_ = stream([Frame({})], Wire(head_delay=0.5))
    assert (first, type(second)) == (Rest(0.5), Head)
    assert len(written(together=0)) == 1


# --- finding a script, and where it is called -----------------------------------------------------


def test_the_keys_of_when() -> None:
    (rows,) = tables("How a call finds its script")
    assert_same(rows, [spec.name for spec in fields(When)], "keys of `when`")
    assert all(f"`{dialect}`" in rows["dialect"][0] for dialect in matching.DIALECTS)


def prefixes(cell: str) -> set[str]:
    return {*re.findall(r"`(/[^`]*)`", cell.split(";")[0]), *([""] if "no prefix" in cell else [])}


def test_the_routes() -> None:
    lines = [line for line in section("Routes").splitlines() if line.startswith("|")][2:]
    cells = {name.strip(): (paths, under) for _, name, paths, under, _ in (line.split("|") for line in lines)}
    openai = prefixes(cells["Chat Completions"][1])
    anthropic = prefixes(cells["Messages"][1])
    assert "the same four" in cells["Responses"][1]
    under = {
        "Chat Completions": openai,
        "Responses": openai | prefixes(cells["Responses"][1]),
        "Messages": anthropic,
        "models": openai | anthropic,
    }
    said = {
        prefix + path
        for name, (paths, _) in cells.items()
        for path in re.findall(r"`([^`]+)`", paths)
        for prefix in under[name]
    }
    assert_same({path for path in said if "NAME" not in path}, routes._FIXED, "routes")
    for path in (*said, "/openai/deployments/NAME/chat/completions"):
        assert routes.route(path), path
    assert "`/openai/deployments/NAME/chat/completions`" in cells["Chat Completions"][1]


# --- the control API, the journal -----------------------------------------------------------------


def test_the_control_routes() -> None:
    (rows,) = tables("The control API")
    said = {re.sub(r"\?.*", "", name) for name in rows}
    real = {
        f"{method} {path}"
        for method, path in re.findall(rf"^ +([A-Z]+) +{control.PREFIX}([^\s?]+)", control.__doc__ or "", re.MULTILINE)
    }
    assert_same(said, real, "control routes")


def test_the_query_of_the_journal() -> None:
    (rows,) = tables("The control API")
    said = {key for name in rows for key in re.findall(r"[?&](\w+)=", name) if name.startswith("GET journal")}
    known = re.search(r"def _entries.*?query\.knows\((.*?)\)", inspect.getsource(control), re.DOTALL)
    assert known
    assert_same(said | {"marker"}, re.findall(r'"(\w+)"', known[1]), "keys of the journal's query")
    assert "`marker`" in " ".join(cell for row in rows.values() for cell in row)


def test_the_fields_of_an_entry() -> None:
    entries, ended = tables("A journal entry")
    properties = schema("own/control/entry")["properties"]
    assert_same(entries, properties, "fields of an entry")
    assert_same(ended, properties["ended"]["enum"], "values of `ended`")


def test_every_way_to_end_is_somewhere_in_the_code() -> None:
    source = "".join(file.read_text("utf-8") for file in (FOLDER / "gateproof_mock").rglob("*.py"))
    words = schema("own/control/entry")["properties"]["ended"]["enum"]
    assert [word for word in words if f'"{word}"' not in source] == []


# --- Python, the command line ---------------------------------------------------------------------


def test_what_the_view_has() -> None:
    rows = next(table for table in tables("Two minutes in pytest") if "says(*elements, wire=, when=)" in table)
    said = {re.sub(r"\(.*", "", name) for name in rows} | {"marker"}
    real = {name for name in vars(MockView) if not name.startswith("_")} | {"marker"}
    assert_same(said, real, "members of the fixture")


def test_the_options() -> None:
    (rows,) = tables("Two minutes in a shell")
    actions = [a for a in parser(replay=True)._actions if a.help != argparse.SUPPRESS and a.dest != "help"]
    assert_same({name.split()[0].split("[")[0] for name in rows}, [a.option_strings[0] for a in actions], "options")
    assert all(f"--engine {engine}" in rows for engine in ENGINES)
    assert set(tables("Engines")[0]) >= set(ENGINES)


# --- limits ---------------------------------------------------------------------------------------

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("request body", f"{BODY_LIMIT // MIB} MiB, and as much unpacked"),
        ("request body", f"control requests and script files {control.BODY_LIMIT // MIB} MiB"),
        ("JSON", f"{DEPTH_LIMIT} levels"),
        ("a script", f"{SAID_LIMIT // MIB} MiB and {DELTA_LIMIT:,} deltas; pauses of {SECONDS_LIMIT} s"),
        ("scripts", f"{stage.SCRIPT_LIMIT:,} markers"),
        ("scripts", f"{stage.RULE_LIMIT} with a `when`"),
        ("journal", f"{journal.ENTRY_LIMIT:,} calls and about {journal.MEMORY_LIMIT // MIB} MiB"),
        ("control waits", f"{control.WAIT_LIMIT:g} s"),
        ("control waits", f"barriers and clients that do not read {BARRIER_CEILING:g} s"),
    ],
)
def test_the_limits(row: str, words: str) -> None:
    (line,) = re.findall(rf"^\| {row} \|(.*)\|$", section("Limits"), re.MULTILINE)
    assert words in line


def test_other_numbers() -> None:
    assert f"first {journal.LEG_LIMIT // 1024} KiB" in section("A journal entry")
    assert "30 s" in element_rows()["hold"][1]


# --- where it points ------------------------------------------------------------------------------


def test_the_tests_that_it_names_are_there() -> None:
    for line in section("Where it is shown").splitlines():
        file = ""
        for name in re.findall(r"`((?:test_\w+\.py)?(?:::)?(?:test_\w+)?)`", line):
            named, _, test = (
                name.rpartition("::") if "::" in name else (name, "", "") if ".py" in name else ("", "", name)
            )
            file = named or file
            source = (FOLDER / "tests" / file).read_text("utf-8")
            assert f"def {test}" in source, f"{file} has no test {test}"


def test_its_links_lead_somewhere() -> None:
    headings = {
        re.sub(r"[^a-z0-9 -]", "", h.lower()).replace(" ", "-") for h in re.findall(r"^#+ (.*)$", README, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", README):
        if target.startswith("#"):
            assert target[1:] in headings, target
        else:
            assert (FOLDER / target).exists(), target


def test_its_lines_are_130_wide_but_for_tables() -> None:
    assert [line for line in README.splitlines() if len(line) > 130 and not line.startswith("|")] == []
