"""A full gateway: requests that wait for a slot until their time-out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.cases.reading import events_of_type
from gateproof.cases.standing import standing_at
from gateproof.registry import case
from gateproof.stagehands import Ask, Upstream
from gateproof_mock import hold, text


def _turned_away(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> Answer:
    upstream.says(text("Held."), hold("slot"), text(" Released."))
    with standing_at("slot", ask, claims["concurrency_limit"], mode="stream"):
        upstream.says(text("This turn must not be served."))
        answer = ask()
        assert not ask.last.calls, "the waiting request was served: the limit is higher than claimed"
        return answer


@case("limit.waiting-responses-stream-ends-with-failed", alone=True)
def waiting_responses_stream_ends_with_failed(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    answer = _turned_away(ask, upstream, claims)

    assert answer.status == 200, f"headers were to be out by the keepalive: {answer!r}"
    types = [e.get("type") for e in answer.events if isinstance(e, dict)]
    assert types[-1:] == ["response.failed"], f"the stream ends with {types[-1:]}: {answer!r}"
    assert answer.error.code == "rate_limit_exceeded"


@case("limit.waiting-chat-stream-ends-with-the-chat-error", alone=True)
def waiting_chat_stream_ends_with_the_chat_error(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    answer = _turned_away(ask, upstream, claims)

    assert answer.status == 200, f"headers were to be out by the keepalive: {answer!r}"
    assert answer.outcome == "error", repr(answer)
    assert isinstance(answer.error.raw, dict)
    assert answer.error.message
    assert not answer.finish


@case("limit.waiting-messages-stream-ends-with-the-messages-error", alone=True)
def waiting_messages_stream_ends_with_the_messages_error(
    ask: Ask, upstream: Upstream, claims: Mapping[str, Any]
) -> None:
    answer = _turned_away(ask, upstream, claims)

    assert answer.status == 200, f"headers were to be out by the keepalive: {answer!r}"
    assert answer.outcome == "error", repr(answer)
    assert answer.error.message
    assert answer.error.type in ("rate_limit_error", "overloaded_error"), f"type {answer.error.type!r}"
    assert not answer.finish
    assert not answer.done, "message_stop on a turn that never was"


@case("limit.full-is-429", alone=True)
def full_is_429(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    answer = _turned_away(ask, upstream, claims)

    assert answer.status == 429, repr(answer)
    assert answer.error.message


@case("limit.failed-id-comes-from-the-request-id", alone=True)
def failed_id_comes_from_the_request_id(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    answer = _turned_away(ask, upstream, claims)

    request_id = answer.headers.get("x-request-id", "")
    assert request_id, "the answer has no x-request-id"
    ended = events_of_type(answer, "response.failed")
    assert ended, repr(answer)
    response = ended[-1].get("response")
    assert isinstance(response, dict)
    assert response.get("id") == "resp_" + request_id.replace("-", "")
