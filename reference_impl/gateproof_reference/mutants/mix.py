"""Lies that show only where a turn holds several things."""

from collections.abc import Iterable, Iterator
from typing import Any

from gateproof_reference.canonical import Event, Failed, Finished, TextDelta
from gateproof_reference.failures import Failure
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame
from gateproof_reference.wirejson import Object

RESPONSES = "responses.decode:ResponsesDecoder"


@mutant(
    "text-after-a-call-is-lost",
    seam="messages.encode:MessagesEncoder.words",
    caught_by="mix.both-modes-agree mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole",
)
def _(original: Any) -> Any:
    """Once a call has begun, what the model says is dropped (ChatMock#114)."""
    return lambda self, kind, words: iter(()) if self._calls else original(self, kind, words)


@mutant(
    "only-the-first-thought",
    seam="messages.decode:MessagesDecoder.on_text",
    caught_by="mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole",
)
def _(original: Any) -> Any:
    """Text that follows a second thought is dropped: a turn thinks once, and then it speaks (litellm#32357)."""

    def on_text(self: Any, block: Any, words: str) -> Iterator[Event]:
        thoughts = [other for other in self._blocks.values() if other.kind == "thinking"]
        return iter(()) if len(thoughts) > 1 else original(self, block, words)

    return on_text


@mutant(
    "calls-outrank-the-limit",
    seam="chat.decode:ChatDecoder.reason",
    caught_by="ending.truncation-is-length mix.truncated-turns-say-so-anywhere",
)
def _(original: Any) -> Any:
    """A turn that was cut by its limit ends with tool_calls if there were any, and half a call is run."""
    return lambda self: "tool_calls" if self._announced else original(self)


@mutant("a-call-makes-a-turn-whole", seam=f"{RESPONSES}.on_end", caught_by="mix.cut-turns-never-complete-anywhere")
def _(original: Any) -> Any:
    """A stream that ends early was complete if it held a call: the agent has something to do."""

    def on_end(self: Any, cut: Failure | None) -> Iterator[Event]:
        if self._announced and cut is None:
            self.over = True
            yield Finished("tool_calls", None)
        else:
            yield from original(self, cut)

    return on_end


@mutant(
    "a-call-hides-the-failure",
    seam="messages.decode:MessagesDecoder.on_failure",
    caught_by="mix.failed-turns-are-errors-anywhere",
)
def _(original: Any) -> Any:
    """A failure after a call is passed over: the agent has something to do."""

    def on_failure(self: Any, event: Object) -> Iterator[Event]:
        if self._announced:
            self.over = True
            yield Finished("tool_calls", None)
        else:
            yield from original(self, event)

    return on_failure


@mutant(
    "failures-are-told-in-prose",
    seam="turns:Translation._encode",
    caught_by="""failure.failed-before-output-is-an-error failure.failed-before-output-is-an-http-error
    lifecycle.output-is-never-repeated mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere""",
)
def _(original: Any) -> Any:
    """Before it fails, the stream says sorry in the assistant's own words (semantic-router#3063)."""

    def _encode(self: Any, events: Iterable[Event]) -> Any:
        told: list[Event] = []
        for event in events:
            told += [TextDelta("Sorry, something went wrong."), event] if isinstance(event, Failed) else [event]
        return original(self, told)

    return _encode


@mutant(
    "streams-refuse-in-text",
    seam="chat.encode:ChatEncoder.delta",
    caught_by="content.refusals-stay-apart mix.both-modes-agree",
)
def _(original: Any) -> Any:
    """A refusal is text in a stream, and a refusal in JSON."""

    def delta(self: Any, said: Object) -> Frame:
        made: Frame = original(self, {"content" if name == "refusal" else name: said[name] for name in said})
        return made

    return delta


@mutant(
    "streams-do-not-cite",
    seam="chat.encode:ChatEncoder.finish",
    caught_by="content.citations-survive mix.extras-agree-in-both-modes",
)
def _(original: Any) -> Any:
    """Citations are told in JSON only (openai-agents-python#4252)."""

    def finish(self: Any, event: Finished) -> Iterator[Frame]:
        self._cited.clear()
        return original(self, event)  # type: ignore[no-any-return]

    return finish
