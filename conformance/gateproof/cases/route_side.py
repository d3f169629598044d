"""Other forms of a surface's path, and the routes beside it: counting tokens, compacting, listing models."""

from __future__ import annotations

from gateproof.answers.messages import ERROR_TYPES
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text, usage

TRIES = 3
"""As often as a gateway with a circuit breaker may want to see a failure before it acts."""


@case("route.bare-form-is-served-or-refused")
def bare_form_is_served_or_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hello."))

    answer = ask(path=ask.path.removeprefix("/v1"))

    if answer.status == 200:
        assert answer.outcome == "complete", repr(answer)
        assert answer.text == "Hello."
        check.chose("served")
        return
    assert answer.status in (404, 405), repr(answer)
    assert answer.error.message, f"no error envelope in {answer!r}"
    check.chose("refused")


@case("route.other-methods-are-refused")
def other_methods_are_refused(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("This turn must not be asked for."))
    for method in ("PUT", "PATCH", "DELETE"):
        answer = ask(method=method, turn=False)

        served = [call for call in ask.last.calls if call["kind"] == "turn" and call["status"] == 200]
        assert not served, f"{method} became a turn"
        assert 400 <= answer.status < 500, f"{method}: {answer!r}"
        assert answer.error.message, f"{method}: no error envelope in {answer!r}"


@case("route.token-count-is-answered")
def token_count_is_answered(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("This turn must not be asked for."), usage(input=4321))

    answer = ask(path=f"{ask.path}/count_tokens", turn=False)

    kinds = [call["kind"] for call in ask.last.calls]
    assert "turn" not in kinds, "counting became a turn"
    if answer.status == 200:
        assert isinstance(answer.body, dict), repr(answer)
        count = answer.body.get("input_tokens")
        assert isinstance(count, int), f"input_tokens is {count!r}"
        assert count > 0
        if "count" in kinds:
            assert count == 4321, f"the upstream counted 4321, the client is told {count}"
        check.chose("served")
        return
    assert answer.status >= 400, repr(answer)
    assert answer.error.type in ERROR_TYPES, f"no error of Messages in {answer!r}"
    assert answer.error.message
    check.chose("refused")


@case("route.auxiliary-failure-harms-no-turn")
def auxiliary_failure_harms_no_turn(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    side = {"responses": f"{ask.path}/compact", "messages": f"{ask.path}/count_tokens"}.get(check.surface)
    for _ in range(TRIES):
        upstream.refuses(404, "not_found_error", "There is no such route.")
        if side:
            ask(path=side, turn=False)
        ask(method="GET", path="/v1/models/gateproof-no-such-model", turn=False, routed=False)
    upstream.says(text("Served."))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Served."
