"""JSON answers that are put together from a stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.cases.reading import assert_calls
from gateproof.cases.tools import TIME, TIME_CALL, WEATHER, WEATHER_CALL
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, cut, interleaved, reasoning, text, usage

_ORDER = {
    "responses": ("output", ["message", "function_call", "function_call"]),
    "messages": ("content", ["text", "tool_use", "tool_use"]),
}


@case("aggregate.output-is-rebuilt-in-order")
def output_is_rebuilt_in_order(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(
        text("Let me ", "look."),
        interleaved(WEATHER, TIME, reverse=True),
        usage(input=607, output=1024),
        wire=Wire(terminal_output="empty"),
    )

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Let me look."
    assert_calls(answer, check, WEATHER_CALL, TIME_CALL)
    assert answer.finish == "tool_calls"
    assert (answer.usage.input, answer.usage.output) == (607, 1024)
    if not check.on_chat:
        place, wanted = _ORDER[check.surface]
        types = [dig(item, "type") for item in dig(answer.body, place)]
        assert types == wanted, f"{place}: {types}"


@case("aggregate.chat-turn-is-rebuilt")
def chat_turn_is_rebuilt(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    _turn_is_rebuilt(ask, upstream, check, claims)


@case("aggregate.messages-turn-is-rebuilt")
def messages_turn_is_rebuilt(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    _turn_is_rebuilt(ask, upstream, check, claims)


def _turn_is_rebuilt(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(
        reasoning("Hm, ", "two tools."),
        text("Let me ", "look."),
        interleaved(WEATHER, TIME),
        usage(input=607, output=1024, cached=64, reasoning=112),
    )

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Let me look."
    assert_calls(answer, check, WEATHER_CALL, TIME_CALL)
    assert answer.finish == "tool_calls"
    assert answer.usage, f"no usage: {answer!r}"
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (607, 1024, 1631)
    assert answer.id, "no id"
    assert answer.model, "no model"
    if check.on_chat and claims.get("reasoning_content"):
        assert answer.reasoning == "Hm, two tools."


@case("aggregate.broken-stream-is-an-error")
def broken_stream_is_an_error(ask: Ask, upstream: Upstream) -> None:
    for how in ("eof", "fin", "rst"):
        upstream.says(text("Hel", "lo"), cut(how))

        answer = ask()

        assert answer.status >= 500, f"upstream ended by {how}: {answer!r}"


@case("aggregate.unrequested-sse-is-read")
def unrequested_sse_is_read(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Let me ", "look."), WEATHER, wire=Wire(unrequested_sse=True))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Let me look."
    assert_calls(answer, check, WEATHER_CALL)
