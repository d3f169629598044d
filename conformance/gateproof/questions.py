"""What the suite asks: request bodies, a surface's way of putting a question."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses"}


def question(
    surface: str, words: str, *, model: str, stream: bool, tools: Iterable[str] = (), **extra: Any
) -> dict[str, Any]:
    """A minimal lawful request. Responses input is typed items: some gateways drop untyped ones."""
    body: dict[str, Any] = {"model": model}
    if surface == "chat":
        body["messages"] = [{"role": "user", "content": words}]
    else:
        part = {"type": "input_text", "text": words}
        body["input"] = [{"type": "message", "role": "user", "content": [part]}]
    if stream:
        body["stream"] = True
    offered = [_tool(surface, name) for name in dict.fromkeys(tools)]
    if offered:
        body["tools"] = offered
    return {**body, **extra}


def _tool(surface: str, name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {}, "additionalProperties": True}
    function = {"name": name, "description": f"The {name} tool.", "parameters": parameters}
    return {"type": "function", "function": function} if surface == "chat" else {"type": "function", **function}
