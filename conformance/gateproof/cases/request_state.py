"""What only a gateway with a memory, or its upstream, can know: an earlier response."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.asking.question import Question, user
from gateproof.cases.contested import in_order, is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text


@case("request.earlier-response-is-honoured-or-refused")
def earlier_response_is_honoured_or_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Under", "stood."))
    first = ask(Question((user("My name is Ann."),)), store=True)
    if is_refusal(ask, first):
        check.chose("refused")
        return
    assert first.id, f"a response without an id: {first!r}"

    answer = ask(Question((user("What is my name?"),)), previous_response_id=str(first.id), store=True)

    if is_refusal(ask, answer):
        assert answer.error.message, f"no word of why: {answer!r}"
        check.chose("refused")
        return
    sent = dig(ask.received_body, "previous_response_id")
    if check.dialect == "responses" and isinstance(sent, str) and sent:
        check.chose("forwarded")
        return
    said = "\n".join(ask.received.said("user"))
    assert in_order(said, ["My name is Ann.", "What is my name?"]), f"what was said before is lost: {said!r}"
    assert ask.received.said("assistant") == ["Understood."], f"the answer before is lost: {ask.received.items}"
    check.chose("honoured")


@case("request.background-is-honoured-or-refused")
def background_is_honoured_or_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Under", "stood."))
    for given in _kept_elsewhere():
        answer = ask(Question((user("Go on."),)), **given)

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        key = next(iter(given))
        assert dig(ask.received_body, key) == given[key], f"{key} was accepted, and reached nobody"
        check.chose("forwarded")


def _kept_elsewhere() -> list[dict[str, Any]]:
    return [{"background": True}, {"conversation": "conv_68af4030"}, {"prompt": {"id": "pmpt_68af4030"}}]
