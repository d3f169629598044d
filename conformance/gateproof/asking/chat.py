"""Questions in Chat Completions (OpenAI API reference: CreateChatCompletionRequest)."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.asking.question import (
    Called,
    Choice,
    Document,
    Format,
    Item,
    Part,
    Picture,
    Question,
    Returned,
    Said,
    Strange,
    Tool,
    Words,
)
from gateproof.asking.reading import entries, sampling_of, schema_of, text_of

_CHOICES = ("auto", "none", "required")


def write(question: Question) -> dict[str, Any]:
    """The request's keys but for model and stream."""
    messages: list[dict[str, Any]] = []
    for item in question.items:
        match item:
            case Said(role, parts):
                messages.append({"role": role, "content": _content(parts)})
            case Called(id, name, arguments):
                call = {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}
                if not messages or messages[-1]["role"] != "assistant":
                    messages.append({"role": "assistant", "content": None})
                messages[-1].setdefault("tool_calls", []).append(call)
            case Returned(id, parts):
                messages.append({"role": "tool", "tool_call_id": id, "content": _content(parts)})
            case _:
                raise ValueError(f"Chat Completions has no place for {item!r}")
    body: dict[str, Any] = {"messages": messages, **question.sampling}
    if question.tools:
        body["tools"] = [{"type": "function", "function": _function(tool)} for tool in question.tools]
    if question.choice is not None:
        named = {"type": "function", "function": {"name": "".join(question.choice.names)}}
        body["tool_choice"] = named if question.choice.mode == "named" else question.choice.mode
    if question.parallel is not None:
        body["parallel_tool_calls"] = question.parallel
    if question.format is not None:
        body["response_format"] = _format(question.format)
    if question.limit is not None:
        body["max_completion_tokens"] = question.limit
    if question.stop:
        body["stop"] = list(question.stop)
    if question.effort:
        body["reasoning_effort"] = question.effort
    return body


def _content(parts: tuple[Part, ...]) -> Any:
    if len(parts) == 1 and isinstance(parts[0], Words):
        return parts[0].text
    return [_part(part) for part in parts] if parts else ""


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Words(text):
            return {"type": "text", "text": text}
        case Picture(url):
            return {"type": "image_url", "image_url": {"url": url}}
        case Document(data, media_type, name):
            return {"type": "file", "file": {"filename": name, "file_data": f"data:{media_type};base64,{data}"}}
        case Strange():
            raise ValueError(f"nothing can be written of {part!r}")


def _function(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name, "description": tool.description or None}
    function |= {"parameters": tool.parameters, "strict": tool.strict}
    return {key: value for key, value in function.items() if value is not None}


def _format(wanted: Format) -> dict[str, Any]:
    if wanted.kind != "json_schema":
        return {"type": wanted.kind}
    return {"type": "json_schema", "json_schema": schema_of(wanted)}


def read(body: Any) -> Question:
    """What a body asks. Never raises: what is not there is empty."""
    items: list[Item] = []
    for message in entries(dig(body, "messages")):
        role = dig(message, "role")
        parts = _parts(dig(message, "content"))
        if role == "tool":
            items.append(Returned(text_of(dig(message, "tool_call_id")), parts))
            continue
        refusal = text_of(dig(message, "refusal"))
        parts = (*parts, Words(refusal)) if refusal else parts
        if parts:
            items.append(Said("system" if role == "developer" else text_of(role), parts))
        for call in entries(dig(message, "tool_calls")):
            function = dig(call, "function")
            name, arguments = text_of(dig(function, "name")), text_of(dig(function, "arguments"))
            items.append(Called(text_of(dig(call, "id")), name, arguments))
    limit = dig(body, "max_completion_tokens")
    stop = dig(body, "stop")
    return Question(
        items=tuple(items),
        tools=tuple(_tool(tool) for tool in entries(dig(body, "tools"))),
        choice=_choice(dig(body, "tool_choice")),
        parallel=_parallel(dig(body, "parallel_tool_calls")),
        format=_read_format(dig(body, "response_format")),
        limit=limit if isinstance(limit, int) else dig(body, "max_tokens") or None,
        stop=(stop,) if isinstance(stop, str) else tuple(entries(stop)),
        effort=text_of(dig(body, "reasoning_effort")),
        sampling=sampling_of(body),
    )


def _parts(content: Any) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Words(content),) if content else ()
    return tuple(_read_part(part) for part in entries(content))


def _read_part(part: Any) -> Part:
    match part:
        case {"type": "text", "text": str(text)}:
            return Words(text)
        case {"type": "refusal", "refusal": str(text)}:
            return Words(text)
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            return Picture(url)
        case {"type": "file", "file": {"file_data": str(data)}}:
            return Document(data.partition(";base64,")[2])
        case _:
            return Strange(f"{part!r:.80}")


def _tool(tool: Any) -> Tool:
    if dig(tool, "type") != "function":
        return Tool(f"a tool of type {dig(tool, 'type')!r}")
    function = dig(tool, "function")
    parameters, strict = dig(function, "parameters"), dig(function, "strict")
    return Tool(
        text_of(dig(function, "name")),
        text_of(dig(function, "description")),
        parameters if isinstance(parameters, dict) else None,
        strict if isinstance(strict, bool) else None,
    )


def _choice(value: Any) -> Choice | None:
    if isinstance(value, str):
        return Choice(value if value in _CHOICES else f"the word {value!r}")
    match value:
        case {"type": "function", "function": {"name": str(name)}}:
            return Choice("named", (name,))
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode), "tools": list(tools)}}:
            names = tuple(text_of(dig(tool, "function", "name")) for tool in tools)
            return Choice(f"{mode} of some", names)
        case _:
            return Choice(f"{value!r:.80}") if value else None


def _parallel(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _read_format(value: Any) -> Format | None:
    kind = text_of(dig(value, "type"))
    if not kind:
        return None
    given = dig(value, "json_schema")
    schema, strict = dig(given, "schema"), dig(given, "strict")
    return Format(
        kind,
        text_of(dig(given, "name")),
        schema if isinstance(schema, dict) else None,
        strict if isinstance(strict, bool) else None,
    )
