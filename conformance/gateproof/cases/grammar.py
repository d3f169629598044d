"""The order of a stream's events, on Responses and Chat Completions."""

from __future__ import annotations

from typing import Any

from gateproof.answers.responses import TERMINALS
from gateproof.cases.reading import choices, chunks, place
from gateproof.exchange import Exchange
from gateproof.registry import invariant

_FAILURES = ("response.failed", "error")
_CONTENT = ("content", "refusal", "reasoning_content", "tool_calls")


@invariant("grammar.responses-events-are-in-order")
def responses_events_are_in_order(exchange: Exchange) -> list[str] | None:
    events = [e for e in exchange.answer.events if isinstance(e, dict)]
    if not events:
        return None
    found = _Grammar().read(events)
    sentinels = exchange.answer.events.count("[DONE]")
    if sentinels > 1:
        found.append(f"[DONE] came {sentinels} times")
    elif sentinels and exchange.answer.events[-1] != "[DONE]":
        found.append("data came after [DONE]")
    return found


class _Grammar:
    """Reads the events of one stream and notes each breach once."""

    def __init__(self) -> None:
        self.breaches: dict[str, None] = {}
        self.open_items: dict[Any, dict[str, Any]] = {}
        self.open_parts: set[tuple[Any, Any]] = set()
        self.items: set[Any] = set()
        self.parts: set[tuple[Any, Any]] = set()
        self.terminal = ""

    def read(self, events: list[dict[str, Any]]) -> list[str]:
        types = [e.get("type") for e in events]
        if types[0] not in ("response.created", *_FAILURES):
            self._breach(f"the first event is {types[0]!r}"[:120] + ", not response.created")
        if types.count("response.created") > 1:
            self._breach("response.created came more than once")
        for event in events:
            self._take(event)
        if self.terminal in ("response.completed", "response.incomplete", "response.done"):
            for index in self.open_items:
                self._breach(f"the item at output_index {index} was never closed by output_item.done")
            for index, part in self.open_parts:
                self._breach(f"the part {part} of output_index {index} was never closed by content_part.done")
        return list(self.breaches)[:5]

    def _breach(self, words: str) -> None:
        self.breaches[words] = None

    def _take(self, event: dict[str, Any]) -> None:
        kind = str(event.get("type"))[:80]
        index = place(event.get("output_index"))
        part = (index, place(event.get("content_index")))
        if self.terminal and not (self.terminal == "error" and kind == "response.failed"):
            self._breach(f"{kind} came after the terminal {self.terminal}")
        if kind in TERMINALS or kind == "error":
            self.terminal = kind
        elif kind == "response.output_item.added":
            if index in self.items:
                self._breach(f"a second item was opened at output_index {index}")
            self.items.add(index)
            item = event.get("item")
            self.open_items[index] = item if isinstance(item, dict) else {}
        elif kind == "response.output_item.done":
            if self.open_items.pop(index, None) is None:
                self._breach(f"output_item.done for output_index {index}, which was not open")
        elif kind == "response.content_part.added":
            if part in self.parts:
                self._breach(f"part {part[1]} of output_index {index} was opened twice")
            self.parts.add(part)
            self.open_parts.add(part)
            self._needs_item(kind, index, event)
        elif kind == "response.content_part.done":
            if part not in self.open_parts:
                self._breach(f"content_part.done for a part that was not open (output_index {index})")
            self.open_parts.discard(part)
            self._needs_item(kind, index, event)
        elif kind.startswith("response.") and kind.endswith((".delta", ".done")) and index is not None:
            self._needs_item(kind, index, event)
            if kind.startswith(("response.output_text.", "response.refusal.")) and part not in self.open_parts:
                self._breach(f"{kind} for a part that was not open (output_index {index})")

    def _needs_item(self, kind: str, index: Any, event: dict[str, Any]) -> None:
        if index not in self.open_items:
            self._breach(f"{kind} for output_index {index}, where no item is open")
            return
        held = self.open_items[index].get("id")
        if held and event.get("item_id") not in (None, held):
            self._breach(f"{kind} has another item_id than the item at output_index {index}")


@invariant("grammar.chat-ends-once")
def chat_ends_once(exchange: Exchange) -> list[str] | None:
    answer = exchange.answer
    if answer.outcome != "complete" or not answer.events:
        return None
    found: list[str] = []
    finishes = 0
    for choice in choices(answer):
        delta = choice.get("delta")
        if finishes and isinstance(delta, dict) and any(delta.get(key) for key in _CONTENT):
            found.append(f"content after the finish_reason: {delta!r}"[:160])
        finishes += bool(choice.get("finish_reason"))
    if finishes != 1:
        found.append(f"{finishes} chunks have a finish_reason")
    sentinels = answer.events.count("[DONE]")
    if sentinels != 1:
        found.append(f"[DONE] came {sentinels} times")
    elif answer.events[-1] != "[DONE]":
        found.append(f"after [DONE] came {answer.events[-1]!r}"[:160])
    return found[-5:]


@invariant("identity.one-id-per-chat-stream")
def one_id_per_chat_stream(exchange: Exchange) -> list[str] | None:
    held = chunks(exchange.answer)
    if len(held) < 2:
        return None
    found = []
    for key in ("id", "created", "model"):
        values = dict.fromkeys(repr(chunk.get(key)) for chunk in held)
        if len(values) > 1:
            found.append(f"{len(values)} values of {key}: {', '.join(v[:80] for v in list(values)[:3])}")
    return found
