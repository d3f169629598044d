"""Answers as HTTP bytes, rendered once: what a server sends, with the call's own id, time and marker still to be filled in.

Rendering costs microseconds an event, sending a tenth of that. So an answer is rendered with stand-ins of the same length
as what they stand for, framed for HTTP/1.1 once, and for every further call only the stand-ins are replaced.
"""

from __future__ import annotations

import itertools
import re
import secrets
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http import HTTPStatus

from gateproof_mock.dialects.asked import NO_MARKER
from gateproof_mock.dialects.steps import Break, Head, Rest, Step, Wait, Write

CALL = secrets.token_hex(8)
"""Stands for `Asked.call` while an answer is rendered."""

CREATED = 5_000_000_000 + secrets.randbelow(4_000_000_000)
"""Stands for `Asked.created`; in ten digits, as the time itself has until the year 2286."""

MARKER = f"gp-{secrets.token_hex(3)}-{secrets.token_hex(4)}"
"""Stands for `Asked.marker`. Hexadecimal digits: no marker of a call, whose alphabet has no 0, 1, 8 and 9."""

assert len(MARKER) == len(NO_MARKER)

# With its key, so that ten digits somewhere in a text are not taken for the time: within a JSON string the quotation marks
# would be escaped.
_TIMES = tuple((key + str(CREATED).encode(), key) for key in (b'"created":', b'"created_at":', b'"completed_at":'))
_CALL, _MARKER = CALL.encode(), MARKER.encode()
_TIME = str(CREATED).encode()
_ANY = re.compile(
    b"(%b|%b|(?<=%b)%b|(?<=%b)%b|(?<=%b)%b)" % (_CALL, _MARKER, *(w for _, k in _TIMES for w in (k, _TIME)))
)
_SMALL = 8 * 1024
_STAND_INS = (_CALL, _MARKER, *(time for time, _ in _TIMES))
_GROUP = 64 * 1024
SHOWN = 64 * 1024
"""Bytes of a body that are kept or can be told again in full, with the time of each write; of the rest a hash."""

_NO_BODY = (204, 304)


@dataclass(slots=True, eq=False)
class Own:
    """What is a call's own in its answer."""

    call: bytes
    created: bytes
    marker: bytes

    def fill(self, data: bytes, places: Places | None = None) -> bytes:
        """The bytes with what is the call's own; `places` says what there is to fill in, if that is known."""
        places = places or _places(data)
        if places.call:
            data = data.replace(_CALL, self.call)
        for time, key in places.times:
            data = data.replace(time, key + self.created)
        return data.replace(_MARKER, self.marker) if places.marker else data


@dataclass(frozen=True, slots=True)
class Places:
    """Which stand-ins some bytes have."""

    call: bool
    times: tuple[tuple[bytes, bytes], ...]
    marker: bool


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Bytes cut at their stand-ins, and where in `found` those of each kind are."""

    found: list[bytes]
    calls: tuple[int, ...]
    times: tuple[int, ...]
    markers: tuple[int, ...]

    def filled(self, own: Own) -> bytes:
        out = self.found.copy()
        for place in self.calls:
            out[place] = own.call
        for place in self.times:
            out[place] = own.created
        for place in self.markers:
            out[place] = own.marker
        return b"".join(out)


def _places(data: bytes) -> Places:
    return Places(_CALL in data, tuple(t for t in _TIMES if t[0] in data), _MARKER in data)


@dataclass(frozen=True, slots=True, eq=False)
class Sends:
    """Neighbouring writes. `edges`: where each begins in the bytes sent, and the end of all; `heads` and `tails`: how much
    of each is HTTP's and not the body's."""

    data: bytes
    edges: array[int]
    heads: array[int]
    tails: array[int]
    places: Places
    framed: bool
    """Whether `data` is what is sent. Else a stand-in was split between two writes: it is the heads, the body, the tails."""
    extra: tuple[bytes, ...] = ()
    pieces: Pieces | None = None
    """Of few bytes: the fastest form to fill in."""

    def __len__(self) -> int:
        return len(self.heads)

    def filled(self, own: Own) -> bytes:
        """The bytes to send, `edges` apart."""
        if self.pieces is not None:
            return self.pieces.filled(own)
        if self.framed:
            return own.fill(self.data, self.places)
        body, offset, out = own.fill(self.data, self.places), 0, []
        for number, (begin, end) in enumerate(itertools.pairwise(self.edges)):
            size = end - begin - self.heads[number] - self.tails[number]
            out += [own.fill(self.extra[2 * number]), body[offset : offset + size], self.extra[2 * number + 1]]
            offset += size
        return b"".join(out)

    def bodies(self, own: Own, count: int) -> Iterator[bytes]:
        """The body's part of the first `count` writes."""
        data = self.filled(own)
        for number in range(min(count, len(self.heads))):
            yield data[self.edges[number] + self.heads[number] : self.edges[number + 1] - self.tails[number]]


Part = Sends | Wait | Rest | Break


@dataclass(slots=True, eq=False)
class Answer:
    """What to do for a call, in order. `keeps`: whether the connection may serve another call after it is played.

    `timed`: how many of its first writes the journal keeps the time of, those that begin in what a transcript shows.
    `held_by`: entries of the journal that refer to it.
    """

    parts: tuple[Part, ...]
    status: int
    size: int
    keeps: bool
    timed: int = 0
    held_by: int = 0

    @property
    def writes(self) -> int:
        return sum(len(p) for p in self.parts if isinstance(p, Sends))


@dataclass(frozen=True, slots=True)
class Transfer:
    """How a client wants its answer. `keeps`: the connection is kept; `chunks`: it knows chunked bodies (HTTP/1.0 does not);
    `bodiless`: a HEAD request."""

    keeps: bool = True
    chunks: bool = True
    bodiless: bool = False


def answer(steps: Iterable[Step], transfer: Transfer) -> Answer:
    """Render the steps for this kind of transfer."""
    framing = _Framing(transfer)
    parts: list[Part] = []
    for waiting, group in itertools.groupby(framing.framed(steps), lambda p: not isinstance(p, _Piece)):
        if waiting:
            parts.extend(p for p in group if not isinstance(p, _Piece))
        else:
            parts.extend(_sends([p for p in group if isinstance(p, _Piece)]))
    size = sum(len(p.data) + 24 * len(p) for p in parts if isinstance(p, Sends))
    return Answer(tuple(parts), framing.status, size, framing.keeps, _timed(parts))


def _timed(parts: Iterable[Part]) -> int:
    shown = number = 0
    for part in parts:
        if isinstance(part, Sends):
            for place in range(len(part)):
                if shown >= SHOWN:
                    return number
                shown += part.edges[place + 1] - part.edges[place] - part.heads[place] - part.tails[place]
                number += 1
    return number


@dataclass(slots=True)
class _Piece:
    """One write: what HTTP says before the body's bytes, the bytes, and what HTTP says after them."""

    head: bytes
    body: bytes
    tail: bytes = b""


class _Framing:
    def __init__(self, transfer: Transfer) -> None:
        self._transfer = transfer
        self._chunked = False
        self._bodiless = transfer.bodiless
        self.status = 0
        self.keeps = transfer.keeps

    def framed(self, steps: Iterable[Step]) -> Iterator[_Piece | Wait | Rest | Break]:
        # The last piece is held back: the head leaves with what is said at once, and the last chunk with the last event.
        last: _Piece | None = None
        broken = False
        for step in steps:
            if isinstance(step, Head):
                last = _Piece(self._head(step), b"")
            elif isinstance(step, Write):
                piece = self._write(step)
                if piece is None:
                    continue
                if last is not None and not last.body and not last.tail:
                    last = _Piece(last.head + piece.head, piece.body, piece.tail)
                    continue
                if last is not None:
                    yield last
                last = piece
            else:
                if last is not None:
                    yield last
                    last = None
                broken = broken or isinstance(step, Break)
                yield step
        if broken:
            self.keeps = False
        elif self._chunked:
            last = last or _Piece(b"", b"")
            last.tail += b"0\r\n\r\n"
        if last is not None:
            yield last

    def _head(self, head: Head) -> bytes:
        self.status = head.status
        self._bodiless = self._bodiless or head.status in _NO_BODY
        try:
            phrase = HTTPStatus(head.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {head.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in head.headers.items()]
        if head.length is not None:
            lines += [f"Content-Length: {head.length}"] if head.status not in _NO_BODY else []
        elif self._transfer.chunks:
            lines.append("Transfer-Encoding: chunked")
            self._chunked = not self._bodiless
        else:
            self.keeps = False
        if not self.keeps:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")

    def _write(self, write: Write) -> _Piece | None:
        if not write.data or self._bodiless:
            return None
        if not self._chunked:
            return _Piece(b"", write.data)
        size = b"%x\r\n" % (write.promised or len(write.data))
        return _Piece(size, write.data, b"" if write.promised else b"\r\n")


def _sends(pieces: list[_Piece]) -> Iterator[Sends]:
    groups = list(_groups(pieces))
    body = b"".join(p.body for p in pieces)
    wanted = [body.count(s) + sum(p.head.count(s) for p in pieces if len(p.head) > 16) for s in _STAND_INS]
    framed = [b"".join([b for p in g for b in (p.head, p.body, p.tail)]) for g in groups]
    whole = wanted == [sum(data.count(s) for data in framed) for s in _STAND_INS]
    if whole:
        yield from (
            Sends(data, *_measures(group), _places(data), framed=True)
            for group, data in zip(groups, framed, strict=True)
        )
        return
    yield Sends(
        body, *_measures(pieces), _places(body), framed=False, extra=tuple(b for p in pieces for b in (p.head, p.tail))
    )


def _pieces(data: bytes) -> Pieces | None:
    if len(data) > _SMALL:
        return None
    found = _ANY.split(data)
    calls, times, markers = (tuple(i for i, p in enumerate(found) if p == s) for s in (_CALL, _TIME, _MARKER))
    return Pieces(found, calls, times, markers)


def _groups(pieces: list[_Piece]) -> Iterator[list[_Piece]]:
    """Writes whose bytes are made at a time, so that thousands of open streams do not each hold a whole answer."""
    group: list[_Piece] = []
    size = 0
    for piece in pieces:
        if group and size > _GROUP:
            yield group
            group, size = [], 0
        group.append(piece)
        size += len(piece.body)
    if group:
        yield group


def _measures(pieces: list[_Piece]) -> tuple[array[int], array[int], array[int]]:
    lengths = (len(p.head) + len(p.body) + len(p.tail) for p in pieces)
    edges = array("Q", itertools.accumulate(lengths, initial=0))
    return edges, array("Q", (len(p.head) for p in pieces)), array("Q", (len(p.tail) for p in pieces))


class AnswerCache:
    """Rendered answers by what they depend on; the least recently used go first when all together are larger than `limit`
    bytes. May be used from any thread."""

    def __init__(self, limit: int = 64 * 1024 * 1024) -> None:
        self._limit = limit
        self._used = 0
        self._answers: OrderedDict[object, Answer] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: object, make: Callable[[], Answer]) -> Answer:
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
                return found
        made = make()
        with self._lock:
            if key not in self._answers:
                self._answers[key] = made
                self._used += made.size
            while self._used > self._limit:
                _, old = self._answers.popitem(last=False)
                self._used -= old.size
        return made
