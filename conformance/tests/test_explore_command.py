"""`gateproof explore`, as users start it."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateproof.cli import explore
from gateproof.gateway_process import free_port

Run = Callable[..., subprocess.CompletedProcess[str]]
Processes = Callable[..., subprocess.Popen[str]]
GATEPROOF = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())"]
MODULE = '"-m", "gateproof_reference",'
KEY = "client-key-of-the-demo"


@pytest.fixture
def mutant(tmp_path: Path, reference_toml: Path) -> Callable[[str], Path]:
    """The gateway.toml of the reference with this defect."""

    def write(name: str) -> Path:
        told = reference_toml.read_text("utf-8")
        assert MODULE in told
        file = tmp_path / f"{name}.toml"
        file.write_text(told.replace(MODULE, f'{MODULE} "--mutant", "{name}",'), "utf-8")
        return file

    return write


def options(gateway: Path, *more: str) -> list[str]:
    return ["explore", f"--gateway={gateway}", "--upstream-listen=127.0.0.1:0", "--seed=1", "--seconds=90", *more]


def finds(folder: Path, file: str = "finds.json") -> list[dict[str, Any]]:
    document = json.loads((folder / file).read_text("utf-8"))
    assert document["seed"] == 1
    found: list[dict[str, Any]] = document["finds"]
    return found


DEFECTS = [
    (
        *("calls-end-with-stop", "chat.responses", "json", "ending: tool_calls told as stop"),
        [{"tool_call": {"name": "look", "arguments": ["{}"], "id": "call_1"}}, {"completed": True}],
    ),
    (
        *("sequence-numbers-stand-still", "responses.chat", "stream", "wire.sequence-numbers-increase"),
        [{"completed": True}],
    ),
]


@pytest.mark.parametrize(("name", "pair", "mode", "what", "say"), DEFECTS, ids=[d[0] for d in DEFECTS])
def test_a_defect_is_found_shrunk_and_played_again(
    name: str,
    pair: str,
    mode: str,
    what: str,
    say: list[Any],
    tmp_path: Path,
    gateproof: Run,
    mutant: Callable[[str], Path],
    processes: Processes,
) -> None:
    here = (f"--pair={pair}", f"--mode={mode}", "--examples=20", "--out=finds.json")

    done = gateproof(*options(mutant(name), *here))

    assert done.returncode == 1, done.stdout + done.stderr
    assert KEY not in done.stdout
    (find,) = finds(tmp_path)
    assert (find["what"], find["place"], find["shrunk"], find["steady"]) == (what, f"{pair}.{mode}", True, True)
    folder = tmp_path / "gateproof-explore"
    assert json.loads((folder / "find-1.expected.json").read_text("utf-8")) == find
    ((marker, (script,)),) = json.loads((folder / "find-1.json").read_text("utf-8")).items()
    assert script["say"] == say
    assert f"find 1: {what} on {pair}" in done.stdout
    assert find["curl"] in done.stdout

    answer = _asked_again(name, folder / "find-1.json", find["curl"], processes)

    assert marker in find["request"]["body"]
    if mode == "json":
        assert answer.json()["choices"][0]["finish_reason"] == "stop"
        assert answer.json()["choices"][0]["message"]["tool_calls"]
    else:
        numbers = [
            json.loads(line[6:])["sequence_number"] for line in answer.text.splitlines() if "sequence_number" in line
        ]
        assert numbers != sorted(set(numbers))


def _asked_again(name: str, script: Path, curl: str, processes: Processes) -> httpx.Response:
    """What the printed command gets, with the mock and the gateway started as a user starts them."""
    mock = processes([*GATEPROOF, "mock", "--script", str(script), "--listen=127.0.0.1:0"])
    upstream = _line(mock, "listening").split()[-1]
    port = free_port()
    dialects = ("--dialect-for", "over-chat=chat", "--dialect-for", "over-messages=messages")
    where = (f"--upstream={upstream}", f"--listen=127.0.0.1:{port}", "--dialect=responses", f"--key={KEY}", *dialects)
    gateway = processes([sys.executable, "-m", "gateproof_reference", *where, "--mutant", name])
    _line(gateway, str(port))
    words = shlex.split(curl)
    url, given = words[2], words[3:]
    told = dict(zip(given[::2], given[1::2], strict=True))
    names = [value.partition(": ") for flag, value in zip(given[::2], given[1::2], strict=True) if flag == "-H"]
    headers = {name: value.replace("$GATEWAY_KEY", KEY) for name, _, value in names}
    target = url.replace("$GATEWAY", f"http://127.0.0.1:{port}")
    return httpx.post(target, content=told["-d"], headers=headers, timeout=30, trust_env=False)


def _line(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout is not None
    line = next((line for line in process.stdout if word in line), "")
    assert line, f"the process ended without saying {word!r}"
    return line


def test_the_reference_breaks_nothing(tmp_path: Path, gateproof: Run, reference_toml: Path) -> None:
    done = gateproof(*options(reference_toml, "--examples=2", "--strict", "--out=finds.json"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "36 turns on 18 pairs and modes" in done.stdout
    assert finds(tmp_path) == []


def test_an_interruption_ends_it_with_what_was_found(
    tmp_path: Path, environment: dict[str, str], mutant: Callable[[str], Path], processes: Processes
) -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells start what runs in the background so, and children inherit it: nothing could interrupt it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [
        *GATEPROOF,
        *options(mutant("calls-end-with-stop"), "--seconds=3600", "--pair=chat.responses", "--mode=json", "--out=o"),
    ]
    process = processes(command, cwd=tmp_path, env={**environment, "PYTHONUNBUFFERED": "1"})
    _line(process, "find 1:")

    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=60)

    assert process.returncode == 2, said
    assert "Interrupted." in said
    assert [find["what"] for find in finds(tmp_path, "o")][:1] == ["ending: tool_calls told as stop"]
    assert (tmp_path / "gateproof-explore" / "find-1.json").exists()


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ("--seed=-1", "--seed: expected a whole number, 0 to"),
        ("--seed=x", "--seed"),
        ("--seconds=0", "--seconds: expected a number above 0"),
        ("--seconds=nan", "--seconds"),
        ("--examples=0", "--examples: expected a whole number, 1 to"),
        ("--pair=chat", "--pair"),
        ("--out=no/such/folder/finds.json", "--out"),
        ("--gateway-url=gopher://x", "--gateway-url"),
    ],
)
def test_an_option_that_cannot_be_used(wrong: str, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--gateway-url=http://127.0.0.1:1", wrong) == 4
    assert word in capsys.readouterr().err


def test_a_gateway_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run() == 4
    assert "give --gateway-url URL or --gateway FILE" in capsys.readouterr().err


def test_without_hypothesis_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(explore, "find_spec", lambda name: None)

    assert _run("--gateway-url=http://127.0.0.1:1") == 4
    assert "pip install 'gateproof[explore]'" in capsys.readouterr().err


def test_a_gateway_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    nowhere = f"--gateway-url=http://127.0.0.1:{free_port()}"

    assert _run(nowhere, "--upstream-listen=127.0.0.1:0", f"--report-dir={tmp_path}") == 5
    assert "Nothing listens at" in capsys.readouterr().err


def _run(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    explore.add(parser)
    return explore.run(parser.parse_args(arguments))
