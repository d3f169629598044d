"""The turns that every client is to read, and what each of them says."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace

from told import Call, Counts, Json

from gateproof_mock import (
    Script,
    cut,
    failed,
    incomplete,
    reasoning,
    refused,
    script,
    text,
    tool_call,
    usage,
)
from gateproof_mock.language.turns import ToolCall

COUNTS = Counts(input=100, output=40, cached=30, reasoning=12)
USAGE = usage(100, 40, cached=30, reasoning=12)
DONE = script(text("Done."), USAGE)
"""What the model says when the results of its calls come back."""


@dataclass(frozen=True)
class Turn:
    """What the upstream says to the first request, the second and so on, and what that is to its reader.

    `ending` is one of: whole, calls, length, filtered, limited (429), broken (500), too-long (400), failed (in the stream,
    after text), cut (the connection to the upstream breaks). `message` is the upstream's word for a failure.
    """

    scripts: tuple[Script, ...]
    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    ending: str = "whole"
    message: str = ""

    @property
    def counts(self) -> Counts | None:
        """What the turn cost; None when that is never told."""
        return COUNTS if self.ending in ("whole", "calls", "length", "filtered") else None


def refusing(status: int, message: str, type: str, retry_after: str) -> Script:
    """An HTTP error. RFC 9110 has whole seconds, and Codex asks again after a 429 for no others; the SDKs take fractions."""
    return script(refused(status, {"error": {"message": message, "type": type}}, retry_after=retry_after))


def after(refusal: Turn, turn: Turn) -> Turn:
    """The turn, for whoever asks again after a refusal."""
    return replace(turn, scripts=(*refusal.scripts, *turn.scripts))


def turns(tool: str, *arguments: Json, retry_after: str) -> dict[str, Turn]:
    """All turns, by name. `tool` is what the turns with calls call, with each of these two arguments."""
    one, two = (Call(id, tool, value) for id, value in zip(("call_a1", "call_b2"), arguments, strict=True))
    awkward = 'Zeile\u2028zwei\u0085 "drei" \\n \U0001f327\ndata: [DONE]\n\n'
    return {
        "text": Turn((script(text("Hel", "lo"), USAGE),), "Hello"),
        "awkward-text": Turn((script(text(*awkward), USAGE),), awkward),
        "reasoning": Turn(
            (script(reasoning("Let me ", "think."), text("Hel", "lo"), USAGE),), "Hello", reasoning="Let me think."
        ),
        "two-calls": Turn(
            (script(text("Both."), _said(one), _said(two), USAGE), DONE), "Both.", calls=(one, two), ending="calls"
        ),
        "only-a-call": Turn((script(_said(one), USAGE), DONE), calls=(one,), ending="calls"),
        "length": Turn((script(text("Hel", "lo"), USAGE, incomplete("max_output_tokens")),), "Hello", ending="length"),
        "filtered": Turn((script(text("Hel", "lo"), USAGE, incomplete("content_filter")),), "Hello", ending="filtered"),
        "limited": Turn(
            (refusing(429, "Slow down.", "rate_limit_error", retry_after),), ending="limited", message="Slow down."
        ),
        "broken": Turn(
            (refusing(500, "It fell over.", "server_error", retry_after),), ending="broken", message="It fell over."
        ),
        "too-long": Turn(
            (script(failed("context_length_exceeded", "It is too long.", status=400)),),
            ending="too-long",
            message="It is too long.",
        ),
        "failed": Turn(
            (script(text("Hel", "lo"), failed("server_error", "It fell over.")),),
            "Hello",
            ending="failed",
            message="It fell over.",
        ),
        "cut": Turn((script(text("Hel", "lo"), cut("fin")),), "Hello", ending="cut"),
    }


def _said(call: Call) -> ToolCall:
    """The call with its arguments in pieces of three characters, which no JSON reader can take one by one."""
    written = json.dumps(call.arguments, ensure_ascii=False)
    return tool_call(call.name, *(written[i : i + 3] for i in range(0, len(written), 3)), id=call.id)
