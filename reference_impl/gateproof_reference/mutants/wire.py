"""Lies in bytes: delivery, schema, grammar, identity, hygiene, secrets."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

from gateproof_reference.canonical import Finished
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame
from gateproof_reference.wirejson import Object


@mutant(
    "everything-is-buffered",
    seam="upstream:Reply.chunks",
    caught_by="stream.first-delta-comes-before-the-end stream.each-delta-comes-before-the-next",
)
def _(original: Any) -> Any:
    """A stream is gathered whole before anything of it is read (ollama#9084)."""

    async def chunks(self: Any) -> AsyncIterator[Any]:
        for chunk in [chunk async for chunk in original(self)]:
            yield chunk

    return chunks


@mutant(
    "separators-end-lines",
    seam="sse:Decoder._events",
    caught_by="""failure.error-chunk-is-an-error failure.error-event-is-an-error failure.message-survives-exactly
    text.arrives-exactly-once""",
)
def _(original: Any) -> Any:
    """Lines are split as Python's splitlines does, and what that cuts in two is no JSON and passed over."""
    separators = [character.encode() for character in "\u2028\u2029\x85"]

    def events(self: Any, lines: Any) -> Any:
        return [event for event in original(self, lines) if not any(cut in event.data for cut in separators)]

    return events


@mutant("one-delta-late", seam="upstream:Reply.chunks", caught_by="stream.each-delta-comes-before-the-next")
def _(original: Any) -> Any:
    """Each event of a stream waits for the next one (Portkey#1261)."""

    async def chunks(self: Any) -> AsyncIterator[Any]:
        waiting: list[Any] = []
        async for chunk in original(self):
            for piece in re.findall(rb"(?s:.+?\n\n|.+)", chunk) if isinstance(chunk, bytes) else [chunk]:
                for late in waiting:
                    yield late
                waiting = [piece]
        for late in waiting:
            yield late

    return chunks


@mutant("chat-body-has-no-time", seam="chat.encode:encode_body", caught_by="schema.bodies-are-valid")
def _(original: Any) -> Any:
    """A completion has no `created`."""
    return lambda *args: {name: value for name, value in original(*args).items() if name != "created"}


@mutant("response-body-has-no-time", seam="responses.encode:encode_body", caught_by="schema.bodies-are-valid")
def _(original: Any) -> Any:
    """A Response has no `created_at`."""
    return lambda *args: {name: value for name, value in original(*args).items() if name != "created_at"}


@mutant("chunks-have-no-finish-reason-key", seam="chat.encode:ChatEncoder.choice", caught_by="schema.frames-are-valid")
def _(original: Any) -> Any:
    """finish_reason is left out where it is null."""

    def choice(self: Any, delta: Object, reason: str | None) -> Object:
        made: Object = original(self, delta, reason)
        return {name: value for name, value in made.items() if name != "finish_reason" or value is not None}

    return choice


@mutant(
    "text-deltas-have-no-item-id",
    seam="responses.encode:ResponsesEncoder.part_frame",
    caught_by="schema.frames-are-valid",
)
def _(original: Any) -> Any:
    """Events about a part do not say of which item it is (Oaklight/llm-rosetta#406)."""

    def part_frame(self: Any, kind: str, message: Any, **members: Any) -> Any:
        at = len(message.parts) - 1
        return self.frame(kind, output_index=message.at, content_index=at, **members)

    return part_frame


@mutant(
    "errors-have-no-type",
    seam="failures:envelope",
    caught_by="failure.code-and-message-survive schema.errors-are-valid",
)
def _(original: Any) -> Any:
    """The error envelope lacks its type."""
    return lambda failure: {"error": {k: v for k, v in original(failure)["error"].items() if k != "type"}}


@mutant(
    "parts-are-never-done",
    seam="responses.encode:ResponsesEncoder.close_part",
    caught_by="grammar.responses-events-are-in-order",
)
def _(original: Any) -> Any:
    """A content part that was added is never closed (vllm#37071)."""

    def close_part(self: Any, message: Any) -> Iterator[Frame]:
        message.open_part = False
        return iter(())

    return close_part


@mutant(
    "items-are-done-before-their-text",
    seam="responses.encode:ResponsesEncoder.close_part",
    caught_by="grammar.responses-events-are-in-order wire.sequence-numbers-increase",
)
def _(original: Any) -> Any:
    """A part is done before its text is."""
    return lambda self, message: reversed(list(original(self, message)))


@mutant(
    "chat-ends-twice",
    seam="chat.encode:ChatEncoder.finish",
    caught_by="grammar.chat-ends-once",
)
def _(original: Any) -> Any:
    """The finish_reason comes twice (ChatMock#114)."""

    def finish(self: Any, event: Finished) -> Iterator[Frame]:
        yield Frame(self.chunk([self.choice({}, event.reason)]))
        yield from original(self, event)

    return finish


@mutant("chat-has-no-done", seam="chat.encode:ChatEncoder.finish", caught_by="grammar.chat-ends-once")
def _(original: Any) -> Any:
    """A chat stream just ends (9router#1648)."""
    return lambda self, event: list(original(self, event))[:-1]


@mutant("every-chunk-has-its-own-id", seam="chat.encode:ChatEncoder.chunk", caught_by="identity.one-id-per-chat-stream")
def _(original: Any) -> Any:
    """Each chunk of a stream is another completion (litellm#1571)."""

    def chunk(self: Any, *args: Any) -> Any:
        self._id += "x"
        return original(self, *args)

    return chunk


@mutant("blocks-without-data", seam="sse:encode", caught_by="wire.sse-is-clean")
def _(original: Any) -> Any:
    """A retry field stands in a block of its own, on which openai-python raises (openai-python `_streaming.py`)."""
    return lambda data, name="": b"retry: 3000\n\n" + original(data, name)


@mutant("deltas-have-another-name", seam="responses.encode:frame", caught_by="wire.event-name-is-its-type")
def _(original: Any) -> Any:
    """The `event:` line of a text delta is not its type (bifrost#6783)."""
    return lambda event: original(event).replace(b"event: response.output_text.delta", b"event: delta")


@mutant("relayed-events-have-no-name", seam="responses.relay:relayed", caught_by="wire.event-name-is-its-type")
def _(original: Any) -> Any:
    """Relayed events have another `event:` line than their type."""
    return lambda *args: original(*args).replace(b"event: response.", b"event: ", 1)


@mutant(
    "sequence-numbers-stand-still",
    seam="responses.encode:ResponsesEncoder.event",
    caught_by="wire.sequence-numbers-increase",
)
def _(original: Any) -> Any:
    """Every event is number 0 (litellm#28899)."""

    def event(self: Any, kind: str, **members: Any) -> Any:
        self._sequence = 0
        return original(self, kind, **members)

    return event


@mutant("streams-are-plain-text", seam="answers:SSE_TYPE", caught_by="wire.content-type-fits")
def _(original: Any) -> Any:
    """A stream says that it is text/plain (new-api#5230)."""
    return "text/plain; charset=utf-8"


@mutant("upstream-key-is-told", seam="answers:Answer.scrub", caught_by="secret.upstream-key-stays-home")
def _(original: Any) -> Any:
    """An upstream that quotes our key in an error tells it to the client (bifrost#3954)."""
    return lambda self, data: data
