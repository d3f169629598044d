"""Plays an answer on a blocking socket, in the thread of its connection."""

from __future__ import annotations

import bisect
import contextlib
import select
import socket
import struct
import sys
import threading
import time

from gateproof_mock.dialects.steps import Break, Rest, Wait
from gateproof_mock.serving.answers import Sends
from gateproof_mock.serving.floor import Floor
from gateproof_mock.serving.journal import Journal
from gateproof_mock.serving.reception import Play
from gateproof_mock.serving.stage import Barrier

_TICK = 0.02
_LONGEST_TICK = 0.32
_DRAIN_CEILING = 1.0
_SIOCOUTQNSD = 0x894B
_GONE = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
_TURN = 32
"""Writes of one stream before the others get to theirs."""


class Player:
    """Plays one answer on one connection. `ceiling` (seconds) bounds every wait for a barrier, and for a client that does not
    read; `stop` ends all of them. `alone`: no other connection is open. Afterwards `keeps` says whether the connection may
    be used again."""

    def __init__(
        self,
        connection: socket.socket,
        play: Play,
        journal: Journal,
        floor: Floor,
        stop: threading.Event,
        ceiling: float,
        *,
        alone: bool = True,
    ) -> None:
        self._socket = connection
        self._play = play
        self._entry = play.entry
        self._journal = journal
        self._floor = floor
        self._stop = stop
        self._ceiling = ceiling
        self._due = 0.0
        self._begun = 0
        self._turn = sys.maxsize if alone else _TURN
        self.keeps = play.answer.keeps

    def play(self) -> str:
        """Play to the end and say how it ended: see `Entry.ended`."""
        outcome = "played"
        try:
            for part in self._play.answer.parts:
                if isinstance(part, Sends):
                    self._send(part)
                    continue
                ended = self._pass(part)
                if ended == "held":
                    outcome = "held"
                elif ended:
                    outcome = ended
                    break
        except BlockingIOError:
            outcome = "client does not read"
        except OSError:
            outcome = "stopped" if self._stop.is_set() else "client went away"
        if outcome not in ("played", "held"):
            self.keeps = False
        return outcome

    def _pass(self, part: Wait | Rest | Break) -> str:
        """Do what is no writing: "" to go on, else how it ended."""
        match part:
            case Wait(name):
                ended = self._wait(self._play.barriers.get(name), name)
                self._due = 0.0
                return ended
            case Rest(seconds):
                return self._rest(seconds)
            case Break("open"):
                return self._linger()
            case Break(how):
                self._break(how)
                return "cut"

    def _send(self, part: Sends) -> None:
        entry, edges, before = self._entry, part.edges.tolist(), self._entry.writes
        view = memoryview(part.filled(self._play.own))
        number, count = 0, len(part)
        timed = min(count, max(0, self._play.answer.timed - len(entry.times)))
        if not entry.first:
            entry.first = time.time()
        try:
            while number < count:
                stop = min(count, number + self._turn)
                if number < timed:
                    stop = min(stop, timed)
                    self._timed(view, edges, number, stop)
                else:
                    self._untimed(view, edges, number, stop)
                number = stop
                entry.writes = before + number
                if number < count and self._turn != sys.maxsize:
                    # Without this a thread that only writes takes the interpreter's lock back before others wake up, and
                    # the first byte of their answers waits until it is through.
                    time.sleep(1e-6)
        except OSError:
            entry.writes = before + bisect.bisect_left(edges, self._begun)
            raise

    def _timed(self, view: memoryview, edges: list[int], number: int, stop: int) -> None:
        send, now, times, begin = self._socket.sendall, time.time, self._entry.times, edges[number]
        for end in edges[number + 1 : stop + 1]:
            self._begun = begin
            send(view[begin:end])
            times.append(now())
            begin = end
        if not number and self._entry.writes == 0 and isinstance(self._play.answer.parts[0], Sends):
            self._floor.first_bytes.append(times[0] - self._entry.began)

    def _untimed(self, view: memoryview, edges: list[int], number: int, stop: int) -> None:
        send, begin = self._socket.sendall, edges[number]
        try:
            for end in edges[number + 1 : stop + 1]:
                send(view[begin:end])
                begin = end
        finally:
            self._begun = begin

    def _rest(self, seconds: float) -> str:
        """Wait until the moment that is due: each pause begins when the one before should have ended."""
        now = time.monotonic()
        self._due = (self._due or now) + seconds
        if self._idle(self._due - now):
            return "stopped" if self._stop.is_set() else "client went away"
        self._floor.lateness.append(time.monotonic() - self._due)
        return ""

    def _linger(self) -> str:
        if self._idle(self._ceiling):
            return "stopped" if self._stop.is_set() else "client went away"
        self.keeps = False
        return "held"

    def _idle(self, seconds: float) -> bool:
        """Do nothing for so long; whether the client went away (or the mock stopped, which shuts the connection)."""
        poll = select.poll()
        poll.register(self._socket, _GONE)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            # poll counts in whole milliseconds, rounded up; what is left of the last is slept, or it would be late.
            if poll.poll(int(left * 1000)):
                return True
            if left < 0.001:
                time.sleep(left)
        return bool(poll.poll(0))

    def _break(self, how: str) -> None:
        if how == "rst":
            # A reset throws away what the kernel has not sent yet; the script said that it was sent.
            self._drain()
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            self._socket.shutdown(socket.SHUT_WR)

    def _drain(self) -> None:
        """Wait until the kernel has sent everything (Linux; elsewhere there is no such question to ask)."""
        deadline = time.monotonic() + _DRAIN_CEILING
        while unsent(self._socket):
            if self._stop.wait(0.001) or time.monotonic() > deadline:
                return

    def _wait(self, barrier: Barrier | None, name: str) -> str:
        """Stand at a barrier: "" when released, `held` at the ceiling, else why the play is over."""
        if barrier is None:
            return ""
        self._entry.waiting = name
        barrier.arrive()
        deadline = time.monotonic() + self._ceiling
        tick, released = _TICK, False
        try:
            while not released:
                released = barrier.released.wait(tick)
                # A client that leaves is noticed later and later: a thousand held streams would else do nothing but look.
                tick = min(_LONGEST_TICK, tick * 1.5)
                if self._stop.is_set():
                    return "stopped"
                if client_gone(self._socket):
                    return "client went away"
                if not released and time.monotonic() > deadline:
                    self._entry.problem = (
                        f"Nobody released the barrier {name!r} within {self._ceiling:g} s; the play went on."
                    )
                    return "held"
        finally:
            self._entry.waiting = ""
        return ""


def client_gone(connection: socket.socket) -> bool:
    """Whether the client closed the connection. One that only ends its own direction counts as gone, as with nginx."""
    poll = select.poll()
    poll.register(connection, _GONE)
    return bool(poll.poll(0))


def unsent(connection: socket.socket) -> int:
    """Bytes that the kernel has yet to send; 0 where it cannot be asked."""
    if sys.platform != "linux":
        return 0
    import fcntl

    with contextlib.suppress(OSError):
        return int(struct.unpack("i", fcntl.ioctl(connection, _SIOCOUTQNSD, b"\0\0\0\0"))[0])
    return 0
