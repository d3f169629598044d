"""What a turn amounts to in each dialect, and what a client finds said: both in one plain form, to be compared.

`expected` computes it from a script's turn. The readers take documents and events as plain JSON, off the wire or out of an
SDK's objects, and put streams together from their deltas alone.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from unittest.mock import ANY

from gateproof_mock import Script
from gateproof_mock.dialects.asked import NO_MARKER
from gateproof_mock.language.turns import (
    Cancelled,
    Completed,
    CustomToolCall,
    Ending,
    ErrorEvent,
    Failed,
    Image,
    Incomplete,
    Interleaved,
    Item,
    NextMessage,
    NextPart,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    Unfinished,
    Usage,
    WebSearch,
)

KEY = "sk-gateproof"
"""What the callers send as their key, and some scripts say back."""

Json = dict[str, Any]
Thing = tuple[Any, ...]
FAILURES = (Failed, ErrorEvent, Cancelled, Unfinished)
_CALLS = (ToolCall, CustomToolCall, Interleaved)


@dataclass(frozen=True)
class Told:
    """`said`: kind and words of each thing, in order. `ending`: the dialect's words for the end, and a failure's message."""

    said: tuple[Thing, ...]
    ending: Thing
    usage: Mapping[str, int] | None


# --- what a turn amounts to -----------------------------------------------------------------------


def expected(script: Script, dialect: str, *, stream: bool, counted: bool = True) -> Told:
    """What a client is to find. `counted`: a Chat Completions stream was asked for its usage."""
    said = {"responses": _in_items, "chat": _in_one_message, "messages": _in_blocks}[dialect](script, stream)
    failed = isinstance(script.ending, FAILURES)
    if failed and dialect != "responses" and not stream:
        said = ()
    usage: Mapping[str, int] | None = _counts(script, dialect)
    if failed or (dialect == "chat" and stream and not counted):
        usage = None
    return Told(tuple(said), _ending(script, dialect, stream), usage)


def words_of(element: Text | Refusal) -> str:
    pieces = element.deltas if isinstance(element, Text) else element.pieces
    return "".join(pieces).replace("{marker}", NO_MARKER)


def calls_of(script: Script) -> Iterator[ToolCall | CustomToolCall]:
    for element in script.turn:
        if isinstance(element, Interleaved):
            yield from element.calls
        elif isinstance(element, ToolCall | CustomToolCall):
            yield element


def _urls(element: Text | Refusal) -> tuple[str, ...]:
    return tuple(c.url for c in element.citations) if isinstance(element, Text) else ()


def _call(call: ToolCall | CustomToolCall) -> Thing:
    if isinstance(call, CustomToolCall):
        return ("custom", call.name, "".join(call.input), call.id or ANY)
    return ("call", call.name, "".join(call.arguments), call.id or ANY)


class _Written:
    """Things said one after the other; words of one kind are one part until something comes between."""

    def __init__(self, *, messages: bool) -> None:
        self.said: list[Thing] = []
        self._messages = messages
        self._open = ""
        self._in_message = False

    def words(self, kind: str, shown: str, element: Text | Refusal) -> None:
        if self._messages and not self._in_message:
            self.said.append(("message",))
        self._in_message = True
        if self._open == kind:
            _, before, *urls = self.said.pop()
            self.said.append((shown, before + words_of(element), *urls, *_urls(element)))
        else:
            self.said.append((shown, words_of(element), *_urls(element)))
        self._open = kind

    def apart(self, *, message: bool) -> None:
        self._open = ""
        self._in_message = self._in_message and not message

    def thing(self, *thing: Any) -> None:
        self.apart(message=True)
        self.said.append(thing)


def _in_items(script: Script, stream: bool) -> tuple[Thing, ...]:
    """Responses: items, and the parts of messages."""
    written = _Written(messages=True)
    for element in script.turn:
        match element:
            case Text():
                written.words("text", "text", element)
            case Refusal():
                written.words("refusal", "refusal", element)
            case NextMessage() | NextPart():
                written.apart(message=isinstance(element, NextMessage))
            case Reasoning():
                written.thing("reasoning", "".join(element.pieces), "".join(element.full), element.encrypted)
            case ToolCall() | CustomToolCall():
                written.thing(*_call(element))
            case Interleaved():
                for call in element.calls:
                    written.thing(*_call(call))
            case WebSearch():
                written.thing("search", element.query)
            case Image():
                written.thing("image", element.data)
            case Item():
                written.thing("item", element.data["type"])
    return tuple(written.said)


def _in_one_message(script: Script, stream: bool) -> tuple[Thing, ...]:
    """Chat Completions: one message, which has no order of its own."""
    turn = script.turn
    reasoning = "".join("".join(e.full or e.pieces) for e in turn if isinstance(e, Reasoning))
    text = "".join(words_of(e) for e in turn if isinstance(e, Text))
    urls = [url for e in turn if isinstance(e, Text) for url in _urls(e)]
    refusal = "".join(words_of(e) for e in turn if isinstance(e, Refusal))
    images = [f"data:{e.media_type};base64,{e.data}" for e in turn if isinstance(e, Image)]
    return _one_message(reasoning, text, urls, refusal, images, [_call(c) for c in calls_of(script)])


def _one_message(
    reasoning: str, text: str, urls: list[str], refusal: str, images: list[str], calls: list[Thing]
) -> tuple[Thing, ...]:
    said: list[Thing] = [("reasoning", reasoning), ("text", text, *urls), ("refusal", refusal)]
    return tuple(thing for thing in said if any(thing[1:])) + tuple(("image", url) for url in images) + tuple(calls)


def _in_blocks(script: Script, stream: bool) -> tuple[Thing, ...]:
    """Messages: blocks."""
    written = _Written(messages=False)
    for element in script.turn:
        match element:
            case Text():
                written.words("text", "text", element)
            case Refusal():
                written.words("refusal", "text", element)
            case NextMessage() | NextPart():
                written.apart(message=False)
            case Reasoning():
                words = "".join(element.full or element.pieces)
                if element.encrypted and not words and not element.signature:
                    written.thing("redacted", element.encrypted)
                else:
                    written.thing("thinking", words, element.signature or ANY)
            case ToolCall() | CustomToolCall():
                written.thing(*_use(element, stream))
            case Interleaved():
                for call in reversed(element.calls) if element.reverse else element.calls:
                    written.thing(*_use(call, stream))
            case WebSearch():
                written.thing("search", element.query)
                written.thing("found")
            case Item():
                written.thing("item", element.data["type"])
    return tuple(written.said)


def _use(call: ToolCall | CustomToolCall, stream: bool) -> Thing:
    _, name, words, id = _call(call)
    if isinstance(call, CustomToolCall):
        return ("call", name, {"input": words}, id)
    found = _object(words)
    return ("call", name, {"arguments": words} if isinstance(found, str) and not stream else found, id)


def _object(words: str) -> Json | str:
    """The object of a JSON text; what is none stays as it is."""
    try:
        found = json.loads(words or "{}")
    except ValueError:
        return words
    return found if isinstance(found, dict) else words


def _counts(script: Script, dialect: str) -> dict[str, int]:
    usage = next((e for e in script.turn if isinstance(e, Usage)), Usage())
    counts = {
        "input": usage.input,
        "output": usage.output,
        "cached": usage.cached,
        "written": usage.cache_write + usage.cache_write_1h,
        "reasoning": usage.reasoning,
    }
    if dialect == "messages":
        return counts | {"searches": usage.web_searches}
    counts["total"] = usage.input + usage.output
    counts |= {"audio_input": usage.audio_input, "audio_output": usage.audio_output}
    counts |= {"accepted": usage.accepted_prediction, "rejected": usage.rejected_prediction}
    if dialect == "chat" and not counts["written"]:
        del counts["written"]
    return counts


def _ending(script: Script, dialect: str, stream: bool) -> Thing:
    ending: Ending = script.ending or Completed()
    if isinstance(ending, FAILURES):
        return _failure(ending, dialect, stream)
    called = any(isinstance(e, _CALLS) for e in script.turn)
    if isinstance(ending, Incomplete):
        words = {
            "responses": {},
            "chat": {"max_output_tokens": "length"},
            "messages": {"max_output_tokens": "max_tokens", "content_filter": "refusal"},
        }[dialect]
        reason = words.get(ending.reason, ending.reason)
        return {"responses": ("incomplete", reason), "chat": (reason,), "messages": (reason, None)}[dialect]
    assert isinstance(ending, Completed)
    if dialect == "responses":
        return ("completed",)
    if dialect == "chat":
        # The reasons of Messages in the words of this dialect.
        if ending.reason == "model_context_window_exceeded":
            return ("length",)
        return ("tool_calls" if called else "stop",)
    refused = any(isinstance(e, Refusal) for e in script.turn)
    reason = "refusal" if refused else "tool_use" if called else "end_turn"
    if ending.stop_sequence:
        reason = "stop_sequence"
    return (ending.reason or reason, ending.stop_sequence or None)


def _failure(ending: Ending, dialect: str, stream: bool) -> Thing:
    if isinstance(ending, Failed | ErrorEvent):
        message = ending.message.replace("{credential}", KEY)
        if dialect == "messages":
            return ("error", message)
        if dialect == "chat":
            return ("error", message, ending.code or None)
        named = "error" if stream and isinstance(ending, ErrorEvent) and not ending.then_failed else "failed"
        return (named, message, ending.code)
    if dialect == "responses":
        return (ending.status if isinstance(ending, Unfinished) else "cancelled",)
    # The words for a state that the dialect has not are its own.
    return ("error", ANY) if dialect == "messages" else ("error", ANY, ANY)


# --- Responses ------------------------------------------------------------------------------------


def responses_document(document: Json) -> Told:
    said = tuple(thing for item in document["output"] for thing in _item(item))
    return Told(said, _response_ending(document), responses_usage(document["usage"]))


def responses_events(events: Sequence[Json]) -> Told:
    """From the deltas. What has no deltas is read from the item's done event."""
    items: dict[int, Json] = {}
    for event in events:
        match event["type"].removeprefix("response.").split("."):
            case ["output_item", "added"]:
                items[event["output_index"]] = {**event["item"], "begun": True}
            case ["output_item", "done"]:
                item = items[event["output_index"]]
                told = event["item"]
                items[event["output_index"]] = {**told, **{k: item[k] for k in _DELTAS if k in item and k in told}}
            case ["content_part", "added"]:
                items[event["output_index"]].setdefault("content", []).append(dict(event["part"]))
            case ["reasoning_summary_part", "added"]:
                items[event["output_index"]]["summary"].append(dict(event["part"]))
            case ["output_text" | "refusal" | "reasoning_text" as kind, "delta"]:
                part = items[event["output_index"]]["content"][event["content_index"]]
                part["refusal" if kind == "refusal" else "text"] += event["delta"]
            case ["output_text", "annotation", "added"]:
                part = items[event["output_index"]]["content"][event["content_index"]]
                part["annotations"] = [*part["annotations"], event["annotation"]]
            case ["reasoning_summary_text", "delta"]:
                items[event["output_index"]]["summary"][event["summary_index"]]["text"] += event["delta"]
            case ["function_call_arguments" | "custom_tool_call_input" as kind, "delta"]:
                key = "input" if kind == "custom_tool_call_input" else "arguments"
                items[event["output_index"]][key] += event["delta"]
    assert list(items) == list(range(len(items)))
    said = tuple(thing for item in items.values() for thing in _item(item))
    ends = [e for e in events if e["type"] not in ("keepalive", "response.created")][-1]
    if ends["type"] == "error":
        error = ends.get("error") or ends
        return Told(said, ("error", error["message"], error["code"]), None)
    return Told(said, _response_ending(ends["response"]), responses_usage(ends["response"]["usage"]))


_DELTAS = ("content", "summary", "arguments", "input")


def _item(item: Json) -> Iterator[Thing]:
    match item["type"]:
        case "message":
            yield ("message",)
            for part in item["content"]:
                if part["type"] == "refusal":
                    yield ("refusal", part["refusal"])
                else:
                    yield ("text", part["text"], *(a["url"] for a in part["annotations"]))
        case "reasoning":
            summary, full = ("".join(part["text"] for part in item.get(key) or ()) for key in ("summary", "content"))
            yield ("reasoning", summary, full, item.get("encrypted_content") or "")
        case "function_call":
            yield ("call", item["name"], item["arguments"], item["call_id"])
        case "custom_tool_call":
            yield ("custom", item["name"], item["input"], item["call_id"])
        case "web_search_call":
            yield ("search", item["action"]["query"])
        case "image_generation_call":
            yield ("image", item["result"])
        case other:
            yield ("item", other)


def _response_ending(response: Json) -> Thing:
    status = response["status"]
    if status == "incomplete":
        return (status, response["incomplete_details"]["reason"])
    if status == "failed":
        return (status, response["error"]["message"], response["error"]["code"])
    return (status,)


def responses_usage(usage: Json | None) -> Mapping[str, int] | None:
    if usage is None:
        return None
    into, out = usage["input_tokens_details"], usage["output_tokens_details"]
    return {
        "input": usage["input_tokens"],
        "output": usage["output_tokens"],
        "total": usage["total_tokens"],
        "cached": into["cached_tokens"],
        "written": into["cache_write_tokens"],
        "audio_input": into.get("audio_tokens", 0),
        "reasoning": out["reasoning_tokens"],
        "audio_output": out.get("audio_tokens", 0),
        "accepted": out.get("accepted_prediction_tokens", 0),
        "rejected": out.get("rejected_prediction_tokens", 0),
    }


# --- Chat Completions -----------------------------------------------------------------------------


def chat_document(document: Json) -> Told:
    if document.get("error"):
        return Told((), chat_error(document["error"]), None)
    (choice,) = document["choices"]
    return Told(_chat_said(choice["message"]), (choice["finish_reason"],), chat_usage(document["usage"]))


def chat_chunks(chunks: Sequence[Json]) -> Told:
    message: Json = {"calls": {}}
    ending: Thing = ()
    usage = None
    for chunk in chunks:
        usage = chunk.get("usage") or usage
        if chunk.get("error"):
            ending = chat_error(chunk["error"])
        for choice in chunk["choices"]:
            for key, value in choice["delta"].items():
                if key == "tool_calls":
                    for call in value:
                        _add_call(message["calls"], call)
                elif value is not None and key != "role":
                    message[key] = message[key] + value if key in message else value
            ending = (choice["finish_reason"],) if choice["finish_reason"] else ending
    return Told(_chat_said({**message, "tool_calls": list(message["calls"].values())}), ending, chat_usage(usage))


def _add_call(calls: dict[int, Json], delta: Json) -> None:
    kind = "custom" if "custom" in delta else "function"
    key = "input" if kind == "custom" else "arguments"
    if delta["index"] not in calls:
        calls[delta["index"]] = {**delta, kind: dict(delta[kind])}
    else:
        calls[delta["index"]][kind][key] += delta[kind].get(key) or ""


def chat_error(error: Json) -> Thing:
    return ("error", error["message"], error["code"])


def _chat_said(message: Json) -> tuple[Thing, ...]:
    calls: list[Thing] = []
    for call in message.get("tool_calls") or ():
        if call["type"] == "custom":
            calls.append(("custom", call["custom"]["name"], call["custom"]["input"], call["id"]))
        else:
            calls.append(("call", call["function"]["name"], call["function"]["arguments"], call["id"]))
    return _one_message(
        message.get("reasoning_content") or message.get("reasoning") or "",
        message.get("content") or "",
        [a["url_citation"]["url"] for a in message.get("annotations") or ()],
        message.get("refusal") or "",
        [image["image_url"]["url"] for image in message.get("images") or ()],
        calls,
    )


def chat_usage(usage: Json | None) -> Mapping[str, int] | None:
    if usage is None:
        return None
    into, out = usage["prompt_tokens_details"], usage["completion_tokens_details"]
    written = {"written": into["cache_write_tokens"]} if "cache_write_tokens" in into else {}
    return written | {
        "input": usage["prompt_tokens"],
        "output": usage["completion_tokens"],
        "total": usage["total_tokens"],
        "cached": into["cached_tokens"],
        "audio_input": into["audio_tokens"],
        "reasoning": out["reasoning_tokens"],
        "audio_output": out["audio_tokens"],
        "accepted": out["accepted_prediction_tokens"],
        "rejected": out["rejected_prediction_tokens"],
    }


# --- Messages -------------------------------------------------------------------------------------


def messages_document(document: Json) -> Told:
    if document["type"] == "error":
        return Told((), ("error", document["error"]["message"]), None)
    ending = (document["stop_reason"], document.get("stop_sequence"))
    return Told(tuple(map(_block, document["content"])), ending, messages_usage(document["usage"]))


def messages_events(events: Sequence[Json]) -> Told:
    blocks: dict[int, Json] = {}
    ending: Thing = ()
    usage = None
    for event in events:
        match event["type"]:
            case "content_block_start":
                blocks[event["index"]] = {**event["content_block"], "json": ""}
            case "content_block_delta":
                _add_delta(blocks[event["index"]], event["delta"])
            case "message_delta":
                ending = (event["delta"]["stop_reason"], event["delta"]["stop_sequence"])
                usage = messages_usage(event["usage"])
            case "error":
                ending = ("error", event["error"]["message"])
    assert list(blocks) == list(range(len(blocks)))
    for block in blocks.values():
        if block["json"]:
            block["input"] = _object(block["json"])
    return Told(tuple(map(_block, blocks.values())), ending, usage)


def _add_delta(block: Json, delta: Json) -> None:
    match delta["type"]:
        case "input_json_delta":
            block["json"] += delta["partial_json"]
        case "citations_delta":
            block["citations"] = [*(block["citations"] or ()), delta["citation"]]
        case kind:
            key = kind.removesuffix("_delta")
            block[key] += delta[key]


def _block(block: Json) -> Thing:
    match block["type"]:
        case "text":
            return ("text", block["text"], *(c["url"] for c in block.get("citations") or ()))
        case "thinking":
            return ("thinking", block["thinking"], block["signature"])
        case "redacted_thinking":
            return ("redacted", block["data"])
        case "tool_use":
            return ("call", block["name"], block["input"], block["id"])
        case "server_tool_use":
            return ("search", block["input"]["query"])
        case "web_search_tool_result":
            return ("found",)
        case other:
            return ("item", other)


def messages_usage(usage: Json) -> Mapping[str, int]:
    """Inclusive, as a script says it."""
    cached, written = usage["cache_read_input_tokens"], usage["cache_creation_input_tokens"]
    return {
        "input": usage["input_tokens"] + cached + written,
        "output": usage["output_tokens"],
        "cached": cached,
        "written": written,
        "reasoning": (usage.get("output_tokens_details") or {}).get("thinking_tokens", 0),
        "searches": (usage.get("server_tool_use") or {}).get("web_search_requests", 0),
    }


DOCUMENTS = {"responses": responses_document, "chat": chat_document, "messages": messages_document}
EVENTS = {"responses": responses_events, "chat": chat_chunks, "messages": messages_events}


# --- events off the wire --------------------------------------------------------------------------


def read_sse(data: bytes) -> list[tuple[str, str]]:
    """Name and data of each event. Raises ValueError for half an event at the end, which the SSE standard throws away."""
    found, name, lines = [], "", []
    *whole, rest = re.split("\r\n|\r|\n", data.decode().removeprefix("\ufeff"))
    for line in whole:
        key, _, value = line.partition(":")
        if key == "event":
            name = value.removeprefix(" ")
        elif key == "data":
            lines.append(value.removeprefix(" "))
        elif not line:
            if lines:
                found.append((name, "\n".join(lines)))
            name, lines = "", []
    if rest or name or lines:
        raise ValueError(f"half an event: {name or lines or rest}")
    return found
