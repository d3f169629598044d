"""The clients, and what each of them makes of each ending: its documented behaviour, as measured with the pinned versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

DIALECTS = ("responses", "chat", "messages")
"""What the upstream speaks."""


class Retries(NamedTuple):
    """How often a client may ask again. The SDKs know but `request`; Codex begins a turn anew `stream` times."""

    request: int = 0
    stream: int = 0


NO_RETRIES = Retries()

SDK_RETRIES = Retries(2)
"""The SDKs' default: a refusal with 408, 409, 429 or 5xx is asked three times; a failure in the stream never again."""

CODEX_RETRIES = Retries(4, 5)
"""Codex's default: a broken stream, and a 429 that says when, are asked 6 times; a 5xx 5 times in each of 6 turns."""


@dataclass(frozen=True)
class End:
    """How a client reports an ending: its `word`, or the class of the error that it raises, with the HTTP `status`.

    `counted`: usage comes with it. `tells`: the upstream's message does. `again`: which of its retries the client uses up for
    it; several multiply.
    """

    word: str
    status: int | None = None
    counted: bool = False
    tells: bool = True
    again: tuple[str, ...] = ()

    def requests(self, retries: Retries) -> int:
        """How often a client asks that may retry so often."""
        return prod(1 + getattr(retries, kind) for kind in self.again)


@dataclass(frozen=True)
class Client:
    """A client on one surface. `reasoning`: it shows the model's reasoning."""

    name: str
    endings: Mapping[str, End]
    reasoning: bool = True


def _said(word: str) -> End:
    return End(word, counted=True)


_OPENAI_STATUSES = {
    "limited": End("RateLimitError", 429, again=("request",)),
    "broken": End("InternalServerError", 500, again=("request",)),
    "too-long": End("BadRequestError", 400),
}
_OPENAI_CHAT = {
    **_OPENAI_STATUSES,
    "whole": _said("stop"),
    "calls": _said("tool_calls"),
    # The helpers raise for a cut answer, and keep what it cost for themselves.
    "length": End("LengthFinishReasonError"),
    "filtered": End("ContentFilterFinishReasonError"),
    "failed": End("APIError"),
    "cut": End("APIError"),
}
_ANTHROPIC = {
    **_OPENAI_STATUSES,
    "whole": _said("end_turn"),
    "calls": _said("tool_use"),
    "length": _said("max_tokens"),
    "filtered": _said("refusal"),
}
_AI_SDK = {
    "whole": _said("stop"),
    "calls": _said("tool-calls"),
    "length": _said("length"),
    "filtered": _said("content-filter"),
    "limited": End("APICallError", 429, again=("request",)),
    "broken": End("APICallError", 500, again=("request",)),
    "too-long": End("APICallError", 400),
    # An error part, whose value is no error of the SDK's: the driver throws it.
    "failed": End("StreamedError"),
    "cut": End("StreamedError"),
}

PYTHON = (
    Client("openai-python.chat", _OPENAI_CHAT),
    Client(
        "openai-python.responses",
        {
            **_OPENAI_STATUSES,
            "whole": _said("completed"),
            "calls": _said("completed"),
            # The helper raises for whatever is not response.completed; the cause is in its events.
            **dict.fromkeys(("length", "filtered", "failed", "cut"), End("RuntimeError")),
        },
    ),
    Client(
        "anthropic-python.messages",
        {**_ANTHROPIC, "failed": End("APIStatusError", 200), "cut": End("APIStatusError", 200)},
    ),
)
NODE = (
    # The helper keeps the last piece of a field that it does not know, such as reasoning_content.
    Client("openai-node.chat", _OPENAI_CHAT, reasoning=False),
    Client(
        "openai-node.responses",
        {
            **_OPENAI_STATUSES,
            "whole": _said("completed"),
            "calls": _said("completed"),
            "length": _said("incomplete: max_output_tokens"),
            "filtered": _said("incomplete: content_filter"),
            # The helper resolves with the failed response.
            "failed": End("failed"),
            "cut": End("failed"),
        },
    ),
    Client("anthropic-node.messages", {**_ANTHROPIC, "failed": End("APIError"), "cut": End("APIError")}),
    Client("ai-sdk.openai", _AI_SDK),
    Client("ai-sdk.openai-chat", _AI_SDK, reasoning=False),
    Client("ai-sdk.openai-compatible", _AI_SDK),
    Client("ai-sdk.anthropic", _AI_SDK),
)
CODEX = Client(
    "codex",
    {
        "whole": _said("turn.completed"),
        "calls": _said("turn.completed"),
        "length": End("turn.failed"),
        "filtered": End("turn.failed", again=("stream",)),
        "limited": End("turn.failed", tells=False, again=("stream",)),
        "broken": End("turn.failed", tells=False, again=("request", "stream")),
        "too-long": End("turn.failed", tells=False),
        "failed": End("turn.failed", again=("stream",)),
        "cut": End("turn.failed", again=("stream",)),
    },
)
