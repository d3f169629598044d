"""The mock upstream as a server, on pytest-httpserver.

`MockUpstream` is a `pytest_httpserver.HTTPServer`: what its own `expect_request` handlers promise still works on every path
that no dialect and not the control API has. Dialect calls do not pass through WSGI: resets, half chunks and one write per
step need the socket itself.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPMessage
from typing import Any, cast

from pytest_httpserver import HTTPServer
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
from werkzeug.wrappers import Request

from gateproof_mock.control import BODY_LIMIT, PREFIX, Control
from gateproof_mock.dialects import RENDERERS, Asked, Route, route
from gateproof_mock.dialects.asked import dumps
from gateproof_mock.dialects.refusals import error_body, whole_json
from gateproof_mock.journal import Entry, Journal
from gateproof_mock.markers import decoded, markers_in
from gateproof_mock.player import Player
from gateproof_mock.stage import DEFAULT_ANSWER, Barrier, Stage
from gateproof_mock.steps import Step

LOOPBACK = ("127.0.0.1", "localhost", "::1")


class MockUpstream(HTTPServer):
    """A scriptable provider. Use as a context manager, or `start()` and `stop()`.

    `models`: what `GET /v1/models` lists. `barrier_ceiling`: seconds after which a barrier that nobody releases lets go.
    Off the loopback interface the control API needs a `token`. Raises OSError when the port is taken.
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
        self.control = Control(self.stage, self.journal, token, enabled=bool(token) or host in LOOPBACK)
        self.control_token = token
        self.models = models
        self.barrier_ceiling = barrier_ceiling
        self.stopping = threading.Event()

    @property
    def base_url(self) -> str:
        """The API base to configure in a gateway, `/v1` included."""
        return f"http://{self.host}:{self.port}/v1"

    def start(self) -> None:
        """Bind and serve in a thread. Overrides the parent's to bring our own request handler and a deep backlog."""
        self.stopping.clear()
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
        """End every play and close the port and all connections."""
        self.stopping.set()
        self.stage.release_all()
        server = cast("_Server | None", self.server)
        super().stop()
        if server is not None:
            server.close_connections()
            server.server_close()

    def steps(self, entry: Entry, at: Route, asked: Asked) -> Iterator[Step]:
        """What to play for a call, and note in its entry whether a script matched."""
        if at.kind == "models":
            entry.matched = True
            listed = [{"id": m, "object": "model", "created": 0, "owned_by": "gateproof"} for m in self.models]
            return whole_json({"object": "list", "data": listed})
        taken = self.stage.take(entry.markers)
        entry.matched = taken is not None
        return RENDERERS[at.dialect](taken[1] if taken else DEFAULT_ANSWER, asked)


class _Server(ThreadedWSGIServer):
    """Deep backlog: 128 makes SYN retransmits that look like a gateway's latency (measured)."""

    request_queue_size = 2048
    daemon_threads = True
    block_on_close = False
    mock: MockUpstream

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        try:
            super().__init__(*args, **kwargs)
        except SystemExit as error:  # werkzeug prints and exits when the port is taken
            raise OSError("address already in use") from error

    def remember(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.add(connection)

    def forget(self, connection: socket.socket) -> None:
        with self._guard:
            self._connections.discard(connection)

    def shutdown_request(self, request: Any) -> None:
        """Close without the FIN that the parent sends first where the script resets: a FIN would be read as an end."""
        if getattr(request, "getsockopt", None) and request.fileno() != -1 and _lingers(request):
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def close_connections(self) -> None:
        with self._guard:
            live = list(self._connections)
        for connection in live:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle is what tests do; it is in the journal and needs no traceback."""


def _lingers(connection: socket.socket) -> bool:
    return connection.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)[:4] != b"\0\0\0\0"


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    @property
    def mock(self) -> MockUpstream:
        return cast(_Server, self.server).mock

    def setup(self) -> None:
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        cast(_Server, self.server).remember(self.connection)

    def finish(self) -> None:
        cast(_Server, self.server).forget(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log(self, *args: Any, **kwargs: Any) -> None:
        """The journal is the log."""

    def run_wsgi(self) -> None:
        path = self.path.split("?", 1)[0]
        if path.startswith(PREFIX):
            self._control()
            return
        at = route(path)
        if at is None:
            super().run_wsgi()
            self.close_connection = True
        else:
            self._play(at)

    def _body(self) -> bytes | None:
        """The whole request body; None (and a closing connection) if it is over the limit."""
        headers = cast(HTTPMessage, self.headers)
        if "chunked" in headers.get("Transfer-Encoding", "").lower():
            pieces: list[bytes] = []
            total = 0
            while size := int(self.rfile.readline(64).split(b";")[0].strip() or b"0", 16):
                total += size
                if total > BODY_LIMIT:
                    self.close_connection = True
                    return None
                pieces.append(self.rfile.read(size))
                self.rfile.readline(2)
            while self.rfile.readline(65537).strip():
                pass
            return b"".join(pieces)
        length = int(headers.get("Content-Length") or 0)
        if length > BODY_LIMIT:
            self.close_connection = True
            return None
        return self.rfile.read(length)

    def _continue(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _reply(self, status: int, document: dict[str, Any]) -> None:
        data = dumps(document)
        head = f"HTTP/1.1 {status} -\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        with contextlib.suppress(OSError):
            self.connection.sendall(head.encode() + data)

    def _control(self) -> None:
        body = self._body()
        if body is None:
            self._reply(413, {"error": {"message": f"A control request may hold {BODY_LIMIT} bytes."}})
            return
        headers = {name.title(): value for name, value in self.headers.items()}
        status, document = self.mock.control.answer(self.command, self.path, headers, body)
        self._reply(status, document)

    def _play(self, at: Route) -> None:
        self._continue()
        raw = self._body()
        if raw is None:
            self._reply(413, error_body("The request is too large.", "invalid_request_error", None))
            return
        body = decoded(raw, self.headers.get("Content-Encoding", ""))
        mock = self.mock
        entry = mock.journal.open(
            markers=markers_in(body),
            method=self.command,
            path=self.path,
            headers=list(self.headers.items()),
            body=body,
            dialect=at.dialect,
            kind=at.kind,
        )
        credential = self.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        try:
            parsed = json.loads(body) if body else {}
        except (ValueError, RecursionError):
            parsed = None
        if not isinstance(parsed, dict):
            steps: Iterator[Step] = whole_json(
                error_body("The request body is not a JSON object.", "invalid_request_error", None), 400
            )
        else:
            asked = Asked(parsed, at.kind, credential)
            entry.stream = asked.stream
            steps = mock.steps(entry, at, asked)

        def barrier(name: str) -> Barrier | None:
            return mock.stage.barrier(entry.marker, name)

        player = Player(self.connection, entry, mock.stopping, mock.barrier_ceiling)
        ended = player.play(steps, barrier)
        mock.journal.close(entry, ended)
        if ended not in ("played", "held"):
            self.close_connection = True
