"""The plain text turn."""

from __future__ import annotations

from gateproof.registry import case
from gateproof.smoke import WORDS, smoke
from gateproof.stagehands import Ask, CheckHand, Upstream


@case("turn.plain-text-arrives")
def plain_text_arrives(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    answer = smoke(ask, upstream, check.mode)

    assert ask.last.calls, f"the gateway did not call its upstream: {answer!r}"
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "".join(WORDS)
    assert answer.finish == "stop"
