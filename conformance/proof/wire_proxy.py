"""A gateway behind a faulty wire: `python wire_proxy.py FAULT COMMAND... --listen HOST:PORT ...`.

It starts the command with a port of its own in place of PORT, listens at PORT, and passes everything on but for the fault
(`wire_faults.py`; `none` passes everything, `garbled-SEED` is `garbling.py`). HTTP is read and written anew, with one
connection for each request.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable

from garbling import Garbler
from wire_faults import Broken, Fault, every

LIMIT = 64 * 1024 * 1024
SEPARATOR = b"\n\n"


class Wire:
    """Answers one connection after the other. `inner`: host and port of the gateway."""

    def __init__(self, inner: tuple[str, int], fault: Callable[[bytes], Fault]) -> None:
        self._inner = inner
        self._fault = fault

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        exchange = asyncio.create_task(self._exchange(reader, writer))
        try:
            await exchange
        except (OSError, asyncio.IncompleteReadError, Broken):
            writer.transport.abort()
        finally:
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        theirs, ours = await asyncio.open_connection(*self._inner, limit=LIMIT)
        try:
            ours.write(
                re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head).replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
            )
            ours.write(body)
            fault = self._fault(head.split(b"\r\n", 1)[0] + body)
            answer = asyncio.create_task(self._answer(theirs, fault, writer))
            gone = asyncio.create_task(reader.read(1))
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            if not answer.done():
                answer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await answer
        finally:
            ours.close()

    async def _answer(self, theirs: asyncio.StreamReader, fault: Fault, writer: asyncio.StreamWriter) -> None:
        first, *lines = (await theirs.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
        streams = headers.get("content-type", "").startswith("text/event-stream")
        pieces = _pieces(theirs, dict(headers))
        for name in ("connection", "transfer-encoding", "content-length", "date"):
            headers.pop(name, None)
        status = fault.head(int(first.split()[1]), headers)
        if streams:
            _write_head(writer, status, {**headers, "transfer-encoding": "chunked"})
            await self._stream(pieces, fault, writer)
        else:
            data = fault.body(b"".join([piece async for piece in pieces]))
            _write_head(writer, status, {**headers, "content-length": str(len(data))})
            writer.write(data)
        await writer.drain()

    async def _stream(self, pieces: AsyncIterator[bytes], fault: Fault, writer: asyncio.StreamWriter) -> None:
        rest = b""
        async for piece in pieces:
            *frames, rest = (rest + piece).split(SEPARATOR)
            for frame in frames:
                for sent in fault.frame(frame + SEPARATOR):
                    _write_chunk(writer, sent)
            await writer.drain()
        for sent in fault.end():
            _write_chunk(writer, sent)
        if fault.stays_open():
            await asyncio.Event().wait()
        writer.write(b"0\r\n\r\n")


def _write_head(writer: asyncio.StreamWriter, status: int, headers: dict[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} OK", *(f"{name}: {value}" for name, value in headers.items()), "connection: close"]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))


def _write_chunk(writer: asyncio.StreamWriter, data: bytes) -> None:
    if data:
        writer.write(b"%x\r\n%b\r\n" % (len(data), data))


async def _pieces(reader: asyncio.StreamReader, headers: dict[str, str]) -> AsyncIterator[bytes]:
    """A body as it comes. Raises IncompleteReadError for one that breaks off."""
    if "content-length" in headers:
        yield await reader.readexactly(int(headers["content-length"]))
    elif "chunked" in headers.get("transfer-encoding", ""):
        while size := int(await reader.readuntil(b"\r\n"), 16):
            yield (await reader.readexactly(size + 2))[:-2]
        await reader.readexactly(2)
    else:
        yield await reader.read(-1)


async def serve(fault: Callable[[bytes], Fault], command: list[str]) -> None:
    """Start the gateway, and stand before it until it ends."""
    at = command.index("--listen") + 1
    host, _, port = command[at].rpartition(":")
    command[at] = f"{host}:0"
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode()
    inner = re.search(r"http://([\d.]+):(\d+)", said)
    if inner is None:
        raise SystemExit(f"wire proxy: the gateway did not say where it listens: {said!r}")
    server = await asyncio.start_server(Wire((inner[1], int(inner[2])), fault), host, int(port), limit=LIMIT)
    async with server:
        await process.wait()


def fault_named(name: str) -> Callable[[bytes], Fault]:
    """What makes the fault of an answer, given the first line and the body of its request."""
    if name.startswith("garbled-"):
        return Garbler(int(name.removeprefix("garbled-")))
    kind = Fault if name == "none" else every()[name]
    return lambda _request: kind()


def main() -> None:
    """Run until the gateway ends; whoever ends this process ends the whole group."""
    name, *command = sys.argv[1:]
    asyncio.run(serve(fault_named(name), [sys.executable, *command]))


if __name__ == "__main__":
    main()
