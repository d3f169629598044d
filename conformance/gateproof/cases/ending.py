"""How a turn ends, and what that is called on the other side."""

from __future__ import annotations

from gateproof.answers.answer import Answer
from gateproof.cases.reading import assert_calls
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, cancelled, cut, failed, incomplete, text, tool_call, unfinished


@case("ending.finish-reason-then-eof-is-complete")
def finish_reason_then_eof_is_complete(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), wire=Wire(no_done=True))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello"
    assert answer.finish == "stop"


@case("ending.calls-then-done-is-tool-calls")
def calls_then_done_is_tool_calls(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(tool_call("get_weather", '{"city":', '"Oslo"}'), wire=Wire(no_finish=True))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.finish == "tool_calls"
    assert_calls(answer, check, ("get_weather", '{"city":"Oslo"}'))


@case("ending.done-without-finish-reason-ends")
def done_without_finish_reason_ends(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), wire=Wire(no_finish=True))

    answer = ask()

    assert answer.failed or answer.outcome == "complete", repr(answer)
    if answer.failed:
        check.chose("error")
    else:
        assert answer.text == "Hello"
        check.chose("stop" if answer.finish == "stop" else "incomplete")


@case("ending.truncated-upstream-is-never-complete")
def truncated_upstream_is_never_complete(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), cut("eof"))

    answer = ask()

    assert answer.outcome != "complete", repr(answer)
    assert not answer.finish, f"the reason {answer.finish!r} was made up"
    assert answer.failed or not answer.done, "the stream's last event was made up"


@case("ending.truncated-upstream-is-an-error")
def truncated_upstream_is_an_error(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), cut("eof"))

    answer = ask()

    _assert_failed(answer, check)


@case("ending.broken-transfer-is-an-error")
def broken_transfer_is_an_error(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for how in ("fin", "rst"):
        upstream.says(text("Hel", "lo"), cut(how))

        answer = ask()

        _assert_failed(answer, check)
        if check.translated and not check.stream:
            assert answer.status >= 500, repr(answer)


def _assert_failed(answer: Answer, check: CheckHand) -> None:
    assert answer.failed, repr(answer)
    assert not answer.finish, f"{answer.finish!r} as the reason of a turn that was cut"
    check.chose(answer.outcome)


@case("ending.truncation-is-length")
def truncation_is_length(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), incomplete("max_output_tokens"))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.finish == "length"
    assert answer.text == "Hello"


@case("ending.filter-is-content-filter")
def filter_is_content_filter(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), incomplete("content_filter"))

    answer = ask()

    if check.has_messages and _told_otherwise(answer, check):
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.finish == "content_filter"
    check.chose("filtered")


def _told_otherwise(answer: Answer, check: CheckHand) -> bool:
    """Messages knows one word, refusal, for what the model and what a filter will not say."""
    if answer.outcome == "error" and check.surface == "messages":
        check.chose("error")
    elif answer.outcome == "complete" and answer.refusal and check.dialect == "messages":
        check.chose("refusal")
    else:
        return False
    return True


@case("ending.response-done-is-completed")
def response_done_is_completed(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), wire=Wire(terminal="response.done"))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello"
    assert answer.finish == "stop"


@case("ending.terminal-without-response-still-ends")
def terminal_without_response_still_ends(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), wire=Wire(bare_terminal=True))

    answer = ask()

    assert answer.failed or answer.outcome == "complete", repr(answer)
    if answer.outcome == "complete":
        assert answer.text == "Hello"
    check.chose(answer.outcome)


@case("ending.bare-failed-is-an-error")
def bare_failed_is_an_error(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), failed(), wire=Wire(bare_terminal=True))

    answer = ask()

    assert answer.failed, repr(answer)
    assert not answer.finish


@case("ending.unfinished-status-is-an-error")
def unfinished_status_is_an_error(ask: Ask, upstream: Upstream) -> None:
    for ending in (failed(), cancelled(), unfinished("queued"), unfinished("in_progress")):
        upstream.says(ending)

        answer = ask()

        assert answer.status >= 400, f"{ending!r}: {answer!r}"
