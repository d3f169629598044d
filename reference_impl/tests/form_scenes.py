"""Options that are said and ask for nothing, and answers in seldom forms, for tests that look at what is made of them."""

from typing import Any

from gateway_scenes import CHAT_USAGE, COUNTED, DONE, MESSAGES_USAGE, Scene, chunk, messages_body, text_block
from request_scenes import CHAT_BODY, DOT, SCHEMA, chat_tool, on_each_dialect

LOOK = {"name": "look", "input_schema": SCHEMA}
CHAT: list[dict[str, Any]] = [
    {"n": 1, "presence_penalty": 0, "frequency_penalty": 0, "logprobs": False},
    {"temperature": None, "stop": None, "tools": None, "reasoning_effort": None},
    {"tools": [chat_tool()], "parallel_tool_calls": True},
    {"tools": [{"type": "function", "function": {"name": "look", "parameters": {}}}]},
    {"tools": [chat_tool(description="word " * 2000)]},
    {
        "messages": [
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": DOT, "detail": "low"}}]},
        ]
    },
    {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "hear:"},
                    {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                ],
            }
        ]
    },
]
RESPONSES: list[dict[str, Any]] = [
    {"background": False, "truncation": "disabled", "text": {"format": {"type": "text"}}},
    {"tools": [{"type": "function", "name": "look", "description": "word " * 2000, "parameters": {}}]},
]
MESSAGES: list[dict[str, Any]] = [
    {"tools": [{**LOOK, "name": "look_" * 18}]},
    {"stop_sequences": ["1", "2", "3", "4", "5"]},
    {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 4000},
    {"tools": [LOOK], "tool_choice": {"type": "auto", "disable_parallel_tool_use": False}},
    {"tools": [{"type": "custom", **LOOK}]},
]
ROLE, NULLS = {"role": "assistant"}, {"prompt_tokens_details": None, "completion_tokens_details": None}
BEGUN = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "look", "arguments": '{"at":'}}
LONG = {**BEGUN, "function": {"name": "look", "arguments": '{"at":1234567890123456789}'}}
GOES_ON = {"index": 0, "function": {"arguments": "1}"}}
STREAMS: list[list[Any]] = [
    [chunk({**ROLE, "content": "Hel"}), chunk({**ROLE, "content": "lo"}), chunk({}, "stop"), DONE],
    [chunk(ROLE), chunk({"content": "Hel"}), chunk({"content": "lo"}, "stop"), DONE],
    [
        chunk(ROLE),
        chunk({"content": "Hi", "tool_calls": [BEGUN]}),
        chunk({"tool_calls": [GOES_ON]}, "tool_calls"),
        DONE,
    ],
    [chunk({**ROLE, "reasoning": "Hm."}), chunk({"content": "Hi"}, "stop"), DONE],
    [chunk({"content": "Hi"}), chunk({}, "stop"), chunk(usage={**CHAT_USAGE, **NULLS}), DONE],
    [chunk(ROLE), chunk({}, "stop"), chunk(usage={**CHAT_USAGE, "completion_tokens": 0}), DONE],
]


def forms() -> list[Scene]:
    """Return one scene for each question on each dialect, and for each answer on each surface."""
    found = on_each_dialect({"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES})
    without = {"cache_read_input_tokens": None, "cache_creation_input_tokens": None}
    choice = CHAT_BODY["choices"][0]
    bodies = {
        "chat": (
            {**CHAT_BODY, "choices": [{**choice, "message": {**choice["message"], "tool_calls": []}}]},
            {**CHAT_BODY, "choices": [{**choice, "finish_reason": "length"}]},
            {**CHAT_BODY, "choices": [{**choice, "message": {**choice["message"], "tool_calls": [LONG]}}]},
        ),
        "messages": ({**messages_body(text_block("Hi")), "usage": {**MESSAGES_USAGE, **without}},),
    }
    for surface, more in (("chat", COUNTED), ("responses", {}), ("messages", {})):
        found += [Scene(surface, "chat", turn, more=more) for turn in STREAMS]
        # Where a stream was asked for, too.
        found += [
            Scene(surface, dialect, body=body, stream=stream)
            for dialect, answers in bodies.items()
            for body in answers
            for stream in (False, True)
        ]
    return found
