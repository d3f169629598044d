"""How a turn is put on the wire where that differs from what the provider documents.

Each switch is one habit of a real provider or proxy, off by default. A script that uses an *unlawful* one plays
something the dialect's own documents do not allow: what a plain relay passes on is then no fault of the relay. All are
unlawful but those in LAWFUL. Where an answer is one JSON document there are no events, and only `unrequested_sse` acts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

LAWFUL = {"preamble", "empty_output"}
ARGUMENTS_IN = ("deltas", "arguments_done", "item_done")


@dataclass(frozen=True, slots=True)
class Wire:
    """Switches; the names are those of a script file's `wire:` block."""

    preamble: bool = True
    """Responses: begin with created and in_progress. Off: the first event is what the turn says (an instant failure).
    Chat Completions: begin with a chunk that has the role."""

    arguments_in: str = "deltas"
    """Responses: where call arguments are streamed: `deltas` (and again in the done events, as OpenAI does),
    `arguments_done` (only there and later: litellm#25321) or `item_done` (only there: iii-hq/workers#1020)."""

    terminal: str = ""
    """Responses: another type for the completed event, such as `response.done` (CLIProxyAPI#2089)."""

    bare_terminal: bool = False
    """Responses: the terminal event has no `response` object."""

    empty_output: bool = False
    """Responses: the terminal's `output` is [] though items were streamed (the Codex backend; metapi#174)."""

    usage_at_event: bool = False
    """Responses: usage is a key of the terminal event, beside its response (sub2api)."""

    no_finish: bool = False
    """Chat Completions: no chunk has a finish_reason (CLIProxyAPI#4860)."""

    no_done: bool = False
    """Chat Completions: the stream ends without `data: [DONE]`. Harmless to every client measured."""

    unrequested_sse: bool = False
    """A request for JSON is answered with an event stream (new-api#5230)."""

    unnamed_events: bool = False
    """Responses: no `event:` lines."""

    @property
    def lawful(self) -> bool:
        """Whether the dialect's documents allow every switch that is set."""
        default = Wire()
        return all(f.name in LAWFUL or getattr(self, f.name) == getattr(default, f.name) for f in fields(self))
