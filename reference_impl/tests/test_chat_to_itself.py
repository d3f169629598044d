"""Chat Completions to itself in the mode that the upstream did not answer in: nothing that only this API has is lost."""

from typing import Any

import pytest
from gateway_bench import Asking, Fake
from gateway_scenes import CHAT_USAGE, DONE, chunk

CITED = {"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 2, "title": "t", "url": "u"}}
SERVED = {"service_tier": "default", "system_fingerprint": "fp_1"}
CALL = {"id": "call_a", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}


def probability(token: str) -> dict[str, Any]:
    return {"token": token, "logprob": -0.5, "bytes": None, "top_logprobs": []}


def with_logprobs(delta: dict[str, Any], *tokens: str) -> dict[str, Any]:
    event = chunk(delta, **SERVED)
    event["choices"][0]["logprobs"] = {"content": [probability(token) for token in tokens], "refusal": None}
    return event


@pytest.mark.parametrize("forced", [True, False])
def test_a_stream_becomes_a_whole_completion(forced: bool, ask: Asking, fake: Fake) -> None:
    fake.streams(
        with_logprobs({"role": "assistant", "content": "H"}, "H"),
        with_logprobs({"content": "i", "annotations": [CITED]}, "i"),
        chunk({}, "stop"),
        chunk(usage=CHAT_USAGE),
        DONE,
    )
    told = ask.chat("chat", stream=False, force_upstream_stream=forced).json
    assert told.items() >= {**SERVED, "id": "chatcmpl-up", "usage": CHAT_USAGE}.items()
    (choice,) = told["choices"]
    assert choice["logprobs"] == {"content": [probability("H"), probability("i")]}
    assert choice["message"] == {"role": "assistant", "content": "Hi", "refusal": None, "annotations": [CITED]}


def test_a_completion_without_extras_has_none(ask: Asking, fake: Fake) -> None:
    fake.streams(chunk({"content": "Hi"}), chunk({}, "stop"), DONE)
    (choice,) = ask.chat("chat", stream=False, force_upstream_stream=True).json["choices"]
    assert choice["logprobs"] is None
    assert "annotations" not in choice["message"]


def completion(*choices: dict[str, Any]) -> dict[str, Any]:
    head = {"id": "chatcmpl-up", "object": "chat.completion", "created": 1, "model": "model-up", **SERVED}
    return {**head, "choices": list(choices), "usage": CHAT_USAGE}


@pytest.mark.parametrize("asked", [True, False])
def test_a_completion_becomes_a_stream_of_all_its_choices(asked: bool, ask: Asking, fake: Fake) -> None:
    message = {"role": "assistant", "content": "Hi", "refusal": None, "annotations": [CITED], "x": 1}
    calls = {"role": "assistant", "content": None, "tool_calls": [CALL, {**CALL, "id": "call_b"}]}
    logprobs = {"content": [probability("Hi")], "refusal": None}
    fake.says(
        completion(
            {"index": 0, "message": message, "logprobs": logprobs, "finish_reason": "length"},
            {"index": 1, "message": calls, "finish_reason": None},
        )
    )
    told = ask.chat("chat", n=2, stream_options={"include_usage": asked})
    head = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": "model-up"}
    assert all(event.items() >= head.items() for event in told.events)
    by_choice = [
        [event["choices"][0] for event in told.events if event["choices"] and event["choices"][0]["index"] == at]
        for at in (0, 1)
    ]
    assert by_choice[0] == [
        {
            "index": 0,
            "delta": {"role": "assistant", "content": "Hi", "annotations": [CITED], "x": 1},
            "logprobs": logprobs,
            "finish_reason": None,
        },
        {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "length"},
    ]
    indexed = [{**CALL, "index": 0}, {**CALL, "id": "call_b", "index": 1}]
    assert [choice["delta"] for choice in by_choice[1]] == [{"role": "assistant", "tool_calls": indexed}, {}]
    assert by_choice[1][-1]["finish_reason"] == "tool_calls"
    assert [event["usage"] for event in told.events if not event["choices"]] == ([CHAT_USAGE] if asked else [])
    assert told.data[-1] == "[DONE]"
    assert told.data.count("[DONE]") == 1


def test_a_whole_failure_is_one_in_a_stream_too(ask: Asking, fake: Fake) -> None:
    fake.says({"error": {"message": "m", "code": "c"}})
    told = ask.chat("chat")
    assert (told.status, told.json["error"]["code"]) == (502, "c")
