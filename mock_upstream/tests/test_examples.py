"""The examples run, each with its own tool, against the mock as a process."""

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

import httpx
import pytest

from gateproof_mock import RemoteMock, When
from gateproof_mock.cli import ENGINES
from gateproof_mock.language.files import load
from gateproof_mock.language.turns import ELEMENTS
from gateproof_mock.markers import is_marker

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = ROOT / "mock_upstream" / "examples"
SCRIPTS = EXAMPLES / "scripts.yaml"
READY = "to http://"
CEILING = 60.0
COMPILING = 400.0
"""For a Go toolchain with an empty cache, on a machine with other work to do."""


@contextlib.contextmanager
def started(*options: str) -> Iterator[tuple[str, list[str]]]:
    """A mock as a process: its origin, and the lines that it has printed so far."""
    command = [sys.executable, "-m", "gateproof_mock", "--listen", "127.0.0.1:0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = Lines(process)
            first = lines.next()
            assert READY in first, first
            yield f"http://{first.split(READY)[1].split()[0].removesuffix('/v1')}", lines.seen
        finally:
            process.terminate()
            try:
                process.wait(CEILING)
            except subprocess.TimeoutExpired:
                process.kill()


class Lines:
    """What a process prints, read by a thread so that nobody waits for ever. `seen` is what was printed until now."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.seen: list[str] = []
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, args=(process,), daemon=True).start()

    def _read(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.seen.append(line.rstrip("\n"))
            self._lines.put(line)

    def next(self) -> str:
        try:
            return self._lines.get(timeout=CEILING)
        except Empty:
            raise AssertionError("the mock printed nothing") from None


def needs(tool: str) -> str:
    found = shutil.which(tool)
    if found is None:
        pytest.skip(f"there is no {tool} here")
    return found


def run(command: list[str], folder: Path, within: float = CEILING, **env: str) -> str:
    """Run it to its end; what it printed."""
    environment = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")} | env
    ran = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=within,
        check=False,
        encoding="utf-8",
    )
    assert ran.returncode == 0, ran.stdout
    return ran.stdout


# --- one for each tool ----------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_shell(engine: str, tmp_path: Path) -> None:
    needs("curl")
    with started("--engine", engine) as (origin, _):
        assert "All as expected." in run([needs("sh"), str(EXAMPLES / "shell.sh"), origin], tmp_path)


def test_shell_says_what_is_not_as_expected(tmp_path: Path) -> None:
    needs("curl")
    with started("--token", "secret") as (origin, _):
        ran = subprocess.run(
            [needs("sh"), str(EXAMPLES / "shell.sh"), origin],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=CEILING,
            check=False,
        )
    assert ran.returncode == 1
    assert "not as expected" in ran.stderr


@pytest.mark.parametrize("engine", ENGINES)
def test_node(engine: str) -> None:
    node = needs("node")
    version = run([node, "--version"], EXAMPLES)
    if int(version.lstrip("v").split(".")[0]) < 20:
        pytest.skip(f"node {version.strip()} is older than 20")
    with started("--engine", engine) as (origin, _):
        run([node, "--test", "mock.test.mjs"], EXAMPLES / "node", MOCK_URL=origin)


def test_go(tmp_path: Path) -> None:
    """Both engines in one test: what takes its time is to compile net/http."""
    go = needs("go")
    env = {
        "GOFLAGS": "-mod=mod",
        "GOTOOLCHAIN": "local",
        "GOPROXY": "off",
        "GOCACHE": str(tmp_path / "cache"),
        "GOPATH": str(tmp_path / "path"),
        "CGO_ENABLED": "0",
    }
    binary = str(tmp_path / "mock.test")
    run([go, "test", "-c", "-o", binary, "."], EXAMPLES / "go", COMPILING, **env)
    for engine in ENGINES:
        with started("--engine", engine) as (origin, _):
            run([binary, "-test.timeout", "30s"], tmp_path, MOCK_URL=origin)


LOAD = """
import pytest

from gateproof_mock import LoadUpstream


@pytest.fixture(scope="session")
def mock_upstream_server():
    with LoadUpstream() as mock:
        yield mock
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_python(engine: str, tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "python" / "test_client.py", tmp_path)
    if engine == "load":
        (tmp_path / "conftest.py").write_text(LOAD, "utf-8")
    path = os.pathsep.join(str(ROOT / name) for name in ("mock_upstream", "schemas"))
    env = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": path, "PYTEST_ADDOPTS": ""}
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "gateproof_mock.fixtures", "test_client.py"]
    run(command, tmp_path, **env)


# --- the script file ------------------------------------------------------------------------------


def test_scripts_names_the_schema_of_its_editor_and_keeps_to_it() -> None:
    pytest.importorskip("yaml")
    from gateproof_mock.language.yamltext import read_yaml
    from gateproof_schemas import validate

    text = SCRIPTS.read_text("utf-8")
    name = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (SCRIPTS.parent / name).resolve() == ROOT / "schemas/gateproof_schemas/own/script-file.json"
    assert validate(read_yaml(text).plain(), "own/script-file") == []


def test_scripts_has_every_element() -> None:
    used = {element.KEY for one in load(SCRIPTS) for each in one.calls for element in each.turn}
    assert used == set(ELEMENTS)


@pytest.mark.parametrize("engine", ENGINES)
def test_scripts_plays(engine: str) -> None:
    found = load(SCRIPTS)
    options = ("--engine", engine, "--script", str(SCRIPTS), "--barrier-ceiling", "0.2")
    with started(*options) as (origin, printed), RemoteMock(origin) as remote, httpx.Client(timeout=CEILING) as client:
        assert remote.scripts() == sorted((one.name for one in found), key=lambda name: not is_marker(name))
        for one in found:
            for _ in one.calls:
                ask(client, origin, one.name, one.when)
            calls = remote.calls(one.name, len(one.calls), CEILING, ended=True)
            assert [call["script"] for call in calls] == [one.name] * len(one.calls)
            assert {call["ended"] for call in calls} <= {"played", "cut", "held"}
        assert remote.unmatched() == []
        assert printed[1:] == [f"plays a script for {one.name}" for one in found]


def ask(client: httpx.Client, origin: str, name: str, when: When | None) -> None:
    """Make a call that this rule matches, and read what comes of it."""
    rule = when or When()
    words = name if is_marker(name) else "How is the weather?"
    prompt = [{"role": "user", "content": words}]
    body: dict[str, Any] = {"model": rule.model or "m", "stream": True, "messages": prompt, "input": prompt}
    path = "responses" if rule.dialect == "responses" else "chat/completions"
    headers = {"Authorization": f"Bearer {rule.key}"} if rule.key else {}
    with (
        contextlib.suppress(httpx.RemoteProtocolError, httpx.ReadError),
        client.stream("POST", f"{origin}/v1/{path}", json=body, headers=headers) as answer,
    ):
        answer.read()
