"""The concurrency limit, and who is told what when nothing becomes free."""

import asyncio
import json
from typing import Any

import pytest
from gateway_bench import Asking, Fake
from test_delivery import EVENTS, NEVER, Client, gated, settle

from gateproof_reference.mutants import MUTANTS

PATHS = ["/v1/responses", "/v1/chat/completions", "/v1/messages"]


def full(ask: Asking, fake: Fake, path: str, **settings: Any) -> tuple[Client, bytes]:
    """Return a client that waited in vain behind another one, and all that it got."""

    async def run() -> tuple[Client, bytes]:
        stream = settings.pop("stream", True)
        gateway = ask.gateway("responses", max_concurrency=1, **settings)
        gated(fake)
        first = Client(gateway)
        await settle()
        second = Client(gateway, path, stream=stream)
        told = await second.rest()
        await second.leave()
        await first.leave()
        assert len(fake.requests) == 1
        return second, told

    return asyncio.run(run())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [True, False])
def test_nothing_out_yet_is_a_429(path: str, stream: bool, ask: Asking, fake: Fake) -> None:
    """Also for a stream, when the queue's patience is shorter than the keepalive interval."""
    client, told = full(ask, fake, path, stream=stream, queue_timeout=0.001, keepalive_interval=NEVER)
    assert client.status == 429
    error = json.loads(told)["error"]
    assert error["type" if "messages" in path else "code"].startswith("rate_limit_e")


def test_a_waiting_responses_stream_ends_with_response_failed(ask: Asking, fake: Fake) -> None:
    client, told = full(ask, fake, PATHS[0], queue_timeout=0.1, keepalive_interval=0.01)
    assert client.status == 200
    assert told.startswith(b": ping\n\n")
    last = told.split(b"\n\n")[-2].decode()
    name, data = last.split("\n")
    assert name == "event: response.failed"
    assert json.loads(data.removeprefix("data: ")) == {
        "type": "response.failed",
        "sequence_number": 0,
        "response": {
            "id": "resp_" + client.headers["x-request-id"].replace("-", ""),
            "object": "response",
            "model": "m",
            "status": "failed",
            "output": [],
            "error": {
                "code": "rate_limit_exceeded",
                "message": "too many requests at once: no slot became free in time",
            },
        },
    }


def test_a_waiting_chat_stream_ends_with_a_chat_error(ask: Asking, fake: Fake) -> None:
    client, told = full(ask, fake, PATHS[1], queue_timeout=0.1, keepalive_interval=0.01)
    assert client.status == 200
    assert told.startswith(b": ping\n\n")
    last = told.split(b"\n\n")[-2]
    assert json.loads(last.removeprefix(b"data: "))["error"]["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("name", "path", "stream", "status", "words"),
    [
        ("full-is-503", PATHS[0], False, 503, b""),
        ("waiting-responses-stream-ends-with-error", PATHS[0], True, 200, b"event: error"),
        ("waiting-chat-stream-ends-with-response-failed", PATHS[1], True, 200, b"response.failed"),
        ("waiting-messages-stream-ends-with-the-chat-error", PATHS[2], True, 200, b'\n\ndata: {"error":'),
    ],
)
def test_mutants_that_lie_about_the_limit_are_seen(
    name: str,
    path: str,
    stream: bool,
    status: int,
    words: bytes,
    ask: Asking,
    fake: Fake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    holder, seam = MUTANTS[name].place()
    monkeypatch.setattr(holder, seam, MUTANTS[name].make(getattr(holder, seam)))
    client, told = full(ask, fake, path, stream=stream, queue_timeout=0.1, keepalive_interval=0.01)
    assert client.status == status
    assert words in told


def test_slots_become_free_on_every_path(ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gateway = ask.gateway("responses", max_concurrency=1, queue_timeout=5, keepalive_interval=NEVER)
        gates = gated(fake)
        left = Client(gateway)
        await settle()
        waiting = Client(gateway)
        gone = Client(gateway)
        await settle()
        assert len(fake.requests) == 1
        await gone.leave()
        await left.leave()
        for gate in gates:
            gate.set()
        assert (await waiting.rest()).endswith(EVENTS[-1])
        await waiting.leave()
        for steps in ([], [RuntimeError("a bug")], EVENTS):
            fake.steps = list(steps)
            last = Client(gateway)
            await last.rest()
            await last.leave()
        assert last.status == 200

    asyncio.run(run())
