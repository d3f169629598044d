"""Lies about when and how a turn ends."""

from collections.abc import Iterator
from typing import Any

from gateproof_reference import failures, sse
from gateproof_reference.canonical import Event, Failed, Finished
from gateproof_reference.chat.encode import DONE_FRAME
from gateproof_reference.failures import Failure
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame, Out
from gateproof_reference.wirejson import Object


@mutant("chat-needs-done", seam="chat.decode:ChatDecoder.on_end", caught_by="ending.finish-reason-then-eof-is-complete")
def _(original: Any) -> Any:
    """A chat turn without [DONE] is a failure, even after its finish_reason."""

    def on_end(self: Any, cut: Failure | None) -> Iterator[Event]:
        self.over = True
        yield Failed(cut or failures.truncated())

    return on_end


@mutant(
    "chat-relay-needs-done", seam="chat.relay:ChatRelay.on_end", caught_by="ending.finish-reason-then-eof-is-complete"
)
def _(original: Any) -> Any:
    """The same on the same API."""

    def on_end(self: Any, cut: Failure | None) -> Iterator[Out]:
        self.over = True
        yield Failed(cut or failures.truncated())

    return on_end


@mutant(
    "calls-then-done-is-a-stop", seam="chat.relay:ChatRelay.reason", caught_by="ending.calls-then-done-is-tool-calls"
)
def _(original: Any) -> Any:
    """Calls that end in [DONE] alone end with stop, so that no client runs them (CLIProxyAPI#2443)."""
    return lambda self, index: "stop"


@mutant(
    "done-alone-stays-alone",
    seam="chat.relay:ChatRelay.on_done",
    caught_by="ending.calls-then-done-is-tool-calls ending.done-without-finish-reason-ends",
)
def _(original: Any) -> Any:
    """[DONE] without a finish_reason is passed on as it is: the client waits for a reason that never comes."""

    def on_done(self: Any) -> Iterator[Out]:
        self.over = True
        yield Frame(DONE_FRAME)

    return on_done


@mutant(
    "chat-eof-is-a-stop",
    seam="chat.decode:ChatDecoder.on_end",
    caught_by="""ending.broken-transfer-is-an-error ending.truncated-upstream-is-an-error
    ending.truncated-upstream-is-never-complete failure.empty-200-is-an-error
    mix.cut-turns-never-complete-anywhere mix.failed-turns-are-errors-anywhere
    time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """A chat stream that just ends was complete (bifrost#5546)."""
    return lambda self, cut: self.on_done()


@mutant(
    "chat-relay-eof-is-a-stop",
    seam="chat.relay:ChatRelay.on_end",
    caught_by="""ending.broken-transfer-is-an-error ending.truncated-upstream-is-an-error
    ending.truncated-upstream-is-never-complete mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """The same on the same API: the relay adds stop and [DONE]."""
    return lambda self, cut: self.on_done()


@mutant(
    "responses-eof-is-a-stop",
    seam="responses.decode:ResponsesDecoder.on_end",
    caught_by="""ending.broken-transfer-is-an-error ending.truncated-upstream-is-an-error
    ending.truncated-upstream-is-never-complete failure.empty-200-is-an-error
    mix.cut-turns-never-complete-anywhere mix.failed-turns-are-errors-anywhere
    time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """A Responses stream that just ends was complete (sub2api#2972)."""

    def on_end(self: Any, cut: Failure | None) -> Iterator[Event]:
        self.over = True
        yield Finished("stop", None)

    return on_end


@mutant(
    "responses-relay-eof-is-completed",
    seam="responses.relay:ResponsesRelay.on_end",
    caught_by="""ending.truncated-upstream-is-an-error ending.truncated-upstream-is-never-complete
    mix.cut-turns-never-complete-anywhere""",
)
def _(original: Any) -> Any:
    """A relay invents response.completed for a stream that ended early (sub2api#2245)."""

    def on_end(self: Any, cut: Failure | None) -> Iterator[Out]:
        if cut is not None:
            yield from original(self, cut)
            return
        event: Object = {"type": "response.completed", "sequence_number": self._sequence}
        yield self.on_terminal("response.completed", sse.Event("", b"{}"), event)

    return on_end


@mutant(
    "truncation-is-silent",
    seam="turns:Translation.end",
    caught_by="ending.truncated-upstream-is-an-error failure.empty-200-is-an-error",
)
def _(original: Any) -> Any:
    """A stream that ends early ends early for the client too, in good order and without a word (9router#1648)."""
    return lambda self, cut=None: [out for out in original(self, cut) if cut is not None or not isinstance(out, Failed)]


@mutant(
    "reset-is-silent",
    seam="turns:Translation.end",
    caught_by="""ending.broken-transfer-is-an-error failure.empty-200-is-an-error
    mix.failed-turns-are-errors-anywhere time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """A connection that breaks ends the client's stream in good order and without a word (Portkey#1797)."""
    return lambda self, cut=None: [out for out in original(self, cut) if cut is None or not isinstance(out, Failed)]


@mutant(
    "reset-is-a-stop",
    seam="responses.decode:ResponsesDecoder.on_end",
    caught_by="""ending.broken-transfer-is-an-error failure.empty-200-is-an-error
    mix.failed-turns-are-errors-anywhere time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """A connection that breaks completes the turn (bifrost#5546)."""

    def on_end(self: Any, cut: Failure | None) -> Iterator[Event]:
        self.over = True
        yield Finished("stop", None) if cut is not None else Failed(failures.truncated())

    return on_end


@mutant(
    "truncated-is-a-stop",
    seam="responses.decode:INCOMPLETE",
    caught_by="""ending.truncation-is-length mix.truncated-turns-say-so-anywhere stream.json-answer-keeps-its-ending""",
)
def _(original: Any) -> Any:
    """response.incomplete for its length ends with stop (litellm#37710)."""
    return {**original, "max_output_tokens": "stop"}


@mutant(
    "length-is-completed",
    seam="responses.encode:INCOMPLETE",
    caught_by="""ending.context-window-is-no-plain-stop ending.truncation-is-length
    mix.truncated-turns-say-so-anywhere stream.json-answer-keeps-its-ending""",
)
def _(original: Any) -> Any:
    """finish_reason length becomes response.completed."""
    return {"content_filter": original["content_filter"]}


@mutant("filtered-is-length", seam="responses.decode:INCOMPLETE", caught_by="ending.filter-is-content-filter")
def _(original: Any) -> Any:
    """Whatever made a turn incomplete, it is told as its length (llmgateway#1682)."""
    return {"max_output_tokens": "length"}


@mutant("filtered-is-completed", seam="responses.encode:INCOMPLETE", caught_by="ending.filter-is-content-filter")
def _(original: Any) -> Any:
    """finish_reason content_filter becomes response.completed."""
    return {"length": original["length"]}


@mutant("response-done-is-unknown", seam="responses.decode:TERMINALS", caught_by="ending.response-done-is-completed")
def _(original: Any) -> Any:
    """response.done is an event like any other, and its stream was cut off (sub2api#2972)."""
    return tuple(kind for kind in original if kind != "response.done")


@mutant(
    "terminal-without-response-ends-in-nothing",
    seam="responses.decode:ResponsesDecoder.on_terminal",
    caught_by="ending.terminal-without-response-still-ends",
)
def _(original: Any) -> Any:
    """A terminal without a response object ends the stream, and nothing says how (sub2api#2972)."""

    def on_terminal(self: Any, kind: str, event: Object) -> Iterator[Event]:
        if event.get("response"):
            yield from original(self, kind, event)
        self.over = True

    return on_terminal


@mutant(
    "bare-failed-is-a-stop",
    seam="responses.decode:ResponsesDecoder.on_failure",
    caught_by="ending.bare-failed-is-an-error",
)
def _(original: Any) -> Any:
    """response.failed without a response object is the normal end (sub2api#2972)."""

    def on_failure(self: Any, kind: str, event: Object) -> Iterator[Event]:
        if kind != "response.failed" or event.get("response"):
            yield from original(self, kind, event)
            return
        self.over = True
        yield Finished("stop", None)

    return on_failure


@mutant(
    "unfinished-body-is-a-stop", seam="responses.decode:UNFINISHED", caught_by="ending.unfinished-status-is-an-error"
)
def _(original: Any) -> Any:
    """A JSON answer that is still queued or in progress becomes an empty message with stop (sub2api#2972)."""
    return ()


@mutant(
    "messages-end-in-silence",
    seam="messages.decode:MessagesDecoder.on_end",
    caught_by="ending.stop-reason-then-eof-is-told",
)
def _(original: Any) -> Any:
    """Without message_stop a message that gave its reason ends, and nobody is told."""

    def on_end(self: Any, cut: Failure | None) -> Iterator[Event]:
        if self._reason and cut is None:
            self.over = True
            return iter(())
        return original(self, cut)  # type: ignore[no-any-return]

    return on_end


@mutant("context-window-is-a-stop", seam="messages.decode:REASONS", caught_by="ending.context-window-is-no-plain-stop")
def _(original: Any) -> Any:
    """A context that was full ends the turn as if the model had."""
    return {**original, "model_context_window_exceeded": "stop"}


@mutant(
    "foreign-words-are-passed-on",
    seam="messages.decode:MessagesDecoder.reason",
    caught_by="ending.reasons-are-the-surfaces-own schema.bodies-are-valid schema.frames-are-valid",
)
def _(original: Any) -> Any:
    """A stop_reason that has no counterpart is passed on as it is."""
    return lambda self: self._reason if self._reason in ("pause_turn", "acme_reason") else original(self)


@mutant(
    "empty-turns-are-told-in-prose",
    seam="messages.encode:MessagesEncoder.finish",
    caught_by="ending.empty-turn-is-told-alike",
)
def _(original: Any) -> Any:
    """A turn without any words gets some of the gateway's own (OmniRoute#3400)."""

    def finish(self: Any, event: Finished) -> Iterator[Frame]:
        if not self._blocks:
            yield from self.words("text", "(The model had nothing to say.)")
        yield from original(self, event)

    return finish
