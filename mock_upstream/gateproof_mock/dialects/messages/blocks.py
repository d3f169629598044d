"""A turn as content blocks: how each begins, and what its deltas add. Both modes of the dialect are told from this."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.jsontext import parsed
from gateproof_mock.language.turns import (
    Citation,
    Comment,
    CustomToolCall,
    Element,
    Event,
    Hold,
    Interleaved,
    Item,
    NextMessage,
    NextPart,
    Pause,
    Ping,
    Raw,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    WebSearch,
)

Block = dict[str, Any]

FOUND = "https://example.com/found"
"""The one page that every search finds."""


@dataclass(frozen=True, slots=True)
class Begin:
    """A block begins. `holds`: what its deltas tell, `text` or `arguments`, where a switch can put that here instead."""

    block: Block
    holds: str = ""


@dataclass(frozen=True, slots=True)
class Delta:
    delta: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """The block that began last is whole."""


WireElement = Hold | Pause | Comment | Ping | Event | Raw
Op = Begin | Delta | End | WireElement


def planned(said: Iterable[Element], asked: Asked, *, whole: bool) -> list[Op]:
    """What is said as blocks, with what is done on the wire between. `whole`: the turn comes to its end; else the block that
    is being written is broken off."""
    planner = _Planner(asked)
    for element in said:
        planner.say(element)
    if whole:
        planner.close()
    return planner.ops


def folded(ops: Iterable[Op]) -> list[Block]:
    """The blocks as they are when every delta is added."""
    blocks: list[tuple[Block, list[Mapping[str, Any]]]] = []
    for op in ops:
        if isinstance(op, Begin):
            blocks.append((op.block, []))
        elif isinstance(op, Delta):
            blocks[-1][1].append(op.delta)
    return [_whole(block, deltas) for block, deltas in blocks]


def tool_input(arguments: str) -> Block:
    """The input of a tool_use. What is no JSON object cannot be one, and is told as the string that it is."""
    if not arguments:
        return {}
    # Two pieces may have broken a surrogate pair, which is one character when they are together.
    joined = arguments.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    document = parsed(joined.encode("utf-8", "surrogatepass"))
    return document if isinstance(document, dict) else {"arguments": arguments}


def _whole(block: Block, deltas: list[Mapping[str, Any]]) -> Block:
    pieces: dict[str, list[Any]] = {}
    for delta in deltas:
        key = next(key for key in delta if key != "type")
        pieces.setdefault(key, []).append(delta[key])
    whole = dict(block)
    for key, values in pieces.items():
        if key == "citation":
            whole["citations"] = values
        elif key == "partial_json":
            whole["input"] = tool_input("".join(values))
        else:
            whole[key] = "".join(values)
    return whole


class _Planner:
    """`open`: `text` or `refusal` while a block of that is being written; it is closed when something else follows, since
    what is last may yet be broken off. `apart`: the next words begin a new block."""

    def __init__(self, asked: Asked) -> None:
        self.ops: list[Op] = []
        self._asked = asked
        self._open = ""
        self._apart = False

    def close(self) -> None:
        if self._open:
            self.ops.append(End())
        self._open, self._apart = "", False

    def say(self, element: Element) -> None:
        match element:
            case Text():
                self._words("text", element.deltas)
                self.ops.extend(Delta({"type": "citations_delta", "citation": _citation(c)}) for c in element.citations)
            case Refusal(pieces):
                self._words("refusal", pieces)
            case NextMessage() | NextPart():
                self._apart = True
            case Reasoning():
                self._reason(element)
            case ToolCall(name, arguments, id):
                self._call(name, arguments, id)
            case CustomToolCall(name, pieces, id):
                self._call(name, _wrapped("input", pieces), id)
            case Interleaved(calls, reverse):
                for call in reversed(calls) if reverse else calls:
                    self.say(call)
            case WebSearch(query):
                self._search(query)
            case Item(data):
                self._block(Begin(dict(data)))
            case Hold() | Pause() | Comment() | Ping() | Event() | Raw():
                self.ops.append(element)
            case _:
                pass

    def _words(self, kind: str, pieces: Iterable[str]) -> None:
        if self._open != kind or self._apart:
            self.close()
            self.ops.append(Begin({"type": "text", "text": "", "citations": None}, "text"))
            self._open = kind
        self.ops.extend(Delta({"type": "text_delta", "text": piece}) for piece in pieces)

    def _block(self, begin: Begin, deltas: Iterable[Mapping[str, Any]] = ()) -> None:
        self.close()
        self.ops.append(begin)
        self.ops.extend(Delta(delta) for delta in deltas)
        self.ops.append(End())

    def _reason(self, reasoning: Reasoning) -> None:
        pieces = reasoning.full or reasoning.pieces
        if reasoning.encrypted and not pieces and not reasoning.signature:
            self._block(Begin({"type": "redacted_thinking", "data": reasoning.encrypted}))
            return
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
        signature = reasoning.signature or _signature("".join(pieces))
        deltas.append({"type": "signature_delta", "signature": signature})
        self._block(Begin({"type": "thinking", "thinking": "", "signature": ""}), deltas)

    def _call(self, name: str, pieces: Iterable[str], id: str) -> None:
        self._use("tool_use", id or self._asked.new_id("toolu"), name, pieces)

    def _use(self, kind: str, id: str, name: str, pieces: Iterable[str]) -> None:
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]
        self._block(Begin({"type": kind, "id": id, "name": name, "input": {}}, "arguments"), deltas)

    def _search(self, query: str) -> None:
        id = self._asked.new_id("srvtoolu")
        self._use("server_tool_use", id, "web_search", _wrapped("query", (query,)))
        found = {
            "type": "web_search_result",
            "url": FOUND,
            "title": query,
            "encrypted_content": _signature(query),
            "page_age": None,
        }
        self._block(Begin({"type": "web_search_tool_result", "tool_use_id": id, "content": [found]}))


def _citation(citation: Citation) -> Block:
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title,
        "encrypted_index": _signature(citation.url),
        "cited_text": citation.cited,
    }


def _wrapped(key: str, pieces: tuple[str, ...]) -> list[str]:
    """The pieces of the JSON text {key: the pieces joined}, as many as there are of the text."""
    written = [json.dumps(piece, ensure_ascii=False)[1:-1] for piece in pieces] or [""]
    written[0] = f'{{"{key}":"{written[0]}'
    written[-1] += '"}'
    return written


def _signature(words: str) -> str:
    """Opaque characters, the same for the same words."""
    return b64encode(hashlib.sha256(words.encode("utf-8", "surrogatepass")).digest()).decode()
