"""What each element is on Chat Completions: its deltas in order, and the message."""

from typing import Any

import pytest
from mock_bench import Json, body_of, document, frames, rendered, status_of

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
    interleaved,
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
    web_search,
)
from gateproof_mock.dialects import DIALECTS
from gateproof_mock.dialects.steps import Head
from gateproof_schemas import validate

FIRST = {"role": "assistant", "content": "", "refusal": None}
A = {
    "type": "url_citation",
    "url_citation": {"url": "https://a.invalid/", "title": "A", "start_index": 0, "end_index": 3},
}
B = {
    "type": "url_citation",
    "url_citation": {"url": "https://b.invalid/", "title": "", "start_index": 0, "end_index": 0},
}
CITE_A = citation("https://a.invalid/", "A", start=0, end=3)
CITE_B = citation("https://b.invalid/")
PICTURES = [
    {"index": 0, "type": "image_url", "image_url": {"url": "data:image/png;base64,aGVsbG8="}},
    {"index": 1, "type": "image_url", "image_url": {"url": "data:image/webp;base64,aGVsbG8="}},
]
F = {"id": "call_1", "type": "function"}
SHELL = {"id": "call_2", "type": "custom"}

ELEMENTS: dict[str, tuple[tuple[Any, ...], list[Json], Json]] = {
    "text many times over": (
        (text("ab", "c", times=2, stretch=2),),
        [{"content": "abab"}, {"content": "cc"}, {"content": "abab"}, {"content": "cc"}],
        {"content": "ababccababcc"},
    ),
    "citations": (
        (text("One", citations=[CITE_A, CITE_B]), text("Two", citations=[CITE_A]), text("!")),
        [{"content": "One"}, {"annotations": [A, B]}, {"content": "Two"}, {"annotations": [A]}, {"content": "!"}],
        {"content": "OneTwo!", "annotations": [A, B, A]},
    ),
    "one message of all": (
        (text("a"), next_part(), text("b"), next_message(), text("c")),
        [{"content": "a"}, {"content": "b"}, {"content": "c"}],
        {"content": "abc"},
    ),
    "summary": (
        (reasoning("In ", "short."),),
        [{"reasoning_content": "In "}, {"reasoning_content": "short."}],
        {"content": None, "reasoning_content": "In short."},
    ),
    "full reasoning comes first": (
        (reasoning("In short.", full=["At ", "length."], encrypted="gAAA="),),
        [{"reasoning_content": "At "}, {"reasoning_content": "length."}],
        {"content": None, "reasoning_content": "At length."},
    ),
    "what is said elsewhere": (
        (reasoning(encrypted="gAAA="), web_search("q"), item(type="acme:thing"), text("a")),
        [{"content": "a"}],
        {"content": "a"},
    ),
    "refusal": (
        (refusal("I ", "can't."),),
        [{"refusal": "I "}, {"refusal": "can't."}],
        {"content": None, "refusal": "I can't."},
    ),
    "images": (
        (image("aGVsbG8="), image("aGVsbG8=", "image/webp")),
        [{"images": PICTURES[:1]}, {"images": PICTURES[1:]}],
        {"content": None, "images": PICTURES},
    ),
    "tools": (
        (tool_call("f", "{", "}", id="call_1"), custom_tool_call("shell", "ls ", "-l", id="call_2")),
        [
            {"tool_calls": [{"index": 0, **F, "function": {"name": "f", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
            {"tool_calls": [{"index": 1, **SHELL, "custom": {"name": "shell", "input": ""}}]},
            {"tool_calls": [{"index": 1, "custom": {"input": "ls "}}]},
            {"tool_calls": [{"index": 1, "custom": {"input": "-l"}}]},
        ],
        {
            "content": None,
            "tool_calls": [
                {**F, "function": {"name": "f", "arguments": "{}"}},
                {**SHELL, "custom": {"name": "shell", "input": "ls -l"}},
            ],
        },
    ),
    "interleaved": (
        (interleaved(tool_call("f", "{", "}", id="call_1"), tool_call("f", "{}", id="call_1")),),
        [
            {"tool_calls": [{"index": 0, **F, "function": {"name": "f", "arguments": ""}}]},
            {"tool_calls": [{"index": 1, **F, "function": {"name": "f", "arguments": ""}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": "{"}}]},
            {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
            {"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
        ],
        {"content": None, "tool_calls": [{**F, "function": {"name": "f", "arguments": "{}"}}] * 2},
    ),
}


@pytest.mark.parametrize(("turn", "deltas", "message"), ELEMENTS.values(), ids=ELEMENTS.keys())
def test_an_element(turn: tuple[Any, ...], deltas: list[Json], message: Json) -> None:
    chunks = [c for _, c in frames(script(*turn), "chat")]
    assert [c["choices"][0]["delta"] for c in chunks] == [FIRST, *deltas, {}]
    assert [c for c in chunks if validate(c, "chat/chunk")] == []
    found = document(script(*turn), "chat")
    assert found["choices"][0]["message"] == {"role": "assistant", "refusal": None, **message}
    assert validate(found, "chat/response") == []


@pytest.mark.parametrize(
    ("turn", "finish"),
    [
        ((text("a"),), "stop"),
        ((tool_call("f"),), "tool_calls"),
        ((custom_tool_call("f"),), "tool_calls"),
        ((interleaved(tool_call("f"), tool_call("g")),), "tool_calls"),
        ((image("aGVsbG8="),), "stop"),
        ((tool_call("f"), incomplete()), "length"),
        ((text("a"), incomplete("content_filter")), "content_filter"),
        ((text("a"), incomplete("interrupted")), "interrupted"),
        ((text("a"), completed(stop_sequence="###")), "stop"),
        ((tool_call("f"), completed(reason="eos")), "eos"),
    ],
)
def test_finish_reason(turn: tuple[Any, ...], finish: str) -> None:
    assert document(script(*turn), "chat")["choices"][0]["finish_reason"] == finish
    reasons = [c["choices"][0]["finish_reason"] for _, c in frames(script(*turn), "chat")]
    assert reasons == [None] * (len(reasons) - 1) + [finish]


@pytest.mark.parametrize(
    ("ending", "status", "error"),
    [
        (
            failed("slow_down", "Slow down.", type="rate_limit_error", status=429),
            429,
            ("rate_limit_error", "slow_down"),
        ),
        (failed(code=""), 500, ("server_error", None)),
        (error_event("slow_down", "Slow down.", nested=True, then_failed=True), 500, ("server_error", "slow_down")),
        (cancelled(), 500, ("server_error", "cancelled")),
        (unfinished("queued"), 500, ("server_error", "queued")),
    ],
)
def test_a_failure_is_a_chunk_in_a_stream_and_http_in_json(
    ending: Any, status: int, error: tuple[str, str | None]
) -> None:
    turn = script(text("a"), ending)
    assert status_of(rendered(turn, "chat")) == status
    plain = document(turn, "chat")
    assert validate(plain, "chat/error") == []
    assert (plain["error"]["type"], plain["error"]["code"]) == error
    last = frames(turn, "chat")[-1][1]
    assert last["choices"] == []
    assert last["error"] == plain["error"]


def test_usage() -> None:
    counts: Json = {"cached": 4, "cache_write": 2, "cache_write_1h": 1, "reasoning": 3}
    extra = {"completion_tokens_details": {"text_tokens": 2}, "prompt_tokens_details": None, "cost": 0.1}
    found = document(script(usage(10, 5, **counts)), "chat")["usage"]
    assert found == {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 15,
        "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0, "cache_write_tokens": 3},
        "completion_tokens_details": {
            "reasoning_tokens": 3,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
    assert validate(found, "chat/usage") == []
    turn = script(usage(10, 5, **counts, extra=extra))
    details = {**found["completion_tokens_details"], "text_tokens": 2}
    wanted = {**found, "prompt_tokens_details": None, "completion_tokens_details": details, "cost": 0.1}
    assert document(turn, "chat")["usage"] == wanted
    assert frames(turn, "chat", stream_options={"include_usage": True})[-1][1]["usage"] == wanted


def test_the_whole_of_a_small_stream() -> None:
    body = body_of(rendered(script(text("a")), "chat", stream=True, model="m"))
    found = frames(script(text("a")), "chat", model="m")
    assert body.endswith(b"\n\ndata: [DONE]\n\n")
    assert {name for name, _ in found} == {""}
    assert {(*c,) for _, c in found} == {("id", "object", "created", "model", "choices")}
    assert {(*c["choices"][0],) for _, c in found} == {("index", "delta", "logprobs", "finish_reason")}


ENTRIES = [
    {"token": "A", "logprob": -0.125, "bytes": [65], "top_logprobs": []},
    {"token": " ä", "logprob": -0.25, "bytes": [32, 195, 164], "top_logprobs": []},
]


def test_a_token_tells_its_probability() -> None:
    turn = script(text("A", " ä", logprobs=True), text("!"))
    told = [chunk["choices"][0]["logprobs"] for _, chunk in frames(turn, "chat")]
    assert told == [None, *({"content": [e], "refusal": None} for e in ENTRIES), None, None]
    assert document(turn, "chat")["choices"][0]["logprobs"] == {"content": ENTRIES, "refusal": None}
    assert document(script(text("A")), "chat")["choices"][0]["logprobs"] is None


def test_the_probabilities_come_with_a_text_that_comes_whole() -> None:
    turn = script(text("A", " ä", logprobs=True), wire=Wire(text_in="terminal"))
    told = [chunk["choices"][0]["logprobs"] for _, chunk in frames(turn, "chat")]
    assert told == [None, {"content": ENTRIES, "refusal": None}]


@pytest.mark.parametrize("ending", [completed(), failed()])
@pytest.mark.parametrize("stream", [True, False])
def test_every_answer_has_a_request_id(ending: Any, stream: bool) -> None:
    head = next(s for s in rendered(script(ending), "chat", stream=stream) if isinstance(s, Head))
    assert head.headers["x-request-id"].startswith("req_")


def test_errors_of_the_mock() -> None:
    body = DIALECTS["chat"].error("No.", 413)
    assert body == {"error": {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}}
    assert validate(body, "chat/error") == []
