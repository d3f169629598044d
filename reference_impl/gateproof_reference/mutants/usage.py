"""Lies about token counts."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gateproof_reference.canonical import Finished
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame
from gateproof_reference.wirejson import Object

TOTALS = "usage.totals-survive usage.survives-truncation"


@mutant(
    "usage-is-counted-locally",
    seam="usage:_totals",
    caught_by="""isolation.concurrent-turns-keep-apart isolation.nothing-stays-of-an-earlier-turn
    mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole usage.at-the-event-is-read
    usage.cache-is-counted-once usage.counts-in-other-places-survive usage.empty-turns-are-counted
    usage.last-count-wins usage.null-details-are-harmless usage.survives-truncation usage.totals-survive""",
)
def _(original: Any) -> Any:
    """The upstream's counts are replaced by the gateway's own (litellm#34352)."""
    return lambda usage, names: {**original(usage, names), names.input: 1, names.output: 1, "total_tokens": 2}


@mutant(
    "cached-tokens-are-lost",
    seam="usage:INPUT_DETAILS",
    caught_by="""usage.cache-reads-and-writes-stay-apart usage.cached-and-reasoning-tokens-survive""",
)
def _(original: Any) -> Any:
    """cached_tokens do not survive a translation (CLIProxyAPI#1643)."""
    return tuple(name for name in original if name != "cached_tokens")


@mutant("reasoning-tokens-are-lost", seam="usage:OUTPUT_DETAILS", caught_by="usage.cached-and-reasoning-tokens-survive")
def _(original: Any) -> Any:
    """reasoning_tokens do not survive a translation (loreai#1485)."""
    return tuple(name for name in original if name != "reasoning_tokens")


@mutant("audio-tokens-are-lost", seam="usage:OUTPUT_DETAILS", caught_by="usage.audio-and-prediction-tokens-survive")
def _(original: Any) -> Any:
    """Of the output's details only reasoning_tokens are known (sub2api#2972)."""
    return ("reasoning_tokens",)


@mutant(
    "prediction-tokens-are-lost", seam="usage:OUTPUT_DETAILS", caught_by="usage.audio-and-prediction-tokens-survive"
)
def _(original: Any) -> Any:
    """The two counts of predictions are forgotten (sub2api#2972)."""
    return tuple(name for name in original if "prediction" not in name)


@mutant(
    "streams-tell-no-details",
    seam="chat.encode:ChatEncoder.chunk",
    caught_by="""mix.both-modes-agree usage.audio-and-prediction-tokens-survive
    usage.cache-reads-and-writes-stay-apart usage.cached-and-reasoning-tokens-survive usage.same-in-both-modes""",
)
def _(original: Any) -> Any:
    """Details are told in JSON answers and not in streams (codebuddy2api#115)."""

    def chunk(self: Any, choices: list[Object], counted: Any = None) -> Any:
        return original(self, choices, counted and replace(counted, input_details={}, output_details={}))

    return chunk


@mutant(
    "truncated-turns-cost-nothing",
    seam="responses.decode:usage_in",
    caught_by="mix.truncated-turns-say-so-anywhere usage.survives-truncation",
)
def _(original: Any) -> Any:
    """response.incomplete loses its usage (litellm#37710)."""
    return lambda event: None if (event.get("response") or {}).get("status") == "incomplete" else original(event)


@mutant("usage-at-the-event-is-ignored", seam="responses.decode:usage_in", caught_by="usage.at-the-event-is-read")
def _(original: Any) -> Any:
    """Usage counts only inside the response object (sub2api#2972)."""
    return lambda event: original({"response": event.get("response")})


@mutant(
    "usage-comes-before-the-finish",
    seam="chat.encode:ChatEncoder.finish",
    caught_by="usage.chunk-comes-last-when-asked",
)
def _(original: Any) -> Any:
    """The usage chunk comes before the finish_reason (Portkey#1338)."""

    def finish(self: Any, event: Finished) -> Iterator[Frame]:
        frames = list(original(self, event))
        yield from [frames[1], frames[0], frames[2]] if len(frames) == 3 else frames

    return finish


@mutant(
    "usage-is-not-told-when-asked",
    seam="chat.encode:ChatEncoder.tells_usage",
    caught_by="""mix.both-modes-agree mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    usage.at-the-event-is-read usage.audio-and-prediction-tokens-survive usage.cache-is-counted-once
    usage.cache-reads-and-writes-stay-apart usage.cached-and-reasoning-tokens-survive
    usage.chunk-comes-last-when-asked usage.empty-turns-are-counted usage.last-count-wins
    usage.null-details-are-harmless usage.same-in-both-modes usage.survives-truncation usage.totals-survive""",
)
def _(original: Any) -> Any:
    """include_usage is ignored (loreai#1485)."""
    return lambda self, event: False


@mutant("usage-is-told-unasked", seam="chat.encode:ChatEncoder.tells_usage", caught_by="usage.no-chunk-unasked")
def _(original: Any) -> Any:
    """Every stream ends with a usage chunk, whose empty choices break clients that did not ask (quotio#460)."""
    return lambda self, event: event.usage is not None


@mutant(
    "usage-is-not-asked-for",
    seam="chat.request:ask",
    caught_by="""mix.both-modes-agree mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    request.usage-is-asked-for usage.audio-and-prediction-tokens-survive usage.cache-is-counted-once
    usage.cache-reads-and-writes-stay-apart usage.cached-and-reasoning-tokens-survive usage.empty-turns-are-counted
    usage.null-details-are-harmless usage.same-in-both-modes usage.survives-truncation usage.totals-survive""",
)
def _(original: Any) -> Any:
    """A chat upstream is not asked for usage, so that a Responses stream has none to tell (loreai#1485)."""
    return lambda body, *, stream, usage: original(body, stream=stream, usage=False)


@mutant(
    "usage-beside-choices-is-ignored",
    seam="chat.decode:ChatDecoder.on_chunk",
    caught_by="usage.counts-in-other-places-survive",
)
def _(original: Any) -> Any:
    """Only a chunk without choices is looked at for usage (bifrost#3519)."""

    def on_chunk(self: Any, chunk: Object) -> Any:
        streamed = chunk.get("object") == "chat.completion.chunk" and chunk.get("choices")
        return original(self, {**chunk, "usage": None} if streamed else chunk)

    return on_chunk


@mutant(
    "unknown-usage-is-null",
    seam="usage:to_messages",
    caught_by="schema.bodies-are-valid schema.frames-are-valid usage.unknown-counts-are-still-numbers",
)
def _(original: Any) -> Any:
    """Tokens that nobody counted are null, on which the Anthropic SDK for Python fails."""
    return lambda usage: {**original(usage), **({} if usage else {"output_tokens": None})}
