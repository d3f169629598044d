"""An answer, in no surface's words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateproof.answers.absent import Missing

COMPLETE = "complete"
"""The turn came to an end that its surface calls a success (also a truncated one)."""
ERROR = "error"
"""An error by HTTP status, or in-band in the surface's own shape."""
ABORTED = "aborted"
"""The transfer broke: reset, or a body without its last chunk. Every client errors on it: an honest failure."""
CUT = "cut"
"""The stream ended cleanly with no terminal event: what clients take for success or retry for ever."""
BROKEN = "broken"
"""Not readable: bad HTTP, bad JSON, bad SSE, too long."""
HUNG = "hung"
"""No answer, or no end of it, within the ceiling."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call as a client assembles it. `names` and `ids` are all that came, in order: one each from a good gateway.

    `arguments` is JSON text, also where the surface has an object in its place.
    """

    name: Any
    arguments: Any
    id: Any
    index: Any = None
    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts in Responses' words: totals hold the details. One that is absent is 0: they are equal on chat."""

    input: Any
    output: Any
    total: Any
    cached: Any = 0
    reasoning: Any = 0
    audio_input: Any = 0
    audio_output: Any = 0
    accepted_prediction: Any = 0
    rejected_prediction: Any = 0


@dataclass(frozen=True, slots=True)
class Error:
    """An error. `where`: `http` or `in-band`. `raw`: the error object."""

    where: str
    status: int
    message: Any
    code: Any
    type: Any
    raw: Any = None


@dataclass(slots=True)
class Answer:
    """What a client makes of its leg. What the gateway left out is MISSING; `reason` says why an outcome is not complete.

    `finish`: `stop`, `tool_calls`, `length`, `content_filter`, or the surface's own word when it is none of these.
    `cited`: the addresses of the pages that the text cites, each once, in order. `events`: the data of each event: a JSON
    document, "[DONE]", or the text that was neither. `done`: whether `[DONE]` came; what came after it is in `events` only,
    for most clients stop there. On Messages, whether message_stop came.
    """

    outcome: str
    reason: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    id: Any = field(default_factory=lambda: Missing("id"))
    model: Any = field(default_factory=lambda: Missing("model"))
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    cited: list[str] = field(default_factory=list)
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish: Any = field(default_factory=lambda: Missing("finish"))
    usage: Any = field(default_factory=lambda: Missing("usage"))
    error: Any = field(default_factory=lambda: Missing("error"))
    body: Any = field(default_factory=lambda: Missing("body"))
    events: list[Any] = field(default_factory=list)
    done: bool = False

    @property
    def failed(self) -> bool:
        """Whether every client is told that the turn failed: an error, or a transfer that broke."""
        return self.outcome in (ERROR, ABORTED)

    def cites(self, url: Any) -> None:
        """Note a cited page."""
        if isinstance(url, str) and url not in self.cited:
            self.cited.append(url)

    @property
    def calls(self) -> list[tuple[Any, Any]]:
        """Name and arguments of each call."""
        return [(c.name, c.arguments) for c in self.tool_calls]

    def __repr__(self) -> str:
        shown = [self.outcome if not self.reason else f"{self.outcome} ({self.reason})", f"HTTP {self.status}"]
        if self.text:
            shown.append(f"text {self.text[:60]!r}")
        if self.tool_calls:
            shown.append(f"calls {self.calls!r}"[:120])
        if self.finish:
            shown.append(f"finish {self.finish!r}"[:80])
        if self.error:
            code, message = repr(self.error.code)[:80], str(self.error.message)[:100]
            shown.append(f"{self.error.where} error code {code}, message {message!r}")
        return f"<answer: {', '.join(shown)}>"
