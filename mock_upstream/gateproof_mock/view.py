"""One test's view on a mock that many tests share: its own scripts, and the calls since it began."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from gateproof_mock.language.errors import ScriptError, short
from gateproof_mock.language.matching import When
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import Element
from gateproof_mock.language.wire import Wire
from gateproof_mock.markers import marker, run_part
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.journal import Entry, Journal
from gateproof_mock.serving.stage import Barrier, Stage

WITHIN = 5.0
"""Seconds that a wait lasts at most when nothing else is said."""

# The journal and a barrier can be waited for by one name; a view has several.
_SHOWN = 10
_EVERY_CALL = When()


class Mock(Protocol):
    """What a view needs of a running mock: MockUpstream and LoadUpstream have it."""

    @property
    def base_url(self) -> str: ...

    stage: Stage
    journal: Journal
    stopping: threading.Event


class MockView:
    """Scripts the mock for one test, and shows what that test caused.

    `says` and `plays` hold for every call without a registered marker, or for those that a `when` matches; a rule with a
    `when` goes before the one without, and of several the first. Saying the same `when` again replaces what was said.

    Where calls overlap that must not be mixed up, `marked()` gives a view of its own whose calls have `view.marker`
    somewhere in their prompt. Close the view, or use it as a context manager: its scripts go, and whoever waits in them
    goes on.
    """

    def __init__(self, mock: Mock, name: str = "test") -> None:
        self._mock = mock
        self._name = re.sub(r"[^A-Za-z0-9_.-]+", "-", name)[:60] or "test"
        self._run = run_part()
        self._start = max((e.number for e in mock.journal.all()), default=0)
        self._rules: list[_Rule] = []
        self._parts: list[MockView] = []
        self.marker = ""
        """What a call must have in its prompt to belong to this view; "": every call does."""

    def __enter__(self) -> MockView:
        return self

    def __exit__(self, *about: object) -> None:
        self.close()

    def close(self) -> None:
        """Forget this view's scripts and those of its marked views."""
        for part in self._parts:
            part.close()
        self.drop()

    def marked(self) -> MockView:
        """A view of the calls that have a marker in their prompt: put its `marker` there. It is closed with this one."""
        part = MockView(self._mock, self._name)
        part.marker = marker(part._run)
        self._parts.append(part)
        return part

    @property
    def base_url(self) -> str:
        """The API base to configure in a gateway or client, `/v1` included."""
        return self._mock.base_url

    @property
    def origin(self) -> str:
        """The API base of those who add `/v1` themselves, as Anthropic's clients do."""
        return self._mock.base_url.removesuffix("/v1")

    # --- what is played ---------------------------------------------------------------------------

    def says(self, *elements: Element, wire: Wire | None = None, when: When | None = None) -> None:
        """Every call gets this turn, or every call that `when` matches. Raises ScriptError."""
        self.plays(script(*elements, wire=wire), when=when)

    def plays(self, *scripts: Script, when: When | None = None) -> None:
        """The first, second, nth call gets the first, second, nth script, and later ones the last again."""
        if when is not None and not isinstance(when, When):
            raise ScriptError(f"when: expected a When, such as When(model='gpt-*'), got {short(when)}")
        rule = next((r for r in self._rules if r.when == when), None) or self._new_rule(when)
        # Before it is known here: a script that is refused leaves no rule behind.
        # Before what a whole session has: a test says what its own calls get.
        self._mock.stage.put(rule.name, scripts, _Asked(takes=lambda call: self._takes(rule, call)), rank=-1)
        if rule not in self._rules:
            self._rules.append(rule)

    def _new_rule(self, when: When | None) -> _Rule:
        return _Rule(f"{self._name}-{self._run}.{secrets.token_hex(4)}", when)

    def _takes(self, rule: _Rule, call: Any) -> bool:
        if not self._is_mine(call):
            return False
        if rule.when is not None:
            return rule.when.matches(call)
        return not any(other.when.matches(call) for other in self._rules if other.when is not None)

    def _is_mine(self, call: Call) -> bool:
        if self.marker:
            return self.marker in call.markers
        return not any(part.marker in call.markers for part in self._parts)

    def drop(self) -> None:
        """Forget this view's scripts, and release whoever waits in them."""
        rules, self._rules = self._rules, []
        for rule in rules:
            self._mock.stage.drop(rule.name)

    # --- barriers ---------------------------------------------------------------------------------

    def release(self, barrier: str) -> None:
        """Let every script of this view pass its `hold(barrier)`, now and later. Raises KeyError if none has one."""
        for found in self._barriers(barrier):
            found.release()

    def reached(self, barrier: str, within: float = WITHIN) -> bool:
        """Whether a script of this view has come to its `hold(barrier)`; waits for it, in the script said last if several have
        one. Raises KeyError if none has."""
        return self._barriers(barrier)[-1].await_reached(within, self._mock.stopping)

    def _barriers(self, name: str) -> list[Barrier]:
        there = [self._mock.stage.barriers(rule.name) or {} for rule in self._rules]
        found = [barriers[name] for barriers in there if name in barriers]
        if not found:
            names = ", ".join(dict.fromkeys(n for barriers in there for n in barriers)) or "none"
            raise KeyError(f"no script of this test has the hold {name!r}; there are: {names}")
        return found

    # --- what came --------------------------------------------------------------------------------

    @property
    def calls(self) -> list[Entry]:
        """The calls of this test so far that a script answered; of a marked view, all calls that have its marker."""
        return [e for e in self._since() if (self.marker in e.markers if self.marker else e.script)]

    @property
    def unmatched(self) -> list[Entry]:
        """The calls since this view began that belong to no script: wrong paths, wrong requests, a gateway's own traffic."""
        return [e for e in self._since() if not e.matched]

    def call(self, within: float = WITHIN) -> Entry:
        """The one call of this test, once it has come in. Raises AssertionError that says what came when none or more did."""
        __tracebackhide__ = True
        self._mock.journal.await_that(lambda: bool(self.calls), within)
        calls = self.calls
        if len(calls) == 1:
            return calls[0]
        raise AssertionError(_several(calls) if calls else self._none(within))

    def ended(self, within: float = WITHIN) -> Entry:
        """The one call of this test, once it has ended. Raises AssertionError as `call`, and for one that has not ended."""
        __tracebackhide__ = True
        deadline = time.monotonic() + within
        entry = self.call(within)
        if self._mock.journal.await_that(lambda: entry.ended != "open", max(0.0, deadline - time.monotonic())):
            return entry
        barrier = entry.waiting
        where = f"it waits at the barrier {barrier!r}" if barrier else f"it has sent {entry.sent.total} bytes"
        raise AssertionError(f"{_line(entry)} has not ended within {within:g} s: {where}")

    def _since(self) -> list[Entry]:
        return [e for e in self._mock.journal.all() if e.number > self._start]

    def _none(self, within: float) -> str:
        said = f"no call {f'with {self.marker} ' if self.marker else ''}came within {within:g} s"
        others = [e for e in self._since() if not e.matched]
        if not others:
            return f"{said}, and no other either: does the gateway's base URL lead to {self.base_url}?"
        return f"{said}; these came, and belong to no script: {_lines(others)}"


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    when: When | None


@dataclass(frozen=True, slots=True, eq=False)
class _Asked(When):
    """A rule that asks its view."""

    takes: Callable[[Any], bool] = bool

    def matches(self, call: Any) -> bool:
        return self.takes(call)


def _several(calls: Sequence[Entry]) -> str:
    return f"expected one call, and {len(calls)} came: {_lines(calls)}"


def _lines(entries: Sequence[Entry]) -> str:
    more = f" and {len(entries) - _SHOWN} more" if len(entries) > _SHOWN else ""
    return ", ".join(map(_line, entries[:_SHOWN])) + more


def _line(entry: Entry) -> str:
    status = f" -> {entry.status}" if entry.status else ""
    return f"call {entry.number}, {entry.method} {entry.path[:80]}{status} ({entry.ended})"
