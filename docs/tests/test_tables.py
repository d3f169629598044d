"""What the pages say of verdicts, exit codes and refusals is what the code says."""

import ast
import re
from collections.abc import Iterator

import gateproof.verdicts as verdicts
from gateproof_docs.readmes import ROOT

PAGE = (ROOT / "docs/reference/verdicts.md").read_text("utf-8")
TROUBLE = (ROOT / "docs/troubleshooting.md").read_text("utf-8")
SUITE = ROOT / "conformance/gateproof"
REFUSING = ("preflight.py", "house.py", "gateway_process.py")
SOURCES = "".join((SUITE / name).read_text("utf-8") for name in (*REFUSING, "runner.py", "verdicts.py"))


def rows(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_every_exit_code_is_in_the_table() -> None:
    told = {int(code) for code, _ in rows("Exit codes")}
    assert told == {value for name, value in vars(verdicts).items() if name.startswith("EXIT_")}


def test_the_words_of_the_exit_codes() -> None:
    words = dict(rows("Exit codes"))
    expected = {
        verdicts.EXIT_OK: "all is well",
        verdicts.EXIT_FAILED: "failures",
        verdicts.EXIT_INTERRUPTED: "interrupted",
        verdicts.EXIT_SUITE_ERROR: "a fault of the suite",
        verdicts.EXIT_USAGE: "an option or a file",
        verdicts.EXIT_NOTHING: "the run could not begin",
    }
    assert {code: words[str(code)].startswith(begin) for code, begin in expected.items()} == dict.fromkeys(
        expected, True
    )


def test_every_verdict_is_in_the_table_with_its_effect() -> None:
    effects = {row[0].strip("`"): row[-1] for row in rows("Verdicts")}
    assert list(effects) == list(verdicts.RAN)
    for verdict, told in effects.items():
        relaxed, strict = (verdicts.exit_code([{"verdict": verdict}], strict=s) for s in (False, True))
        says_code = re.match(r"\d", told)
        assert (int(says_code[0]) if says_code else 0) == strict, verdict
        assert ("only with `--strict`" in told) == (relaxed != strict), verdict


def test_every_quoted_message_is_one_of_the_suite() -> None:
    quoted = re.findall(r"^## (.+)$|\*\*\"(.+?)\"", TROUBLE, re.MULTILINE)
    found = 0
    for heading, bold in quoted:
        for message in re.findall(r'"(.+?)"', heading) or ([bold] if bold else []):
            for part in filter(None, (part.strip() for part in message.split("..."))):
                found += 1
                assert part in SOURCES, part
    assert found > 8


def test_every_refusal_has_an_entry() -> None:
    """Each message with which a run does not begin: a piece of it stands in a heading."""
    headings = " ".join(line for line in TROUBLE.splitlines() if line.startswith("## "))
    refusals = [pieces for name in REFUSING for pieces in literals(ast.parse((SUITE / name).read_text("utf-8")))]
    assert len(refusals) > 9
    assert [pieces for pieces in refusals if not any(piece in headings for piece in pieces)] == []


def literals(tree: ast.Module) -> Iterator[list[str]]:
    """The plain words of each message that is raised as a refusal, or returned as the text of one."""
    raised = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    said = [e.args[0] for e in raised if isinstance(e, ast.Call) and ast.unparse(e.func) in ("Refused", "StartError")]
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name == "_refusal":
            said += [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
    for message in said:
        words = [
            node.value for node in ast.walk(message) if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        pieces = [piece.strip() for word in words for piece in re.split(r"[:.\n]|(?=\()", word)]
        # What is passed on, as `Refused(str(error))`, is said elsewhere.
        if any(len(piece) > 8 for piece in pieces):
            yield [piece for piece in pieces if len(piece) > 8]
