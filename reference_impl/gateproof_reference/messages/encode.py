"""Canonical events, written as Messages: the full event grammar, or one body (Anthropic API reference).

Blocks stand strictly one after the other in a Messages stream, but calls of other APIs may be told interleaved. So one
block is open and streams; what belongs to later ones waits until it is their turn.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO

from gateproof_reference import failures, sse, usage, wirejson
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
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
from gateproof_reference.messages import calls
from gateproof_reference.streams import Encoder, Frame
from gateproof_reference.wirejson import Object

STOP_REASONS: dict[Reason, str] = {
    "stop": "end_turn",
    "tool_calls": "tool_use",
    "length": "max_tokens",
    "content_filter": "refusal",
}
"""Why a message stopped (litellm#37710, litellm#40857)."""


def frame(event: Object) -> bytes:
    """Return an event as it goes over the wire: clients go by its `event:` line alone (anthropic-sdk-python 2.11.0)."""
    return sse.encode(wirejson.dump(event), event["type"])


def failed_frame(failure: Failure, identity: Identity) -> bytes:
    """Return an in-band error: an `error` event and nothing after it."""
    return frame(failures.messages_envelope(failure, identity.request_id))


def message_id(identity: Identity) -> str:
    """Return the id of our message."""
    return f"msg_{identity.token}"


@dataclass(slots=True)
class _Block:
    """A content block.

    `content` is what it begins with, `words` what is added to its members; buffers, because to add to a string would copy
    it with every delta. `waiting` are the deltas that were not sent yet; `call` is the number of a call.
    """

    content: Object
    words: defaultdict[str, StringIO] = field(default_factory=lambda: defaultdict(StringIO))
    waiting: list[Object] = field(default_factory=list)
    arguments: StringIO = field(default_factory=StringIO)
    call: int | None = None
    sealed: bool = False

    @property
    def kind(self) -> str:
        return str(self.content["type"])

    @property
    def whole(self) -> bool:
        """Whether nothing can be added: to a call when its arguments are an object, to others when a block follows."""
        if self.call is None:
            return True
        arguments = self.arguments.getvalue()
        return arguments.rstrip().endswith("}") and calls.to_input(arguments) is not None

    def final(self) -> Object:
        """Return the block with all that was added."""
        return {**self.content, **{member: words.getvalue() for member, words in self.words.items()}}

    def add(self, member: str, more: str) -> Object:
        """Add words to a member, and return the delta that says so."""
        self.words[member].write(more)
        return {"type": f"{member}_delta", member: more}


class MessagesEncoder(Encoder):
    """Writes one turn."""

    def __init__(self, request: Request, identity: Identity) -> None:
        self._identity = identity
        self._model = request.model
        self._began = False
        self._blocks: list[_Block] = []
        self._queue: deque[_Block] = deque()
        self._open = False
        self._index = 0
        self._calls: list[_Block] = []
        self._refused = False
        self._apart = False
        """Whether the next words are a block of their own."""
        self.final: Object = {}
        """The whole message, once it was written."""

    def encode(self, event: Event) -> Iterable[Frame]:
        if not self._began:
            self._began = True
            if isinstance(event, Started):
                self._model = event.model or self._model
            start = Frame(frame({"type": "message_start", "message": self.message()}), opening=True)
            return (start, *self.encode(event))
        match event:
            case TextDelta():
                return self.words("text", event.text)
            case PartBegan():
                return self.part()
            case RefusalDelta():
                self._refused = True
                return self.words("text", event.text)
            case ReasoningDelta():
                return self.words("thinking", event.text)
            case ReasoningSealed():
                return self.seal(event.seal, redacted=event.redacted)
            case CallStarted():
                content = {"type": "tool_use", "id": event.id, "name": event.name, "input": {}}
                self._calls.append(_Block(content, call=len(self._calls)))
                return self.begin(self._calls[-1])
            case CallArguments():
                self._calls[event.index].arguments.write(event.text)
                delta = {"type": "input_json_delta", "partial_json": event.text}
                return self.tell(self._calls[event.index], delta)
            case Finished():
                return self.finish(event)
            case _:
                return ()

    def failed(self, failure: Failure) -> bytes:
        return failed_frame(failure, self._identity)

    def message(self, **more: object) -> Object:
        """Return the message as it is now; a stream knows its counts at its end only (usage of message_start: zeros)."""
        return {
            "id": message_id(self._identity),
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage.to_messages(None),
            **more,
        }

    # -- blocks

    def words(self, kind: str, words: str) -> Iterator[Frame]:
        """Write text or thinking, into the last block if it is of that kind."""
        last = self._blocks[-1] if self._blocks else None
        if last is None or last.kind != kind or last.sealed or self._apart:
            self._apart = False
            last = _Block({"type": kind, kind: ""} | ({"signature": ""} if kind == "thinking" else {}))
            yield from self.begin(last)
        yield from self.tell(last, last.add(kind, words))

    def part(self) -> Iterable[Frame]:
        """Keep the words that come next apart from those before. No block yet: it would be one without text."""
        self._apart = True
        return ()

    def seal(self, seal: str, *, redacted: bool) -> Iterator[Frame]:
        """Write the signature of the thinking that was told, or of thinking that is not shown, in a block of its own."""
        last = self._blocks[-1] if self._blocks else None
        if redacted:
            yield from self.begin(_Block({"type": "redacted_thinking", "data": seal}, sealed=True))
            return
        if last is None or last.kind != "thinking" or last.sealed:
            last = _Block({"type": "thinking", "thinking": "", "signature": ""})
            yield from self.begin(last)
        last.sealed = True
        yield from self.tell(last, last.add("signature", seal))

    def begin(self, block: _Block) -> Iterator[Frame]:
        """Take a new block into the queue."""
        self._blocks.append(block)
        self._queue.append(block)
        yield from self.advance()

    def tell(self, block: _Block, delta: Object) -> Iterator[Frame]:
        """Send a delta of the open block; one of a later block waits."""
        if not self._queue or block is not self._queue[0]:
            block.waiting.append(delta)
            return
        yield self.delta(delta)
        yield from self.advance()

    def advance(self) -> Iterator[Frame]:
        """Open the block whose turn it is; close it when it is whole and another one waits, or when it is sealed: clients
        take thinking for signed when its block is over, which a failure may prevent."""
        while self._queue:
            block = self._queue[0]
            if not self._open:
                self._open = True
                begun = {"type": "content_block_start", "index": self._index, "content_block": empty(block)}
                yield Frame(frame(begun))
                waiting, block.waiting = block.waiting, []
                for delta in waiting:
                    yield self.delta(delta)
            if not (block.sealed or (block.whole and len(self._queue) > 1)):
                return
            yield from self.close()

    def close(self) -> Iterator[Frame]:
        """Close the open block."""
        yield Frame(frame({"type": "content_block_stop", "index": self._index}))
        self._queue.popleft()
        self._open = False
        self._index += 1

    def delta(self, delta: Object) -> Frame:
        """Return a delta of the open block."""
        return Frame(frame({"type": "content_block_delta", "index": self._index, "delta": delta}))

    # -- the end

    def finish(self, event: Finished) -> Iterator[Frame]:
        """Close what is open and waits, in order, then end the message with its reason and its usage.

        Raise RefusedError if a call of a whole turn cannot be said: its arguments are no JSON object.
        """
        for block in self._calls:
            block.content["input"] = self.input_of(block, event.reason)
        while self._queue:
            yield from self.close()
            yield from self.advance()
        ended = {"stop_reason": self.stop_reason(event.reason), "stop_sequence": None}
        counted = usage.to_messages(event.usage)
        self.final = self.message(content=[block.final() for block in self._blocks], **ended, usage=counted)
        yield Frame(frame({"type": "message_delta", "delta": ended, "usage": counted}))
        yield Frame(frame({"type": "message_stop"}))

    def input_of(self, block: _Block, reason: Reason) -> Object:
        """Return the input of a call. What a limit cut off in the midst of it cannot be run, and its reason says so."""
        value = calls.to_input(block.arguments.getvalue())
        if value is None and reason in ("stop", "tool_calls"):
            raise RefusedError(failures.unreadable("the arguments of a call are no JSON object"))
        return value or {}

    def stop_reason(self, reason: Reason) -> str:
        """Return why the message stopped: calls end it even where the upstream just says stop (bifrost#6155)."""
        if reason == "stop" and self._calls:
            return STOP_REASONS["tool_calls"]
        if reason == "stop" and self._refused:
            return STOP_REASONS["content_filter"]
        return STOP_REASONS[reason]


def empty(block: _Block) -> Object:
    """Return a block as it begins: with its members, and nothing in those that deltas fill."""
    return dict(block.content)


def encode_body(events: Iterable[Event], request: Request, identity: Identity) -> Object:
    """Return the message of a turn that ended in Finished: the one that its stream tells."""
    encoder = MessagesEncoder(request, identity)
    for event in events:
        if isinstance(event, Failed):
            raise RefusedError(event.failure)
        for _ in encoder.encode(event):
            pass
    return encoder.final
