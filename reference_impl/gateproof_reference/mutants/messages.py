"""Lies that only a Messages client is told, or that begin at a Messages upstream."""

from collections.abc import Iterator
from typing import Any

from gateproof_reference import failures, sse, wirejson
from gateproof_reference.canonical import Event, Failed, Finished, ReasoningDelta, TextDelta
from gateproof_reference.chat import encode as chat_encode
from gateproof_reference.failures import Failure
from gateproof_reference.messages.encode import frame
from gateproof_reference.mutants.limit import WAITING
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame, Out
from gateproof_reference.usage import Usage
from gateproof_reference.wirejson import Object

ENCODER = "messages.encode:MessagesEncoder"
DECODER = "messages.decode:MessagesDecoder"


# ---------------------------------------------------------------------------------------------- towards the client


@mutant(
    "messages-error-has-no-event-line",
    seam="messages.encode:failed_frame",
    caught_by="""ending.bare-failed-is-an-error ending.broken-transfer-is-an-error
    ending.truncated-upstream-is-an-error failure.cancelled-is-never-success
    failure.code-and-message-survive failure.error-chunk-is-an-error failure.error-event-is-an-error
    failure.failed-is-never-success failure.in-band-error-has-the-messages-shape
    failure.message-survives-exactly limit.waiting-messages-stream-ends-with-the-messages-error
    mix.failed-turns-are-errors-anywhere time.silent-upstream-is-given-up
    wire.event-name-is-its-type""",
)
def _(original: Any) -> Any:
    """An in-band error has no `event:` line, so that the SDK for Python passes over it (anthropic-sdk-python 2.11.0)."""
    return lambda failure, identity: sse.encode(wirejson.dump(failures.messages_envelope(failure, identity.request_id)))


@mutant(
    "messages-failure-ends-like-a-turn",
    seam="messages.encode:failed_frame",
    caught_by="""ending.bare-failed-is-an-error ending.broken-transfer-is-an-error
    ending.truncated-upstream-is-an-error ending.truncated-upstream-is-never-complete
    failure.cancelled-is-never-success failure.error-event-is-an-error
    failure.failed-is-never-success failure.in-band-error-has-the-messages-shape
    grammar.messages-blocks-are-in-order grammar.messages-events-are-in-order
    limit.waiting-messages-stream-ends-with-the-messages-error mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """Before the error come a stop_reason and message_stop (litellm#39703)."""
    delta: Object = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 0}}
    end = frame(delta) + frame({"type": "message_stop"})
    return lambda failure, identity: end + original(failure, identity)


@mutant(
    "waiting-messages-stream-ends-with-the-chat-error",
    seam="messages.encode:failed_frame",
    options=WAITING,
    caught_by="""limit.waiting-messages-stream-ends-with-the-messages-error schema.errors-are-valid
    wire.event-name-is-its-type""",
)
def _(original: Any) -> Any:
    """The failure of another API is written into the stream (mnfst#2689)."""

    def failed_frame(failure: Failure, identity: Any) -> bytes:
        return chat_encode.failed_frame(failure) if failure.status == 429 else original(failure, identity)

    return failed_frame


@mutant(
    "messages-blocks-are-numbered-from-one", seam=f"{ENCODER}.close", caught_by="grammar.messages-blocks-are-in-order"
)
def _(original: Any) -> Any:
    """After the first block the index skips one, as if the output_index of the other API were meant."""

    def close(self: Any) -> Iterator[Frame]:
        yield from original(self)
        self._index += 1

    return close


@mutant("messages-blocks-stay-open", seam=f"{ENCODER}.close", caught_by="grammar.messages-blocks-are-in-order")
def _(original: Any) -> Any:
    """A block is never closed, so that Claude Code shows an empty answer."""

    def close(self: Any) -> Iterator[Frame]:
        return iter(list(original(self))[1:])

    return close


@mutant("messages-has-two-starts", seam=f"{ENCODER}.finish", caught_by="grammar.messages-events-are-in-order")
def _(original: Any) -> Any:
    """A second message_start stands before the end (litellm#38153)."""

    def finish(self: Any, event: Finished) -> Iterator[Frame]:
        yield Frame(frame({"type": "message_start", "message": self.message()}))
        yield from original(self, event)

    return finish


@mutant("messages-end-with-done", seam=f"{ENCODER}.finish", caught_by="wire.messages-have-no-done")
def _(original: Any) -> Any:
    """A Messages stream ends with [DONE], too (9router#1648)."""

    def finish(self: Any, event: Finished) -> Iterator[Frame]:
        yield from original(self, event)
        yield Frame(sse.encode(b"[DONE]"))

    return finish


@mutant(
    "messages-calls-end-the-turn",
    seam=f"{ENCODER}.stop_reason",
    caught_by="""ending.calls-then-done-is-tool-calls mix.turns-arrive-whole tools.only-calls-end-with-tool-calls
    tools.stop-beside-calls-is-tool-use tools.text-and-calls-both-survive""",
)
def _(original: Any) -> Any:
    """A turn of calls stops with end_turn, so that no client runs them (bifrost#6155)."""

    def stop_reason(self: Any, reason: Any) -> str:
        told: str = original(self, reason)
        return "end_turn" if told == "tool_use" else told

    return stop_reason


@mutant("messages-input-comes-whole", seam="messages.encode:empty", caught_by="grammar.messages-blocks-are-in-order")
def _(original: Any) -> Any:
    """The arguments stand in the start of their block, where clients do not look."""

    def empty(block: Any) -> Object:
        made: Object = original(block)
        return {**made, "input": {"begun": True}} if "input" in made else made

    return empty


@mutant(
    "messages-input-counts-the-cache-twice",
    seam="usage:to_messages",
    caught_by="mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole usage.cache-is-counted-once",
)
def _(original: Any) -> Any:
    """input_tokens hold what came from the cache, which stands beside them as well (ogx#6415)."""

    def to_messages(usage: Usage | None) -> Object:
        told: Object = original(usage)
        return told if usage is None else {**told, "input_tokens": usage.input_tokens}

    return to_messages


# -------------------------------------------------------------------------------------------- from the upstream


@mutant(
    "messages-cache-is-not-counted",
    seam="usage:MESSAGES_INPUT",
    caught_by="""mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole usage.cache-is-counted-once
    usage.cache-reads-and-writes-stay-apart usage.cached-and-reasoning-tokens-survive""",
)
def _(original: Any) -> Any:
    """What came from the cache is no input (Portkey#1754)."""
    return {"never": "cached_tokens"}


@mutant(
    "message-counts-are-summed",
    seam="messages.decode:Counts.take",
    caught_by="""isolation.concurrent-turns-keep-apart isolation.nothing-stays-of-an-earlier-turn
    mix.both-modes-agree mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole usage.cache-is-counted-once
    usage.cache-reads-and-writes-stay-apart usage.cached-and-reasoning-tokens-survive usage.empty-turns-are-counted
    usage.last-count-wins usage.null-details-are-harmless usage.same-in-both-modes usage.survives-truncation
    usage.totals-survive""",
)
def _(original: Any) -> Any:
    """The counts of message_delta are added to those of message_start (Anthropic's page on streaming: cumulative)."""

    def take(self: Any, value: object) -> None:
        for name, count in value.items() if isinstance(value, dict) else ():
            self.known[name] = count + self.known.get(name, 0) if isinstance(count, int) else count

    return take


@mutant(
    "thinking-is-text",
    seam=f"{DECODER}.on_thinking",
    caught_by="""content.parts-stay-apart ending.truncation-is-length mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    reasoning.arrives-once-as-reasoning-content reasoning.never-becomes-text""",
)
def _(original: Any) -> Any:
    """What a Messages model thinks is told as what it says (litellm#32357)."""

    def on_thinking(self: Any, block: Any, words: str) -> Iterator[Event]:
        for event in original(self, block, words):
            yield TextDelta(event.text) if isinstance(event, ReasoningDelta) else event

    return on_thinking


@mutant(
    "messages-eof-is-a-stop",
    seam=f"{DECODER}.on_end",
    caught_by="""ending.broken-transfer-is-an-error ending.truncated-upstream-is-an-error
    ending.truncated-upstream-is-never-complete failure.empty-200-is-an-error
    mix.cut-turns-never-complete-anywhere mix.failed-turns-are-errors-anywhere
    time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """A Messages stream that just ends was complete (litellm#39703)."""
    return lambda self, cut: self.on_stop()


@mutant(
    "messages-relay-eof-is-a-stop",
    seam="messages.relay:MessagesRelay.on_end",
    caught_by="""ending.broken-transfer-is-an-error ending.truncated-upstream-is-an-error
    ending.truncated-upstream-is-never-complete grammar.messages-blocks-are-in-order
    mix.cut-turns-never-complete-anywhere mix.failed-turns-are-errors-anywhere
    time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """The same on the same API: the relay adds a stop_reason and message_stop."""
    return lambda self, cut: self.on_stop(frame({"type": "message_stop"}))


@mutant(
    "messages-error-event-is-a-stop",
    seam=f"{DECODER}.on_failure",
    caught_by="""failure.client-fault-is-4xx failure.code-and-message-survive failure.codes-are-translated
    failure.error-event-is-an-error failure.failed-before-output-is-an-error
    failure.failed-before-output-is-an-http-error failure.in-band-error-has-the-chat-shape
    failure.message-survives-exactly failure.quota-is-no-rate-limit failure.responses-stream-ends-with-failed
    failure.server-fault-is-5xx mix.failed-turns-are-errors-anywhere""",
)
def _(original: Any) -> Any:
    """An error event of Messages ends the turn normally (semantic-router#3063)."""

    def on_failure(self: Any, event: Object) -> Iterator[Event]:
        self.over = True
        yield Finished("stop", None)

    return on_failure


@mutant(
    "rebuilt-message-has-no-calls",
    seam="messages.relay:MessagesGatherer.result",
    options="--force-upstream-stream",
    caught_by="""aggregate.messages-turn-is-rebuilt aggregate.unrequested-sse-is-read
    isolation.concurrent-turns-keep-apart mix.both-modes-agree mix.turns-arrive-whole
    request.call-ids-correlate sse.escapes-read-alike sse.mebibyte-line-passes
    text.protocol-words-are-text tools.only-calls-end-with-tool-calls
    tools.several-calls-arrive-whole tools.text-and-calls-both-survive""",
)
def _(original: Any) -> Any:
    """Only the words of a Messages stream are gathered (new-api#5230)."""

    def result(self: Any) -> Object:
        body: Object = original(self)
        return {**body, "content": [block for block in body["content"] if block.get("type") != "tool_use"]}

    return result


@mutant(
    "messages-relay-swallows-failures",
    seam="messages.relay:MessagesRelay.on_failure",
    caught_by="""failure.code-and-message-survive failure.error-event-is-an-error
    failure.failed-before-output-is-an-error failure.in-band-error-has-the-messages-shape
    failure.message-survives-exactly grammar.messages-blocks-are-in-order
    grammar.messages-events-are-in-order mix.failed-turns-are-errors-anywhere""",
)
def _(original: Any) -> Any:
    """On the same API an error event is followed by the end of a good turn."""

    def on_failure(self: Any, kind: str, event: Any, payload: Object) -> Out:
        failed = original(self, kind, event, payload)
        assert isinstance(failed, Failed)
        return Frame(b"".join(out.data for out in self.on_stop(frame({"type": "message_stop"}))))

    return on_failure
