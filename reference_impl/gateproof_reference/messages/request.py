"""Messages requests, read into the canonical question (Anthropic API reference; anthropic-sdk-python 2.11.0, `types/`)."""

import hashlib
from collections.abc import Mapping
from typing import Any

from gateproof_reference.canonical import (
    Called,
    Format,
    Image,
    Item,
    Request,
    Returned,
    Said,
    Text,
    Thought,
    Tool,
    ToolChoice,
)
from gateproof_reference.failures import bad_request, unsupported
from gateproof_reference.messages import calls
from gateproof_reference.shared import field, reject_unknown, words
from gateproof_reference.wirejson import Object, integer, text

READ = frozenset(
    {
        *("model", "messages", "system", "max_tokens", "stream", "stop_sequences", "tools", "tool_choice", "metadata"),
        *("temperature", "top_p", "top_k", "thinking", "output_config", "service_tier"),
    }
)
HARMLESS: dict[str, tuple[object, ...]] = {"mcp_servers": ([],), "speed": ("standard",)}
"""Parameters that no other API has, with the values that ask for nothing. Any other value is refused, not forgotten."""

HINTS = frozenset({"cache_control", "context_management", "diagnostics"})
"""What may be left out on the way: what to cache (which changes the bill and not the answer, also where it stands in a
block), leave to shorten (not taken), questions about the cache."""

CONFIG = frozenset({"effort", "format"})
THINKING = frozenset({"type", "budget_tokens", "display"})
TOOL = frozenset({"type", "name", "description", "input_schema", "strict"})
PLAIN_TOOL: dict[str, tuple[object, ...]] = {
    "defer_loading": (False,),
    "allowed_callers": (["direct"],),
    "input_examples": ([],),
}
TOOL_HINTS = frozenset({"cache_control", "eager_input_streaming"})
"""Members of `output_config`, `thinking` and a tool: those that are read, those that no other API has with the values that
ask for nothing, and those that may be left out as above."""

SAME = ("temperature", "top_p")
"""Parameters with the same name and meaning everywhere; here their ranges are within the others'."""

SERVICE_TIERS = {"auto": "auto", "standard_only": "default"}
"""Who serves: the tier that the account has, or the ordinary one. OpenAI's other tiers have no counterpart."""

CHOICES = {"auto": "auto", "any": "required", "none": "none"}
"""Whether the model must call, in Messages and in the other APIs; a tool by its name is `tool` here."""

BUDGETS = ((4096, "low"), (16384, "medium"))
"""Up to how many tokens of thinking an effort goes; beyond the last it is high. A convention, in no document."""

ADAPTIVE_EFFORT = "high"
"""The effort of adaptive thinking that names none (Anthropic's page on effort)."""

USER_LIMIT = 64
"""Characters that `user` may have at OpenAI. A longer id is hashed: it stays as stable, and says no less."""

FORMAT_NAME = "answer"
"""The other APIs want a name for a schema, Messages has none."""


def check_prompt(body: Object) -> None:
    """Raise RefusedError if model or messages is missing or has a wrong type."""
    if not text(body.get("model")):
        raise bad_request("model must be a non-empty string", "model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_request("messages must be a non-empty array", "messages")
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise bad_request(f"messages[{at}] must be an object with a role", f"messages[{at}]")


def check(body: Object) -> None:
    """Raise RefusedError if model, messages, max_tokens or stream is missing or has a wrong type."""
    check_prompt(body)
    if integer(body.get("max_tokens")) is None:
        raise bad_request("max_tokens must be an integer", "max_tokens")
    field(body, "stream", bool)


def decode(body: Object) -> Request:
    """Return the question in a checked request. Raise RefusedError for what cannot be translated."""
    reject_unknown(body, READ, HARMLESS, HINTS)
    config = field(body, "output_config", dict) or {}
    choice = field(body, "tool_choice", dict)
    thinking = field(body, "thinking", dict) or {}
    reject_unknown(config, CONFIG, where="output_config")
    reject_unknown(thinking, THINKING, where="thinking")
    thinks = thinking.get("type") in ("enabled", "adaptive")
    system = _texts(body.get("system"), "system")
    items: list[Item] = [Said("system", system)] if system else []
    for at, message in enumerate(body["messages"]):
        items += _items(message, f"messages[{at}]")
    return Request(
        model=body["model"],
        items=tuple(items),
        stream=body.get("stream") is True,
        include_usage=True,
        tools=tuple(_tool(tool, f"tools[{at}]") for at, tool in enumerate(field(body, "tools", list) or [])),
        tool_choice=_choice(choice),
        format=_format(field(config, "format", dict, "output_config")),
        max_output_tokens=body["max_tokens"],
        stop=words(body.get("stop_sequences"), "stop_sequences"),
        top_k=field(body, "top_k", int),
        effort=effort(thinking, field(config, "effort", str, "output_config")),
        shows_reasoning=thinks and thinking.get("display") != "omitted",
        seals_reasoning=thinks,
        shared=_shared(body, choice or {}),
        asked=body,
    )


def effort(thinking: Object, named: str | None) -> str | None:
    """Return how hard the model shall think, in the words of the other APIs, which are the same from low to max."""
    match thinking.get("type"):
        case None:
            return named
        case "disabled":
            return "none"
        case "adaptive":
            return named or ADAPTIVE_EFFORT
        case "enabled":
            budget = field(thinking, "budget_tokens", int, "thinking") or 0
            return named or next((word for most, word in BUDGETS if budget <= most), "high")
        case _:
            raise unsupported("thinking", "this way of thinking cannot be translated")


def _shared(body: Object, choice: Object) -> dict[str, Any]:
    shared = {name: body[name] for name in SAME if body.get(name) is not None}
    if user := field(field(body, "metadata", dict) or {}, "user_id", str, "metadata"):
        shared["user"] = (
            user if len(user) <= USER_LIMIT else hashlib.sha256(user.encode("utf-8", "replace")).hexdigest()
        )
    if tier := field(body, "service_tier", str):
        if tier not in SERVICE_TIERS:
            raise unsupported("service_tier", "this tier cannot be translated")
        shared["service_tier"] = SERVICE_TIERS[tier]
    if choice.get("disable_parallel_tool_use") is True:
        shared["parallel_tool_calls"] = False
    return shared


def _items(message: Object, where: str) -> list[Item]:
    """Read one message. Results come before the user's words, because they must follow directly on their calls."""
    role, where = message["role"], f"{where}.content"
    if role == "system":
        return [Said(role, _texts(message.get("content"), where))]
    if role not in ("user", "assistant"):
        raise unsupported(where.replace(".content", ".role"), f"the role {role!r} cannot be translated")
    items: list[Item] = []
    said: list[Text | Image] = []
    for at, block in enumerate(_blocks(message.get("content"), where)):
        found = _block(block, role, f"{where}[{at}]")
        if isinstance(found, Text | Image):
            said.append(found)
            continue
        if role == "assistant" and said:
            items.append(Said(role, tuple(said)))
            said = []
        if found is not None:
            items.append(found)
    # A message of nothing but results says nothing itself.
    return [*items, Said(role, tuple(said))] if said or not items else items


def _blocks(content: object, where: str) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise bad_request(f"{where} must be a string or an array", where)
    return content


def _block(block: object, role: str, where: str) -> Text | Image | Called | Returned | Thought | None:
    """Read one block. Thinking that has no signature cannot be sent back to anybody: None."""
    match role, block:
        case _, {"type": "text", "text": str(said)}:
            return Text(said)
        case "user", {"type": "image", "source": dict(source)}:
            return _image(source, where)
        case "user", {"type": "tool_result", "tool_use_id": str(call_id), **rest}:
            return _returned(call_id, rest, where)
        case "assistant", {"type": "tool_use", "id": str(call_id), "name": str(name), "input": dict(value)}:
            return Called(call_id, name, calls.to_arguments(value))
        case "assistant", {"type": "thinking", "thinking": str(shown), **rest}:
            seal = text(rest.get("signature"))
            return Thought(shown, seal) if seal else None
        case "assistant", {"type": "redacted_thinking", "data": str(seal)}:
            return Thought("", seal, redacted=True)
        case _, {"type": str(kind)} if kind not in ("text", "image", "tool_use", "tool_result", "thinking"):
            raise unsupported(where, f"a block of type {kind!r} cannot be translated")
        case _:
            raise bad_request(f"{where} is not a whole block of this role", where)


def _image(source: Object, where: str) -> Image:
    match source:
        case {"type": "base64", "media_type": str(kind), "data": str(data)}:
            return Image(f"data:{kind};base64,{data}")
        case {"type": "url", "url": str(url)}:
            return Image(url)
        case {"type": str(kind)} if kind not in ("base64", "url"):
            raise unsupported(where, f"an image from a source of type {kind!r} cannot be translated")
        case _:
            raise bad_request(f"{where} is not a whole image", where)


def _returned(call_id: str, rest: Mapping[Any, Any], where: str) -> Returned:
    parts: list[Text | Image] = []
    content = rest.get("content")
    for at, block in enumerate([] if content is None else _blocks(content, f"{where}.content")):
        found = _block(block, "user", f"{where}.content[{at}]")
        if not isinstance(found, Text | Image):
            raise bad_request(f"{where}.content[{at}] cannot be in a result", f"{where}.content[{at}]")
        parts.append(found)
    return Returned(call_id, tuple(parts), rest.get("is_error") is True)


def _texts(content: object, where: str) -> tuple[Text, ...]:
    """Read instructions: a string or blocks of text."""
    blocks = [] if content is None else _blocks(content, where)
    found = tuple(_block(block, "system", f"{where}[{at}]") for at, block in enumerate(blocks))
    return tuple(block for block in found if isinstance(block, Text))


def _tool(tool: object, where: str) -> Tool:
    """Read a tool. Without a type it is the client's own (envoyproxy/ai-gateway#1953); the server's have one."""
    match tool:
        case {"type": str(kind)} if kind != "custom":
            raise unsupported(where, f"a tool of type {kind!r} has no place in the upstream's API")
        case {"name": str(name), **rest}:
            reject_unknown(rest, TOOL, PLAIN_TOOL, TOOL_HINTS, where)
            return Tool(
                name, field(rest, "description", str), field(rest, "input_schema", dict), field(rest, "strict", bool)
            )
        case _:
            raise bad_request(f"{where} must be a tool with a name", where)


def _choice(value: Object | None) -> ToolChoice | None:
    match value:
        case None:
            return None
        case {"type": "auto" | "any" | "none" as kind}:
            return ToolChoice(CHOICES[kind])
        case {"type": "tool", "name": str(name)}:
            return ToolChoice("function", name)
        case _:
            raise unsupported("tool_choice", "this choice cannot be translated")


def _format(value: Object | None) -> Format | None:
    """Read the shape of the answer. Messages enforces its schema always, which the others call strict."""
    match value:
        case None:
            return None
        case {"type": "json_schema", "schema": dict(schema)}:
            return Format("json_schema", {"name": FORMAT_NAME, "schema": schema, "strict": True})
        case _:
            raise bad_request("output_config.format must be a json_schema with its schema", "output_config.format")
