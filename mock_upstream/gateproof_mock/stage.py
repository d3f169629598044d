"""Scripts by marker, and the barriers inside them. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateproof_mock.scripts import Script, script
from gateproof_mock.turns import text

DEFAULT_ANSWER = script(text("This call belongs to no script."))
SCRIPT_LIMIT = 50_000


@dataclass(slots=True)
class Barrier:
    """A point where a script waits. `reached` is set by the player, `released` by the case."""

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(slots=True)
class _Act:
    scripts: tuple[Script, ...]
    calls: int = 0
    barriers: dict[str, Barrier] = field(default_factory=dict)


class Stage:
    """What is to be played for which marker. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._acts: dict[str, _Act] = {}
        self._lock = threading.Lock()

    def put(self, marker: str, scripts: Sequence[Script]) -> None:
        """Register the scripts of a marker's first, second, nth call, in place of what was there."""
        with self._lock:
            self._acts[marker] = _Act(tuple(scripts))
            while len(self._acts) > SCRIPT_LIMIT:
                self._acts.pop(next(iter(self._acts)))

    def drop(self, marker: str) -> None:
        """Forget a marker, and release whoever waits at its barriers."""
        with self._lock:
            act = self._acts.pop(marker, None)
        for barrier in act.barriers.values() if act else ():
            barrier.released.set()

    def take(self, markers: Sequence[str]) -> tuple[str, Script] | None:
        """The script for the next call of the newest of these markers that is known; None if none is."""
        with self._lock:
            for marker in reversed(markers):
                act = self._acts.get(marker)
                if act is not None:
                    act.calls += 1
                    return marker, act.scripts[min(act.calls, len(act.scripts)) - 1]
        return None

    def barrier(self, marker: str, name: str) -> Barrier | None:
        """The barrier, made when first named; None if the marker is unknown."""
        with self._lock:
            act = self._acts.get(marker)
            return None if act is None else act.barriers.setdefault(name, Barrier())

    def clear(self) -> None:
        for marker in list(self._acts):
            self.drop(marker)

    def release_all(self) -> None:
        with self._lock:
            barriers = [b for act in self._acts.values() for b in act.barriers.values()]
        for barrier in barriers:
            barrier.released.set()
