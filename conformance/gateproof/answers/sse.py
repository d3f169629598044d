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
        if self._first:
            data = bytes(self._buffer) + data
            self._buffer.clear()
            if len(data) < len(_MARK) and _MARK.startswith(data):
                self._buffer += data
                return []
            self._first = False
            data = data.removeprefix(_MARK)
        if self._carriage and data:
            # The second half of a CRLF that was cut.
            self._carriage = False
            data = data.removeprefix(b"\n")
        if not data:
            return []
        self._carriage = data.endswith(b"\r")
        lines = _LINE_END.split(data) if b"\r" in data else data.split(b"\n")
        self._buffer += lines[0]
        if len(lines) == 1:
            return []
        lines[0] = bytes(self._buffer)
        self._buffer[:] = lines.pop()
        return [event for line in lines if (event := self._line(line, at)) is not None]

    def _line(self, line: bytes, at: float) -> Event | None:
        if not line:
            return self._dispatch(at)
        if line.startswith(b":"):
            self.comments += 1
            return None
        field, _, value = line.partition(b":")
        words = value.removeprefix(b" ").decode("utf-8", "replace")
        if field == b"data":
            self._data.append(words)
        elif field == b"event":
            self._name = words
        elif field == b"id" and "\0" not in words:
            self._id = words
        return None

    def _dispatch(self, at: float) -> Event | None:
        if not self._data:
            self._name = ""
            return None
        event = Event(self._name, "\n".join(self._data), at, self._id)
        self._name, self._data = "", []
        return event
