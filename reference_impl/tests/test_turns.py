"""Answers through all nine pairs, without a server: what is told, once and in order."""

from typing import Any

import gateway_scenes as scenes
import pytest
from gateway_bench import Told, sse
from gateway_scenes import call, chunk, failed, message, responses_turn, terminal, thought

from gateproof_reference import failures, pairs
from gateproof_reference.apis import APIS
from gateproof_reference.canonical import Failed, Identity
from gateproof_reference.failures import Failure
from gateproof_reference.streams import Frame
from gateproof_reference.wirejson import dump

US = Identity("00000000-0000-4000-8000-00000000abcd", 1_700_000_000)
BODIES: dict[str, dict[str, Any]] = {
    "chat": {"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream_options": {"include_usage": True}},
    "responses": {"model": "m", "input": "hi"},
    "messages": {"model": "m", "max_tokens": 1234, "messages": [{"role": "user", "content": "hi"}]},
}
HALF: dict[str, list[Any]] = {
    "responses": responses_turn(message("Hel"))[:-1],
    "chat": [scenes.ROLE, chunk({"content": "Hel"})],
    "messages": scenes.messages_turn(scenes.text_block("Hel"))[:-2],
}
"""Turns that are not over."""

PAIRS = [(surface, dialect) for surface in BODIES for dialect in BODIES]


class Turn(Told):
    """What a pipe told, and how it ended."""

    failure: Failure | None = None
    frame: bytes | None = None
    openings: bytes = b""


def exchange(surface: str, dialect: str, **more: Any) -> pairs.Exchange:
    body = {**BODIES[surface], "stream": True, **more}
    return pairs.prepare(APIS[surface], APIS[dialect], dump(body), body, US, force_stream=False)


def play(
    surface: str, dialect: str, steps: list[Any], cut: Failure | None = None, at: int | None = None, **more: Any
) -> Turn:
    """Play a stream; `at` splits its bytes there."""
    data = b"".join(step if isinstance(step, bytes) else sse(step) for step in steps)
    pipe = exchange(surface, dialect, **more).pipe()
    outs = pipe.feed(data) if at is None else [*pipe.feed(data[:at]), *pipe.feed(data[at:])]
    outs += pipe.end(cut)
    assert pipe.over
    turn = Turn(200, None, b"")  # type: ignore[arg-type]
    for out in outs:
        assert turn.failure is None, "something came after the failure"
        if isinstance(out, Frame):
            turn.raw += out.data
            turn.openings += out.data if out.opening else b""
        else:
            turn.failure, turn.frame = out.failure, out.frame or pipe.failed(out.failure)
    return turn


def types(turn: Turn) -> list[str]:
    return [event["type"].removeprefix("response.") for event in turn.events]


def tool_calls(turn: Turn) -> list[dict[str, Any]]:
    """Return the calls of a chat stream, put together as clients do it; each must be named once and first."""
    calls: dict[int, dict[str, Any]] = {}
    for event in turn.events:
        for choice in event["choices"]:
            for piece in choice["delta"].get("tool_calls", []):
                function = piece["function"]
                if piece["index"] in calls:
                    assert "id" not in piece
                    assert "name" not in function
                    calls[piece["index"]]["arguments"] += function["arguments"]
                else:
                    assert piece["type"] == "function"
                    calls[piece["index"]] = {"id": piece["id"], **function}
    assert sorted(calls) == list(range(len(calls)))
    return [calls[index] for index in sorted(calls)]


# -------------------------------------------------------------------------------------------- chat from responses


def test_a_whole_turn_arrives_once() -> None:
    turn = play("chat", "responses", responses_turn(thought("I think"), message("Hello, world", 1), call(2)))
    assert turn.failure is None
    assert turn.events[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert turn.deltas("content") == "Hello, world"
    assert turn.deltas("reasoning_content") == "I think"
    assert tool_calls(turn) == [{"id": "call_2", "name": "look", "arguments": '{"at":1}'}]
    assert turn.reasons == ["tool_calls"]
    assert turn.data[-1] == "[DONE]"
    assert turn.events[-1]["choices"] == []
    assert turn.events[-1]["usage"] == scenes.CHAT_USAGE
    assert {(e["id"], e["created"], e["model"], e["object"]) for e in turn.events} == {
        (f"chatcmpl-{US.token}", US.now, "model-up", "chat.completion.chunk")
    }


def test_no_usage_is_told_unasked() -> None:
    turn = play("chat", "responses", responses_turn(message("Hi")), stream_options=None)
    assert not any("usage" in event for event in turn.events)
    assert turn.data[-1] == "[DONE]"


@pytest.mark.parametrize("where", ["done", "item", "terminal"])
def test_what_stands_in_one_place_only_arrives(where: str) -> None:
    assert play("chat", "responses", scenes.only_in(where, message("Hi you"))).deltas("content") == "Hi you"
    (one,) = tool_calls(play("chat", "responses", scenes.only_in(where, call(0))))
    assert one == {"id": "call_0", "name": "look", "arguments": '{"at":1}'}


def test_several_messages_are_joined() -> None:
    turn = play("chat", "responses", responses_turn(message("Hello, "), message("world", 1)))
    assert turn.deltas("content") == "Hello, world"


def test_a_terminal_that_knows_items_by_other_ids_adds_nothing() -> None:
    end = terminal("response.completed", [{**message("Hello"), "id": "other"}, {**call(1), "id": "other too"}])
    turn = play("chat", "responses", responses_turn(message("Hello"), call(1), end=end))
    assert turn.deltas("content") == "Hello"
    assert len(tool_calls(turn)) == 1


def test_a_terminal_that_leaves_items_out_adds_nothing() -> None:
    end = terminal("response.completed", [message("Hello", 1)])
    turn = play("chat", "responses", responses_turn(thought("hm"), message("Hello", 1), end=end))
    assert turn.deltas("content") == "Hello"
    assert turn.deltas("reasoning_content") == "hm"


def test_interleaved_arguments_stay_apart_and_unannounced_ones_are_ignored() -> None:
    turn = play("chat", "responses", scenes.INTERLEAVED)
    assert [one["arguments"] for one in tool_calls(turn)] == ['{"a":1}', '{"b":2}']
    assert turn.reasons == ["tool_calls"]


def test_rotating_item_ids_do_not_matter() -> None:
    events = [
        {**event, "item_id": f"x{at}"} if "item_id" in event else event for at, event in enumerate(scenes.INTERLEAVED)
    ]
    assert [one["arguments"] for one in tool_calls(play("chat", "responses", events))] == ['{"a":1}', '{"b":2}']


def test_absent_arguments_are_an_empty_object() -> None:
    (one,) = tool_calls(play("chat", "responses", responses_turn(call(0, arguments=""))))
    assert one["arguments"] == "{}"


def test_hosted_tools_and_unknown_events_are_silent() -> None:
    search = {"id": "ws_1", "type": "web_search_call", "status": "completed"}
    events = responses_turn(search, message("found", 1))
    events[3:3] = [{"type": "response.web_search_call.searching", "output_index": 0}, {"type": "vendor:new", "x": 1}]
    turn = play("chat", "responses", events)
    assert turn.deltas("content") == "found"
    assert turn.failure is None


def test_reasoning_text_is_reasoning_under_both_names() -> None:
    for name in ("reasoning_text", "reasoning"):
        item = {"id": "rs_0", "type": "reasoning", "summary": []}
        whole = {**item, "content": [{"type": "reasoning_text", "text": "deep"}]}
        place = {"item_id": "rs_0", "output_index": 0, "content_index": 0}
        events = [
            {"type": "response.output_item.added", "output_index": 0, "item": item},
            {"type": f"response.{name}.delta", **place, "delta": "deep"},
            {"type": f"response.{name}.done", **place, "text": "deep"},
            {"type": "response.output_item.done", "output_index": 0, "item": whole},
            terminal("response.completed", [whole]),
        ]
        turn = play("chat", "responses", events)
        assert turn.deltas("reasoning_content") == "deep"
        assert turn.deltas("content") == ""


def test_a_refusal_arrives_as_one() -> None:
    part = {"type": "refusal", "refusal": "I will not"}
    item = {**message(""), "content": [part]}
    place = {"item_id": "msg_0", "output_index": 0, "content_index": 0}
    events = [
        {"type": "response.output_item.added", "output_index": 0, "item": {**item, "content": []}},
        {"type": "response.refusal.delta", **place, "delta": "I will "},
        {"type": "response.refusal.done", **place, "refusal": "I will not"},
        {"type": "response.content_part.done", **place, "part": part},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        terminal("response.completed", [item]),
    ]
    turn = play("chat", "responses", events)
    assert turn.deltas("refusal") == "I will not"
    assert turn.deltas("content") == ""


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (terminal("response.incomplete", [], incomplete_details={"reason": "max_output_tokens"}), "length"),
        (terminal("response.incomplete", [], incomplete_details={"reason": "content_filter"}), "content_filter"),
        (terminal("response.incomplete", [], incomplete_details=None), "length"),
        ({"type": "response.incomplete"}, "length"),
        (terminal("response.done", []), "stop"),
        ({"type": "response.completed"}, "stop"),
        ({"type": "response.done", "usage": scenes.USAGE}, "stop"),
    ],
)
def test_endings(end: Any, reason: str) -> None:
    turn = play("chat", "responses", responses_turn(message("Hel"), end=end))
    assert turn.failure is None
    assert turn.reasons == [reason]
    assert turn.deltas("content") == "Hel"
    usages = [event["usage"] for event in turn.events if "usage" in event]
    assert usages == ([scenes.CHAT_USAGE] if "response" in end or "usage" in end else [])


@pytest.mark.parametrize(
    ("end", "code", "text"),
    [
        (failed("insufficient_quota", scenes.ODD), "insufficient_quota", scenes.ODD),
        ({"type": "response.failed"}, None, ""),
        ({"type": "response.failed", "response": None}, None, ""),
        ({"type": "response.cancelled", "response": scenes.RESPONSE}, "server_error", "cancelled"),
        ({"type": "error", "code": "c", "message": "m", "param": None}, "c", "m"),
        ({"type": "error", "error": {"type": "t", "code": "c", "message": "m"}}, "c", "m"),
        (terminal("response.completed", [], status="failed", error={"code": "c", "message": "m"}), "c", "m"),
        (terminal("response.done", [], status="cancelled"), "server_error", "cancelled"),
    ],
)
@pytest.mark.parametrize("surface", ["chat", "responses", "messages"])
def test_failures(surface: str, end: Any, code: str | None, text: str) -> None:
    turn = play(surface, "responses", responses_turn(message("Hel"), end=end))
    assert turn.failure is not None
    assert turn.failure.code == code
    assert text in turn.failure.message
    assert turn.failure.message
    assert "[DONE]" not in turn.data


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize("cut", [None, failures.broken()])
def test_a_stream_that_ends_before_its_turn_has_failed(surface: str, dialect: str, cut: Failure | None) -> None:
    turn = play(surface, dialect, HALF[dialect], cut)
    assert turn.failure == (cut or failures.truncated())
    assert (
        turn.reasons == [] if surface == "chat" else not {"completed", "message_delta", "message_stop"} & {*types(turn)}
    )


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_what_is_no_json_is_a_failure(surface: str, dialect: str) -> None:
    turn = play(surface, dialect, [b"data: {bad\n\n"])
    assert turn.failure is not None
    assert failures.status_of(turn.failure) == 502


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_too_long_a_line_is_a_failure(surface: str, dialect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateproof_reference.sse.LIMIT", 100)
    assert play(surface, dialect, [b"data: " + b"x" * 200]).failure == failures.too_long()


# -------------------------------------------------------------------------------------------- responses from chat


def test_the_whole_grammar_of_responses() -> None:
    steps = scenes.chat_turn(
        chunk({"reasoning_content": "I think"}),
        chunk({"content": "Hel"}),
        chunk({"content": "lo"}),
        *scenes.CHAT_CALLS,
        reason="tool_calls",
    )
    turn = play("responses", "chat", steps)
    assert turn.failure is None
    assert types(turn) == [
        *("created", "in_progress"),
        *("output_item.added", "reasoning_summary_part.added", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "output_item.added"),
        *("function_call_arguments.delta",) * 4,
        *("function_call_arguments.done", "output_item.done") * 2,
        "completed",
    ]
    assert [event["sequence_number"] for event in turn.events] == list(range(len(turn.events)))
    for name, event in zip(turn.raw.decode().split("\n\n"), turn.events, strict=False):
        assert name.startswith(f"event: {event['type']}\n")
    done = [event["item"] for event in turn.events if event["type"] == "response.output_item.done"]
    final = turn.events[-1]["response"]
    assert final["output"] == done
    assert [item["type"] for item in done] == ["reasoning", "message", "function_call", "function_call"]
    assert done[1]["content"] == [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in done[2:]] == [
        ("call_a", "look", '{"at":1}'),
        ("call_b", "take", '{"to":2}'),
    ]
    added = [event for event in turn.events if event["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == [0, 1, 2, 3]
    assert [event["item"].get("content") or event["item"].get("arguments") for event in added] == [
        None,
        None,
        "",
        "",
    ] or [
        [],
    ]
    assert len({item["id"] for item in done}) == 4
    assert {event["response"]["id"] for event in turn.events if "response" in event} == {f"resp_{US.token}"}
    assert final["usage"]["output_tokens_details"] == {"reasoning_tokens": 112, "audio_tokens": 5}
    assert (final["status"], final["completed_at"], final["model"]) == ("completed", US.now, "model-up")


def test_a_response_echoes_its_request() -> None:
    tool = {"type": "function", "name": "look", "parameters": {}, "strict": True}
    asked: dict[str, Any] = {
        "instructions": "be brief",
        "metadata": {"a": "b"},
        "parallel_tool_calls": False,
        "temperature": 0.2,
        "tool_choice": "required",
        "tools": [tool],
        "top_p": 0.3,
    }
    turn = play("responses", "chat", scenes.chat_turn(chunk({"content": "Hi"})), **asked)
    for event in (turn.events[0], turn.events[-1]):
        assert {name: event["response"][name] for name in asked} == asked
        assert event["response"]["error"] is None
        assert event["response"]["incomplete_details"] is None


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
        ("weird", "completed", None),
    ],
)
def test_chat_endings_on_responses(reason: str, status: str, details: Any) -> None:
    turn = play("responses", "chat", scenes.chat_turn(chunk({"content": "Hel"}), reason=reason))
    final = turn.events[-1]
    assert final["type"] == f"response.{status}"
    assert (final["response"]["status"], final["response"]["incomplete_details"]) == (status, details)
    assert final["response"]["output"][0]["status"] == status
    assert final["response"]["usage"]["total_tokens"] == 1631


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ([chunk({}, "stop"), scenes.DONE], "stop"),
        ([chunk({}, "stop")], "stop"),
        ([scenes.DONE], "stop"),
        ([*scenes.CHAT_CALLS, scenes.DONE], "tool_calls"),
        ([*scenes.CHAT_CALLS, chunk({}, "tool_calls")], "tool_calls"),
    ],
)
def test_when_a_chat_turn_is_complete(rest: list[Any], reason: str) -> None:
    steps = [scenes.ROLE, chunk({"content": "Hi"}), *rest]
    turn = play("chat", "chat", steps)
    assert turn.failure is None
    assert turn.reasons == [reason]
    assert turn.data.count("[DONE]") == 1
    assert turn.data[-1] == "[DONE]"
    assert play("responses", "chat", steps).events[-1]["type"] == "response.completed"


def test_a_cut_after_the_finish_reason_loses_nothing_of_the_turn() -> None:
    for surface in ("chat", "responses"):
        assert play(surface, "chat", [scenes.ROLE, chunk({"content": "Hi"}, "stop")], failures.broken()).failure is None


@pytest.mark.parametrize(
    "step",
    [
        chunk(error={"code": "c", "message": "m"}),
        {"error": {"code": "c", "message": "m"}},
        chunk({}, "error", error={"code": "c", "message": "m"}),
        b'event: error\ndata: {"code":"c","message":"m"}\n\n',
    ],
)
@pytest.mark.parametrize("surface", ["chat", "responses", "messages"])
def test_error_chunks_are_failures(surface: str, step: Any) -> None:
    turn = play(surface, "chat", [scenes.ROLE, chunk({"content": "Hi"}), step, scenes.DONE])
    assert turn.failure == Failure("m", "c")


def test_other_choices_are_not_merged() -> None:
    other = chunk({"content": "NO"})
    other["choices"][0]["index"] = 1
    turn = play("responses", "chat", scenes.chat_turn(chunk({"content": "Hi"}), other))
    assert turn.events[-1]["response"]["output"][0]["content"][0]["text"] == "Hi"


def test_calls_in_odd_pieces() -> None:
    whole = {"id": "call_a", "type": "function", "function": {"name": "look", "arguments": '{"a":1}'}}
    two = chunk({"tool_calls": [{"index": 0, **whole}, {"index": 1, **whole, "id": "call_b"}]})
    late = [scenes.piece(2, '{"c":', id="call_c"), scenes.piece(2, "3}", name="late"), scenes.piece(3, "nameless")]
    final = play("responses", "chat", scenes.chat_turn(two, *late, reason="tool_calls")).events[-1]["response"]
    assert [(item["call_id"], item["arguments"]) for item in final["output"]] == [
        ("call_a", '{"a":1}'),
        ("call_b", '{"a":1}'),
        ("call_c", '{"c":3}'),
    ]


def test_calls_without_an_index_are_told_apart_by_id() -> None:
    def bare(arguments: str, **more: Any) -> dict[str, Any]:
        step = scenes.piece(0, arguments, **more)
        del step["choices"][0]["delta"]["tool_calls"][0]["index"]
        return step

    steps = [bare("{", id="a", name="f"), bare("}"), bare("{}", id="b", name="g")]
    final = play("responses", "chat", scenes.chat_turn(*steps)).events[-1]["response"]
    assert [(item["call_id"], item["arguments"]) for item in final["output"]] == [("a", "{}"), ("b", "{}")]


def test_text_then_refusal_are_two_parts_of_one_message() -> None:
    final = play("responses", "chat", scenes.chat_turn(chunk({"content": "Hm"}), chunk({"refusal": "no"}))).events[-1][
        "response"
    ]
    assert [part["type"] for part in final["output"][0]["content"]] == ["output_text", "refusal"]


# ------------------------------------------------------------------------------------------------- the same API


def test_a_responses_relay_keeps_every_payload_byte() -> None:
    odd = b'event: slug:x\ndata: {"type":"slug:x",  "sequence_number":1 , "n":1.0}\n\n'
    steps: list[Any] = [*map(sse, responses_turn(message("Hi")))]
    turn = play("responses", "responses", [*steps[:2], odd, *steps[2:], b"data: [DONE]\n\n"])
    assert turn.raw == b"".join([*steps[:2], odd, *steps[2:]])


def test_a_relay_cleans_up_the_wire() -> None:
    dirty = b"\xef\xbb\xbf: hi\n\nevent: ping\n\nretry: 5\n\nid: 1\r\ndata: " + dump(scenes.ROLE) + b"\r\n\r\n"
    rest = b"data: " + dump(chunk({"content": "x"}, "stop")) + b"\r\r" + scenes.DONE
    turn = play("chat", "chat", [dirty, b'event: ping\ndata: {"type":"ping"}\n\n', rest])
    assert (
        turn.raw
        == b"data: " + dump(scenes.ROLE) + b"\n\ndata: " + dump(chunk({"content": "x"}, "stop")) + b"\n\n" + scenes.DONE
    )


def test_a_type_that_only_the_event_line_tells_is_filled_in() -> None:
    steps = [
        sse({k: v for k, v in e.items() if k != "type"}).replace(b"data", b"event: %b\ndata" % e["type"].encode(), 1)
        for e in responses_turn(message("Hi"))
    ]
    assert play("chat", "responses", steps).deltas("content") == "Hi"
    assert types(play("responses", "responses", steps))[-1] == "completed"


def test_unasked_usage_is_stripped() -> None:
    steps = scenes.chat_turn(chunk({"content": "Hi"}))
    assert any("usage" in event for event in play("chat", "chat", steps).events)
    assert not any("usage" in event for event in play("chat", "chat", steps, stream_options=None).events)


@pytest.mark.parametrize("kind", ["response.completed", "response.done", "response.incomplete"])
def test_a_relayed_terminal_is_made_whole(kind: str) -> None:
    end = {"type": kind, "usage": scenes.USAGE}
    turn = play("responses", "responses", responses_turn(message("Hel"), end=end))
    final = turn.events[-1]
    status = "incomplete" if kind == "response.incomplete" else "completed"
    assert final["type"] == f"response.{status}"
    assert final["response"] == {**scenes.RESPONSE, "status": status, "output": [message("Hel")], "usage": scenes.USAGE}
    assert final["sequence_number"] == len(turn.events) - 1


def test_a_genuine_failure_is_relayed_as_it_is() -> None:
    turn = play("responses", "responses", responses_turn(message("Hel"), end=failed("bio_policy")))
    assert turn.frame == sse({**failed("bio_policy"), "sequence_number": len(turn.events)})


@pytest.mark.parametrize(
    "end",
    [
        {"type": "response.failed"},
        {"type": "error", "message": "m", "code": "rate_limit_error"},
        {"type": "response.cancelled"},
    ],
)
def test_any_other_failure_becomes_a_whole_one(end: Any) -> None:
    turn = play("responses", "responses", responses_turn(message("Hel"), end=end))
    assert turn.failure is not None
    (event,) = Told(200, None, turn.frame or b"").events  # type: ignore[arg-type]
    assert event == {
        "type": "response.failed",
        "sequence_number": len(turn.events),
        "response": {
            "id": "resp_up",
            "object": "response",
            "model": "model-up",
            "status": "failed",
            "output": [],
            "error": {"code": failures.responses_code(turn.failure), "message": turn.failure.message},
        },
    }


def test_openings_are_marked() -> None:
    assert types(Turn(200, None, play("responses", "responses", responses_turn(message("x"))).openings)) == [
        "created",
        "in_progress",
    ]  # type: ignore[arg-type]
    assert types(Turn(200, None, play("responses", "chat", scenes.chat_turn(chunk({"content": "x"}))).openings)) == [
        "created",
        "in_progress",
    ]  # type: ignore[arg-type]
    for dialect, steps in (
        ("responses", responses_turn(message("x"))),
        ("chat", scenes.chat_turn(chunk({"content": "x"}))),
    ):
        (only,) = Turn(200, None, play("chat", dialect, steps).openings).events  # type: ignore[arg-type]
        assert only["choices"][0]["delta"] == {"role": "assistant", "content": ""}


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_where_the_bytes_are_split_changes_nothing(surface: str, dialect: str) -> None:
    steps = {
        "responses": responses_turn(thought("é"), message("漢字 😀", 1), call(2)),
        "chat": scenes.chat_turn(chunk({"content": "漢字 😀"}), *scenes.CHAT_CALLS, reason="tool_calls"),
        "messages": scenes.messages_turn(scenes.thinking("é"), scenes.text_block("漢字 😀"), scenes.use(2)),
    }[dialect]
    whole = play(surface, dialect, steps)
    size = len(b"".join(step if isinstance(step, bytes) else sse(step) for step in steps))
    for at in range(0, size, 7):
        split = play(surface, dialect, steps, at=at)
        assert (split.raw, split.failure) == (whole.raw, whole.failure)


# ---------------------------------------------------------------------------------------------------- both modes


def gathered(surface: str, dialect: str, steps: list[Any]) -> Any:
    body = {name: value for name, value in BODIES[surface].items() if name != "stream_options"}
    ready = pairs.prepare(APIS[surface], APIS[dialect], dump(body), body, US, force_stream=True)
    gatherer = ready.gatherer()
    events = gatherer.feed(b"".join(step if isinstance(step, bytes) else sse(step) for step in steps))
    events += gatherer.end()
    failed = [event.failure for event in events if isinstance(event, Failed)]
    return failed[0] if failed else gatherer.result()


def test_a_chat_turn_is_rebuilt() -> None:
    steps = scenes.chat_turn(
        chunk({"reasoning_content": "I think"}), chunk({"content": "Hi"}), *scenes.CHAT_CALLS, reason="tool_calls"
    )
    body = gathered("chat", "chat", steps)
    message = body["choices"][0]["message"]
    assert (body["id"], body["object"], body["model"]) == ("chatcmpl-up", "chat.completion", "model-up")
    assert (message["content"], message["reasoning_content"]) == ("Hi", "I think")
    assert [call["function"]["arguments"] for call in message["tool_calls"]] == ['{"at":1}', '{"to":2}']
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    assert body["usage"] == scenes.CHAT_USAGE


def test_a_response_is_rebuilt_in_order() -> None:
    items = [message("Hello"), {"id": "x", "type": "vendor:x", "y": 1}, call(2)]
    events = [event for at in (2, 0, 1) for event in scenes.events_of(items[at], at)]
    opening = {"type": "response.created", "response": scenes.RESPONSE}
    body = gathered("responses", "responses", [opening, *events, terminal("response.completed", [])])
    assert body == {**scenes.RESPONSE, "status": "completed", "output": items, "usage": scenes.USAGE}


def test_a_response_of_deltas_alone_is_rebuilt() -> None:
    deltas = [event for event in scenes.events_of(message("Hello"), 0) if event["type"].endswith(".delta")]
    body = gathered("responses", "responses", [*deltas, {"type": "response.completed"}])
    assert body["output"][0]["content"][0]["text"] == "Hello"


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_a_gathered_stream_that_breaks_is_a_failure(surface: str, dialect: str) -> None:
    assert gathered(surface, dialect, HALF[dialect]) == failures.truncated()


BODY_R = {
    **scenes.RESPONSE,
    "status": "completed",
    "output": [thought("hm"), message("Hi", 1), call(2)],
    "usage": scenes.USAGE,
}
BODY_C = {
    "id": "chatcmpl-up",
    "object": "chat.completion",
    "created": 1,
    "model": "model-up",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "reasoning_content": "hm",
                "tool_calls": [
                    {"id": "call_2", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": scenes.CHAT_USAGE,
}


BODIES_UP = {
    "responses": BODY_R,
    "chat": BODY_C,
    "messages": scenes.messages_body(scenes.thinking("hm"), scenes.text_block("Hi"), scenes.use(2), reason="tool_use"),
}


def body_of(surface: str, dialect: str, body: Any) -> Any:
    import json

    asked = {name: value for name, value in BODIES[surface].items() if name != "stream_options"}
    ready = pairs.prepare(APIS[surface], APIS[dialect], dump(asked), asked, US, force_stream=False)
    return json.loads(ready.translate_body(dump(body)))


def test_both_modes_tell_the_same() -> None:
    chat = body_of("chat", "responses", BODY_R)
    assert chat == gathered("chat", "responses", responses_turn(*BODY_R["output"]))
    assert chat["choices"][0]["message"]["tool_calls"] == BODY_C["choices"][0]["message"]["tool_calls"]
    assert chat["usage"] == scenes.CHAT_USAGE
    response = body_of("responses", "chat", BODY_C)
    steps = scenes.chat_turn(
        chunk({"reasoning_content": "hm"}),
        chunk({"content": "Hi"}),
        scenes.piece(0, '{"at":1}', id="call_2", name="look"),
        reason="tool_calls",
    )
    assert response == gathered("responses", "chat", steps)
    assert body_of("chat", "chat", BODY_C) == BODY_C
    assert body_of("responses", "responses", BODY_R) == BODY_R


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_a_json_answer_to_a_stream_becomes_one(surface: str, dialect: str) -> None:
    pipe = exchange(surface, dialect).pipe()
    outs = pipe.whole(BODIES_UP[dialect])
    assert pipe.over
    turn = Turn(200, None, b"".join(out.data for out in outs if isinstance(out, Frame)))  # type: ignore[arg-type]
    if surface == "chat":
        assert (turn.deltas("content"), turn.deltas("reasoning_content")) == ("Hi", "hm")
        assert turn.reasons == ["tool_calls"]
        assert turn.events[-1]["usage"]["total_tokens"] == 1631
        assert turn.data[-1] == "[DONE]"
    elif surface == "messages":
        assert types(turn)[0] == "message_start"
        assert types(turn)[-2:] == ["message_delta", "message_stop"]
        blocks = [event["content_block"]["type"] for event in turn.events if event["type"] == "content_block_start"]
        assert blocks == ["thinking", "text", "tool_use"]
        assert turn.events[-2]["delta"]["stop_reason"] == "tool_use"
        assert turn.events[-2]["usage"]["output_tokens"] == 1024
    else:
        assert types(turn)[0] == "created"
        assert types(turn)[-1] == "completed"
        assert [item["type"] for item in turn.events[-1]["response"]["output"]] == [
            "reasoning",
            "message",
            "function_call",
        ]
        assert [event["sequence_number"] for event in turn.events] == list(range(len(turn.events)))


@pytest.mark.parametrize("status", ["failed", "cancelled", "queued", "in_progress"])
def test_an_unfinished_body_is_no_chat_answer(status: str) -> None:
    body = {**BODY_R, "status": status, "error": {"code": "c", "message": "m"} if status == "failed" else None}
    with pytest.raises(failures.RefusedError) as refused:
        body_of("chat", "responses", body)
    assert (refused.value.failure.code == "c") == (status == "failed")
    assert body_of("responses", "responses", body) == body
    outs = exchange("responses", "responses").pipe().whole(body)
    assert isinstance(outs[-1], Failed)


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize(
    "body", [{"error": {"message": "m", "code": 502}}, {"choices": []}, {}, {"choices": [], "error": "m"}]
)
def test_a_200_that_holds_no_turn_is_a_failure(surface: str, dialect: str, body: Any) -> None:
    with pytest.raises(failures.RefusedError) as refused:
        body_of(surface, dialect, body)
    assert failures.status_of(refused.value.failure) == 502
    assert (refused.value.failure.message == "m") == ("error" in body)
