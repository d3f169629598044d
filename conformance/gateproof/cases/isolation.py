"""One turn and the others: at the same time, and one after the other on the same connections."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.cases import canned
from gateproof.cases.reading import assert_calls
from gateproof.cases.standing import standing_at
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Live, Upstream
from gateproof_mock import completed, failed, hold, raw, reasoning, refused, text, tool_call, usage

AT_ONCE = 6
STALLED = 3
UNCOUNTED = (0, 0, 0, 0)
"""Counts that were lost, which is for the usage area to judge: they are nobody else's."""


@case("isolation.concurrent-turns-keep-apart", alone=True)
def concurrent_turns_keep_apart(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    count = min(claims.get("concurrency_limit", AT_ONCE), AT_ONCE)
    turns: list[Live] = []
    for number in range(count):
        call = tool_call(f"tool_{number}_", f'{{"n":{number},', f'"of":"turn-{number}-"}}')
        upstream.says(
            text(f"first-{number}- "),
            hold("a"),
            text(f"then-{number}-"),
            hold("b"),
            call,
            usage(input=1000 + number, output=100 + number),
        )
        turns.append(ask.begin(include_usage=True))
    # Last come, first served at one barrier; every other one first at the next.
    for barrier, order in (("a", turns[::-1]), ("b", turns[::2] + turns[1::2])):
        for live in order:
            live.reached(barrier)
        for live in order:
            live.release(barrier)
    answers = [live.finish() for live in turns]

    exchanges = ask.exchanges[-count:]
    for number, (answer, exchange) in enumerate(zip(answers, exchanges, strict=True)):
        assert answer.outcome == "complete", f"turn {number} of {count}: {answer!r}"
        assert answer.text == f"first-{number}- then-{number}-", f"turn {number}: {answer!r}"
        assert_calls(answer, check, (f"tool_{number}_", f'{{"n":{number},"of":"turn-{number}-"}}'))
        if answer.usage:
            own = (1000 + number, 100 + number)
            assert (answer.usage.input, answer.usage.output) in (own, UNCOUNTED[:2]), f"turn {number}"
        for asked in exchange.calls:
            assert asked["markers"] == [exchange.marker], f"the question of turn {number} holds {asked['markers']}"
        others = [word for n in range(count) if n != number for word in (f"first-{n}-", f"then-{n}-", f"tool_{n}_")]
        foreign = [word for word in others if word.encode() in exchange.wire]
        assert not foreign, f"turn {number} holds {foreign} of other turns"
    ids = [str(answer.id) for answer in answers if answer.id]
    assert len(set(ids)) == len(ids), f"two turns have one id: {ids}"


@case("isolation.stalled-upstream-blocks-nobody", alone=True)
def stalled_upstream_blocks_nobody(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    stalled = min(claims.get("concurrency_limit", STALLED + 1) - 1, STALLED)
    check.chose("served" if stalled else "one-at-a-time")
    upstream.says(hold("still"), text("At last."))
    with standing_at("still", ask, stalled):
        upstream.says(text("Served."))
        for _ in range(2):
            answer = ask()

            assert answer.outcome == "complete", f"while {stalled} calls stood still: {answer!r}"
            assert answer.text == "Served."


@case("isolation.unread-bytes-reach-nobody")
def unread_bytes_reach_nobody(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("old "), hold("left"), text("old ", times=64))
    live = ask.begin(turn=False)
    live.reached("left")
    live.leave()
    live.release("left")
    live.finish()
    _assert_own(ask, upstream, "after a client that left")

    upstream.says(text("old "), completed(), raw(": old\n\ndata: old\n\n"))
    ask(turn=False)
    _assert_own(ask, upstream, "after an upstream that said more than its turn")

    upstream.says(refused(502, f"<!doctype html><title>old</title>{'<p>old</p>' * 4096}"))
    ask(turn=False)
    _assert_own(ask, upstream, "after a long refusal")


def _assert_own(ask: Ask, upstream: Upstream, what: str) -> None:
    upstream.says(text("My ", "own."))
    for _ in range(2):
        answer = ask()

        assert answer.outcome == "complete", f"{what}: {answer!r}"
        assert answer.text == "My own.", f"{what}: {answer!r}"


@case("isolation.nothing-stays-of-an-earlier-turn")
def nothing_stays_of_an_earlier_turn(ask: Ask, upstream: Upstream) -> None:
    ids: list[str] = []
    for ending in (completed(), failed("planted_code", "The planted failure.", type="planted_error")):
        upstream.says(
            reasoning("A planted thought."),
            text("Planted words."),
            tool_call("planted_tool", '{"planted":', "1}"),
            usage(input=4321, output=1234, cached=321, reasoning=123),
            ending,
        )
        earlier = ask(
            "A planted question.",
            temperature=0.4321,
            headers=(("anthropic-beta", "planted-2099-01-01"), ("x-planted", "planted")),
            query="planted=1",
            include_usage=True,
            turn=False,
        )
        ids.append(str(earlier.id))
        upstream.says(text("My ", "own."), usage(input=11, output=7))

        answer = ask(include_usage=True)

        _assert_free(answer, ask.last.wire)
        for call in ask.last.calls:
            kept = json.dumps([call["path"], call["headers"], call["body"]])
            assert "planted" not in kept.lower(), (
                f"an earlier request's words are in the next upstream call: {kept[:600]}"
            )
            assert "0.4321" not in kept, "an earlier request's temperature is in the next upstream call"
            assert call["markers"] == [ask.last.marker]
        assert not answer.id or str(answer.id) not in ids, f"{answer.id!r} is the id of an earlier answer"


def _assert_free(answer: Answer, wire: bytes) -> None:
    """That an answer is its own turn, and nothing else."""
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "My own."
    assert not answer.tool_calls, repr(answer)
    assert not answer.reasoning, repr(answer)
    assert answer.finish == "stop"
    if answer.usage:
        counts = (answer.usage.input, answer.usage.output, answer.usage.cached, answer.usage.reasoning)
        assert counts in ((11, 7, 0, 0), UNCOUNTED), f"token counts {counts}"
    shown = wire.lower() + json.dumps(answer.headers).lower().encode()
    assert b"planted" not in shown, "words of an earlier turn are in this answer"


@case("isolation.upstream-cookies-are-not-kept")
def upstream_cookies_are_not_kept(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hello."))
    ask()
    for call in ask.last.calls:
        mode = "stream" if call["stream"] else "json"
        baked = "gateproof_session=planted; Path=/"
        upstream.says(canned.answered(check.dialect, mode, text("Hello."), set_cookie=baked))
    ask()
    upstream.says(text("Hello."))
    ask()

    for call in ask.last.calls:
        sent = [value for name, value in call["headers"] if name.lower() == "cookie"]
        assert not any("gateproof_session" in value for value in sent), f"the next call sends Cookie: {sent}"
