"""A gateway that is told to stop: open answers end whole, or say that they do not; none is cut in silence."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import httpx
import pytest
from gateway_bench import Asking, Fake
from test_delivery import EVENTS, NEVER, Client, gated, settle

from gateproof_reference import failures

PATHS = ["/v1/responses", "/v1/chat/completions", "/v1/messages"]
WORDS = failures.stopping().message


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("seen", [5, 0])
def test_an_open_stream_is_told(path: str, seen: int, ask: Asking, fake: Fake) -> None:
    """After output in the stream; before any, as a status."""

    async def run() -> None:
        gates = gated(fake)
        gateway = ask.gateway("responses", keepalive_interval=NEVER)
        client = Client(gateway, path)
        for gate in gates[:seen]:
            gate.set()
        await settle()
        assert gateway.stop_in(0.0) == 1
        told = await client.rest()
        await client.leave()
        assert WORDS.encode() in told
        assert b"response.completed" not in told
        assert b"message_stop" not in told
        assert b"[DONE]" not in told
        assert client.status == (200 if seen else 503)
        assert fake.closed == 1

    asyncio.run(run())


@pytest.mark.parametrize("path", PATHS)
def test_a_json_answer_that_cannot_come_is_a_503(path: str, ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gated(fake)
        gateway = ask.gateway("responses")
        client = Client(gateway, path, stream=False)
        await settle()
        gateway.stop_in(0.0)
        told = json.loads(await client.rest())
        assert (client.status, told["error"]["message"]) == (503, WORDS)
        assert "type" in told if "messages" in path else "code" in told["error"]
        await client.leave()

    asyncio.run(run())


def test_what_waits_for_a_slot_is_told_too(ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gated(fake)
        gateway = ask.gateway("responses", max_concurrency=1, keepalive_interval=NEVER)
        clients = [Client(gateway), Client(gateway)]
        await settle()
        assert gateway.stop_in(0.0) == 2
        for client in clients:
            assert WORDS.encode() in await client.rest()
            await client.leave()
        assert len(fake.requests) == 1

    asyncio.run(run())


def test_an_answer_that_ends_in_time_is_whole(ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gates = gated(fake)
        gateway = ask.gateway("responses", keepalive_interval=NEVER)
        client = Client(gateway)
        await settle()
        gateway.stop_in(NEVER)
        for gate in gates:
            gate.set()
        assert await client.rest() == b"".join(EVENTS)
        await client.leave()

    asyncio.run(run())


def test_what_begins_after_the_end_is_told_at_once(ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gated(fake)
        gateway = ask.gateway("responses")
        gateway.stop_in(0.0)
        client = Client(gateway)
        assert WORDS.encode() in await client.rest()
        assert client.status == 503
        await client.leave()

    asyncio.run(run())


@contextmanager
def silent_upstream() -> Iterator[int]:
    """An upstream that begins a chat stream for every connection, and then says nothing more. Its port."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n"
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}]}
    held: list[socket.socket] = []

    def serve() -> None:
        try:
            while True:
                connection, _ = listener.accept()
                held.append(connection)
                connection.recv(65536)
                connection.sendall(head + b"data: " + json.dumps(chunk).encode() + b"\n\n")
        except OSError:
            return

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        threading.Thread(target=serve, daemon=True).start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for connection in held:
                connection.close()


def test_a_process_ends_its_streams_in_their_own_words() -> None:
    with silent_upstream() as port:
        arguments = ["--upstream", f"http://127.0.0.1:{port}/v1", "--listen", "127.0.0.1:0", "--dialect", "chat"]
        keys = ["--key", "gateway-key-0815", "--upstream-key", "operator-key-of-1", "--grace", "0.05"]
        command = [sys.executable, "-m", "gateproof_reference", *arguments, *keys]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                url = process.stdout.readline().split()[-1]
                told = read_until_stopped(url, process)
                _, noted = process.communicate(timeout=20)
            finally:
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == 0
    assert "Hello" in told
    assert json.loads(told.split("\n\n")[-2].removeprefix("data: "))["error"]["message"] == WORDS
    assert "[DONE]" not in told
    lines: list[dict[str, Any]] = [json.loads(line) for line in noted.splitlines()]
    assert [line["event"] for line in lines] == ["started", "stopping", "failed", "stopped"]
    assert lines[0]["listen"] in url
    assert lines[1]["open"] == 1
    assert lines[2]["in_band"] is True
    assert "key-" not in noted


def read_until_stopped(url: str, process: subprocess.Popen[str]) -> str:
    """Return a stream whose gateway is told to stop after its first words. A stream that was cut raises."""
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    headers = {"authorization": "Bearer gateway-key-0815"}
    told = ""
    with httpx.stream(
        "POST", f"{url}/v1/chat/completions", json=body, headers=headers, timeout=20, trust_env=False
    ) as reply:
        for text in reply.iter_text():
            if not told:
                process.send_signal(signal.SIGTERM)
            told += text
    return told
