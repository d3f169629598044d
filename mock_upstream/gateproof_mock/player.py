"""Plays steps on a socket. Everything about HTTP/1.1 framing of an answer is here."""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from gateproof_mock.journal import Entry
from gateproof_mock.stage import Barrier
from gateproof_mock.steps import Break, Head, Step, Wait, Write

_TICK = 0.02
_DRAIN_CEILING = 1.0
_SIOCOUTQNSD = 0x894B
_NO_BODY = (204, 304)


class Player:
    """Plays one answer. `barrier_ceiling` (seconds) bounds every wait; `stop` ends all of them.

    `keeps`: whether the connection may be reused afterwards; the head says so. `chunks`: whether the client knows chunked
    bodies (an HTTP/1.0 client reads to the end of the connection). `bodiless`: a HEAD request, whose answer is a head alone.
    """

    def __init__(
        self,
        connection: socket.socket,
        entry: Entry,
        stop: threading.Event,
        barrier_ceiling: float,
        *,
        keeps: bool = True,
        chunks: bool = True,
        bodiless: bool = False,
    ) -> None:
        self._socket = connection
        self._entry = entry
        self._stop = stop
        self._ceiling = barrier_ceiling
        self._keeps = keeps
        self._may_chunk = chunks
        self._bodiless = bodiless
        self._chunked = False

    def play(self, steps: Iterable[Step], barriers: Mapping[str, Barrier]) -> str:
        """Play to the end and say how it ended: see `Entry.ended`. The connection may be reused after `played` and `held`."""
        outcome = "played"
        try:
            for step in steps:
                match step:
                    case Head():
                        self._head(step)
                    case Write(data):
                        self._write(data)
                    case Wait(name):
                        waited = self._wait(barriers.get(name))
                        if waited == "held":
                            outcome = "held"
                        elif waited:
                            return waited
                    case Break(how):
                        self._break(how)
                        return "cut"
            if self._chunked:
                self._socket.sendall(b"0\r\n\r\n")
        except OSError:
            return "stopped" if self._stop.is_set() else "client went away"
        return outcome

    def _head(self, head: Head) -> None:
        self._entry.status = head.status
        self._bodiless = self._bodiless or head.status in _NO_BODY
        try:
            phrase = HTTPStatus(head.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {head.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in head.headers.items()]
        if head.length is not None:
            lines += [f"Content-Length: {head.length}"] if head.status not in _NO_BODY else []
        elif self._may_chunk:
            lines.append("Transfer-Encoding: chunked")
            self._chunked = not self._bodiless
        if not self._keeps:
            lines.append("Connection: close")
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))

    def _write(self, data: bytes) -> None:
        if not data or self._bodiless:
            return
        # One sendall for size, data and end: four small writes halve the throughput (measured), and the chunk is what a
        # gateway's reader wakes up for.
        self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        self._entry.sent.add(data)

    def _break(self, how: str) -> None:
        if how == "rst":
            # A reset throws away what the kernel has not sent yet; the script said that it was sent.
            self._drain()
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._socket.shutdown(socket.SHUT_WR)

    def _drain(self) -> None:
        """Wait until the kernel has sent everything (Linux; elsewhere there is no such question to ask)."""
        if sys.platform != "linux":
            return
        import fcntl

        deadline = time.monotonic() + _DRAIN_CEILING
        with contextlib.suppress(OSError):
            while struct.unpack("i", fcntl.ioctl(self._socket, _SIOCOUTQNSD, b"\0\0\0\0"))[0]:
                if self._stop.wait(0.001) or time.monotonic() > deadline:
                    return

    def _wait(self, barrier: Barrier | None) -> str:
        """Stand at a barrier: "" when released, `held` at the ceiling, else why the play is over."""
        if barrier is None:
            return ""
        barrier.reached.set()
        deadline = time.monotonic() + self._ceiling
        released = False
        while not released:
            released = barrier.released.wait(_TICK)
            if self._stop.is_set():
                return "stopped"
            if self._gone():
                return "client went away"
            if not released and time.monotonic() > deadline:
                return "held"
        return ""

    def _gone(self) -> bool:
        """Whether the client closed the connection. One that only ends its own direction counts as gone, as with nginx."""
        poll = select.poll()
        poll.register(self._socket, select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0))
        return bool(poll.poll(0))
