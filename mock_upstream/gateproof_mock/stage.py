"""Scripts by marker, and the barriers inside them. No I/O."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateproof_mock.markers import MARKER_RULE, is_marker
from gateproof_mock.scripts import Script, ScriptError, script
from gateproof_mock.turns import Hold, text

DEFAULT_ANSWER = script(text("This call belongs to no script."))
SCRIPT_LIMIT = 50_000
"""Markers that are kept; the oldest go first."""


@dataclass(slots=True)
class Barrier:
    """A point where a script waits. `reached` is set by the player, `released` by the case; both stay set.

    `gone`: the script was dropped or replaced, so nobody will reach the barrier any more.
    """

    reached: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    gone: bool = False


@dataclass(slots=True)
class _Act:
    scripts: tuple[Script, ...]
    barriers: dict[str, Barrier]
    calls: int = 0

    def end(self) -> None:
        for barrier in self.barriers.values():
            barrier.gone = True
            barrier.released.set()


@dataclass(frozen=True, slots=True)
class Cue:
    """What one call is to be answered with. Its barriers are those of its own script, whatever is registered later."""

    marker: str
    script: Script
    barriers: Mapping[str, Barrier]


class Stage:
    """What is to be played for which marker. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._acts: dict[str, _Act] = {}
        self._lock = threading.Lock()

    def put(self, marker: str, scripts: Sequence[Script]) -> None:
        """Register the scripts of a marker's first, second, nth call, in place of what was there.

        Calls of one marker share its barriers. Whoever waits in a replaced script is released. Raises ScriptError for a
        word that no prompt is searched for, and for no scripts.
        """
        if not is_marker(marker):
            raise ScriptError(f"{marker!r} is no marker: expected {MARKER_RULE}")
        if not scripts:
            raise ScriptError(f"{marker}: expected at least one script")
        names = dict.fromkeys(e.name for s in scripts for e in s.turn if isinstance(e, Hold))
        act = _Act(tuple(scripts), {name: Barrier() for name in names})
        with self._lock:
            ended = [old for old in (self._acts.pop(marker, None),) if old]
            self._acts[marker] = act
            while len(self._acts) > SCRIPT_LIMIT:
                ended.append(self._acts.pop(next(iter(self._acts))))
        _end(ended)

    def drop(self, marker: str) -> None:
        """Forget a marker, and release whoever waits at its barriers."""
        with self._lock:
            act = self._acts.pop(marker, None)
        _end([act] if act else [])

    def take(self, markers: Sequence[str]) -> Cue | None:
        """The cue for the next call of the newest of these markers that is known; None if none is."""
        with self._lock:
            for marker in reversed(markers):
                act = self._acts.get(marker)
                if act is not None:
                    act.calls += 1
                    return Cue(marker, act.scripts[min(act.calls, len(act.scripts)) - 1], act.barriers)
        return None

    def barriers(self, marker: str) -> Mapping[str, Barrier] | None:
        """The barriers in a marker's scripts, by name; None if the marker is unknown."""
        with self._lock:
            act = self._acts.get(marker)
            return None if act is None else act.barriers

    def barrier(self, marker: str, name: str) -> Barrier | None:
        """One barrier; None if the marker is unknown or none of its scripts has such a hold."""
        return (self.barriers(marker) or {}).get(name)

    def release(self, marker: str, name: str) -> None:
        """Let everybody pass this barrier. Raises KeyError if there is none."""
        found = self.barrier(marker, name)
        if found is None:
            raise KeyError(f"{marker} has no barrier {name!r}")
        found.released.set()

    def clear(self) -> None:
        """Forget every marker, and release whoever waits."""
        with self._lock:
            acts = list(self._acts.values())
            self._acts.clear()
        _end(acts)

    def release_all(self) -> None:
        """Let everybody pass every barrier; the scripts stay."""
        with self._lock:
            barriers = [b for act in self._acts.values() for b in act.barriers.values()]
        for barrier in barriers:
            barrier.released.set()


def _end(acts: Iterable[_Act]) -> None:
    for act in acts:
        act.end()
