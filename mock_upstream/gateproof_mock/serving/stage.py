"""Scripts and whom they are for: by marker, by what a call looks like, or built in; and the barriers inside them. No I/O."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gateproof_mock import builtin
from gateproof_mock.language.errors import short
from gateproof_mock.language.matching import When
from gateproof_mock.language.scripts import Script, ScriptError, script
from gateproof_mock.language.turns import Hold, text
from gateproof_mock.markers import MARKER_RULE, is_marker
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.limits import bounded

DEFAULT_ANSWER = script(text("This call belongs to no script."))
UNKNOWN_MARKER = script(text("No script is registered for {marker}."))
"""Said to a call that has a marker: it is mistyped, or its script was dropped."""

SCRIPT_LIMIT = 50_000
"""Markers that are kept; the oldest go first."""

RULE_LIMIT = 1000
"""Scripts for calls of some kind that are kept: each is looked at for every call without a marker."""


class Barrier:
    """A point where a script waits. `reached` says that a play came here, `released` that plays may pass; both stay so.

    `gone`: the script was dropped or replaced, so nobody will reach the barrier any more.
    """

    __slots__ = ("_changed", "_then", "gone", "reached", "released")

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.released = threading.Event()
        self.gone = False
        self._changed = threading.Condition()
        self._then: list[Callable[[], None]] = []

    def arrive(self) -> None:
        """Note that a play came here."""
        self.reached.set()
        self.wake()

    def wake(self) -> None:
        """Have whoever waits in `await_reached` look again."""
        with self._changed:
            self._changed.notify_all()

    def await_reached(self, within: float, stopped: threading.Event) -> bool:
        """Whether a play comes here within so many seconds; ends early when nobody can, or when the mock stops."""
        with self._changed:
            self._changed.wait_for(lambda: self.reached.is_set() or self.gone or stopped.is_set(), bounded(within))
        return self.reached.is_set()

    def release(self) -> None:
        """Let everybody pass, now and later."""
        with self._changed:
            self.released.set()
            then, self._then = self._then, []
            self._changed.notify_all()
        for call in then:
            call()

    def then(self, call: Callable[[], None]) -> None:
        """Have `call` called, from whatever thread releases; at once if that was done. For servers that cannot block."""
        with self._changed:
            if not self.released.is_set():
                self._then.append(call)
                return
        call()

    def forget(self, call: Callable[[], None]) -> None:
        """Do not call it after all."""
        with self._changed:
            if call in self._then:
                self._then.remove(call)


NO_BARRIERS: Mapping[str, Barrier] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Cue:
    """What one call is to be answered with. Its barriers are those of its own script, whatever is registered later."""

    name: str
    script: Script
    barriers: Mapping[str, Barrier] = field(default_factory=dict)


class _Act:
    """Scripts by one name. `cues` are those of its first, second, nth call; the last is that of every later one."""

    __slots__ = ("barriers", "calls", "cues", "name", "rank", "when")

    def __init__(self, name: str, scripts: Sequence[Script], when: When | None = None, rank: int = 0) -> None:
        self.name = name
        self.rank = rank
        self.when = when
        self.barriers = _barriers(scripts)
        self.cues = [Cue(name, script, self.barriers) for script in scripts]
        self.calls = 0

    def next(self) -> Cue:
        self.calls += 1
        return self.cues[min(self.calls, len(self.cues)) - 1]

    def end(self) -> None:
        for barrier in self.barriers.values():
            barrier.gone = True
            barrier.release()


def _barriers(scripts: Iterable[Script]) -> dict[str, Barrier]:
    return {name: Barrier() for name in dict.fromkeys(e.name for s in scripts for e in s.turn if isinstance(e, Hold))}


class Stage:
    """What is to be played for which call. Every method may be called from any thread."""

    def __init__(self) -> None:
        self._acts: dict[str, _Act] = {}
        self._rules: dict[str, _Act] = {}
        self._lock = threading.Lock()

    def put(self, name: str, scripts: Sequence[Script], when: When | None = None, *, rank: int = 0) -> None:
        """Register the scripts of the first, second, nth call, in place of what had this name.

        Without `when`, `name` is a marker, and the calls are those that have it. With it they are those that look so; such
        rules are tried, those of a lower `rank` before others, in the order in which they were first registered, for calls whose
        marker nobody registered.
        Calls of one name share its barriers. Whoever waits in a replaced script is released. Raises ScriptError for a word
        that no prompt is searched for, for no scripts, and for too many rules.
        """
        self.put_all([(name, scripts, when)], rank=rank)

    def put_all(self, found: Iterable[tuple[str, Sequence[Script], When | None]], *, rank: int = 0) -> None:
        """Register all of these, or none of them. Raises ScriptError."""
        acts = [_act(name, scripts, when, rank) for name, scripts, when in found]
        with self._lock:
            rules = {act.name for act in acts if act.when is not None} | self._rules.keys()
            if len(rules) > max(RULE_LIMIT, len(self._rules)):
                raise ScriptError(f"{acts[-1].name}: there are {RULE_LIMIT} scripts with a `when` at most; drop some")
            ended = [old for act in acts for old in self._replaced(act)]
            while len(self._acts) > SCRIPT_LIMIT:
                ended.append(self._acts.pop(next(iter(self._acts))))
        _end(ended)

    def _replaced(self, act: _Act) -> list[_Act]:
        if act.when is None:
            old = [self._acts.pop(act.name, None), self._rules.pop(act.name, None)]
            self._acts[act.name] = act
        else:
            old = [self._acts.pop(act.name, None), self._rules.get(act.name)]
            self._rules[act.name] = act
            self._rules = dict(sorted(self._rules.items(), key=lambda rule: rule[1].rank))
        return [o for o in old if o]

    def drop(self, name: str) -> None:
        """Forget these scripts, and release whoever waits in them."""
        with self._lock:
            ended = [self._acts.pop(name, None), self._rules.pop(name, None)]
        _end([act for act in ended if act])

    def take(self, call: Call) -> Cue | None:
        """The script of this call, and note that it was made; None when it belongs to none.

        The newest marker that is registered counts; then a built-in script's word; then the first rule that matches.
        Raises ScriptError for a built-in script that does not exist.
        """
        for marker in reversed(call.markers):
            with self._lock:
                act = self._acts.get(marker)
                if act is not None:
                    return act.next()
        if call.builtin is not None:
            return _built_in(*call.builtin)
        if not self._rules:
            return None
        with self._lock:
            rules = list(self._rules.values())
        for act in rules:
            # Outside of the lock: a rule may hold a caller's own function.
            if act.when is not None and act.when.matches(call):
                with self._lock:
                    return act.next()
        return None

    def names(self) -> list[str]:
        """Every name that is registered, in order."""
        with self._lock:
            return [*self._acts, *self._rules]

    def barriers(self, name: str) -> Mapping[str, Barrier] | None:
        """The barriers in these scripts, by name; None if nothing has this name."""
        with self._lock:
            act = self._acts.get(name) or self._rules.get(name)
            return None if act is None else act.barriers

    def barrier(self, marker: str, name: str) -> Barrier | None:
        """One barrier; None if nothing is registered by this name or none of its scripts has such a hold."""
        return (self.barriers(marker) or {}).get(name)

    def release(self, marker: str, name: str) -> None:
        """Let everybody pass this barrier. Raises KeyError if there is none."""
        found = self.barrier(marker, name)
        if found is None:
            raise KeyError(f"{marker} has no barrier {name!r}")
        found.release()

    def clear(self) -> None:
        """Forget every script, and release whoever waits."""
        with self._lock:
            acts = [*self._acts.values(), *self._rules.values()]
            self._acts.clear()
            self._rules.clear()
        _end(acts)

    def wake(self) -> None:
        """Have whoever waits for a barrier to be reached look again: the mock stops."""
        with self._lock:
            acts = [*self._acts.values(), *self._rules.values()]
        for barrier in (b for act in acts for b in act.barriers.values()):
            barrier.wake()

    def release_all(self) -> None:
        """Let everybody pass every barrier; the scripts stay."""
        with self._lock:
            acts = [*self._acts.values(), *self._rules.values()]
        for act in acts:
            for barrier in act.barriers.values():
                barrier.release()


@functools.lru_cache(256)
def _plain(name: str, seed: int) -> Cue:
    return Cue(f"gp-play-{name}.{seed}", builtin.script(name, seed))


def _built_in(name: str, seed: int) -> Cue:
    """A built-in script's cue. Nobody can release its barriers, so each call has its own."""
    cue = _plain(name, seed)
    barriers = _barriers([cue.script]) if any(isinstance(e, Hold) for e in cue.script.turn) else None
    return Cue(cue.name, cue.script, barriers) if barriers else cue


def _act(name: str, scripts: Sequence[Script], when: When | None, rank: int) -> _Act:
    """Checked. Raises ScriptError."""
    if when is None and not is_marker(name):
        raise ScriptError(f"{name!r} is no marker: expected {MARKER_RULE}; other names need a `when`")
    if when is not None and not isinstance(when, When):
        raise ScriptError(f"{name}: when: expected a When, such as When(model='gpt-*'), got {short(when)}")
    if not scripts:
        raise ScriptError(f"{name}: expected at least one script")
    for one in scripts:
        if not isinstance(one, Script):
            raise ScriptError(f"{name}: expected scripts, such as script(text('Hello')), got {short(one)}")
    return _Act(name, scripts, when, rank)


def _end(acts: Iterable[_Act]) -> None:
    for act in acts:
        act.end()
