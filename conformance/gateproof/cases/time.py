"""Silences: how a gateway fills those of its upstream, and which it bears. All intervals are claimed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.cases.reading import event_names
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import hold, pause, text

PART = 0.3
"""Of the idle timeout, between two deltas of a stream that goes on: far below it, and four of them are above it."""


@case("time.keepalive-is-no-content")
def keepalive_is_no_content(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(hold("silence"), text("Hel", "lo"))

    live = ask.begin()
    came = live.shows_life(claims["keepalive_interval"])
    live.release("silence")
    answer = live.finish()

    check.chose("came" if came else "none")
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello", repr(answer)
    strange = _strangers(answer, event_names(ask.last), check.surface)
    assert not strange, f"among the events is {strange}"


def _strangers(answer: Answer, names: list[str], surface: str) -> str:
    """The first event that is neither of the turn nor a keepalive as the surface has it; "" for none."""
    events = [event for event in answer.events if event != "[DONE]"]
    if surface == "chat":
        named = [name for name in names if name]
        bare = [event for event in events if not isinstance(event, dict) or not isinstance(event.get("choices"), list)]
        return (f"one called {named[0]!r}" if named else "") or (f"{bare[0]!r}"[:120] if bare else "")
    kinds = [event.get("type") if isinstance(event, dict) else event for event in events]
    if surface == "messages":
        first = next((kind for kind in kinds if kind != "ping"), None)
        return "" if first == "message_start" else f"{first!r} as the first"
    if kinds[:1] != ["response.created"]:
        return f"{kinds[:1]} as the first"
    numberless = [e for e in events if e.get("type") == "keepalive" and not isinstance(e.get("sequence_number"), int)]
    return f"{numberless[0]!r}" if numberless else ""


@case("time.keepalive-comes-in-silence")
def keepalive_comes_in_silence(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    upstream.says(hold("before"), text("one "), hold("between"), text("two"))

    live = ask.begin()
    came = []
    for silence in ("before", "between"):
        live.reached(silence)
        came.append(live.shows_life(claims["keepalive_interval"]))
        live.release(silence)
    answer = live.finish()

    assert answer.text == "one two", repr(answer)
    assert all(came), f"no keepalive {'between two deltas' if came[0] else 'before the first delta'}: {answer!r}"


@case("time.silent-upstream-is-given-up")
def silent_upstream_is_given_up(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(text("one ", "two "), hold("silence"), text("three"))

    live = ask.begin(model=claims.get("idle_model", ""))
    ended = live.ends(claims["idle_timeout"])
    live.release("silence")
    answer = live.finish()

    assert ended, (
        f"the upstream was silent for longer than {claims['idle_timeout']:g} s, and the answer went on: {answer!r}"
    )
    assert answer.failed, repr(answer)
    assert not answer.finish, f"{answer.finish!r} as the reason of a turn that was given up"
    if not check.stream:
        assert answer.status >= 500, repr(answer)


@case("time.busy-stream-outlives-the-idle-timeout")
def busy_stream_outlives_the_idle_timeout(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    step = pause(claims["idle_timeout"] * PART)
    upstream.says(text("one "), step, text("two "), step, text("three "), step, text("four "), step, text("five"))

    answer = ask(model=claims.get("idle_model", ""))

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "one two three four five"
