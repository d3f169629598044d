"""Silences: how a gateway fills those of its upstream, and which it bears. All intervals are claimed ones."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.cases.reading import event_names
from gateproof.coordinator import CeilingError
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import hold, pause, text

PART, PAUSES = 0.1, 12
"""Of the idle timeout, between two deltas of a stream that goes on: far below it, and all of them together are above it. Fewer
and longer pauses were tried: on a starved machine one of 0.3 came late enough to be a silence."""

PLAYS = 5
"""How often a stream that was cut is played again because the upstream itself was silent for too long."""


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
    strange = [e for e in events if not isinstance(e, dict) or (e.get("type") == "keepalive" and not _is_numbered(e))]
    return f"{strange[0]!r}"[:120] if strange else ""


def _is_numbered(event: dict[str, Any]) -> bool:
    return isinstance(event.get("sequence_number"), int)


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
    words = [f"{number} " for number in range(PAUSES + 1)]
    step = pause(claims["idle_timeout"] * PART)
    upstream.says(*(element for word in words[:-1] for element in (text(word), step)), text(words[-1]))

    answer = _while_the_upstream_keeps_on(ask, claims)

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "".join(words)


def _while_the_upstream_keeps_on(ask: Ask, claims: Mapping[str, Any]) -> Answer:
    """The answer to a play whose own pauses were as short as they are scripted, if it is no complete one.

    A gateway that cuts a stream is asked again only where our journal shows a silence that it was right to cut.
    """
    for _ in range(PLAYS):
        answer = ask(model=claims.get("idle_model", ""))
        if answer.outcome == "complete" or _longest_silence(ask) < claims["idle_timeout"] / 2:
            return answer
    raise CeilingError(
        f"the machine is too busy: the mock upstream's own pauses took {claims['idle_timeout'] / 2:g} s and more, {PLAYS} times"
    )


def _longest_silence(ask: Ask) -> float:
    """Seconds between two writes of the upstream within one call, at most: between two calls it is the gateway that waits."""
    calls = ([at for at, _ in call["sent"]["pieces"]] for call in ask.last.calls)
    return max((after - before for times in calls for before, after in pairwise(times)), default=0.0)
