"""Plays steps on a socket. Everything about HTTP/1.1 framing on the mock's side is here."""

from __future__ import annotations

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus

from gateproof_mock.journal import Entry
from gateproof_mock.stage import Barrier
from gateproof_mock.steps import Break, Head, Step, Wait, Write

_TICK = 0.02


class Player:
    """Plays one answer. `barrier_ceiling` (seconds) bounds every wait; `stop` ends all of them."""

    def __init__(self, connection: socket.socket, entry: Entry, stop: threading.Event, barrier_ceiling: float) -> None:
        self._socket = connection
        self._entry = entry
        self._stop = stop
        self._ceiling = barrier_ceiling
        self._chunked = False

    def play(self, steps: Iterable[Step], barriers: Callable[[str], Barrier | None]) -> str:
        """Play to the end and say how it ended: see `Entry.ended`. The connection may be reused only after `played`."""
        outcome = "played"
        try:
            for step in steps:
                match step:
                    case Head():
                        self._head(step)
                    case Write(data):
                        self._write(data)
                    case Wait(name):
                        waited = self._wait(barriers(name))
                        if waited == "held":
                            outcome = "held"
                        elif waited:
                            return waited
                    case Break(how):
                        self._break(how)
                        return "cut"
            if self._chunked:
                self._socket.sendall(b"0\r\n\r\n")
        except (ConnectionError, TimeoutError, OSError):
            return "client went away"
        return outcome

    def _head(self, head: Head) -> None:
        self._entry.status = head.status
        self._chunked = head.length is None
        try:
            phrase = HTTPStatus(head.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {head.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in head.headers.items()]
        lines.append("Transfer-Encoding: chunked" if head.length is None else f"Content-Length: {head.length}")
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))

    def _write(self, data: bytes) -> None:
        if not data:
            return
        # One sendall for size, data and end: four small writes halve the throughput (measured), and the chunk is what a
        # gateway's reader wakes up for.
        self._socket.sendall(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        self._entry.sent.add(data)

    def _break(self, how: str) -> None:
        if how == "rst":
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._socket.shutdown(socket.SHUT_WR)

    def _wait(self, barrier: Barrier | None) -> str:
        """Stand at a barrier: "" when released, `held` at the ceiling, else why the play is over."""
        if barrier is None:
            return ""
        barrier.reached.set()
        deadline = time.monotonic() + self._ceiling
        poll = select.poll()
        gone = select.POLLRDHUP | select.POLLHUP | select.POLLERR if hasattr(select, "POLLRDHUP") else select.POLLHUP
        poll.register(self._socket, gone)
        while not barrier.released.wait(_TICK):
            if self._stop.is_set():
                return "stopped"
            if poll.poll(0):
                return "client went away"
            if time.monotonic() > deadline:
                return "held"
        return ""
