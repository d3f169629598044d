"""Server-sent events, in bytes: an incremental decoder and an encoder (WHATWG HTML, 9.2.5 and 9.2.6).

Data stays bytes: a relay hands on exactly what it was given, and UTF-8 that is split between reads needs no care.
"""

from msgspec import Struct

LIMIT = 16 * 1024 * 1024
"""Bytes that one line, and the data of one event, may have. A line without an end would fill the memory."""

PING = b": ping\n\n"
"""Our keepalive. A comment and not an event: an event without data makes openai-python raise (CLIProxyAPI#3352)."""

_BOM = b"\xef\xbb\xbf"


class TooLongError(Exception):
    """A line or an event passed LIMIT."""


class Event(Struct, frozen=True):
    """One dispatched event: `name` is its `event:` field ("" if absent), `data` its joined data lines."""

    name: str
    data: bytes


class Decoder:
    """Bytes in, events out; where the bytes are split never matters."""

    def __init__(self) -> None:
        self._rest = bytearray()
        """The line that has not ended yet."""
        self._after_cr = False
        self._first_line = True
        self._name = ""
        self._data: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Event]:
        """Return the events that `data` completes. Raise TooLongError past LIMIT."""
        data = self._with_lf(data)
        if b"\n" not in data:
            self._rest += data
            if len(self._rest) > LIMIT:
                raise TooLongError
            return []
        *lines, rest = (bytes(self._rest) + data).split(b"\n")
        self._rest = bytearray(rest)
        if self._first_line:
            self._first_line = False
            lines[0] = lines[0].removeprefix(_BOM)
        return self._events(lines)

    def _with_lf(self, data: bytes) -> bytes:
        """Return `data` with LF for all three line ends. A CR that ends one read and an LF that begins the next are one."""
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" not in data:
            return data
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, lines: list[bytes]) -> list[Event]:
        events: list[Event] = []
        for line in lines:
            if not line:
                if self._data:
                    events.append(Event(self._name, b"\n".join(self._data)))
                # An event without data is not dispatched, and its name must not leak to the next one.
                self._name, self._data, self._size = "", [], 0
                continue
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
        return events


def encode(data: bytes, name: str = "") -> bytes:
    """Return one event in LF form with its closing blank line. `data` may hold LF; lone CR would end a line."""
    lines = b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
    return b"event: " + name.encode("utf-8") + b"\n" + lines if name else lines
