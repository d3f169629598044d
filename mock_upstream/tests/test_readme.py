"""The README: its Python runs, its shell session says what it says, and the rest is what the examples are."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from test_examples import EXAMPLES, ROOT, needs, run, started

from gateproof_mock.language.files import load

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
LISTEN = "127.0.0.1:8089"


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


PYTHON = blocks("python")
TESTS = [code for code in PYTHON if "\ndef test_" in code]
CONFTEST = [code for code in PYTHON if "def mock_upstream_server" in code]
PROGRAMS = [code for code in PYTHON if code not in TESTS + CONFTEST]


@pytest.mark.parametrize("code", PROGRAMS, ids=["script", "barrier"])
def test_its_python_runs(code: str) -> None:
    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.parametrize("conftest", ["", *CONFTEST], ids=["as it comes", "conftest"])
def test_its_tests_pass(conftest: str, tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(conftest, "utf-8")
    (code,) = TESTS
    (tmp_path / "test_readme_block.py").write_text(code, "utf-8")
    path = os.pathsep.join(str(ROOT / name) for name in ("mock_upstream", "schemas"))
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "gateproof_mock.fixtures"]
    said = run(command, tmp_path, PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTHONPATH=path, PYTEST_ADDOPTS="")
    assert "2 passed" in said


def test_its_shell_session_says_what_it_says(tmp_path: Path) -> None:
    """`...` stands for anything; the address is that of a mock of our own."""
    needs("curl")
    (session,) = blocks("console")
    (start, greeting), *steps = (step(found) for found in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:])
    words = shlex.split(start)
    assert words[:2] + words[-1:] == ["gateproof", "mock", "&"]
    # With the last --listen it is our own address; the others of its options are the page's.
    with started(*words[2:-1], "--listen", "127.0.0.1:0") as (origin, printed):
        own = origin.removeprefix("http://")
        assert_says("\n".join(printed), greeting.replace(LISTEN, own))
        for command, expected in steps:
            said = subprocess.run(
                [needs("sh"), "-c", command.replace(LISTEN, own)],
                cwd=tmp_path,
                capture_output=True,
                encoding="utf-8",
                timeout=30,
                check=True,
            )
            assert_says(said.stdout, expected.replace(LISTEN, own))


def step(text: str) -> tuple[str, str]:
    """A command, which goes on while a quotation is open or a line ends in a backslash, and what it prints."""
    lines = text.rstrip("\n").split("\n")
    for count in range(1, len(lines) + 1):
        command = "\n".join(lines[:count])
        if command.count("'") % 2 == 0 and not command.endswith("\\"):
            return command, "\n".join(lines[count:])
    raise AssertionError(f"a command without an end: {text}")


def assert_says(said: str, expected: str) -> None:
    # A line may be broken where something is left out.
    pattern = ".*?".join(re.escape(part) for part in re.split(r"\s*\.\.\.\s*", expected))
    assert re.fullmatch(pattern, said.strip(), re.DOTALL), f"expected {expected!r}, got {said!r}"


def test_its_yaml_can_be_loaded(tmp_path: Path) -> None:
    for number, text in enumerate(blocks("yaml")):
        file = tmp_path / f"{number}.yaml"
        file.write_text(text, "utf-8")
        assert load(file)


@pytest.mark.parametrize(("language", "file"), [("js", "node/mock.test.mjs"), ("go", "go/mock_test.go")])
def test_its_excerpts_are_of_the_examples(language: str, file: str) -> None:
    (excerpt,) = blocks(language)
    assert excerpt in (EXAMPLES / file).read_text("utf-8")
