"""Canonical events, written as Responses: the full event grammar, or one body (OpenAI API reference)."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO

from gateproof_reference import citations, sse, usage, wirejson
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
    Cited,
    Event,
    Failed,
    Finished,
    Identity,
    PartBegan,
    Reason,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
)
from gateproof_reference.failures import Failure, RefusedError
from gateproof_reference.responses import resource
from gateproof_reference.streams import Encoder, Frame
from gateproof_reference.wirejson import Object

INCOMPLETE: dict[Reason, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Endings that leave a Response incomplete, and the reason that it gives (litellm#37710)."""


def frame(event: Object) -> bytes:
    """Return an event as it goes over the wire: its `event:` line is its type (openresponses.org 2026-04-24)."""
    return sse.encode(wirejson.dump(event), event["type"])


# Words that grow are kept in buffers: to add to a string would copy all of it with every delta.


@dataclass(slots=True)
class _Part:
    """A content part; `kind` is output_text or refusal."""

    kind: str
    words: StringIO = field(default_factory=StringIO)
    cited: list[Object] = field(default_factory=list)

    def content(self) -> Object:
        words = self.words.getvalue()
        if self.kind == "refusal":
            return {"type": "refusal", "refusal": words}
        return {"type": "output_text", "text": words, "annotations": [*self.cited], "logprobs": []}


@dataclass(slots=True)
class _Message:
    """A message item. The last of its parts may be open."""

    at: int
    id: str
    parts: list[_Part] = field(default_factory=list)
    open_part: bool = False

    def item(self, status: str) -> Object:
        content = [part.content() for part in self.parts]
        return {"id": self.id, "type": "message", "status": status, "role": "assistant", "content": content}


@dataclass(slots=True)
class _Reasoning:
    """A reasoning item with at most one summary, which has begun if it is `told`; its seal comes last."""

    at: int
    id: str
    words: StringIO = field(default_factory=StringIO)
    told: bool = False
    encrypted: str = ""

    def item(self, status: str) -> Object:
        summary = [{"type": "summary_text", "text": self.words.getvalue()}] if self.told else []
        sealed = {"encrypted_content": self.encrypted} if self.encrypted else {}
        return {"id": self.id, "type": "reasoning", "status": status, "summary": summary, **sealed}


@dataclass(slots=True)
class _Call:
    """A function call item."""

    at: int
    id: str
    call_id: str
    name: str
    arguments: StringIO = field(default_factory=StringIO)

    def item(self, status: str) -> Object:
        return {
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": self.call_id,
            "name": self.name,
            "arguments": self.arguments.getvalue(),
        }


class ResponsesEncoder(Encoder):
    """Writes one turn. A message or reasoning item is closed when another begins; calls stay open to the end,
    because their arguments may come interleaved."""

    def __init__(self, request: Request, identity: Identity) -> None:
        self._request = request
        self._identity = identity
        self._model = request.model
        self._sequence = 0
        self._began = False
        self._current: _Message | _Reasoning | None = None
        self._calls: list[_Call] = []
        self._done: dict[int, Object] = {}
        self._items = 0
        self._said = 0
        """Characters of the parts of text that are closed."""
        self.final: Object = {}
        """The Response object of the terminal event, once it was written."""

    def encode(self, event: Event) -> Iterable[Frame]:
        if not self._began:
            self._began = True
            if isinstance(event, Started):
                self._model = event.model or self._model
            return (*self.openings(), *self.encode(event))
        match event:
            case TextDelta():
                return self.words("output_text", event.text)
            case RefusalDelta():
                return self.words("refusal", event.text)
            case PartBegan():
                return self.part()
            case Cited():
                return self.citation(event)
            case ReasoningDelta():
                return self.reasoning(event.text)
            case ReasoningSealed():
                return self.seal(resource.encrypted(event.seal, redacted=event.redacted))
            case CallStarted():
                return self.call(event)
            case CallArguments():
                return (self.arguments(event),)
            case Finished():
                return self.finish(event)
            case _:
                return ()

    def failed(self, failure: Failure) -> bytes:
        model = self._model or None
        return frame(resource.failed_event(failure, resource.response_id(self._identity), model, self._sequence))

    # -- frames

    def event(self, kind: str, **members: object) -> bytes:
        """Return one event with the next sequence number."""
        event = {"type": kind, "sequence_number": self._sequence, **members}
        self._sequence += 1
        return frame(event)

    def frame(self, kind: str, **members: object) -> Frame:
        """Return one event that is part of the answer."""
        return Frame(self.event(kind, **members))

    def response(self, status: str, **more: object) -> Object:
        """Return the Response object as it is now."""
        return resource.response(self._request, self._identity, self._model, status, **more)

    def item_id(self, prefix: str) -> str:
        """Return the id of the next item: unique in the turn, and made of the turn's."""
        return f"{prefix}_{self._identity.token}_{self._items}"

    def added(self, item: _Message | _Reasoning | _Call) -> Frame:
        """Announce an item, empty (verifiers#2164); its output_index is the next one."""
        self._items += 1
        return self.frame("response.output_item.added", output_index=item.at, item=item.item("in_progress"))

    def item_done(self, item: _Message | _Reasoning | _Call, status: str) -> Frame:
        """Close an item with all that it holds: Codex reads it from here (openai/codex `sse/responses.rs`)."""
        self._done[item.at] = item.item(status)
        return self.frame("response.output_item.done", output_index=item.at, item=self._done[item.at])

    # -- the answer

    def openings(self) -> Iterator[Frame]:
        """Begin the turn."""
        for kind in ("response.created", "response.in_progress"):
            yield Frame(self.event(kind, response=self.response("in_progress")), opening=True)

    def words(self, kind: str, words: str) -> Iterable[Frame]:
        """Write text or refusal, each in its own part of a message."""
        frames: list[Frame] = []
        message = self._current
        if not isinstance(message, _Message):
            frames += self.close_current("completed")
            message = self._current = _Message(self._items, self.item_id("msg"))
            frames.append(self.added(message))
        if message.open_part and message.parts[-1].kind != kind:
            frames += self.close_part(message)
        if not message.open_part:
            message.parts.append(_Part(kind))
            message.open_part = True
            frames.append(self.part_frame("response.content_part.added", message, part=message.parts[-1].content()))
        message.parts[-1].words.write(words)
        extra: Object = {"logprobs": []} if kind == "output_text" else {}
        frames.append(self.part_frame(f"response.{kind}.delta", message, delta=words, **extra))
        return frames

    def part(self) -> Iterator[Frame]:
        """End the open part of text, if there is one: the words that come next are another's."""
        if isinstance(self._current, _Message) and self._current.open_part:
            yield from self.close_part(self._current)

    def citation(self, cited: Cited) -> Iterator[Frame]:
        """Write a citation in the part that it is about, while that is open: a closed item cannot be added to."""
        message = self._current
        if not isinstance(message, _Message) or not message.open_part or message.parts[-1].kind != "output_text":
            return
        part, annotation = message.parts[-1], citations.flat(cited, self._said)
        at = len(part.cited)
        part.cited.append(annotation)
        kind = "response.output_text.annotation.added"
        yield self.part_frame(kind, message, annotation_index=at, annotation=annotation)

    def part_frame(self, kind: str, message: _Message, **members: object) -> Frame:
        """Return an event about the last part of a message."""
        at = len(message.parts) - 1
        return self.frame(kind, item_id=message.id, output_index=message.at, content_index=at, **members)

    def close_part(self, message: _Message) -> Iterator[Frame]:
        """Close the open part of a message."""
        kind, words = message.parts[-1].kind, message.parts[-1].words.getvalue()
        message.open_part = False
        self._said += len(words) if kind == "output_text" else 0
        said: Object = {"refusal": words} if kind == "refusal" else {"text": words, "logprobs": []}
        yield self.part_frame(f"response.{kind}.done", message, **said)
        yield self.part_frame("response.content_part.done", message, part=message.parts[-1].content())

    def reasoning(self, words: str) -> Iterator[Frame]:
        """Write reasoning as the summary of a reasoning item."""
        item = self._current
        if not isinstance(item, _Reasoning):
            item = yield from self.open_reasoning()
        if not item.told:
            item.told = True
            part = {"type": "summary_text", "text": ""}
            yield self.summary_frame("response.reasoning_summary_part.added", item, part=part)
        item.words.write(words)
        yield self.summary_frame("response.reasoning_summary_text.delta", item, delta=words)

    def seal(self, encrypted: str) -> Iterator[Frame]:
        """Write the seal of the reasoning that was told, or of reasoning that is not shown, as an item of its own."""
        item = self._current
        if not isinstance(item, _Reasoning):
            item = yield from self.open_reasoning()
        item.encrypted = encrypted
        yield from self.close_current("completed")

    def open_reasoning(self) -> Generator[Frame, None, _Reasoning]:
        """Begin a reasoning item."""
        yield from self.close_current("completed")
        item = self._current = _Reasoning(self._items, self.item_id("rs"))
        yield self.added(item)
        return item

    def call(self, event: CallStarted) -> Iterator[Frame]:
        """Begin a function call."""
        yield from self.close_current("completed")
        call = _Call(self._items, self.item_id("fc"), event.id, event.name)
        self._calls.append(call)
        yield self.added(call)

    def arguments(self, event: CallArguments) -> Frame:
        """Write more of a call's arguments."""
        call = self._calls[event.index]
        call.arguments.write(event.text)
        return self.frame(
            "response.function_call_arguments.delta", item_id=call.id, output_index=call.at, delta=event.text
        )

    def summary_frame(self, kind: str, item: _Reasoning, **members: object) -> Frame:
        """Return an event about the summary of a reasoning item."""
        return self.frame(kind, item_id=item.id, output_index=item.at, summary_index=0, **members)

    def close_current(self, status: str) -> Iterator[Frame]:
        """Close the message or reasoning item that is open, if any."""
        item, self._current = self._current, None
        if isinstance(item, _Reasoning) and item.told:
            words = item.words.getvalue()
            part = {"type": "summary_text", "text": words}
            yield self.summary_frame("response.reasoning_summary_text.done", item, text=words)
            yield self.summary_frame("response.reasoning_summary_part.done", item, part=part)
        if isinstance(item, _Message) and item.open_part:
            yield from self.close_part(item)
        if item is not None:
            yield self.item_done(item, status)

    def finish(self, event: Finished) -> Iterator[Frame]:
        """Close what is open, in order, then end the turn with all its output and its usage."""
        reason = INCOMPLETE.get(event.reason)
        status = "incomplete" if reason else "completed"
        # Only what the limit cut is incomplete: the item that came last.
        last = self._items - 1
        if self._current is not None:
            yield from self.close_current(status if self._current.at == last else "completed")
        for call in self._calls:
            yield self.frame(
                "response.function_call_arguments.done",
                item_id=call.id,
                output_index=call.at,
                name=call.name,
                arguments=call.arguments.getvalue(),
            )
            yield self.item_done(call, status if call.at == last else "completed")
        yield self.terminal(event, status, reason)

    def terminal(self, event: Finished, status: str, reason: str | None) -> Frame:
        """Return the last event: completed or incomplete."""
        self.final = self.response(
            status,
            completed_at=None if reason else self._identity.now,
            incomplete_details={"reason": reason} if reason else None,
            output=self.output(),
            usage=None if event.usage is None else usage.to_responses(event.usage),
        )
        return self.frame(f"response.{status}", response=self.final)

    def output(self) -> list[Object]:
        """Return all items by output_index."""
        return [self._done[at] for at in sorted(self._done)]


def encode_body(events: Iterable[Event], request: Request, identity: Identity) -> Object:
    """Return the Response of a turn that ended in Finished: the one that its stream would end with."""
    encoder = ResponsesEncoder(request, identity)
    for event in events:
        if isinstance(event, Failed):
            raise RefusedError(event.failure)
        for _ in encoder.encode(event):
            pass
    return encoder.final
