"""Forms that upstreams may lawfully answer in and seldom do: chunks that say two things, nulls, empty lists, empty turns."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateproof.cases.canned import body, chunked, completion_id
from gateproof.cases.contested import is_other_mode
from gateproof.cases.reading import assert_calls
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import incomplete, refused, text, usage
from gateproof_mock.language.turns import Refused

Delta = dict[str, Any]


def _chunks(*said: tuple[Delta, str | None]) -> Refused:
    """A chat stream of exactly these deltas, each with its finish_reason."""
    head = {"id": completion_id(), "object": "chat.completion.chunk", "created": 1700000000, "model": "canned"}
    choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish} for delta, finish in said]
    return chunked(*({**head, "choices": [choice]} for choice in choices))


def _piece(arguments: str, **begun: Any) -> Delta:
    """A delta with a piece of the one call."""
    name = {"name": begun.pop("name")} if begun else {}
    return {"tool_calls": [{"index": 0, **begun, "function": {**name, "arguments": arguments}}]}


WEATHER = {"id": "call_weather", "type": "function", "name": "get_weather"}
ROLE: Delta = {"role": "assistant"}

# Each a stream, what it says, and whether it calls: get_weather with {"city": "Oslo"}.
TOGETHER: Mapping[str, tuple[tuple[tuple[Delta, str | None], ...], str, bool]] = {
    "words beside the role": (
        (({**ROLE, "content": "Hel"}, None), ({**ROLE, "content": "lo"}, None), ({}, "stop")),
        "Hello",
        False,
    ),
    "words beside the finish_reason": (
        ((ROLE, None), ({"content": "Hel"}, None), ({"content": "lo"}, "stop")),
        "Hello",
        False,
    ),
    "all in one chunk": ((({**ROLE, "content": "Hello"}, "stop"),), "Hello", False),
    "words and a call in one delta": (
        (
            (ROLE, None),
            ({"content": "Let me look.", **_piece('{"city":', **WEATHER)}, None),
            (_piece(' "Oslo"}'), None),
            ({}, "tool_calls"),
        ),
        "Let me look.",
        True,
    ),
    "arguments beside the finish_reason": (
        ((ROLE, None), (_piece('{"city":', **WEATHER), None), (_piece(' "Oslo"}'), "tool_calls")),
        "",
        True,
    ),
}


@case("text.each-member-of-a-chunk-counts")
def each_member_of_a_chunk_counts(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for form, (said, words, calls) in TOGETHER.items():
        upstream.says(_chunks(*said))

        answer = ask(offers=("get_weather",))

        if is_other_mode(ask, check):
            check.chose("another mode")
            return
        assert answer.outcome == "complete", f"{form}: {answer!r}"
        assert answer.text == words, f"{form}: {answer!r}"
        assert len(answer.tool_calls) == int(calls), f"{form}: {answer!r}"
        if calls:
            assert_calls(answer, check, ("get_weather", '{"city": "Oslo"}'))
    check.chose("read")


# What the dialect's own types say may be null.
NULL_DETAILS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "chat": (
        {"prompt_tokens_details": None, "completion_tokens_details": None},
        {
            "prompt_tokens_details": {"cached_tokens": None, "audio_tokens": None},
            "completion_tokens_details": {"reasoning_tokens": None, "audio_tokens": None},
        },
    ),
    "messages": (
        {
            "cache_read_input_tokens": None,
            "cache_creation_input_tokens": None,
            "cache_creation": None,
            "server_tool_use": None,
            "service_tier": None,
        },
    ),
}


@case("usage.null-details-are-harmless")
def null_details_are_harmless(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for nulls in NULL_DETAILS[check.dialect]:
        upstream.says(text("Hel", "lo"), usage(input=607, output=1024, extra=nulls))

        answer = ask(include_usage=True)

        assert answer.outcome == "complete", f"with {json.dumps(nulls)}: {answer!r}"
        assert answer.text == "Hello", f"with {json.dumps(nulls)}: {answer!r}"
        assert answer.usage, f"with {json.dumps(nulls)} there is no usage: {answer!r}"
        counts = (answer.usage.input, answer.usage.output, answer.usage.total)
        assert counts == (607, 1024, 1631), f"with {json.dumps(nulls)}: {counts}"


@case("usage.empty-turns-are-counted")
def empty_turns_are_counted(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(usage(input=607, output=0))

    answer = ask(include_usage=True)

    if answer.failed:
        check.chose("error")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.usage, f"no usage: {answer!r}"
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (607, 0, 607)
    check.chose("told")


@case("usage.cache-reads-and-writes-stay-apart")
def cache_reads_and_writes_stay_apart(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), usage(input=100, output=7, cached=64, cache_write=27))

    answer = ask(include_usage=True)

    assert answer.usage, f"no usage: {answer!r}"
    assert answer.usage.cached == 64, (
        f"64 tokens were read from the cache, 27 written, told as read: {answer.usage.cached}"
    )


@case("tools.no-calls-are-none")
def no_calls_are_none(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(_without_calls(check))

    answer = ask(offers=("get_weather",))

    if is_other_mode(ask, check):
        check.chose("another mode")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello", repr(answer)
    assert not answer.tool_calls, f"calls that nobody made: {answer!r}"
    assert answer.finish == "stop", repr(answer)
    check.chose("none")


def _without_calls(check: CheckHand) -> Refused:
    """A chat turn of words whose messages and deltas each have an empty list of calls."""
    none: Delta = {"tool_calls": []}
    if check.stream:
        words = ({"content": "Hel", **none}, None), ({"content": "lo", **none}, None)
        return _chunks(({**ROLE, **none}, None), *words, (none, "stop"))
    whole = body(check.dialect, text("Hel", "lo"))
    whole["choices"][0]["message"] |= none
    return refused(200, whole)


@case("stream.json-answer-keeps-its-ending")
def json_answer_keeps_its_ending(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(refused(200, body(check.dialect, text("Hello"), incomplete("max_output_tokens"))))

    answer = ask()

    if answer.failed:
        check.chose("error")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello", repr(answer)
    assert answer.finish == "length", f"an answer that its limit cut ends with {answer.finish!r}"
    check.chose("stream")
