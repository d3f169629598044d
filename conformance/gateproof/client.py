"""The client's side of an exchange: plain HTTP, bounded in time and memory, never an exception for what a gateway does."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import httpx

from gateproof.answers import chat, messages, responses
from gateproof.answers.absent import Missing
from gateproof.answers.answer import ABORTED, BROKEN, CUT, ERROR, HUNG, Answer, Error
from gateproof.answers.document import parse_body
from gateproof.answers.sse import EventReader
from gateproof.curfew import Curfew
from gateproof.questions import headers as surface_headers
from gateproof.redact import is_secret
from gateproof_mock.serving.journal import Leg

LEG_LIMIT = 8 * 1024 * 1024
"""Bytes of an answer that are read. More is a flood: no turn of the edition is a tenth of it."""

_CHUNKS = 3
"""Chunks of a body that is sent so: more than one, or a gateway that reads the first alone has read it whole."""

READERS: dict[str, tuple[Callable[[Answer], None], Callable[[Answer], Any]]] = {
    "chat": (chat.read_body, chat.ChunkReader),
    "responses": (responses.read_body, responses.EventCollector),
    "messages": (messages.read_body, messages.BlockReader),
}


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request to the gateway. `path` begins with a slash. `limit`: bytes of the answer that are read.

    `key`: in place of every credential of the client's, "" for none. `key_in`: the one header, by its lower-case name, that
    shows the client's own key; "" for all that its surface has. `chunked`: the body goes in chunks, its length unsaid.
    `line`: the connection that it goes over; without one it has a connection of its own.

    An Accept or a Content-Type among the `headers` stands in place of the client's.

    With an Accept-Encoding among the `headers` the answer is unpacked as its Content-Encoding says; without, none was asked for.
    """

    method: str
    path: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    limit: int = LEG_LIMIT
    key: str | None = None
    key_in: str = ""
    chunked: bool = False
    line: Line | None = None

    @property
    def unpacks(self) -> bool:
        """Whether the answer may be compressed."""
        return any(name.lower() == "accept-encoding" for name, _ in self.headers)


class Line:
    """A connection that is kept for the next request, as SDKs keep theirs; another one where the gateway has closed it.

    `connections`: how many were opened so far. `ends`: whether the last answer said that its connection ends with it. For
    one request at a time.
    """

    def __init__(self, transport: httpx.HTTPTransport) -> None:
        self.transport = transport
        self.connections = 0
        self.ends = False
        self.network: Any = None

    def goes_over(self, network: Any, *, new: bool) -> None:
        """Keep in mind what the requests now go over: a `new` connection, or TLS on the one that was opened last."""
        self.connections += new
        self.network = network

    def heard(self, response: httpx.Response) -> None:
        """Keep in mind what the answer said of its connection (RFC 9112 9.3)."""
        options = response.headers.get("connection", "").lower()
        self.ends = "close" in options or (response.http_version == "HTTP/1.0" and "keep-alive" not in options)

    def close(self) -> None:
        self.transport.close()


class GatewayClient:
    """Requests to one gateway. `ceiling`: seconds until an answer must have ended."""

    def __init__(
        self, origin: str, key: str = "", headers: tuple[tuple[str, str], ...] = (), ceiling: float = 20.0
    ) -> None:
        self.origin = origin
        self.ceiling = ceiling
        self._key = key
        self._given = {name.lower() for name, _ in headers}
        self._fixed = [
            ("Accept", "*/*"),
            ("Accept-Encoding", "identity"),
            ("Connection", "keep-alive"),
            ("User-Agent", f"python-httpx/{httpx.__version__}"),
        ]
        self._fixed = [*_without(self._fixed, self._given), *headers]
        if key and "authorization" not in self._given:
            self._fixed.append(("Authorization", f"Bearer {key}"))
        # Each question stands alone: what httpx.Client adds to a transport (cookies, redirects, proxies and credentials of the
        # environment) must not be, and costs half as much again. No connection is used twice either: a gateway may close an
        # idle one just as it is taken up again, which is no fault of it. Only a case that wants to know takes a Line.
        self._transport = _transport(origin, connections=64, kept=0)
        self._timeouts = httpx.Timeout(ceiling, connect=min(ceiling, 5.0)).as_dict()
        self._curfew = Curfew(ceiling)

    def close(self) -> None:
        self._curfew.close()
        self._transport.close()

    def line(self) -> Line:
        """A connection for several requests, to be closed after them."""
        return Line(_transport(self.origin, connections=1, kept=1))

    def open(self, surface: str, request: Request, *, stream: bool, live: bool = False) -> Reading:
        """A request on its way. Never raises for the gateway's sake."""
        accept = "text/event-stream" if stream else "application/json"
        key = self._key if request.key is None else request.key
        own = [(n, v) for n, v in surface_headers(surface, key) if n not in self._given]
        if request.key:
            own.append(("Authorization", f"Bearer {request.key}"))
        told = {name.lower() for name, _ in request.headers}
        usual = _without([("Content-Type", "application/json"), ("Accept", accept)], told)
        headers = [*usual, *own, *request.headers]
        fixed = _without(self._fixed, {name.lower() for name, _ in headers})
        if request.key is not None:
            fixed = [(name, value) for name, value in fixed if not is_secret(name)]
        sent = [*fixed, *headers]
        if request.key_in:
            sent = _without(sent, {"authorization", "x-api-key"} - self._given - {request.key_in})
        return Reading(self, surface, request, sent, stream=stream, live=live)

    def built(
        self, request: Request, headers: list[tuple[str, str]], trace: Callable[[str, Any], None]
    ) -> httpx.Request:
        """What is sent for a request. Raises what httpx raises."""
        extensions = {"timeout": self._timeouts, "trace": trace}
        url = _url(self.origin, request.path)
        # What has no length to httpx, it sends in chunks.
        body = _pieces(request.body) if request.chunked else request.body
        return httpx.Request(request.method, url, headers=headers, content=body, extensions=extensions)

    def send(self, built: httpx.Request, line: Line | None = None) -> httpx.Response:
        """The answer, its body unread. Raises what httpx raises."""
        return (line.transport if line is not None else self._transport).handle_request(built)

    def curfew(self, call_in: Callable[[], None]) -> AbstractContextManager[None]:
        """Inside, `call_in` is called from another thread when the ceiling is reached."""
        return self._curfew.out(call_in)

    def get_json(self, path: str) -> Any:
        """The JSON document at a path, or MISSING for whatever goes wrong."""
        answer = self.open("chat", Request("GET", path, b""), stream=False).finish()
        return answer.body if answer.status == 200 else Missing(path)


def _transport(origin: str, *, connections: int, kept: int) -> httpx.HTTPTransport:
    return httpx.HTTPTransport(
        # Loading the certificates costs 50 ms a client; plain HTTP has no use for them.
        verify=origin.startswith("https"),
        trust_env=False,
        limits=httpx.Limits(max_connections=connections, max_keepalive_connections=kept),
    )


def _pieces(body: bytes) -> Iterator[bytes]:
    """The body in a few chunks."""
    size = max(1, -(-len(body) // _CHUNKS))
    return (body[at : at + size] for at in range(0, len(body), size))


@lru_cache(maxsize=64)
def _url(origin: str, path: str) -> httpx.URL:
    # To read it takes httpx half of a request's making.
    return httpx.URL(origin.rstrip("/") + path)


def _without(headers: Iterable[tuple[str, str]], names: Container[str]) -> list[tuple[str, str]]:
    """The headers whose lower-case name is not among these."""
    return [(name, value) for name, value in headers if name.lower() not in names]


class Reading:
    """An answer while it is read: `finish` waits for its end, `until` (live readings only) for a state of it.

    A live one is read in a thread of its own, from now on; any other by whoever calls `finish`. httpx bounds each read and not
    their sum, so that a gateway which sends its headers byte by byte would hold whoever reads them for hours: at the ceiling
    the connection is ended.
    """

    def __init__(
        self,
        client: GatewayClient,
        surface: str,
        request: Request,
        headers: list[tuple[str, str]],
        *,
        stream: bool,
        live: bool = False,
    ) -> None:
        self.answer = Answer(outcome="")
        self.leg = Leg()
        self.wire = bytearray()
        self.began = time.time()
        self.ended = 0.0
        self.clean = True
        self.sse = EventReader()
        self.sent_headers = headers
        self._surface = surface
        self._stream = stream
        self._collector: Any = None
        self._response: httpx.Response | None = None
        self._changed = threading.Condition()
        self._client = client
        self._request = request
        self._network: Any = None
        self._fault: BaseException | None = None
        self._thread: threading.Thread | None = None
        if live:
            self._thread = threading.Thread(target=self._run, daemon=True, name="gateproof-reading")
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
            self._run()
        else:
            self._thread.join()
        if self._fault is not None:
            raise self._fault
        return self.answer

    def hang_up(self) -> None:
        """End the connection in the middle of the answer; the reading ends with it."""
        held = self._network.get_extra_info("socket") if self._network is not None else None
        if held is not None:
            # Not closed: that would leave the reading thread in its read.
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    # -- inside

    def _run(self) -> None:
        try:
            with self._client.curfew(self._time_is_up):
                self._read()
        except BaseException as fault:
            # A fault of the suite, for whoever calls `finish`.
            self._fault = fault
            self._end(BROKEN, repr(fault))

    def _time_is_up(self) -> None:
        self._end(HUNG, f"no answer, or no end of it, within {self._client.ceiling:g} s")
        self.hang_up()

    def _read(self) -> None:
        self._guard(self._send)
        if self._response is None:
            return
        # Without a chunk size: with one, httpx holds bytes back until it is full.
        pieces = self._response.iter_bytes() if self._request.unpacks else self._response.iter_raw()
        try:
            if not self.over:
                self._guard(lambda: self._take_all(pieces))
        finally:
            self._guard(self._response.close)

    def _send(self) -> None:
        built = self._client.built(self._request, self.sent_headers, self._note_connection)
        self.sent_headers = list(built.headers.items())
        line = self._request.line
        if line is not None:
            # Told again where a new one is opened.
            self._network = line.network
        response = self._client.send(built, line)
        if line is not None:
            line.heard(response)
        self._response = response
        with self._changed:
            if self.over:
                return
            answer = self.answer
            answer.status = response.status_code
            answer.headers = {name.lower(): value for name, value in response.headers.items()}
            if answer.status == 200 and self._stream:
                # Whatever the type says, as the SDKs do: they look at what they asked for.
                self._collector = READERS[self._surface][1](answer)
            self._changed.notify_all()

    def _note_connection(self, step: str, what: dict[str, Any]) -> None:
        if step in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self._network = what["return_value"]
            if self._request.line is not None:
                self._request.line.goes_over(self._network, new=step == "connection.connect_tcp.complete")
            if self.over:
                self.hang_up()

    def _take_all(self, pieces: Iterator[bytes]) -> None:
        for piece in pieces:
            with self._changed:
                if self.over:
                    return
                self._take(piece)
                self._changed.notify_all()
        with self._changed:
            if not self.over:
                self._finished()
                self.ended = time.time()
            self._changed.notify_all()

    def _take(self, data: bytes) -> None:
        at = time.time()
        self.leg.add(data, at)
        self.wire += data
        limit = self._request.limit
        if len(self.wire) > limit:
            self._end(BROKEN, f"the answer is longer than {limit // 2**20} MiB; the suite read no further")
            return
        if self._collector is not None:
            for event in self.sse.feed(data, at):
                self._collector.take(event)

    def _finished(self) -> None:
        answer = self.answer
        if self._collector is not None:
            self._collector.end()
            if answer.outcome == CUT and not answer.events:
                answer.reason += f", or any event: {self._shown()}"
            return
        try:
            answer.body = parse_body(bytes(self.wire))
        except ValueError:
            answer.outcome = ERROR if answer.status >= 400 else BROKEN
            answer.reason = (
                f"the body is not JSON: {self._shown()}" if self.wire else f"the body is empty ({self._kind()})"
            )
            if answer.status >= 400:
                answer.error = self._unnamed()
            return
        if answer.status >= 400:
            answer.outcome = ERROR
            answer.error = chat.read_error(answer.body, "http", answer.status) or self._unnamed()
        elif answer.status == 200:
            READERS[self._surface][0](answer)
        else:
            answer.outcome, answer.reason = BROKEN, f"HTTP {answer.status} is no answer to this request"

    def _unnamed(self) -> Error:
        """An error by its status alone."""
        missing = Missing("error")
        return Error("http", self.answer.status, missing.message, missing.code, missing.type)

    def _kind(self) -> str:
        headers = self.answer.headers
        coding = headers.get("content-encoding", "identity").strip().lower()
        packed = f", {coding} though identity was asked for" if coding not in ("identity", "") else ""
        return headers.get("content-type", "no content type") + packed

    def _shown(self) -> str:
        return f"{bytes(self.wire[:80]).decode('utf-8', 'replace')!r} ({self._kind()})"

    def _end(self, outcome: str, reason: str) -> None:
        with self._changed:
            if self.over:
                return
            self.clean = False
            # What was terminal stays terminal: a connection that breaks after the end of a turn has not undone it.
            if not self.answer.outcome or outcome in (HUNG, BROKEN):
                self.answer.outcome, self.answer.reason = outcome, reason
            self.ended = time.time()
            self._changed.notify_all()

    def _guard(self, action: Callable[[], Any]) -> None:
        try:
            action()
        except httpx.ReadTimeout:
            self._end(HUNG, f"no answer, or no end of it, within {self._client.ceiling:g} s")
        except httpx.TimeoutException as error:
            self._end(HUNG, f"{type(error).__name__} within {self._client.ceiling:g} s")
        except httpx.ConnectError as error:
            self._end(BROKEN, f"could not connect: {error}")
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError, httpx.CloseError) as error:
            if self.answer.status:
                self._end(ABORTED, f"the transfer broke: {error or type(error).__name__}")
            else:
                self._end(BROKEN, f"no HTTP answer: {error or type(error).__name__}")
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            self._end(BROKEN, f"not readable: {error!r}")
