"""An exchange: one question through the gateway, all four legs with times."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.pairs import Pair
from gateproof_mock import Script
from gateproof_mock.serving.journal import Leg


@dataclass(slots=True)
class Exchange:
    """`mode` is what was asked (`stream` or `json`). `calls` are the mock's journal entries (control.py gives their shape).

    `request`: method, path, headers (redacted), body. `wire`: the bytes of the client's leg, capped.
    `clean`: whether the transfer ended as HTTP wants it.
    `turn`: whether a turn was asked for. `routed`: whether the request says which upstream is meant. `lawful`: whether the
    upstream kept its own documents; what a same-dialect relay passes on otherwise is no fault of it.
    """

    pair: Pair
    mode: str
    marker: str
    scripts: tuple[Script, ...]
    method: str
    path: str
    request_headers: list[tuple[str, str]]
    request_body: bytes
    began: float
    answer: Answer
    wire: bytes = b""
    leg: Leg = field(default_factory=Leg)
    ended: float = 0.0
    calls: list[dict[str, Any]] = field(default_factory=list)
    comments: int = 0
    clean: bool = True
    turn: bool = True
    routed: bool = True

    @property
    def lawful(self) -> bool:
        return all(s.lawful for s in self.scripts)

    @property
    def excused(self) -> bool:
        """Judged by no invariant: a plain relay of an unlawful upstream, or no turn at all (/compact, a subpath)."""
        return not self.turn or (not self.pair.translated and not self.lawful)
