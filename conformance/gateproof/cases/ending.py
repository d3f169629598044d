"""How a turn ends, and what that is called on the other side."""

from __future__ import annotations

from gateproof.answers.answer import Answer
from gateproof.cases.reading import assert_calls
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, cancelled, completed, cut, failed, incomplete, reasoning, text, tool_call, unfinished
from gateproof_mock.language.turns import Text

CALLED = tool_call("get_weather", '{"city":', ' "Oslo"}')


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

    if answer.failed:
        check.chose("error")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.finish == "tool_calls"
    assert_calls(answer, check, ("get_weather", '{"city":"Oslo"}'))
    check.chose("tool_calls")


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
    for said in (text("Hel", "lo"),), (reasoning("Let me ", "think."),), (text("Hel", "lo"), CALLED):
        upstream.says(*said, incomplete("max_output_tokens"))

        answer = ask()

        assert answer.outcome == "complete", f"after {said[-1].KEY}: {answer!r}"
        assert answer.finish == "length", f"after {said[-1].KEY}: {answer!r}"
        assert answer.text == ("Hello" if isinstance(said[0], Text) else ""), f"after {said[-1].KEY}: {answer!r}"


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


@case("ending.stop-reason-then-eof-is-told")
def stop_reason_then_eof_is_told(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), wire=Wire(no_done=True))

    answer = ask()

    assert answer.failed or answer.outcome == "complete", repr(answer)
    if answer.outcome == "complete":
        assert answer.text == "Hello"
        assert answer.finish == "stop"
    check.chose(answer.outcome)


@case("ending.context-window-is-no-plain-stop")
def context_window_is_no_plain_stop(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), completed(reason="model_context_window_exceeded"))

    answer = ask()

    if answer.failed:
        check.chose("error")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello"
    assert answer.finish not in ("stop", "tool_calls"), repr(answer)
    check.chose("length" if answer.finish == "length" else "other")


FOREIGN = {"messages": ("pause_turn", "stop_sequence", "acme_reason"), "chat": ("acme_reason", "end_turn")}
"""Words that the other API does not have. The last of a chat upstream is what careless proxies of Claude send."""
OWN = ("stop", "tool_calls", "length", "content_filter")


@case("ending.reasons-are-the-surfaces-own")
def reasons_are_the_surfaces_own(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for reason in FOREIGN[check.dialect]:
        stopped = "END" if reason == "stop_sequence" else ""
        upstream.says(text("Hel", "lo"), completed(reason="" if stopped else reason, stop_sequence=stopped))

        answer = ask()

        if answer.failed and not stopped:
            check.chose("error")
            continue
        assert answer.outcome == "complete", f"{reason}: {answer!r}"
        assert answer.text == "Hello", f"{reason}: {answer!r}"
        assert answer.finish in (("stop",) if stopped else OWN), f"{reason}: {answer!r}"
        check.chose("mapped")


@case("ending.empty-turn-is-told-alike")
def empty_turn_is_told_alike(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(completed())

    told = [ask(mode=mode) for mode in ("stream", "json")]

    for answer in told:
        assert answer.failed or answer.outcome == "complete", repr(answer)
        assert not answer.text, f"words that nobody said: {answer!r}"
        assert not answer.tool_calls, f"calls that nobody made: {answer!r}"
    assert told[0].failed == told[1].failed, f"streamed {told[0]!r}, in JSON {told[1]!r}"
    check.chose("error" if told[0].failed else "empty")
