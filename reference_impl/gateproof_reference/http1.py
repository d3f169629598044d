"""HTTP/1.1 to the upstream: a transport for httpx with a connection per call, on which a read takes whatever has come.

Providers send each event in an HTTP chunk of its own, and the transport that httpx brings takes 20 microseconds for a chunk:
five times what the translation of its event takes. Here all that the socket had is one piece of the body, however many
chunks it holds. llhttp reads the protocol, through httptools.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator

import httptools
import httpx

READ_AHEAD = 64 * 1024
"""Bytes of a body that may wait to be read; with more, nothing is taken from the socket."""

HEAD_LIMIT = 64 * 1024
"""Bytes that an answer may have before its body begins."""

PORTS = {"http": 80, "https": 443}


class Transport(httpx.AsyncBaseTransport):
    """Opens a connection for every request, and hangs up when its answer is closed. Raises what httpx's own does."""

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions["timeout"]
        sent = request_head(request) + await request.aread()
        answer = await self._connect(request.url, timeouts["connect"], timeouts["read"])
        try:
            await answer.send(sent, timeouts["write"])
            await answer.read_head()
        except BaseException:
            await answer.aclose()
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    async def _connect(self, url: httpx.URL, patience: float | None, read_patience: float | None) -> "Answer":
        host, port = url.raw_host.decode("ascii"), url.port or PORTS[url.scheme]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(patience):
                _, answer = await loop.create_connection(
                    lambda: Answer(read_patience), host, port, ssl=self._tls_for(url)
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout(str(error)) from error
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        return answer

    def _tls_for(self, url: httpx.URL) -> ssl.SSLContext | None:
        if url.scheme == "https" and self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        return self._tls if url.scheme == "https" else None


def request_head(request: httpx.Request) -> bytes:
    """Return the bytes before the body. Raise LocalProtocolError for a header that would end its line."""
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    for name, value in request.headers.raw:
        if any(byte in name + value for byte in b"\r\n\0"):
            raise httpx.LocalProtocolError("a header holds a line break")
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join(lines) + b"\r\n\r\n"


class Answer(asyncio.Protocol, httpx.AsyncByteStream):
    """One connection and the answer on it: its head, and then its body in the pieces that the network brings.

    What came before a connection broke is read before that is told. `patience` (seconds) bounds each silence.
    """

    def __init__(self, patience: float | None) -> None:
        self._patience = patience
        self._parser = httptools.HttpResponseParser(self)
        self._news = asyncio.Event()
        self._writable = asyncio.Event()
        self._writable.set()
        self._head_size = 0
        self._body_begun = False
        self._body: list[bytes] = []
        self._waiting = 0
        self._whole = False
        self._fault: httpx.TransportError | None = None
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    # -- for the transport

    async def send(self, data: bytes, patience: float | None) -> None:
        """Send the request. An upstream that hangs up on it may have answered before, which reading will tell."""
        self._connection.write(data)
        if self._writable.is_set():
            return
        try:
            async with asyncio.timeout(patience):
                await self._writable.wait()
        except TimeoutError as error:
            raise httpx.WriteTimeout(str(error)) from error

    async def read_head(self) -> None:
        """Wait until the headers are known."""
        while not self._body_begun:
            await self._hear()

    # No generator: asyncio closes one that is not read to its end, as most streams are not, in a task of its own.
    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._body:
            if self._whole:
                raise StopAsyncIteration
            await self._hear()
        pieces, self._body, self._waiting = self._body, [], 0
        self._connection.resume_reading()
        return b"".join(pieces)

    async def aclose(self) -> None:
        # Not close(), which over TLS waits for the other side to agree. Nothing is left to be sent.
        self._connection.abort()

    async def _hear(self) -> None:
        """Wait until something came. Raise what is wrong, if nothing can come any more."""
        if self._fault is not None:
            raise self._fault
        self._news.clear()
        try:
            async with asyncio.timeout(self._patience):
                await self._news.wait()
        except TimeoutError as error:
            raise httpx.ReadTimeout(str(error)) from error

    # -- called by asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._connection = transport

    def data_received(self, data: bytes) -> None:
        self._news.set()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._fail(httpx.RemoteProtocolError(str(error)))
        self._head_size += 0 if self._body_begun else len(data)
        if self._head_size > HEAD_LIMIT:
            self._fail(httpx.RemoteProtocolError("the head of the answer is too long"))
        if self._waiting > READ_AHEAD:
            self._connection.pause_reading()

    def eof_received(self) -> None:
        """Take the end of the connection, which ends an answer that does not tell its length."""
        self._news.set()
        names = {name.lower(): value.lower() for name, value in self.headers}
        told = b"content-length" in names or names.get(b"transfer-encoding", b"").endswith(b"chunked")
        if told or not self._body_begun:
            self._fail(httpx.RemoteProtocolError("the connection was closed before the answer was whole"))
        self._whole = self._fault is None

    def connection_lost(self, exc: Exception | None) -> None:
        self._news.set()
        self._writable.set()
        self._fail(httpx.ReadError(str(exc)))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _fail(self, fault: httpx.TransportError) -> None:
        """Take a fault: the first one counts, and none after the answer, where nothing is read."""
        if not self._whole and self._fault is None:
            self._fault = fault
            self._connection.abort()

    # -- called by httptools

    def on_message_begin(self) -> None:
        if self._whole:
            raise httpx.RemoteProtocolError("there is more than one answer")  # Which data_received() passes over.
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._body_begun:  # Trailers are not read.
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._body_begun = self.status >= 200  # Below is not the answer yet, such as 100 Continue.

    def on_body(self, data: bytes) -> None:
        self._body.append(data)
        self._waiting += len(data)

    def on_message_complete(self) -> None:
        self._whole = self._body_begun
