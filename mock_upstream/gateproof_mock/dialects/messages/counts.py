"""Token counts as the Messages API tells them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof_mock.dialects.openai import laid_over
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import Usage

Counts = dict[str, Any]

_COUNTED = ("system", "messages", "tools")
_UNCOUNTED = ("type", "role", "id", "tool_use_id", "media_type", "data")
_CHARACTERS_A_TOKEN = 4


def usage_of(script: Script) -> Usage:
    return next((e for e in script.turn if isinstance(e, Usage)), Usage())


def whole(usage: Usage) -> Counts:
    """The usage of a whole message."""
    side = _input_side(usage) | {"output_tokens": usage.output} | _details(usage) | {"service_tier": "standard"}
    return laid_over(side, usage.extra)


def at_start(usage: Usage, *, final: bool) -> Counts:
    """The usage in message_start: the input is counted, and of the output the first token. `final`: all of it already."""
    if final:
        return whole(usage)
    begun = _input_side(usage) | {"output_tokens": min(1, usage.output), "service_tier": "standard"}
    return laid_over(begun, usage.extra)


def at_end(usage: Usage, *, told: bool) -> Counts:
    """The usage in message_delta: the sums of the whole message, without its breakdown. `told`: at the start, and here only
    zeros."""
    side = {key: value for key, value in _input_side(usage).items() if key != "cache_creation"}
    sums = laid_over(side | {"output_tokens": usage.output} | _details(usage), usage.extra)
    return _zeroed(sums) if told else sums


def asked_tokens(body: Mapping[str, Any]) -> int:
    """A count for a request: a token for every four characters of what the model would read. Pictures count nothing."""
    return max(1, -(-sum(_characters(body.get(key)) for key in _COUNTED) // _CHARACTERS_A_TOKEN))


def _input_side(usage: Usage) -> Counts:
    written = usage.cache_write + usage.cache_write_1h
    return {
        "input_tokens": max(0, usage.input - usage.cached - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": usage.cached,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
    }


def _details(usage: Usage) -> Counts:
    details: Counts = {}
    if usage.reasoning:
        details["output_tokens_details"] = {"thinking_tokens": usage.reasoning}
    if usage.web_searches:
        details["server_tool_use"] = {"web_search_requests": usage.web_searches}
    return details


def _zeroed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _zeroed(inner) for key, inner in value.items()}
    return 0 if isinstance(value, int | float) and not isinstance(value, bool) else value


def _characters(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return sum(_characters(inner) for inner in value)
    if isinstance(value, Mapping):
        return sum(_characters(inner) for key, inner in value.items() if key not in _UNCOUNTED)
    return 0
