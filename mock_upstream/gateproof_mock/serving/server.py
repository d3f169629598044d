"""The mock upstream as a server, on pytest-httpserver.

`MockUpstream` is a `pytest_httpserver.HTTPServer`: what its own `expect_request` handlers promise still works on every path
that no dialect and not the control API has. Dialect calls do not pass through WSGI: resets, half chunks and one write per
step need the socket itself.
"""

from __future__ import annotations

import contextlib
import io
import re
import socket
import struct
import sys
import threading
import time
from http import HTTPStatus
from typing import Any, cast

from pytest_httpserver import HTTPServer
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from gateproof_mock.control import BODY_LIMIT as CONTROL_LIMIT
from gateproof_mock.control import PREFIX, Control
from gateproof_mock.dialects.openai import error_body
from gateproof_mock.dialects.routes import Route, route
from gateproof_mock.jsontext import dumps
from gateproof_mock.serving.addresses import format_host, is_loopback
from gateproof_mock.serving.answers import Answer, Own, Transfer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.limits import (
    BARRIER_CEILING,
    BODY_LIMIT,
    checked_ceiling,
    checked_port,
    path_of,
    target_of,
    target_problem,
    unknown_path,
)
from gateproof_mock.serving.player import Player
from gateproof_mock.serving.reception import Play, Reception

_LOG_KEPT = 1000
_STOP_CEILING = 2.0
_LINGER = 0.5
_LEADING_BLANKS = 4
_HEADER_LINE = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\0\r\n]*\r?\n")


class MockUpstream(HTTPServer):
    """A scriptable provider. Use as a context manager, or `start()` and `stop()`.

    `models`: what `GET /v1/models` lists. `barrier_ceiling`: seconds after which a barrier that nobody releases lets go.
    Off the loopback interface the control API needs a `token`. `start` raises OSError when the port is taken.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str = "",
        models: tuple[str, ...] = ("gateproof",),
        barrier_ceiling: float = BARRIER_CEILING,
    ) -> None:
        super().__init__(host, checked_port(port), threaded=True)
        self.reception = Reception(models)
        self.stage, self.journal, self.floor = self.reception.stage, self.reception.journal, self.reception.floor
        self.stopping = threading.Event()
        enabled = bool(token) or is_loopback(host)
        self.control = Control(self.reception, token, enabled=enabled, stopping=self.stopping)
        self.control_token = token
        self.barrier_ceiling = checked_ceiling(barrier_ceiling)
        self.no_handler_status_code = 404

    @property
    def base_url(self) -> str:
        """The API base to configure in a gateway, `/v1` included."""
        return f"http://{format_host(self.host)}:{self.port}/v1"

    def start(self) -> None:
        """Bind and serve in a thread. Overrides the parent's to bring our own request handler and a deep backlog."""
        if self.is_running():
            raise RuntimeError("the mock is running already")
        self.stopping.clear()
        self.journal.wake(awake=False)
        # super().application is the parent's dispatch, so expect_request handlers keep working.
        server = _Server(self.host, self.port, Request.application(self.application), handler=_Handler)
        server.mock = self
        self.server = server
        self.port = server.port
        self.server_thread = threading.Thread(target=self.thread_target, daemon=True, name="gateproof-mock")
        self.server_thread.start()

    def thread_target(self) -> None:
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.02)

    def stop(self) -> None:
        """End every play and every wait, close the port and all connections, and see their threads end."""
        if not self.is_running():
            return
        self.stopping.set()
        self.stage.wake()
        self.stage.release_all()
        self.journal.wake()
        server = cast("_Server | None", self.server)
        super().stop()
        if server is not None:
            server.end_connections(_STOP_CEILING)

    def clear(self) -> None:
        """As the parent's: its handlers, its log and what they recorded. Scripts and journal stay."""
        super().clear()
        self.no_handler_status_code = 404

    def application(self, request: Request) -> Response:
        """As the parent's, with a log of bounded length."""
        response = super().application(request)
        del self.log[:-_LOG_KEPT], self.assertions[:-_LOG_KEPT]
        return response

    def respond_nohandler(self, request: Request, extra_message: str = "") -> Response:
        """A call of a path that nobody serves is a finding, such as a base URL with /v1 once too often: journalled."""
        response = super().respond_nohandler(request, extra_message)
        if not self.handlers and not self.oneshot_handlers and not self.ordered_handlers:
            # Without handlers of pytest-httpserver their list says nothing.
            message = unknown_path(request.path)
            body = dumps(error_body(message, "invalid_request_error", None))
            response = Response(body, self.no_handler_status_code, content_type="application/json")
        headers = [(str(name), str(value)) for name, value in request.headers.items()]
        path = str(request.environ.get("RAW_URI", request.path))
        call = Call(request.method, path, headers, request.get_data(), None)
        answered = Answer((), response.status_code, 0, keeps=False)
        self.journal.close(self.journal.open(call, answered, Own(b"", b"", b"")), "played")
        return response


class _PortError(Exception):
    """Carries the OSError of bind past werkzeug, which prints it and exits."""

    def __init__(self, error: OSError) -> None:
        self.error = error


class _Server(ThreadedWSGIServer):
    """Deep backlog: 128 makes SYN retransmits that look like a gateway's latency (measured)."""

    request_queue_size = 2048
    daemon_threads = True
    block_on_close = False
    mock: MockUpstream

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._live: dict[threading.Thread, socket.socket] = {}
        self._guard = threading.Lock()
        try:
            super().__init__(*args, **kwargs)
        except _PortError as refused:
            raise refused.error from None

    def server_bind(self) -> None:
        try:
            super().server_bind()
        except OSError as error:
            raise _PortError(error) from error

    def server_activate(self) -> None:
        try:
            super().server_activate()
        except OSError as error:
            raise _PortError(error) from error

    def process_request(self, request: Any, client_address: Any) -> None:
        thread = threading.Thread(
            target=self._serve, args=(request, client_address), daemon=True, name="gateproof-mock-connection"
        )
        # Known before it runs: whoever ends all connections must not miss one that is just being accepted.
        with self._guard:
            self._live[thread] = request
        thread.start()

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._guard:
                self._live.pop(threading.current_thread(), None)

    @property
    def connections(self) -> int:
        return len(self._live)

    def end_connections(self, within: float) -> None:
        """Shut every connection and wait for its thread, `within` seconds for all of them."""
        with self._guard:
            live = dict(self._live)
        for connection in live.values():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        deadline = time.monotonic() + within
        for thread in live:
            if thread is not threading.current_thread():
                thread.join(max(0.0, deadline - time.monotonic()))

    def shutdown_request(self, request: Any) -> None:
        """Close. Where the script resets, without the FIN that the parent sends first: it would be read as an end.

        Elsewhere what the client sent too much is read away: closing over unread bytes would be a reset.
        """
        if request.fileno() != -1 and not _resets(request):
            with contextlib.suppress(OSError):
                request.shutdown(socket.SHUT_WR)
                request.setblocking(False)
                for _ in range(256):
                    if not request.recv(65536):
                        break
        self.close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is what tests do; it needs no traceback. A fault of the mock does."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


def _resets(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[:4] != b"\0\0\0\0"


class _Unreadable(Exception):
    """A request whose body cannot be read: the status and the sentence that answer it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Gone(Exception):
    """The client closed the connection in the middle of its request."""


class _Recorder:
    """The lines that a parser reads."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.lines: list[bytes] = []

    def readline(self, limit: int = -1) -> bytes:
        line: bytes = self._file.readline(limit)
        self.lines.append(line)
        return line


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    rfile: Any
    raw_requestline: bytes
    _raw = b""

    @property
    def mock(self) -> MockUpstream:
        return cast(_Server, self.server).mock

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A time-out of Python's own would ask the kernel twice for every write.
        seconds, part = divmod(max(0.1, self.mock.barrier_ceiling), 1)
        self.connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(seconds), int(part * 1e6))
        )

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log(self, *args: Any, **kwargs: Any) -> None:
        """The journal is the log."""

    def parse_request(self) -> bool:
        """As the parent's, for a head whose every line is one. Its parser takes a line without a colon, and the end of the
        connection, for the end of the head: what follows would be read as another request, or half of one answered."""
        self.rfile, rfile = _Recorder(self.rfile), self.rfile
        try:
            for _ in range(_LEADING_BLANKS):
                if self.raw_requestline.strip(b"\r\n"):
                    break
                # RFC 9112, section 2.2: an empty line before the request line is passed over.
                self.raw_requestline = self.rfile.readline(65537)
            parsed = super().parse_request()
            lines = self.rfile.lines
        finally:
            self.rfile = rfile
        if not parsed:
            return False
        if self.request_version == "HTTP/0.9":
            self.send_error(400, "HTTP/0.9 is not served")
            return False
        if not lines or lines[-1] not in (b"\r\n", b"\n"):
            self.close_connection = True
            return False
        if not all(map(_HEADER_LINE.fullmatch, lines[:-1])):
            self.send_error(400, "A header line is no name, colon and value")
            return False
        return True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the parent refuses: journalled, and told as every other refusal is."""
        self.close_connection = True
        said = message or HTTPStatus(code).phrase
        call = Call(str(getattr(self, "command", None) or ""), str(getattr(self, "path", "")), [], b"", None)
        self._run(
            self.mock.reception.refuse(call, Transfer(keeps=False), int(code), f"This request is not served: {said}")
        )

    def run_wsgi(self) -> None:
        words = {w.strip().lower() for w in ",".join(self.headers.get_all("Connection", [])).split(",")}
        # An HTTP/1.0 client would have to be told that its connection is kept; none needs it.
        if "close" in words or self.request_version in ("HTTP/0.9", "HTTP/1.0"):
            self.close_connection = True
        bare = path_of(self.path)
        control = bare.startswith(PREFIX)
        at = route(bare)
        try:
            if problem := target_problem(self.path):
                raise _Unreadable(400, problem)
            self._raw = self._body(CONTROL_LIMIT if control else BODY_LIMIT)
        except _Unreadable as unreadable:
            self._refuse(unreadable, at, control=control)
        except _Gone as gone:
            self.close_connection = True
            if not control:
                self.mock.reception.gone(self._call(at, gone.args[0]))
        else:
            if control:
                self._control(target_of(self.path))
            elif at is None:
                self._other()
            else:
                self._play(at)

    # --- the request's body -----------------------------------------------------------------------

    def _body(self, limit: int) -> bytes:
        """The whole request body. Raises _Unreadable and _Gone.

        The rules are RFC 9112's section 6.3: what two readers might frame differently is refused, since what follows on the
        connection would be read as another request.
        """
        codings = [
            c.strip().lower() for c in ",".join(self.headers.get_all("Transfer-Encoding", [])).split(",") if c.strip()
        ]
        lengths = {n.strip() for n in ",".join(self.headers.get_all("Content-Length", [])).split(",")} - {""}
        if codings:
            if codings != ["chunked"]:
                raise _Unreadable(501, f"Transfer-Encoding {', '.join(codings)[:60]!r} is not served.")
            if lengths or self.request_version == "HTTP/1.0":
                raise _Unreadable(400, "A request has Content-Length or, in HTTP/1.1, Transfer-Encoding, and not both.")
            return self._chunks(limit)
        if not lengths:
            return b""
        if len(lengths) > 1 or not re.fullmatch(r"[0-9]{1,18}", min(lengths)):
            raise _Unreadable(400, f"Content-Length {', '.join(sorted(lengths))[:60]!r} is no length.")
        return self._exactly(int(lengths.pop()), limit, [])

    def _exactly(self, size: int, limit: int, before: list[bytes]) -> bytes:
        if sum(map(len, before)) + size > limit:
            raise _Unreadable(413, f"A request body may hold {limit} bytes.")
        try:
            data: bytes = self.rfile.read(size)
        except OSError as error:
            raise _Gone(b"".join(before)) from error
        if len(data) < size:
            raise _Gone(b"".join([*before, data]))
        return data

    def _chunks(self, limit: int) -> bytes:
        pieces: list[bytes] = []
        while size := self._chunk_size(pieces):
            pieces.append(self._exactly(size, limit, pieces))
            if self._line(pieces) != b"":
                raise _Unreadable(400, "A chunk is longer than it says.")
        for _ in range(100):
            if self._line(pieces) == b"":
                return b"".join(pieces)
        raise _Unreadable(400, "There are too many trailers.")

    def _chunk_size(self, before: list[bytes]) -> int:
        size = self._line(before).partition(b";")[0].strip(b" \t")
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
            raise _Unreadable(400, f"{size[:20].decode('latin-1')!r} is no chunk size.")
        return int(size, 16)

    def _line(self, before: list[bytes]) -> bytes:
        try:
            line: bytes = self.rfile.readline(8192)
        except OSError as error:
            raise _Gone(b"".join(before)) from error
        if line.endswith(b"\n"):
            return line.rstrip(b"\r\n")
        if len(line) < 8192:
            raise _Gone(b"".join(before))
        raise _Unreadable(400, "A line of the chunked body is too long.")

    # --- answers ----------------------------------------------------------------------------------

    def _reply(self, status: int, document: dict[str, Any]) -> None:
        data = dumps(document)
        phrase = HTTPStatus(status).phrase
        closing = "Connection: close\r\n" if self.close_connection else ""
        head = f"HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{closing}\r\n"
        with contextlib.suppress(OSError):
            self.connection.sendall(head.encode() + (b"" if self.command == "HEAD" else data))

    def _refuse(self, problem: _Unreadable, at: Route | None, *, control: bool) -> None:
        """Answer a request whose body was not read to its end, so that the client gets to read the answer."""
        self.close_connection = True
        if control:
            self._reply(problem.status, {"error": {"message": str(problem)}})
        else:
            self._run(self.mock.reception.refuse(self._call(at), self._transfer(), problem.status, str(problem)))
        deadline = time.monotonic() + _LINGER
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(_LINGER)
            while self.connection.recv(65536) and time.monotonic() < deadline:
                pass

    def _control(self, target: str) -> None:
        headers = {name.title(): value for name, value in self.headers.items()}
        status, document = self.mock.control.answer(self.command, target, headers, self._raw)
        self._reply(status, document)

    def _other(self) -> None:
        """A path that no dialect has: pytest-httpserver's handlers, which close the connection after each answer."""
        # Both were dealt with: the 100 is sent, and the body is read.
        del self.headers["Expect"]
        del self.headers["Transfer-Encoding"]
        self.rfile, rfile = io.BufferedReader(io.BytesIO(self._raw)), self.rfile
        try:
            super().run_wsgi()
        finally:
            self.rfile = rfile
            self.close_connection = True

    def make_environ(self) -> dict[str, Any]:
        environ = super().make_environ()
        environ["CONTENT_LENGTH"] = str(len(self._raw))
        return environ

    def _call(self, at: Route | None, body: bytes = b"") -> Call:
        return Call(self.command, self.path, list(self.headers.items()), body, at)

    def _transfer(self) -> Transfer:
        return Transfer(
            keeps=not self.close_connection,
            chunks=self.request_version not in ("HTTP/0.9", "HTTP/1.0"),
            bodiless=self.command == "HEAD",
        )

    def _play(self, at: Route) -> None:
        self._run(self.mock.reception.receive(self._call(at, self._raw), self._transfer()))

    def _run(self, play: Play) -> None:
        mock, ended = self.mock, "mock error"
        player = Player(
            self.connection,
            play,
            mock.journal,
            mock.floor,
            mock.stopping,
            mock.barrier_ceiling,
            alone=cast(_Server, self.server).connections < 2,
        )
        try:
            ended = player.play()
        finally:
            play.entry.call.shrink()
            mock.journal.close(play.entry, "mock error" if play.entry.fault else ended)
            if not player.keeps:
                self.close_connection = True
