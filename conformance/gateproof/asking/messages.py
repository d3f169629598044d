"""Questions in Messages (Anthropic API reference: MessageCreateParams)."""

from __future__ import annotations

import json
import re
from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.document import parse
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
from gateproof.asking.reading import entries, sampling_of, text_of
from gateproof.questions import MAX_TOKENS

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
_TYPES = {ours: theirs for theirs, ours in _CHOICES.items()}
_OLD_FORMAT = "output_format"
"""Where the format stood in the beta (structured-outputs-2025-11-13), which Anthropic still takes."""

_DATA_URL = re.compile(r"data:([^;,]+);base64,(.*)", re.DOTALL)


def write(question: Question) -> dict[str, Any]:
    """The request's keys but for model and stream. Instructions that open the question go into `system`, later ones stand
    where they are, as Claude Code sends them."""
    items = list(question.items)
    opening: list[dict[str, Any]] = []
    for item in question.items:
        if not (isinstance(item, Said) and item.role in ("system", "developer")):
            break
        opening += [_part(part) for part in item.parts]
        items.remove(item)
    messages: list[dict[str, Any]] = []
    for item in items:
        role, blocks = _blocks(item)
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": role, "content": blocks})
    body: dict[str, Any] = {"max_tokens": question.limit or MAX_TOKENS, "messages": messages, **question.sampling}
    if opening:
        body["system"] = opening[0]["text"] if len(opening) == 1 else opening
    if question.tools:
        body["tools"] = [_tool(tool) for tool in question.tools]
    if question.choice is not None or question.parallel is False:
        body["tool_choice"] = _choice(question)
    config: dict[str, Any] = {"effort": question.effort} if question.effort else {}
    if question.format is not None:
        config["format"] = {"type": question.format.kind, "schema": question.format.schema}
    if config:
        body["output_config"] = config
    if question.stop:
        body["stop_sequences"] = list(question.stop)
    return body


def _blocks(item: Item) -> tuple[str, list[dict[str, Any]]]:
    match item:
        case Said(role, parts):
            return "system" if role == "developer" else role, [_part(part) for part in parts]
        case Called(id, name, arguments):
            return "assistant", [{"type": "tool_use", "id": id, "name": name, "input": parse(arguments or "{}")}]
        case Returned(id, parts, failed):
            content = {"content": [_part(part) for part in parts]} if parts else {}
            wrong = {"is_error": True} if failed else {}
            return "user", [{"type": "tool_result", "tool_use_id": id, **content, **wrong}]
        case Thought(shown, seal, redacted):
            block = {"type": "redacted_thinking", "data": seal} if redacted else None
            return "assistant", [block or {"type": "thinking", "thinking": shown, "signature": seal}]
        case Strange():
            raise ValueError(f"nothing can be written of {item!r}")


def _part(part: Part) -> dict[str, Any]:
    match part:
        case Words(text):
            return {"type": "text", "text": text}
        case Picture(url):
            inline = _DATA_URL.fullmatch(url)
            there = {"type": "url", "url": url}
            here = {"type": "base64", "media_type": inline[1], "data": inline[2]} if inline else there
            return {"type": "image", "source": here}
        case Document(data, media_type):
            return {"type": "document", "source": {"type": "base64", "media_type": media_type, "data": data}}
        case Strange():
            raise ValueError(f"nothing can be written of {part!r}")


def _tool(tool: Tool) -> dict[str, Any]:
    """Without a type, as Claude Code sends its own (envoyproxy/ai-gateway#1953)."""
    described = {"description": tool.description} if tool.description else {}
    strict = {"strict": tool.strict} if tool.strict is not None else {}
    return {"name": tool.name, **described, "input_schema": tool.parameters or {"type": "object"}, **strict}


def _choice(question: Question) -> dict[str, Any]:
    choice = question.choice or Choice("auto")
    named = {"type": "tool", "name": "".join(choice.names)}
    chosen = named if choice.mode == "named" else {"type": _TYPES[choice.mode]}
    return chosen | ({"disable_parallel_tool_use": True} if question.parallel is False else {})


def read(body: Any) -> Question:
    """What a body asks. Never raises: what is not there is empty."""
    opening = dig(body, "system")
    items: list[Item] = [Said("system", (part,)) for part in _parts(opening)]
    for message in entries(dig(body, "messages")):
        items += _read_message(text_of(dig(message, "role")), dig(message, "content"))
    choice = dig(body, "tool_choice")
    once = dig(choice, "disable_parallel_tool_use")
    return Question(
        items=tuple(items),
        tools=tuple(_read_tool(tool) for tool in entries(dig(body, "tools"))),
        choice=_read_choice(choice),
        parallel=not once if isinstance(once, bool) else None,
        format=_format(dig(body, "output_config", "format") or dig(body, _OLD_FORMAT)),
        limit=dig(body, "max_tokens") or None,
        stop=tuple(entries(dig(body, "stop_sequences"))),
        effort=_effort(body),
        sampling=sampling_of(body),
    )


def _read_message(role: str, content: Any) -> list[Item]:
    if isinstance(content, str):
        return [Said(role, _parts(content))]
    items: list[Item] = []
    said: list[Part] = []
    for block in entries(content):
        item = _read_block(block)
        if isinstance(item, Words | Picture | Document):
            said.append(item)
            continue
        if said:
            items.append(Said(role, tuple(said)))
            said = []
        items.append(item)
    return [*items, Said(role, tuple(said))] if said else items


def _read_block(block: Any) -> Part | Called | Returned | Thought:
    match block:
        case {"type": "tool_use", "id": str(id), "name": str(name), "input": value}:
            return Called(id, name, json.dumps(value))
        case {"type": "tool_result", "tool_use_id": str(id), **rest}:
            return Returned(id, _parts(rest.get("content")), rest.get("is_error") is True)
        case {"type": "thinking", "thinking": str(shown), "signature": str(seal)}:
            return Thought(shown, seal)
        case {"type": "redacted_thinking", "data": str(seal)}:
            return Thought("", seal, redacted=True)
        case _:
            return _read_part(block)


def _parts(content: Any) -> tuple[Part, ...]:
    if isinstance(content, str):
        return (Words(content),) if content else ()
    return tuple(_read_part(block) for block in entries(content))


def _read_part(block: Any) -> Part:
    match block:
        case {"type": "text", "text": str(text)}:
            return Words(text)
        case {"type": "image", "source": {"type": "base64", "media_type": str(kind), "data": str(data)}}:
            return Picture(f"data:{kind};base64,{data}")
        case {"type": "image", "source": {"type": "url", "url": str(url)}}:
            return Picture(url)
        case {"type": "document", "source": {"type": "base64", "data": str(data)}}:
            return Document(data)
        case _:
            return Strange(f"{block!r:.80}")


def _read_tool(tool: Any) -> Tool:
    if dig(tool, "type") not in (None, "custom") and isinstance(dig(tool, "type"), str):
        return Tool(f"a tool of type {dig(tool, 'type')!r}")
    parameters, strict = dig(tool, "input_schema"), dig(tool, "strict")
    return Tool(
        text_of(dig(tool, "name")),
        text_of(dig(tool, "description")),
        parameters if isinstance(parameters, dict) else None,
        strict if isinstance(strict, bool) else None,
    )


def _read_choice(value: Any) -> Choice | None:
    match value:
        case {"type": "auto" | "any" | "none" as kind}:
            return Choice(_CHOICES[kind])
        case {"type": "tool", "name": str(name)}:
            return Choice("named", (name,))
        case _:
            return Choice(f"{value!r:.80}") if value else None


def _effort(body: Any) -> str:
    """How hard to think: the word, or the budget, or that it is off."""
    thinking = dig(body, "thinking")
    named = text_of(dig(body, "output_config", "effort"))
    match thinking:
        case {"type": "disabled"}:
            return "none"
        case {"type": "enabled", "budget_tokens": budget} if not named:
            return f"budget {budget}"
        case _:
            return named or text_of(dig(thinking, "type"))


def _format(value: Any) -> Format | None:
    kind = text_of(dig(value, "type"))
    schema = dig(value, "schema")
    return Format(kind, schema=schema if isinstance(schema, dict) else None) if kind else None
