"""Tool calls."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.cases.canned import completion_id
from gateproof.cases.reading import assert_calls, choices
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, completed, event, interleaved, reasoning, text, tool_call
from gateproof_mock.language.turns import Event, ToolCall

WEATHER = tool_call("get_weather", '{"city":', ' "Oslo",', ' "note": "naïve 日本 \\u2028"}', id="call_weather")
TIME = tool_call("get_time", '{"zone":', ' "Europe/Oslo"}', id="call_time")
WEATHER_CALL = ("get_weather", '{"city": "Oslo", "note": "naïve 日本 \\u2028"}')
TIME_CALL = ("get_time", '{"zone": "Europe/Oslo"}')


@case("tools.only-calls-end-with-tool-calls")
def only_calls_end_with_tool_calls(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    # The Codex backend streams its items and leaves them out of response.completed.
    empty = check.stream and check.translated and check.dialect == "responses"
    for output in ("full", "empty") if empty else ("full",):
        upstream.says(WEATHER, wire=Wire(terminal_output=output))

        answer = ask()

        assert answer.outcome == "complete", f"response.completed with its output {output}: {answer!r}"
        assert answer.finish == "tool_calls", f"response.completed with its output {output}: {answer!r}"
        assert_calls(answer, check, WEATHER_CALL)
        assert not answer.text


@case("tools.several-calls-arrive-whole")
def several_calls_arrive_whole(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(WEATHER, TIME)

    answer = ask()

    assert_calls(answer, check, WEATHER_CALL, TIME_CALL)
    assert all(call.id for call in answer.tool_calls), "a call has no id"
    assert answer.tool_calls[0].id != answer.tool_calls[1].id, "both calls have one id"


@case("tools.interleaved-arguments-stay-apart")
def interleaved_arguments_stay_apart(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(interleaved(WEATHER, TIME))

    answer = ask()

    assert_calls(answer, check, WEATHER_CALL, TIME_CALL)


@case("tools.arguments-in-done-events-arrive")
def arguments_in_done_events_arrive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for where in ("arguments_done", "item_done"):
        upstream.says(WEATHER, wire=Wire(arguments_in=where))

        answer = ask()

        assert_calls(answer, check, WEATHER_CALL)


@case("tools.absent-arguments-are-an-empty-object")
def absent_arguments_are_an_empty_object(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    # Anthropic documents one delta or more in each block; its own of no arguments is an empty one (litellm#5063).
    upstream.says(tool_call("get_time", "") if check.dialect == "messages" else tool_call("get_time"))

    answer = ask()

    assert_calls(answer, check, ("get_time", "{}"))


@case("tools.unannounced-deltas-invent-no-call")
def unannounced_deltas_invent_no_call(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    stray = event(
        type="response.function_call_arguments.delta", item_id="fc_never_added", output_index=7, delta='{"stray": 1}'
    )
    upstream.says(stray, TIME, stray)

    answer = ask()

    if answer.failed:
        check.chose("error")
        return
    assert_calls(answer, check, TIME_CALL)
    check.chose("ignored")


@case("tools.name-and-id-come-once")
def name_and_id_come_once(ask: Ask, upstream: Upstream) -> None:
    upstream.says(WEATHER)

    answer = ask()

    assert len(answer.tool_calls) == 1, repr(answer)
    call = answer.tool_calls[0]
    assert call.names == ("get_weather",), f"names that came: {call.names}"
    assert len(set(map(repr, call.ids))) == 1, f"ids that came: {call.ids}"


@case("tools.indices-are-dense")
def indices_are_dense(ask: Ask, upstream: Upstream) -> None:
    upstream.says(reasoning("Two tools."), text("Let me look."), WEATHER, TIME)

    answer = ask()

    seen: list[object] = []
    for choice in choices(answer):
        delta = choice.get("delta")
        calls = delta.get("tool_calls") if isinstance(delta, dict) else None
        for call in calls if isinstance(calls, list) else []:
            index = call.get("index") if isinstance(call, dict) else None
            if index not in seen:
                seen.append(index)
    assert seen == [0, 1], f"indices in order of appearance: {seen}"


@case("tools.text-and-calls-both-survive")
def text_and_calls_both_survive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Let me ", "look."), WEATHER)

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Let me look."
    assert_calls(answer, check, WEATHER_CALL)
    assert answer.finish == "tool_calls"


@case("tools.calls-of-one-chunk-arrive")
def calls_of_one_chunk_arrive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(WEATHER, TIME, wire=Wire(arguments_in="arguments_done"))
    whole = ask()
    # Both calls begin in one chunk, and both go on in the next.
    upstream.says(_pieces(WEATHER, TIME, begin=True), _pieces(WEATHER, TIME), completed(reason="tool_calls"))
    together = ask(offers=(WEATHER.name, TIME.name))

    for how, answer in (("a call in one chunk", whole), ("two calls in one chunk", together)):
        assert answer.outcome == "complete", f"{how}: {answer!r}"
        assert_calls(answer, check, WEATHER_CALL, TIME_CALL)


def _pieces(*calls: ToolCall, begin: bool = False) -> Event:
    """A chat chunk with a piece of each call: its beginning, or all of its arguments."""
    pieces: list[dict[str, Any]] = []
    for index, call in enumerate(calls):
        begun = {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        pieces.append({"index": index, **(begun if begin else {"function": {"arguments": "".join(call.arguments)}})})
    choice = {"index": 0, "delta": {"tool_calls": pieces}, "logprobs": None, "finish_reason": None}
    chunk = {"id": completion_id(), "object": "chat.completion.chunk", "created": 0, "model": "m", "choices": [choice]}
    return event(**chunk)


@case("tools.stop-beside-calls-is-tool-use")
def stop_beside_calls_is_tool_use(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for said in ((WEATHER,), (text("Let me ", "look."), WEATHER, TIME)):
        upstream.says(*said, completed(reason="stop"))

        answer = ask()

        assert answer.outcome == "complete", repr(answer)
        assert answer.finish == "tool_calls", repr(answer)
        assert [call.name for call in answer.tool_calls][:1] == ["get_weather"], repr(answer)


@case("tools.first-piece-names-the-call")
def first_piece_names_the_call(ask: Ask, upstream: Upstream) -> None:
    for said in ((WEATHER, TIME), (reasoning("Two tools."), text("Let me look."), interleaved(WEATHER, TIME))):
        upstream.says(*said)

        answer = ask()

        seen: set[object] = set()
        for piece in _call_pieces(answer):
            index = piece.get("index")
            assert isinstance(index, int), f"a piece of a call has no index: {piece!r}"
            if index not in seen:
                seen.add(index)
                assert not _lacks(piece), f"the first piece of call {index} {' and '.join(_lacks(piece))}: {piece!r}"
        assert len(seen) == 2, f"{len(seen)} calls of two"


def _call_pieces(answer: Answer) -> list[dict[str, Any]]:
    """The pieces of calls in all chunks, in order."""
    found: list[dict[str, Any]] = []
    for choice in choices(answer):
        delta = choice.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        assert not delta.get("function_call"), f"a call comes as the legacy function_call: {delta!r}"
        pieces = delta.get("tool_calls")
        found += [piece for piece in (pieces if isinstance(pieces, list) else []) if isinstance(piece, dict)]
    return found


def _lacks(piece: Any) -> list[str]:
    """What the first piece of a call does not have."""
    wanted = {
        "has no id": bool(dig(piece, "id")),
        "has not the type function": bool(dig(piece, "type") in ("function", "custom")),
        "has no name": bool(dig(piece, "function", "name") or dig(piece, "custom", "name")),
    }
    return [lack for lack, there in wanted.items() if not there]
