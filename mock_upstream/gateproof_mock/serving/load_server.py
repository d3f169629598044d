"""The mock upstream for load and for exact pacing: the same reception, stage and journal, on one asyncio loop.

A thread a connection, as `server.py` has it, is plain and fast for hundreds of streams; thousands of them, and pauses that
must not be late, want an event loop. What is played is the same, byte for byte. It serves dialect routes and the control
API, and no handlers of pytest-httpserver.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

from gateproof_mock.control import Control
from gateproof_mock.serving.addresses import format_host, is_loopback
from gateproof_mock.serving.answers import Transfer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.limits import BARRIER_CEILING, checked_ceiling, checked_port
from gateproof_mock.serving.load_connection import Connection
from gateproof_mock.serving.reading import KnownHead
from gateproof_mock.serving.reception import Reception

_START_CEILING = 10.0
_STOP_CEILING = 2.0


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
        self.port = checked_port(port)
        self.reception = Reception(models)
        self.stage, self.journal, self.floor = self.reception.stage, self.reception.journal, self.reception.floor
        self.stopping = threading.Event()
        enabled = (bool(token) or is_loopback(host)) and not reuse_port
        why_off = "several processes share this port, each with scripts of its own" if reuse_port else ""
        self.control = Control(self.reception, token, enabled=enabled, stopping=self.stopping, why_off=why_off)
        self.control_token = token
        self.barrier_ceiling = checked_ceiling(barrier_ceiling)
        self.connections: set[Connection] = set()
        self.seen: dict[bytes, tuple[Call, Transfer]] = {}
        self.heads: dict[bytes, KnownHead] = {}
        self.workers, self.waiters = _workers()
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
        self.workers, self.waiters = _workers()
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
        server = await loop.create_server(lambda: Connection(self, loop), sock=listening, backlog=2048)
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
        for workers in (self.workers, self.waiters):
            workers.shutdown(wait=False, cancel_futures=True)
        self._thread = self._loop = None


def _workers() -> tuple[ThreadPoolExecutor, ThreadPoolExecutor]:
    """For control requests; and for those that wait, of which there may be many at once."""
    return ThreadPoolExecutor(4, "gateproof-mock-control"), ThreadPoolExecutor(512, "gateproof-mock-waiting")


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
