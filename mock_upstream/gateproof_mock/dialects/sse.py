"""Events as bytes: what the wire's switches do to a stream, whatever its dialect. No I/O.

Cues go in, steps come out, through one small stage after another: order, bytes, comments between, the cut, the size of
the writes, and their pace.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator

from gateproof_mock.dialects.frames import Cue, Frame, Literal, Remark
from gateproof_mock.dialects.steps import Break, Head, Rest, Step, Write
from gateproof_mock.jsontext import dumps
from gateproof_mock.language.turns import Cut
from gateproof_mock.language.wire import Wire

HEADERS = {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}

# The end of a line, and of the empty line that ends its event. A CR before a lone LF would be one line end, so those
# two never meet.
_MIXED = ((b"\n", b"\r\n"), (b"\r\n", b"\r"), (b"\r", b"\r"), (b"\n", b"\r"), (b"\r\n", b"\n"))
_LINE_ENDS = {"lf": ((b"\n", b"\n"),), "crlf": ((b"\r\n", b"\r\n"),), "cr": ((b"\r", b"\r"),), "mixed": _MIXED}
_STRING_OR_COMMA = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|,')
_WIDE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


def stream(cues: Iterable[Cue], wire: Wire, status: int = 200, headers: dict[str, str] | None = None) -> Iterator[Step]:
    """The steps of a whole event stream."""
    if wire.head_delay:
        yield Rest(wire.head_delay)
    yield Head(status, HEADERS | (headers or {}))
    writes = _cut(_Encoder(wire).encoded(_ordered(cues, wire)))
    yield from _paced(sized(writes, wire), wire)
    if wire.keep_open:
        yield Break("open")


def _ordered(cues: Iterable[Cue], wire: Wire) -> Iterator[Cue]:
    """The order of events, and the terminal twice."""
    first, second = {"added_late": ("begin", None), "done_early": ("delta", "end")}.get(wire.order, ("", None))
    waiting: Frame | None = None
    for cue in cues:
        if isinstance(cue, Frame):
            if waiting is not None:
                swaps = cue.role == second if second else cue.role != "begin"
                if swaps:
                    yield cue
                    yield waiting
                    waiting = None
                    continue
                yield waiting
                waiting = None
            if first and cue.role == first:
                waiting = cue
                continue
            yield cue
            if wire.repeat_terminal and cue.role in ("terminal", "done"):
                yield cue
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        yield cue
    if waiting is not None:
        yield waiting


class _Encoder:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ends = itertools.cycle(_LINE_ENDS[wire.line_end])
        self._colon = b":" if wire.no_space else b": "
        self._events = 0
        # What most streams are gets by without a look at every switch for every event.
        self._plain = (wire.line_end, wire.no_space, wire.data_lines, wire.event_ids) == ("lf", False, 1, False)

    def encoded(self, cues: Iterable[Cue]) -> Iterator[Step | Cut]:
        wire = self._wire
        begin = b"\xef\xbb\xbf" if wire.bom else b""
        opening = [self._comment(wire.opening_comment)] if wire.opening_comment else []
        if wire.retry:
            opening.append(self._block([b"retry" + self._colon + str(wire.retry).encode()]))
        for block in opening:
            yield Write(begin + block)
            begin = b""
        for cue in cues:
            if isinstance(cue, Frame):
                if wire.comments and self._events:
                    yield Write(self._comment(wire.comments))
                yield Write(begin + self._event(cue))
                begin = b""
                self._events += 1
            elif isinstance(cue, Literal):
                yield Write(begin + cue.data)
                begin = b""
            elif isinstance(cue, Remark):
                yield Write(begin + self._comment(cue.words))
                begin = b""
            else:
                yield cue

    def _comment(self, words: str) -> bytes:
        return self._block([self._colon + words.encode("utf-8", "surrogatepass")])

    def _block(self, lines: list[bytes]) -> bytes:
        end, last = next(self._ends)
        return end.join(lines) + end + last

    def _event(self, frame: Frame) -> bytes:
        wire, data = self._wire, frame.data
        named = frame.name and not wire.unnamed_events
        if isinstance(data, str):
            body = data.encode("utf-8", "surrogatepass")
        else:
            if wire.typeless_events and frame.name:
                data = {key: value for key, value in data.items() if key != "type"}
            body = dumps(data, ascii=wire.ascii)
        if self._plain:
            name = b"event: " + frame.name.encode() + b"\n" if named else b""
            return name + b"data: " + body + b"\n\n"
        lines = [b"id" + self._colon + str(self._events).encode()] if wire.event_ids else []
        if named:
            lines.append(b"event" + self._colon + frame.name.encode())
        spread = _lines(body, wire.data_lines) if not isinstance(data, str) else [body]
        lines.extend(b"data" + self._colon + line for line in spread)
        return self._block(lines)


def _lines(body: bytes, count: int) -> list[bytes]:
    """The document in up to `count` lines, broken after commas between values: elsewhere a line end would change it."""
    places = [m.end() for m in _STRING_OR_COMMA.finditer(body) if m.group() == b","] if count > 1 else []
    chosen = [places[len(places) * i // count] for i in range(1, count)] if len(places) >= count else places
    return [body[a:b] for a, b in itertools.pairwise([0, *chosen, len(body)])]


def _cut(steps: Iterable[Step | Cut]) -> Iterator[Step]:
    """End at the cut: with the last write shortened, where the cut is inside of it."""
    last: Write | None = None
    for step in steps:
        if isinstance(step, Cut):
            if last is not None:
                yield from _shortened(last, step)
            if step.how != "eof":
                yield Break(step.how)
            return
        if last is not None:
            yield last
        last = step if isinstance(step, Write) else None
        if last is None:
            yield step
    if last is not None:
        yield last


def _shortened(write: Write, cut: Cut) -> Iterator[Write]:
    data = write.data
    middle = data[: max(1, len(data) // 2)]
    match cut.where:
        case "event":
            yield Write(middle)
        case "utf8":
            wide = list(_WIDE.finditer(data))
            yield Write(data[: wide[-1].end() - 1] if wide else middle)
        case "chunk":
            yield Write(middle, promised=len(data))
        case _:
            yield write


def sized(steps: Iterable[Step], wire: Wire) -> Iterator[Step]:
    """The same bytes in other writes: several events in one, or one in several."""
    if wire.together != 1:
        steps = _joined(steps, wire.together)
    if wire.split_every or wire.split_at:
        steps = _split(steps, wire.split_every, sorted(wire.split_at))
    return iter(steps)


def _joined(steps: Iterable[Step], together: int) -> Iterator[Step]:
    waiting: list[bytes] = []
    events = 0
    for step in steps:
        if isinstance(step, Write) and not step.promised:
            waiting.append(step.data)
            # A comment rides along.
            events += not step.data.startswith(b":")
            if events == together:
                yield Write(b"".join(waiting))
                waiting.clear()
                events = 0
            continue
        if waiting:
            yield Write(b"".join(waiting))
            waiting.clear()
            events = 0
        yield step
    if waiting:
        yield Write(b"".join(waiting))


def _split(steps: Iterable[Step], every: int, places: list[int]) -> Iterator[Step]:
    offset = 0
    for step in steps:
        if not isinstance(step, Write) or step.promised:
            yield step
            continue
        data = step.data
        cuts = {place - offset for place in places if offset < place < offset + len(data)}
        if every:
            cuts.update(range(every, len(data), every))
        for a, b in itertools.pairwise([0, *sorted(cuts), len(data)]):
            yield Write(data[a:b])
        offset += len(data)


def _paced(steps: Iterable[Step], wire: Wire) -> Iterator[Step]:
    if not wire.pace:
        yield from steps
        return
    first = True
    for step in steps:
        if isinstance(step, Write):
            if not first:
                yield Rest(wire.pace)
            first = False
        yield step
