"""Streaming is incremental: barriers hold the upstream until the client has what was sent."""

from __future__ import annotations

from gateproof.answers.answer import Answer
from gateproof.cases.canned import body
from gateproof.cases.reading import assert_calls, events_of_type
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Live, Upstream
from gateproof_mock import completed, failed, hold, incomplete, refused, text, tool_call


@case("stream.first-delta-comes-before-the-end")
def first_delta_comes_before_the_end(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for tools in ((), (tool_call("get_weather", "{}"),)):
        # Two deltas before the barrier: a lag of one is another requirement's business.
        upstream.says(text("one ", "two "), hold("before-the-end"), text("three"), *tools)

        live = ask.begin()
        came = _holds(live, check, "one ")
        if not came and not tools:
            check.mark_buffering()
        live.release("before-the-end")
        answer = live.finish()

        assert answer.text == "one two three", repr(answer)
        beside = " where tools are on offer" if tools else ""
        assert came, (
            f"the client had no delta{beside} while the upstream waited for it: the gateway holds the stream back"
        )


@case("stream.each-delta-comes-before-the-next")
def each_delta_comes_before_the_next(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("one "), hold("a"), text("two "), hold("b"), text("three"))

    live = ask.begin()
    came = []
    for barrier, wanted in (("a", "one "), ("b", "one two ")):
        came.append(_holds(live, check, wanted))
        live.release(barrier)
    answer = live.finish()

    assert answer.text == "one two three", repr(answer)
    assert all(came), f"delta {came.index(False) + 1} had not come when the upstream was about to send the next"


def _holds(live: Live, check: CheckHand, wanted: str) -> bool:
    """Whether the client comes to hold this text. Once a pair was seen to hold all back, nobody waits for it again."""
    if check.is_buffering():
        return False
    return live.until(lambda answer: answer.text.startswith(wanted))


@case("stream.arguments-come-before-the-end")
def arguments_come_before_the_end(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(tool_call("write_file", '{"file":', ' "one', ' two"}'), hold("before-the-end"), text("Written."))

    live = ask.begin()
    came = not check.is_buffering() and live.until(lambda answer: _arguments(answer).startswith('{"file":'))
    live.release("before-the-end")
    answer = live.finish()

    assert_calls(answer, check, ("write_file", '{"file": "one two"}'))
    assert came, "the client had no arguments while the upstream waited for it"


def _arguments(answer: Answer) -> str:
    """What deltas have said of the arguments so far."""
    if answer.tool_calls:
        return str(answer.tool_calls[0].arguments)
    deltas = events_of_type(answer, "response.function_call_arguments.delta")
    return "".join(str(delta.get("delta")) for delta in deltas)


@case("stream.body-ends-with-the-turn")
def body_ends_with_the_turn(ask: Ask, upstream: Upstream) -> None:
    for ending in (completed(), incomplete("max_output_tokens"), failed()):
        upstream.says(text("Hel", "lo"), ending, hold("after-the-end"))

        live = ask.begin()
        ended = live.ends()
        live.release("after-the-end")
        answer = live.finish()

        assert ended, f"after {ending.KEY} the body stayed open while the upstream held its own: {answer!r}"


@case("stream.json-answer-becomes-a-stream")
def json_answer_becomes_a_stream(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    call = tool_call("get_weather", '{"city": "Oslo"}')
    upstream.says(refused(200, body(check.dialect, text("Hello"), call)))

    answer = ask()

    if answer.failed:
        check.chose("error")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello"
    assert_calls(answer, check, ("get_weather", '{"city": "Oslo"}'))
    check.chose("stream")
