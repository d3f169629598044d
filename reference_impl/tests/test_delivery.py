"""Delivery in time: what is sent when, who is hung up on. Events order everything; nothing sleeps for its result."""

import asyncio
import json
from typing import Any

import gateway_scenes as scenes
import pytest
from gateway_bench import Asking, Fake, sse
from gateway_scenes import message, responses_turn

from gateproof_reference.answers import Answer, StreamAnswer
from gateproof_reference.logs import Trail
from gateproof_reference.mutants import MUTANTS
from gateproof_reference.streams import Frame

NEVER = 3600.0


class Client:
    """A client on a bare ASGI application: it sees every piece when it comes, and can go away."""

    def __init__(self, app: Any, path: str = "/v1/responses", **more: Any) -> None:
        body = {"model": "m", "stream": True, **more}
        body |= {"input": "hi"} if "responses" in path else {"messages": [{"role": "user", "content": "hi"}]}
        body |= {"max_tokens": 9} if "/messages" in path else {}
        self._requests = [{"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}]
        self._pieces: asyncio.Queue[Any] = asyncio.Queue()
        self._gone = asyncio.Event()
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [],
            "scheme": "http",
            "server": ("gateway.invalid", 80),
        }
        self.task = asyncio.create_task(app(scope, self._receive, self._send))

    async def _receive(self) -> Any:
        if self._requests:
            return self._requests.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, piece: Any) -> None:
        if piece["type"] == "http.response.start":
            self.status = piece["status"]
            self.headers = {name.decode(): value.decode() for name, value in piece["headers"]}
        elif piece["body"]:
            self._pieces.put_nowait(piece["body"])
        if not piece.get("more_body", True):
            self._pieces.put_nowait(b"")

    async def next(self) -> bytes:
        """Return the next piece of the body, b"" at its end."""
        async with asyncio.timeout(10):
            return await self._pieces.get()

    async def rest(self) -> bytes:
        """Return the body up to its end."""
        data = b""
        while piece := await self.next():
            data += piece
        return data

    @property
    def nothing_yet(self) -> bool:
        return self._pieces.empty()

    async def leave(self) -> None:
        """Go away, and wait until the gateway is done with us."""
        self._gone.set()
        async with asyncio.timeout(10):
            await self.task


async def settle() -> None:
    """Let everything run that can run."""
    for _ in range(50):
        await asyncio.sleep(0)


EVENTS = [sse(event) for event in responses_turn(message("Hello"))]


def gated(fake: Fake) -> list[asyncio.Event]:
    """Let the upstream send each event only when its gate opens."""
    gates = [asyncio.Event() for _ in EVENTS]
    fake.steps = [step for gate, event in zip(gates, EVENTS, strict=True) for step in (gate, event)]
    return gates


def test_each_event_comes_before_the_next_is_sent(ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gates = gated(fake)
        client = Client(ask.gateway("responses", keepalive_interval=NEVER))
        for gate in gates[:2]:
            gate.set()
        await settle()
        assert client.nothing_yet
        assert client.status is None
        gates[2].set()
        assert await client.next() == b"".join(EVENTS[:3])
        for gate, event in zip(gates[3:], EVENTS[3:], strict=True):
            gate.set()
            assert await client.next() == event
        assert await client.next() == b""
        await client.leave()

    asyncio.run(run())


def test_the_events_of_one_read_leave_together(ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        fake.steps = [b"".join(EVENTS[:2]), b"".join(EVENTS[2:5]), b"".join(EVENTS[5:])]
        client = Client(ask.gateway("responses", keepalive_interval=NEVER))
        assert await client.next() == b"".join(EVENTS[:5])
        assert await client.next() == b"".join(EVENTS[5:])
        assert await client.next() == b""
        await client.leave()

    asyncio.run(run())


@pytest.mark.parametrize("name", ["everything-is-buffered", "one-delta-late"])
def test_mutants_that_wait_are_seen(name: str, ask: Asking, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    holder, seam = MUTANTS[name].place()
    monkeypatch.setattr(holder, seam, MUTANTS[name].make(getattr(holder, seam)))

    async def run() -> None:
        gates = gated(fake)
        client = Client(ask.gateway("responses", keepalive_interval=NEVER))
        for gate in gates[:3]:
            gate.set()
        await settle()
        late = client.nothing_yet or not (await client.next()).endswith(EVENTS[2])
        assert late
        for gate in gates:
            gate.set()
        assert (await client.rest()).endswith(EVENTS[-1])
        await client.leave()

    asyncio.run(run())


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions", "/v1/messages"])
def test_silence_is_filled_with_pings_and_commits(path: str, ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gates = gated(fake)
        client = Client(ask.gateway("responses", keepalive_interval=0.001), path)
        assert await client.next() == b": ping\n\n"
        assert client.status == 200
        assert await client.next() == b": ping\n\n"
        gates[0].set()
        while (piece := await client.next()) == b": ping\n\n":
            pass
        assert b"response.created" in piece or b'"role"' in piece or b"message_start" in piece
        for gate in gates:
            gate.set()
        rest = await client.rest()
        stop = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
        assert rest.endswith((EVENTS[-1], b"data: [DONE]\n\n", stop))
        await client.leave()

    asyncio.run(run())


def test_a_read_without_frames_sends_nothing() -> None:
    """Not even an empty piece, which would count as a sign of life and put the next ping off."""
    sent: list[Any] = []

    async def send(piece: Any) -> None:
        sent.append(piece)

    async def play() -> None:
        stream = StreamAnswer(Answer(send, Trail("id"), {}), NEVER)
        await stream.put([])
        assert sent == []
        await stream.put([Frame(b"data: {}\n\n")])
        before = len(sent)
        await stream.put([])
        assert len(sent) == before

    asyncio.run(play())


def test_a_failure_after_a_ping_is_told_in_the_stream(ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gate = asyncio.Event()
        fake.steps = [gate, sse(scenes.failed("rate_limit_exceeded"))]
        for path, shape in (
            ("/v1/responses", b"event: response.failed\n"),
            ("/v1/chat/completions", b'data: {"error":'),
            ("/v1/messages", b'event: error\ndata: {"type":"error","error":{"type":"rate_limit_error",'),
        ):
            gate.clear()
            client = Client(ask.gateway("responses", keepalive_interval=0.001), path)
            assert await client.next() == b": ping\n\n"
            gate.set()
            assert (await client.rest()).replace(b": ping\n\n", b"").startswith(shape)
            await client.leave()

    asyncio.run(run())


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("seen", [0, 4])
def test_a_client_that_leaves_hangs_up_on_the_upstream(stream: bool, seen: int, ask: Asking, fake: Fake) -> None:
    async def run() -> None:
        gates = gated(fake)
        client = Client(ask.gateway("responses", keepalive_interval=NEVER, max_concurrency=1), stream=stream)
        for gate in gates[:seen]:
            gate.set()
        await settle()
        assert (len(fake.requests), fake.closed) == (1, 0)
        await client.leave()
        assert fake.closed == 1

    asyncio.run(run())
