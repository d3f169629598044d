"""Responses events as frames: their type, role and number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof_mock.dialects.frames import Frame

_BEGINS = ("response.output_item.added", "response.content_part.added", "response.reasoning_summary_part.added")
_DELTAS = (".delta", ".annotation.added")


class Events:
    """Makes the events of one stream, which number them as `sequence` says: see `Wire.sequence`."""

    def __init__(self, sequence: str) -> None:
        self._sequence = sequence
        self._count = 0

    def event(self, kind: str, /, **fields: Any) -> Frame:
        return self._frame(kind, _role(kind), fields)

    def terminal(self, kind: str, /, **fields: Any) -> Frame:
        return self._frame(kind, "terminal", fields)

    def given(self, data: Mapping[str, Any]) -> Frame:
        """A scripted event. It has its place in the count, whatever number it says."""
        kind = data.get("type")
        return Frame({**self._number(), **data}, kind if isinstance(kind, str) else "")

    def _frame(self, kind: str, role: str, fields: Mapping[str, Any]) -> Frame:
        return Frame({"type": kind, **fields, **self._number()}, kind, role)

    def _number(self) -> dict[str, int]:
        count = self._count
        self._count += 1
        match self._sequence:
            case "missing":
                return {}
            case "repeated":
                return {"sequence_number": count // 2}
            case "gaps":
                return {"sequence_number": count * 2}
            case _:
                return {"sequence_number": count}


def _role(kind: str) -> str:
    if kind in _BEGINS:
        return "begin"
    if kind.endswith(_DELTAS):
        return "delta"
    return "end" if kind.endswith(".done") else ""
