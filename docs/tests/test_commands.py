"""Every command of the documentation is run, in the order of its page, and prints what the page says."""

import os
import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from gateproof.gateway_process import free_port
from gateproof_docs.console import Console
from gateproof_docs.fences import Fence, fences, says, steps

ROOT = Path(__file__).resolve().parent.parent.parent
DOCS = ROOT / "docs"
PAGES = {
    str(path.relative_to(ROOT)): path.read_text("utf-8") for path in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
}
PORTS = re.compile(r"\b(8089|8090|4000)\b")
"""The ports that the pages name: each test has free ones in their place."""

NOT_RUN = {
    "docs/ci/github.md": 3,
    "docs/ci/gitlab.md": 1,
    "docs/ci/shell.md": 1,
    "docs/howto/litellm.md": 2,
    "docs/tutorial.md": 1,
}
"""How many blocks of each page no test runs; the page says why above each."""
NEEDS = ("needs GitHub", "needs GitLab", "needs litellm", "needs a package index")


def runs(fence: Fence) -> bool:
    return fence.is_shell and not fence.not_run and not fence.title


SESSIONS = [page for page, text in PAGES.items() if any(runs(fence) for fence in fences(text))]


@pytest.mark.parametrize("page", SESSIONS)
def test_its_commands_say_what_the_page_says(page: str, tmp_path: Path) -> None:
    ports: dict[str, str] = {}

    def own(found: re.Match[str]) -> str:
        return ports.setdefault(found[0], str(free_port()))

    text = PORTS.sub(own, PAGES[page])
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTEST_ADDOPTS": "",
        "GATEPROOF_UPSTREAM_LISTEN": f"127.0.0.1:{ports.setdefault('8089', str(free_port()))}",
    }
    with Console(tmp_path, environment) as console:
        for fence in fences(text):
            if fence.title and not fence.not_run:
                file = tmp_path / fence.title
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(fence.text, "utf-8")
            elif runs(fence):
                play(console, fence)


def play(console: Console, fence: Fence) -> None:
    found = steps(fence.text)
    assert found, f"line {fence.line}: a console block's commands stand after `$ `"
    for index, step in enumerate(found):
        if step.in_background:
            printed, code = console.start(step.command, len(step.shown.splitlines())), 0
        else:
            printed, code = console.run(step.command)
        told = index + 1 < len(found) and found[index + 1].command == "echo $?"
        where = f"line {fence.line}: {step.command}"
        if code and not told:
            pytest.fail(f"{where}: exit code {code}, and the page does not say so\n{printed}", pytrace=False)
        if step.shown and not says(printed, step.shown):
            pytest.fail(f"{where}\nshown:\n{step.shown}\n\nprinted:\n{printed}", pytrace=False)


def test_what_is_not_run_is_marked_and_counted() -> None:
    marked = {page: [f for f in fences(text) if f.not_run] for page, text in PAGES.items()}
    assert {page: len(found) for page, found in marked.items() if found} == NOT_RUN
    for page, found in marked.items():
        for fence in found:
            assert fence.not_run.startswith(NEEDS), f"{page}, line {fence.line}: {fence.not_run}"


def test_shell_blocks_are_consoles() -> None:
    """What can be run has its prompts, so that its commands can be told from what they print."""
    for page, text in PAGES.items():
        for fence in fences(text):
            assert fence.language == "console" or not runs(fence), f"{page}, line {fence.line}"


def test_markings_stand_before_blocks() -> None:
    for page, text in PAGES.items():
        assert text.count("<!-- not run:") == NOT_RUN.get(page, 0), page


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if any(fences(text))])
def test_its_files_can_be_read(page: str) -> None:
    for fence in fences(PAGES[page]):
        where = f"{page}, line {fence.line}"
        if fence.language == "toml":
            assert tomllib.loads(fence.text), where
        elif fence.language == "yaml":
            assert yaml.safe_load(fence.text), where
        elif fence.language == "python":
            compile(fence.text, where, "exec")


def test_the_shell_is_there() -> None:
    assert shutil.which("bash")


# --- the means themselves ---------------------------------------------------------------------------


def test_a_marking_counts_for_the_next_block_alone() -> None:
    text = "<!-- not run: needs GitHub -->\n\n```sh\na\n```\n\n```console\n$ b\nc\n```\n"
    assert [(f.text, f.not_run) for f in fences(text)] == [("a\n", "needs GitHub"), ("$ b\nc\n", "")]


def test_words_between_a_marking_and_a_block_end_it() -> None:
    assert [f.not_run for f in fences("<!-- not run: needs GitHub -->\nWords.\n```sh\na\n```\n")] == [""]


def test_commands_and_what_they_print() -> None:
    found = steps("$ one \\\n    --two\nprinted\n\n$ cat <<END\n> words\n> END\n")
    assert [(s.command, s.shown) for s in found] == [("one \\\n    --two", "printed"), ("cat <<END\nwords\nEND", "")]


@pytest.mark.parametrize(
    ("shown", "true"),
    [
        ("one two\nthree", True),
        ("one ... three", True),
        ("...\nthree", True),
        ("one two\n...", True),
        ("one ... two ... three", True),
        ("one two", False),
        ("two ...", False),
        ("one ... one ... three", False),
        ("... four", False),
    ],
)
def test_what_a_page_may_leave_out(shown: str, true: bool) -> None:
    assert says("one two\nthree\n", shown) is true


def test_a_console_knows_the_last_exit_code(tmp_path: Path) -> None:
    with Console(tmp_path, os.environ) as console:
        assert console.run("false") == ("", 1)
        assert console.run("echo $?") == ("1\n", 0)


def test_a_console_waits_for_a_server_and_can_end_it(tmp_path: Path) -> None:
    server = "python3 -c 'import signal, sys; signal.signal(15, lambda *_: sys.exit(0)); print(1, flush=True); signal.pause()' &"
    with Console(tmp_path, os.environ) as console:
        assert console.start(server, 1).strip() == "1"
        assert console.run("kill %1 && wait %1") == ("", 0)
