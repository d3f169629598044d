"""The plain text turn: what everything else stands on."""

from __future__ import annotations

from gateproof.answers.answer import Answer
from gateproof.stagehands import Ask, Upstream
from gateproof_mock import text

SMOKE = "turn.plain-text-arrives"
WORDS = ("Good ", "morning, ", "Oslo.")


def smoke(ask: Ask, upstream: Upstream, mode: str) -> Answer:
    """Ask for the plain text turn."""
    upstream.says(text(*WORDS))
    return ask("Good morning?", mode=mode)


def is_whole(answer: Answer) -> bool:
    """Whether the plain text turn arrived as such."""
    return answer.outcome == "complete" and answer.text == "".join(WORDS) and bool(answer.finish == "stop")
