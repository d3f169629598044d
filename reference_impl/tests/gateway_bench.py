"""A gateway in this process, with an upstream that a test scripts as a list of bytes."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from gateproof_reference.server import Gateway, Settings

CUT = "cut"
"""A step of a script: the connection breaks here."""


class _Body(httpx.AsyncByteStream):
    def __init__(self, steps: list[Any], fake: "Fake") -> None:
        self._steps = steps
        self._fake = fake

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for step in self._steps:
            if step == CUT:
                raise httpx.ReadError("reset")
            if isinstance(step, asyncio.Event):
                await step.wait()
            elif isinstance(step, bytes):
                yield step
            else:
                raise step

    async def aclose(self) -> None:
        self._fake.closed += 1


@dataclass
class Fake:
    """The upstream: what it answers, and what it was asked."""

    steps: list[Any] = field(default_factory=list)
    status: int = 200
    media_type: str = "text/event-stream"
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)
    closed: int = 0

    def streams(self, *events: Any) -> None:
        """Answer with these events (objects, or bytes as they are)."""
        self.media_type = "text/event-stream"
        self.steps = [event if not isinstance(event, dict) else sse(event) for event in events]

    def says(self, body: Any, status: int = 200, media_type: str = "application/json", **headers: str) -> None:
        """Answer with one body."""
        self.status, self.media_type, self.headers = status, media_type, headers
        self.steps = [body if isinstance(body, bytes) else json.dumps(body).encode()]

    def handle(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        headers = {"content-type": self.media_type, **self.headers}
        return httpx.Response(self.status, headers=headers, stream=_Body(self.steps, self))

    @property
    def asked(self) -> Any:
        """The body of the last call."""
        return json.loads(self.requests[-1].content)


def sse(event: dict[str, Any]) -> bytes:
    """Return an event as bytes, with its `event:` line if it has a type."""
    name = f"event: {event['type']}\n" if "type" in event else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


@dataclass
class Told:
    """What a client read."""

    status: int
    headers: httpx.Headers
    raw: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.raw)

    @property
    def data(self) -> list[str]:
        """The data of every event, in order."""
        blocks = self.raw.decode().split("\n\n")
        return [line[6:] for block in blocks for line in block.split("\n") if line.startswith("data: ")]

    @property
    def events(self) -> list[Any]:
        """Every event that is JSON."""
        return [json.loads(data) for data in self.data if data != "[DONE]"]

    def deltas(self, name: str) -> str:
        """What the chunks of a chat stream add up to in one member."""
        choices = [choice for event in self.events for choice in event.get("choices", [])]
        return "".join(choice["delta"].get(name) or "" for choice in choices)

    @property
    def reasons(self) -> list[str]:
        choices = [choice for event in self.events for choice in event.get("choices", [])]
        return [choice["finish_reason"] for choice in choices if choice["finish_reason"]]


Ask = Callable[..., Told]


class Asking:
    """Asks a gateway. One event loop per question: nothing of a question may outlive it."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    def gateway(self, dialect: str, **settings: Any) -> Gateway:
        chosen = Settings(upstream="http://upstream.invalid/v1", dialect=dialect, **settings)
        return Gateway(chosen, transport=httpx.MockTransport(self._fake.handle))

    def request(self, method: str, path: str, dialect: str = "responses", body: Any = None, **settings: Any) -> Told:
        headers = settings.pop("headers", {})

        async def run() -> Told:
            gateway = self.gateway(dialect, **settings)
            transport = httpx.ASGITransport(app=gateway)
            async with httpx.AsyncClient(transport=transport, base_url="http://gateway.invalid") as client:
                content = body if isinstance(body, bytes) else (b"" if body is None else json.dumps(body).encode())
                reply = await client.request(method, path, content=content, headers=headers)
            await gateway.aclose()
            return Told(reply.status_code, reply.headers, reply.content)

        return asyncio.run(run())

    def chat(self, dialect: str, stream: bool = True, path: str = "/v1/chat/completions", **more: Any) -> Told:
        settings = {name: more.pop(name) for name in list(more) if name in Settings.__slots__}
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream, **more}
        return self.request("POST", path, dialect, body, **settings)

    def responses(self, dialect: str, stream: bool = True, path: str = "/v1/responses", **more: Any) -> Told:
        settings = {name: more.pop(name) for name in list(more) if name in Settings.__slots__}
        return self.request("POST", path, dialect, {"model": "m", "input": "hi", "stream": stream, **more}, **settings)

    def messages(self, dialect: str, stream: bool = True, path: str = "/v1/messages", **more: Any) -> Told:
        settings = {name: more.pop(name) for name in list(more) if name in (*Settings.__slots__, "headers")}
        said = [{"role": "user", "content": "hi"}]
        body = {"model": "m", "max_tokens": 1234, "messages": said, "stream": stream, **more}
        return self.request("POST", path, dialect, body, **settings)

    def turn(self, surface: str, dialect: str, **more: Any) -> Told:
        """Ask for one turn of any surface."""
        return {"chat": self.chat, "responses": self.responses, "messages": self.messages}[surface](dialect, **more)
