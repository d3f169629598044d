"""Questions in Responses (OpenAI API reference: CreateResponse)."""

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
    Thought,
    Tool,
    Words,
)
from gateproof.asking.reading import entries, sampling_of, schema_of, text_of

_CHOICES = ("auto", "none", "required")


def write(question: Question) -> dict[str, Any]:
    """The request's keys but for model and stream. A system message that opens the question goes into `instructions`."""
    items = list(question.items)
    body: dict[str, Any] = {}
    match items:
        case [Said("system") as opening, *rest]:
            body["instructions"], items = opening.text, rest
    body |= {"input": [_item(item) for item in items], **question.sampling}
    if question.tools:
        body["tools"] = [_function(tool) for tool in question.tools]
    if question.choice is not None:
        named = {"type": "function", "name": "".join(question.choice.names)}
        body["tool_choice"] = named if question.choice.mode == "named" else question.choice.mode
    if question.parallel is not None:
        body["parallel_tool_calls"] = question.parallel
    if question.format is not None:
        body["text"] = {"format": {"type": question.format.kind, **_schema(question.format)}}
    if question.limit is not None:
        body["max_output_tokens"] = question.limit
    if question.effort:
        body["reasoning"] = {"effort": question.effort}
    return body


def _item(item: Item) -> dict[str, Any]:
    match item:
        case Said(role, parts):
            return {"type": "message", "role": role, "content": [_part(part, role) for part in parts]}
        case Called(id, name, arguments):
            return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}
        case Returned(id, parts):
            return {"type": "function_call_output", "call_id": id, "output": _output(parts)}
        case Thought(shown, seal):
            summary = [{"type": "summary_text", "text": shown}] if shown else []
            return {"type": "reasoning", "summary": summary, "encrypted_content": seal}
        case Strange():
            raise ValueError(f"nothing can be written of {item!r}")


def _output(parts: tuple[Part, ...]) -> Any:
    if len(parts) == 1 and isinstance(parts[0], Words):
        return parts[0].text
    return [_part(part, "user") for part in parts] if parts else ""


def _part(part: Part, role: str) -> dict[str, Any]:
    match part:
        case Words(text):
            return {"type": "output_text" if role == "assistant" else "input_text", "text": text}
        case Picture(url):
            return {"type": "input_image", "image_url": url, "detail": "auto"}
        case Document(data, media_type, name):
            return {"type": "input_file", "filename": name, "file_data": f"data:{media_type};base64,{data}"}
        case Strange():
            raise ValueError(f"nothing can be written of {part!r}")


def _function(tool: Tool) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    return {
        "type": "function",
        "name": tool.name,
        **described,
        "parameters": tool.parameters,
        "strict": tool.strict,
    }


def _schema(wanted: Format) -> dict[str, Any]:
    return schema_of(wanted) if wanted.kind == "json_schema" else {}


def read(body: Any) -> Question:
    """What a body asks. Never raises: what is not there is empty."""
    items: list[Item] = []
    if instructions := text_of(dig(body, "instructions")):
        items.append(Said("system", (Words(instructions),)))
    asked = dig(body, "input")
    if isinstance(asked, str):
        items.append(Said("user", (Words(asked),)))
    items += [_read_item(item) for item in entries(asked)]
    return Question(
        items=tuple(items),
        tools=tuple(_tool(tool) for tool in entries(dig(body, "tools"))),
        choice=_choice(dig(body, "tool_choice")),
        parallel=parallel if isinstance(parallel := dig(body, "parallel_tool_calls"), bool) else None,
        format=_format(dig(body, "text", "format")),
        limit=dig(body, "max_output_tokens") or None,
        effort=text_of(dig(body, "reasoning", "effort")),
        sampling=sampling_of(body),
    )


def _read_item(item: Any) -> Item:
    match item:
        case {"type": "function_call", "call_id": str(id), "name": str(name), **rest}:
            return Called(id, name, text_of(rest.get("arguments")))
        case {"type": "function_call_output", "call_id": str(id), **rest}:
            return Returned(id, _parts(rest.get("output"), "user"))
        case {"type": "reasoning"}:
            shown = "".join(text_of(dig(part, "text")) for part in entries(item.get("summary")))
            return Thought(shown, text_of(item.get("encrypted_content")))
        case {"role": str(role), **rest} if rest.get("type", "message") == "message":
            return Said("system" if role == "developer" else role, _parts(rest.get("content"), role))
        case _:
            return Strange(f"{item!r:.80}")


def _parts(content: Any, role: str) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Words(content),) if content else ()
    return tuple(_read_part(part, role) for part in entries(content))


def _read_part(part: Any, role: str) -> Part:
    """A part in its role: OpenAI refuses an assistant's input_text, and anybody else's output_text (sub2api#6247)."""
    words = "output_text" if role == "assistant" else "input_text"
    match part:
        case {"type": str(kind), "text": str(text)} if kind == words:
            return Words(text)
        case {"type": "refusal", "refusal": str(text)} if role == "assistant":
            return Words(text)
        case {"type": "input_image", "image_url": str(url)} if role != "assistant":
            return Picture(url)
        case {"type": "input_file", "file_data": str(data)} if role != "assistant":
            return Document(data.partition(";base64,")[2])
        case _:
            return Strange(f"{part!r:.80} from the {role}")


def _tool(tool: Any) -> Tool:
    if dig(tool, "type") != "function":
        return Tool(f"a tool of type {dig(tool, 'type')!r}")
    parameters, strict = dig(tool, "parameters"), dig(tool, "strict")
    return Tool(
        text_of(dig(tool, "name")),
        text_of(dig(tool, "description")),
        parameters if isinstance(parameters, dict) else None,
        strict if isinstance(strict, bool) else None,
    )


def _choice(value: Any) -> Choice | None:
    if isinstance(value, str):
        return Choice(value if value in _CHOICES else f"the word {value!r}")
    match value:
        case {"type": "function", "name": str(name)}:
            return Choice("named", (name,))
        case {"type": "allowed_tools", "mode": str(mode), "tools": list(tools)}:
            return Choice(f"{mode} of some", tuple(text_of(dig(tool, "name")) for tool in tools))
        case _:
            return Choice(f"{value!r:.80}") if value else None


def _format(value: Any) -> Format | None:
    kind = text_of(dig(value, "type"))
    if not kind:
        return None
    schema, strict = dig(value, "schema"), dig(value, "strict")
    return Format(
        kind,
        text_of(dig(value, "name")),
        schema if isinstance(schema, dict) else None,
        strict if isinstance(strict, bool) else None,
    )
