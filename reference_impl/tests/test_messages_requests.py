"""Requests, from Messages into the other APIs and from them into Messages."""

import hashlib
from typing import Any

import pytest
from test_requests import ASKED, INPUT, SCHEMA, US

from gateproof_reference import pairs
from gateproof_reference.apis import APIS
from gateproof_reference.failures import RefusedError, status_of
from gateproof_reference.messages.asking import MAX_TOKENS
from gateproof_reference.wirejson import dump, parse

PROMPT: dict[str, Any] = {"model": "m", "max_tokens": 1234, "messages": [{"role": "user", "content": "hi"}]}
BODIES: dict[str, dict[str, Any]] = {"chat": ASKED, "responses": INPUT, "messages": PROMPT}
PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA=="}}
LINK = {"type": "image", "source": {"type": "url", "url": "https://pictures.invalid/1"}}


def translated(surface: str, dialect: str, **more: Any) -> Any:
    body = {name: value for name, value in {**BODIES[surface], **more}.items() if value is not None}
    return parse(pairs.prepare(APIS[surface], APIS[dialect], dump(body), body, US, force_stream=False).payload)


RICH: dict[str, Any] = {
    "system": [
        {"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "and kind"},
    ],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "what is this?"}, PICTURE, LINK]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "cmVk"},
                {"type": "text", "text": "let me see"},
                {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": 1}},
                {"type": "tool_use", "id": "call_2", "name": "take", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "call_1", "content": "a cat"},
                {
                    "type": "tool_result",
                    "tool_use_id": "call_2",
                    "content": [{"type": "text", "text": t} for t in ("too", "heavy")],
                    "is_error": True,
                },
                {"type": "text", "text": "go on", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {"role": "system", "content": "be quick"},
        {"role": "assistant", "content": "It is"},
    ],
    "stream": True,
    "tools": [{"name": "look", "description": "d", "input_schema": SCHEMA, "strict": True}],
    "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
    "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
    "thinking": {"type": "adaptive"},
    "metadata": {"user_id": "u"},
    "temperature": 0.5,
    "top_p": 0.9,
    "service_tier": "standard_only",
    "context_management": {"edits": []},
    "cache_control": {"type": "ephemeral"},
}


def test_a_messages_request_becomes_a_chat_request() -> None:
    assert translated("messages", "chat", **RICH, stop_sequences=["x", "y"]) == {
        "model": "m",
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": t} for t in ("be brief", "and kind")]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                    {"type": "image_url", "image_url": {"url": "https://pictures.invalid/1"}},
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
            {
                "role": "tool",
                "tool_call_id": "call_2",
                "content": [{"type": "text", "text": t} for t in ("Error: too", "heavy")],
            },
            {"role": "user", "content": "go on"},
            {"role": "system", "content": "be quick"},
            {"role": "assistant", "content": "It is"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "tools": [
            {"type": "function", "function": {"name": "look", "description": "d", "parameters": SCHEMA, "strict": True}}
        ],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": False,
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}},
        "max_completion_tokens": 1234,
        "reasoning_effort": "low",
        "stop": ["x", "y"],
        "temperature": 0.5,
        "top_p": 0.9,
        "user": "u",
        "service_tier": "default",
    }


def test_a_messages_request_becomes_a_responses_request() -> None:
    made = translated("messages", "responses", **RICH)
    assert made.pop("input") == [
        {
            "type": "message",
            "role": "system",
            "content": [{"type": "input_text", "text": t} for t in ("be brief", "and kind")],
        },
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "what is this?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
                {"type": "input_image", "image_url": "https://pictures.invalid/1", "detail": "auto"},
            ],
        },
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "c2ln"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "let me see"}]},
        {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at":1}'},
        {"type": "function_call", "call_id": "call_2", "name": "take", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call_1", "output": "a cat"},
        {
            "type": "function_call_output",
            "call_id": "call_2",
            "output": [{"type": "input_text", "text": t} for t in ("Error: too", "heavy")],
        },
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "go on"}]},
        {"type": "message", "role": "system", "content": [{"type": "input_text", "text": "be quick"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "It is"}]},
    ]
    assert made == {
        "model": "m",
        "stream": True,
        "store": False,
        "tools": [{"type": "function", "name": "look", "description": "d", "parameters": SCHEMA, "strict": True}],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "text": {"format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True}},
        "max_output_tokens": 1234,
        "reasoning": {"effort": "low", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "temperature": 0.5,
        "top_p": 0.9,
        "user": "u",
        "service_tier": "default",
    }


CALL = {"id": "functions.look:0", "type": "function", "function": {"name": "look", "arguments": '{"at":1}'}}


def test_a_chat_request_becomes_a_messages_request() -> None:
    assert translated(
        "chat",
        "messages",
        messages=[
            {"role": "system", "content": "be brief"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "what is this?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
                    {"type": "image_url", "image_url": {"url": "https://pictures.invalid/1"}},
                ],
            },
            {"role": "assistant", "content": "", "tool_calls": [CALL, {**CALL, "id": "call_2"}]},
            {"role": "tool", "tool_call_id": "functions.look:0", "content": "a cat"},
            {"role": "tool", "tool_call_id": "call_2", "content": [{"type": "text", "text": t} for t in ("o", "k")]},
            {"role": "user", "content": "go on"},
            {"role": "developer", "content": "and kind"},
            {"role": "assistant", "content": None, "refusal": "no"},
        ],
        stream=True,
        stream_options={"include_usage": True},
        tools=[{"type": "function", "function": {"name": "look", "description": "d", "parameters": SCHEMA}}],
        tool_choice="required",
        parallel_tool_calls=False,
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": SCHEMA, "strict": True}},
        max_completion_tokens=1234,
        stop="x",
        reasoning_effort="minimal",
        temperature=1,
        top_p=0.9,
        metadata={"a": "b"},
        safety_identifier="s",
        user="u",
        service_tier="auto",
        store=False,
        prompt_cache_key="k",
    ) == {
        "model": "m",
        "max_tokens": 1234,
        "system": [{"type": "text", "text": "be brief"}, {"type": "text", "text": "and kind"}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "what is this?"}, PICTURE, LINK]},
            {
                "role": "assistant",
                "content": [
                    {"type": "tool_use", "id": "functions_look_0", "name": "look", "input": {"at": 1}},
                    {"type": "tool_use", "id": "call_2", "name": "look", "input": {"at": 1}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "functions_look_0", "content": "a cat"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "call_2",
                        "content": [{"type": "text", "text": "o"}, {"type": "text", "text": "k"}],
                    },
                    {"type": "text", "text": "go on"},
                ],
            },
            {"role": "assistant", "content": "no"},
        ],
        "stream": True,
        "tools": [{"name": "look", "description": "d", "input_schema": SCHEMA}],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}},
        "thinking": {"type": "adaptive"},
        "stop_sequences": ["x"],
        "temperature": 1,
        "top_p": 0.9,
        "metadata": {"user_id": "s"},
        "service_tier": "auto",
    }


def test_a_responses_request_becomes_a_messages_request() -> None:
    assert translated(
        "responses",
        "messages",
        instructions="be brief",
        input=[
            {"role": "developer", "content": "and kind"},
            {"role": "user", "content": "look"},
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": t} for t in ("I ", "think")],
                "encrypted_content": "c2ln",
            },
            {"type": "reasoning", "id": "rs_2", "summary": [], "encrypted_content": "redacted_thinking:cmVk"},
            {"type": "reasoning", "id": "rs_3", "summary": [{"type": "summary_text", "text": "unsealed"}]},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "let me see"}]},
            {"type": "function_call", "call_id": "call_1", "name": "look", "arguments": '{"at":1}'},
            {"type": "function_call", "call_id": "call_2", "name": "take", "arguments": ""},
            {"type": "function_call_output", "call_id": "call_1", "output": "a cat"},
            {
                "type": "function_call_output",
                "call_id": "call_2",
                "output": [
                    {"type": "input_text", "text": "see"},
                    {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
                ],
            },
        ],
        tools=[{"type": "function", "name": "now"}],
        text={"format": {"type": "text"}, "verbosity": "medium"},
        reasoning={"effort": "xhigh", "summary": "auto"},
        include=["reasoning.encrypted_content"],
        parallel_tool_calls=False,
        truncation="disabled",
    ) == {
        "model": "m",
        "max_tokens": MAX_TOKENS,
        "system": [{"type": "text", "text": "be brief"}, {"type": "text", "text": "and kind"}],
        "messages": [
            {"role": "user", "content": "look"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "I think", "signature": "c2ln"},
                    {"type": "redacted_thinking", "data": "cmVk"},
                    {"type": "text", "text": "let me see"},
                    {"type": "tool_use", "id": "call_1", "name": "look", "input": {"at": 1}},
                    {"type": "tool_use", "id": "call_2", "name": "take", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "a cat"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "call_2",
                        "content": [{"type": "text", "text": "see"}, PICTURE],
                    },
                ],
            },
        ],
        "tools": [{"name": "now", "input_schema": {"type": "object", "properties": {}}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "adaptive", "display": "summarized"},
        "output_config": {"effort": "xhigh"},
    }


def test_the_smallest_requests() -> None:
    said = {"role": "user", "content": "hi"}
    assert translated("chat", "messages") == {"model": "m", "max_tokens": MAX_TOKENS, "messages": [said]}
    assert translated("responses", "messages") == {"model": "m", "max_tokens": MAX_TOKENS, "messages": [said]}
    assert translated("messages", "chat") == {"model": "m", "messages": [said], "max_completion_tokens": 1234}
    user = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
    assert translated("messages", "responses") == {
        "model": "m",
        "input": [user],
        "store": False,
        "max_output_tokens": 1234,
    }


def test_images_in_results_reach_responses() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": [PICTURE], "is_error": True}
    (made,) = translated("messages", "responses", messages=[{"role": "user", "content": [result]}])["input"]
    assert made["output"] == [
        {"type": "input_text", "text": "Error:"},
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "auto"},
    ]


def test_results_come_before_words_and_words_do_not_part_calls_from_them() -> None:
    messages = [
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "first"},
                {"type": "tool_use", "id": "a", "name": "f", "input": {}},
                {"type": "text", "text": "then"},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "text", "text": "and"}, {"type": "tool_result", "tool_use_id": "a", "content": "1"}],
        },
    ]
    made = translated("messages", "chat", messages=messages)["messages"]
    assert [entry["role"] for entry in made] == ["assistant", "tool", "user"]
    assert [part["text"] for part in made[0]["content"]] == ["first", "then"]


@pytest.mark.parametrize(
    ("thinking", "effort", "expected"),
    [
        (None, None, None),
        (None, "max", "max"),
        ({"type": "disabled"}, None, "none"),
        ({"type": "adaptive"}, None, "high"),
        ({"type": "adaptive"}, "medium", "medium"),
        ({"type": "enabled", "budget_tokens": 1024}, None, "low"),
        ({"type": "enabled", "budget_tokens": 4096}, None, "low"),
        ({"type": "enabled", "budget_tokens": 16384}, None, "medium"),
        ({"type": "enabled", "budget_tokens": 32000}, None, "high"),
        ({"type": "enabled", "budget_tokens": 1024}, "xhigh", "xhigh"),
    ],
)
def test_thinking_is_an_effort_elsewhere(thinking: Any, effort: Any, expected: Any) -> None:
    config = {"effort": effort} if effort else None
    assert translated("messages", "chat", thinking=thinking, output_config=config).get("reasoning_effort") == expected
    made = translated("messages", "responses", thinking=thinking, output_config=config)
    assert made.get("reasoning", {}).get("effort") == expected
    assert ("include" in made) == (thinking is not None and thinking["type"] != "disabled")


def test_omitted_thinking_is_not_asked_for() -> None:
    made = translated("messages", "responses", thinking={"type": "adaptive", "display": "omitted"})
    assert (made["reasoning"], made["include"]) == ({"effort": "high"}, ["reasoning.encrypted_content"])


@pytest.mark.parametrize(
    ("effort", "thinking", "config"),
    [
        ("none", {"type": "disabled"}, None),
        ("minimal", {"type": "adaptive"}, {"effort": "low"}),
        *((word, {"type": "adaptive"}, {"effort": word}) for word in ("low", "medium", "high", "xhigh", "max")),
    ],
)
def test_an_effort_is_adaptive_thinking_in_messages(effort: str, thinking: Any, config: Any) -> None:
    made = translated("chat", "messages", reasoning_effort=effort)
    assert (made["thinking"], made.get("output_config")) == (thinking, config)


CHOICES = [
    ("auto", {"type": "auto"}),
    ("none", {"type": "none"}),
    ("required", {"type": "any"}),
    ({"type": "function", "name": "f"}, {"type": "tool", "name": "f"}),
]
TOOL = {"name": "f", "input_schema": {"type": "object"}}
FLAT = {"type": "function", "name": "f"}


@pytest.mark.parametrize(("theirs", "ours"), CHOICES)
def test_tool_choices(theirs: Any, ours: Any) -> None:
    assert translated("responses", "messages", tools=[FLAT], tool_choice=theirs)["tool_choice"] == ours
    assert translated("messages", "responses", tools=[TOOL], tool_choice=ours)["tool_choice"] == theirs
    nested = {"type": "function", "function": {"name": "f"}} if isinstance(theirs, dict) else theirs
    tools = [{"type": "function", "function": {"name": "f"}}]
    assert translated("chat", "messages", tools=tools, tool_choice=nested)["tool_choice"] == ours
    assert translated("messages", "chat", tools=[TOOL], tool_choice=ours)["tool_choice"] == nested


def test_a_choice_without_tools_asks_for_nothing() -> None:
    assert "tool_choice" not in translated("chat", "messages", tool_choice="auto", parallel_tool_calls=False)


def test_a_long_user_id_is_hashed() -> None:
    long = "user_" + "x" * 100
    expected = hashlib.sha256(long.encode()).hexdigest()
    assert translated("messages", "chat", metadata={"user_id": long})["user"] == expected
    assert translated("messages", "chat", metadata={"user_id": "x" * 64})["user"] == "x" * 64


def test_a_tool_with_a_type_is_the_clients_only_if_it_is_custom() -> None:
    made = translated("messages", "chat", tools=[{**TOOL, "type": "custom"}, TOOL])["tools"]
    assert [tool["function"]["name"] for tool in made] == ["f", "f"]


@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"made_up": 1}, "made_up"),
        ({"user": "u"}, "user"),
        ({"store": True}, "store"),
        ({"container": "c"}, "container"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"speed": "fast"}, "speed"),
        ({"service_tier": "x"}, "service_tier"),
        ({"thinking": {"type": "x"}}, "thinking"),
        ({"thinking": {"type": "adaptive", "made_up": 1}}, "thinking.made_up"),
        ({"output_config": {"effort": "low", "task_budget": {"total": 9}}}, "output_config.task_budget"),
        ({"tools": [{"name": "f", "defer_loading": True}]}, "tools[0].defer_loading"),
        ({"tools": [{"name": "f", "input_examples": [{"a": 1}]}]}, "tools[0].input_examples"),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, "tools[0]"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [{"type": "document"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "assistant", "content": [{"type": "server_tool_use"}]}]}, "messages[0].content[0]"),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]}
                ]
            },
            "messages[0].content[0]",
        ),
        ({"tool_choice": {"type": "x"}}, "tool_choice"),
    ],
)
def test_what_messages_alone_has_is_refused_by_name(dialect: str, more: Any, param: str) -> None:
    with pytest.raises(RefusedError) as refused:
        translated("messages", dialect, **more)
    assert status_of(refused.value.failure) == 400
    assert refused.value.failure.param == param


@pytest.mark.parametrize(
    ("surface", "more", "param"),
    [
        ("messages", {"stop_sequences": ["x"]}, "stop_sequences"),
        ("chat", {"stop": "x"}, "stop"),
    ],
)
def test_responses_cannot_be_stopped(surface: str, more: Any, param: str) -> None:
    with pytest.raises(RefusedError) as refused:
        translated(surface, "responses", **more)
    assert refused.value.failure.param == param


@pytest.mark.parametrize(
    ("surface", "more", "param"),
    [
        ("chat", {"temperature": 1.5}, "temperature"),
        ("chat", {"n": 2}, "n"),
        ("chat", {"logprobs": True}, "logprobs"),
        ("chat", {"presence_penalty": 0.5}, "presence_penalty"),
        ("chat", {"verbosity": "low"}, "verbosity"),
        ("chat", {"store": True}, "store"),
        ("chat", {"service_tier": "flex"}, "service_tier"),
        ("chat", {"response_format": {"type": "json_object"}}, "response_format"),
        ("responses", {"text": {"format": {"type": "json_object"}}}, "text"),
        ("responses", {"previous_response_id": "resp_1"}, "previous_response_id"),
        ("responses", {"tools": [{"type": "web_search"}]}, "tools[0]"),
        ("chat", {"messages": [{"role": "system", "content": "alone"}]}, None),
        (
            "chat",
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "ftp://x"}}]}]},
            None,
        ),
        (
            "chat",
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "[1]"}}]}
                ]
            },
            None,
        ),
    ],
)
def test_what_messages_has_no_place_for_is_refused(surface: str, more: Any, param: str | None) -> None:
    with pytest.raises(RefusedError) as refused:
        translated(surface, "messages", **more)
    assert status_of(refused.value.failure) == 400
    assert refused.value.failure.code == "unsupported_parameter"
    assert refused.value.failure.param == param


def test_chat_has_no_place_for_an_image_that_a_tool_returned() -> None:
    result = {"type": "tool_result", "tool_use_id": "a", "content": [PICTURE]}
    with pytest.raises(RefusedError) as refused:
        translated("messages", "chat", messages=[{"role": "user", "content": [result]}])
    assert status_of(refused.value.failure) == 400


@pytest.mark.parametrize(
    "more",
    [
        *({name: value} for name in ("model", "messages", "max_tokens") for value in (None, [], "")),
        {"messages": ["hi"]},
        {"messages": [{"content": "x"}]},
        {"max_tokens": True},
        {"stream": "yes"},
    ],
)
@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
def test_a_messages_request_with_wrong_types_is_refused_on_every_pair(dialect: str, more: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        translated("messages", dialect, **more)
    assert status_of(refused.value.failure) == 400


@pytest.mark.parametrize(
    "more",
    [
        {"messages": [{"role": "user", "content": 5}]},
        {"messages": [{"role": "user", "content": [5]}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": "{}"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64"}}]}]},
        {"system": 5},
        {"system": [PICTURE]},
        {"tools": [{"input_schema": {}}]},
        {"stop_sequences": "x"},
        {"output_config": {"format": {"type": "json_schema"}}},
        {"output_config": 5},
        {"metadata": {"user_id": 5}},
    ],
)
def test_a_messages_request_that_cannot_be_read_is_refused(more: Any) -> None:
    with pytest.raises(RefusedError):
        translated("messages", "chat", **more)


def test_the_same_api_gets_the_clients_own_bytes() -> None:
    raw = b'{ "model":"m" , "max_tokens":1,"messages":[{"role":"user","content":"hi"}], "vendor":{"x":1}}'
    api = APIS["messages"]
    assert pairs.prepare(api, api, raw, parse(raw), US, force_stream=False).payload == raw
    forced = parse(pairs.prepare(api, api, raw, parse(raw), US, force_stream=True).payload)
    assert forced == {**parse(raw), "stream": True}
