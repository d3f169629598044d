"""HTTP/1.1 to the upstream: a transport for httpx with a connection per call, on which a read takes whatever has come.

Providers send each event in an HTTP chunk of its own, and the transport that httpx brings takes 20 microseconds for a chunk:
five times what the translation of its event takes. Here one read of the socket is one piece of the body, however many
chunks it holds. llhttp reads the protocol, through httptools.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httptools
import httpx

READ_SIZE = 64 * 1024
"""Bytes that one read may bring."""

HEAD_LIMIT = 64 * 1024
"""Bytes that an answer may have before its body begins."""


PORTS = {"http": 80, "https": 443}


class Transport(httpx.AsyncBaseTransport):
    """Opens a connection for every request, and hangs up when its answer is closed. Raises what httpx's own does."""

    def __init__(self) -> None:
        self._tls: ssl.SSLContext | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        timeouts = request.extensions["timeout"]
        head = request_head(request)
        content = await request.aread()
        with translated(httpx.ConnectError, httpx.ConnectTimeout):
            async with asyncio.timeout(timeouts["connect"]):
                host, port = request.url.raw_host.decode("ascii"), request.url.port or PORTS[request.url.scheme]
                reader, writer = await asyncio.open_connection(host, port, ssl=self._tls_for(request.url))
        answer = Answer(reader, writer, timeouts["read"])
        try:
            with translated(httpx.WriteError, httpx.WriteTimeout):
                async with asyncio.timeout(timeouts["write"]):
                    await send(writer, head + content)
            await answer.read_head()
        except BaseException:
            await answer.aclose()
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    def _tls_for(self, url: httpx.URL) -> ssl.SSLContext | None:
        if url.scheme == "https" and self._tls is None:
            self._tls = httpx.create_ssl_context(trust_env=False)
        return self._tls if url.scheme == "https" else None


@contextmanager
def translated(broken: type[httpx.TransportError], late: type[httpx.TransportError]) -> Iterator[None]:
    """Raise what goes wrong with a socket as `broken`, or as `late` if it took too long."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise broken(str(error)) from error


def request_head(request: httpx.Request) -> bytes:
    """Return the bytes before the body. Raise LocalProtocolError for a header that would end its line."""
    lines = [b"%b %b HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    for name, value in request.headers.raw:
        if any(byte in name + value for byte in b"\r\n\0"):
            raise httpx.LocalProtocolError("a header holds a line break")
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join(lines) + b"\r\n\r\n"


async def send(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send a request. An upstream that hangs up on it may have answered before, which reading will tell."""
    try:
        writer.write(data)
        await writer.drain()
    except ConnectionError:
        pass


class Answer(httpx.AsyncByteStream):
    """One answer: its head, and then its body in the pieces that the network brings.

    The methods that begin with `on_` are called by httptools.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float | None) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._body_begun = False
        self._whole = False
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []

    async def read_head(self) -> None:
        """Read until the headers are known."""
        size = 0
        while not self._body_begun:
            size += await self._read()
            if size > HEAD_LIMIT and not self._body_begun:
                raise httpx.RemoteProtocolError("the head of the answer is too long")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            pieces, self._body = self._body, []
            if pieces:
                yield b"".join(pieces)
            if self._whole:
                return
            await self._read()

    async def aclose(self) -> None:
        # Not close(), which over TLS waits for the other side to agree. Nothing is left to be sent.
        self._writer.transport.abort()

    async def _read(self) -> int:
        with translated(httpx.ReadError, httpx.ReadTimeout):
            async with asyncio.timeout(self._patience):
                data = await self._reader.read(READ_SIZE)
        if not data:
            self._end()
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            if not self._whole:  # What comes after the answer is nobody's, and is not read.
                raise httpx.RemoteProtocolError(str(error)) from error
        return len(data)

    def _end(self) -> None:
        """Take the end of the connection, which ends an answer that does not tell its length."""
        names = {name.lower(): value.lower() for name, value in self.headers}
        told = b"content-length" in names or names.get(b"transfer-encoding", b"").endswith(b"chunked")
        if told or not self._body_begun:
            raise httpx.RemoteProtocolError("the connection was closed before the answer was whole")
        self._whole = True

    def on_message_begin(self) -> None:
        if self._whole:
            raise httpx.RemoteProtocolError("there is more than one answer")  # Which _read() passes over.
        self.headers = []

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._body_begun:  # Trailers are not read.
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._body_begun = self.status >= 200  # Below is not the answer yet, such as 100 Continue.

    def on_body(self, data: bytes) -> None:
        self._body.append(data)

    def on_message_complete(self) -> None:
        self._whole = self._body_begun
