"""A transcript folded to what matters: the question, how the upstream ended, and what the client got."""

from __future__ import annotations

import ast
import json
import textwrap
from collections import Counter
from dataclasses import dataclass
from typing import Any

from gateproof.transcript import LEGS, harmless

_ASKED, _CALLED, _PLAYED, _ANSWERED = range(4)
ROWS = 12
"""Lines of a folded transcript, at most, but for what says how many were left out."""
_LINES = 2
"""Of one event's text."""
_PREFIX = 32
_COUNT = 10
"""About what a count of characters left out takes."""


@dataclass(frozen=True, slots=True)
class _Row:
    at: float
    leg: int
    text: str


def fold(transcript: dict[str, Any], width: int, got: str = "") -> list[str]:
    """A transcript (schema own/check) as lines of `width` characters at most.

    `got` is what came instead of what was expected, as Python writes it: a long answer is shown where it stands.

    Kept are, in this order and as far as there is room: the question, the last events that the client got, the last ones
    that the upstream sent, the statuses, and the upstream calls.
    """
    room_for_text = width - _PREFIX
    rows = [row for at, leg, text in transcript["lines"] for row in _rows(at, leg, text)]
    sought = _as_json(got)
    kept: dict[int, list[str]] = {}
    room = ROWS
    for number in _by_importance(rows):
        telling = sought if rows[number].leg == _ANSWERED else ""
        lines = _written(rows[number].text, room_for_text, telling)
        if len(lines) <= room:
            kept[number] = lines
            room -= len(lines)
    for number, row in enumerate(rows):
        lines = _written(row.text, room_for_text, "")
        alone = number not in kept and all(n in kept for n in (number - 1, number + 1) if 0 <= n < len(rows))
        if alone and len(lines) == 1:
            # To say that it is left out would take the same line.
            kept[number] = lines
    return _with_gaps(rows, kept)


def _rows(at: float, leg: str, text: str) -> list[_Row]:
    """A question, or an event, or a status is a row."""
    number = LEGS.index(leg)
    text = text.replace("\r\n", "\n")
    if number in (_ASKED, _CALLED):
        head, _, body = text.partition("\n\n")
        return [_Row(at, number, f"{head.splitlines()[0] if head else ''}  {body}".rstrip())]
    texts = text.split("\n\n")
    status, newline, rest = texts[0].partition("\n")
    if number == _PLAYED and status.startswith("HTTP ") and newline:
        # The mock's status stands before its first piece, without an empty line.
        texts[:1] = [status, rest]
    return [_Row(at, number, piece) for piece in texts if piece.strip()]


def _by_importance(rows: list[_Row]) -> list[int]:
    legs = [[n for n, row in enumerate(rows) if row.leg == leg] for leg in range(len(LEGS))]
    statuses = [n for n in (*legs[_ANSWERED], *legs[_PLAYED]) if rows[n].text.startswith("HTTP ")]
    wanted = [
        *legs[_ASKED][:1],
        *legs[_ANSWERED][-1:],
        *legs[_CALLED][-1:],
        *reversed(legs[_ANSWERED][-4:]),
        *reversed(legs[_PLAYED][-3:]),
        *statuses,
        *reversed(legs[_CALLED]),
        *reversed(legs[_ANSWERED]),
        *reversed(legs[_PLAYED]),
    ]
    return list(dict.fromkeys(wanted))


def _as_json(got: str) -> str:
    """A string as JSON writes it; "" for what is no string, and for the empty one, which stands everywhere."""
    try:
        value = ast.literal_eval(got)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ""
    return json.dumps(value) if isinstance(value, str) and value else ""


def _written(text: str, width: int, telling: str) -> list[str]:
    """The text in a few lines; of a long one its beginning, where the telling part stands if it has one, and its end."""
    flat = harmless(" ".join(text.split()))
    room = width * _LINES
    if len(flat) > room:
        at = flat.rfind(telling) if telling else -1
        spans = [(0, width), (len(flat) - room // 3, len(flat))]
        if at >= 0:
            # In one line with its key, without which a value says little.
            part = width // 2 - _COUNT
            before = max(0, at - part * 2 // 3)
            spans = [(0, width), (before, before + part), (len(flat) - width // 4 + _COUNT, len(flat))]
        flat = _parts(flat, spans)
    return [flat[n : n + width] for n in range(0, len(flat), width)] or [""]


def _parts(text: str, spans: list[tuple[int, int]]) -> str:
    """These parts of a text, with a count of the characters between two."""
    out: list[str] = []
    done = 0
    for start, end in spans:
        if start > done:
            out.append(f" …{start - done:,} more… ")
        out.append(text[max(start, done) : end])
        done = max(done, end)
    return "".join(out)


def _with_gaps(rows: list[_Row], kept: dict[int, list[str]]) -> list[str]:
    out: list[str] = []
    missing: Counter[int] = Counter()
    for number, row in enumerate(rows):
        if number not in kept:
            missing[row.leg] += 1
            continue
        out += _gap(missing)
        missing.clear()
        first, *others = kept[number]
        out.append(f"{row.at:>8.1f}  {LEGS[row.leg]:<20}  {first}")
        out += textwrap.indent("\n".join(others), " " * _PREFIX).split("\n") if others else []
    return out + _gap(missing)


def _gap(missing: Counter[int]) -> list[str]:
    if not missing:
        return []
    counted = ", ".join(f"{number} {LEGS[leg]}" for leg, number in sorted(missing.items()))
    return [f"{'…':>8}  left out: {counted}"]
