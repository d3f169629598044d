"""Messages streams and bodies, read into canonical events.

When is a turn complete? message_stop, or a stop_reason and the end of the body: yes. Neither: no. Whatever is unknown, be
it an event, a block or a delta, changes nothing: new ones may come at any time (Anthropic's page on streaming).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from gateproof_reference import failures, sse, usage
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
    Cited,
    Event,
    Failed,
    Finished,
    PartBegan,
    Reason,
    ReasoningDelta,
    ReasoningSealed,
    Started,
    TextDelta,
)
from gateproof_reference.failures import Failure
from gateproof_reference.messages import calls
from gateproof_reference.streams import Decoder
from gateproof_reference.wirejson import Object, integer, objects, parse_object, text

DONE = b"[DONE]"

PAGE = "web_search_result_location"
"""The one kind of citation that names a page by its URL; the others name documents of the request."""

REASONS: dict[str, Reason] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
"""Every stop_reason there is (anthropic-sdk-python 2.11.0). A pause has no counterpart, and is no failure. An unknown one
ended the turn all the same."""


def kind_of(event: sse.Event, payload: Object) -> str:
    """Return the type of an event, from its data or its `event:` line."""
    return text(payload.get("type")) or event.name


def is_error(kind: str, payload: Object) -> bool:
    """Return whether an event is a failure; an error of another API counts as well."""
    return kind == "error" or bool(payload.get("error"))


def body_fault(body: Object) -> Failure | None:
    """Return the failure that a JSON answer with status 200 really is."""
    if isinstance(body.get("content"), list) and not body.get("error"):
        return None
    if body.get("error"):
        return failures.read(body["error"])
    return failures.unreadable("it is no message")


def stop_reason_in(event: Object) -> str:
    """Return the stop_reason of a message_delta, "" if it has none."""
    delta = event.get("delta")
    return text(delta.get("stop_reason")) if isinstance(delta, dict) else ""


class Counts:
    """The usage of a message: totals since it began, of which the last of each counts; they are never summed."""

    def __init__(self) -> None:
        self.known: Object = {}

    def take(self, value: object) -> None:
        """Take a usage object; what is left out or null keeps what was said before."""
        if isinstance(value, dict):
            self.known |= {name: count for name, count in value.items() if count is not None}


@dataclass(slots=True)
class _Block:
    """`call` is the number of a call; `input` what it began with, `told` whether arguments came. Text begins at `start` of
    the answer's."""

    kind: str
    call: int | None = None
    input: object = None
    told: bool = False
    signature: str = ""
    start: int = 0
    cited: list[Object] = field(default_factory=list)


class MessagesDecoder(Decoder):
    """Reads one turn."""

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self._blocks: dict[int, _Block] = {}
        self._announced = 0
        self._said = 0
        self._telling: _Block | None = None
        """The block of text whose words were told last."""
        self._reason = ""
        self._counts = Counts()

    def on_event(self, event: sse.Event) -> Iterator[Event]:
        if event.data.strip() == DONE:
            return
        payload = parse_object(event.data)
        if payload is None:
            self.over = True
            yield Failed(failures.unreadable("an event is not a JSON object"))
            return
        kind = kind_of(event, payload)
        if is_error(kind, payload):
            yield from self.on_failure(payload)
        elif handler := HANDLERS.get(kind):
            yield from handler(self, payload)

    def on_end(self, cut: Failure | None) -> Iterator[Event]:
        if self._reason:
            yield from self.on_stop()
            return
        self.over = True
        yield Failed(cut or failures.truncated())

    # -- the turn

    def on_failure(self, event: Object) -> Iterator[Event]:
        """Read an error event (semantic-router#3063)."""
        self.over = True
        yield Failed(failures.read_event(event))

    def on_start(self, event: Object) -> Iterator[Event]:
        """Read message_start."""
        message = event.get("message")
        if not self._started and isinstance(message, dict):
            self._started = True
            self._counts.take(message.get("usage"))
            yield Started(text(message.get("id")) or None, text(message.get("model")) or None)

    def on_message_delta(self, event: Object) -> Iterator[Event]:
        """Read why the turn ends; there may be several of these, and message_stop is the end."""
        self._reason = stop_reason_in(event) or self._reason
        self._counts.take(event.get("usage"))
        yield from ()

    def on_stop(self) -> Iterator[Event]:
        """End a turn that is complete."""
        for at in list(self._blocks):
            yield from self.close(at)
        self.over = True
        yield Finished(self.reason(), usage.read_messages(self._counts.known))

    def reason(self) -> Reason:
        """Return why the turn ended; calls say it where nothing better does."""
        reason = REASONS.get(self._reason, "stop")
        return "tool_calls" if reason == "stop" and self._announced else reason

    # -- blocks

    def on_block_start(self, event: Object) -> Iterator[Event]:
        """Read content_block_start; what a block already holds here is told, deltas only add to it."""
        at, raw = _place(event), event.get("content_block")
        yield from self.close(at)
        if not isinstance(raw, dict):
            return
        block = self._blocks[at] = _Block(text(raw.get("type")))
        match block.kind:
            case "text":
                block.start, block.cited = self._said, objects(raw.get("citations"))
                yield from self.on_text(block, text(raw.get("text")))
            case "thinking":
                yield from self.on_thinking(block, text(raw.get("thinking")))
                block.signature = text(raw.get("signature"))
            case "redacted_thinking" if seal := text(raw.get("data")):
                yield ReasoningSealed(seal, redacted=True)
            case "tool_use" if name := text(raw.get("name")):
                block.call, block.input = self._announced, raw.get("input")
                self._announced += 1
                yield CallStarted(block.call, text(raw.get("id")) or f"call_{block.call}", name)
            case _:
                pass

    def on_block_delta(self, event: Object) -> Iterator[Event]:
        """Read content_block_delta. Words of a block that never began are words all the same; a call needs its name."""
        delta = event.get("delta")
        if not isinstance(delta, dict):
            return
        kind = text(delta.get("type"))
        if kind == "citations_delta" and (cited := self._blocks.get(_place(event))):
            cited.cited += objects([delta.get("citation")])
        if kind not in DELTAS:
            return
        of, member, handler = DELTAS[kind]
        block = self._blocks.setdefault(_place(event), _Block(of))
        if block.kind == of:
            yield from handler(self, block, text(delta.get(member)))

    def on_text(self, block: _Block, words: str) -> Iterator[Event]:
        """Tell text."""
        if not words:
            return
        if self._telling is not None and self._telling is not block:
            yield PartBegan()
        self._telling = block
        self._said += len(words)
        yield TextDelta(words)

    def on_thinking(self, block: _Block, words: str) -> Iterator[Event]:
        """Tell thinking, which is never text (litellm#32357)."""
        if words:
            yield ReasoningDelta(words)

    def on_signature(self, block: _Block, more: str) -> Iterator[Event]:
        """Keep the signature until its block is whole."""
        block.signature += more
        yield from ()

    def on_arguments(self, block: _Block, more: str) -> Iterator[Event]:
        """Tell a piece of a call's arguments."""
        if block.call is not None and more:
            block.told = block.told or bool(more.strip())
            yield CallArguments(block.call, more)

    def on_block_stop(self, event: Object) -> Iterator[Event]:
        """Read content_block_stop: the signature is whole now. Deltas that come too late still find their block."""
        block = self._blocks.get(_place(event))
        if block is not None and block.signature:
            yield ReasoningSealed(block.signature)
            block.signature = ""
        if block is not None and block.input:
            yield from self.told_at_start(block)
        if block is not None and block.cited:
            yield from self.citations(block)

    def close(self, at: int) -> Iterator[Event]:
        """Tell what is known of a block only now that nothing more can come, and forget it."""
        yield from self.on_block_stop({"index": at})
        if block := self._blocks.pop(at, None):
            yield from self.told_at_start(block)

    def citations(self, block: _Block) -> Iterator[Event]:
        """Tell the pages that stand behind a block of text, all of which they are about."""
        cited, block.cited = block.cited, []
        for citation in cited:
            if citation.get("type") == PAGE and text(citation.get("url")):
                yield Cited(text(citation["url"]), text(citation.get("title")), block.start, self._said)

    def told_at_start(self, block: _Block) -> Iterator[Event]:
        """Tell the input that a call began with, unless deltas told it. No arguments are {} (litellm#5064)."""
        if block.call is not None and not block.told:
            block.told = True
            yield CallArguments(block.call, calls.to_arguments(block.input))


def _place(event: Object) -> int:
    return integer(event.get("index")) or 0


Handler = Callable[[MessagesDecoder, Object], Iterator[Event]]

HANDLERS: dict[str, Handler] = {
    "message_start": lambda decoder, event: decoder.on_start(event),
    "content_block_start": lambda decoder, event: decoder.on_block_start(event),
    "content_block_delta": lambda decoder, event: decoder.on_block_delta(event),
    "content_block_stop": lambda decoder, event: decoder.on_block_stop(event),
    "message_delta": lambda decoder, event: decoder.on_message_delta(event),
    "message_stop": lambda decoder, event: decoder.on_stop(),
}
"""What each event does; pings and the unknown do nothing."""

DELTAS: dict[str, tuple[str, str, Callable[[MessagesDecoder, _Block, str], Iterator[Event]]]] = {
    "text_delta": ("text", "text", lambda decoder, block, more: decoder.on_text(block, more)),
    "thinking_delta": ("thinking", "thinking", lambda decoder, block, more: decoder.on_thinking(block, more)),
    "signature_delta": ("thinking", "signature", lambda decoder, block, more: decoder.on_signature(block, more)),
    "input_json_delta": ("tool_use", "partial_json", lambda decoder, block, more: decoder.on_arguments(block, more)),
}
"""What each delta belongs to and holds. Those of blocks of the server's own tools have the same name, and are passed by."""


def decode_body(body: Object) -> list[Event]:
    """Return the turn in a JSON answer, which is a stream of blocks that are whole as they begin."""
    fault = body_fault(body)
    if fault is not None:
        return [Failed(fault)]
    decoder = MessagesDecoder()
    events = list(decoder.on_start({"message": body}))
    for at, block in enumerate(objects(body["content"])):
        events += decoder.on_block_start({"index": at, "content_block": block})
        events += decoder.on_block_stop({"index": at})
    events += decoder.on_message_delta({"delta": body, "usage": body.get("usage")})
    return [*events, *decoder.on_stop()]
