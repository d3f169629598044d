"""What the mock saw: one entry for each call, bounded in number and in memory.

An entry keeps raw bytes; parsing happens when it is read (validating a small request costs as much as serving it).
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from gateproof_mock.jsontext import parsed

LEG_LIMIT = 64 * 1024
"""Bytes of one leg that are kept; of the rest only the hash and the count (the transcripts' cap)."""

BODY_KEPT = 1024 * 1024
"""Bytes of a request body that are kept. A longer body is not parsed."""

ENTRY_LIMIT = 10_000

MEMORY_LIMIT = 128 * 1024 * 1024
"""Bytes that all entries together may hold, about."""

_ENTRY_COST = 2048
_PIECE_COST = 128


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


@dataclass(slots=True)
class Entry:
    """One call. `body` is its decoded beginning, `body_bytes` the length of the whole.

    `ended`: `open`, `played`, `cut` (by the script), `client went away`, `stopped` (the mock was), `held` (a barrier reached
    its ceiling, and the play went on), or `mock error`. `matched`: whether a script, or a fixed answer of the mock's, was meant
    for the call. A call of a path that no dialect has is kept without its markers: it is no call of a script.
    """

    number: int
    markers: tuple[str, ...]
    method: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes
    began: float
    dialect: str = ""
    kind: str = ""
    stream: bool = False
    matched: bool = False
    status: int = 0
    ended: str = "open"
    finished: float = 0.0
    sent: Leg = field(default_factory=Leg)
    body_bytes: int = 0
    cost: int = 0

    @property
    def marker(self) -> str:
        return self.markers[-1] if self.markers else ""

    def to_json(self) -> dict[str, Any]:
        whole = self.body_bytes == len(self.body)
        return {
            "number": self.number,
            "markers": list(self.markers),
            "method": self.method,
            "path": self.path,
            "headers": [list(h) for h in self.headers],
            "body": _readable(self.body[:LEG_LIMIT], cut=self.body_bytes > LEG_LIMIT),
            "body_bytes": self.body_bytes,
            "json": parsed(self.body) if whole else None,
            "began": self.began,
            "finished": self.finished,
            "dialect": self.dialect,
            "kind": self.kind,
            "stream": self.stream,
            "matched": self.matched,
            "status": self.status,
            "ended": self.ended,
            "sent": self.sent.to_json(),
        }


class Journal:
    """The entries of one mock, oldest dropped first. Every method may be called from any thread."""

    def __init__(self, limit: int = ENTRY_LIMIT, memory: int = MEMORY_LIMIT) -> None:
        self._limit = limit
        self._memory = memory
        self._used = 0
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._by_marker: dict[str, list[Entry]] = {}
        self._changed = threading.Condition()
        self._numbers = 0
        self._awake = False

    def open(self, *, body: bytes = b"", **what: Any) -> Entry:
        """A new entry; `what` are the fields of Entry."""
        # A copy of the beginning: a slice would keep the whole alive.
        kept = body if len(body) <= BODY_KEPT else bytes(body[:BODY_KEPT])
        with self._changed:
            self._numbers += 1
            entry = Entry(number=self._numbers, began=time.time(), body=kept, body_bytes=len(body), **what)
            self._entries[entry.number] = entry
            for marker in entry.markers:
                self._by_marker.setdefault(marker, []).append(entry)
            self._charge(entry, len(kept) + _ENTRY_COST)
            self._changed.notify_all()
            return entry

    def close(self, entry: Entry, ended: str) -> None:
        with self._changed:
            entry.ended = ended
            entry.finished = time.time()
            if entry.number in self._entries:
                self._charge(entry, min(entry.sent.total, LEG_LIMIT) + _PIECE_COST * len(entry.sent.pieces))
            self._changed.notify_all()

    def _charge(self, entry: Entry, cost: int) -> None:
        entry.cost += cost
        self._used += cost
        while len(self._entries) > self._limit or (self._used > self._memory and len(self._entries) > 1):
            _, old = self._entries.popitem(last=False)
            self._used -= old.cost
            for marker in old.markers:
                # The oldest of all is the oldest of each of its markers.
                del self._by_marker[marker][0]
                if not self._by_marker[marker]:
                    del self._by_marker[marker]

    def of(self, marker: str) -> list[Entry]:
        with self._changed:
            return list(self._by_marker.get(marker, []))

    def unmatched(self) -> list[Entry]:
        """Calls that belong to no script: a gateway's own traffic, or a leak."""
        with self._changed:
            return [e for e in self._entries.values() if not e.matched]

    def all(self) -> list[Entry]:
        with self._changed:
            return list(self._entries.values())

    def await_calls(self, marker: str, calls: int, within: float, *, ended: bool = False) -> list[Entry]:
        """Wait until `calls` calls of this marker came in (or have ended); what there is when `within` seconds are over.

        Ends early when the mock stops.
        """

        def enough() -> bool:
            found = self._by_marker.get(marker, [])
            return self._awake or len([e for e in found if not ended or e.ended != "open"]) >= calls

        with self._changed:
            self._changed.wait_for(enough, within)
            return list(self._by_marker.get(marker, []))

    def wake(self, *, awake: bool = True) -> None:
        """End every wait, and let none begin until this is called with `awake=False`."""
        with self._changed:
            self._awake = awake
            self._changed.notify_all()

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()
            self._by_marker.clear()
            self._used = 0
