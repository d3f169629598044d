"""Server-sent events as the standard reads them (WHATWG HTML 9.2.5, 9.2.6), on bytes.

`str.splitlines` would break at U+2028 and four more; a decoder that is fed text would break inside a character.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LINE_END = re.compile(rb"\r\n?|\n")
_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event. `at`: Unix seconds at which its last byte came. `name` is "" when there was no event line."""

    name: str
    data: str
    at: float
    id: str | None = None


class EventReader:
    """Feed bytes, take events. `comments` counts comment lines; `pending`: an event was begun and not dispatched."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._first = True
        self._carriage = False
        self._name = ""
        self._data: list[str] = []
        self._id: str | None = None
        self.comments = 0

    @property
    def pending(self) -> bool:
        begun = bool(self._buffer) and not self._buffer.startswith(b":")
        return begun or bool(self._data or self._name)

    def feed(self, data: bytes, at: float) -> list[Event]:
        """The events that these bytes complete. The work is linear in the bytes, however they are cut."""
        buffer = self._buffer
        buffer += data
        start = 0
        if self._first and buffer:
            if len(buffer) < len(_MARK) and _MARK.startswith(buffer):
                return []
            self._first = False
            start = len(_MARK) if buffer.startswith(_MARK) else 0
        if self._carriage and buffer:
            # The second half of a CRLF that was cut.
            start = 1 if buffer.startswith(b"\n") else 0
            self._carriage = False
        events: list[Event] = []
        searched = max(start, self._searched)
        while found := _LINE_END.search(buffer, searched):
            line = bytes(buffer[start : found.start()])
            start = searched = found.end()
            self._carriage = found.group() == b"\r" and start == len(buffer)
            event = self._line(line, at)
            if event is not None:
                events.append(event)
        del buffer[:start]
        self._searched = len(buffer)
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
        if field == "data":
            self._data.append(words)
        elif field == "event":
            self._name = words
        elif field == "id" and "\0" not in words:
            self._id = words
        return None

    def _dispatch(self, at: float) -> Event | None:
        if not self._data:
            self._name = ""
            return None
        event = Event(self._name, "\n".join(self._data), at, self._id)
        self._name, self._data = "", []
        return event
