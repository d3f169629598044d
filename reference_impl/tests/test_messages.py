"""What only Messages has: its endings, its seals, its relay, its keys and headers, its two other paths."""

import json
from typing import Any

import gateway_scenes as scenes
import pytest
from gateway_bench import Asking, Fake, Told, sse
from gateway_scenes import (
    MESSAGE_START,
    PING,
    STOP,
    block_delta,
    block_start,
    block_stop,
    chunk,
    message,
    message_delta,
    messages_turn,
    responses_turn,
    terminal,
    text_block,
    thinking,
    thought,
    use,
)
from test_pairs import read_chat, whole_chat, whole_message
from test_turns import body_of, gathered, play, types

from gateproof_reference import failures, usage
from gateproof_reference.failures import Failure, RefusedError

KEY = "sk-operator-secret"

# ------------------------------------------------------------------------------------------------------ from Messages


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("refusal", "content_filter"),
        ("tool_use", "tool_calls"),
        ("weird", "stop"),
        (None, "stop"),
    ],
)
def test_endings(stop: str | None, reason: str) -> None:
    turn = play("chat", "messages", messages_turn(text_block("Hel"), reason=stop))
    assert turn.failure is None
    assert turn.reasons == [reason]
    body = body_of("chat", "messages", scenes.messages_body(text_block("Hel"), reason=stop))
    assert body["choices"][0]["finish_reason"] == reason
    status = {"length": "incomplete", "content_filter": "incomplete"}.get(reason, "completed")
    assert types(play("responses", "messages", messages_turn(text_block("Hel"), reason=stop)))[-1] == status


@pytest.mark.parametrize("stop", ["end_turn", "weird", None])
def test_calls_end_a_turn_whatever_it_says(stop: str | None) -> None:
    assert play("chat", "messages", messages_turn(use(0), reason=stop)).reasons == ["tool_calls"]


@pytest.mark.parametrize("surface", ["chat", "responses", "messages"])
@pytest.mark.parametrize("cut", [None, failures.broken()])
def test_a_stop_reason_is_an_end(surface: str, cut: Failure | None) -> None:
    turn = play(surface, "messages", messages_turn(text_block("Hi"))[:-1], cut)
    assert turn.failure is None
    assert "message_stop" in types(turn) if surface == "messages" else turn.data
    assert not isinstance(gathered(surface, "messages", messages_turn(text_block("Hi"))[:-1]), Failure)


@pytest.mark.parametrize("surface", ["chat", "responses", "messages"])
@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"type": "overloaded_error", "message": "no"}, 529),
        ({"type": "rate_limit_error", "message": "no"}, 429),
        ({"type": "invalid_request_error", "message": "no"}, 400),
        ({"type": "request_too_large", "message": "no"}, 413),
        ({"type": "not_found_error", "message": "no"}, 404),
        ({"type": "timeout_error", "message": "no"}, 504),
        ({"type": "billing_error", "message": "no"}, 429),
        ({"type": "authentication_error", "message": "no"}, 502),
        ({"type": "api_error", "message": "no"}, 502),
    ],
)
def test_error_events_before_any_output_are_a_status(
    surface: str, error: Any, status: int, ask: Asking, fake: Fake
) -> None:
    fake.streams(MESSAGE_START, PING, {"type": "error", "error": error})
    told = ask.turn(surface, "messages")
    assert told.status == status
    assert told.json["error"]["message"] == "no"
    assert set(told.json) == ({"type", "error", "request_id"} if surface == "messages" else {"error"})


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_the_unknown_changes_nothing(surface: str) -> None:
    plain = messages_turn(text_block("Hello"), use(1), reason="tool_use")
    start, *events, delta, stop = messages_turn(
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}},
        text_block("Hello"),
        {"type": "vendor_block", "x": 1},
        use(1),
        reason="tool_use",
    )
    odd = [
        {"type": "slug:x", "n": 1},
        block_delta(1, "vendor_delta", x="y"),
        block_delta(1, "citations_delta", citation="z"),
        b"data: [DONE]\n\n",
        {"type": "content_block_delta", "index": 1},
    ]
    at = events.index(block_start(1, text_block("")))
    spoiled = [start, *odd[:1], *events[: at + 1], *odd, PING, *events[at + 1 :], delta, stop]
    assert play(surface, "messages", spoiled).raw == play(surface, "messages", plain).raw


@pytest.mark.parametrize(
    "steps",
    [
        [block_start(0, use(0)), block_stop(0)],
        [block_start(0, {**use(0), "input": {}}), block_delta(0, "input_json_delta", partial_json='{"at":1}')],
        [block_start(0, use(0)), block_delta(0, "input_json_delta", partial_json='{"at":1}'), block_stop(0)],
    ],
)
def test_inputs_arrive_once_wherever_they_stand(steps: list[Any]) -> None:
    turn = play("chat", "messages", [MESSAGE_START, *steps, message_delta("tool_use"), STOP])
    assert read_chat(whole_chat(turn)).calls == [("call_0", "look", {"at": 1})]
    body = gathered("messages", "messages", [MESSAGE_START, *steps, message_delta("tool_use"), STOP])
    assert body["content"] == [use(0)]


def test_words_in_the_start_of_a_block_count() -> None:
    steps = [MESSAGE_START, block_start(0, text_block("Hel")), block_delta(0, "text_delta", text="lo"), block_stop(0)]
    assert play("chat", "messages", [*steps, message_delta("end_turn"), STOP]).deltas("content") == "Hello"


def test_two_blocks_of_one_index_are_two() -> None:
    steps = [block_start(0, use(0)), block_stop(0), block_start(0, use(1)), message_delta("tool_use"), STOP]
    turn = play("chat", "messages", [MESSAGE_START, *steps])
    assert [id for id, *_ in read_chat(whole_chat(turn)).calls] == ["call_0", "call_1"]


def test_counts_are_the_last_that_were_told_and_never_sums() -> None:
    start = {**MESSAGE_START, "message": {**scenes.MESSAGE, "usage": {"input_tokens": 9, "output_tokens": 1}}}
    deltas = [
        message_delta(None, {"input_tokens": 9, "output_tokens": 5}),
        message_delta("end_turn", {"input_tokens": 12, "output_tokens": 8, "cache_read_input_tokens": None}),
    ]
    told = play("chat", "messages", [start, *scenes.block_events(text_block("Hi"), 0), *deltas, STOP]).events[-1][
        "usage"
    ]
    assert told == {"prompt_tokens": 12, "completion_tokens": 8, "total_tokens": 20}


def test_counts_in_both_vocabularies() -> None:
    counted = usage.read_messages(scenes.MESSAGES_USAGE)
    assert counted is not None
    assert usage.to_messages(counted) == scenes.MESSAGES_USAGE
    assert usage.to_chat(counted) == {
        "prompt_tokens": 607,
        "completion_tokens": 1024,
        "total_tokens": 1631,
        "prompt_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 112},
    }
    of_chat = usage.read(
        {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 75}}, usage.CHAT
    )
    assert usage.to_messages(of_chat) == {
        "input_tokens": 25,
        "cache_read_input_tokens": 75,
        "cache_creation_input_tokens": 0,
        "output_tokens": 7,
    }
    assert usage.to_messages(None) == {"input_tokens": 0, "output_tokens": 0}
    for value in (None, [], {}, {"input_tokens": "5"}):
        assert usage.read_messages(value) is None


# ---------------------------------------------------------------------------------------------------- sealed reasoning


def test_a_signature_is_encrypted_content_and_comes_back_as_one() -> None:
    steps = messages_turn(
        thinking("I think"), {"type": "redacted_thinking", "data": "cmVk"}, thinking("", "b21pdA=="), text_block("Hi")
    )
    output = play("responses", "messages", steps).events[-1]["response"]["output"]
    assert [item["type"] for item in output] == ["reasoning"] * 3 + ["message"]
    assert [item["encrypted_content"] for item in output[:3]] == ["c2ln", "redacted_thinking:cmVk", "b21pdA=="]
    assert [item["summary"] for item in output[:3]] == [[{"type": "summary_text", "text": "I think"}], [], []]
    assert output == gathered("responses", "messages", steps)["output"]


def test_encrypted_content_is_a_signature_once() -> None:
    item = {**thought("I think"), "encrypted_content": "c2VhbA=="}
    hidden = {**thought("", 1), "summary": [], "encrypted_content": "aGlk"}
    steps = responses_turn(item, hidden, message("Hi", 2))
    blocks = whole_message(play("messages", "responses", steps))["content"]
    assert blocks == [thinking("I think", "c2VhbA=="), thinking("", "aGlk"), text_block("Hi")]
    only = [steps[0], terminal("response.completed", [item, hidden, message("Hi", 2)])]
    assert whole_message(play("messages", "responses", only))["content"] == blocks


def test_reasoning_without_a_seal_has_an_empty_signature() -> None:
    steps = scenes.chat_turn(chunk({"reasoning_content": "hm"}), chunk({"content": "Hi"}))
    assert whole_message(play("messages", "chat", steps))["content"] == [thinking("hm", ""), text_block("Hi")]


def test_a_refusal_is_text_and_its_reason() -> None:
    turn = play("messages", "chat", scenes.chat_turn(chunk({"refusal": "I will not"})))
    whole = whole_message(turn)
    assert (whole["content"], whole["stop_reason"]) == ([text_block("I will not")], "refusal")


def test_what_counts_nothing_still_has_counts() -> None:
    whole = whole_message(play("messages", "chat", [scenes.ROLE, chunk({"content": "Hi"}, "stop"), scenes.DONE]))
    assert whole["usage"] == {"input_tokens": 0, "output_tokens": 0}


def test_an_empty_turn_has_no_blocks() -> None:
    assert whole_message(play("messages", "chat", scenes.chat_turn()))["content"] == []
    assert whole_message(play("messages", "responses", responses_turn()))["content"] == []


# --------------------------------------------------------------------------------------------------------- the relay


def test_a_relay_keeps_every_payload_byte() -> None:
    odd = b'event: slug:x\ndata: {"type":"slug:x",  "n":1.0}\n\n'
    steps = [sse(step) for step in messages_turn(thinking("hm"), text_block("Hi"), use(1), reason="tool_use")]
    turn = play("messages", "messages", [*steps[:3], odd, *steps[3:], b"data: [DONE]\n\n"])
    assert turn.raw == b"".join([*steps[:3], odd, *steps[3:]])
    assert turn.openings == steps[0] + steps[2]


def test_a_relay_names_its_events() -> None:
    steps = [
        sse(step).replace(b"event: " + step["type"].encode() + b"\n", b"") for step in messages_turn(text_block("x"))
    ]
    assert play("messages", "messages", steps).raw == b"".join(map(sse, messages_turn(text_block("x"))))


def test_a_relay_ends_what_was_left_open() -> None:
    start, *_ = steps = messages_turn(text_block("Hi"))
    turn = play("messages", "messages", steps[:-1])
    assert turn.events == steps
    turn = play("messages", "messages", [start, block_start(0, use(0)), block_stop(0), STOP])
    ended = {"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": None}}
    assert turn.events[-2:] == [{**ended, "usage": {"output_tokens": 1}}, STOP]


def test_a_relay_makes_the_end_whole() -> None:
    bare = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}}
    turn = play("messages", "messages", [*messages_turn(text_block("Hi"))[:-2], bare, STOP])
    assert turn.events[-2] == {**bare, "usage": {"output_tokens": 1}}


def test_a_genuine_error_is_relayed_as_it_is_and_others_are_made_one() -> None:
    half = messages_turn(text_block("Hi"))[:-2]
    turn = play("messages", "messages", [*half, scenes.OVERLOADED, STOP])
    assert turn.frame == sse(scenes.OVERLOADED)
    assert turn.failure == Failure(scenes.ODD, type="overloaded_error")
    for odd in ({"error": {"message": "m", "code": "rate_limit_exceeded"}}, b'event: error\ndata: {"message":"m"}\n\n'):
        turn = play("messages", "messages", [*half, odd])
        assert turn.failure is not None
        (event,) = Told(200, None, turn.frame or b"").events  # type: ignore[arg-type]
        assert event["type"] == "error"
        assert event["error"]["message"] == "m"
        assert event["request_id"]


def test_a_message_is_rebuilt_of_its_own_blocks() -> None:
    cited = {"type": "text", "text": "found", "citations": [{"type": "c", "cited_text": "x"}]}
    blocks = [
        thinking("hm"),
        {"type": "redacted_thinking", "data": "x"},
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"q": "x"}},
        {"type": "vendor_block", "y": 1},
        cited,
        use(1),
    ]
    body = scenes.messages_body(*blocks, reason="tool_use")
    steps = messages_turn(*blocks, reason="tool_use")
    at = steps.index(block_stop(4))
    steps[at:at] = [{"type": "content_block_delta", "index": 4, "delta": {"type": "citations_delta", "citation": c}}
                    for c in cited["citations"]]  # type: ignore[attr-defined]  # fmt: skip
    emptied = [{**step["content_block"], "citations": []} if step.get("content_block", {}).get("type") == "text" else None
               for step in steps if isinstance(step, dict)]  # fmt: skip
    steps = [{**step, "content_block": new} if new else step for step, new in zip(steps, emptied, strict=True)]
    assert gathered("messages", "messages", steps) == body
    assert body_of("messages", "messages", body) == body


def test_a_rebuilt_call_must_be_an_object() -> None:
    steps = [MESSAGE_START, block_start(0, use(0)), block_delta(0, "input_json_delta", partial_json='{"a')]
    assert isinstance(gathered("messages", "messages", [*steps, message_delta("tool_use"), STOP]), Failure)
    body = gathered("messages", "messages", [*steps, message_delta("max_tokens"), STOP])
    assert body["content"] == [{**use(0), "input": {}}]


@pytest.mark.parametrize("surface", ["chat", "responses", "messages"])
def test_a_200_that_is_an_error_is_one(surface: str) -> None:
    with pytest.raises(RefusedError) as refused:
        body_of(surface, "messages", {"type": "error", "error": {"type": "overloaded_error", "message": "no"}})
    assert failures.status_of(refused.value.failure) == 529


# --------------------------------------------------------------------------------------------------- keys and headers


@pytest.mark.parametrize("headers", [{"x-api-key": "sesame"}, {"authorization": "Bearer sesame"}])
@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
def test_a_messages_client_shows_its_key_either_way(
    headers: dict[str, str], dialect: str, ask: Asking, fake: Fake
) -> None:
    fake.says({"error": {"message": "no"}}, 418)
    told = ask.messages(dialect, headers=headers, key="sesame", upstream_key=KEY)
    assert told.status == 418
    (request,) = fake.requests
    assert b"sesame" not in b"".join(value for _, value in request.headers.raw)


def test_the_key_of_a_messages_client_opens_nothing_else(ask: Asking, fake: Fake) -> None:
    headers = {"x-api-key": "sesame"}
    assert (
        ask.request("POST", "/v1/responses", body={"model": "m", "input": "x"}, key="sesame", headers=headers).status
        == 401
    )
    assert ask.messages("chat", headers={"x-api-key": "wrong"}, key="sesame").status == 401
    assert ask.messages("chat", key="sesame").status == 401
    assert not fake.requests


def test_versions_and_betas_go_along_where_nothing_is_translated(ask: Asking, fake: Fake) -> None:
    headers = {"anthropic-version": "2024-01-01", "anthropic-beta": "a,b", "anthropic-other": "c", "x-api-key": "mine"}
    for surface, dialect in (("messages", "messages"), ("messages", "chat"), ("chat", "messages")):
        fake.says({})
        path = "/v1/messages" if surface == "messages" else "/v1/chat/completions"
        body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
        ask.request("POST", path, dialect, body, headers=headers)
        sent = fake.requests[-1].headers
        named = {
            name: sent.get(name) for name in ("anthropic-version", "anthropic-beta", "anthropic-other", "x-api-key")
        }
        same, version = surface == dialect, "2023-06-01" if dialect == "messages" else None
        assert named == {
            "anthropic-version": "2024-01-01" if same else version,
            "anthropic-beta": "a,b" if same else None,
            "anthropic-other": None,
            "x-api-key": None,
        }


# ------------------------------------------------------------------------------------------------------- other paths


@pytest.mark.parametrize("path", ["/v1/messages", "/messages", "/v1/messages/", "/v1/messages?beta=true"])
def test_messages_has_two_names(path: str, ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(message("Hi")))
    assert types(ask.messages("responses", path=path))[-1] == "message_stop"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "path", ["/v1/messages/batches", "/v1/messagesx", "/v1/messages/count_tokens/x", "/count_tokens"]
)
def test_nothing_else_is_there(path: str, ask: Asking, fake: Fake) -> None:
    assert ask.messages("messages", path=path).status == 404
    assert not fake.requests


PROMPT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/messages/count_tokens"])
def test_tokens_are_counted_by_the_upstream(path: str, ask: Asking, fake: Fake) -> None:
    fake.says({"input_tokens": 7})
    headers = {"anthropic-beta": "a"}
    told = ask.request("POST", path, "messages", PROMPT, headers=headers, upstream_key=KEY)
    assert (told.status, told.json) == (200, {"input_tokens": 7})
    (request,) = fake.requests
    assert (request.url.path, fake.asked) == ("/v1/messages/count_tokens", PROMPT)
    assert (request.headers["x-api-key"], request.headers["anthropic-beta"]) == (KEY, "a")
    fake.says({"type": "error", "error": {"type": "rate_limit_error", "message": "no"}}, 429, **{"retry-after": "3"})
    told = ask.request("POST", path, "messages", PROMPT)
    assert (told.status, told.json["error"]["type"], told.headers["retry-after"]) == (429, "rate_limit_error", "3")


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_tokens_are_not_counted_by_guessing(dialect: str, ask: Asking, fake: Fake) -> None:
    told = ask.request("POST", "/v1/messages/count_tokens", dialect, PROMPT)
    assert (told.status, told.json["error"]["type"]) == (404, "not_found_error")
    assert "count" in told.json["error"]["message"]
    assert ask.request("POST", "/v1/messages/count_tokens", "messages", {"model": "m"}).status == 400
    assert not fake.requests


OPENAI_LIST = {
    "object": "list",
    "data": [{"id": "m", "object": "model", "created": 86400, "owned_by": "x"}, {"id": "n"}],
}
ANTHROPIC_LIST = {
    "data": [
        {"type": "model", "id": "m", "display_name": "m", "created_at": "1970-01-02T00:00:00Z"},
        {"type": "model", "id": "n", "display_name": "n", "created_at": "1970-01-01T00:00:00Z"},
    ],
    "has_more": False,
    "first_id": "m",
    "last_id": "n",
}
VERSION = {"anthropic-version": "2023-06-01"}


def test_models_have_the_form_of_their_reader(ask: Asking, fake: Fake) -> None:
    fake.says(OPENAI_LIST)
    assert ask.request("GET", "/v1/models").json == OPENAI_LIST
    told = ask.request("GET", "/v1/models", headers={**VERSION, "x-api-key": "k"}, key="k")
    assert told.json == ANTHROPIC_LIST
    fake.says(ANTHROPIC_LIST)
    assert ask.request("GET", "/v1/models", "messages", headers=VERSION).json == ANTHROPIC_LIST
    assert ask.request("GET", "/v1/models", "messages").json == {
        "object": "list",
        "data": [
            {"id": "m", "object": "model", "created": 86400, "owned_by": "upstream"},
            {"id": "n", "object": "model", "created": 0, "owned_by": "upstream"},
        ],
    }


@pytest.mark.parametrize("listed", [{}, {"data": 5}, {"data": [5, {}, {"id": 5}, {"id": "m", "created": 10**30}]}])
def test_odd_lists_are_lists(listed: Any, ask: Asking, fake: Fake) -> None:
    fake.says(listed)
    assert ask.request("GET", "/v1/models", headers=VERSION).json["has_more"] is False
    odd = json.loads(json.dumps(listed).replace("created", "created_at"))
    fake.says(odd)
    assert ask.request("GET", "/v1/models", "messages").json["object"] == "list"


def test_an_anthropic_client_reads_its_own_errors(ask: Asking) -> None:
    told = ask.request("GET", "/v1/models", headers=VERSION, key="k")
    assert (told.status, told.json["error"]["type"]) == (401, "authentication_error")
