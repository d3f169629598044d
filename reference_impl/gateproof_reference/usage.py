"""Token counts: one table of names for each vocabulary, read and written (sub2api#2972).

Totals are the upstream's, to the digit: a gateway that counts for itself bills something that nobody measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gateproof_reference.wirejson import Object, integer


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one turn. The details are parts of the totals, under the names that Chat and Responses share."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    input_details: Mapping[str, int] = field(default_factory=dict)
    output_details: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Names:
    """How one API calls the members of its usage object."""

    input: str
    output: str
    input_details: str
    output_details: str


CHAT = Names("prompt_tokens", "completion_tokens", "prompt_tokens_details", "completion_tokens_details")
RESPONSES = Names("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details")

INPUT_DETAILS = ("cached_tokens", "cache_write_tokens", "audio_tokens")
OUTPUT_DETAILS = ("reasoning_tokens", "audio_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens")
CACHED, WRITTEN, REASONED = "cached_tokens", "cache_write_tokens", "reasoning_tokens"
MESSAGES_INPUT = {"cache_read_input_tokens": CACHED, "cache_creation_input_tokens": WRITTEN}
"""Messages counts these beside its input_tokens, the others count them in: there the input is the sum of the three
(anthropic-sdk-python 2.11.0, `types/message.py`; Portkey#1754, ogx#6415)."""

MESSAGES_OUTPUT = {"thinking_tokens": REASONED}
"""In `output_tokens_details`, and a part of output_tokens as everywhere."""

NOT_IN_RESPONSES = frozenset({"accepted_prediction_tokens", "rejected_prediction_tokens"})
"""Responses has no predicted outputs, so it has no place for their counts."""


def read(value: object, names: Names) -> Usage | None:
    """Return the usage in a wire object, None if it is absent or counts nothing under these names."""
    if not isinstance(value, dict):
        return None
    spent, made = integer(value.get(names.input)), integer(value.get(names.output))
    if spent is None and made is None:
        return None
    total = integer(value.get("total_tokens"))
    return Usage(
        input_tokens=spent or 0,
        output_tokens=made or 0,
        total_tokens=(spent or 0) + (made or 0) if total is None else total,
        input_details=_details(value.get(names.input_details), INPUT_DETAILS),
        output_details=_details(value.get(names.output_details), OUTPUT_DETAILS),
    )


def _details(value: object, known: tuple[str, ...]) -> dict[str, int]:
    if not isinstance(value, dict):
        return {}
    return {name: count for name in known if (count := integer(value.get(name))) is not None}


def read_messages(value: object) -> Usage | None:
    """Return the usage in an object of Messages, None if it is absent or counts nothing."""
    if not isinstance(value, dict):
        return None
    spent, made = integer(value.get("input_tokens")), integer(value.get("output_tokens"))
    if spent is None and made is None:
        return None
    beside = {ours: count for name, ours in MESSAGES_INPUT.items() if (count := integer(value.get(name))) is not None}
    details = value.get("output_tokens_details")
    details = details if isinstance(details, dict) else {}
    total = (spent or 0) + sum(beside.values())
    return Usage(
        input_tokens=total,
        output_tokens=made or 0,
        total_tokens=total + (made or 0),
        input_details={name: count for name, count in beside.items() if name in INPUT_DETAILS},
        output_details={
            ours: count
            for name, ours in MESSAGES_OUTPUT.items()
            if ours in OUTPUT_DETAILS and (count := integer(details.get(name))) is not None
        },
    )


def to_messages(usage: Usage | None) -> Object:
    """Return the usage of a message. Its two totals are required: without counts they are zero, as in message_start."""
    if usage is None:
        return {"input_tokens": 0, "output_tokens": 0}
    beside = {name: usage.input_details.get(ours, 0) for name, ours in MESSAGES_INPUT.items()}
    made = {name: usage.output_details[ours] for name, ours in MESSAGES_OUTPUT.items() if ours in usage.output_details}
    return {
        "input_tokens": max(0, usage.input_tokens - sum(beside.values())),
        **beside,
        "output_tokens": usage.output_tokens,
        **({"output_tokens_details": made} if any(made.values()) else {}),
    }


def to_chat(usage: Usage) -> Object:
    """Return a `CompletionUsage`; details that are all zero are left out, which says the same."""
    return _totals(usage, CHAT) | {
        name: dict(details)
        for name, details in (
            (CHAT.input_details, usage.input_details),
            (CHAT.output_details, usage.output_details),
        )
        if any(details.values())
    }


def to_responses(usage: Usage) -> Object:
    """Return a `ResponseUsage`; its two details objects are required, with zeros if need be."""
    made = {name: count for name, count in usage.output_details.items() if name not in NOT_IN_RESPONSES}
    return _totals(usage, RESPONSES) | {
        RESPONSES.input_details: {"cached_tokens": 0, **usage.input_details},
        RESPONSES.output_details: {"reasoning_tokens": 0, **made},
    }


def _totals(usage: Usage, names: Names) -> Object:
    return {
        names.input: usage.input_tokens,
        names.output: usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
