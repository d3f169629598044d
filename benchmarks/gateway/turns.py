"""The turn that every gateway of gateway_speed.py is given: as an event stream and as one body, in both dialects.

Made by hand and not by the mock: every delta is its own event and its own HTTP chunk, and all that stands around the
deltas is what the API asks for, the words told again at their end included.
"""

from __future__ import annotations

import json
from typing import Any

WORD = "word "
MODEL = "gpt-4.1"
PATHS = {"responses": "/v1/responses", "chat": "/v1/chat/completions"}


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def stream(dialect: str, deltas: int) -> list[bytes]:
    """The events of one turn of so many deltas."""
    return responses_stream(deltas) if dialect == "responses" else chat_stream(deltas)


def body(dialect: str, words: int) -> bytes:
    """The same turn as one JSON answer."""
    return compact(response("completed", [message(WORD * words)]) if dialect == "responses" else completion(words))


# ---- Responses ----


def message(words: str | None) -> dict[str, Any]:
    content = [] if words is None else [text_part(words)]
    status = "in_progress" if words is None else "completed"
    return {"id": "msg_1", "type": "message", "status": status, "role": "assistant", "content": content}


def text_part(words: str) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": [], "logprobs": []}


def response(status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    usage = {
        "input_tokens": 8,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 1000,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1008,
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1750000000,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": MODEL,
        "output": output,
        "parallel_tool_calls": True,
        "temperature": 1.0,
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "usage": usage if status == "completed" else None,
    }


def responses_stream(deltas: int) -> list[bytes]:
    item: dict[str, Any] = {"output_index": 0}
    part: dict[str, Any] = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    words = WORD * deltas
    padding = {"logprobs": [], "obfuscation": "x" * 11}
    events: list[tuple[str, dict[str, Any]]] = [
        ("response.created", {"response": response("in_progress", [])}),
        ("response.in_progress", {"response": response("in_progress", [])}),
        ("response.output_item.added", {**item, "item": message(None)}),
        ("response.content_part.added", {**part, "part": text_part("")}),
        *[("response.output_text.delta", {**part, "delta": WORD, **padding})] * deltas,
        ("response.output_text.done", {**part, "text": words, "logprobs": []}),
        ("response.content_part.done", {**part, "part": text_part(words)}),
        ("response.output_item.done", {**item, "item": message(words)}),
        ("response.completed", {"response": response("completed", [message(words)])}),
    ]
    return [
        b"event: %b\ndata: %b\n\n" % (kind.encode(), compact({"type": kind, "sequence_number": number, **members}))
        for number, (kind, members) in enumerate(events)
    ]


# ---- Chat Completions ----


def chat(kind: str, choices: list[dict[str, Any]], **more: object) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1750000000, "model": MODEL, "choices": choices, **more}


USAGE = {"prompt_tokens": 8, "completion_tokens": 1000, "total_tokens": 1008}


def completion(words: int) -> dict[str, Any]:
    said = {"role": "assistant", "content": WORD * words, "refusal": None}
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": "stop"}
    return chat("chat.completion", [choice], usage=USAGE)


def chat_stream(deltas: int) -> list[bytes]:
    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        return chat("chat.completion.chunk", [choice])

    chunks = [
        chunk({"role": "assistant", "content": ""}),
        *[chunk({"content": WORD})] * deltas,
        chunk({}, "stop"),
        chat("chat.completion.chunk", [], usage=USAGE),
    ]
    return [*(b"data: %b\n\n" % compact(one) for one in chunks), b"data: [DONE]\n\n"]
