"""Chat Completions requests: read into the canonical question, and written from it (OpenAI API reference)."""

from typing import Any

from gateproof_reference.canonical import (
    Called,
    Format,
    Image,
    Item,
    Part,
    Refusal,
    Request,
    Returned,
    Said,
    Text,
    Thought,
    Tool,
    ToolChoice,
)
from gateproof_reference.failures import UNSUPPORTED, bad_request, unsupported
from gateproof_reference.shared import SHARED, field, marked, no_place, reject_unknown, words
from gateproof_reference.wirejson import Object, text

READ = frozenset(
    {
        *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "response_format"),
        *SHARED,
        *("max_tokens", "max_completion_tokens", "reasoning_effort", "verbosity", "stop"),
    }
)
HARMLESS: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "logit_bias": ({},),
    "modalities": (["text"],),
}
"""Parameters that no other API has, with the values that ask for nothing. Any other value is refused, not forgotten."""

HINTS = frozenset({"seed", "prediction"})
"""Parameters that only promise an attempt (a seed is best effort, a prediction saves time): left out on the way."""

TOOL = frozenset({"name", "description", "parameters", "strict"})

NOT_IN_HISTORY = ("name", "function_call", "audio")
"""Members of a message that no other API has a place for: who of several speaks, and two older ways to answer. The name of
a tool says nothing that the id of its call does not say."""

ROLES = ("system", "developer", "user", "assistant", "tool")


def check(body: Object) -> None:
    """Raise RefusedError if model, messages or stream is missing or has a wrong type."""
    if not text(body.get("model")):
        raise bad_request("model must be a non-empty string", "model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise bad_request("messages must be a non-empty array", "messages")
    for at, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise bad_request(f"messages[{at}] must be an object with a role", f"messages[{at}]")
    field(body, "stream", bool)
    field(body, "stream_options", dict)


def wants_usage(body: Object) -> bool:
    """Return whether the client asked for a usage chunk."""
    options = body.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


def decode(body: Object) -> Request:
    """Return the question in a checked request. Raise RefusedError for what cannot be translated."""
    reject_unknown(body, READ, HARMLESS, HINTS)
    limit = field(body, "max_completion_tokens", int)
    return Request(
        model=body["model"],
        items=tuple(item for at, message in enumerate(body["messages"]) for item in _items(message, f"messages[{at}]")),
        stream=body.get("stream") is True,
        include_usage=wants_usage(body),
        tools=tuple(_tool(tool, f"tools[{at}]") for at, tool in enumerate(field(body, "tools", list) or [])),
        tool_choice=_choice(body.get("tool_choice")),
        format=_format(field(body, "response_format", dict)),
        max_output_tokens=limit if limit is not None else field(body, "max_tokens", int),
        stop=_stop(body.get("stop")),
        effort=field(body, "reasoning_effort", str),
        verbosity=field(body, "verbosity", str),
        shared={name: body[name] for name in SHARED if body.get(name) is not None},
        asked=body,
    )


def _items(message: Object, where: str) -> list[Item]:
    role = message["role"]
    if role not in ROLES:
        raise unsupported(f"{where}.role", f"the role {role!r} cannot be translated")
    if role == "tool":
        return [Returned(_id(message.get("tool_call_id"), f"{where}.tool_call_id"), _words(message, where))]
    if lost := next((name for name in NOT_IN_HISTORY if message.get(name) is not None), None):
        raise no_place(message, lost, where=where)
    parts = _parts(message.get("content"), f"{where}.content")
    if refusal := text(message.get("refusal")):
        parts.append(Refusal(refusal))
    calls: list[Item] = []
    for at, call in enumerate(field(message, "tool_calls", list, where) or []):
        calls.append(_called(call, f"{where}.tool_calls[{at}]"))
    # An assistant that only called said nothing: `content: null` and `content: ""` are no message of their own.
    return [Said(role, tuple(parts)), *calls] if parts or not calls else calls


def _words(message: Object, where: str) -> tuple[Text, ...]:
    parts = _parts(message.get("content"), f"{where}.content")
    said = tuple(part for part in parts if isinstance(part, Text))
    if len(said) != len(parts):
        raise unsupported(f"{where}.content", "only text can be returned from a tool")
    return said


def _parts(content: object, where: str) -> list[Part]:
    if content is None:
        return []
    if isinstance(content, str):
        return [Text(content)] if content else []
    if not isinstance(content, list):
        raise bad_request(f"{where} must be a string or an array", where)
    return [_part(part, f"{where}[{at}]") for at, part in enumerate(content)]


def _part(part: object, where: str) -> Part:
    match part:
        case {"type": "text", "text": str(said)}:
            return Text(said)
        case {"type": "refusal", "refusal": str(said)}:
            return Refusal(said)
        case {"type": "image_url", "image_url": {"url": str(url), **rest}}:
            return Image(url, text(rest.get("detail")) or None)
        case {"type": str(kind)}:
            raise unsupported(where, f"a part of type {kind!r} cannot be translated")
        case _:
            raise bad_request(f"{where} must be an object with a type", where)


def _called(call: object, where: str) -> Called:
    match call:
        case {"id": str(call_id), "function": {"name": str(name), **rest}}:
            return Called(call_id, name, text(rest.get("arguments")) or "{}")
        case _:
            raise bad_request(f"{where} must be a function call with id and name", where)


def _id(value: object, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise bad_request(f"{where} must be a non-empty string", where)
    return value


def _stop(value: object) -> tuple[str, ...]:
    """Return where the answer shall stop: one string or several."""
    return (value,) if isinstance(value, str) else words(value, "stop")


def _tool(tool: object, where: str) -> Tool:
    match tool:
        case {"type": "function", "function": {"name": str(name), **rest}}:
            reject_unknown(rest, TOOL, where=f"{where}.function")
            return Tool(
                name, field(rest, "description", str), field(rest, "parameters", dict), field(rest, "strict", bool)
            )
        case {"type": str(kind)} if kind != "function":
            raise unsupported(where, f"a tool of type {kind!r} cannot be translated")
        case _:
            raise bad_request(f"{where} must be a function tool with a name", where)


def _choice(value: object) -> ToolChoice | None:
    match value:
        case None:
            return None
        case "auto" | "none" | "required":
            return ToolChoice(str(value))
        case {"type": "function", "function": {"name": str(name)}}:
            return ToolChoice("function", name)
        case _:
            raise unsupported("tool_choice", "this choice cannot be translated")


def _format(value: Object | None) -> Format | None:
    match value:
        case None:
            return None
        case {"type": "text" | "json_object" as kind}:
            return Format(kind)
        case {"type": "json_schema", "json_schema": {"name": str()} as schema}:
            return Format("json_schema", schema)
        case _:
            raise bad_request("response_format must be text, json_object or a named json_schema", "response_format")


# ---------------------------------------------------------------------------------------------------------- writing


def encode(request: Request, *, stream: bool, usage: bool) -> Object:
    """Return the request body; only keys of Chat Completions, and only what was asked. Raise RefusedError if it has no
    key for something that was asked."""
    if request.top_k is not None:
        raise no_place(request.asked, "top_k")
    body: Object = {"model": request.model, "messages": _messages(request.items), **request.shared}
    optional: dict[str, Any] = {
        "tools": [_tool_out(tool) for tool in request.tools] or None,
        "tool_choice": _choice_out(request.tool_choice),
        "response_format": _format_out(request.format),
        "stop": list(request.stop) or None,
        "max_completion_tokens": request.max_output_tokens,
        "reasoning_effort": request.effort,
        "verbosity": request.verbosity,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    return ask(body, stream=stream, usage=usage)


def ask(body: Object, *, stream: bool, usage: bool) -> Object:
    """Return `body` with its stream mode, and with the question for token counts if `usage`.

    A stream tells no counts unless it is asked (loreai#1485); a JSON answer always does, and refuses the question.
    """
    body = {**body, "stream": True} if stream else {name: body[name] for name in body if name != "stream"}
    if stream and usage:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    return body


def _messages(items: tuple[Item, ...]) -> list[Object]:
    """Calls that follow each other, or an assistant's words, are one message (CLIProxyAPI#3152); so are words that follow
    calls, because nothing may come between calls and their results. Reasoning has no place in the history."""
    messages: list[Object] = []
    for item in items:
        match item:
            case Said("assistant", parts) if messages and "tool_calls" in messages[-1]:
                messages[-1] |= _joined(messages[-1], _said("assistant", parts))
            case Said(role, parts):
                messages.append(_said(role, parts))
            case Called(call_id, name, arguments):
                if not messages or messages[-1]["role"] != "assistant":
                    messages.append({"role": "assistant", "content": None})
                call = {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}
                messages[-1].setdefault("tool_calls", []).append(call)
            case Returned(call_id):
                messages.append({"role": "tool", "tool_call_id": call_id, "content": _returned(item)})
            case Thought():
                pass
    return messages


def _joined(message: Object, more: Object) -> Object:
    """Return the words of two messages of the assistant as those of one."""
    said = [_listed(entry["content"]) for entry in (message, more)]
    refusal = text(message.get("refusal")) + text(more.get("refusal"))
    return {"content": [*said[0], *said[1]] or None} | ({"refusal": refusal} if refusal else {})


def _listed(content: str | list[Object] | None) -> list[Object]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []


def _returned(item: Returned) -> str | list[Object]:
    """Return what a tool message says, which is text and nothing else."""
    if any(isinstance(part, Image) for part in item.parts):
        raise bad_request("the upstream's API has no place for an image that a tool returned", code=UNSUPPORTED)
    return _content(marked(item))


def _said(role: str, parts: tuple[Part, ...]) -> Object:
    said = tuple(part for part in parts if not isinstance(part, Refusal))
    refusal = "".join(part.text for part in parts if isinstance(part, Refusal))
    if refusal:
        return {"role": role, "content": _content(said) if said else None, "refusal": refusal}
    return {"role": role, "content": _content(said)}


def _content(parts: tuple[Part, ...]) -> str | list[Object]:
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_part_out(part) for part in parts]


def _part_out(part: Part) -> Object:
    if isinstance(part, Image):
        detail = {"detail": part.detail} if part.detail else {}
        return {"type": "image_url", "image_url": {"url": part.url, **detail}}
    return {"type": "text", "text": part.text}


def _tool_out(tool: Tool) -> Object:
    function = {
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _choice_out(choice: ToolChoice | None) -> str | Object | None:
    if choice is None:
        return None
    return {"type": "function", "function": {"name": choice.name}} if choice.mode == "function" else choice.mode


def _format_out(wanted: Format | None) -> Object | None:
    if wanted is None:
        return None
    return {"type": wanted.kind} | ({"json_schema": dict(wanted.schema)} if wanted.kind == "json_schema" else {})
