"""Token counts: who says them, and where they stand."""

from __future__ import annotations

from gateproof.cases.reading import chunks
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, incomplete, text, usage


@case("usage.totals-survive")
def totals_survive(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=607, output=1024))

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (607, 1024, 1631)


@case("usage.cached-and-reasoning-tokens-survive")
def cached_and_reasoning_tokens_survive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), usage(input=607, output=1024, cached=64, reasoning=112))

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    assert answer.usage.cached == 64
    # Messages got a place for them late.
    told = (112, 0) if check.surface == "messages" else (112,)
    assert answer.usage.reasoning in told, f"reasoning tokens: {answer.usage.reasoning!r}"


@case("usage.cache-is-counted-once")
def cache_is_counted_once(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=100, output=7, cached=64, cache_write=27))

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    # Inclusive: on Messages the sum of input_tokens and both kinds of cache.
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (100, 7, 107)


@case("usage.audio-and-prediction-tokens-survive")
def audio_and_prediction_tokens_survive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(
        text("Hel", "lo"),
        usage(input=607, output=1024, audio_input=13, audio_output=17, accepted_prediction=19, rejected_prediction=23),
    )

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    assert (answer.usage.audio_input, answer.usage.audio_output) == (13, 17)
    predictions = (answer.usage.accepted_prediction, answer.usage.rejected_prediction)
    # Responses has no place for them: a translator drops them, a relay may pass on what its upstream wrote all the same.
    told = [(19, 23)] if check.on_chat else [(0, 0)] if check.translated else [(0, 0), (19, 23)]
    assert predictions in told, f"accepted and rejected prediction tokens: {predictions}"


@case("usage.same-in-both-modes")
def same_in_both_modes(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=607, output=1024, cached=64, reasoning=112))

    streamed = ask(mode="stream", include_usage=True)
    at_once = ask(mode="json")

    assert streamed.usage, f"no usage in the stream: {streamed!r}"
    assert streamed.usage == at_once.usage


@case("usage.survives-truncation")
def survives_truncation(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=607, output=1024), incomplete("max_output_tokens"))

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (607, 1024, 1631)


@case("usage.at-the-event-is-read")
def at_the_event_is_read(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=607, output=1024), wire=Wire(usage_in="event"))

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (607, 1024, 1631)


@case("usage.chunk-comes-last-when-asked")
def chunk_comes_last_when_asked(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=607, output=1024))

    answer = ask(include_usage=True)

    counted = [i for i, c in enumerate(chunks(answer)) if c.get("usage") is not None]
    assert len(counted) == 1, f"{len(counted)} chunks count tokens"
    last = len(chunks(answer)) - 1
    assert counted[0] == last, f"usage is in chunk {counted[0]}, and the last is {last}"
    assert chunks(answer)[last].get("choices") == [], "the usage chunk has choices"


@case("usage.no-chunk-unasked")
def no_chunk_unasked(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=607, output=1024))

    answer = ask()

    extra = [c for c in chunks(answer) if c.get("choices") == [] and c.get("usage") is not None]
    assert not extra, f"usage that nobody asked for: {extra[0]!r}"
