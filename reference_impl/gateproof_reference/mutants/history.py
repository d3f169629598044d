"""Lies about what clients send back: thoughts, their own answers as the SDKs dump them, and forms that few tests write."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec

from gateproof_reference.canonical import Called, Item, Request, Said, Text, Thought
from gateproof_reference.failures import unsupported
from gateproof_reference.messages import calls
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.wirejson import Object

# -------------------------------------------------------------------------------------------------------- thoughts


@mutant("thoughts-crash", seam="messages.request:_block", caught_by="request.earlier-thoughts-do-no-harm")
def _(original: Any) -> Any:
    """No branch knows thinking in a history: a server's error (llmgateway#2508)."""

    def block(given: object, role: str, where: str) -> Any:
        found = original(given, role, where)
        if isinstance(found, Thought):
            raise RuntimeError("no branch for thinking")
        return found

    return block


@mutant("thoughts-are-said", seam="messages.request:_block", caught_by="request.earlier-thoughts-do-no-harm")
def _(original: Any) -> Any:
    """Thinking in a history goes to another API as the assistant's own words."""

    def block(given: object, role: str, where: str) -> Any:
        found = original(given, role, where)
        return Text(found.text) if isinstance(found, Thought) and found.text else found

    return block


@mutant(
    "reasoning-items-are-refused",
    seam="responses.request:_items",
    caught_by="request.answers-come-back-as-they-were",
)
def _(original: Any) -> Any:
    """A reasoning item is refused where the upstream has no such thing: Codex has no second turn."""

    def items(item: Object, where: str) -> list[Item]:
        if item.get("type") == "reasoning":
            raise unsupported(where, "an item of type 'reasoning' cannot be translated")
        return list(original(item, where))

    return items


# ----------------------------------------------------------------------------------------- answers that come back


@mutant("null-calls-crash", seam="chat.request:_items", caught_by="request.answers-come-back-as-they-were")
def _(original: Any) -> Any:
    """tool_calls are walked wherever there is such a key: null, as SDKs dump it, is a server's error."""

    def items(message: Object, where: str) -> list[Item]:
        for _ in message.get("tool_calls", ()):
            pass
        return list(original(message, where))

    return items


@mutant(
    "history-items-have-no-extras", seam="responses.request:_items", caught_by="request.answers-come-back-as-they-were"
)
def _(original: Any) -> Any:
    """Items of the output that come back whole are refused for their status."""

    def items(item: Object, where: str) -> list[Item]:
        if item.get("status") is not None:
            raise unsupported(f"{where}.status", "unknown member")
        return list(original(item, where))

    return items


@mutant("blocks-come-back-refused", seam="messages.request:_block", caught_by="request.answers-come-back-as-they-were")
def _(original: Any) -> Any:
    """citations: null, as the SDK dumps its blocks of text, is an unknown member."""

    def block(given: object, role: str, where: str) -> Any:
        if isinstance(given, dict) and "citations" in given:
            raise unsupported(f"{where}.citations", "unknown member")
        return original(given, role, where)

    return block


@mutant(
    "own-reasoning-comes-back-refused",
    seam="chat.request:_items",
    caught_by="request.answers-come-back-as-they-were",
)
def _(original: Any) -> Any:
    """reasoning_content, which this gateway's own answers have, is an unknown member of a history."""

    def items(message: Object, where: str) -> list[Item]:
        if "reasoning_content" in message:
            raise unsupported(f"{where}.reasoning_content", "unknown member")
        return list(original(message, where))

    return items


# ------------------------------------------------------------------------------------------------------- odd forms


@mutant("string-results-crash", seam="messages.request:_returned", caught_by="request.results-are-read-as-strings")
def _(original: Any) -> Any:
    """The content of a tool_result is walked as blocks: a string, as Claude Code sends it, is a server's error."""

    def returned(call_id: str, rest: Object, where: str) -> Any:
        if isinstance(rest.get("content"), str):
            raise TypeError("string indices must be integers")
        return original(call_id, rest, where)

    return returned


@mutant("string-results-are-lost", seam="messages.request:_returned", caught_by="request.results-are-read-as-strings")
def _(original: Any) -> Any:
    """The content of a tool_result that is a string is no list of blocks: the tool returned nothing."""

    def returned(call_id: str, rest: Object, where: str) -> Any:
        content = rest.get("content")
        return original(call_id, {**rest, "content": []} if isinstance(content, str) else rest, where)

    return returned


@mutant("system-parts-are-lost", seam="chat.request:_items", caught_by="request.instructions-in-parts-arrive")
def _(original: Any) -> Any:
    """Instructions are read where they are a string, and lost where they are parts."""

    def items(message: Object, where: str) -> list[Item]:
        if message["role"] in ("system", "developer") and not isinstance(message.get("content"), str):
            return []
        return list(original(message, where))

    return items


@mutant(
    "developer-parts-are-the-first", seam="responses.request:_items", caught_by="request.instructions-in-parts-arrive"
)
def _(original: Any) -> Any:
    """Of a developer's message in several parts the first is read."""

    def items(item: Object, where: str) -> list[Item]:
        found = list(original(item, where))
        return [replace(one, parts=one.parts[:1]) if _is_rule(one) else one for one in found]

    return items


def _is_rule(item: Item) -> bool:
    return isinstance(item, Said) and item.role in ("system", "developer")


@mutant(
    "empty-words-are-a-block",
    seam="messages.asking:encode",
    caught_by="request.empty-words-beside-calls-are-harmless request.upstream-request-is-valid",
)
def _(original: Any) -> Any:
    """content "" beside calls is a block of text without a character, which Anthropic refuses."""

    def encode(request: Request, *, stream: bool) -> Object:
        body: Object = original(request, stream=stream)
        asked = request.asked.get("messages", ())
        silent = [one["tool_calls"] for one in asked if one.get("content") == "" and one.get("tool_calls")]
        ids = {call["id"] for called in silent for call in called}
        for blocks in (message["content"] for message in body["messages"]):
            if isinstance(blocks, list) and blocks[0].get("id") in ids:
                blocks.insert(0, {"type": "text", "text": ""})
        return body

    return encode


@mutant("refusals-leave-the-history", seam="chat.request:_items", caught_by="request.refusals-in-the-history-arrive")
def _(original: Any) -> Any:
    """An assistant's message that is a refusal has no content, and is left out."""

    def items(message: Object, where: str) -> list[Item]:
        found = original({name: value for name, value in message.items() if name != "refusal"}, where)
        return [item for item in found if not (isinstance(item, Said) and item.role == "assistant" and not item.parts)]

    return items


@mutant(
    "refused-parts-are-no-words", seam="responses.request:_parts", caught_by="request.refusals-in-the-history-arrive"
)
def _(original: Any) -> Any:
    """A part of type refusal is left out of its message."""

    def parts(content: object, where: str) -> list[Any]:
        if isinstance(content, list):
            content = [part for part in content if not (isinstance(part, dict) and part.get("type") == "refusal")]
        return list(original(content, where))

    return parts


@mutant(
    "returned-papers-are-dropped",
    seam="messages.request:_returned",
    caught_by="request.returned-files-arrive-or-are-refused",
)
def _(original: Any) -> Any:
    """A document in a tool's result is passed over."""

    def returned(call_id: str, rest: Object, where: str) -> Any:
        content = rest.get("content")
        if isinstance(content, list):
            rest = {**rest, "content": [block for block in content if block.get("type") != "document"]}
        return original(call_id, rest, where)

    return returned


@mutant("half-arguments-crash", seam="messages.asking:_blocks", caught_by="request.broken-arguments-are-told")
def _(original: Any) -> Any:
    """A call of the history whose arguments are no JSON, for its turn was cut, is a server's error."""

    def blocks(item: Item) -> Any:
        if isinstance(item, Called) and calls.to_input(item.arguments) is None:
            raise RuntimeError("unexpected end of JSON input")
        return original(item)

    return blocks


@mutant("prefill-is-dropped", seam="messages.request:decode", caught_by="request.prefill-arrives-or-is-refused")
def _(original: Any) -> Any:
    """The assistant's words at the end, with which the answer shall begin, do not go upstream."""

    def decode(body: Object) -> Request:
        found: Request = original(body)
        items = found.items
        while items and isinstance(items[-1], Said) and items[-1].role == "assistant":
            items = items[:-1]
        return replace(found, items=items)

    return decode


@mutant("halves-of-pairs-crash", seam="wirejson:dump", caught_by="request.lone-surrogates-are-no-fault")
def _(original: Any) -> Any:
    """Half of a surrogate pair, which UTF-8 has no bytes for, is a server's error."""

    def dump(value: object) -> bytes:
        msgspec.json.encode(value)
        return bytes(original(value))

    return dump


@mutant("cache-marks-go-along", seam="chat.request:encode", caught_by="request.cache-marks-on-parts-stay-here")
def _(original: Any) -> Any:
    """cache_control stays on the words that it stood on."""

    def encode(request: Request, **how: bool) -> Object:
        body: Object = original(request, **how)
        marks = dict(_marks(request.asked.get("messages", ())))
        for message in body["messages"]:
            content = message["content"]
            parts = content if isinstance(content, list) else [{"type": "text", "text": content}]
            if any(part.get("text") in marks for part in parts):
                message["content"] = [{**part, **marks.get(str(part.get("text")), {})} for part in parts]
        return body

    return encode


def _marks(messages: Any) -> Iterator[tuple[str, Object]]:
    for message in messages:
        for block in message["content"] if isinstance(message.get("content"), list) else ():
            if block.get("type") == "text" and block.get("cache_control"):
                yield block["text"], {"cache_control": block["cache_control"]}
