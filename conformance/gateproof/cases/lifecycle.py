"""Beginnings and ends of upstream calls: clients that leave, and turns that break and might be asked again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.cases.secret import error_body
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Live, Upstream
from gateproof_mock import cut, failed, hold, refused, script, text, tool_call

FIRST, WHOLE = ("One ", "two "), "One two three."


@case("lifecycle.disconnect-closes-the-upstream")
def disconnect_closes_the_upstream(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(text("one ", "two "), hold("held"), text("three"))

    live = ask.begin(turn=False)
    assert live.reached("held"), f"the stream did not reach the upstream: {live.answer!r}"
    if not check.is_buffering():
        live.until(lambda answer: bool(answer.text))
    _assert_ends(live, check, claims)


@case("lifecycle.early-disconnect-closes-the-upstream")
def early_disconnect_closes_the_upstream(
    ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]
) -> None:
    upstream.says(hold("held"), text("one ", "two "))

    live = ask.begin(turn=False)
    assert live.reached("held"), f"the question did not reach the upstream: {live.answer!r}"
    _assert_ends(live, check, claims)


def _assert_ends(live: Live, check: CheckHand, claims: Mapping[str, Any]) -> None:
    """That the upstream's call, which stands at a barrier, ends with the client."""
    live.leave()
    drains = bool(claims.get("drains"))
    ended = "" if drains else live.upstream_ended()
    live.release("held")
    live.finish()
    check.chose("drains" if drains else "closed")
    assert drains or ended == "client went away", f"the client left, and the upstream call is {ended}"


@case("lifecycle.nothing-is-tried-for-a-client-that-left")
def nothing_is_tried_for_a_client_that_left(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(hold("held"), refused(503, error_body(check.dialect, "It fell over.", "server_error")))

    live = ask.begin(turn=False)
    assert live.reached("held"), f"the question did not reach the upstream: {live.answer!r}"
    live.leave()
    # Another turn from beginning to end is time enough to see that the client is gone, and for whoever tries again at once.
    upstream.says(text("Something else."))
    ask()
    live.release("held")
    live.upstream_ended()
    ask()
    asked = live.upstream_calls()
    live.finish()

    assert asked == 1, f"the client left, and the upstream was asked {asked} times"


@case("lifecycle.output-is-never-repeated")
def output_is_never_repeated(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    whole = script(text("One ", "two ", "three."))
    busy = refused(503, error_body(check.dialect, "Too busy.", "server_error"))
    call = tool_call("get_weather", '{"city":', '"Oslo"}')
    for what, first, then, words in (
        ("broken in its text", script(text(*FIRST), cut("rst")), whole, WHOLE),
        ("ended in its text", script(text(*FIRST), cut("eof")), whole, WHOLE),
        ("failed in its text", script(text(*FIRST), failed()), whole, WHOLE),
        ("failed at once", script(failed()), whole, WHOLE),
        ("refused", script(busy), whole, WHOLE),
        ("broken after its call", script(call, cut("rst")), script(call), ""),
    ):
        upstream.plays(first, then)

        answer = ask()

        assert words.startswith(answer.text), f"{what}: the client has {answer.text!r}"
        assert len(answer.tool_calls) <= 1, f"{what}: the client has {answer.calls!r}"
        repeated = [arguments for _, arguments in answer.calls if str(arguments).count("city") > 1]
        assert not repeated, f"{what}: the call's arguments are {repeated[0]!r}"
        begun = _beginnings(answer, check.surface)
        assert len(begun) <= 1, f"{what}: the stream begins {len(begun)} times: {begun}"
        check.chose("continued" if answer.outcome == "complete" else "failed")


def _beginnings(answer: Answer, surface: str) -> list[str]:
    """What a stream begins with, as often as it does: the id of each response or message, or each id that chunks have."""
    events = [event for event in answer.events if isinstance(event, dict)]
    if surface == "chat":
        return list(dict.fromkeys(str(event["id"]) for event in events if event.get("id") and not event.get("error")))
    first = "response.created" if surface == "responses" else "message_start"
    return [str(event)[:80] for event in events if event.get("type") == first]


@case("lifecycle.started-turn-is-asked-once")
def started_turn_is_asked_once(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for how in ("rst", "fin", "eof"):
        upstream.plays(script(text(*FIRST), hold("out"), cut(how)), script(text("One ", "two ", "three.")))

        live = ask.begin()
        out = not check.is_buffering() and live.until(lambda answer: bool(answer.text))
        live.release("out")
        live.finish()

        calls = len(ask.last.calls)
        assert not out or calls == 1, f"the client had its first words, and the upstream was asked {calls} times"
