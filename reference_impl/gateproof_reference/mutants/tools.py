"""Lies about function calls."""

from collections.abc import Iterable, Iterator
from typing import Any

from gateproof_reference.canonical import CallArguments, CallStarted, Event
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.wirejson import Object

DECODER = "responses.decode:ResponsesDecoder"


@mutant(
    "calls-end-with-stop",
    seam=f"{DECODER}.reason",
    caught_by="mix.turns-arrive-whole tools.only-calls-end-with-tool-calls tools.text-and-calls-both-survive",
)
def _(original: Any) -> Any:
    """A turn of calls ends with stop, so that agents believe they are done (CLIProxyAPI#2443)."""
    return lambda self, kind, response: "stop" if kind == "response.completed" else original(self, kind, response)


@mutant(
    "only-the-first-call",
    seam=f"{DECODER}.announce",
    caught_by="""mix.turns-arrive-whole tools.first-piece-names-the-call tools.indices-are-dense
    tools.interleaved-arguments-stay-apart tools.several-calls-arrive-whole""",
)
def _(original: Any) -> Any:
    """Of several calls only the first arrives (litellm#21331)."""
    return lambda self, item, raw: iter(()) if self._announced else original(self, item, raw)


@mutant(
    "arguments-go-to-the-last-call",
    seam=f"{DECODER}.on_arguments",
    caught_by="""mix.turns-arrive-whole tools.interleaved-arguments-stay-apart
    tools.unannounced-deltas-invent-no-call""",
)
def _(original: Any) -> Any:
    """Deltas of arguments are given to the call that was announced last (oh-my-pi#2619)."""

    def on_arguments(self: Any, event: Object) -> Iterator[Event]:
        calls = [item for item in self._items if item.index is not None]
        return self.tell_arguments(calls[-1], event["delta"]) if calls else iter(())

    return on_arguments


@mutant(
    "chat-arguments-go-to-the-last-call",
    seam="chat.decode:ChatDecoder._index",
    caught_by="""mix.turns-arrive-whole tools.calls-of-one-chunk-arrive tools.interleaved-arguments-stay-apart""",
)
def _(original: Any) -> Any:
    """The same with chunks: a piece without an id belongs to the last call, whatever its index (continue#13223)."""
    return lambda self, entry: original(self, entry) if entry.get("id") or not self._calls else max(self._calls)


@mutant("calls-are-those-of-the-terminal", seam=f"{DECODER}.reason", caught_by="tools.only-calls-end-with-tool-calls")
def _(original: Any) -> Any:
    """Whether a turn ends in calls is looked up in response.completed, which some upstreams leave empty (metapi#174)."""

    def reason(self: Any, kind: str, response: Object) -> Any:
        said = original(self, kind, response)
        return "stop" if said == "tool_calls" and not response.get("output") else said

    return reason


@mutant(
    "arguments-come-in-deltas-only",
    seam="responses.decode:ResponsesDecoder.settle_arguments",
    caught_by="""isolation.concurrent-turns-keep-apart mix.both-modes-agree mix.turns-arrive-whole
    request.answers-come-back-as-they-were request.long-names-go-round-or-are-refused
    sse.escapes-read-alike sse.mebibyte-line-passes sse.unknown-events-change-nothing
    stream.json-answer-becomes-a-stream text.protocol-words-are-text
    tools.arguments-in-done-events-arrive tools.broken-arguments-are-not-run
    tools.long-numbers-keep-their-digits tools.only-calls-end-with-tool-calls
    tools.several-calls-arrive-whole tools.text-and-calls-both-survive""",
)
def _(original: Any) -> Any:
    """Arguments that only a done event or a whole item tells are lost (litellm#25321)."""
    return lambda self, item, whole: iter(())


@mutant(
    "absent-arguments-stay-empty",
    seam=f"{DECODER}.on_calls_end",
    caught_by="tools.absent-arguments-are-an-empty-object",
)
def _(original: Any) -> Any:
    """A call without arguments has the empty string, which is no JSON (litellm#5064)."""
    return lambda self: iter(())


@mutant(
    "chat-arguments-stay-empty",
    seam="chat.decode:ChatDecoder.on_done",
    caught_by="tools.absent-arguments-are-an-empty-object",
)
def _(original: Any) -> Any:
    """The same from a chat upstream."""

    def on_done(self: Any) -> Iterable[Event]:
        return [event for event in original(self) if not isinstance(event, CallArguments)]

    return on_done


@mutant(
    "unannounced-deltas-make-a-call",
    seam=f"{DECODER}.on_arguments",
    caught_by="schema.frames-are-valid tools.unannounced-deltas-invent-no-call",
)
def _(original: Any) -> Any:
    """Arguments of a call that was never added make a call without a name (sub2api#2972)."""

    def on_arguments(self: Any, event: Object) -> Iterator[Event]:
        if self._find(event, "function_call") is None:
            item = self._open(event, "function_call")
            item.index = self._announced
            self._announced += 1
            yield CallStarted(item.index, "", "")
        yield from original(self, event)

    return on_arguments


@mutant("every-piece-names-its-call", seam="chat.encode:ChatEncoder.call_more", caught_by="tools.name-and-id-come-once")
def _(original: Any) -> Any:
    """Later pieces of a call carry another id and an empty name (LM Studio#649)."""

    def call_more(self: Any, index: int, more: str) -> Object:
        return {
            "index": index,
            "id": f"call_{len(more)}",
            "type": "function",
            "function": {"name": "", "arguments": more},
        }

    return call_more


@mutant("indices-start-at-one", seam="chat.encode:ChatEncoder.delta", caught_by="tools.indices-are-dense")
def _(original: Any) -> Any:
    """The index of a call is its output_index, so that text before it leaves a gap (litellm#16194)."""

    def delta(self: Any, said: Object) -> Any:
        calls = [{**call, "index": call["index"] + 1} for call in said.get("tool_calls", [])]
        return original(self, {**said, "tool_calls": calls} if calls else said)

    return delta


@mutant(
    "text-beside-calls-is-lost",
    seam="chat.encode:encode_body",
    caught_by="""aggregate.unrequested-sse-is-read ending.truncation-is-length isolation.concurrent-turns-keep-apart
    mix.both-modes-agree mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    request.answers-come-back-as-they-were sse.escapes-read-alike sse.unknown-events-change-nothing
    text.protocol-words-are-text tools.text-and-calls-both-survive""",
)
def _(original: Any) -> Any:
    """A JSON message with calls has no text (ChatMock#114)."""

    def encode_body(*args: Any) -> Object:
        body: Object = original(*args)
        message = body["choices"][0]["message"]
        message["content"] = None if message.get("tool_calls") else message["content"]
        return body

    return encode_body


@mutant(
    "calls-beside-text-are-lost",
    seam="responses.encode:ResponsesEncoder.output",
    caught_by="""aggregate.unrequested-sse-is-read grammar.responses-items-are-told-whole
    isolation.concurrent-turns-keep-apart mix.both-modes-agree mix.extras-agree-in-both-modes
    mix.turns-arrive-whole sse.escapes-read-alike sse.unknown-events-change-nothing
    text.protocol-words-are-text tools.stop-beside-calls-is-tool-use
    tools.text-and-calls-both-survive""",
)
def _(original: Any) -> Any:
    """The output of a response with text holds no calls (open-webui#30085)."""

    def output(self: Any) -> list[Object]:
        items: list[Object] = original(self)
        said = [item for item in items if item["type"] == "message"]
        return said or items

    return output


@mutant(
    "only-the-first-piece-of-a-chunk",
    seam="chat.decode:ChatDecoder.on_delta",
    caught_by="""mix.both-modes-agree mix.turns-arrive-whole tools.calls-of-one-chunk-arrive
    tools.several-calls-arrive-whole""",
)
def _(original: Any) -> Any:
    """Of the pieces of several calls in one chunk only the first is read (open-interpreter#315)."""
    return lambda self, delta: original(self, {**delta, "tool_calls": (delta.get("tool_calls") or [])[:1]})


@mutant(
    "stop-is-believed-beside-calls",
    seam="messages.encode:MessagesEncoder.stop_reason",
    caught_by="tools.stop-beside-calls-is-tool-use",
)
def _(original: Any) -> Any:
    """A chat upstream's stop beside calls ends the turn (bifrost#6155)."""
    return lambda self, reason: "end_turn" if reason == "stop" and self._calls else original(self, reason)


@mutant(
    "first-pieces-have-no-type", seam="chat.encode:ChatEncoder.call_start", caught_by="tools.first-piece-names-the-call"
)
def _(original: Any) -> Any:
    """A call on a chat stream does not say that it is a function's."""
    return lambda self, *args: {name: value for name, value in original(self, *args).items() if name != "type"}
