"""Lies that begin at the upstream's wire: bytes, lines and events that are read wrongly."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from gateproof_reference import failures, sse
from gateproof_reference.canonical import Event, Failed, TextDelta
from gateproof_reference.messages import decode as messages_decode
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.wirejson import Object


@mutant(
    "comments-are-data",
    seam="sse:Decoder._events",
    caught_by="sse.comments-are-ignored sse.unknown-events-change-nothing",
)
def _(original: Any) -> Any:
    """A line that begins with a colon is data like any other (mnfst#2053)."""

    def events(self: Any, lines: list[bytes]) -> list[sse.Event]:
        found: list[sse.Event] = original(self, [b"data" + line if line[:1] == b":" else line for line in lines])
        return found

    return events


@mutant("reads-are-text", seam="upstream:Reply.chunks", caught_by="sse.any-split-reads-alike")
def _(original: Any) -> Any:
    """Each read is decoded by itself, so that a character that is cut becomes two that are none (aisix#111)."""

    async def chunks(self: Any) -> AsyncIterator[Any]:
        async for chunk in original(self):
            yield chunk.decode("utf-8", "replace").encode() if isinstance(chunk, bytes) else chunk

    return chunks


@mutant(
    "lines-end-in-lf-alone", seam="sse:Decoder._with_lf", caught_by="sse.any-split-reads-alike sse.fields-read-alike"
)
def _(original: Any) -> Any:
    """A line that ends in CRLF keeps the CR, so that no blank line is one (goai#73)."""
    return lambda self, data: data


@mutant(
    "nul-is-dropped",
    seam="sse:Decoder._events",
    caught_by="failure.message-survives-exactly sse.escapes-read-alike text.protocol-words-are-text",
)
def _(original: Any) -> Any:
    """NUL is taken out of what the model says, as databases want it."""

    def events(self: Any, lines: list[bytes]) -> list[sse.Event]:
        return [sse.Event(event.name, event.data.replace(b"\\u0000", b"")) for event in original(self, lines)]

    return events


@mutant("lines-have-64-kib", seam="sse:LIMIT", caught_by="sse.eight-mebibyte-line-passes sse.mebibyte-line-passes")
def _(original: Any) -> Any:
    """A line may have 64 KiB, the default of Go's bufio.Scanner (goclaw#1348)."""
    return 64 * 1024


@mutant(
    "unknown-events-are-errors",
    seam="messages.decode:MessagesDecoder.on_event",
    caught_by="sse.unknown-events-change-nothing",
)
def _(original: Any) -> Any:
    """An event of a type that was not known when this was written ends the turn as unreadable."""

    def on_event(self: Any, event: sse.Event) -> Iterator[Event]:
        if event.name in (*messages_decode.HANDLERS, "error", "ping"):
            yield from original(self, event)
            return
        self.over = True
        yield Failed(failures.unreadable(f"an event of type {event.name}"))

    return on_event


@mutant(
    "empty-choices-are-told-in-prose",
    seam="chat.decode:ChatDecoder.on_chunk",
    caught_by="sse.unknown-events-change-nothing",
)
def _(original: Any) -> Any:
    """A chunk without choices and without usage is told in the assistant's own words (OmniRoute#3400)."""

    def on_chunk(self: Any, chunk: Object) -> Iterator[Event]:
        yield from original(self, chunk)
        if not chunk.get("choices") and not chunk.get("usage"):
            yield TextDelta("[The model gave an empty answer.]")

    return on_chunk


@mutant("null-is-a-word", seam="chat.decode:ChatDecoder.on_delta", caught_by="sse.empty-deltas-are-harmless")
def _(original: Any) -> Any:
    """The content null of a delta is told as the word None (sub2api#3253)."""

    def on_delta(self: Any, delta: Object) -> Iterator[Event]:
        null = list(delta) == ["content"] and delta["content"] is None
        return iter((TextDelta("None"),)) if null else original(self, delta)

    return on_delta


@mutant(
    "compression-is-asked-for-only",
    seam="upstream:Upstream._open",
    caught_by="framing.upstream-framing-stays-upstream sse.compressed-answers-are-read",
)
def _(original: Any) -> Any:
    """The upstream is offered gzip, and what it compressed is taken as it is (cc-switch#3817)."""

    async def _open(self: Any, request: Any) -> Any:
        request.headers["accept-encoding"] = "gzip"
        response = await original(self, request)
        response.headers.pop("content-encoding", None)
        return response

    return _open
