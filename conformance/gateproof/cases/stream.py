"""Streaming is incremental: barriers hold the upstream until the client has what was sent."""

from __future__ import annotations

from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Live, Upstream
from gateproof_mock import hold, text


@case("stream.first-delta-comes-before-the-end")
def first_delta_comes_before_the_end(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    # Two deltas before the barrier: a lag of one is another requirement's business.
    upstream.says(text("one ", "two "), hold("before-the-end"), text("three"))

    live = ask.begin()
    came = _holds(live, check, "one ")
    if not came:
        check.mark_buffering()
    live.release("before-the-end")
    answer = live.finish()

    assert answer.text == "one two three", repr(answer)
    assert came, "the client had no delta while the upstream waited for it: the gateway holds the stream back"


@case("stream.each-delta-comes-before-the-next")
def each_delta_comes_before_the_next(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("one "), hold("a"), text("two "), hold("b"), text("three"))

    live = ask.begin()
    came = []
    for barrier, wanted in (("a", "one "), ("b", "one two ")):
        came.append(_holds(live, check, wanted))
        live.release(barrier)
    answer = live.finish()

    assert answer.text == "one two three", repr(answer)
    assert all(came), f"delta {came.index(False) + 1} had not come when the upstream was about to send the next"


def _holds(live: Live, check: CheckHand, wanted: str) -> bool:
    """Whether the client comes to hold this text. Once a pair was seen to hold all back, nobody waits for it again."""
    if check.is_buffering():
        return False
    return live.until(lambda answer: answer.text.startswith(wanted))
