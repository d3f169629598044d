"""The items of a response's output, and the events by which a stream tells of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from gateproof_mock.dialects.frames import Frame
from gateproof_mock.dialects.openai import logprobs
from gateproof_mock.dialects.responses.events import Events
from gateproof_mock.dialects.responses.objects import (
    Object,
    call_item,
    image_item,
    message_item,
    part,
    reasoning_item,
    search_item,
    url_citation,
)
from gateproof_mock.language.turns import CustomToolCall, Image, Reasoning, Text, ToolCall
from gateproof_mock.language.wire import Wire

_DELTAS, _DONE, _ITEM = range(3)
_TEXT_FROM = {"deltas": _DELTAS, "text_done": _DONE, "item_done": _ITEM}
_ARGUMENTS_FROM = {"deltas": _DELTAS, "arguments_done": _DONE, "item_done": _ITEM}
_TERMINAL = 3
"""Places where words are said, in their order: what is said first in one of them is said in every later one also."""

Call = ToolCall | CustomToolCall


@dataclass(slots=True)
class _Message:
    """The message that is being written: its parts, and the one that is open if `kind` is said."""

    id: str
    index: int
    parts: list[Object] = field(default_factory=list)
    kind: str = ""
    pieces: list[str] = field(default_factory=list)
    annotations: list[Object] = field(default_factory=list)
    logprobs: list[Object] = field(default_factory=list)

    def open(self, kind: str) -> None:
        self.kind, self.pieces, self.annotations, self.logprobs = kind, [], [], []

    def open_part(self) -> Object:
        return part(self.kind, "".join(self.pieces), self.annotations, self.logprobs)

    def item(self, status: str) -> Object:
        return message_item(self.id, status, [*self.parts, *([self.open_part()] if self.kind else [])])

    @property
    def place(self) -> dict[str, Any]:
        return {"item_id": self.id, "output_index": self.index, "content_index": len(self.parts)}


class Output:
    """The output so far. `items`: each as it stands, in the order of their output_index; an item that was in an event is
    never changed, but replaced."""

    def __init__(self, events: Events, wire: Wire, new_id: Callable[[str], str]) -> None:
        self.items: list[Object] = []
        self._events = events
        self._new_id = new_id
        self._nulls = wire.null_deltas
        self._text_from = _TEXT_FROM.get(wire.text_in, _TERMINAL)
        self._arguments_from = _ARGUMENTS_FROM.get(wire.arguments_in, _TERMINAL)
        self._message: _Message | None = None
        self._next_message = False
        self._next_part = False

    # --- messages -----------------------------------------------------------------------------

    def next_message(self) -> None:
        """The next words begin a message. Until there are any, the last one may yet be broken off."""
        self._next_message = True

    def next_part(self) -> None:
        self._next_part = True

    def text(self, said: Text) -> Iterator[Frame]:
        """More of the open part of text, or a new one."""
        message = yield from self._opened("output_text")
        entries = logprobs(said.deltas) if said.logprobs else []
        message.pieces.extend(said.deltas)
        message.logprobs.extend(entries)
        streams = self._text_from == _DELTAS
        for place, piece in enumerate(said.deltas if streams else ()):
            told = _of_events(entries[place : place + 1])
            yield from self._deltas("response.output_text.delta", (piece,), message.place, {"logprobs": told})
        for citation in said.citations:
            annotation = url_citation(citation)
            message.annotations.append(annotation)
            if streams:
                yield self._events.event(
                    "response.output_text.annotation.added",
                    **message.place,
                    annotation_index=len(message.annotations) - 1,
                    annotation=annotation,
                )

    def refusal(self, pieces: Sequence[str]) -> Iterator[Frame]:
        """More of the open part of a refusal, or a new one."""
        message = yield from self._opened("refusal")
        message.pieces.extend(pieces)
        yield from self._deltas("response.refusal.delta", pieces, message.place)

    def _opened(self, kind: str) -> Generator[Frame, None, _Message]:
        """The message whose open part is of this type: it, or its part, is begun where there is none."""
        if self._next_message:
            yield from self.close()
        message = self._message
        if message is None:
            message = self._message = _Message(self._new_id("msg"), len(self.items))
            yield self._added(message.item("in_progress"))
        if message.kind != kind or self._next_part:
            yield from self._close_part(message)
            yield self._events.event("response.content_part.added", **message.place, part=part(kind, ""))
            message.open(kind)
        self._next_part = False
        return message

    def close(self, status: str = "completed") -> Iterator[Frame]:
        """End the open message, if there is one."""
        message, self._message = self._message, None
        self._next_message = self._next_part = False
        if message is not None:
            yield from self._close_part(message)
            yield self._done(message.index, message.item(status), self._told(message, status))

    def break_off(self, status: str) -> None:
        """The open message, if there is one, stays as it is, and no event says so."""
        if self._message is not None:
            self.items[self._message.index] = self._message.item(status)

    def _close_part(self, message: _Message) -> Iterator[Frame]:
        kind = message.kind
        if not kind:
            return
        place, whole = message.place, message.open_part()
        message.parts.append(whole)
        message.kind = ""
        if kind == "refusal":
            yield self._events.event("response.refusal.done", **place, refusal=whole["refusal"])
        else:
            whole = self._told_part(whole, _DONE)
            told = _of_events(whole["logprobs"])
            yield self._events.event("response.output_text.done", **place, text=whole["text"], logprobs=told)
        yield self._events.event("response.content_part.done", **place, part=whole)

    def _told(self, message: _Message, status: str) -> Object:
        """The message as its done event says it."""
        return message_item(message.id, status, [self._told_part(p, _ITEM) for p in message.parts])

    def _told_part(self, whole: Object, place: int) -> Object:
        withheld = whole["type"] == "output_text" and self._text_from > place
        return part("output_text", "") if withheld else whole

    # --- other items --------------------------------------------------------------------------

    def reasoning(self, said: Reasoning) -> Iterator[Frame]:
        """A reasoning item: its summary, then its text. What is encrypted is whole in the done event only."""
        yield from self.close()
        item_id, index = self._new_id("rs"), len(self.items)
        place = {"item_id": item_id, "output_index": index}
        yield self._added(reasoning_item(item_id))
        if said.pieces:
            yield from self._reasoning_part(
                "reasoning_summary_part", "reasoning_summary_text", said.pieces, {**place, "summary_index": 0}
            )
        if said.full:
            yield from self._reasoning_part("content_part", "reasoning_text", said.full, {**place, "content_index": 0})
        summary = "".join(said.pieces) if said.pieces else None
        full = "".join(said.full) if said.full else None
        yield self._done(index, reasoning_item(item_id, summary, full, said.encrypted))

    def _reasoning_part(
        self, event: str, kind: str, pieces: Sequence[str], place: Mapping[str, Any]
    ) -> Iterator[Frame]:
        type_ = "summary_text" if kind == "reasoning_summary_text" else kind
        words = "".join(pieces)
        yield self._events.event(f"response.{event}.added", **place, part=part(type_, ""))
        yield from self._deltas(f"response.{kind}.delta", pieces, place)
        yield self._events.event(f"response.{kind}.done", **place, text=words)
        yield self._events.event(f"response.{event}.done", **place, part=part(type_, words))

    def calls(self, calls: Sequence[Call], last_status: str, *, reverse: bool = False) -> Iterator[Frame]:
        """Calls side by side: they begin in order, their deltas alternate, they end in order or in reverse.

        `last_status`: of the last of them, which may have been broken off.
        """
        yield from self.close()
        opened: list[tuple[Call, dict[str, Any]]] = []
        for call in calls:
            item_id = self._new_id("ctc" if isinstance(call, CustomToolCall) else "fc")
            opened.append((call, {"item_id": item_id, "output_index": len(self.items)}))
            yield self._added(call_item(call, item_id, "in_progress", ""))
        if self._arguments_from == _DELTAS:
            for turn in zip_longest(*(_said(call) for call in calls)):
                for (call, place), piece in zip(opened, turn, strict=True):
                    if piece is not None:
                        yield from self._deltas(f"{_event(call)}.delta", (piece,), place)
        last = len(self.items) - 1
        for call, place in reversed(opened) if reverse else opened:
            yield from self._close_call(call, place, last_status if place["output_index"] == last else "completed")

    def _close_call(self, call: Call, place: Mapping[str, Any], status: str) -> Iterator[Frame]:
        words = "".join(_said(call))
        if self._arguments_from <= _DONE:
            custom = isinstance(call, CustomToolCall)
            fields = {"input": words} if custom else {"name": call.name, "arguments": words}
            yield self._events.event(f"{_event(call)}.done", **place, **fields)
        item = call_item(call, place["item_id"], status, words)
        told = {} if self._arguments_from <= _ITEM else call_item(call, place["item_id"], status, "")
        yield self._done(place["output_index"], item, told or item)

    def search(self, query: str) -> Iterator[Frame]:
        item_id = self._new_id("ws")
        yield from self._stages(
            search_item(item_id, query, "in_progress"),
            search_item(item_id, query, "completed"),
            ("in_progress", "searching", "completed"),
        )

    def image(self, image: Image) -> Iterator[Frame]:
        item_id = self._new_id("ig")
        yield from self._stages(
            image_item(item_id, image, "in_progress"),
            image_item(item_id, image, "completed"),
            ("in_progress", "generating", "completed"),
        )

    def given(self, data: Mapping[str, Any]) -> Iterator[Frame]:
        """An item given whole."""
        whole = dict(data) if data.get("id") else {**data, "id": self._new_id("item")}
        yield from self._stages({**whole, "status": "in_progress"} if "status" in whole else whole, whole)

    def _stages(self, begun: Object, whole: Object, stages: Iterable[str] = ()) -> Iterator[Frame]:
        """An item of a hosted tool, whose progress has no words."""
        yield from self.close()
        index = len(self.items)
        yield self._added(begun)
        for stage in stages:
            yield self._events.event(f"response.{whole['type']}.{stage}", item_id=whole["id"], output_index=index)
        yield self._done(index, whole)

    # --- events -------------------------------------------------------------------------------

    def _added(self, item: Object) -> Frame:
        self.items.append(item)
        return self._events.event("response.output_item.added", output_index=len(self.items) - 1, item=item)

    def _done(self, index: int, item: Object, told: Object | None = None) -> Frame:
        """`told`: the item as the event says it, if it says less than there is."""
        self.items[index] = item
        return self._events.event("response.output_item.done", output_index=index, item=told or item)

    def _deltas(
        self, kind: str, pieces: Iterable[str], place: Mapping[str, Any], extra: Mapping[str, Any] | None = None
    ) -> Iterator[Frame]:
        extra = extra or {}
        for piece in pieces:
            if self._nulls:
                yield self._events.event(kind, **place, delta=None, **extra)
            yield self._events.event(kind, **place, delta=piece, **extra)


def _said(call: Call) -> tuple[str, ...]:
    return call.input if isinstance(call, CustomToolCall) else call.arguments


def _of_events(entries: Sequence[Object]) -> list[Object]:
    """Probabilities as events tell them: only those of a part have `bytes` (ResponseLogProb, LogProb)."""
    return [{key: value for key, value in entry.items() if key != "bytes"} for entry in entries]


def _event(call: Call) -> str:
    return f"response.{'custom_tool_call_input' if isinstance(call, CustomToolCall) else 'function_call_arguments'}"
