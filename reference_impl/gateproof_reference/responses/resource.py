"""The Response object and its items, as this gateway writes them (OpenAI API reference)."""

from typing import Any

from gateproof_reference import failures
from gateproof_reference.canonical import Identity, Request, Thought
from gateproof_reference.failures import Failure
from gateproof_reference.wirejson import Object, objects

ECHOED: dict[str, Any] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "store": False,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "top_p": 1.0,
    "truncation": "disabled",
}
"""Members that repeat the request, with their defaults."""


REDACTED = "redacted_thinking:"
"""What we put before the seal of redacted reasoning in `encrypted_content`, so that it comes back as what it was."""


def encrypted(seal: str, *, redacted: bool) -> str:
    """Return the `encrypted_content` that a seal is: the seal itself, byte for byte, unless it is redacted reasoning."""
    return REDACTED + seal if redacted else seal


def thought(words: str, content: str) -> Thought:
    """Return the reasoning in an item that a client sent back, or an upstream of our kind told: the inverse of encrypted()."""
    return Thought(words, content.removeprefix(REDACTED), content.startswith(REDACTED))


def response_id(identity: Identity) -> str:
    """Return the id of our Response: the request id, so that a log line finds it (sub2api#2972)."""
    return f"resp_{identity.token}"


def response(request: Request, identity: Identity, model: str, status: str, **more: object) -> Object:
    """Return a Response object; `more` are the members that its status brings."""
    echoed = {
        name: default if request.asked.get(name) is None else request.asked[name] for name, default in ECHOED.items()
    }
    return {
        "id": response_id(identity),
        "object": "response",
        "created_at": identity.now,
        "status": status,
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "tools": [_tool(tool) for tool in objects(request.asked.get("tools"))],
        "usage": None,
        **echoed,
        **more,
    }


def _tool(tool: Object) -> Object:
    return {"parameters": None, "strict": None, **tool} if tool.get("type") == "function" else tool


def failed_event(failure: Failure, response: str, model: str | None, sequence: int) -> Object:
    """Return a whole `response.failed` for a turn that the gateway must end itself (sub2api#2972).

    `response` is the id of response.created if the client saw one. An unknown model is left out: "" would name one.
    """
    named = {"model": model} if model else {}
    return {
        "type": "response.failed",
        "sequence_number": sequence,
        "response": {
            "id": response,
            "object": "response",
            **named,
            "status": "failed",
            "output": [],
            "error": failures.failed_error(failure),
        },
    }
