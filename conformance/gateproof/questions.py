"""What the suite asks: request bodies, a surface's way of putting a question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}

MAX_TOKENS = 4096
"""Messages has no default. More than any script says, and less than any model is refused for."""

ANTHROPIC_VERSION = "2023-06-01"


def question(
    surface: str, words: str, *, model: str, stream: bool, tools: Iterable[str] = (), **extra: Any
) -> dict[str, Any]:
    """A minimal lawful request. Responses input is typed items: some gateways drop untyped ones."""
    body: dict[str, Any] = {"model": model}
    if surface == "responses":
        part = {"type": "input_text", "text": words}
        body["input"] = [{"type": "message", "role": "user", "content": [part]}]
    else:
        body["messages"] = [{"role": "user", "content": words}]
    if surface == "messages":
        body["max_tokens"] = MAX_TOKENS
    if stream:
        body["stream"] = True
    offered = [_tool(surface, name) for name in dict.fromkeys(tools)]
    if offered:
        body["tools"] = offered
    return {**body, **extra}


def headers(surface: str, key: str) -> list[tuple[str, str]]:
    """What a surface's clients send with every question, beside the bearer token."""
    if surface != "messages":
        return []
    version = ("anthropic-version", ANTHROPIC_VERSION)
    return [version, ("x-api-key", key)] if key else [version]


def _tool(surface: str, name: str) -> dict[str, Any]:
    described = {"name": name, "description": f"The {name} tool."}
    parameters = {"type": "object", "properties": {}, "additionalProperties": True}
    if surface == "messages":
        return {**described, "input_schema": parameters}
    function = {**described, "parameters": parameters}
    return {"type": "function", "function": function} if surface == "chat" else {"type": "function", **function}
