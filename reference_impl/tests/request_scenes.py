"""Questions that hold much, for tests that look at what reaches the upstream."""

from typing import Any

from gateway_scenes import MESSAGE, MESSAGES_USAGE, RESPONSE, Scene

DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}, "additionalProperties": False}
CHAT_BODY: dict[str, Any] = {
    "id": "chatcmpl-up",
    "object": "chat.completion",
    "created": 1,
    "model": "model-up",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
}
ANSWERS: dict[str, dict[str, Any]] = {
    "chat": CHAT_BODY,
    "responses": {**RESPONSE, "status": "completed"},
    "messages": {**MESSAGE, "content": [], "stop_reason": "end_turn", "usage": MESSAGES_USAGE},
}


def chat_call(id: str) -> dict[str, Any]:
    return {"id": id, "type": "function", "function": {"name": "look", "arguments": '{"at":"sea"}'}}


def chat_tool(**more: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "look", "parameters": SCHEMA, **more}}


CHAT: list[dict[str, Any]] = [
    {
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "developer", "content": "be kind"},
            {
                "role": "user",
                "content": [{"type": "text", "text": " see: "}, {"type": "image_url", "image_url": {"url": DOT}}],
            },
            {"role": "assistant", "content": "I look", "tool_calls": [chat_call("c1"), chat_call("c2")]},
            {"role": "tool", "tool_call_id": "c1", "content": "waves"},
            {"role": "tool", "tool_call_id": "c2", "content": "wind"},
            {"role": "assistant", "content": None, "tool_calls": [chat_call("c3")]},
            {"role": "tool", "tool_call_id": "c3", "content": "rain"},
        ],
        "tools": [chat_tool(strict=True), chat_tool()],
        "tool_choice": {"type": "function", "function": {"name": "look"}},
        "parallel_tool_calls": False,
        "max_completion_tokens": 1234,
    },
    {"tools": [chat_tool()], "tool_choice": "required", "reasoning_effort": "low"},
    {"tools": [chat_tool()], "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}},
    {"temperature": 0, "stop": ["a", "b"]},
    {"response_format": {"type": "json_object"}},
    {
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}},
        "reasoning_effort": "high",
    },
]

RESPONSES: list[dict[str, Any]] = [
    {
        "instructions": "be brief",
        "input": [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "see:"}, {"type": "input_image", "image_url": DOT}],
            },
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "c2VhbA=="},
            {"type": "function_call", "call_id": "c1", "name": "look", "arguments": '{"at":"sea"}'},
            {"type": "function_call", "call_id": "c2", "name": "look", "arguments": ""},
            {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "waves"}]},
            {"type": "function_call_output", "call_id": "c2", "output": "wind"},
        ],
        "tools": [{"type": "function", "name": "look", "parameters": SCHEMA, "strict": True}],
        "text": {"format": {"type": "json_schema", "name": "x", "schema": SCHEMA}},
    },
    {"input": [{"type": "compaction_trigger"}, {"role": "user", "content": "hi"}]},
    {"tools": [{"type": "web_search"}]},
    {"tools": [{"type": "custom", "name": "patch"}]},
    {"previous_response_id": "resp_1"},
    {"response_format": {"type": "json_object"}},
]

MESSAGES: list[dict[str, Any]] = [
    {
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "see:"}]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "", "signature": "c2ln"},
                    {"type": "text", "text": "I look"},
                    {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "sea"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "is_error": True,
                        "content": [{"type": "text", "text": "waves"}, {"type": "text", "text": "wind"}],
                    },
                    {"type": "text", "text": "so?"},
                ],
            },
            {"role": "system", "content": "be kind"},
        ],
        "tools": [{"name": "look", "input_schema": SCHEMA}],
    },
    {
        "messages": [
            {"role": "user", "content": "see:"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "image", "source": {"type": "url", "url": "https://pictures.invalid/1"}}],
                    },
                    {"type": "document", "source": {"type": "url", "url": "https://papers.invalid/1"}},
                ],
            },
        ]
    },
    {
        "messages": [
            {"role": "user", "content": "see:"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {}}]},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t1",
                        "content": [{"type": "image", "source": {"type": "url", "url": "https://pictures.invalid/1"}}],
                    }
                ],
            },
        ]
    },
    {
        "messages": [
            {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://p.invalid"}}]}
        ]
    },
    {"top_k": 37},
    {"tools": [{"name": f"look{number}", "input_schema": SCHEMA} for number in range(21)]},
    {"thinking": {"type": "disabled"}},
    {"headers": {"anthropic-beta": "one,two"}},
    {"headers": {"content-encoding": "gzip"}},
]


def on_each_dialect(asked: dict[str, list[dict[str, Any]]]) -> list[Scene]:
    """Return one scene for each question of a surface on each dialect."""
    return [
        Scene(surface, dialect, body=answer, stream=False, more=more)
        for surface, questions in asked.items()
        for dialect, answer in ANSWERS.items()
        for more in questions
    ]


def questions() -> list[Scene]:
    """Return one scene for each question on each dialect, and a few that are asked otherwise."""
    found = on_each_dialect({"chat": CHAT, "responses": RESPONSES, "messages": MESSAGES})
    found += [Scene("chat", dialect, []) for dialect in ANSWERS]
    found.append(Scene("messages", "chat", body=CHAT_BODY, stream=False, path="/v1/messages?beta=true"))
    return found
