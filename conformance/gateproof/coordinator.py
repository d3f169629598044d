"""What the controller keeps for all workers: leases, what the invariants saw, which checks are done, what is buffered.

A run without workers calls it; workers reach it by a `multiprocessing` manager on loopback: the standard library's own object
server, guarded by a random key.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, cast

from gateproof_mock import RemoteMock


class CeilingError(RuntimeError):
    """A wait of the suite itself reached its ceiling; the message says what it waited for."""


@dataclass(slots=True)
class Watch:
    """What one invariant saw on one pair and mode."""

    seen: int = 0
    broken: int = 0
    first: str = ""
    first_in: str = ""
    first_transcript: list[Any] = field(default_factory=list)


class Coordinator:
    """Every method may be called from any thread; every wait has a ceiling in seconds."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._shared: dict[str, str] = {}
        self._exclusive: tuple[str, str] | None = None
        self._waiting_exclusive = 0
        self._watches: dict[tuple[str, str], Watch] = {}
        self._settled: dict[str, set[str]] = {}
        self._gone: set[str] = set()
        self._buffering: set[str] = set()
        self._out_of_order = False
        self._gateway_ending: Callable[[float], str] = lambda within: ""

    # -- the gateway's process

    def watch_gateway(self, ending: Callable[[float], str]) -> None:
        """Ask this whether the gateway has ended by itself."""
        self._gateway_ending = ending

    def gateway_ending(self, within: float = 0.0) -> str:
        """How the gateway that was started for this run ended; "" if it still runs after so many seconds, or is not ours."""
        return self._gateway_ending(within)

    # -- leases

    def lease(self, holder: str, worker: str, alone: bool, ceiling: float) -> None:
        """Take the shared lease, or the exclusive one. Raises CeilingError."""

        def free() -> bool:
            if alone:
                return self._exclusive is None and not self._shared
            # A waiting exclusive holder goes first, or it might wait for ever.
            return self._exclusive is None and not self._waiting_exclusive

        with self._changed:
            self._waiting_exclusive += alone
            try:
                if not self._changed.wait_for(lambda: worker in self._gone or free(), ceiling):
                    others = sorted(self._shared) + ([self._exclusive[0]] if self._exclusive else [])
                    raise CeilingError(
                        f"{holder} waited {ceiling:g} s for its turn; running: {', '.join(others) or 'none'}"
                    )
                if worker in self._gone:
                    # Its connection outlives it: a lease taken now would never be given back.
                    raise CeilingError(f"{holder} is gone")
                if alone:
                    self._exclusive = (holder, worker)
                else:
                    self._shared[holder] = worker
            finally:
                self._waiting_exclusive -= alone
                self._changed.notify_all()

    def release(self, holder: str) -> None:
        with self._changed:
            self._shared.pop(holder, None)
            if self._exclusive and self._exclusive[0] == holder:
                self._exclusive = None
            self._changed.notify_all()

    def worker_gone(self, worker: str, *, died: bool = True) -> None:
        """Free what a worker held and what it waits for; `died`: in the middle of its work."""
        with self._changed:
            self._gone.add(worker)
            self._out_of_order |= died
            self._shared = {h: w for h, w in self._shared.items() if w != worker}
            if self._exclusive and self._exclusive[1] == worker:
                self._exclusive = None
            self._changed.notify_all()

    # -- invariants

    def observe(self, place: str, check: str, findings: dict[str, list[str]], transcript: list[Any]) -> None:
        """Count an exchange for these invariants; an empty list is one that holds. The transcript of a first breach is kept."""
        with self._changed:
            for id, sentences in findings.items():
                watch = self._watches.setdefault((id, place), Watch())
                watch.seen += 1
                if sentences:
                    watch.broken += 1
                    # The first by name, not by time: the report is the same in any order and number of workers.
                    if not watch.first_in or check < watch.first_in:
                        watch.first, watch.first_in, watch.first_transcript = "; ".join(sentences), check, transcript

    def watch(self, id: str, place: str) -> Watch:
        """What the invariant has seen so far: a copy."""
        with self._changed:
            return replace(self._watches.get((id, place), Watch()))

    def settle(self, place: str, check: str) -> None:
        """A check of this pair and mode is done, however it ended."""
        with self._changed:
            self._settled.setdefault(place, set()).add(check)
            self._changed.notify_all()

    def await_settled(self, place: str, checks: list[str], ceiling: float) -> None:
        """Wait until these checks are done. Raises CeilingError naming those that are not.

        Once a worker has died nobody waits: xdist gives what it left behind to the others last, behind the very checks that
        would wait for it. Such a run ends as a suite error anyway.
        """
        wanted = set(checks)
        with self._changed:
            if not self._changed.wait_for(
                lambda: self._out_of_order or wanted <= self._settled.get(place, set()), ceiling
            ):
                missing = sorted(wanted - self._settled.get(place, set()))
                raise CeilingError(f"waited {ceiling:g} s for {len(missing)} checks to end, such as {missing[0]}")

    # -- barriers

    def mark_buffering(self, place: str) -> None:
        """This pair and mode holds deltas back: later barriers of it need not wait their ceiling."""
        with self._changed:
            self._buffering.add(place)

    def is_buffering(self, place: str) -> bool:
        with self._changed:
            return place in self._buffering


def _manager_class(**served: Callable[[], Any]) -> Any:
    # Here, for multiprocessing is a tenth of a second that a run without workers need not wait for; a class of its own each
    # time, for a class keeps what is registered.
    from multiprocessing.managers import BaseManager

    kind: Any = type("_Manager", (BaseManager,), {})
    for name, exposed in (("coordinator", _OF_THE_COORDINATOR), ("mock", _OF_THE_MOCK)):
        kind.register(name, served.get(name), exposed=exposed)
    return kind


class CoordinatorServer:
    """Serves one coordinator on loopback, and the controller's mock if it has one of its own. `address` and `key` are what a
    worker needs to connect.

    The mock has an HTTP API for the same; between the suite's own processes it took a quarter of a run's CPU.
    """

    def __init__(self, coordinator: Coordinator, mock: RemoteMock | None = None) -> None:
        self.key = secrets.token_hex(16)
        kind = _manager_class(coordinator=lambda: coordinator, mock=lambda: mock)
        manager = kind(address=("127.0.0.1", 0), authkey=bytes.fromhex(self.key))
        self._server = manager.get_server()
        self.address: tuple[str, int] = cast("tuple[str, int]", self._server.address)
        threading.Thread(target=self._serve, daemon=True, name="gateproof-coordinator").start()

    def _serve(self) -> None:
        # serve_forever of the standard library ends with sys.exit, which in a thread is only noise.
        try:
            self._server.serve_forever()
        except SystemExit:
            return


_OF_THE_COORDINATOR = (
    "lease",
    "release",
    "observe",
    "watch",
    "settle",
    "await_settled",
    "mark_buffering",
    "is_buffering",
    "gateway_ending",
)
_OF_THE_MOCK = ("put", "drop", "release", "reached", "calls")


class CoordinatorProxy(Protocol):
    """What a worker sees of the coordinator."""

    def lease(self, holder: str, worker: str, alone: bool, ceiling: float) -> None: ...
    def release(self, holder: str) -> None: ...
    def observe(self, place: str, check: str, findings: dict[str, list[str]], transcript: list[Any]) -> None: ...
    def watch(self, id: str, place: str) -> Watch: ...
    def settle(self, place: str, check: str) -> None: ...
    def await_settled(self, place: str, checks: list[str], ceiling: float) -> None: ...
    def mark_buffering(self, place: str) -> None: ...
    def is_buffering(self, place: str) -> bool: ...
    def gateway_ending(self, within: float = 0.0) -> str: ...


def connect(address: tuple[str, int], key: str) -> tuple[CoordinatorProxy, RemoteMock]:
    """The coordinator of another process, and its mock."""
    manager = _manager_class()(address=tuple(address), authkey=bytes.fromhex(key))
    manager.connect()
    return cast(CoordinatorProxy, manager.coordinator()), cast(RemoteMock, manager.mock())


def disconnect(proxy: object) -> None:
    """Close this thread's connection, which a proxy otherwise leaves to the end of the process."""
    connection = getattr(getattr(proxy, "_tls", None), "connection", None)
    if connection is not None:
        connection.close()
