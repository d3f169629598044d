"""What a Responses answer says of itself: the ids of its items, and what was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.cases.contested import is_documented, is_refusal
from gateproof.cases.reading import events_of_type
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import reasoning, text, tool_call

CALL = tool_call("get_weather", '{"city": "Oslo"}')


@case("identity.items-of-two-turns-have-own-ids")
def items_of_two_turns_have_own_ids(ask: Ask, upstream: Upstream) -> None:
    upstream.says(reasoning("The weather."), text("Let me look."), CALL)

    first, second = ask(), ask()

    for answer in (first, second):
        assert answer.outcome == "complete", repr(answer)
    shared = _ids(first) & _ids(second)
    assert not shared, f"items of two turns have the ids {sorted(shared)!r:.200}"


def _ids(answer: Answer) -> set[str]:
    done = [dig(e, "item") for e in events_of_type(answer, "response.output_item.done")]
    ids = {dig(item, "id") for item in _items(answer, done) if isinstance(dig(item, "id"), str)}
    return ids - {""}


def _items(answer: Answer, done: list[Any]) -> list[Any]:
    output = dig(answer.body, "output")
    return done if answer.events else output if isinstance(output, list) else []


ASKED: dict[str, Any] = {
    "metadata": {"label": "of-the-client"},
    "temperature": 0.25,
    "tool_choice": "required",
    "instructions": "Be brief.",
    "max_output_tokens": 2048,
}
"""Each is unlike its default."""


@case("identity.response-repeats-what-was-asked")
def response_repeats_what_was_asked(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(CALL)
    for name, value in ASKED.items():
        answer = ask(**{name: value})

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        assert answer.outcome == "complete", f"{name}: {answer!r}"
        response = _response(answer)
        told = dig(response, name)
        if told != value and is_documented(check, claims, name):
            check.chose("left out")
            continue
        assert told == value, f"{name} was {value!r}, and the response says {told!r}"
        offered = [dig(response, "tools", 0, "type"), dig(response, "tools", 0, "name")]
        assert offered == ["function", "get_weather"], f"the response says of its tools {dig(response, 'tools')!r:.200}"
        check.chose("repeated")


def _response(answer: Answer) -> Any:
    """The Response object: of a stream, the one that it ended with."""
    return dig(events_of_type(answer, "response.completed"), -1, "response") if answer.events else answer.body
