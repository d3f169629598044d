"""Requests, from each API into the other."""

from typing import Any

import pytest

from gateproof_reference import pairs
from gateproof_reference.apis import APIS
from gateproof_reference.canonical import Identity
from gateproof_reference.failures import RefusedError, status_of
from gateproof_reference.wirejson import dump, parse

CHAT, RESPONSES = APIS["chat"], APIS["responses"]
US = Identity("00000000-0000-4000-8000-000000000000", 0)
ASKED: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
INPUT: dict[str, Any] = {"model": "m", "input": "hi"}
SCHEMA = {"type": "object", "properties": {"at": {"type": "integer"}}, "required": ["at"]}


def to_responses(**more: Any) -> Any:
    body = {**ASKED, **more}
    return parse(pairs.prepare(CHAT, RESPONSES, dump(body), body, US, force_stream=False).payload)


def to_chat(**more: Any) -> Any:
    body = {**INPUT, **more}
    return parse(pairs.prepare(RESPONSES, CHAT, dump(body), body, US, force_stream=False).payload)


def test_a_chat_request_becomes_a_responses_request() -> None:
    assert to_responses(
        messages=[
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": [{"type": "text", "text": "and kind"}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://pictures.invalid/1"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}},
                    {"id": "call_2", "type": "function", "function": {"name": "take", "arguments": ""}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": t} for t in ("o", "k")]},
            {"role": "assistant", "content": "a cat"},
            {"role": "assistant", "content": None, "refusal": "no"},
        ],
        stream=True,
        stream_options={"include_usage": True},
        tools=[
            {"type": "function", "function": {"name": "look", "description": "d", "parameters": SCHEMA, "strict": True}}
        ],
        tool_choice={"type": "function", "function": {"name": "look"}},
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        max_tokens=1234,
        reasoning_effort="low",
        verbosity="high",
        temperature=0.5,
        top_p=0.9,
        parallel_tool_calls=False,
        metadata={"a": "b"},
        user="u",
        n=1,
        seed=7,
        stop=None,
        presence_penalty=0,
    ) == {
        "model": "m",
        "input": [
            {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "be brief"}]},
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "and kind"}]},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "what is this?"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low"},
                    {"type": "input_image", "image_url": "https://pictures.invalid/1", "detail": "auto"},
                ],
            },
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at":1}'},
            {"type": "function_call", "call_id": "call_2", "name": "take", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "a cat"},
            {
                "type": "function_call_output",
                "call_id": "call_2",
                "output": [{"type": "input_text", "text": "o"}, {"type": "input_text", "text": "k"}],
            },
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a cat"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        ],
        "stream": True,
        "tools": [{"type": "function", "name": "look", "description": "d", "parameters": SCHEMA, "strict": True}],
        "tool_choice": {"type": "function", "name": "look"},
        "text": {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}, "verbosity": "high"},
        "max_output_tokens": 1234,
        "reasoning": {"effort": "low"},
        "temperature": 0.5,
        "top_p": 0.9,
        "parallel_tool_calls": False,
        "metadata": {"a": "b"},
        "user": "u",
        "store": False,
    }


def test_a_responses_request_becomes_a_chat_request() -> None:
    assert to_chat(
        instructions="be brief",
        input=[
            {"role": "developer", "content": "and kind"},
            {
                "type": "message",
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "what is this?"},
                    {"type": "input_image", "image_url": "https://pictures.invalid/1", "detail": "low"},
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x"},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "let me see"}]},
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at":1}'},
            {"type": "function_call", "call_id": "call_2", "name": "take", "arguments": ""},
            {"type": "function_call_output", "call_id": "call_1", "output": "a cat"},
            {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "ok"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        ],
        stream=True,
        tools=[{"type": "function", "name": "look", "description": "d", "parameters": SCHEMA, "strict": True}],
        tool_choice="required",
        text={"format": {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}, "verbosity": "low"},
        max_output_tokens=1234,
        reasoning={"effort": "high", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        truncation="disabled",
        background=False,
        temperature=0.5,
        store=False,
        previous_response_id=None,
    ) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": "and kind"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is this?"},
                    {"type": "image_url", "image_url": {"url": "https://pictures.invalid/1", "detail": "low"}},
                ],
            },
            {
                "role": "assistant",
                "content": "let me see",
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}},
                    {"id": "call_2", "type": "function", "function": {"name": "take", "arguments": "{}"}},
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "a cat"},
            {"role": "tool", "tool_call_id": "call_2", "content": "ok"},
            {"role": "assistant", "content": None, "refusal": "no"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "d", "parameters": SCHEMA, "strict": True}}
        ],
        "tool_choice": "required",
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        "verbosity": "low",
        "max_completion_tokens": 1234,
        "reasoning_effort": "high",
        "temperature": 0.5,
        "store": False,
    }


def test_calls_apart_are_messages_apart() -> None:
    items = [
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "1"},
        {"type": "function_call", "call_id": "call_2", "name": "look", "arguments": "{}"},
    ]
    assert [message["role"] for message in to_chat(input=items)["messages"]] == ["assistant", "tool", "assistant"]


def test_the_smallest_requests() -> None:
    user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    assert to_responses() == {"model": "m", "input": [user], "store": False}
    assert to_chat() == {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def test_a_tool_without_schema_and_strictness_gets_the_defaults_of_chat() -> None:
    tool = to_responses(tools=[{"type": "function", "function": {"name": "now"}}])["tools"][0]
    assert tool == {
        "type": "function",
        "name": "now",
        "parameters": {"type": "object", "properties": {}},
        "strict": False,
    }
    assert to_chat(tools=[{"type": "function", "name": "now"}])["tools"] == [
        {"type": "function", "function": {"name": "now"}}
    ]


@pytest.mark.parametrize("choice", ["auto", "none", "required"])
def test_tool_choices_of_one_word_are_the_same_everywhere(choice: str) -> None:
    assert to_responses(tool_choice=choice)["tool_choice"] == to_chat(tool_choice=choice)["tool_choice"] == choice


def test_a_named_tool_choice_changes_its_nesting() -> None:
    assert to_chat(tool_choice={"type": "function", "name": "f"})["tool_choice"] == {
        "type": "function",
        "function": {"name": "f"},
    }


def test_json_object_is_a_format_everywhere() -> None:
    assert to_responses(response_format={"type": "json_object"})["text"] == {"format": {"type": "json_object"}}
    assert to_chat(text={"format": {"type": "json_object"}})["response_format"] == {"type": "json_object"}


def test_the_newer_name_of_the_limit_wins() -> None:
    assert to_responses(max_tokens=1, max_completion_tokens=2)["max_output_tokens"] == 2


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"stop": ["x"]}, "stop"),
        ({"logprobs": True}, "logprobs"),
        ({"audio": {"voice": "v"}}, "audio"),
        ({"made_up": 1}, "made_up"),
        ({"tools": [{"type": "custom", "custom": {"name": "c"}}]}, "tools[0]"),
        ({"tool_choice": {"type": "allowed_tools"}}, "tool_choice"),
        ({"messages": [{"role": "function", "content": "x", "name": "f"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, "messages[0].name"),
        ({"messages": [{"role": "assistant", "function_call": {"name": "f"}}]}, "messages[0].function_call"),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "messages[0].audio"),
        ({"tools": [{"type": "function", "function": {"name": "f", "cache": 1}}]}, "tools[0].function.cache"),
        ({"logprobs": False, "top_logprobs": 1}, "top_logprobs"),
        ({"moderation": {"model": "x"}}, "moderation"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]"),
        (
            {
                "messages": [
                    {"role": "tool", "tool_call_id": "c", "content": [{"type": "image_url", "image_url": {"url": "u"}}]}
                ]
            },
            "messages[0].content",
        ),
    ],
)
def test_what_responses_has_no_place_for_is_refused_by_name(more: Any, param: str) -> None:
    with pytest.raises(RefusedError) as refused:
        to_responses(**more)
    assert status_of(refused.value.failure) == 400
    assert refused.value.failure.param == param


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"background": True}, "background"),
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [{"type": "custom", "name": "c"}]}, "tools[0]"),
        ({"input": [{"type": "item_reference", "id": "x"}]}, "input[0]"),
        ({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]}, "input[0].content[0]"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"include": ["message.output_text.logprobs"]}, "include"),
        ({"include": ["reasoning.encrypted_content", "made.up"]}, "include"),
        ({"reasoning": {"effort": "low", "mode": "pro"}}, "reasoning.mode"),
        ({"reasoning": {"context": "all_turns"}}, "reasoning.context"),
        ({"text": {"made_up": 1}}, "text.made_up"),
        ({"max_tool_calls": 1}, "max_tool_calls"),
        ({"tools": [{"type": "function", "name": "f", "async": True}]}, "tools[0].async"),
        ({"tools": [{"type": "function", "name": "f", "output_schema": {}}]}, "tools[0].output_schema"),
    ],
)
def test_what_chat_has_no_place_for_is_refused_by_name(more: Any, param: str) -> None:
    with pytest.raises(RefusedError) as refused:
        to_chat(**more)
    assert status_of(refused.value.failure) == 400
    assert refused.value.failure.param == param


@pytest.mark.parametrize(
    "more",
    [
        {"model": None},
        {"model": 5},
        {"messages": None},
        {"messages": []},
        {"messages": "hi"},
        {"messages": ["hi"]},
        {"messages": [{"content": "no role"}]},
        {"stream": "yes"},
    ],
)
@pytest.mark.parametrize("dialect", [CHAT, RESPONSES])
def test_a_chat_request_with_wrong_types_is_refused_on_every_pair(more: Any, dialect: Any) -> None:
    body = {**ASKED, **more}
    with pytest.raises(RefusedError) as refused:
        pairs.prepare(CHAT, dialect, dump(body), body, US, force_stream=False)
    assert status_of(refused.value.failure) == 400


@pytest.mark.parametrize("more", [{"model": ""}, {"input": None}, {"input": 5}, {"input": ["hi"]}, {"stream": 1}])
@pytest.mark.parametrize("dialect", [CHAT, RESPONSES])
def test_a_responses_request_with_wrong_types_is_refused_on_every_pair(more: Any, dialect: Any) -> None:
    body = {**INPUT, **more}
    with pytest.raises(RefusedError) as refused:
        pairs.prepare(RESPONSES, dialect, dump(body), body, US, force_stream=False)
    assert status_of(refused.value.failure) == 400


@pytest.mark.parametrize(
    "more",
    [
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "user", "content": [5]}]},
        {"messages": [{"role": "tool", "content": "x"}]},
        {"messages": [{"role": "assistant", "tool_calls": [{"id": 1}]}]},
        {"tools": [{"type": "function"}]},
        {"tools": {"a": 1}},
        {"max_tokens": "9"},
        {"max_tokens": True},
        {"response_format": {"type": "json_schema"}},
    ],
)
def test_a_chat_request_that_cannot_be_read_is_refused(more: Any) -> None:
    with pytest.raises(RefusedError):
        to_responses(**more)


@pytest.mark.parametrize(
    "more",
    [
        {"input": [{"role": "user", "content": 5}]},
        {"input": [{"role": "user", "content": [5]}]},
        {"input": [{"type": "function_call", "name": "f"}]},
        {"tools": [{"type": "function"}]},
        {"text": {"format": {"type": "json_schema"}}},
    ],
)
def test_a_responses_request_that_cannot_be_read_is_refused(more: Any) -> None:
    with pytest.raises(RefusedError):
        to_chat(**more)


def test_what_asks_for_nothing_is_left_out() -> None:
    asked = to_chat(
        reasoning={"effort": "low", "context": "auto", "mode": "standard", "generate_summary": "auto"},
        include=["web_search_call.action.sources", "file_search_call.results"],
        tools=[
            {"type": "function", "name": "f", "async": False, "defer_loading": False, "allowed_callers": ["direct"]}
        ],
        context_management=[{"type": "compaction"}],
        top_logprobs=0,
    )
    assert asked["tools"] == [{"type": "function", "function": {"name": "f"}}]
    assert {*asked} == {"model", "messages", "tools", "reasoning_effort"}
    assert {*to_responses(logprobs=False, top_logprobs=0)} == {"model", "input", "store"}


def test_the_cache_is_asked_for_in_the_same_words() -> None:
    cache = {"prompt_cache_key": "k", "prompt_cache_retention": "24h", "prompt_cache_options": {"ttl": "30m"}}
    assert cache.items() <= to_responses(**cache).items()
    assert cache.items() <= to_chat(**cache).items()


def test_the_name_of_a_tool_is_in_its_call() -> None:
    said = {"role": "tool", "tool_call_id": "call_1", "name": "look", "content": "a cat"}
    (item,) = to_responses(messages=[said])["input"]
    assert item == {"type": "function_call_output", "call_id": "call_1", "output": "a cat"}


def test_an_older_name_asks_for_a_summary_too() -> None:
    body = {**INPUT, "reasoning": {"generate_summary": "auto"}}
    assert RESPONSES.decode_request(body).shows_reasoning


def test_the_same_api_gets_the_clients_own_bytes() -> None:
    raw = b'{ "model":"m" , "messages":[{"role":"user","content":"hi"}], "vendor":{"x":1}}'
    assert pairs.prepare(CHAT, CHAT, raw, parse(raw), US, force_stream=False).payload == raw


def test_a_forced_stream_asks_for_what_the_client_did_not() -> None:
    chat = parse(pairs.prepare(CHAT, CHAT, dump(ASKED), ASKED, US, force_stream=True).payload)
    assert chat == {**ASKED, "stream": True, "stream_options": {"include_usage": True}}
    responses = parse(pairs.prepare(RESPONSES, RESPONSES, dump(INPUT), INPUT, US, force_stream=True).payload)
    assert responses == {**INPUT, "stream": True}
    with pytest.raises(RefusedError):
        pairs.prepare(CHAT, CHAT, b"", {**ASKED, "n": 2}, US, force_stream=True)
