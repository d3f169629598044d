"""The client's end: one JSON answer, or a stream that commits to its 200 as late as it can."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from starlette.types import Send

from gateproof_reference import failures, sse, wirejson
from gateproof_reference.failures import Failure
from gateproof_reference.logs import Trail
from gateproof_reference.redaction import scrub
from gateproof_reference.streams import Frame
from gateproof_reference.wirejson import Object

JSON_TYPE = "application/json"
SSE_TYPE = "text/event-stream; charset=utf-8"


class Answer:
    """Sends one HTTP answer. `secrets` never leave, in headers or bodies; `started` once the status is out."""

    def __init__(self, send: Send, trail: Trail, secrets: Mapping[bytes, bytes]) -> None:
        self._send = send
        self.trail = trail
        self._secrets = secrets
        self.started = False
        self.status = 0
        """The status that is out."""
        self.envelope: Callable[[Failure, str], Object] = lambda failure, _: failures.envelope(failure)
        """How a failure is worded; the surface says it, once there is one."""

    async def start(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        """Send the status line and the headers; the request id is in every answer."""
        self.started, self.status = True, status
        every = {"content-type": content_type, "x-request-id": self.trail.request_id, **headers}
        raw = [
            (name.encode("latin-1"), self.scrub(value.encode("latin-1", "replace"))) for name, value in every.items()
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        await self._send({"type": "http.response.body", "body": self.scrub(data), "more_body": True})

    async def end(self) -> None:
        """End the body."""
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def json(
        self, data: bytes, status: int = 200, headers: Mapping[str, str] | None = None, content_type: str = JSON_TYPE
    ) -> None:
        """Send a whole answer."""
        data = self.scrub(data)
        await self.start(status, content_type, {"content-length": str(len(data)), **(headers or {})})
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def refuse(self, failure: Failure, headers: Mapping[str, str] | None = None) -> None:
        """Send a failure with its own status. Retry-After is the upstream's advice, and kept."""
        advice = {"retry-after": failure.retry_after} if failure.retry_after else {}
        status = failures.status_of(failure)
        await self.json(
            wirejson.dump(self.envelope(failure, self.trail.request_id)), status, {**advice, **(headers or {})}
        )

    def scrub(self, data: bytes) -> bytes:
        """Return `data` without the operator's keys. A frame is sent whole, so the key cannot hide between two."""
        return scrub(data, self._secrets)


class StreamAnswer:
    """An answer that is a stream. Openings wait for a real frame or for the first ping; until then nothing is out."""

    def __init__(self, answer: Answer, interval: float) -> None:
        self._answer = answer
        self._interval = interval
        self._held: list[bytes] = []
        self._turn = asyncio.Lock()
        self._last = time.monotonic()

    @property
    def started(self) -> bool:
        """Whether the 200 is out, so that a failure must be told in the stream."""
        return self._answer.started

    async def put(self, frames: Sequence[Frame]) -> None:
        """Send frames in one piece; if they are openings and nothing is out yet, hold them back.

        No frames are nothing at all: what the upstream says to itself, as in comments, must not put a ping off.
        """
        if not frames:
            return
        data = b"".join(frame.data for frame in frames)
        if self.started or not all(frame.opening for frame in frames):
            await self.write(data)
        else:
            self._held.append(data)

    async def write(self, data: bytes) -> None:
        """Send what was held back, then `data`; whole frames only, so that pings fall between them."""
        async with self._turn:
            if not self.started:
                headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
                await self._answer.start(200, SSE_TYPE, headers)
            self._last = time.monotonic()
            held, self._held = self._held, []
            await self._answer.write(b"".join(held) + data)

    async def end(self) -> None:
        """End the stream; what was still held back goes out with it."""
        if self._held or not self.started:
            await self.write(b"")
        await self._answer.end()

    async def silence(self, pings: asyncio.Task[None]) -> None:
        """End keep_alive(), but not in the middle of a write: what it holds would be lost."""
        async with self._turn:
            pings.cancel()

    async def keep_alive(self) -> None:
        """Send a ping after every interval (seconds) of silence, for ever; cancel it before the stream ends."""
        while True:
            due = self._last + self._interval - time.monotonic()
            if due > 0:
                await asyncio.sleep(due)
            else:
                await self.write(sse.PING)
