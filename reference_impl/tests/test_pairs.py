"""One turn on all nine pairs, in both modes and gathered: the same words, thoughts, calls, reason and counts."""

import json
from dataclasses import dataclass, field
from typing import Any

import gateway_scenes as scenes
import pytest
from gateway_bench import sse
from gateway_scenes import call, chunk, message, responses_turn, terminal, text_block, thinking, thought, use
from test_turns import PAIRS, Turn, body_of, exchange, gathered, play, types

from gateproof_reference.canonical import Failed
from gateproof_reference.failures import RefusedError
from gateproof_reference.streams import Frame


@dataclass
class Read:
    """What a client understood."""

    text: str = ""
    thoughts: str = ""
    calls: list[tuple[str, str, Any]] = field(default_factory=list)
    reason: str = ""
    counts: tuple[int, int, int] = (0, 0, 0)


REASONS = {
    "stop": "stop",
    "tool_calls": "calls",
    "length": "length",
    "content_filter": "filter",
    "end_turn": "stop",
    "tool_use": "calls",
    "max_tokens": "length",
    "refusal": "filter",
}


def read_chat(body: Any) -> Read:
    (choice,) = body["choices"]
    said = choice["message"]
    calls = [
        (one["id"], one["function"]["name"], json.loads(one["function"]["arguments"]))
        for one in said.get("tool_calls", [])
    ]
    usage = body["usage"]
    cached = usage.get("prompt_tokens_details", {}).get("cached_tokens", 0)
    return Read(
        (said["content"] or "") + (said["refusal"] or ""),
        said.get("reasoning_content", ""),
        calls,
        REASONS[choice["finish_reason"]],
        (usage["prompt_tokens"], cached, usage["completion_tokens"]),
    )


def read_responses(body: Any) -> Read:
    read = Read()
    for item in body["output"]:
        if item["type"] == "message":
            read.text += "".join(part.get("text", part.get("refusal", "")) for part in item["content"])
        elif item["type"] == "reasoning":
            read.thoughts += "".join(part["text"] for part in item["summary"])
        else:
            read.calls.append((item["call_id"], item["name"], json.loads(item["arguments"])))
    details = body.get("incomplete_details")
    reasons = {"max_output_tokens": "length", "content_filter": "filter"}
    read.reason = reasons[details["reason"]] if details else "calls" if read.calls else "stop"
    assert body["status"] == ("incomplete" if details else "completed")
    usage = body["usage"]
    read.counts = (usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"], usage["output_tokens"])
    return read


def read_messages(body: Any) -> Read:
    read = Read()
    for block in body["content"]:
        match block["type"]:
            case "text":
                read.text += block["text"]
            case "thinking":
                read.thoughts += block["thinking"]
                assert isinstance(block["signature"], str)
            case "tool_use":
                read.calls.append((block["id"], block["name"], block["input"]))
    read.reason = REASONS[body["stop_reason"]]
    usage = body["usage"]
    cached, written = (usage.get(f"cache_{what}_input_tokens", 0) for what in ("read", "creation"))
    read.counts = (usage["input_tokens"] + cached + written, cached, usage["output_tokens"])
    return read


def put_together(surface: str, turn: Turn) -> Any:
    """Return the body that a stream tells, as clients put it together; the grammar is asserted on the way."""
    if surface == "responses":
        return turn.events[-1]["response"]
    return whole_chat(turn) if surface == "chat" else whole_message(turn)


def whole_chat(turn: Turn) -> Any:
    calls: dict[int, Any] = {}
    for event in turn.events:
        for choice in event["choices"]:
            for piece in choice["delta"].get("tool_calls", []):
                if piece["index"] in calls:
                    calls[piece["index"]]["function"]["arguments"] += piece["function"]["arguments"]
                else:
                    calls[piece["index"]] = piece
    assert sorted(calls) == list(range(len(calls)))
    said = {name: turn.deltas(name) for name in ("content", "refusal", "reasoning_content")}
    said["tool_calls"] = [calls[at] for at in sorted(calls)]  # type: ignore[assignment]
    (reason,) = turn.reasons
    assert turn.data[-1] == "[DONE]"
    return {"choices": [{"message": said, "finish_reason": reason}], "usage": turn.events[-1]["usage"]}


def whole_message(turn: Turn) -> Any:
    """Blocks stand one after the other, densely numbered from 0, and each is closed before the next one begins."""
    names = [line[7:] for line in turn.raw.decode().split("\n") if line.startswith("event: ")]
    events = turn.events
    assert names == [event["type"] for event in events]
    events = [event for event in events if event["type"] != "ping"]
    start, *events, delta, stop = events
    assert (start["type"], delta["type"], stop["type"]) == ("message_start", "message_delta", "message_stop")
    assert start["message"]["content"] == []
    assert start["message"]["stop_reason"] is None
    blocks: list[Any] = []
    arguments = ""
    is_open = False
    for event in events:
        if event["type"] == "content_block_start":
            assert (event["index"], is_open) == (len(blocks), False)
            is_open, arguments = True, ""
            blocks.append(dict(event["content_block"]))
            assert not any(blocks[-1].get(name) for name in ("text", "thinking", "signature", "input"))
            continue
        assert (event["index"], is_open) == (len(blocks) - 1, True)
        if event["type"] == "content_block_stop":
            is_open = False
            if blocks[-1]["type"] == "tool_use":
                blocks[-1]["input"] = json.loads(arguments or "{}")
            continue
        (kind, (name, more)) = event["delta"]["type"], list(event["delta"].items())[1]
        owner = {"signature_delta": "thinking", "input_json_delta": "tool_use"}.get(kind, kind.removesuffix("_delta"))
        assert blocks[-1]["type"] == owner
        if name == "partial_json":
            arguments += more
        else:
            blocks[-1][name] = blocks[-1].get(name, "") + more
    assert not is_open
    usage = {**start["message"]["usage"], **delta["usage"]}
    return {**start["message"], "content": blocks, **delta["delta"], "usage": usage}


READERS = {"chat": read_chat, "responses": read_responses, "messages": read_messages}
COUNTS = {"responses": (607, 64, 1024), "chat": (607, 64, 1024), "messages": (607, 64, 1024)}
CALLS = [("call_0", "look", {"at": 1}), ("call_1", "take", {"to": 2})]


def bodies(text: str, thoughts: str, calls: int, reason: str) -> dict[str, Any]:
    """Return one turn as each dialect's JSON."""
    chat_reason = {"stop": "stop", "calls": "tool_calls", "length": "length", "filter": "content_filter"}[reason]
    said: dict[str, Any] = {"role": "assistant", "content": text or None, "refusal": None}
    said |= {"reasoning_content": thoughts} if thoughts else {}
    made = [
        {"id": id, "type": "function", "function": {"name": name, "arguments": json.dumps(value)}}
        for id, name, value in CALLS[:calls]
    ]
    said |= {"tool_calls": made} if made else {}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": chat_reason}
    head = {"id": "chatcmpl-up", "object": "chat.completion", "created": 1, "model": "model-up"}
    stop = {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "filter": "refusal"}[reason]
    kinds = {"length": "max_output_tokens", "filter": "content_filter"}
    status = "incomplete" if reason in kinds else "completed"
    output = [*([thought(thoughts)] if thoughts else []), *([message(text, 1)] if text else [])]
    output += [call(0), call(1, "take", '{"to":2}')][:calls]
    blocks = [*([thinking(thoughts)] if thoughts else []), *([text_block(text)] if text else [])]
    blocks += [use(0), use(1, "take", to=2)][:calls]
    response = {**scenes.RESPONSE, "status": status, "output": output, "usage": scenes.USAGE}
    response["incomplete_details"] = {"reason": kinds[reason]} if reason in kinds else None
    return {
        "chat": {**head, "choices": [choice], "usage": scenes.CHAT_USAGE},
        "responses": response,
        "messages": scenes.messages_body(*blocks, reason=stop),
    }


def streams(text: str, thoughts: str, calls: int, reason: str) -> dict[str, list[Any]]:
    """Return the same turn as each dialect's stream."""
    body = bodies(text, thoughts, calls, reason)
    response, choice = body["responses"], body["chat"]["choices"][0]
    pieces = [chunk({"reasoning_content": half}) for half in scenes.halves(thoughts)]
    pieces += [chunk({"content": half}) for half in scenes.halves(text)]
    for at, one in enumerate(choice["message"].get("tool_calls", [])):
        pieces.append(scenes.piece(at, "", id=one["id"], type="function", name=one["function"]["name"]))
        pieces += [scenes.piece(at, half) for half in scenes.halves(one["function"]["arguments"])]
    end = terminal(
        f"response.{response['status']}", response["output"], incomplete_details=response["incomplete_details"]
    )
    return {
        "chat": scenes.chat_turn(*pieces, reason=choice["finish_reason"]),
        "responses": responses_turn(*response["output"], end=end),
        "messages": scenes.messages_turn(*body["messages"]["content"], reason=body["messages"]["stop_reason"]),
    }


TURNS: list[tuple[str, str, int, str]] = [
    ("Hello, world", "", 0, "stop"),
    ("Hello", "I think", 0, "stop"),
    ("Let me see", "I think", 2, "calls"),
    ("", "", 1, "calls"),
    ("", "", 2, "calls"),
    ("Hel", "", 0, "length"),
    ("", "I thi", 0, "length"),
    ("Hel", "", 0, "filter"),
]


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize(("text", "thoughts", "calls", "reason"), TURNS)
def test_a_turn_is_the_same_on_every_pair(
    surface: str, dialect: str, text: str, thoughts: str, calls: int, reason: str
) -> None:
    expected = Read(text, thoughts, CALLS[:calls], reason, COUNTS[dialect])
    read = READERS[surface]
    stream = streams(text, thoughts, calls, reason)[dialect]
    body = bodies(text, thoughts, calls, reason)[dialect]
    turn = play(surface, dialect, stream)
    assert turn.failure is None
    assert read(put_together(surface, turn)) == expected
    assert read(gathered(surface, dialect, stream)) == expected
    assert read(body_of(surface, dialect, body)) == expected
    pipe = exchange(surface, dialect).pipe()
    replayed = Turn(200, None, b"".join(out.data for out in pipe.whole(body)))  # type: ignore[arg-type,union-attr]
    assert read(put_together(surface, replayed)) == expected


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_a_failure_is_told_in_the_surfaces_words(surface: str, dialect: str) -> None:
    ends: dict[str, list[Any]] = {
        "chat": [scenes.ROLE, chunk({"content": "Hi"}), {"error": {"type": "overloaded_error", "message": "no"}}],
        "responses": responses_turn(message("Hi"), end=scenes.failed("server_is_overloaded", "no")),
        "messages": [
            *scenes.messages_turn(text_block("Hi"))[:-2],
            {"type": "error", "error": scenes.OVERLOADED["error"]},
        ],
    }
    turn = play(surface, dialect, ends[dialect])
    assert turn.failure is not None
    (told,) = Turn(200, None, turn.frame or b"").events  # type: ignore[arg-type]
    match surface:
        case "chat":
            assert told["error"]["message"] == turn.failure.message
        case "responses":
            assert told["response"]["error"] == {"code": "server_is_overloaded", "message": turn.failure.message}
        case "messages":
            assert (turn.frame or b"").startswith(b"event: error\n")
            assert told["error"] == {"type": "overloaded_error", "message": turn.failure.message}
    gatherer = exchange(surface, dialect).gatherer()
    data = b"".join(step if isinstance(step, bytes) else sse(step) for step in ends[dialect])
    assert any(isinstance(event, Failed) for event in gatherer.feed(data))


ODD_CALL = {"id": "call_0", "type": "function", "function": {"name": "look", "arguments": "[1]"}}
ODD_STREAMS: dict[str, Any] = {
    "chat": scenes.chat_turn(scenes.piece(0, "[1]", id="call_0", type="function", name="look"), reason="tool_calls"),
    "responses": responses_turn(call(0, arguments="[1]")),
}
ODD_BODIES: dict[str, Any] = {
    "chat": {"choices": [{"message": {"tool_calls": [ODD_CALL]}, "finish_reason": "tool_calls"}]},
    "responses": {**scenes.RESPONSE, "status": "completed", "output": [call(0, arguments="[1]")]},
}


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_a_call_that_is_no_object_has_no_place_in_messages(dialect: str) -> None:
    """All modes say so."""
    turn = play("messages", dialect, ODD_STREAMS[dialect])
    assert turn.failure is not None
    assert "message_stop" not in types(turn)
    for ask in (
        lambda: gathered("messages", dialect, ODD_STREAMS[dialect]),
        lambda: body_of("messages", dialect, ODD_BODIES[dialect]),
    ):
        with pytest.raises(RefusedError, match="no JSON object"):
            ask()


def test_a_call_that_was_cut_short_is_no_failure() -> None:
    steps = scenes.chat_turn(scenes.piece(0, '{"at', id="a", type="function", name="look"), reason="length")
    assert play("messages", "chat", steps).failure is None
    body = gathered("messages", "chat", steps)
    assert (body["stop_reason"], body["content"][0]["input"]) == ("max_tokens", {})


def test_interleaved_calls_stand_one_after_the_other() -> None:
    for dialect, steps in (
        ("responses", scenes.INTERLEAVED),
        ("chat", scenes.chat_turn(*scenes.CHAT_CALLS, chunk({"content": "late"}), reason="tool_calls")),
    ):
        turn = play("messages", dialect, steps)
        blocks = whole_message(turn)["content"]
        assert [len(block["input"]) for block in blocks if block["type"] == "tool_use"] == [1, 1]
        assert read_messages(whole_message(turn)).text == ("" if dialect == "responses" else "late")


def test_calls_in_order_are_streamed_and_not_held_back() -> None:
    pipe = exchange("messages", "chat").pipe()
    first = scenes.piece(0, "{}", id="a", type="function", name="look")
    second = scenes.piece(1, '{"to":', id="b", type="function", name="take")
    raw = b"".join(out.data for out in pipe.feed(sse(scenes.ROLE) + sse(first) + sse(second)) if isinstance(out, Frame))
    assert b'"partial_json":"{\\"to\\":"' in raw
