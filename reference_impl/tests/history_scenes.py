"""Second turns as clients send them: thoughts, answers as the SDKs dump them, and forms that few tests write."""

from typing import Any

from gateway_scenes import Scene
from request_scenes import ANSWERS, chat_call

MARK = {"cache_control": {"type": "ephemeral"}}
DUMPED = {"refusal": None, "annotations": [], "tool_calls": None, "function_call": None, "audio": None}
PAPER = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}}


def chat(*messages: dict[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "see:"}, *messages]}


def messages(*blocks: dict[str, Any], result: Any = "waves") -> dict[str, Any]:
    called = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    returned = {"type": "tool_result", "tool_use_id": "t1", "content": result}
    return chat({"role": "assistant", "content": [*blocks, called]}, {"role": "user", "content": [returned]})


def rules(kind: str) -> list[dict[str, Any]]:
    return [{"type": kind, "text": words} for words in ("be brief", "be kind")]


HISTORIES: dict[str, list[dict[str, Any]]] = {
    "chat": [
        chat({"role": "system", "content": rules("text")}),
        chat({"role": "assistant", "content": "I saw", **DUMPED}, {"role": "user", "content": "so?"}),
        chat(
            {"role": "assistant", "content": "I saw", "reasoning_content": "eyes"}, {"role": "user", "content": "so?"}
        ),
        chat(
            {"role": "assistant", "content": "", "tool_calls": [chat_call("c1")]},
            {"role": "tool", "tool_call_id": "c1", "content": "waves"},
        ),
        chat({"role": "assistant", "content": None, "refusal": "I cannot"}, {"role": "user", "content": "why?"}),
        chat(
            {
                "role": "assistant",
                "tool_calls": [{**chat_call("c1"), "function": {"name": "look", "arguments": '{"at":'}}],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "waves"},
        ),
        chat({"role": "user", "content": "half \ud83d"}),
    ],
    "responses": [
        {"input": [{"role": "developer", "content": rules("input_text")}, {"role": "user", "content": "hi"}]},
        {
            "input": [
                {"role": "user", "content": "see:"},
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": "I saw", "annotations": [], "logprobs": []}],
                },
                {"role": "user", "content": "so?"},
            ]
        },
        {
            "input": [
                {"role": "user", "content": "see:"},
                {"role": "assistant", "content": [{"type": "refusal", "refusal": "I cannot"}]},
                {"role": "user", "content": "why?"},
            ]
        },
    ],
    "messages": [
        messages({"type": "thinking", "thinking": "eyes", "signature": "c2ln"}),
        messages({"type": "text", "text": "I look", "citations": None}),
        messages(result=[{"type": "text", "text": "read"}, PAPER]),
        chat({"role": "assistant", "content": '{"at":'}),
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "see:", **MARK}]}]},
    ],
}


def histories() -> list[Scene]:
    """Return one scene for each history on each dialect."""
    return [
        Scene(surface, dialect, body=answer, stream=False, more=more)
        for surface, asked in HISTORIES.items()
        for dialect, answer in ANSWERS.items()
        for more in asked
    ]
