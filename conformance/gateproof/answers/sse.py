"""Server-sent events as the standard reads them (WHATWG HTML 9.2.5, 9.2.6), on bytes.

`str.splitlines` would break at U+2028 and four more; a decoder that is fed text would break inside a character.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event. `at`: Unix seconds at which its last byte came. `name` is "" when there was no event line."""

    name: str
    data: str
    at: float
    id: str | None = None


class EventReader:
    """Feed bytes, take events. `comments` counts comment lines; `pending` is what was never dispatched."""

    def __init__(self) -> None:
        self._buffer = b""
        self._first = True
        self._carriage = False
        self._name = ""
        self._data: list[str] = []
        self._id: str | None = None
        self.comments = 0
        self.dataless = 0
        self.fields: set[str] = set()

    @property
    def pending(self) -> bool:
        return bool(self._buffer or self._data)

    def feed(self, data: bytes, at: float) -> list[Event]:
        self._buffer += data
        events: list[Event] = []
        start = 0
        buffer = self._buffer
        if self._first and buffer:
            if len(buffer) < 3 and b"\xef\xbb\xbf".startswith(buffer):
                return events
            self._first = False
            if buffer.startswith(b"\xef\xbb\xbf"):
                start = 3
        while True:
            if self._carriage and buffer[start : start + 1] == b"\n":
                start += 1
                self._carriage = False
            elif start < len(buffer):
                self._carriage = False
            end = _line_end(buffer, start)
            if end < 0:
                break
            line = buffer[start:end]
            self._carriage = buffer[end : end + 1] == b"\r"
            start = end + 1
            event = self._line(line, at)
            if event is not None:
                events.append(event)
        self._buffer = buffer[start:]
        return events

    def _line(self, line: bytes, at: float) -> Event | None:
        if not line:
            return self._dispatch(at)
        if line.startswith(b":"):
            self.comments += 1
            return None
        name, _, value = line.partition(b":")
        field = name.decode("utf-8", "replace")
        words = value.removeprefix(b" ").decode("utf-8", "replace")
        self.fields.add(field)
        if field == "data":
            self._data.append(words)
        elif field == "event":
            self._name = words
        elif field == "id" and "\0" not in words:
            self._id = words
        return None

    def _dispatch(self, at: float) -> Event | None:
        if not self._data:
            if self._name or self._id is not None:
                self.dataless += 1
            self._name = ""
            return None
        event = Event(self._name, "\n".join(self._data), at, self._id)
        self._name, self._data = "", []
        return event


def _line_end(buffer: bytes, start: int) -> int:
    newline = buffer.find(b"\n", start)
    carriage = buffer.find(b"\r", start, newline if newline >= 0 else len(buffer))
    return carriage if carriage >= 0 else newline
