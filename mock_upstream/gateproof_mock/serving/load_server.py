"""The mock upstream for load and for exact pacing: the same reception, stage and journal, on one asyncio loop.

A thread a connection, as `server.py` has it, is plain and fast for hundreds of streams; thousands of them, and pauses that
must not be late, want an event loop. What is played is the same, byte for byte. It serves dialect routes and the control
API, and no handlers of pytest-httpserver.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import h11

from gateproof_mock.control import BODY_LIMIT as CONTROL_LIMIT
from gateproof_mock.control import PREFIX, Control
from gateproof_mock.dialects.routes import route
from gateproof_mock.dialects.steps import Break, Head, Rest, Step, Wait, Write
from gateproof_mock.jsontext import dumps
from gateproof_mock.serving.addresses import format_host, is_loopback
from gateproof_mock.serving.answers import Sends, Transfer, answer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.limits import BARRIER_CEILING, BODY_LIMIT, path_of, target_of, target_problem, unknown_path
from gateproof_mock.serving.player import client_gone, unsent
from gateproof_mock.serving.reception import Play, Reception

_START_CEILING = 10.0
_STOP_CEILING = 2.0
_TURN = 16
"""Writes of one stream before the others have theirs: a long answer must not keep the first byte of another waiting."""

_HIGH_WATER = 64 * 1024
_SEEN_LIMIT = 256
_SEEN_SIZE = 64 * 1024
_DRAIN_CEILING = 1.0
_LINGER = 0.5


class LoadUpstream:
    """A scriptable provider on an event loop in a thread of its own. Use as a context manager, or `start()` and `stop()`.

    As MockUpstream; `reuse_port` lets several processes share the port, each with scripts and a journal of its own.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str = "",
        models: tuple[str, ...] = ("gateproof",),
        barrier_ceiling: float = BARRIER_CEILING,
        reuse_port: bool = False,
    ) -> None:
        self.host = host
        self.port = port
        self.reception = Reception(models)
        self.stage, self.journal, self.floor = self.reception.stage, self.reception.journal, self.reception.floor
        self.stopping = threading.Event()
        enabled = (bool(token) or is_loopback(host)) and not reuse_port
        why_off = "several processes share this port, each with scripts of its own" if reuse_port else ""
        self.control = Control(self.reception, token, enabled=enabled, stopping=self.stopping, why_off=why_off)
        self.control_token = token
        self.barrier_ceiling = barrier_ceiling
        self.connections: set[_Connection] = set()
        self.seen: dict[bytes, tuple[Call, Transfer]] = {}
        self.heads: dict[bytes, _Head] = {}
        self.workers = ThreadPoolExecutor(32, "gateproof-mock-control")
        self._reuse_port = reuse_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> LoadUpstream:
        self.start()
        return self

    def __exit__(self, *about: object) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """The API base to configure in a gateway, `/v1` included."""
        return f"http://{format_host(self.host)}:{self.port}/v1"

    def is_running(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        """Bind, and serve in a thread. Raises OSError when the port is taken."""
        if self._thread is not None:
            raise RuntimeError("the mock is running already")
        self.stopping.clear()
        self.journal.wake(awake=False)
        listening = _listen(self.host, self.port, reuse=self._reuse_port)
        self.port = listening.getsockname()[1]
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(listening, ready), daemon=True, name="gateproof-mock-loop"
        )
        self._thread.start()
        if not ready.wait(_START_CEILING):
            raise OSError(f"the mock's event loop did not start within {_START_CEILING:g} s")

    def _run(self, listening: socket.socket, ready: threading.Event) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve(listening, ready))

    async def _serve(self, listening: socket.socket, ready: threading.Event) -> None:
        loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        server = await loop.create_server(lambda: _Connection(self, loop), sock=listening, backlog=2048)
        ready.set()
        await self._ended.wait()
        server.close()
        for connection in tuple(self.connections):
            connection.stop()

    def stop(self) -> None:
        """End every play and every wait, close the port and all connections, and see the thread end."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self.stopping.set()
        self.journal.wake()
        self.stage.wake()
        loop.call_soon_threadsafe(self._ended.set)
        thread.join(_STOP_CEILING)
        self.stage.release_all()
        self._thread = self._loop = None


def _listen(host: str, port: int, *, reuse: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on what says to be TCP.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if reuse:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host.strip("[]"), port))
        listening.listen(2048)
        listening.setblocking(False)
    except OSError:
        listening.close()
        raise
    return listening


class _Head:
    """A request's head that was read before: the same bytes mean the same."""

    __slots__ = ("headers", "length", "method", "target", "transfer")

    def __init__(
        self, method: str, target: str, headers: list[tuple[str, str]], length: int, transfer: Transfer
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.length = length
        self.transfer = transfer


class _Connection(asyncio.Protocol):
    """One connection: requests in, one after the other; the parts of an answer out."""

    def __init__(self, server: LoadUpstream, loop: asyncio.AbstractEventLoop) -> None:
        self._server = server
        self._loop = loop
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._buffer = b""
        self._reading: _Reading | None = None
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
            self._reading = _Reading(self._server)
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
        if self._buffer or len(data) > _SEEN_SIZE or call.at is None:
            return
        seen = self._server.seen
        if len(seen) >= _SEEN_LIMIT:
            seen.clear()
        seen[data] = (call, transfer)

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
            self._tell(transfer, status, {"error": {"message": message}})
        else:
            self._begin(self._server.reception.refuse(call, transfer, status, message))

    def _tell(self, transfer: Transfer, status: int, document: dict[str, Any]) -> None:
        """The answer to a control request."""
        headers = {"Content-Type": "application/json"}
        data = dumps(document)
        steps: list[Step] = [Head(status, headers, len(data)), Write(data)]
        for part in answer(steps, transfer).parts:
            if isinstance(part, Sends):
                self._transport.write(part.data)
        self._next(keeps=transfer.keeps)

    def _control(self, call: Call, transfer: Transfer) -> None:
        self._busy = True
        control = self._server.control
        headers = {name.title(): value for name, value in call.headers}
        future = self._loop.run_in_executor(
            self._server.workers, control.answer, call.method, target_of(call.path), headers, call.raw
        )

        def done(finished: asyncio.Future[tuple[int, dict[str, Any]]]) -> None:
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
            self._server.journal.close(play.entry, "mock error" if play.entry.fault else outcome)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class _Reading:
    """A request that is being read by h11: what came so far, and what is wrong with it."""

    def __init__(self, server: LoadUpstream) -> None:
        self._server = server
        self._parser = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._raw = b""
        self._pieces: list[bytes] = []
        self._size = 0
        self.refused: tuple[int, str] | None = None
        self.rest = b""
        self.continued = False

    @property
    def call_begun(self) -> bool:
        return self._request is not None

    @property
    def wants_continue(self) -> bool:
        return self.refused is None and self._parser.they_are_waiting_for_100_continue

    def feed(self, data: bytes) -> bool:
        """Take in what came; whether the request is whole."""
        if len(self._raw) <= _SEEN_SIZE:
            self._raw += data
        try:
            self._parser.receive_data(data)
            while True:
                event = self._parser.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED:
                    return False
                if isinstance(event, h11.Request):
                    self._request = event
                    self.refused = self._problem(event)
                    if self.refused:
                        return False
                elif isinstance(event, h11.Data):
                    self._add(bytes(event.data))
                elif isinstance(event, h11.EndOfMessage):
                    self.rest = self._parser.trailing_data[0]
                    return self.refused is None
                else:
                    return False
        except h11.RemoteProtocolError as error:
            self.refused = self.refused or (error.error_status_hint, f"This is no HTTP/1.1 request: {error}")
        return False

    def _problem(self, request: h11.Request) -> tuple[int, str] | None:
        """What is wrong with a head that h11 finds right."""
        said = dict(request.headers)
        if b"content-length" in said and b"transfer-encoding" in said:
            # Two readers might frame it differently (RFC 9112, section 6.3).
            return 400, "A request has Content-Length or Transfer-Encoding, and not both."
        if wrong := target_problem(request.target.decode("latin-1")):
            return 400, wrong
        if int(said.get(b"content-length", b"0")) > self._limit():
            return 413, f"A request body may hold {self._limit()} bytes."
        return None

    def _limit(self) -> int:
        return CONTROL_LIMIT if path_of(self.call().path).startswith(PREFIX) else BODY_LIMIT

    def _add(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > self._limit():
            self.refused = (413, f"A request body may hold {self._limit()} bytes.")
            self._pieces.clear()
        elif self.refused is None:
            self._pieces.append(data)

    @property
    def transfer(self) -> Transfer:
        request = self._request
        if request is None:
            return Transfer(keeps=False)
        words = b",".join(v.lower() for k, v in request.headers if k == b"connection")
        old = request.http_version == b"1.0"
        keeps = not old and b"close" not in [w.strip() for w in words.split(b",")]
        return Transfer(keeps=keeps, chunks=not old, bodiless=request.method == b"HEAD")

    def call(self) -> Call:
        request = self._request
        if request is None:
            return Call("", "", [], b"", None)
        target = request.target.decode("latin-1")
        headers = [(k.decode("latin-1"), v.decode("latin-1")) for k, v in request.headers.raw_items()]
        return Call(request.method.decode(), target, headers, b"".join(self._pieces), route(path_of(target)))

    def head(self) -> tuple[bytes, _Head] | None:
        """The head as it came, if a request that begins with the same bytes can be read without a parser."""
        end = self._raw.find(b"\r\n\r\n") + 4
        chunked = self._request is None or any(k in (b"transfer-encoding", b"expect") for k, _ in self._request.headers)
        if end <= 3 or chunked or len(self._raw) > _SEEN_SIZE:
            return None
        call = self.call()
        return self._raw[:end], _Head(call.method, call.path, call.headers, self._size, self.transfer)
