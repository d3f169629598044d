"""The upstream of gateway_speed.py: writes bytes that were rendered in advance, so that it is faster than any gateway.

`python benchmarks/gateway/upstream.py [PORT]` prints its base URL and serves until SIGTERM. It speaks Responses and Chat
Completions, streamed if the request says `"stream": true`. The words of the prompt choose what a stream is:
    gp-play-paced       100 deltas, 100 ms apart
    gp-play-held        the begin of a stream and ten deltas, and then nothing
    gp-play-long-line   a line without an end, 64 MiB of it
    anything else       1,000 deltas, sixteen events a write
Each event is an HTTP chunk of its own, as real providers send them.
"""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import cast

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from gateway import turns

DELTAS, PACED, GAP, HELD = 1000, 100, 0.1, 10
LONG_LINE = 64 * 1024 * 1024
TOGETHER = 16

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
END = b"0\r\n\r\n"
LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
STREAMED = re.compile(rb'"stream": *true')
PLAYED = re.compile(rb"gp-play-([a-z-]+)")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def together(pieces: Sequence[bytes]) -> list[bytes]:
    return [b"".join(pieces[at : at + TOGETHER]) for at in range(0, len(pieces), TOGETHER)]


class Script:
    """What one dialect answers."""

    def __init__(self, dialect: str) -> None:
        body = turns.body(dialect, 100)
        self.plain = PLAIN % (len(body), body)
        self.whole = together([HEAD, *(chunk(event) for event in turns.stream(dialect, DELTAS)), END])
        paced = [chunk(event) for event in turns.stream(dialect, PACED)]
        self.paced = [HEAD + paced[0], *paced[1:-1], paced[-1] + END]
        self.held = [HEAD + b"".join(paced[: 4 + HELD])]


SCRIPTS = {path.encode(): Script(dialect) for dialect, path in turns.PATHS.items()}
MORE_OF_A_LINE = chunk(b"x" * 65536)
LINE = [HEAD + chunk(b"data: "), *[MORE_OF_A_LINE] * (LONG_LINE // 65536)]


class Upstream(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.received = b""
        self.pieces: Sequence[bytes] = ()
        self.place = 0
        self.free = True

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, blank, body = self.received.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if blank and len(body) >= (int(length[1]) if length else 0):
            self.received = b""
            self.answer(head, body)

    def answer(self, head: bytes, body: bytes) -> None:
        script = SCRIPTS.get(head.split(b" ", 2)[1])
        played = PLAYED.search(body)
        name = played[1] if played else b""
        if script is None:
            self.transport.write(PLAIN % (2, b"{}"))  # What a gateway may ask before it is ready: a list of models.
        elif name == b"held":
            self.play(script.held)
        elif name == b"long-line":
            self.play(LINE)
        elif name == b"paced":
            loop = asyncio.get_running_loop()
            self.tick(loop, loop.time(), script.paced, 0)
        else:
            self.play(script.whole if STREAMED.search(body) else [script.plain])

    def play(self, pieces: Sequence[bytes]) -> None:
        self.pieces, self.place = pieces, 0
        self.go_on()

    def go_on(self) -> None:
        while self.free and self.place < len(self.pieces) and not self.transport.is_closing():
            self.place += 1
            self.transport.write(self.pieces[self.place - 1])

    def tick(self, loop: asyncio.AbstractEventLoop, began: float, pieces: Sequence[bytes], place: int) -> None:
        self.transport.write(pieces[place])
        if place + 1 < len(pieces) and not self.transport.is_closing():
            loop.call_at(began + (place + 1) * GAP, self.tick, loop, began, pieces, place + 1)

    def pause_writing(self) -> None:
        self.free = False

    def resume_writing(self) -> None:
        self.free = True
        self.go_on()


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(Upstream, "127.0.0.1", port, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
