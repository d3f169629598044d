"""The transport to the upstream: bytes of a scripted server on loopback, and what comes of them."""

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Any

import httpx
import pytest

from gateproof_reference import http1
from gateproof_reference.upstream import Upstream

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
LIMITS = {"connect": 5.0, "read": 5.0, "write": 5.0}


class Server:
    """Reads one request, writes pieces, each when the client has had the ones before, and closes."""

    def __init__(self, pieces: list[bytes], *, stays: bool = False, resets: bool = False) -> None:
        self.pieces = pieces
        self.resets = resets
        self.stays = stays
        self.asked = b""
        self.left = asyncio.Event()
        self.handlers: list[asyncio.Task[None]] = []

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.handlers.append(asyncio.create_task(self.handle(reader, writer)))

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await self.play(reader, writer)
        if self.resets:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        writer.close()

    async def play(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked = await reader.readuntil(b"\r\n\r\n")
        for piece in self.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        if self.stays:
            await reader.read()
            self.left.set()


def run(server: Server, use: Callable[[httpx.Request], Awaitable[Any]], **limits: float) -> Any:
    """Return what `use` makes of a request to the server."""

    async def inner() -> Any:
        async with asyncio.timeout(10):
            listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
            port = listening.sockets[0].getsockname()[1]
            extensions = {"timeout": {**LIMITS, **limits}}
            request = httpx.Request("POST", f"http://127.0.0.1:{port}/v1/x?y=1", content=b"{}", extensions=extensions)
            try:
                return await use(request)
            finally:
                listening.close()
                await asyncio.gather(*server.handlers)

    return asyncio.run(inner())


async def whole(request: httpx.Request) -> tuple[int, bytes]:
    response = await http1.Transport().handle_async_request(request)
    try:
        return response.status_code, await response.aread()
    finally:
        await response.aclose()


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([OK + b"content-length: 5\r\n\r\nhello"], (200, b"hello")),
        ([OK, b"content-length: 5\r\n\r", b"\nhel", b"lo"], (200, b"hello")),
        ([CHUNKED + b"3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n"], (200, b"hello")),
        ([CHUNKED, b"3\r", b"\nhel\r\n", b"2\r\nlo\r\n", b"0\r\n", b"trailer: x\r\n\r\n"], (200, b"hello")),
        ([OK + b"\r\nhel", b"lo"], (200, b"hello")),
        ([b"HTTP/1.0 200 OK\r\n\r\nhello"], (200, b"hello")),
        ([b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n", OK + b"content-length: 2\r\n\r\nhi"], (200, b"hi")),
        ([b"HTTP/1.1 429 No\r\ncontent-length: 0\r\n\r\n"], (429, b"")),
        ([b"HTTP/1.1 204 No\r\n\r\n"], (204, b"")),
        ([OK + b"content-length: 2\r\n\r\nhiHTTP/1.1 500 never asked\r\n\r\n"], (200, b"hi")),
        ([CHUNKED + b"2\r\nhi\r\n0\r\n\r\nmore"], (200, b"hi")),
    ],
)
def test_every_way_to_end_an_answer(pieces: list[bytes], expected: tuple[int, bytes]) -> None:
    assert run(Server(pieces), whole) == expected


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"HTTP/1.1 200"],
        [OK + b"content-length: 5\r\n\r\nhel"],
        [CHUNKED + b"3\r\nhel\r\n"],
        [CHUNKED + b"5\r\nhel"],
        [CHUNKED + b"zz\r\nhel"],
        [CHUNKED + b"3\r\nhello\r\n0\r\n\r\n"],
        [b"<html>no http</html>"],
        [b"HTTP/1.1 100 Continue\r\n\r\n"],
        [b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"],
        [OK + b"x: " + b"y" * (2 * http1.HEAD_LIMIT)],
        [OK + b"content-length: 5\r\ncontent-length: 6\r\n\r\nhello!"],
    ],
)
def test_what_is_no_whole_answer_is_an_error(pieces: list[bytes]) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        run(Server(pieces), whole)


@pytest.mark.parametrize(
    ("pieces", "ends"), [([CHUNKED + b"1\r\na\r\n0\r\n\r\n"], True), ([CHUNKED + b"1\r\na\r\n"], False)]
)
def test_what_came_before_a_reset_is_read(pieces: list[bytes], ends: bool) -> None:
    server = Server(pieces, resets=True)

    async def late(request: httpx.Request) -> list[bytes | str]:
        response = await http1.Transport().handle_async_request(request)
        await asyncio.gather(*server.handlers)
        for _ in range(20):
            await asyncio.sleep(0)
        read: list[bytes | str] = []
        try:
            async for piece in response.aiter_bytes():
                read.append(piece)  # noqa: PERF401  (what came before the reset is kept)
        except httpx.ReadError:
            read.append("reset")
        await response.aclose()
        return read

    assert run(server, late) == [b"a", *([] if ends else ["reset"])]


def test_a_body_that_nobody_reads_is_not_taken_from_the_socket() -> None:
    server = Server([OK + b"content-length: 99999999\r\n\r\n", *[b"x" * 1_000_000] * 20])

    async def idle(request: httpx.Request) -> bool:
        response = await http1.Transport().handle_async_request(request)
        for _ in range(1000):
            await asyncio.sleep(0)
        sent_all = server.handlers[0].done()
        await response.aclose()
        return sent_all

    assert not run(server, idle)


def test_one_read_is_one_piece_however_many_chunks_it_holds() -> None:
    async def pieces(request: httpx.Request) -> list[bytes]:
        response = await http1.Transport().handle_async_request(request)
        found = [piece async for piece in response.aiter_bytes()]
        await response.aclose()
        return found

    assert run(Server([CHUNKED + b"1\r\na\r\n" * 100 + b"0\r\n\r\n"]), pieces) == [b"a" * 100]


def test_the_request_is_sent_as_it_was_made() -> None:
    server = Server([OK + b"content-length: 0\r\n\r\n"])
    run(server, whole)
    line, *headers = server.asked.decode().strip().split("\r\n")
    assert line == "POST /v1/x?y=1 HTTP/1.1"
    assert sorted(header.split(":")[0].lower() for header in headers) == ["content-length", "host"]


def test_a_header_cannot_end_its_line() -> None:
    async def split(request: httpx.Request) -> tuple[int, bytes]:
        request.headers["x"] = "a\r\nb: c"
        return await whole(request)

    server = Server([])
    with pytest.raises(httpx.LocalProtocolError):
        run(server, split)
    assert server.asked == b""


def test_closing_an_answer_hangs_up() -> None:
    server = Server([CHUNKED + b"1\r\na\r\n"], stays=True)

    async def close(request: httpx.Request) -> None:
        response = await http1.Transport().handle_async_request(request)
        assert await anext(response.aiter_bytes()) == b"a"
        assert not server.left.is_set()
        await response.aclose()
        await server.left.wait()

    run(server, close)


def test_an_answer_that_is_not_read_to_its_end_leaves_asyncio_nothing_to_close() -> None:
    left: list[AsyncGenerator[Any, Any]] = []

    async def leave(request: httpx.Request) -> None:
        sys.set_asyncgen_hooks(finalizer=left.append)
        upstream = Upstream(f"http://127.0.0.1:{request.url.port}", 5.0)
        async with upstream.call("POST", "/x", headers={}) as reply, aclosing(reply.chunks()) as chunks:
            assert await anext(chunks) == b"a"
        assert left == []

    run(Server([CHUNKED + b"1\r\na\r\n"], stays=True), leave)


@pytest.mark.parametrize("pieces", [[], [CHUNKED + b"1\r\na\r\n"]])
def test_silence_is_a_timeout(pieces: list[bytes]) -> None:
    with pytest.raises(httpx.ReadTimeout):
        run(Server(pieces, stays=True), whole, read=0.01)


def test_nobody_there_is_a_connect_error() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        with pytest.raises(httpx.ConnectError):
            asyncio.run(whole(httpx.Request("GET", url, extensions={"timeout": LIMITS})))
