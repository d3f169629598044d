"""Server-sent events, in bytes: an incremental decoder and an encoder (WHATWG HTML, 9.2.5 and 9.2.6).

Data stays bytes: a relay hands on exactly what it was given, and UTF-8 that is split between reads needs no care.
"""

import re
from dataclasses import dataclass

LIMIT = 16 * 1024 * 1024
"""Bytes that one line, and the data of one event, may have. A line without an end would fill the memory."""

PING = b": ping\n\n"
"""Our keepalive. A comment and not an event: an event without data makes openai-python raise (CLIProxyAPI#3352)."""

_LINE_END = re.compile(rb"[\r\n]")
_BOM = b"\xef\xbb\xbf"


class TooLongError(Exception):
    """A line or an event passed LIMIT."""


@dataclass(frozen=True, slots=True)
class Event:
    """One dispatched event: `name` is its `event:` field ("" if absent), `data` its joined data lines."""

    name: str
    data: bytes


class Decoder:
    """Bytes in, events out; where the bytes are split never matters."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._scanned = 0
        self._after_cr = False
        self._first_line = True
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes. Raise TooLongError past LIMIT."""
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        self._buffer += data
        events: list[Event] = []
        start = 0
        while found := _LINE_END.search(self._buffer, max(start, self._scanned)):
            end = found.start()
            after = end + 1
            if self._buffer[end] == 0x0D:
                if after == len(self._buffer):
                    self._after_cr = True
                elif self._buffer[after] == 0x0A:
                    after += 1
            self._line(bytes(self._buffer[start:end]), events)
            start = after
        del self._buffer[:start]
        self._scanned = len(self._buffer)
        if len(self._buffer) > LIMIT:
            raise TooLongError
        return events

    def _line(self, line: bytes, events: list[Event]) -> None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                events.append(Event(self._name, b"\n".join(self._data)))
            # An event without data is not dispatched, and its name must not leak to the next one.
            self._name, self._data, self._size = "", [], 0
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._size += len(value)
            if self._size > LIMIT:
                raise TooLongError
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode("utf-8", "replace")
        # Comments (empty field), id, retry and unknown fields change nothing for us.


def encode(data: bytes, name: str = "") -> bytes:
    """Return one event in LF form with its closing blank line. `data` may hold LF; lone CR would end a line."""
    lines = b"".join(b"data: " + line + b"\n" for line in data.split(b"\n"))
    head = b"event: " + name.encode("utf-8") + b"\n" if name else b""
    return head + lines + b"\n"
