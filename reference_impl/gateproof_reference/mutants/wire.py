"""Lies in bytes: delivery, schema, grammar, identity, hygiene, secrets."""

import re
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from gateproof_reference import sse, wirejson
from gateproof_reference.canonical import CallArguments, Event, Finished
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame
from gateproof_reference.wirejson import Object


@mutant(
    "everything-is-buffered",
    seam="upstream:Reply.chunks",
    caught_by="""stream.arguments-come-before-the-end stream.body-ends-with-the-turn
    stream.each-delta-comes-before-the-next stream.first-delta-comes-before-the-end""",
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
    sse.escapes-read-alike text.arrives-exactly-once""",
)
def _(original: Any) -> Any:
    """Lines are split as Python's splitlines does, and what that cuts in two is no JSON and passed over."""
    separators = [character.encode() for character in "\u2028\u2029\x85"]

    def events(self: Any, lines: Any) -> Any:
        return [event for event in original(self, lines) if not any(cut in event.data for cut in separators)]

    return events


@mutant(
    "one-delta-late",
    seam="upstream:Reply.chunks",
    caught_by="stream.body-ends-with-the-turn stream.each-delta-comes-before-the-next",
)
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
    caught_by="error.refusal-is-told-in-detail failure.code-and-message-survive schema.errors-are-valid",
)
def _(original: Any) -> Any:
    """The error envelope lacks its type."""
    return lambda failure: {"error": {k: v for k, v in original(failure)["error"].items() if k != "type"}}


@mutant(
    "parts-are-never-done",
    seam="responses.encode:ResponsesEncoder.close_part",
    caught_by="grammar.responses-events-are-in-order grammar.responses-items-are-told-whole",
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
    caught_by="""grammar.responses-events-are-in-order wire.sequence-numbers-count-from-zero
    wire.sequence-numbers-increase""",
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


@mutant(
    "every-chunk-has-its-own-id",
    seam="chat.encode:ChatEncoder.chunk",
    caught_by="identity.one-id-per-chat-stream lifecycle.output-is-never-repeated",
)
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
    caught_by="wire.sequence-numbers-count-from-zero wire.sequence-numbers-increase",
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


@mutant("bodies-end-with-the-upstreams", seam="turns:Translation.over", caught_by="stream.body-ends-with-the-turn")
def _(original: Any) -> Any:
    """The client's stream stays open until the upstream has closed its own (sub2api keeps it open)."""
    return property(lambda self: False)


@mutant(
    "arguments-wait-for-the-end", seam="turns:Translation._encode", caught_by="stream.arguments-come-before-the-end"
)
def _(original: Any) -> Any:
    """The arguments of calls are gathered, and told when the turn is over (ollama#9084)."""

    def _encode(self: Any, events: Iterable[Event]) -> Any:
        waiting: list[Event] = self.__dict__.setdefault("_waiting", [])
        told: list[Event] = []
        for event in events:
            if isinstance(event, CallArguments):
                waiting.append(event)
            elif isinstance(event, Finished):
                told += [*waiting, event]
            else:
                told.append(event)
        return original(self, told)

    return _encode


@mutant(
    "json-is-sent-as-events",
    seam="turns:Translation.whole",
    caught_by="""stream.json-answer-becomes-a-stream stream.json-answer-keeps-its-ending wire.sse-is-clean""",
)
def _(original: Any) -> Any:
    """A JSON answer to a client that streams is passed on as it is (litellm#33154)."""

    def whole(self: Any, body: Object) -> list[Frame]:
        self._over = True
        return [Frame(wirejson.dump(body))]

    return whole


@mutant(
    "each-event-is-of-another-response",
    seam="responses.encode:ResponsesEncoder.response",
    caught_by="failure.failed-event-keeps-the-created-id identity.one-id-per-response",
)
def _(original: Any) -> Any:
    """Every event that holds the response gives it a new id."""

    def response(self: Any, *args: Any, **more: Any) -> Object:
        made: Object = original(self, *args, **more)
        return {**made, "id": f"{made['id']}_{self._sequence}"}

    return response


@mutant(
    "json-names-another-model", seam="chat.encode:encode_body", caught_by="identity.model-is-the-same-in-both-modes"
)
def _(original: Any) -> Any:
    """A JSON answer names the model with its provider, a stream without (litellm#14429)."""
    return lambda *args: {**original(*args), "model": f"acme/{original(*args)['model']}"}


@mutant(
    "output-indices-begin-at-one",
    seam="responses.encode:ResponsesEncoder.openings",
    caught_by="grammar.responses-indices-are-dense",
)
def _(original: Any) -> Any:
    """The first item stands at output_index 1."""

    def openings(self: Any) -> Iterator[Frame]:
        self._items = 1
        yield from original(self)

    return openings


@mutant(
    "messages-are-done-empty",
    seam="responses.encode:ResponsesEncoder.item_done",
    caught_by="grammar.responses-items-are-told-whole",
)
def _(original: Any) -> Any:
    """output_item.done of a message has no content, from which Codex reads it."""

    def item_done(self: Any, item: Any, status: str) -> Frame:
        original(self, item, status)
        told = {name: [] if name == "content" else value for name, value in item.item(status).items()}
        self._sequence -= 1
        return Frame(self.event("response.output_item.done", output_index=item.at, item=told))

    return item_done


@mutant(
    "sequence-numbers-begin-at-one",
    seam="responses.encode:ResponsesEncoder.openings",
    caught_by="wire.sequence-numbers-count-from-zero",
)
def _(original: Any) -> Any:
    """The first event is number 1."""

    def openings(self: Any) -> Iterator[Frame]:
        self._sequence = 1
        yield from original(self)

    return openings


@mutant("streams-may-be-cached", seam="answers:Answer.start", caught_by="wire.streams-forbid-caching")
def _(original: Any) -> Any:
    """Nothing keeps a proxy from gathering a stream (codex-proxy#609)."""
    return lambda self, status, kind, headers: original(
        self, status, kind, {name: value for name, value in headers.items() if name != "cache-control"}
    )


@mutant("upstream-cookies-are-set", seam="server:Gateway._unary", caught_by="wire.upstream-cookies-stay-home")
def _(original: Any) -> Any:
    """What cookies the upstream sets, the client gets."""

    async def _unary(self: Any, exchange: Any, call: Any, answer: Any) -> None:
        start = answer.start

        @asynccontextmanager
        async def noted() -> AsyncIterator[Any]:
            async with call() as reply:
                cookies = {"set-cookie": reply._response.headers.get("set-cookie", "none=1")}
                answer.start = lambda status, kind, headers: start(status, kind, {**headers, **cookies})
                yield reply

        await original(self, exchange, noted, answer)

    return _unary


@mutant(
    "plain-bytes-are-called-gzip",
    seam="answers:Answer.start",
    caught_by="framing.body-is-as-its-headers-say wire.compressed-answers-decode",
)
def _(original: Any) -> Any:
    """A Content-Encoding of the upstream stays with a stream that was unpacked (Portkey#1261)."""

    def start(self: Any, status: int, kind: str, headers: Mapping[str, str]) -> Any:
        stale = {"content-encoding": "gzip"} if kind.startswith("text/event-stream") else {}
        return original(self, status, kind, {**headers, **stale})

    return start


@mutant("streams-wait-for-the-compressor", seam="server:Gateway.__call__", caught_by="wire.compressed-answers-decode")
def _(original: Any) -> Any:
    """A stream is compressed for clients that offer gzip, and stays in the compressor's buffer to its end (agentgateway#909)."""

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if b"gzip" not in dict(scope.get("headers", ())).get(b"accept-encoding", b""):
            await original(self, scope, receive, send)
            return
        packer: list[Any] = []

        async def packed(message: Any) -> None:
            if message["type"] == "http.response.start":
                kind = dict(message["headers"])[b"content-type"]
                if kind.startswith(b"text/event-stream"):
                    packer.append(zlib.compressobj(wbits=31))
                    message["headers"].append((b"content-encoding", b"gzip"))
            elif packer:
                body = packer[0].compress(message["body"])
                message = {**message, "body": body if message["more_body"] else body + packer[0].flush()}
            await send(message)

        await original(self, scope, receive, packed)

    return call


@mutant("refusal-key-is-left-out", seam="chat.encode:encode_body", caught_by="schema.nullable-keys-are-there")
def _(original: Any) -> Any:
    """A message has no `refusal` where there was none, nor its choice `logprobs`."""

    def encode_body(*args: Any) -> Object:
        body: Object = original(*args)
        for choice in body["choices"]:
            choice.pop("logprobs")
            choice["message"] = {k: v for k, v in choice["message"].items() if k != "refusal" or v}
        return body

    return encode_body


@mutant("stop-sequence-key-is-left-out", seam="messages.encode:encode_body", caught_by="schema.nullable-keys-are-there")
def _(original: Any) -> Any:
    """A message that met no stop sequence has no `stop_sequence`."""
    return lambda *args: {name: value for name, value in original(*args).items() if name != "stop_sequence"}


@mutant("events-have-ids", seam="sse:encode", caught_by="wire.streams-have-no-event-id")
def _(original: Any) -> Any:
    """Every event has an `id:`, by which a client that lost its connection asks for the rest, in vain."""
    return lambda data, name="": b"id: 1\n" + original(data, name)


@mutant(
    "numberless-events-are-numbered-0",
    seam="responses.relay:relayed",
    caught_by="wire.missing-sequence-numbers-do-no-harm",
)
def _(original: Any) -> Any:
    """Each event of an upstream that counts none becomes the first one (octafuse#162)."""

    def relayed(kind: str, event: sse.Event, payload: Object) -> bytes:
        if "sequence_number" in payload:
            return original(kind, event, payload)  # type: ignore[no-any-return]
        numbered = {**payload, "sequence_number": 0}
        return original(kind, sse.Event(event.name, wirejson.dump(numbered)), numbered)  # type: ignore[no-any-return]

    return relayed


@mutant(
    "numberless-events-are-dropped",
    seam="responses.decode:ResponsesDecoder.on_payload",
    caught_by="""stream.json-answer-becomes-a-stream stream.json-answer-keeps-its-ending turn.plain-text-arrives
    wire.missing-sequence-numbers-do-no-harm""",
)
def _(original: Any) -> Any:
    """What has no number is no event, as its schema says, and the turn never ends."""
    return lambda self, kind, event: original(self, kind, event) if "sequence_number" in event else ()
