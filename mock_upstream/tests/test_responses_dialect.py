"""What each element is on Responses: its events in order, and its item."""

import time
from typing import Any

import pytest
from mock_bench import Json, body_of, document, frames, rendered, said, status_of

from gateproof_mock import (
    Wire,
    cancelled,
    citation,
    completed,
    custom_tool_call,
    error_event,
    failed,
    image,
    incomplete,
    item,
    next_message,
    next_part,
    reasoning,
    refusal,
    script,
    text,
    tool_call,
    unfinished,
    usage,
)
from gateproof_mock.dialects import DIALECTS
from gateproof_mock.dialects.steps import Head
from gateproof_schemas import validate

BEGIN = [{"type": "created"}, {"type": "in_progress"}]
END = [{"type": "completed"}]
ADDED = {"type": "output_item.added"}
DONE = {"type": "output_item.done"}

A = {"type": "url_citation", "url": "https://a.invalid/", "title": "A", "start_index": 0, "end_index": 3}
B = {"type": "url_citation", "url": "https://b.invalid/", "title": "", "start_index": 0, "end_index": 0}
CITE_A = citation("https://a.invalid/", "A", start=0, end=3)
CITE_B = citation("https://b.invalid/")


def output_text(words: str, *annotations: Json) -> Json:
    return {"type": "output_text", "text": words, "annotations": list(annotations), "logprobs": []}


KEYS = ("delta", "text", "arguments", "input", "name", "refusal", "annotation", "annotation_index", "summary_index")

MCP_CALL: Json = {
    "type": "mcp_call",
    "status": "failed",
    "server_label": "files",
    "name": "read",
    "arguments": "{}",
    "error": {"type": "mcp_protocol_error", "code": 1, "message": "no"},
}

ELEMENTS: dict[str, tuple[tuple[Any, ...], list[Json], list[Json]]] = {
    "text many times over": (
        (text("ab", "c", times=2, stretch=2),),
        [
            ADDED,
            {"type": "content_part.added"},
            *({"type": "output_text.delta", "delta": d} for d in ("abab", "cc", "abab", "cc")),
            {"type": "output_text.done", "text": "ababccababcc"},
            {"type": "content_part.done"},
            DONE,
        ],
        [{"type": "message", "role": "assistant", "status": "completed", "content": [output_text("ababccababcc")]}],
    ),
    "citations": (
        (
            text("One", citations=[CITE_A, CITE_B]),
            text("Two", citations=[CITE_A]),
            next_part(),
            text("x", citations=[CITE_B]),
        ),
        [
            ADDED,
            {"type": "content_part.added"},
            {"type": "output_text.delta", "delta": "One"},
            {"type": "output_text.annotation.added", "annotation": A, "annotation_index": 0},
            {"type": "output_text.annotation.added", "annotation": B, "annotation_index": 1},
            {"type": "output_text.delta", "delta": "Two"},
            {"type": "output_text.annotation.added", "annotation": A, "annotation_index": 2},
            {"type": "output_text.done", "text": "OneTwo"},
            {"type": "content_part.done"},
            {"type": "content_part.added"},
            {"type": "output_text.delta", "delta": "x"},
            {"type": "output_text.annotation.added", "annotation": B, "annotation_index": 0},
            {"type": "output_text.done", "text": "x"},
            {"type": "content_part.done"},
            DONE,
        ],
        [
            {
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [output_text("OneTwo", A, B, A), output_text("x", B)],
            }
        ],
    ),
    "next_part": (
        (
            next_part(),
            text("a"),
            next_part(),
            next_part(),
            text("b"),
            refusal("c"),
            next_part(),
            refusal("d"),
            next_part(),
        ),
        [
            ADDED,
            {"type": "content_part.added"},
            {"type": "output_text.delta", "delta": "a"},
            {"type": "output_text.done", "text": "a"},
            {"type": "content_part.done"},
            {"type": "content_part.added"},
            {"type": "output_text.delta", "delta": "b"},
            {"type": "output_text.done", "text": "b"},
            {"type": "content_part.done"},
            {"type": "content_part.added"},
            {"type": "refusal.delta", "delta": "c"},
            {"type": "refusal.done", "refusal": "c"},
            {"type": "content_part.done"},
            {"type": "content_part.added"},
            {"type": "refusal.delta", "delta": "d"},
            {"type": "refusal.done", "refusal": "d"},
            {"type": "content_part.done"},
            DONE,
        ],
        [
            {
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [
                    output_text("a"),
                    output_text("b"),
                    {"type": "refusal", "refusal": "c"},
                    {"type": "refusal", "refusal": "d"},
                ],
            }
        ],
    ),
    "a part is of one message": (
        (text("a"), next_part(), next_message(), text("b")),
        [
            *(
                event
                for word in "ab"
                for event in (
                    ADDED,
                    {"type": "content_part.added"},
                    {"type": "output_text.delta", "delta": word},
                    {"type": "output_text.done", "text": word},
                    {"type": "content_part.done"},
                    DONE,
                )
            )
        ],
        [
            {"type": "message", "role": "assistant", "status": "completed", "content": [output_text(word)]}
            for word in "ab"
        ],
    ),
    "all of reasoning": (
        (reasoning("In ", "short.", full=["At ", "length."], encrypted="gAAA="),),
        [
            ADDED,
            {"type": "reasoning_summary_part.added", "summary_index": 0},
            {"type": "reasoning_summary_text.delta", "delta": "In ", "summary_index": 0},
            {"type": "reasoning_summary_text.delta", "delta": "short.", "summary_index": 0},
            {"type": "reasoning_summary_text.done", "text": "In short.", "summary_index": 0},
            {"type": "reasoning_summary_part.done", "summary_index": 0},
            {"type": "content_part.added"},
            {"type": "reasoning_text.delta", "delta": "At "},
            {"type": "reasoning_text.delta", "delta": "length."},
            {"type": "reasoning_text.done", "text": "At length."},
            {"type": "content_part.done"},
            DONE,
        ],
        [
            {
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": "In short."}],
                "content": [{"type": "reasoning_text", "text": "At length."}],
                "encrypted_content": "gAAA=",
            }
        ],
    ),
    "encrypted reasoning": (
        (reasoning(encrypted="gAAA="),),
        [ADDED, DONE],
        [{"type": "reasoning", "summary": [], "encrypted_content": "gAAA="}],
    ),
    "reasoning of nothing": ((reasoning(),), [ADDED, DONE], [{"type": "reasoning", "summary": []}]),
    "custom_tool_call": (
        (custom_tool_call("shell", "ls ", "-l", id="call_1"),),
        [
            ADDED,
            {"type": "custom_tool_call_input.delta", "delta": "ls "},
            {"type": "custom_tool_call_input.delta", "delta": "-l"},
            {"type": "custom_tool_call_input.done", "input": "ls -l"},
            DONE,
        ],
        [
            {
                "type": "custom_tool_call",
                "status": "completed",
                "call_id": "call_1",
                "name": "shell",
                "input": "ls -l",
            }
        ],
    ),
    "tool_call": (
        (tool_call("f", "{", "}", id="call_1"),),
        [
            ADDED,
            {"type": "function_call_arguments.delta", "delta": "{"},
            {"type": "function_call_arguments.delta", "delta": "}"},
            {"type": "function_call_arguments.done", "name": "f", "arguments": "{}"},
            DONE,
        ],
        [{"type": "function_call", "status": "completed", "call_id": "call_1", "name": "f", "arguments": "{}"}],
    ),
    "image": (
        (image("aGVsbG8=", "image/webp"),),
        [
            ADDED,
            {"type": "image_generation_call.in_progress"},
            {"type": "image_generation_call.generating"},
            {"type": "image_generation_call.completed"},
            DONE,
        ],
        [{"type": "image_generation_call", "status": "completed", "output_format": "webp", "result": "aGVsbG8="}],
    ),
    "item": ((item(**MCP_CALL),), [ADDED, DONE], [MCP_CALL]),
}


@pytest.mark.parametrize(("turn", "events", "output"), ELEMENTS.values(), ids=ELEMENTS.keys())
def test_an_element(turn: tuple[Any, ...], events: list[Json], output: list[Json]) -> None:
    found = frames(script(*turn), "responses")
    assert said(found, *KEYS) == [*BEGIN, *events, *END]
    assert [e for _, e in found if validate(e, "responses/event")] == []
    for response in (found[-1][1]["response"], document(script(*turn), "responses")):
        assert [{k: v for k, v in i.items() if k != "id"} for i in response["output"]] == output
        assert all(i["id"] for i in response["output"])


def test_a_token_tells_its_probability() -> None:
    """A part tells the bytes too, which the events' type has not."""
    turn = script(text("A", " ä", logprobs=True), text("!"), next_part(), text("B"))
    bare = [{"token": t, "logprob": p, "top_logprobs": []} for t, p in (("A", -0.125), (" ä", -0.25))]
    whole = [{**bare[0], "bytes": [65]}, {**bare[1], "bytes": [32, 195, 164]}]
    events = [event for _, event in frames(turn, "responses")]
    deltas = [e["logprobs"] for e in events if e["type"] == "response.output_text.delta"]
    assert deltas == [[bare[0]], [bare[1]], [], []]
    assert [e["logprobs"] for e in events if e["type"] == "response.output_text.done"] == [bare, []]
    parts = document(turn, "responses")["output"][0]["content"]
    assert [part["logprobs"] for part in parts] == [whole, []]
    assert [e["part"]["logprobs"] for e in events if e["type"] == "response.content_part.done"] == [whole, []]


def test_what_is_announced_of_an_item() -> None:
    """With its type, name and status; its words come later, and what is encrypted when it is done."""
    turn = script(
        reasoning("a", full=["b"], encrypted="c"),
        text("d"),
        custom_tool_call("shell", "ls", id="call_1"),
        image("aGVsbG8="),
        item(type="acme:thing", id="thing_1"),
        item(type="mcp_call", status="completed", id="mcp_1"),
    )
    added = [e["item"] for _, e in frames(turn, "responses") if e["type"] == "response.output_item.added"]
    ids = [i.pop("id") for i in added]
    assert added == [
        {"type": "reasoning", "summary": []},
        {"type": "message", "role": "assistant", "status": "in_progress", "content": []},
        {"type": "custom_tool_call", "status": "in_progress", "call_id": "call_1", "name": "shell", "input": ""},
        {"type": "image_generation_call", "status": "in_progress", "output_format": "png", "result": None},
        {"type": "acme:thing"},
        {"type": "mcp_call", "status": "in_progress"},
    ]
    assert [i.partition("_")[0] for i in ids] == ["rs", "msg", "ctc", "ig", "thing", "mcp"]
    assert len(set(ids)) == len(ids)


def test_an_error_that_is_followed_by_failed() -> None:
    error = {"code": "server_error", "message": "The model fell over."}
    for nested in (True, False):
        found = frames(script(text("a"), error_event(nested=nested, then_failed=True)), "responses")
        (_, before), (_, last) = found[-2:]
        flat = {**error, "param": None}
        assert before == {
            "type": "error",
            **({"error": {"type": "server_error", **flat}} if nested else flat),
            "sequence_number": 5,
        }
        assert (last["type"], last["response"]["error"]) == ("response.failed", error)
        assert last["response"]["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize(
    ("ending", "status", "finished", "counted"),
    [
        (completed(), "completed", True, True),
        (incomplete(), "incomplete", False, True),
        (failed(), "failed", False, False),
        (error_event(), "failed", False, False),
        (cancelled(), "cancelled", False, False),
        (unfinished("in_progress"), "in_progress", False, False),
    ],
)
def test_a_response_as_its_ending_leaves_it(ending: Any, status: str, finished: bool, counted: bool) -> None:
    found = document(script(text("a"), ending), "responses")
    assert found["status"] == status
    assert found["completed_at"] == (found["created_at"] if finished else None)
    assert (found["usage"] is not None) is counted


def test_usage() -> None:
    turn = script(
        usage(
            10,
            5,
            cached=4,
            cache_write=2,
            cache_write_1h=1,
            reasoning=3,
            extra={
                "input_tokens_details": {"cached_tokens": "4", "text_tokens": 10},
                "total_tokens": None,
                "cost": 0.1,
            },
        )
    )
    assert document(turn, "responses")["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": "4", "cache_write_tokens": 3, "text_tokens": 10},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 3},
        "total_tokens": None,
        "cost": 0.1,
    }


OWN = ("id", "created_at", "completed_at")
REQUEST = {
    "model": "m",
    "instructions": "Be brief.",
    "metadata": {"a": "b"},
    "parallel_tool_calls": False,
    "temperature": 0.2,
    "tool_choice": "required",
    "tools": [{"type": "function", "name": "f", "parameters": {}}],
    "top_p": 0.5,
    "background": False,
    "max_output_tokens": 100,
    "max_tool_calls": 3,
    "previous_response_id": "resp_1",
    "prompt_cache_key": "k",
    "safety_identifier": "s",
    "service_tier": "flex",
    "store": False,
    "top_logprobs": 2,
    "truncation": "auto",
    "user": "u",
}


def test_a_response_echoes_its_request() -> None:
    merged: Json = {"reasoning": {"effort": "low"}, "text": {"verbosity": "high"}}
    body = {**REQUEST, **merged, "input": "a secret"}
    for found in (
        document(script(), "responses", **body),
        *(e["response"] for _, e in frames(script(), "responses", **body)),
    ):
        assert {key: found[key] for key in REQUEST} == REQUEST
        assert found["reasoning"] == {"effort": "low", "summary": None}
        assert found["text"] == {"format": {"type": "text"}, "verbosity": "high"}
        assert "input" not in found
        assert validate(found, "responses/response") == []


def test_an_answer_depends_on_what_is_read_of_the_request() -> None:
    reads = DIALECTS["responses"].reads
    plain = document(script(), "responses", **dict.fromkeys(reads))
    for key in reads:
        if key != "stream":
            changed = document(script(), "responses", **{**dict.fromkeys(reads), key: "changed"})
            assert [k for k in plain if plain[k] != changed[k] and k not in OWN] == [key]
    others = document(script(), "responses", input="x", include=["x"], conversation="x")
    assert {k: v for k, v in others.items() if k not in OWN} == {k: v for k, v in plain.items() if k not in OWN}


@pytest.mark.parametrize("body", [{"stream": True}, {}, {"kind": "compact"}, {"kind": "subpath"}])
def test_every_answer_has_a_request_id(body: Json) -> None:
    head = next(s for s in rendered(script(), "responses", **body) if isinstance(s, Head))
    assert head.headers["x-request-id"].startswith("req_")


def test_errors_of_the_mock() -> None:
    for status, kind in ((404, "invalid_request_error"), (500, "server_error")):
        body = DIALECTS["responses"].error("No.", status)
        assert body == {"error": {"message": "No.", "type": kind, "param": None, "code": None}}
        assert validate(body, "responses/error") == []


def test_json_is_ascii_when_it_is_to_be() -> None:
    turn = script(text("ä\u2028"), wire=Wire(ascii=True))
    for stream in (True, False):
        assert body_of(rendered(turn, "responses", stream=stream)).isascii()
    assert status_of(rendered(turn, "responses")) == 200


@pytest.mark.parametrize("dialect", ["responses", "chat"])
@pytest.mark.parametrize("words", [text("ab ", times=10_000), text("x", stretch=8 * 1024 * 1024)])
def test_long_turns_take_time_in_proportion(dialect: str, words: Any) -> None:
    """Seconds are far more than is needed; quadratic work would take minutes."""
    began = time.monotonic()
    body = body_of(rendered(script(words), dialect, stream=True))
    assert len(body) > 8 * 1024 * 1024 or body.count(b"data: ") > 10_000
    assert time.monotonic() - began < 10
