"""Lies about JSON answers that are made of streams."""

from typing import Any

from gateproof_reference import failures
from gateproof_reference.canonical import Event, Failed, Finished
from gateproof_reference.failures import RefusedError
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.wirejson import Object

FORCED = "--force-upstream-stream"


@mutant(
    "output-is-not-rebuilt",
    seam="responses.relay:Ledger.output",
    options=FORCED,
    caught_by="aggregate.output-is-rebuilt-in-order",
)
def _(original: Any) -> Any:
    """An empty output in the terminal is believed, whatever was streamed (metapi#174)."""
    return lambda self: []


@mutant(
    "output-is-in-order-of-arrival",
    seam="responses.relay:Ledger.output",
    options=FORCED,
    caught_by="aggregate.output-is-rebuilt-in-order",
)
def _(original: Any) -> Any:
    """Items stand in the wrong order."""
    return lambda self: original(self)[::-1]


@mutant(
    "rebuilt-chat-turn-has-no-calls",
    seam="chat.relay:gathered",
    options=FORCED,
    caught_by="""aggregate.chat-turn-is-rebuilt aggregate.unrequested-sse-is-read
    isolation.concurrent-turns-keep-apart mix.both-modes-agree mix.turns-arrive-whole
    request.call-ids-correlate sse.escapes-read-alike sse.mebibyte-line-passes
    text.protocol-words-are-text tools.only-calls-end-with-tool-calls
    tools.several-calls-arrive-whole tools.text-and-calls-both-survive""",
)
def _(original: Any) -> Any:
    """Only the text of the chunks is gathered (new-api#5230)."""

    def gathered(*args: Any) -> Object:
        body: Object = original(*args)
        body["choices"][0]["message"].pop("tool_calls", None)
        return body

    return gathered


@mutant(
    "rebuilt-chat-turn-has-no-usage",
    seam="chat.relay:gathered",
    caught_by="""aggregate.chat-turn-is-rebuilt mix.both-modes-agree mix.truncated-turns-say-so-anywhere
    mix.turns-arrive-whole usage.audio-and-prediction-tokens-survive usage.cached-and-reasoning-tokens-survive
    usage.empty-turns-are-counted usage.null-details-are-harmless usage.same-in-both-modes usage.survives-truncation
    usage.totals-survive""",
    options=FORCED,
)
def _(original: Any) -> Any:
    """The usage chunk is not gathered."""
    return lambda *args: {name: value for name, value in original(*args).items() if name != "usage"}


@mutant(
    "broken-stream-is-a-short-answer",
    seam="turns:TurnGatherer.end",
    options=FORCED,
    caught_by="""aggregate.broken-stream-is-an-error ending.broken-transfer-is-an-error
    ending.unfinished-status-is-an-error failure.empty-200-is-an-error
    mix.failed-turns-are-errors-anywhere time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """What came before the break is the answer (sub2api#5800)."""

    def end(self: Any, cut: Any = None) -> list[Event]:
        ended: list[Event] = [event for event in self._decoder.end(cut) if not isinstance(event, Failed)]
        self._events += ended or (
            [] if self._events and isinstance(self._events[-1], Finished) else [Finished("stop", None)]
        )
        return ended

    return end


@mutant("unrequested-sse-is-refused", seam="server:gather", caught_by="aggregate.unrequested-sse-is-read")
def _(original: Any) -> Any:
    """A streamed answer to a JSON request is unreadable (new-api#5230)."""

    async def gather(exchange: Any, reply: Any) -> bytes:
        raise RefusedError(failures.unreadable("it is a stream"))

    return gather
