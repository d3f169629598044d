"""One connection of the load engine: requests in, one after the other; the parts of an answer out. Never blocks."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from gateproof_mock.control import PREFIX
from gateproof_mock.dialects.routes import route
from gateproof_mock.dialects.steps import Break, Head, Rest, Step, Wait, Write
from gateproof_mock.jsontext import dumps
from gateproof_mock.serving.answers import Sends, Transfer, answer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.limits import BODY_LIMIT, path_of, target_of, unknown_path
from gateproof_mock.serving.player import client_gone, unsent
from gateproof_mock.serving.reading import SEEN_SIZE, Reading
from gateproof_mock.serving.reception import Play

if TYPE_CHECKING:
    from gateproof_mock.serving.load_server import LoadUpstream

_TURN = 16
"""Writes of one stream before the others have theirs: a long answer must not keep the first byte of another waiting."""

_HIGH_WATER = 64 * 1024
_SEEN_LIMIT = 256
_DRAIN_CEILING = 1.0
_LINGER = 0.5


class Connection(asyncio.Protocol):
    """One connection: requests in, one after the other; the parts of an answer out."""

    def __init__(self, server: LoadUpstream, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._buffer = b""
        self._reading: Reading | None = None
        self._play: Play | None = None
        self._busy = False
        self._part = 0
        self._write = 0
        self._view = memoryview(b"")
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._resume: Callable[[], None] | None = None
        self._release: Callable[[], None] | None = None
        self._paused = False
        self._half_closed = False
        self._ending = False
        self._lost = False
        self._outcome = "played"

    # --- the transport's side ---------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = True
        self._server.connections.discard(self)
        self._end("stopped" if self._server.stopping.is_set() else "client went away")
        if self._reading is not None and self._reading.call_begun:
            self._server.reception.gone(self._reading.call())
            self._reading = None

    def eof_received(self) -> bool:
        # A client that only ends its own direction counts as gone as soon as the script waits, as with nginx.
        self._half_closed = True
        if self._ending or (self._play is None and not self._busy):
            return False
        if self._timer is not None or self._release is not None:
            self._gone()
        return True

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        if self._resume is not None:
            resume, self._resume = self._resume, None
            self._cancel_timer()
            resume()

    def stop(self) -> None:
        self._end("stopped")
        self._transport.abort()

    # --- requests ---------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._ending:
            return
        if self._busy or self._buffer:
            self._buffer += data
            if len(self._buffer) > BODY_LIMIT:
                self._transport.abort()
            if self._busy:
                return
            data, self._buffer = self._buffer, b""
        self._read(data)

    def _read(self, data: bytes) -> None:
        if self._reading is None:
            seen = self._server.seen.get(data)
            if seen is not None:
                self._answer(*seen)
                return
            known = self._known_head(data)
            if known:
                return
            self._reading = Reading()
        self._continue(data)

    def _known_head(self, data: bytes) -> bool:
        """Answer a request whose head is known and whose body is all there."""
        end = data.find(b"\r\n\r\n") + 4
        head = self._server.heads.get(data[:end]) if end > 3 else None
        if head is None or len(data) - end < head.length:
            return False
        self._buffer = data[end + head.length :]
        call = Call(head.method, head.target, head.headers, data[end : end + head.length], route(path_of(head.target)))
        self._remember(data, call, head.transfer)
        self._answer(call, head.transfer)
        return True

    def _remember(self, data: bytes, call: Call, transfer: Transfer) -> None:
        if self._buffer or len(data) > SEEN_SIZE or call.at is None:
            return
        seen = self._server.seen
        if len(seen) >= _SEEN_LIMIT:
            seen.clear()
        seen[data] = (call, transfer)
        call.shared = True

    def _continue(self, data: bytes) -> None:
        reading = self._reading
        assert reading is not None
        done = reading.feed(data)
        if reading.wants_continue and not reading.continued:
            reading.continued = True
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if reading.refused is not None:
            self._reading = None
            self._refuse(reading.call(), *reading.refused)
        elif done:
            self._reading = None
            self._buffer = reading.rest
            call, transfer = reading.call(), reading.transfer
            head = reading.head()
            if head is not None:
                if len(self._server.heads) >= _SEEN_LIMIT:
                    self._server.heads.clear()
                self._server.heads[head[0]] = head[1]
            self._answer(call, transfer)

    def _refuse(self, call: Call, status: int, message: str) -> None:
        """Answer a request that was not read to its end."""
        transfer = Transfer(keeps=False)
        if path_of(call.path).startswith(PREFIX):
            self._busy = True
            self._tell(transfer, status, dumps({"error": {"message": message}}))
        else:
            self._begin(self._server.reception.refuse(call, transfer, status, message))

    def _tell(self, transfer: Transfer, status: int, data: bytes) -> None:
        """The answer to a control request."""
        headers = {"Content-Type": "application/json"}
        steps: list[Step] = [Head(status, headers, len(data)), Write(data)]
        for part in answer(steps, transfer).parts:
            if isinstance(part, Sends):
                self._transport.write(part.data)
        self._next(keeps=transfer.keeps)

    def _control(self, call: Call, transfer: Transfer) -> None:
        self._busy = True
        control = self._server.control
        headers = {name.title(): value for name, value in call.headers}
        target = target_of(call.path)
        # What waits has workers of its own: a release must not queue behind those that wait for it.
        workers = self._server.waiters if "within=" in target else self._server.workers

        def answered() -> tuple[int, bytes]:
            status, document = control.answer(call.method, target, headers, call.raw)
            return status, dumps(document)

        future = self._loop.run_in_executor(workers, answered)

        def done(finished: asyncio.Future[tuple[int, bytes]]) -> None:
            if not self._lost and not finished.cancelled():
                self._tell(transfer, *finished.result())

        future.add_done_callback(done)

    def _answer(self, call: Call, transfer: Transfer) -> None:
        if call.at is None:
            if path_of(call.path).startswith(PREFIX):
                self._control(call, transfer)
                return
            self._begin(self._server.reception.refuse(call, transfer, 404, unknown_path(path_of(call.path))))
            return
        reception = self._server.reception
        began = time.time()
        prepared = reception.prepare(call, transfer)
        only = prepared.at_once
        if only is None:
            self._begin(reception.open(call, prepared))
            return
        if not call.shared:
            call.shrink()
        self._transport.write(reception.note(call, prepared, only, began))
        self._server.floor.first_bytes.append(time.time() - began)
        if self._buffer:
            self._next(keeps=True)

    # --- playing ----------------------------------------------------------------------------------

    def _begin(self, play: Play) -> None:
        self._busy = True
        self._play = play
        self._part = self._write = 0
        self._due = 0.0
        self._outcome = "played"
        self._go_on()

    def _go_on(self) -> None:
        """Play until there is something to wait for."""
        while (play := self._play) is not None:
            parts = play.answer.parts
            if self._part >= len(parts):
                self._finish(play)
                return
            part = parts[self._part]
            if isinstance(part, Sends):
                if not self._send(play, part):
                    return
            elif not self._pass(play, part):
                return
            self._part += 1

    def _send(self, play: Play, part: Sends) -> bool:
        """Send the next writes of this part; whether all of them are sent."""
        entry, edges = play.entry, part.edges
        if not self._write:
            self._view = memoryview(part.filled(play.own))
        count, number = len(part), self._write
        last = min(count, number + _TURN)
        transport, view, now, times = self._transport, self._view, time.time, entry.times
        write, closing, timed = transport.write, transport.is_closing, play.answer.timed
        if not entry.first:
            entry.first = now()
        begin = edges[number]
        while number < last and not self._paused and not closing():
            number += 1
            end = edges[number]
            write(view[begin:end])
            begin = end
            if len(times) < timed:
                times.append(now())
        if not entry.writes and not self._part and times:
            self._server.floor.first_bytes.append(times[0] - entry.began)
        entry.writes += number - self._write
        self._write = number
        if number == count:
            self._write = 0
            self._view = memoryview(b"")
            return True
        if self._transport.is_closing():
            # connection_lost comes in a moment, and says how the play ended.
            return False
        if self._paused:
            self._resume = self._go_on
            self._timer = self._loop.call_later(self._server.barrier_ceiling, self._unread)
        else:
            self._loop.call_soon(self._go_on)
        return False

    def _unread(self) -> None:
        self._end("client does not read")
        self._transport.abort()

    def _pass(self, play: Play, part: Wait | Rest | Break) -> bool:
        """Do what is no writing; whether the play goes on at once."""
        if self._half_closed and not isinstance(part, Break):
            self._gone()
            return False
        match part:
            case Rest(seconds):
                now = self._loop.time()
                self._due = (self._due or now) + seconds
                self._timer = self._loop.call_at(self._due, self._rested)
                return False
            case Wait(name):
                return self._wait(play, name)
            case Break("open"):
                if self._half_closed:
                    self._gone()
                else:
                    self._timer = self._loop.call_later(self._server.barrier_ceiling, self._left_open)
                return False
            case Break(how):
                self._break(how)
                return False

    def _rested(self) -> None:
        self._timer = None
        self._server.floor.lateness.append(self._loop.time() - self._due)
        self._part += 1
        self._go_on()

    def _wait(self, play: Play, name: str) -> bool:
        barrier = play.barriers.get(name)
        self._due = 0.0
        if barrier is None:
            return True
        barrier.arrive()
        if barrier.released.is_set():
            return True
        play.entry.waiting = name

        def released() -> None:
            # From whatever thread releases.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._released, play, name, "")

        def forget() -> None:
            barrier.forget(released)

        self._release = forget
        self._timer = self._loop.call_later(self._server.barrier_ceiling, self._released, play, name, "held")
        barrier.then(released)
        return False

    def _released(self, play: Play, name: str, outcome: str) -> None:
        if self._play is not play or self._release is None or play.entry.waiting != name:
            return
        play.entry.waiting = ""
        self._cancel_timer()
        self._release()
        self._release = None
        if client_gone(cast(socket.socket, self._transport.get_extra_info("socket"))):
            # Released at the same moment: gone is gone all the same.
            self._gone()
            return
        if outcome:
            ceiling = self._server.barrier_ceiling
            play.entry.problem = f"Nobody released the barrier {name!r} within {ceiling:g} s; the play went on."
            self._outcome = outcome
        self._part += 1
        self._go_on()

    def _left_open(self) -> None:
        self._end("held")
        self._close()

    def _break(self, how: str) -> None:
        if how == "rst":
            # A reset throws away what is not sent yet; the script said that it was sent.
            self._reset(self._loop.time() + _DRAIN_CEILING)
            return
        self._end("cut")
        self._close()

    def _close(self) -> None:
        """End our direction, and read away what the client sent too much: closing over unread bytes would be a reset."""
        if self._ending or self._lost:
            return
        self._ending = True
        if self._half_closed:
            self._transport.close()
            return
        self._transport.write_eof()
        self._timer = self._loop.call_later(_LINGER, self._transport.close)

    def _reset(self, deadline: float) -> None:
        connection = cast(socket.socket, self._transport.get_extra_info("socket"))
        waits = self._transport.get_write_buffer_size() or unsent(connection)
        if waits and not self._lost and self._loop.time() < deadline:
            self._timer = self._loop.call_later(0.001, self._reset, deadline)
            return
        self._timer = None
        self._end("cut")
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def _gone(self) -> None:
        self._end("client went away")
        self._transport.close()

    def _finish(self, play: Play) -> None:
        self._end(self._outcome)
        self._next(keeps=play.answer.keeps)

    def _next(self, *, keeps: bool) -> None:
        self._busy = False
        if not keeps or self._half_closed:
            self._close()
        elif self._buffer:
            data, self._buffer = self._buffer, b""
            # Not at once: thousands of requests sent ahead would each stand on the stack of the one before.
            self._loop.call_soon(self._read_next, data)

    def _read_next(self, data: bytes) -> None:
        if self._busy:
            self._buffer = data + self._buffer
        elif not self._lost:
            self._read(data + self._buffer)

    def _end(self, outcome: str) -> None:
        """Note how the play ended, if there is one."""
        play, self._play = self._play, None
        self._cancel_timer()
        if self._release is not None:
            self._release()
            self._release = None
        self._resume = None
        if play is not None:
            if not play.entry.call.shared:
                play.entry.call.shrink()
            self._server.journal.close(play.entry, "mock error" if play.entry.fault else outcome)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
