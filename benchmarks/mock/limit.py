"""The limit that plain asyncio sets: a bare asyncio.Protocol that writes bytes rendered in advance.

`python benchmarks/mock/limit.py [PORT]` prints its base URL and serves until SIGTERM. It does not parse the request:
it looks for a script's name in the bytes, and answers
    gp-play-text                 a small JSON answer
    gp-play-deltas-1000          1,000 events, one write each
    gp-play-deltas-1000-together the same bytes, sixteen events a write
    gp-play-paced-100            100 events, 20 ms apart, one timer each
    gp-play-held                 one event, and then nothing
No server on asyncio can be faster without putting several events in one write.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from typing import cast

PADDING = "x" * 32
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
END = b"0\r\n\r\n"
GAP = 0.02


def small_answer() -> bytes:
    """As long as the mock's, about 1,200 bytes."""
    part = {"type": "output_text", "text": "Hello from the limit. " * 37, "annotations": []}
    item = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [part]}
    usage = {"input_tokens": 8, "output_tokens": 5, "total_tokens": 13}
    answer = {"id": "resp_1", "object": "response", "status": "completed", "output": [item], "usage": usage}
    body = json.dumps(answer).encode()
    return PLAIN % (len(body), body)


def chunk(number: int) -> bytes:
    """One event as one chunk: as long as the mock's, about 240 bytes."""
    kind = "response.output_text.delta"
    data = {"type": kind, "sequence_number": number, "item_id": "msg_1", "output_index": 0, "content_index": 0}
    data |= {"delta": "word ", "logprobs": [], "obfuscation": PADDING}
    text = f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
    return b"%x\r\n%b\r\n" % (len(text), text)


SMALL = small_answer()
EVENTS = [chunk(n) for n in range(1000)]
SINGLE = [HEAD, *EVENTS, END]
TOGETHER = [HEAD, *(b"".join(EVENTS[n : n + 16]) for n in range(0, 1000, 16)), END]
PACED = [HEAD + EVENTS[0], *EVENTS[1:99], EVENTS[99] + END]


class Limit(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.transport.set_write_buffer_limits(0)
        self.pieces: list[bytes] = []
        self.place = 0
        self.free = True

    def data_received(self, data: bytes) -> None:
        if b"gp-play-text" in data:
            self.transport.write(SMALL)
        elif b"gp-play-deltas-1000-together" in data:
            self.play(TOGETHER)
        elif b"gp-play-deltas-1000" in data:
            self.play(SINGLE)
        elif b"gp-play-paced-100" in data:
            loop = asyncio.get_running_loop()
            self.tick(loop, loop.time(), 0)
        else:
            self.transport.write(HEAD + EVENTS[0])

    def play(self, pieces: list[bytes]) -> None:
        self.pieces, self.place = pieces, 0
        self.go_on()

    def go_on(self) -> None:
        """Write until the socket is full: then one write is really one send."""
        pieces, write = self.pieces, self.transport.write
        while self.free and self.place < len(pieces) and not self.transport.is_closing():
            self.place += 1
            write(pieces[self.place - 1])

    def tick(self, loop: asyncio.AbstractEventLoop, began: float, place: int) -> None:
        self.transport.write(PACED[place])
        if place + 1 < len(PACED) and not self.transport.is_closing():
            loop.call_at(began + (place + 1) * GAP, self.tick, loop, began, place + 1)

    def pause_writing(self) -> None:
        self.free = False

    def resume_writing(self) -> None:
        self.free = True
        self.go_on()


async def main(port: int) -> None:
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    server = await loop.create_server(Limit, "127.0.0.1", port, backlog=2048)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
