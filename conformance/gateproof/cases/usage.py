"""Token counts: who says them, and where they stand."""

from __future__ import annotations

import json

from gateproof.answers.absent import dig
from gateproof.cases.canned import EVENTS, answered, body, stream
from gateproof.cases.reading import chunks, events_of_type
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, incomplete, refused, text, usage
from gateproof_mock.language.turns import Refused


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


@case("usage.last-count-wins")
def last_count_wins(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    said = stream(check.dialect, text("Hel", "lo"), usage(input=12, output=8))
    early = {"type": "message_delta", "delta": {"stop_reason": None, "stop_sequence": None}}
    counted = json.dumps({**early, "usage": {"input_tokens": 12, "output_tokens": 5}})
    # After the last block, before the message_delta with the stop_reason.
    before, end, after = said.rpartition("event: message_delta\n")
    told = f"{before}event: message_delta\ndata: {counted}\n\n{end}{after}"
    upstream.says(refused(200, told, content_type=EVENTS))

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (12, 8, 20)


@case("usage.counts-in-other-places-survive")
def counts_in_other_places_survive(ask: Ask, upstream: Upstream) -> None:
    for where in ("finish", "every"):
        upstream.says(text("Hel", "lo"), usage(input=607, output=1024), wire=Wire(usage_in=where))

        answer = ask(include_usage=True)

        assert answer.usage, f"no usage from {where}: {answer!r}"
        counts = (answer.usage.input, answer.usage.output, answer.usage.total)
        assert counts == (607, 1024, 1631), f"usage from {where}: {counts}"


@case("usage.unknown-counts-are-still-numbers")
def unknown_counts_are_still_numbers(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(without_usage(check))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello"
    ends = events_of_type(answer, "message_delta") if check.stream else [answer.body]
    counts = [dig(end, "usage", "output_tokens") for end in ends]
    assert counts, "no message_delta"
    assert all(isinstance(count, int) for count in counts), f"output_tokens: {counts!r}"


def without_usage(check: CheckHand) -> Refused:
    """A chat turn as an engine sends it that counts no tokens."""
    said = text("Hel", "lo")
    if check.stream:
        return answered(check.dialect, check.mode, said)
    whole = {key: value for key, value in body(check.dialect, said).items() if key != "usage"}
    return refused(200, whole)
