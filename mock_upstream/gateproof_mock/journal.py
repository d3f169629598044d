"""What the mock saw: one entry for each call, bounded in number and in size.

An entry keeps raw bytes; parsing happens when it is read (validating a small request costs as much as serving it).
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

LEG_LIMIT = 64 * 1024
"""Bytes of one leg that are kept; of the rest only the hash and the count (the transcripts' cap)."""

ENTRY_LIMIT = 10_000


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
        out: dict[str, Any] = {
            "pieces": [[round(at, 6), _readable(data)] for at, data in self.pieces],
            "bytes": self.total,
        }
        if self._rest is not None:
            out["rest_sha256"] = self._rest.hexdigest()
        return out


def _readable(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode()}


@dataclass(slots=True)
class Entry:
    """One call. `ended`: `open`, `played`, `cut`, `client went away`, `stopped`, or `held` (a barrier's ceiling)."""

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

    @property
    def marker(self) -> str:
        return self.markers[-1] if self.markers else ""

    def to_json(self) -> dict[str, Any]:
        try:
            parsed = json.loads(self.body) if self.body else None
        except ValueError:
            parsed = None
        return {
            "number": self.number,
            "markers": list(self.markers),
            "method": self.method,
            "path": self.path,
            "headers": [list(h) for h in self.headers],
            "body": _readable(self.body[:LEG_LIMIT]),
            "json": parsed if len(self.body) <= LEG_LIMIT * 16 else None,
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

    def __init__(self, limit: int = ENTRY_LIMIT) -> None:
        self._limit = limit
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._by_marker: dict[str, list[Entry]] = {}
        self._changed = threading.Condition()
        self._numbers = 0

    def open(self, **what: Any) -> Entry:
        with self._changed:
            self._numbers += 1
            entry = Entry(number=self._numbers, began=time.time(), **what)
            self._entries[entry.number] = entry
            for marker in entry.markers:
                self._by_marker.setdefault(marker, []).append(entry)
            while len(self._entries) > self._limit:
                _, old = self._entries.popitem(last=False)
                for marker in old.markers:
                    kept = [e for e in self._by_marker.get(marker, []) if e is not old]
                    if kept:
                        self._by_marker[marker] = kept
                    else:
                        self._by_marker.pop(marker, None)
            self._changed.notify_all()
            return entry

    def close(self, entry: Entry, ended: str) -> None:
        with self._changed:
            entry.ended = ended
            entry.finished = time.time()
            self._changed.notify_all()

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
        """Wait until `calls` calls of this marker came in (or have ended); what there is when `within` seconds are over."""

        def enough() -> bool:
            found = self._by_marker.get(marker, [])
            return len([e for e in found if not ended or e.ended != "open"]) >= calls

        with self._changed:
            self._changed.wait_for(enough, within)
            return list(self._by_marker.get(marker, []))

    def clear(self) -> None:
        with self._changed:
            self._entries.clear()
            self._by_marker.clear()
