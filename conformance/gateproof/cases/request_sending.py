"""How a request is sent, where all that is asked stays the same: other headers, a long body, a body in chunks."""

from __future__ import annotations

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.question import Question, user
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")

ACCEPTED = ("application/json", "*/*", "application/json, text/event-stream", "text/event-stream")
"""The SDKs of OpenAI and Anthropic send the first in both modes, curl and fetch the second, Codex the last."""

LONG = "responsibilities " * 186_000
"""3 MiB of text. In a long word that is one token, so that it fits in 200,000 of them, the window of Anthropic's models: a
gateway that counts them has no cause to refuse it."""

JSON_TYPES = ("application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON")


@case("request.accept-decides-nothing")
def accept_decides_nothing(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for accept in ACCEPTED:
        answer = ask(headers=(("Accept", accept),))

        # HTTP lets a server refuse what it cannot write in any of the forms named; a stream for no stream is no refusal.
        if answer.status == 406 and not check.stream and accept == "text/event-stream":
            check.chose("refused")
            continue
        _assert_answered(ask, answer, f"Accept: {accept}")
        check.chose("served")


@case("request.content-type-may-have-parameters")
def content_type_may_have_parameters(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)
    for kind in JSON_TYPES:
        answer = ask(headers=(("Content-Type", kind),))

        _assert_answered(ask, answer, f"Content-Type: {kind}")


@case("request.chunked-bodies-are-read")
def chunked_bodies_are_read(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)

    answer = ask(chunked=True)

    if answer.status == 411:
        assert answer.error.message, f"no error envelope in {answer!r}"
        check.chose("refused")
        return
    _assert_answered(ask, answer, "a body in chunks")
    check.chose("read")


@case("request.long-requests-are-taken")
def long_requests_are_taken(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)

    answer = ask(Question((user(LONG),)))

    _assert_answered(ask, answer, f"a request of {len(ask.last.request_body):,} bytes")
    # Of a body as long as this the journal keeps the beginning, and counts the rest.
    came = ask.last.calls[-1]["body_bytes"]
    assert came >= len(LONG), f"of {len(LONG):,} bytes of text a body of {came:,} bytes came upstream"


@case("request.storage-is-not-switched-on")
def storage_is_not_switched_on(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    stored = dig(ask.received_body, "store")
    assert stored is False, f"store: {stored!r}, and Responses stores a turn unless it is false"


def _assert_answered(ask: Ask, answer: Answer, what: str) -> None:
    assert answer.outcome == "complete", f"{what}: {answer!r}"
    assert answer.text == "Understood.", f"{what}: {answer!r}"
    assert ask.last.calls, f"{what}: answered without an upstream call"
