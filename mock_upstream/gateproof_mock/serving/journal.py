"""What the mock saw: one entry for each call, bounded in number and in memory.

An entry keeps raw bytes and refers to the rendered answer; parsing, validating and spelling out what was sent happen when it
is read (validating a small request costs as much as serving it).
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from gateproof_mock.serving.answers import SHOWN, Answer, Own, Sends
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.limits import bounded

LEG_LIMIT = SHOWN
"""Bytes of one leg that are kept; of the rest only the hash and the count (the transcripts' cap)."""

ENTRY_LIMIT = 10_000

MEMORY_LIMIT = 128 * 1024 * 1024
"""Bytes that all entries together may hold, about."""

_ENTRY_COST = 2048
_PIECE_COST = 128
_NOTED_BODY = 4096
"""Bytes of a body with which a call may wait for being filed: ten thousand of them are no memory to speak of."""


@dataclass(slots=True)
class Leg:
    """One direction of one exchange: pieces with the time (Unix seconds) at which they passed."""

    pieces: list[tuple[float, bytes]] = field(default_factory=list)
    total: int = 0
    _rest: Any = None

    def add(self, data: bytes, at: float | None = None) -> None:
        room = LEG_LIMIT - min(self.total, LEG_LIMIT)
        self.total += len(data)
        if room > 0:
            self.pieces.append((time.time() if at is None else at, data[:room]))
        if len(data) > room:
            self._rest = self._rest or hashlib.sha256()
            self._rest.update(data[room:])

    def to_json(self) -> dict[str, Any]:
        """`pieces`: [time, text or {"base64": ...}]; `bytes`; `rest_sha256` when something was left out."""
        cut = self._rest is not None
        last = len(self.pieces) - 1
        out: dict[str, Any] = {
            "pieces": [
                [round(at, 6), _readable(data, cut=cut and number == last)]
                for number, (at, data) in enumerate(self.pieces)
            ],
            "bytes": self.total,
        }
        if self._rest is not None:
            out["rest_sha256"] = self._rest.hexdigest()
        return out


def _readable(data: bytes, *, cut: bool = False) -> str | dict[str, str]:
    """Text, or base64 for what is not UTF-8. A character that a `cut` went through is left out."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if cut and error.start >= len(data) - 3 and error.reason == "unexpected end of data":
            return data[: error.start].decode()
        return {"base64": base64.b64encode(data).decode()}


@dataclass(slots=True, eq=False)
class Entry:
    """One call.

    `ended`: `open`, `played`, `cut` (by the script), `client went away`, `client does not read` (for as long as a barrier's
    ceiling), `stopped` (the mock was), `held` (a barrier reached its ceiling, and the play went on), or `mock error`.
    `waiting`: the barrier at which it stands just now.
    `script`: the name of what was played; "" for a call that belongs to no script. `matched`: whether a script, or a fixed
    answer of the mock's, was meant for it. `writes`: how many writes of the answer have left. Times are Unix seconds:
    `began` when the request was read, `first` when the first bytes were about to leave, `finished` at the end.
    `problem`: what was wrong with the play, such as a barrier that nobody released; with `fault`, one of the mock's own.
    """

    number: int
    call: Call
    answer: Answer
    own: Own
    script: str
    matched: bool
    began: float
    first: float = 0.0
    finished: float = 0.0
    ended: str = "open"
    waiting: str = ""
    writes: int = 0
    problem: str = ""
    fault: bool = False
    times: list[float] = field(default_factory=list)
    cost: int = 0

    @property
    def marker(self) -> str:
        return self.call.markers[-1] if self.call.markers else ""

    @property
    def status(self) -> int:
        return self.answer.status if self.first or self.ended == "played" else 0

    @property
    def stream(self) -> bool:
        return self.call.stream

    @property
    def dialect(self) -> str:
        return self.call.dialect

    @property
    def kind(self) -> str:
        return self.call.kind

    @property
    def method(self) -> str:
        return self.call.method

    @property
    def path(self) -> str:
        return self.call.path

    @property
    def headers(self) -> list[tuple[str, str]]:
        return self.call.headers

    @property
    def body(self) -> bytes:
        """The decoded body, whole or its beginning (`BODY_KEPT`)."""
        return self.call.text

    @property
    def json(self) -> Any:
        """The request's JSON document; None for what is none."""
        return self.call.document

    @property
    def markers(self) -> tuple[str, ...]:
        return self.call.markers

    @property
    def sent(self) -> Leg:
        """The body's bytes that left, with their times."""
        leg = Leg()
        left, number = self.writes, 0
        for part in self.answer.parts:
            if left <= 0:
                break
            if isinstance(part, Sends):
                for data in part.bodies(self.own, left):
                    if data:
                        leg.add(data, self.times[min(number, len(self.times) - 1)] if self.times else self.first)
                    number += 1
                left -= len(part)
        return leg

    def problems(self) -> list[str]:
        """What the dialect's schema has against the request, one line each. Costs about 0.1 ms."""
        from gateproof_schemas import names, validate

        name = f"{self.dialect}/{'count-request' if self.kind == 'count' else 'request'}"
        if self.kind not in ("turn", "count") or name not in names():
            return []
        return [str(violation) for violation in validate(self.json, name)]

    def to_json(self, *, problems: bool = False) -> dict[str, Any]:
        call = self.call
        out = {
            "number": self.number,
            "script": self.script,
            "markers": list(call.markers),
            "method": call.method,
            "path": call.path,
            "headers": [list(h) for h in call.headers],
            "body": _readable(call.text[:LEG_LIMIT], cut=len(call.text) > LEG_LIMIT),
            "body_bytes": call.body_bytes,
            "json": self.json,
            "began": self.began,
            "first_byte": self.first,
            "finished": self.finished,
            "dialect": call.dialect,
            "kind": call.kind,
            "stream": call.stream,
            "matched": self.matched,
            "status": self.status,
            "ended": self.ended,
            "waiting": self.waiting,
            "writes": self.writes,
            "writes_in_all": self.answer.writes,
            "sent": self.sent.to_json(),
        }
        if self.problem:
            out["problem"] = self.problem
        if problems:
            out["problems"] = self.problems()
        return out


class Journal:
    """The entries of one mock, oldest dropped first. Every method may be called from any thread."""

    def __init__(self, limit: int = ENTRY_LIMIT, memory: int = MEMORY_LIMIT) -> None:
        self._limit = limit
        self._memory = memory
        self._used = 0
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._by_name: dict[str, deque[Entry]] = {}
        self._changed = threading.Condition()
        self._numbers = 0
        self._waiters = 0
        self._played: deque[tuple[Call, Answer, Own, str, bool, float]] = deque(maxlen=limit)
        self._awake = False

    def open(
        self, call: Call, answer: Answer, own: Own, script: str = "", *, matched: bool = False, fault: str = ""
    ) -> Entry:
        """A new entry for a call that was read and is about to be answered."""
        entry = Entry(0, call, answer, own, script, matched, time.time())
        if fault:
            entry.problem, entry.fault = fault, True
        with self._changed:
            if self._played:
                self._file()
            self._entered(entry)
            if self._waiters:
                self._changed.notify_all()
        return entry

    def _entered(self, entry: Entry) -> Entry:
        self._numbers += 1
        entry.number = self._numbers
        self._entries[entry.number] = entry
        for name in _names(entry):
            index = self._by_name.get(name)
            if index is None:
                index = self._by_name[name] = deque()
            index.append(entry)
        answer = entry.answer
        answer.held_by += 1
        shared = answer.size if answer.held_by == 1 else 0
        entry.cost = entry.call.kept + _ENTRY_COST
        self._used += entry.cost + shared
        if len(self._entries) > self._limit or self._used > self._memory:
            self._drop_oldest()
        return entry

    def note(self, call: Call, answer: Answer, own: Own, script: str, matched: bool, began: float) -> None:
        """A call that is played to its end with one write. It is filed when somebody reads: under load, most never are."""
        self._played.append((call, answer, own, script, matched, began))
        if self._waiters or len(call.text) > _NOTED_BODY:
            with self._changed:
                self._file()
                self._changed.notify_all()

    def _file(self) -> None:
        """Make entries of what was noted; with the lock."""
        played = self._played
        while played:
            try:
                call, answer, own, script, matched, began = played.popleft()
            except IndexError:
                return
            entry = self._entered(Entry(0, call, answer, own, script, matched, began))
            entry.first = entry.finished = began
            entry.writes = 1
            entry.ended = "played"

    def close(self, entry: Entry, ended: str) -> None:
        with self._changed:
            entry.ended = ended
            entry.waiting = ""
            entry.finished = time.time()
            if len(entry.times) > 1 and entry.number in self._entries:
                cost = _PIECE_COST * len(entry.times)
                entry.cost += cost
                self._used += cost
                if self._used > self._memory:
                    self._drop_oldest()
            if self._waiters:
                self._changed.notify_all()

    def _drop_oldest(self) -> None:
        while len(self._entries) > self._limit or (self._used > self._memory and len(self._entries) > 1):
            _, old = self._entries.popitem(last=False)
            self._used -= old.cost
            old.answer.held_by -= 1
            if not old.answer.held_by:
                self._used -= old.answer.size
            for name in _names(old):
                # The oldest of all is the oldest of each of its names.
                index = self._by_name[name]
                index.popleft()
                if not index:
                    del self._by_name[name]

    def of(self, name: str) -> list[Entry]:
        """The calls that have this marker, or were answered by the script of this name."""
        with self._changed:
            self._file()
            return list(self._by_name.get(name, ()))

    def unmatched(self) -> list[Entry]:
        """Calls that belong to no script: a gateway's own traffic, or a leak."""
        with self._changed:
            self._file()
            return [e for e in self._entries.values() if not e.matched]

    def unmatched_count(self) -> int:
        with self._changed:
            self._file()
            return sum(not e.matched for e in self._entries.values())

    def all(self) -> list[Entry]:
        with self._changed:
            self._file()
            return list(self._entries.values())

    def await_calls(self, name: str, calls: int, within: float, *, ended: bool = False) -> list[Entry]:
        """Wait until `calls` calls of this marker or script came in (or have ended); what there is when `within` seconds are
        over.

        Ends early when the mock stops.
        """

        def enough() -> bool:
            found = self._by_name.get(name, ())
            return self._awake or sum(not ended or e.ended != "open" for e in found) >= calls

        with self._changed:
            self._waiters += 1
            self._file()
            try:
                self._changed.wait_for(enough, bounded(within))
            finally:
                self._waiters -= 1
            return list(self._by_name.get(name, ()))

    def await_that(self, enough: Callable[[], bool], within: float) -> bool:
        """Whether `enough` comes true within so many seconds, asked at every change, under the journal's lock: it may read
        this journal. Ends early when the mock stops."""
        with self._changed:
            self._waiters += 1
            self._file()
            try:
                self._changed.wait_for(lambda: self._awake or enough(), bounded(within))
            finally:
                self._waiters -= 1
            return enough()

    def wake(self, *, awake: bool = True) -> None:
        """End every wait, and let none begin until this is called with `awake=False`."""
        with self._changed:
            self._awake = awake
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._played.clear()
            for entry in self._entries.values():
                entry.answer.held_by -= 1
            self._entries.clear()
            self._by_name.clear()
            self._used = 0


def _names(entry: Entry) -> tuple[str, ...]:
    """By what an entry is found: its markers, and the script that answered it."""
    markers = entry.call.markers
    if not entry.script or entry.script in markers:
        return markers
    return (*markers, entry.script)
