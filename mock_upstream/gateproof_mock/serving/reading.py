"""Requests as the load engine reads them: by h11 when a head is new, and by its bytes when it was there before."""

from __future__ import annotations

import h11

from gateproof_mock.control import BODY_LIMIT as CONTROL_LIMIT
from gateproof_mock.control import PREFIX
from gateproof_mock.dialects.routes import route
from gateproof_mock.serving.answers import Transfer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.limits import BODY_LIMIT, path_of, target_problem

SEEN_SIZE = 64 * 1024
"""Bytes of a request up to which it is remembered."""


class KnownHead:
    """A request's head that was read before: the same bytes mean the same."""

    __slots__ = ("headers", "length", "method", "target", "transfer")

    def __init__(
        self, method: str, target: str, headers: list[tuple[str, str]], length: int, transfer: Transfer
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.length = length
        self.transfer = transfer


class Reading:
    """A request that is being read by h11: what came so far, and what is wrong with it."""

    def __init__(self) -> None:
        self._parser = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._raw = b""
        self._pieces: list[bytes] = []
        self._size = 0
        self.refused: tuple[int, str] | None = None
        self.rest = b""
        self.continued = False

    @property
    def call_begun(self) -> bool:
        return self._request is not None

    @property
    def wants_continue(self) -> bool:
        return self.refused is None and self._parser.they_are_waiting_for_100_continue

    def feed(self, data: bytes) -> bool:
        """Take in what came; whether the request is whole."""
        if len(self._raw) <= SEEN_SIZE:
            self._raw += data
        try:
            self._parser.receive_data(data)
            while True:
                event = self._parser.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return False
                if isinstance(event, h11.Request):
                    self._request = event
                    self.refused = self._problem(event)
                    if self.refused:
                        return False
                elif isinstance(event, h11.Data):
                    self._add(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    self.rest = self._parser.trailing_data[0]
                    return self.refused is None
                else:
                    return False
        except h11.RemoteProtocolError as error:
            self.refused = self.refused or (error.error_status_hint, f"This is no HTTP/1.1 request: {error}")
        return False

    def _problem(self, request: h11.Request) -> tuple[int, str] | None:
        """What is wrong with a head that h11 finds right."""
        said = dict(request.headers)
        if b"content-length" in said and b"transfer-encoding" in said:
            # Two readers might frame it differently (RFC 9112, section 6.3).
            return 400, "A request has Content-Length or Transfer-Encoding, and not both."
        if wrong := target_problem(request.target.decode("latin-1")):
            return 400, wrong
        if int(said.get(b"content-length", b"0")) > self._limit():
            return 413, f"A request body may hold {self._limit()} bytes."
        return None

    def _limit(self) -> int:
        return CONTROL_LIMIT if path_of(self.call().path).startswith(PREFIX) else BODY_LIMIT

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit():
            self.refused = (413, f"A request body may hold {self._limit()} bytes.")
            self._pieces.clear()
        elif self.refused is None:
            self._pieces.append(data)

    @property
    def transfer(self) -> Transfer:
        request = self._request
        if request is None:
            return Transfer(keeps=False)
        words = b",".join(v.lower() for k, v in request.headers if k == b"connection")
        old = request.http_version == b"1.0"
        keeps = not old and b"close" not in [w.strip() for w in words.split(b",")]
        return Transfer(keeps=keeps, chunks=not old, bodiless=request.method == b"HEAD")

    def call(self) -> Call:
        request = self._request
        if request is None:
            return Call("", "", [], b"", None)
        target = request.target.decode("latin-1")
        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw_items()]
        return Call(request.method.decode(), target, headers, b"".join(self._pieces), route(path_of(target)))

    def head(self) -> tuple[bytes, KnownHead] | None:
        """The head as it came, if a request that begins with the same bytes can be read without a parser."""
        end = self._raw.find(b"\r\n\r\n") + 4
        chunked = self._request is None or any(k in (b"transfer-encoding", b"expect") for k, _ in self._request.headers)
        if end <= 3 or chunked or len(self._raw) > SEEN_SIZE:
            return None
        if self._raw.count(b"\n", 0, end) != self._raw.count(b"\r\n", 0, end):
            # Lines that end with LF alone: the empty line found here may be one of the body's.
            return None
        call = self.call()
        return self._raw[:end], KnownHead(call.method, call.path, call.headers, self._size, self.transfer)
