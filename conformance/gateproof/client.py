"""The client's side of an exchange: plain HTTP, bounded in time and memory, never an exception for what a gateway does."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
from gateproof_mock.journal import Leg

from gateproof.answers import chat, responses
from gateproof.answers.answer import ABORTED, BROKEN, ERROR, HUNG, Answer, Error
from gateproof.answers.absent import Missing
from gateproof.answers.sse import EventReader

LEG_LIMIT = 8 * 1024 * 1024
"""Bytes of an answer that are read. More is a flood: no turn of the edition is a tenth of it."""

READERS: dict[str, tuple[Callable[[Answer], None], Callable[[Answer], Any]]] = {
    "chat": (chat.read_body, chat.ChunkReader),
    "responses": (responses.read_body, responses.EventCollector),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to the gateway. `path` begins with a slash."""

    method: str
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class GatewayClient:
    """Requests to one gateway. `ceiling`: seconds until an answer must have ended."""

    def __init__(self, origin: str, key: str = "", headers: tuple[tuple[str, str], ...] = (), ceiling: float = 20.0) -> None:
        self.origin = origin
        self.ceiling = ceiling
        fixed = [("Accept-Encoding", "identity"), *headers]
        if key and not any(name.lower() == "authorization" for name, _ in headers):
            fixed.append(("Authorization", f"Bearer {key}"))
        self._client = httpx.Client(
            base_url=origin,
            headers=fixed,
            timeout=httpx.Timeout(ceiling, connect=min(ceiling, 5.0)),
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=8),
        )

    def close(self) -> None:
        self._client.close()

    def open(self, surface: str, request: Request, *, stream: bool, live: bool = False) -> Reading:
        """A request on its way. Never raises for the gateway's sake."""
        accept = "text/event-stream" if stream else "application/json"
        headers = [("Content-Type", "application/json"), ("Accept", accept), *request.headers]
        return Reading(self._client, surface, request, headers, self.ceiling, live=live)

    def get_json(self, path: str) -> Any:
        """The JSON document at a path, or MISSING for whatever goes wrong."""
        try:
            answer = self._client.get(path)
            return answer.json() if len(answer.content) < LEG_LIMIT else Missing(path)
        except (httpx.HTTPError, ValueError):
            return Missing(path)


class Reading:
    """An answer while it is read: `finish` waits for its end, `until` (live readings only) for a state of it.

    A live reading reads in a thread of its own: httpx fixes a read's time-out when the body begins, and a time-out ends
    the body, so waiting a little and then reading on is not to be had in one thread.
    """

    def __init__(
        self,
        client: httpx.Client,
        surface: str,
        request: Request,
        headers: list[tuple[str, str]],
        ceiling: float,
        *,
        live: bool = False,
    ) -> None:
        self.answer = Answer(outcome="")
        self.leg = Leg()
        self.wire = bytearray()
        self.began = time.time()
        self.ended = 0.0
        self.clean = True
        self.sse = EventReader()
        self.sent_headers: list[tuple[str, str]] = list(headers)
        self._surface = surface
        self._deadline = time.monotonic() + ceiling
        self._ceiling = ceiling
        self._collector: Any = None
        self._response: httpx.Response | None = None
        self._changed = threading.Condition()
        self._client = client
        self._request = request
        self._headers = headers
        self._thread: threading.Thread | None = None
        if live:
            self._thread = threading.Thread(target=self._read, daemon=True, name="gateproof-reading")
            self._thread.start()

    @property
    def over(self) -> bool:
        return self.ended > 0

    def until(self, state: Callable[[Answer], bool], ceiling: float) -> bool:
        """Whether the answer so far comes to this state before it ends and within `ceiling` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self.over or state(self.answer), ceiling)
            return state(self.answer)

    def finish(self) -> Answer:
        """Read to the end, or to the ceiling."""
        if self._thread is None:
            self._read()
        else:
            # The reading bounds itself; twice its ceiling is for a reader that is stuck in one read.
            self._thread.join(2 * self._ceiling + 5.0)
            if self._thread.is_alive():
                self._end(HUNG, f"no end of the answer within {self._ceiling:g} s")
        return self.answer

    def hang_up(self) -> None:
        """Close the connection in the middle of the answer."""
        if self._response is not None:
            self._guard(self._response.close)

    # -- inside

    def _read(self) -> None:
        self._guard(self._send)
        if self._response is None or self.over:
            return
        # Without a chunk size: with one, httpx holds bytes back until it is full.
        pieces = self._response.iter_raw()
        try:
            self._guard(lambda: self._take_all(pieces))
        finally:
            self._guard(self._response.close)

    def _send(self) -> None:
        request = self._request
        built = self._client.build_request(request.method, request.path, content=request.body, headers=self._headers)
        self.sent_headers = list(built.headers.items())
        self._response = response = self._client.send(built, stream=True)
        with self._changed:
            answer = self.answer
            answer.status = response.status_code
            answer.headers = {name.lower(): value for name, value in response.headers.items()}
            kind = answer.headers.get("content-type", "")
            if answer.status == 200 and "text/event-stream" in kind:
                self._collector = READERS[self._surface][1](answer)
            self._changed.notify_all()

    def _take_all(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            with self._changed:
                self._take(piece)
                self._changed.notify_all()
            if self.over:
                return
            if time.monotonic() > self._deadline:
                self._end(HUNG, f"no end of the answer within {self._ceiling:g} s")
                return
        with self._changed:
            self._finished()
            self._changed.notify_all()

    def _take(self, data: bytes) -> None:
        at = time.time()
        self.leg.add(data, at)
        self.wire += data
        if len(self.wire) > LEG_LIMIT:
            self._end(BROKEN, f"the answer is longer than {LEG_LIMIT // 2**20} MiB; the suite read no further")
            return
        if self._collector is not None:
            for event in self.sse.feed(data, at):
                self._collector.take(event)

    def _finished(self) -> None:
        answer = self.answer
        self.ended = time.time()
        if self._collector is not None:
            self._collector.end()
            return
        kind = answer.headers.get("content-type", "no content type")
        try:
            answer.body = json.loads(bytes(self.wire))
        except (ValueError, RecursionError):
            answer.outcome = ERROR if answer.status >= 400 else BROKEN
            shown = bytes(self.wire[:80]).decode("utf-8", "replace")
            answer.reason = f"the body is not JSON ({kind}): {shown!r}" if shown else f"the body is empty ({kind})"
            if answer.status >= 400:
                missing = Missing("error")
                answer.error = Error("http", answer.status, missing.message, missing.code, missing.type)
            return
        if answer.status >= 400:
            answer.outcome = ERROR
            error = chat.read_error(answer.body, "http", answer.status)
            missing = Missing("error")
            answer.error = (
                error
                if isinstance(error, Error)
                else Error("http", answer.status, missing.message, missing.code, missing.type, raw=error or None)
            )
        elif answer.status == 200:
            READERS[self._surface][0](answer)
        else:
            answer.outcome, answer.reason = BROKEN, f"HTTP {answer.status} is no answer to this request"

    def _end(self, outcome: str, reason: str) -> None:
        # What was terminal stays terminal: a connection that breaks after the end of a turn has not undone it.
        if not self.answer.outcome or outcome in (HUNG, BROKEN):
            self.answer.outcome, self.answer.reason = outcome, reason
        with self._changed:
            self.ended = self.ended or time.time()
            self._changed.notify_all()

    def _guard(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except httpx.ReadTimeout:
            self._end(HUNG, f"no answer, or no end of it, within {self._ceiling:g} s")
        except httpx.TimeoutException as error:
            self._end(HUNG, f"{type(error).__name__} within {self._ceiling:g} s")
        except httpx.ConnectError as error:
            self._end(BROKEN, f"could not connect: {error}")
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError) as error:
            self.clean = False
            if self.answer.status:
                self._end(ABORTED, f"the transfer broke: {error or type(error).__name__}")
            else:
                self._end(BROKEN, f"no HTTP answer: {error or type(error).__name__}")
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            self._end(BROKEN, f"not readable: {error!r}")
