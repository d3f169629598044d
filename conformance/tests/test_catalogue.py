"""The catalogue and what stands behind it: no requirement without a test, no test without a requirement."""

from __future__ import annotations

import ast
import inspect
import tomllib
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

from gateproof import catalogue as catalogue_module
from gateproof.catalogue import CatalogueError, Requirement, catalogue
from gateproof.files.claims import READ_BY, Claim, claims_of
from gateproof.pairs import MODES, SURFACES
from gateproof.registry import alone, cases, invariants
from gateproof_schemas import schema, validate

REQUIREMENTS = list(catalogue().values())
FOLDER = resources.files("gateproof") / "requirements"
FILES = sorted((f for f in FOLDER.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
HANDS = {"ask", "upstream", "check", "claims"}


def test_each_requirement_has_one_case_or_is_one_invariant() -> None:
    assert {r.id for r in REQUIREMENTS if not r.invariant and not r.untestable} == set(cases())
    assert {r.id for r in REQUIREMENTS if r.invariant} == set(invariants())


def test_every_table_of_every_file_fits_the_schema_and_is_in_the_catalogue() -> None:
    found = []
    for file in FILES:
        for name, table in tomllib.loads(file.read_text("utf-8")).items():
            assert validate(table, "own/requirement") == [], f"{file.name}: {name}"
            found.append(f"{file.name.removesuffix('.toml')}.{name}")
    assert found == list(catalogue())


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.id)
def test_a_requirement_refers_to_what_there_is(requirement: Requirement) -> None:
    claims = schema("own/gateway")["properties"]["claims"]["properties"]
    assert set(requirement.needs) <= set(claims)
    assert requirement.pairs
    assert requirement.modes
    assert set(requirement.modes) <= set(MODES)
    assert requirement.beside in ("", *SURFACES)
    places = [str(pair) for pair in requirement.pairs]
    places += [f"{pair}.{mode}" for pair in places for mode in requirement.modes]
    for glob, level in requirement.levels.items():
        assert any(fnmatchcase(place, glob) for place in places), f"{glob} matches none of {places}"
        assert level != requirement.level
    if requirement.beside:
        assert all(pair.surface != requirement.beside for pair in requirement.pairs) or len(requirement.pairs) > 1


@pytest.mark.parametrize("requirement", REQUIREMENTS, ids=lambda r: r.id)
def test_a_requirement_is_one_whole_sentence_with_source_and_harm(requirement: Requirement) -> None:
    for words in (requirement.text, requirement.harm):
        assert words.endswith(".")
        assert words == words.strip()
    assert all(source.strip() for source in requirement.source)
    assert requirement.area == requirement.id.split(".")[0]


def test_no_two_requirements_say_the_same() -> None:
    assert [text for text, count in Counter(r.text for r in REQUIREMENTS).items() if count > 1] == []


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({}, "expected the key"),
        ({"level": "MAY"}, "$.level"),
        ({"pairs": ["chat.gemini"]}, "'chat.gemini' names no pair"),
        ({"modes": ["slow"]}, "$.modes[0]"),
        ({"sauce": "x"}, '"sauce"'),
    ],
)
def test_a_wrong_table_is_a_fault_that_is_named(table: dict[str, Any], words: str) -> None:
    whole = {"level": "MUST", "text": "T.", "source": ["s"], "harm": "H.", "pairs": ["*"], "modes": ["json"]}
    with pytest.raises(CatalogueError) as caught:
        catalogue_module._requirement("area.name", {**whole, **table} if table else {})
    assert str(caught.value).startswith("requirement area.name: ")
    assert words in str(caught.value)


# --- the cases, read as source -----------------------------------------------------------------------


def functions(module: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(Path(module).read_text("utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def reached(id: str) -> Iterator[ast.AST]:
    """The nodes of a case and of every function of its module that it calls."""
    case = cases()[id]
    there = functions(inspect.getsourcefile(case) or "")
    waiting, seen = [case.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in there:
            continue
        seen.add(name)
        for node in ast.walk(there[name]):
            yield node
            if isinstance(node, ast.Name):
                waiting.append(node.id)


# What an expression can be where it is no literal, by the case (the assertions before it say so).
COMPUTED = {
    "ending.truncated-upstream-is-an-error": {"answer.outcome": {"error", "aborted"}},
    "ending.broken-transfer-is-an-error": {"answer.outcome": {"error", "aborted"}},
    "ending.stop-reason-then-eof-is-told": {"answer.outcome": {"complete", "error", "aborted"}},
    "ending.terminal-without-response-still-ends": {"answer.outcome": {"complete", "error", "aborted"}},
    "failure.empty-200-is-an-error": {"answer.outcome": {"error", "aborted"}},
    "failure.failed-before-output-is-an-error": {"answer.error.where": {"http", "in-band"}},
    "wire.compressed-answers-decode": {"coding": {"gzip", "deflate"}},
}


def chosen(id: str) -> set[str]:
    """Every alternative that a case can record."""
    found: set[str] = set()
    for node in reached(id):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "check.chose":
            for word in branches(node.args[0]):
                found |= {word.value} if isinstance(word, ast.Constant) else COMPUTED[id][ast.unparse(word)]
    return found


def branches(node: ast.expr) -> Iterator[Any]:
    if isinstance(node, ast.IfExp):
        yield from branches(node.body)
        yield from branches(node.orelse)
    else:
        yield node


@pytest.mark.parametrize("id", cases())
def test_a_case_chooses_the_alternatives_of_its_requirement_and_each_of_them(id: str) -> None:
    assert chosen(id) == set(catalogue()[id].alternatives)


@pytest.mark.parametrize("id", cases())
def test_a_case_reads_no_claim_that_its_requirement_does_not_need(id: str) -> None:
    for node in reached(id):
        if isinstance(node, ast.Subscript) and ast.unparse(node.value) == "claims":
            assert isinstance(node.slice, ast.Constant)
            assert node.slice.value in catalogue()[id].needs


def test_what_is_read_of_a_claim_is_what_users_are_told() -> None:
    read: dict[str, set[str]] = {}
    for id in cases():
        for node in reached(id):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "claims.get":
                read.setdefault(ast.literal_eval(node.args[0]), set()).add(id)
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "is_documented":
                read.setdefault("leaves_out", set()).add(id)
    assert {claim: set(ids) for claim, ids in READ_BY.items() if ids} == read


def test_each_claim_switches_something_on_or_is_read() -> None:
    claims = schema("own/gateway")["properties"]["claims"]["properties"]
    needed = {need for requirement in REQUIREMENTS for need in requirement.needs}
    assert set(claims) == needed | set(READ_BY)
    # Of these the runs' own code has the say: the preflight asks no other surface, and a queue has an end.
    assert {claim for claim, ids in READ_BY.items() if not ids} - needed == {"surfaces", "queue_timeout"}


@pytest.mark.parametrize("claim", claims_of(REQUIREMENTS), ids=lambda claim: claim.name)
def test_the_example_of_a_claim_is_one(claim: Claim) -> None:
    assert validate({"claims": {claim.name: claim.example}}, "own/gateway") == []
    assert validate({"claims": {claim.name: False}}, "own/gateway") == []
    assert claim.example is not False
    assert claim.text.endswith((".", ".)"))


@pytest.mark.parametrize("id", cases())
def test_a_case_takes_only_what_it_is_handed(id: str) -> None:
    parameters = inspect.signature(cases()[id]).parameters
    assert set(parameters) <= HANDS
    assert {"ask", "upstream"} <= set(parameters)


@pytest.mark.parametrize("id", cases())
def test_a_case_never_waits_for_a_time_and_never_catches(id: str) -> None:
    for node in reached(id):
        assert not (isinstance(node, ast.Call) and ast.unparse(node.func).endswith("sleep"))
        assert not (isinstance(node, ast.Try) and node.handlers)


def test_cases_that_fill_the_gateway_run_alone() -> None:
    assert all(alone(id) for id in cases() if id.startswith("limit."))
    assert not alone("turn.plain-text-arrives")
    assert not alone("no.such-case")
