"""What wrong gateways do to clients: each row one mutant, one client and one turn, and what the client then makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from behaviour import CODEX_RETRIES, NO_RETRIES, SDK_RETRIES, Retries
from told import WEATHER, Call, Counts
from turns import USAGE, Turn, turns

from gateproof_mock import cut, failed, script, text, tool_call

CITY, OTHER = {"city": "Oslo"}, {"city": "Rom"}
TURNS = {
    **turns(WEATHER["name"], CITY, OTHER, retry_after="1"),
    "bare-end": Turn((script(text("Hel", "lo"), cut("eof")),)),
    "call-without-arguments": Turn((script(tool_call(WEATHER["name"], id="call_a1"), USAGE),)),
    "too-long-after-text": Turn((script(text("Hel", "lo"), failed("context_length_exceeded", "It is too long.")),)),
    "limited-after-text": Turn((script(text("Hel", "lo"), failed("rate_limit_error", "Please try again in 1s.")),)),
}


@dataclass(frozen=True)
class Harm:
    """`read`: members of Told, with a part of its `message`. `says`: the words of the requirement's harm that it shows."""

    mutant: str
    requirement: str
    client: str
    dialect: str
    turn: str
    says: str
    read: Mapping[str, Any]
    retries: Retries = NO_RETRIES

    def __str__(self) -> str:
        return f"{self.client}-{self.mutant}-{self.turn}"


def _taken_for_whole(ending: str | None) -> dict[str, Any]:
    return {"text": "Hello", "ending": ending, "message": "", "requests": 1}


def _called(*calls: tuple[str, Any]) -> dict[str, Any]:
    return {"calls": tuple(Call(id, WEATHER["name"], arguments) for id, arguments in calls)}


def _raised(kind: str, message: str) -> dict[str, Any]:
    return {"ending": kind, "message": message, "calls": ()}


_SILENT = ("truncation-is-silent", "ending.truncated-upstream-is-an-error")
_CUT = ("responses-eof-is-a-stop", "ending.truncated-upstream-is-never-complete")
_FAILED = ("failed-after-text-is-a-stop", "failure.failed-is-never-success")
_SECOND_NUMBERING = ("messages-blocks-are-numbered-from-one", "grammar.messages-blocks-are-in-order")
_CLOSED = {"ending": "turn.failed", "message": "stream closed before response.completed", "requests": 6}

HARMS = (
    # --- endings ---
    Harm(*_SILENT, "openai-python.chat", "responses", "bare-end", "openai-python on Chat", _taken_for_whole(None)),
    Harm(*_SILENT, "anthropic-python.messages", "chat", "bare-end", "SDK for Python", _taken_for_whole(None)),
    Harm(*_SILENT, "openai-node.responses", "chat", "bare-end", "openai-node on Resp", _taken_for_whole("in_progress")),
    Harm(*_SILENT, "ai-sdk.openai", "chat", "bare-end", "the AI SDK", _taken_for_whole("other")),
    Harm(*_SILENT, "ai-sdk.anthropic", "chat", "bare-end", "the AI SDK", _taken_for_whole("other")),
    Harm(
        *_SILENT, "openai-node.chat", "responses", "bare-end", "raise", _raised("OpenAIError", "missing finish_reason")
    ),
    Harm(*_SILENT, "codex", "chat", "bare-end", "Codex asks 6 times", _CLOSED, CODEX_RETRIES),
    Harm(*_CUT, "openai-python.chat", "responses", "cut", "every client", _taken_for_whole("stop")),
    Harm(*_CUT, "openai-node.chat", "responses", "cut", "every client", _taken_for_whole("stop")),
    Harm(*_CUT, "anthropic-python.messages", "responses", "cut", "every client", _taken_for_whole("end_turn")),
    Harm(*_CUT, "ai-sdk.openai-compatible", "responses", "cut", "every client", _taken_for_whole("stop")),
    Harm("chat-eof-is-a-stop", _CUT[1], "codex", "chat", "cut", "every client", _taken_for_whole("turn.completed")),
    # --- failures ---
    Harm(*_FAILED, "openai-python.chat", "responses", "failed", "Every client", _taken_for_whole("stop")),
    Harm(*_FAILED, "anthropic-node.messages", "responses", "failed", "Every client", _taken_for_whole("end_turn")),
    Harm(*_FAILED, "ai-sdk.openai-chat", "responses", "failed", "Every client", _taken_for_whole("stop")),
    Harm(
        "chat-error-is-bare",
        "failure.in-band-error-has-the-chat-shape",
        *("openai-python.chat", "responses", "failed"),
        "no error to openai-python",
        _taken_for_whole(None),
    ),
    Harm(
        "messages-error-has-no-event-line",
        "failure.in-band-error-has-the-messages-shape",
        *("anthropic-python.messages", "chat", "failed"),
        "The Anthropic SDK for Python",
        _taken_for_whole(None),
    ),
    Harm(
        "responses-failure-is-an-error-event",
        "failure.responses-stream-ends-with-failed",
        *("codex", "chat", "failed"),
        "Codex drops a bare error event, reports that the stream closed, and asks 6 times",
        _CLOSED,
        CODEX_RETRIES,
    ),
    Harm(
        "responses-failure-is-an-error-event",
        "failure.code-and-message-survive",
        *("codex", "chat", "too-long-after-text"),
        "Codex repeats a request that can never succeed (6 requests)",
        _CLOSED,
        CODEX_RETRIES,
    ),
    Harm(
        "code-is-always-upstream-error",
        "failure.code-and-message-survive",
        *("codex", "chat", "too-long"),
        "does not know that the context is full",
        {"ending": "turn.failed", "message": '"code":"upstream_error"', "requests": 1},
        CODEX_RETRIES,
    ),
    Harm(
        "codes-are-not-translated",
        "failure.codes-are-translated",
        *("codex", "chat", "limited-after-text"),
        "rate_limit_error is an unknown code to it",
        {"message": "stream disconnected before completion", "requests": 2},
        Retries(0, 1),
    ),
    Harm(
        "client-faults-are-500",
        "failure.client-fault-is-4xx",
        *("openai-python.chat", "responses", "too-long"),
        "SDKs send the same over-long request three times",
        {"ending": "InternalServerError", "status": 500, "requests": 3},
        SDK_RETRIES,
    ),
    Harm(
        "client-faults-are-500",
        "failure.client-fault-is-4xx",
        *("anthropic-node.messages", "chat", "too-long"),
        "SDKs send the same over-long request three times",
        {"ending": "InternalServerError", "status": 500, "requests": 3},
        SDK_RETRIES,
    ),
    Harm(
        "client-faults-are-500",
        "failure.client-fault-is-4xx",
        *("codex", "responses", "too-long"),
        "Codex up to 30 times",
        # Two tries in each of two turns; by default five in each of six, which would take half a minute.
        {"ending": "turn.failed", "requests": 4},
        Retries(1, 1),
    ),
    Harm(
        "failed-event-is-thin",
        "failure.failed-event-is-whole",
        *("openai-node.responses", "chat", "failed"),
        "openai-node's helper raises a TypeError in place of the cause",
        _raised("OpenAIError", "output is not iterable"),
    ),
    Harm(
        "retry-after-is-lost",
        "error.retry-after-is-told",
        *("codex", "responses", "limited"),
        "Codex asks again after a 429 only if it says when",
        {"ending": "turn.failed", "requests": 1},
        Retries(0, 1),
    ),
    # --- the grammar of streams ---
    Harm(
        "messages-are-done-empty",
        "grammar.responses-items-are-told-whole",
        *("codex", "chat", "text"),
        "Codex loses text and calls silently",
        {"text": "", "ending": "turn.completed", "requests": 1},
    ),
    Harm(
        "output-indices-begin-at-one",
        "grammar.responses-indices-are-dense",
        *("openai-node.responses", "chat", "text"),
        "openai-node's stream helper raises",
        _raised("OpenAIError", "missing output at index 1"),
    ),
    Harm(
        *_SECOND_NUMBERING,
        *("anthropic-python.messages", "chat", "two-calls"),
        "an IndexError",
        _raised("IndexError", "list index out of range"),
    ),
    Harm(
        *_SECOND_NUMBERING,
        *("anthropic-node.messages", "chat", "two-calls"),
        "arguments are lost",
        {**_called(("call_a1", {}), ("call_b2", {})), "ending": "tool_use"},
    ),
    Harm(
        "messages-blocks-stay-open",
        "grammar.messages-blocks-are-in-order",
        *("ai-sdk.anthropic", "chat", "only-a-call"),
        "the AI SDK loses the call",
        {"calls": (), "ending": "tool-calls", "message": ""},
    ),
    Harm(
        "messages-has-two-starts",
        "grammar.messages-events-are-in-order",
        *("anthropic-node.messages", "chat", "text"),
        "the one for TypeScript",
        _raised("AnthropicError", "Unexpected event order"),
    ),
    Harm(
        "text-deltas-have-no-item-id",
        "schema.frames-are-valid",
        *("ai-sdk.openai", "chat", "text"),
        "the AI SDK",
        {"text": "", "ending": "_TypeValidationError", "message": "item_id"},
    ),
    Harm(
        "blocks-without-data",
        "wire.sse-is-clean",
        *("openai-python.chat", "chat", "text"),
        "openai-python",
        _raised("JSONDecodeError", "Expecting value"),
    ),
    # --- tool calls ---
    Harm(
        "every-piece-names-its-call",
        "tools.name-and-id-come-once",
        *("ai-sdk.openai-chat", "responses", "two-calls"),
        "the AI SDK calls the tool with {}",
        _called(("call_a1", CITY), ("call_b2", {})),
    ),
    Harm(
        "indices-start-at-one",
        "tools.indices-are-dense",
        *("openai-python.chat", "responses", "only-a-call"),
        "openai-python's",
        _raised("IndexError", "list index out of range"),
    ),
    Harm(
        "indices-start-at-one",
        "tools.indices-are-dense",
        *("openai-node.chat", "responses", "only-a-call"),
        "openai-node's",
        _raised("OpenAIError", "Cannot read properties of undefined"),
    ),
    Harm(
        "first-pieces-have-no-type",
        "tools.first-piece-names-the-call",
        *("openai-node.chat", "responses", "only-a-call"),
        "Without the type openai-node's",
        _raised("OpenAIError", "missing `type`"),
    ),
    Harm(
        "calls-end-with-stop",
        "tools.only-calls-end-with-tool-calls",
        *("openai-python.chat", "responses", "only-a-call"),
        "the SDKs tell a call and stop",
        {**_called(("call_a1", CITY)), "ending": "stop"},
    ),
    Harm(
        "absent-arguments-stay-empty",
        "tools.absent-arguments-are-an-empty-object",
        *("openai-python.chat", "responses", "call-without-arguments"),
        "An empty string is no JSON",
        _raised("JSONDecodeError", "Expecting value"),
    ),
    Harm(
        "chat-arguments-stay-empty",
        "tools.absent-arguments-are-an-empty-object",
        *("openai-node.responses", "chat", "call-without-arguments"),
        "An empty string is no JSON",
        _raised("OpenAIError", "Unexpected end of JSON input"),
    ),
    # --- usage ---
    Harm(
        "usage-comes-before-the-finish",
        "usage.chunk-comes-last-when-asked",
        *("openai-python.chat", "responses", "text"),
        "openai-python's helper forgets",
        {"text": "Hello", "usage": None, "ending": "stop"},
    ),
    Harm(
        "truncated-turns-cost-nothing",
        "usage.survives-truncation",
        *("ai-sdk.openai-compatible", "responses", "length"),
        "free on paper",
        {"text": "Hello", "usage": None, "ending": "length"},
    ),
    Harm(
        "cached-tokens-are-lost",
        "usage.cached-and-reasoning-tokens-survive",
        *("openai-node.chat", "responses", "text"),
        "Cached input is billed at the full price",
        {"usage": Counts(100, 40, None, 12)},
    ),
    Harm(
        "messages-input-counts-the-cache-twice",
        "usage.cache-is-counted-once",
        *("anthropic-python.messages", "responses", "text"),
        "Cached input is billed twice",
        {"usage": Counts(130, 40, 30, 12)},
    ),
)
