"""Responses requests: read into the canonical question, and written from it (OpenAI API reference)."""

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
from gateproof_reference.failures import bad_request, unsupported
from gateproof_reference.responses import resource
from gateproof_reference.shared import SHARED, field, marked, no_place, reject_unknown, words
from gateproof_reference.wirejson import Object, objects, text

READ = frozenset(
    {
        *("model", "input", "instructions", "stream", "stream_options", "tools", "tool_choice", "text"),
        *SHARED,
        *("max_output_tokens", "reasoning", "include"),
    }
)
HARMLESS: dict[str, tuple[object, ...]] = {"background": (False,), "top_logprobs": (0,)}
"""Parameters that no other API has, with the values that ask for nothing. Any other value is refused, not forgotten."""

HINTS = frozenset({"truncation", "client_metadata", "context_management"})
"""What may be left out on the way: leave to shorten (not taken), labels."""

SEALED = "reasoning.encrypted_content"
"""The one extra of the answer that another API has too."""

OF_NOTHING = frozenset(
    {
        *("file_search_call.results", "web_search_call.results", "web_search_call.action.sources"),
        *("computer_call_output.output.image_url", "code_interpreter_call.outputs", "message.input_image.image_url"),
    }
)
"""Extras of items that an answer in translation never has, so there is nothing to add. Any other in `include` is refused."""

REASONING = frozenset({"effort", "summary", "generate_summary"})
PLAIN_REASONING: dict[str, tuple[object, ...]] = {"context": ("auto",), "mode": ("standard",)}
SHAPE = frozenset({"format", "verbosity"})
TOOL = frozenset({"type", "name", "description", "parameters", "strict"})
PLAIN_TOOL: dict[str, tuple[object, ...]] = {
    "defer_loading": (False,),
    "async": (False,),
    "allowed_callers": (["direct"],),
}
"""Members of `reasoning`, `text` and a function, with the values of those that no other API has which ask for nothing."""

ROLES = ("system", "developer", "user", "assistant")
ELSEWHERE = ("previous_response_id", "conversation", "prompt")
"""Where the input may be instead, if the upstream speaks Responses."""


def check(body: Object) -> None:
    """Raise RefusedError if model, input or stream is missing or has a wrong type."""
    if not text(body.get("model")):
        raise bad_request("model must be a non-empty string", "model")
    asked = body.get("input")
    if asked is None and not any(body.get(name) for name in ELSEWHERE):
        raise bad_request("input is missing", "input")
    if asked is not None and not isinstance(asked, str | list):
        raise bad_request("input must be a string or an array", "input")
    for at, item in enumerate(asked if isinstance(asked, list) else []):
        if not isinstance(item, dict):
            raise bad_request(f"input[{at}] must be an object", f"input[{at}]")
    field(body, "stream", bool)


def decode(body: Object) -> Request:
    """Return the question in a checked request. Raise RefusedError for what cannot be translated."""
    reject_unknown(body, READ, HARMLESS, HINTS)
    instructions = field(body, "instructions", str)
    shape = field(body, "text", dict) or {}
    reasoning = field(body, "reasoning", dict) or {}
    reject_unknown(shape, SHAPE, where="text")
    reject_unknown(reasoning, REASONING, PLAIN_REASONING, where="reasoning")
    items: list[Item] = [Said("system", (Text(instructions),))] if instructions else []
    if isinstance(body["input"], str):
        items.append(Said("user", (Text(body["input"]),)))
    else:
        for at, item in enumerate(body["input"]):
            items += _items(item, f"input[{at}]")
    return Request(
        model=body["model"],
        items=tuple(items),
        stream=body.get("stream") is True,
        include_usage=True,
        tools=tuple(_tool(tool, f"tools[{at}]") for at, tool in enumerate(field(body, "tools", list) or [])),
        tool_choice=_choice(body.get("tool_choice")),
        format=_format(field(shape, "format", dict, "text")),
        max_output_tokens=field(body, "max_output_tokens", int),
        effort=field(reasoning, "effort", str, "reasoning"),
        shows_reasoning=any(reasoning.get(name) is not None for name in ("summary", "generate_summary")),
        seals_reasoning=SEALED in _included(body),
        verbosity=field(shape, "verbosity", str, "text"),
        shared={name: body[name] for name in SHARED if body.get(name) is not None},
        asked=body,
    )


def _included(body: Object) -> tuple[str, ...]:
    included = words(body.get("include"), "include")
    if lost := next((name for name in included if name != SEALED and name not in OF_NOTHING), None):
        raise unsupported("include", f"the upstream's API has no {lost!r}")
    return included


def _items(item: Object, where: str) -> list[Item]:
    """Read one input item. Reasoning that has no seal cannot be sent back to anybody, so it is left out."""
    match item:
        case {"type": "function_call", "call_id": str(call_id), "name": str(name), **rest}:
            return [Called(call_id, name, text(rest.get("arguments")) or "{}")]
        case {"type": "function_call_output", "call_id": str(call_id), **rest}:
            parts = _parts(rest.get("output"), f"{where}.output")
            said = tuple(part for part in parts if isinstance(part, Text | Image))
            if len(said) != len(parts):
                raise unsupported(f"{where}.output", "only text and images can be returned from a tool")
            return [Returned(call_id, said)]
        case {"type": "reasoning"}:
            shown = "".join(text(part.get("text")) for part in objects(item.get("summary")))
            seal = text(item.get("encrypted_content"))
            return [resource.thought(shown, seal)] if seal else []
        case {"role": str(role), **rest} if rest.get("type", "message") == "message":
            if role not in ROLES:
                raise unsupported(f"{where}.role", f"the role {role!r} cannot be translated")
            return [Said(role, tuple(_parts(rest.get("content"), f"{where}.content")))]
        case {"type": str(kind)} if kind not in ("function_call", "function_call_output", "message"):
            raise unsupported(where, f"an item of type {kind!r} cannot be translated")
        case _:
            raise bad_request(f"{where} is not a whole item", where)


def _parts(content: object, where: str) -> list[Part]:
    if isinstance(content, str):
        return [Text(content)]
    if not isinstance(content, list):
        raise bad_request(f"{where} must be a string or an array", where)
    return [_part(part, f"{where}[{at}]") for at, part in enumerate(content)]


def _part(part: object, where: str) -> Part:
    match part:
        case {"type": "input_text" | "output_text" | "text", "text": str(said)}:
            return Text(said)
        case {"type": "refusal", "refusal": str(said)}:
            return Refusal(said)
        case {"type": "input_image", "image_url": str(url), **rest}:
            return Image(url, text(rest.get("detail")) or None)
        case {"type": str(kind)}:
            raise unsupported(where, f"a part of type {kind!r} cannot be translated")
        case _:
            raise bad_request(f"{where} must be an object with a type", where)


def _tool(tool: object, where: str) -> Tool:
    match tool:
        case {"type": "function", "name": str(name), **rest}:
            reject_unknown(rest, TOOL, PLAIN_TOOL, where=where)
            return Tool(
                name, field(rest, "description", str), field(rest, "parameters", dict), field(rest, "strict", bool)
            )
        case {"type": str(kind)} if kind != "function":
            raise unsupported(where, f"a tool of type {kind!r} has no place in the upstream's API")
        case _:
            raise bad_request(f"{where} must be a function tool with a name", where)


def _choice(value: object) -> ToolChoice | None:
    match value:
        case None:
            return None
        case "auto" | "none" | "required":
            return ToolChoice(str(value))
        case {"type": "function", "name": str(name)}:
            return ToolChoice("function", name)
        case _:
            raise unsupported("tool_choice", "this choice cannot be translated")


def _format(value: Object | None) -> Format | None:
    match value:
        case None:
            return None
        case {"type": "text" | "json_object" as kind}:
            return Format(kind)
        case {"type": "json_schema", "name": str()}:
            return Format("json_schema", {name: entry for name, entry in value.items() if name != "type"})
        case _:
            raise bad_request("text.format must be text, json_object or a named json_schema", "text.format")


# ---------------------------------------------------------------------------------------------------------- writing


def encode(request: Request, *, stream: bool) -> Object:
    """Return the request body; only keys of Responses, and only what was asked. Raise RefusedError if it has no key for
    something that was asked.

    Responses stores answers unless it is told not to, the other APIs do not: a client that never asked for storage
    must not get it by being translated.
    """
    if request.stop:
        raise no_place(request.asked, "stop", "stop_sequences")
    if request.top_k is not None:
        raise no_place(request.asked, "top_k")
    body: Object = {
        "model": request.model,
        "input": [_item_out(item) for item in request.items if not isinstance(item, Thought) or not item.redacted],
        "store": False,
        **request.shared,
    }
    shape: Object = {}
    if request.format is not None:
        shape["format"] = {"type": request.format.kind, **request.format.schema}
    if request.verbosity is not None:
        shape["verbosity"] = request.verbosity
    optional: dict[str, Any] = {
        "tools": [_tool_out(tool) for tool in request.tools] or None,
        "tool_choice": _choice_out(request.tool_choice),
        "text": shape or None,
        "max_output_tokens": request.max_output_tokens,
        "reasoning": _reasoning_out(request),
        "include": [SEALED] if request.seals_reasoning else None,
        "stream": True if stream else None,
    }
    return body | {name: value for name, value in optional.items() if value is not None}


def _reasoning_out(request: Request) -> Object | None:
    """Return how the model shall reason. What nobody wants to read is not asked for: it costs tokens."""
    effort = {"effort": request.effort} if request.effort is not None else {}
    summary = {"summary": "auto"} if request.shows_reasoning else {}
    return {**effort, **summary} or None


def _item_out(item: Item) -> Object:
    """Return an input item. Reasoning goes without an id: nothing was stored under one."""
    match item:
        case Said(role, parts):
            return {"type": "message", "role": role, "content": [_part_out(part, role) for part in parts]}
        case Called(call_id, name, arguments):
            return {"type": "function_call", "call_id": call_id, "name": name, "arguments": arguments}
        case Returned(call_id):
            return {"type": "function_call_output", "call_id": call_id, "output": _output(marked(item))}
        case Thought(shown, seal):
            summary = [{"type": "summary_text", "text": shown}] if shown else []
            return {"type": "reasoning", "summary": summary, "encrypted_content": seal}


def _output(parts: tuple[Text | Image, ...]) -> str | list[Object]:
    if not parts:
        return ""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_part_out(part) for part in parts]


def _part_out(part: Part, role: str = "tool") -> Object:
    match part:
        case Text(said):
            # An assistant's words are output, also in the history (sub2api#6247).
            return {"type": "output_text" if role == "assistant" else "input_text", "text": said}
        case Refusal(said):
            return {"type": "refusal", "refusal": said}
        case Image(url, detail):
            return {"type": "input_image", "image_url": url, "detail": detail or "auto"}


def _tool_out(tool: Tool) -> Object:
    """Return a tool. `strict` is said, because its default is true here and false in Chat Completions."""
    described = {"description": tool.description} if tool.description is not None else {}
    return {
        "type": "function",
        "name": tool.name,
        **described,
        "parameters": tool.parameters if tool.parameters is not None else {"type": "object", "properties": {}},
        "strict": bool(tool.strict),
    }


def _choice_out(choice: ToolChoice | None) -> str | Object | None:
    if choice is None:
        return None
    return {"type": "function", "name": choice.name} if choice.mode == "function" else choice.mode
