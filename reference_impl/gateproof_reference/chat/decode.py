"""Chat Completions streams and bodies, read into canonical events.

When is a turn complete? finish_reason and [DONE], or finish_reason and the end of the body: yes. [DONE] alone: the
upstream meant to end, so yes. Neither: no (bifrost#5546), whoever invents a `stop` there tells a truncated answer as a
whole one.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO

from gateproof_reference import citations, failures, sse, usage
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
    Event,
    Failed,
    Finished,
    Reason,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
)
from gateproof_reference.failures import Failure
from gateproof_reference.streams import Decoder
from gateproof_reference.wirejson import Object, integer, objects, parse_object, text

DONE = b"[DONE]"

REASONS: dict[str, Reason] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
}
"""Every finish_reason there is (OpenAI API reference). An unknown one ended the turn all the same (llmgateway#2974)."""


def error_in(event: sse.Event, payload: Object | None) -> Failure | None:
    """Return the failure that an event of a stream is, None if it is an ordinary one.

    An error counts beside empty choices as well (OmniRoute#8210), and so does an event that is only named `error`.
    """
    if payload is None:
        return failures.unreadable("an event is not a JSON object")
    if payload.get("error"):
        return failures.read(payload["error"])
    return failures.read_event(payload) if event.name == "error" else None


def body_fault(body: Object) -> Failure | None:
    """Return the failure that a JSON answer with status 200 really is."""
    if objects(body.get("choices")):
        return None
    if body.get("error"):
        return failures.read(body["error"])
    return failures.unreadable("it has no choices")


@dataclass(slots=True)
class _Call:
    id: str = ""
    name: str = ""
    arguments: StringIO = field(default_factory=StringIO)
    index: int | None = None


class ChatDecoder(Decoder):
    """Reads one turn."""

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self._calls: dict[int, _Call] = {}
        self._announced = 0
        self._reason: str | None = None
        self._usage: usage.Usage | None = None

    def on_event(self, event: sse.Event) -> Iterable[Event]:
        payload = parse_object(event.data)
        if payload is None and event.data.strip() == DONE:
            return self.on_done()
        failure = error_in(event, payload)
        if failure is None and payload is not None:
            return self.on_chunk(payload)
        self.over = True
        return (Failed(failure or failures.unreadable("an event is not a JSON object")),)

    def on_end(self, cut: Failure | None) -> Iterator[Event]:
        if self._reason is not None:
            # What is lost after the finish_reason is at most the usage: the turn itself is whole.
            yield from self.on_done()
            return
        self.over = True
        yield Failed(cut or failures.truncated())

    def on_chunk(self, chunk: Object) -> Iterator[Event]:
        """Read one chunk. Choices after the first are never merged into it (openai-agents-python#3313)."""
        if not self._started:
            self._started = True
            yield Started(text(chunk.get("id")) or None, text(chunk.get("model")) or None)
        self._usage = usage.read(chunk.get("usage"), usage.CHAT) or self._usage
        for choice in objects(chunk.get("choices")):
            if integer(choice.get("index")):
                continue
            delta = choice.get("delta")
            if isinstance(delta, dict):
                yield from self.on_delta(delta)
            self._reason = text(choice.get("finish_reason")) or self._reason

    def on_delta(self, delta: Object) -> Iterator[Event]:
        """Read what one chunk adds to the message."""
        if words := text(delta.get("reasoning_content")) or text(delta.get("reasoning")):
            yield ReasoningDelta(words)
        if words := text(delta.get("content")):
            yield TextDelta(words)
        if words := text(delta.get("refusal")):
            yield RefusalDelta(words)
        for annotation in objects(delta.get("annotations")):
            if cited := citations.read(annotation):
                yield cited
        for entry in objects(delta.get("tool_calls")):
            yield from self.on_call(entry)

    def on_call(self, entry: Object) -> Iterator[Event]:
        """Read a piece of a call. It starts when its name is known; arguments that came earlier wait for that."""
        function = entry.get("function")
        function = function if isinstance(function, dict) else {}
        call = self._calls.setdefault(self._index(entry), _Call())
        call.id = call.id or text(entry.get("id"))
        call.name = call.name or text(function.get("name"))
        more = text(function.get("arguments"))
        call.arguments.write(more)
        if call.index is None and call.name:
            call.index = self._announced
            self._announced += 1
            yield CallStarted(call.index, call.id or f"call_{call.index}", call.name)
            more = call.arguments.getvalue()
        if call.index is not None and more:
            yield CallArguments(call.index, more)

    def _index(self, entry: Object) -> int:
        index = integer(entry.get("index"))
        if index is not None:
            return index
        # Without an index a new id is a new call, and anything else belongs to the last one.
        return len(self._calls) if text(entry.get("id")) or not self._calls else max(self._calls)

    def on_done(self) -> Iterator[Event]:
        """End a turn that is complete."""
        for call in self._calls.values():
            if call.index is not None and not call.arguments.getvalue().strip():
                yield CallArguments(call.index, "{}")
        self.over = True
        yield Finished(self.reason(), self._usage)

    def reason(self) -> Reason:
        """Return why the turn ended; without a finish_reason, calls say it."""
        return REASONS.get(self._reason or "", "tool_calls" if self._announced else "stop")


def decode_body(body: Object) -> list[Event]:
    """Return the turn in a JSON answer, which is one big chunk: both modes then agree by construction."""
    fault = body_fault(body)
    if fault is not None:
        return [Failed(fault)]
    choice = objects(body["choices"])[0]
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    calls = [{**call, "index": at} for at, call in enumerate(objects(message.get("tool_calls")))]
    decoder = ChatDecoder()
    delta = {**message, "tool_calls": calls}
    chunk = {**body, "choices": [{"index": 0, "delta": delta, "finish_reason": choice.get("finish_reason")}]}
    return [*decoder.on_chunk(chunk), *decoder.on_done()]
