"""The mock upstream as a server, on pytest-httpserver.

`MockUpstream` is a `pytest_httpserver.HTTPServer`: what its own `expect_request` handlers promise still works on every path
that no dialect and not the control API has. Dialect calls do not pass through WSGI: resets, half chunks and one write per
step need the socket itself.
"""

from __future__ import annotations

import contextlib
import io
import ipaddress
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import urlsplit

from pytest_httpserver import HTTPServer
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request, Response

from gateproof_mock.control import BODY_LIMIT as CONTROL_LIMIT
from gateproof_mock.control import PREFIX, Control
from gateproof_mock.dialects import RENDERERS, Asked, Route, route
from gateproof_mock.dialects.refusals import error_body, quoting, whole_json
from gateproof_mock.journal import Entry, Journal
from gateproof_mock.jsontext import dumps, parsed
from gateproof_mock.markers import decoded, markers_in
from gateproof_mock.player import Player
from gateproof_mock.stage import DEFAULT_ANSWER, Barrier, Stage
from gateproof_mock.steps import Step

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of a request body on a dialect's route."""

METHODS = {"turn": ("POST",), "compact": ("POST",), "models": ("GET", "HEAD")}
"""What may be asked of a route; of other subpaths, anything."""

_LOG_KEPT = 1000
_STOP_CEILING = 2.0
_LINGER = 0.5


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
        barrier_ceiling: float = 30.0,
    ) -> None:
        super().__init__(host, port, threaded=True)
        self.stage = Stage()
        self.journal = Journal()
        self.stopping = threading.Event()
        enabled = bool(token) or _is_loopback(host)
        self.control = Control(self.stage, self.journal, token, enabled=enabled, stopping=self.stopping)
        self.control_token = token
        self.models = models
        self.barrier_ceiling = barrier_ceiling
        self.no_handler_status_code = 404

    @property
    def base_url(self) -> str:
        """The API base to configure in a gateway, `/v1` included."""
        return f"http://{self.format_host(self.host)}:{self.port}/v1"

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
        self.stopping.set()
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
        entry = self.journal.open(
            markers=(),
            method=request.method,
            path=str(request.environ.get("RAW_URI", request.path)),
            headers=[(str(n), str(v)) for n, v in request.headers.items()],
            body=request.get_data(),
        )
        entry.status = response.status_code
        self.journal.close(entry, "played")
        return response

    def steps(self, entry: Entry, at: Route, asked: Asked) -> tuple[Iterator[Step], Mapping[str, Barrier]]:
        """What to play for a call, with its barriers; notes in the entry whether a script matched."""
        if at.kind == "models":
            entry.matched = True
            listed = [{"id": m, "object": "model", "created": 0, "owned_by": "gateproof"} for m in self.models]
            return whole_json({"object": "list", "data": listed}), {}
        cue = self.stage.take(entry.markers)
        entry.matched = cue is not None
        script, barriers = (cue.script, cue.barriers) if cue else (DEFAULT_ANSWER, {})
        return RENDERERS[at.dialect](quoting(script, asked), asked), barriers


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


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


def _check_target(target: str) -> None:
    try:
        urlsplit(target)
    except ValueError as error:
        raise _Unreadable(400, f"The request target is no URL: {error}") from error


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    _raw = b""

    @property
    def mock(self) -> MockUpstream:
        return cast(_Server, self.server).mock

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log(self, *args: Any, **kwargs: Any) -> None:
        """The journal is the log."""

    def run_wsgi(self) -> None:
        words = {w.strip().lower() for w in ",".join(self.headers.get_all("Connection", [])).split(",")}
        # An HTTP/1.0 client would have to be told that its connection is kept; none needs it.
        if "close" in words or self.request_version in ("HTTP/0.9", "HTTP/1.0"):
            self.close_connection = True
        path, control = self.path, False
        if not path.startswith("/"):
            # The absolute form, which every server must take.
            path = "/" + path.partition("://")[2].partition("/")[2]
        bare = path.split("?", 1)[0]
        control = bare.startswith(PREFIX)
        at = route(bare)
        try:
            _check_target(self.path)
            self._raw = self._body(CONTROL_LIMIT if control else BODY_LIMIT)
        except _Unreadable as problem:
            self._refuse(problem, at, control=control)
        except _Gone as gone:
            self.close_connection = True
            if not control:
                self._journal(at, gone.args[0], "client went away")
        else:
            if control:
                self._control(path)
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
            data = self.rfile.read(size)
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
            line = self.rfile.readline(8192)
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
        if not control:
            self._journal(at, b"", "played").status = problem.status
        kind = "invalid_request_error"
        self._reply(
            problem.status, {"error": {"message": str(problem)}} if control else error_body(str(problem), kind, None)
        )
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

    def _journal(self, at: Route | None, body: bytes, ended: str = "") -> Entry:
        """An entry for this request; closed, if it says how it `ended`. Without a route it has no markers."""
        journal = self.mock.journal
        entry = journal.open(
            markers=markers_in(body) if at else (),
            method=self.command,
            path=self.path,
            headers=list(self.headers.items()),
            body=body,
            dialect=at.dialect if at else "",
            kind=at.kind if at else "",
        )
        if ended:
            journal.close(entry, ended)
        return entry

    def _play(self, at: Route) -> None:
        body, problem = decoded(self._raw, self.headers.get("Content-Encoding", ""))
        entry = self._journal(at, body)
        mock = self.mock
        ended = "mock error"
        try:
            steps, barriers = self._steps(entry, at, body, problem)
            player = Player(
                self.connection,
                entry,
                mock.stopping,
                mock.barrier_ceiling,
                keeps=not self.close_connection,
                chunks=self.request_version not in ("HTTP/0.9", "HTTP/1.0"),
                bodiless=self.command == "HEAD",
            )
            ended = player.play(steps, barriers)
        finally:
            mock.journal.close(entry, ended)
            if ended not in ("played", "held"):
                self.close_connection = True

    def _steps(
        self, entry: Entry, at: Route, body: bytes, problem: str
    ) -> tuple[Iterator[Step], Mapping[str, Barrier]]:
        allowed = METHODS.get(at.kind)
        if allowed and self.command not in allowed:
            message = f"{self.command} is not allowed here."
            return _refusal(405, message, {"Allow": ", ".join(allowed)}), {}
        document = parsed(body) if body else {}
        if problem or not isinstance(document, dict):
            return _refusal(400, problem or "The request body is not a JSON object in UTF-8, or too deep."), {}
        scheme, _, credential = self.headers.get("Authorization", "").partition(" ")
        asked = Asked(document, at.kind, credential.strip() if scheme.lower() == "bearer" else "")
        entry.stream = asked.stream
        return self.mock.steps(entry, at, asked)


def _refusal(status: int, message: str, headers: Mapping[str, str] | None = None) -> Iterator[Step]:
    return whole_json(error_body(message, "invalid_request_error", None), status, headers=headers)
