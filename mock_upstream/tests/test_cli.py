"""`gateproof mock` as a process."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from mock_bench import CEILING

from gateproof_mock import builtin, cli

COMMAND = [sys.executable, "-m", "gateproof_mock"]
LISTEN = ["--listen", "127.0.0.1:0"]


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running mock, and its API base."""
    with subprocess.Popen([*COMMAND, *LISTEN, *options], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            line = running.stdout.readline()
            yield running, next(word for word in line.split() if word.startswith("http://"))
        finally:
            running.terminate()
            assert running.wait(CEILING) == 0


def ended(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.parametrize("engine", cli.ENGINES)
def test_it_serves_and_ends(engine: str, tmp_path: Path) -> None:
    scripts = tmp_path / "scripts.yaml"
    scripts.write_text(
        "small models:\n".replace(" ", "-", 1) + "  when: {model: small*}\n  calls: [{say: [{text: Hi}]}]\n"
    )
    with process("--engine", engine, "--script", str(scripts), "--model", "small-1") as (running, base):
        assert running.stdout is not None
        assert running.stdout.readline() == "plays a script for small-models\n"
        assert httpx.get(f"{base}/models").json()["data"][0]["id"] == "small-1"
        body = {"model": "small-1", "input": "?"}
        answer = httpx.post(f"{base}/responses", json=body).json()
        assert answer["output"][0]["content"][0]["text"] == "Hi"


@pytest.mark.parametrize("engine", cli.ENGINES)
def test_it_ends_at_once_with_streams_open(engine: str) -> None:
    with process("--engine", engine) as (running, base):
        body = {"input": "gp-play-held", "stream": True}
        with httpx.stream("POST", f"{base}/responses", json=body) as answer:
            next(answer.iter_bytes())
            running.send_signal(signal.SIGTERM)
            assert running.wait(CEILING) == 0


def test_several_processes_share_a_port_and_no_state() -> None:
    with process("--engine", "load", "--processes", "2") as (_, base):
        texts = set()
        for _ in range(12):
            answer = httpx.post(f"{base}/responses", json={"input": "gp-play-text.7"}).json()
            texts.add(answer["output"][0]["content"][0]["text"])
        assert len(texts) == 1
        refused = httpx.get(base.removesuffix("/v1") + "/_gateproof/journal")
        assert refused.status_code == 403
        assert "processes" in refused.json()["error"]["message"]


def test_list_and_show() -> None:
    listed = ended("--list")
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()] == [f"gp-play-{name}" for name in builtin.names()]
    shown = ended("--show", "failed-after-text.3")
    assert json.loads(shown.stdout) == builtin.script("failed-after-text", 3).to_json()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--listen", "nonsense"], "is not HOST:PORT"),
        (["--listen", "::1:80"], "stands in brackets"),
        (["--show", "textt"], "text"),
        (["--show", "text.x"], "is no seed"),
        (["--script", "no-such-file.yaml"], "no-such-file.yaml"),
        (["--processes", "2"], "--engine load"),
        (["--processes", "0", "--engine", "load"], "1 to 64"),
        (["--processes", "2", "--engine", "load", "--script", "a.yaml"], "built-in"),
        (["--barrier-ceiling", "0"], "above 0"),
        (["--engine", "warp"], "invalid choice"),
    ],
)
def test_a_wrong_option_is_one_message(options: list[str], said: str) -> None:
    found = ended(*options)
    assert found.returncode == cli.EXIT_USAGE
    assert said in found.stderr
    assert "Traceback" not in found.stderr


@pytest.mark.parametrize("engine", cli.ENGINES)
def test_a_taken_port_is_one_message(engine: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        found = ended("--listen", f"127.0.0.1:{taken.getsockname()[1]}", "--engine", engine)
    assert found.returncode == cli.EXIT_USAGE
    assert "choose another with --listen" in found.stderr


def test_a_closed_pipe_is_no_error() -> None:
    read, write = os.pipe()
    os.close(read)
    found = subprocess.run([*COMMAND, "--list"], stdout=write, stderr=subprocess.PIPE, timeout=20, check=False)
    os.close(write)
    assert b"Traceback" not in found.stderr
