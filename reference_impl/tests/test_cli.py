"""The command line and the nulls."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from typing import Any

import httpx
import pytest

from gateproof_reference import cli
from gateproof_reference.nulls import NULLS
from gateproof_reference.server import Settings

BASE = ["--upstream", "http://127.0.0.1:1/v1"]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--upstream", "nonsense"],
        [*BASE, "--dialect", "smoke"],
        [*BASE, "--dialect-for", "m"],
        [*BASE, "--dialect-for", "m=smoke"],
        [*BASE, "--listen", "nonsense"],
        [*BASE, "--listen", "127.0.0.1:99999"],
        [*BASE, "--keepalive-interval", "0"],
        [*BASE, "--idle-timeout", "nan"],
        [*BASE, "--idle-timeout-for", "1"],
        [*BASE, "--idle-timeout-for", "m=0"],
        [*BASE, "--max-concurrency", "0"],
        [*BASE, "--mutant", "nobody"],
        [*BASE, "--null", "nobody"],
        [*BASE, "--null", "echo", "--mutant", "full-is-503"],
        [*BASE, "--nonsense"],
        [*BASE, "--log-level", "loud"],
        [*BASE, "--grace", "-1"],
        [*BASE, "--key", ""],
        [*BASE, "--key", "two words"],
        [*BASE, "--upstream-key", "über"],
        [*BASE, "--upstream-key", "line\nbreak"],
        [*BASE, "--dialect-for", "m=chat", "--dialect-for", "m=messages"],
        ["--upstream", "http://127.0.0.1:99999/v1"],
        ["--upstream", "http://127.0.0.1:0/v1"],
        ["--upstream", "http://127.0.0.1:x/v1"],
        ["--upstream", "http://name:word@127.0.0.1/v1"],
        ["--upstream", "http://127.0.0.1/v1?key=x"],
        ["--upstream", "http://127.0.0.1/v1#x"],
        ["--upstream", "http://127.0.0.1/v1/chat/completions/"],
        ["--upstream", "http://127.0.0.1/v1/responses"],
        ["--upstream", "http://127.0.0.1/v1/messages"],
    ],
)
def test_bad_options_end_in_one_line(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(arguments)
    assert end.value.code == 4
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--idle-timeout", "soon"], "argument --idle-timeout: must be a positive number of seconds, not 'soon'"),
        (["--max-concurrency", "1.5"], "argument --max-concurrency: must be a whole number of at least 1, not '1.5'"),
    ],
)
def test_a_number_says_what_it_must_be(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([*BASE, *arguments])
    assert capsys.readouterr().err == f"gateproof reference: {words}\n"


def test_a_port_in_use_ends_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as end:
        cli.main([*BASE, "--listen", f"127.0.0.1:{taken.getsockname()[1]}"])
    assert end.value.code == 4
    assert capsys.readouterr().err.count("\n") == 1


def test_settings_come_from_options() -> None:
    options = cli.parser().parse_args(
        [*BASE, "--dialect", "chat", "--dialect-for", "a=b=responses", "--key", "k", "--upstream-key", "u",
         "--keepalive-interval", "0.5", "--idle-timeout", "2", "--max-concurrency", "3", "--queue-timeout", "4",
         "--force-upstream-stream", "--drop-tools", "--idle-timeout-for", "a=b=1.5"]
    )  # fmt: skip
    assert cli.settings(options) == Settings(
        BASE[1], "chat", {"a=b": "responses"}, "k", "u", 0.5, 2.0, 3, 4.0, True, True, {"a=b": 1.5}
    )


def test_a_process_says_where_it_listens_and_stops_when_told() -> None:
    arguments = [sys.executable, "-m", "gateproof_reference", *BASE, "--listen", "127.0.0.1:0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("gateproof reference listening on http://127.0.0.1:")
            reply = httpx.get(line.split()[-1] + "/health", trust_env=False)
            assert reply.json() == {"status": "ok"}
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert process.stdout.read() == ""
        finally:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGKILL)


def null(name: str, body: Any) -> httpx.Response:
    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(app=NULLS[name](Settings("http://127.0.0.1:1/v1")))
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway.invalid") as client:
            return await client.post("/v1/responses", json=body)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [("empty-200", 200, b""), ("always-500", 500, b"error"), ("html-page", 200, b"<!doctype"), ("echo", 200, b'"a"')],
)
def test_nulls(name: str, status: int, words: bytes) -> None:
    reply = null(name, {"a": 1})
    assert reply.status_code == status
    assert words in reply.content
    if name == "echo":
        assert json.loads(reply.content) == {"a": 1}


def test_all_nulls_are_there() -> None:
    assert list(NULLS) == ["empty-200", "always-500", "html-page", "echo", "hang", "cut", "relay"]
