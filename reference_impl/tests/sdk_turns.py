"""What an SDK is to find through the reference, computed from what it finds at the upstream's own surface.

Both are told in the same plain form, `Turn`; what lies between them is in the tables here and in `expressible.py`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from expressible import as_a_body, expressed
from jiter import from_json
from sdk_readers import FAILURES, KEY, Json, Thing, Told, expected

from gateproof_mock import Script
from gateproof_mock.language.turns import ErrorEvent, Failed
from gateproof_reference import Call, Failure, Turn, Usage
from gateproof_reference.reading import joined, normal

ENDINGS: dict[str, Any] = {
    "stop": "stop",
    "tool_calls": "tool_calls",
    "length": "length",
    "content_filter": "content_filter",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "max_output_tokens": "length",
}
"""The words for an ending, of all three APIs."""

OWN = {
    "custom": "calls of custom tools: such a tool is a 400 on translated pairs, so nobody asked for its call",
    "search": "hosted searches and what they found: their tools are a 400 on translated pairs",
    "image": "generated images: as above; no other API has a place for one",
    "item": "items of unknown types: nothing can be said of them in another API",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
    "max_output_tokens": "length",
}
"""The words for an ending, of all three APIs."""

OWN = {
    "custom": "calls of custom tools: such a tool is a 400 on translated pairs, so nobody asked for its call",
    "search": "hosted searches and what they found: their tools are a 400 on translated pairs",
    "image": "generated images: as above; no other API has a place for one",
    "item": "items of unknown types: nothing can be said of them in another API",
    "citations": "the sources of a text: another API's have other members, of which some could only be invented",
    "stop_sequence": "which stop sequence was met: only Messages tells it",
}
"""What only the API that said it has, and why it ends there: left out by `flat`, and by the reference on translated pairs."""

MASK = "***"
REDACTED = "redacted_thinking:"
"""What stands before the seal of redacted thinking in the encrypted_content that it is told as (README)."""

CODES = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "context_length_exceeded": 400,
    "server_is_overloaded": 503,
}
"""The HTTP status of a failure that came with HTTP 200; of any other code it is 502."""


def flat(told: Told, api: str) -> Turn:
    """What an SDK found, in no API's words; without OWN, and without citations, which have tests of their own."""
    words: dict[str, str] = {"text": "", "refusal": "", "reasoning": ""}
    seals: list[str] = []
    calls: list[Call] = []
    for thing in told.said:
        match thing:
            case ("text", str(said), *_):
                words["text"] += said
            case ("refusal", str(said)):
                words["refusal"] += said
            case ("reasoning", str(summary), str(full), str(seal)):
                words["reasoning"] += summary + full
                seals += [seal.removeprefix(REDACTED)] if seal else []
            case ("reasoning", str(shown)):
                words["reasoning"] += shown
            case ("thinking", str(shown), seal):
                words["reasoning"] += shown
                seals += [seal] if seal else []
            case ("redacted", str(seal)):
                seals.append(seal)
            case ("call", str(name), found, call_id):
                arguments = found if isinstance(found, str) else json.dumps(found)
                calls.append(Call(name, normal(arguments or "{}"), call_id))
            case _:
                pass
    turn = Turn(**{kind: joined(said) for kind, said in words.items()}, seals=tuple(seals), calls=tuple(calls))
    turn = replace(turn, usage=None if told.usage is None else counts(told.usage), ending=_ending(told.ending, turn))
    return replace(turn, failure=_failure(told.ending)) if turn.ending == "failed" else turn


def _failure(words: Thing) -> Failure:
    """The failure without what looks like a key in it, which must not reach a client. "" if its words are not settled."""
    message = words[1] if len(words) > 1 and isinstance(words[1], str) else ""
    return Failure(message.replace(KEY, MASK))


def _ending(words: Thing, turn: Turn) -> Any:
    match words:
        case ("completed",):
            return "tool_calls" if turn.calls else "stop"
        case ("incomplete", str(reason)) | (str(reason),) | (str(reason), None | str()) if reason in ENDINGS:
            return ENDINGS[reason]
        case ("error" | "failed", _, *_) | ("cancelled" | "queued" | "in_progress",):
            return "failed"
        case _:
            return words


def counts(usage: Mapping[str, int]) -> Usage:
    """Counts as the readers name them, without the zeros."""
    into = {"cached": "cached_tokens", "written": "cache_write_tokens", "audio_input": "audio_tokens"}
    out = {
        "reasoning": "reasoning_tokens",
        "audio_output": "audio_tokens",
        "accepted": "accepted_prediction_tokens",
        "rejected": "rejected_prediction_tokens",
    }
    return Usage(
        usage["input"],
        usage["output"],
        usage.get("total", usage["input"] + usage["output"]),
        {theirs: usage[ours] for ours, theirs in into.items() if usage.get(ours)},
        {theirs: usage[ours] for ours, theirs in out.items() if usage.get(ours)},
    )


def with_zeros(document: Json) -> Json:
    """A document or an event, with the counts that the reference leaves out: details that are zero, and all of a failure."""
    if isinstance(document.get("response"), dict):
        document["response"].setdefault("usage", None)
    for holder in (document, document.get("response")):
        usage = holder.get("usage") if isinstance(holder, dict) else None
        if not isinstance(usage, dict):
            continue
        for name in ("prompt_tokens_details", "completion_tokens_details") if "prompt_tokens" in usage else ():
            usage[name] = {**_ZEROS[name], **(usage.get(name) or {})}
        if "input_tokens_details" in usage:
            usage["input_tokens_details"] = {"cache_write_tokens": 0, **usage["input_tokens_details"]}
    return document


_ZEROS = {
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 0,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def wanted(script: Script, source: str, target: str, *, stream: bool) -> Turn:
    """What a client of `target` is to find of a turn that an upstream of `source` says."""
    if source != target and not stream:
        script = as_a_body(script, source)
    turn = flat(expected(script, source, stream=stream), source)
    if source == target:
        return turn
    if turn.ending == "tool_calls" and not turn.calls and target == "responses":
        # Calls of custom tools alone: only Responses tells this ending by its calls.
        turn = replace(turn, ending="stop")
    turn = expressed(turn, script, target)
    if target != "messages" or all(map(is_whole, turn.calls)):
        return turn
    if turn.ending not in ("length", "content_filter"):
        return replace(turn, ending="failed", failure=Failure("the upstream's answer cannot be read: "), usage=None)
    # What a limit cut off in its midst is no object, so a body cannot hold it; a stream did not know.
    return (
        turn
        if stream
        else replace(turn, calls=tuple(c if is_whole(c) else replace(c, arguments="{}") for c in turn.calls))
    )


def is_whole(call: Call) -> bool:
    """Whether the arguments of a call are a JSON object."""
    try:
        return isinstance(json.loads(call.arguments), dict)
    except ValueError:
        return False


def status_of(script: Script, source: str, *, stream: bool) -> int:
    """The HTTP status that a failed turn has if nothing of it was sent: the upstream's own, else that of its code."""
    ending = script.ending
    if not stream and source != "responses" and isinstance(ending, FAILURES):
        status = ending.status if isinstance(ending, Failed) else 500
        return 502 if status in (401, 403) else status
    return CODES.get(ending.code, 502) if isinstance(ending, Failed | ErrorEvent) else 502


def helped(turn: Turn) -> Turn:
    """A turn as the Anthropic SDK's helper puts it together: it makes an object of arguments that are broken off."""
    calls = (
        call
        if is_whole(call)
        else replace(call, arguments=json.dumps(from_json(call.arguments.encode(), partial_mode=True)))
        for call in turn.calls
    )
    return replace(turn, calls=tuple(replace(call, arguments=normal(call.arguments)) for call in calls))
