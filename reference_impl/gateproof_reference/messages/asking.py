"""Messages requests, written from the canonical question (Anthropic API reference; anthropic-sdk-python 2.11.0)."""

import re
from typing import Any

from gateproof_reference.canonical import Called, Image, Item, Part, Request, Returned, Said, Thought, Tool
from gateproof_reference.failures import UNSUPPORTED, bad_request, unsupported
from gateproof_reference.messages import calls
from gateproof_reference.messages.request import CHOICES, SAME, SERVICE_TIERS
from gateproof_reference.shared import no_place
from gateproof_reference.wirejson import Object, text

MAX_TOKENS = 8192
"""What is asked for where the client named no limit: Messages requires one (envoyproxy/ai-gateway#893). Every model that is
served today can write as much, and a longer answer ends with `max_tokens`, which the client is told as its length."""

MODES = {ours: theirs for theirs, ours in CHOICES.items()}
TIERS = {ours: theirs for theirs, ours in SERVICE_TIERS.items()}

EFFORTS = {"minimal": "low"}
"""Efforts that Messages does not know, by the nearest that it does; none is thinking disabled. All others are the same."""

DATA_URL = re.compile(r"data:([^;,]+);base64,(.*)", re.DOTALL)
NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")
"""What Messages allows in the id of a call is less than what others put there (as `functions.look:0`)."""


def encode(request: Request, *, stream: bool) -> Object:
    """Return the request body; only keys of Messages, and only what was asked. Raise RefusedError if it has no key for
    something that was asked."""
    body: Object = {
        "model": request.model,
        "max_tokens": MAX_TOKENS if request.max_output_tokens is None else request.max_output_tokens,
        "messages": _messages(request.items),
        **_shared(request),
    }
    if not body["messages"]:
        raise bad_request("the upstream's API needs a message beside the instructions", code=UNSUPPORTED)
    if request.verbosity not in (None, "medium"):
        raise no_place(request.asked, "verbosity", "text")
    config = {**_effort(request.effort), **_format(request)}
    optional: dict[str, Any] = {
        "system": _system(request.items),
        "tools": [_tool(tool) for tool in request.tools] or None,
        "tool_choice": _choice(request),
        "stop_sequences": list(request.stop) or None,
        "top_k": request.top_k,
        "thinking": _thinking(request),
        "output_config": config or None,
        "stream": True if stream else None,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def _shared(request: Request) -> Object:
    """Return the parameters that the other APIs share, in the words of Messages. Without a member of their own are labels
    (metadata), a hint to the cache (prompt_cache_key), and parallel_tool_calls, which tool_choice says here."""
    found: Object = {}
    user = request.shared.get("safety_identifier") or request.shared.get("user")
    if text(user):
        found["metadata"] = {"user_id": user}
    for name, value in request.shared.items():
        if name in SAME:
            found[name] = _number(name, value)
        elif name == "service_tier":
            if value not in TIERS:
                raise unsupported(name, "the upstream's API has no such tier")
            found[name] = TIERS[value]
        elif name == "store" and value is True:
            raise unsupported(name, "the upstream's API stores no answers")
    return found


def _number(name: str, value: object) -> object:
    """Return a temperature or top_p. Messages ends at 1: to make 1 of more would be another question."""
    if isinstance(value, int | float) and value > 1:
        raise unsupported(name, "the upstream's API takes no more than 1")
    return value


def _system(items: tuple[Item, ...]) -> str | list[Object] | None:
    """Return all instructions in order, wherever they stood: Messages has one place for them, before the messages."""
    blocks: list[Object] = []
    for item in items:
        if isinstance(item, Said) and item.role in ("system", "developer"):
            if any(isinstance(part, Image) for part in item.parts):
                raise bad_request("the upstream's API has no place for an image in its instructions", code=UNSUPPORTED)
            blocks += _parts(item.parts)
    return _content(blocks) if blocks else None


def _messages(items: tuple[Item, ...]) -> list[Object]:
    """Roles take turns: what follows each other in one role is one message, and in it results come first."""
    turns: list[tuple[str, list[Object]]] = []
    for item in items:
        role, blocks = _blocks(item)
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        elif blocks and role in ("user", "assistant"):
            turns.append((role, blocks))
    return [
        {"role": role, "content": _content(sorted(blocks, key=lambda block: block["type"] != "tool_result"))}
        for role, blocks in turns
    ]


def _blocks(item: Item) -> tuple[str, list[Object]]:
    match item:
        case Said(role, parts):
            return role, _parts(parts)
        case Called(call_id, name, arguments):
            value = calls.to_input(arguments)
            if value is None:
                raise bad_request(f"the arguments of the call {call_id!r} are no JSON object", code=UNSUPPORTED)
            return "assistant", [{"type": "tool_use", "id": _id(call_id), "name": name, "input": value}]
        case Returned(call_id, parts, is_error):
            said = _parts(parts)
            content = {"content": _content(said)} if said else {}
            failed = {"is_error": True} if is_error else {}
            return "user", [{"type": "tool_result", "tool_use_id": _id(call_id), **content, **failed}]
        case Thought(shown, seal, redacted):
            if redacted:
                return "assistant", [{"type": "redacted_thinking", "data": seal}]
            return "assistant", [{"type": "thinking", "thinking": shown, "signature": seal}]


def _id(call_id: str) -> str:
    return NOT_IN_AN_ID.sub("_", call_id)


def _content(blocks: list[Object]) -> str | list[Object]:
    if len(blocks) == 1 and blocks[0]["type"] == "text":
        return str(blocks[0]["text"])
    return blocks


def _parts(parts: tuple[Part, ...]) -> list[Object]:
    """Return blocks; empty text, which Messages refuses, says nothing. A refusal in the history was said in words."""
    return [_image(part) if isinstance(part, Image) else _text(part.text) for part in parts if _says(part)]


def _says(part: Part) -> bool:
    return isinstance(part, Image) or bool(part.text)


def _text(said: str) -> Object:
    return {"type": "text", "text": said}


def _image(image: Image) -> Object:
    """Return an image block. How closely to look at it is a hint that Messages does not have."""
    if found := DATA_URL.fullmatch(image.url):
        source = {"type": "base64", "media_type": found[1], "data": found[2]}
    elif image.url.startswith(("http://", "https://")):
        source = {"type": "url", "url": image.url}
    else:
        raise bad_request("an image must be an http or a base64 data URL for the upstream's API", code=UNSUPPORTED)
    return {"type": "image", "source": source}


def _tool(tool: Tool) -> Object:
    described = {"description": tool.description} if tool.description is not None else {}
    # The schema must say that it is one of an object; without parameters there is none to say it.
    schema = {"type": "object", **(tool.parameters if tool.parameters is not None else {"properties": {}})}
    return {"name": tool.name, **described, "input_schema": schema, **({"strict": True} if tool.strict else {})}


def _choice(request: Request) -> Object | None:
    """Return whether the model must call, and whether only once; without tools there is nothing to choose from."""
    choice, tools = request.tool_choice, request.tools
    once = request.shared.get("parallel_tool_calls") is False and bool(tools)
    if choice is None or (choice.mode in ("auto", "none") and not tools):
        return {"type": "auto", "disable_parallel_tool_use": True} if once else None
    chosen = {"type": "tool", "name": choice.name} if choice.mode == "function" else {"type": MODES[choice.mode]}
    return {**chosen, "disable_parallel_tool_use": True} if once and choice.mode != "none" else chosen


def _effort(effort: str | None) -> Object:
    return {} if effort in (None, "none") else {"effort": EFFORTS.get(effort or "", effort)}


def _thinking(request: Request) -> Object | None:
    """Return how the model shall think: adaptive wherever an effort is named, which is how Messages takes efforts."""
    if request.effort in (None, "none"):
        return None if request.effort is None else {"type": "disabled"}
    return {"type": "adaptive", **({"display": "summarized"} if request.shows_reasoning else {})}


def _format(request: Request) -> Object:
    """Return the shape of the answer. Its name is a label, and strict it is always; JSON without a schema is unknown."""
    wanted = request.format
    if wanted is None or wanted.kind == "text":
        return {}
    schema = wanted.schema.get("schema")
    if wanted.kind != "json_schema" or not isinstance(schema, dict):
        raise no_place(request.asked, "response_format", "text")
    return {"format": {"type": "json_schema", "schema": schema}}
