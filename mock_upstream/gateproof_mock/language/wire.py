"""How a turn is put on the wire where that differs from the plainest way: one event, one write, LF, no surprises.

Each switch is one habit of a real provider, proxy or network, off by default, named after what it does. They act on event
streams; where an answer is one JSON document only `unrequested_sse`, `reasoning_key`, `ascii`, `head_delay` and the splits
act.

A script that uses an *unlawful* switch plays something that the dialect's own documents do not allow: what a plain relay
passes on is then no fault of the relay. What HTTP and the SSE standard leave open (line ends, comments, the size of a
write) is lawful.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

UNLAWFUL = {
    "arguments_in",
    "text_in",
    "terminal",
    "bare_terminal",
    "terminal_output",
    "usage_in",
    "no_finish",
    "no_done",
    "repeat_terminal",
    "unrequested_sse",
    "unnamed_events",
    "typeless_events",
    "sequence",
    "order",
    "null_deltas",
    "keep_open",
}
"""Switches whose every value but the default breaks the dialect's documents, save those in LAWFUL_VALUES."""

LAWFUL_VALUES = {"terminal_output": ("empty",)}

CHOICES: dict[str, tuple[str, ...]] = {
    "arguments_in": ("deltas", "arguments_done", "item_done", "terminal"),
    "text_in": ("deltas", "text_done", "item_done", "terminal"),
    "terminal_output": ("full", "partial", "empty"),
    "usage_in": ("documented", "event", "finish", "every", "start"),
    "sequence": ("counted", "missing", "repeated", "gaps"),
    "order": ("documented", "added_late", "done_early"),
    "line_end": ("lf", "crlf", "cr", "mixed"),
    "reasoning_key": ("reasoning_content", "reasoning"),
}
"""What a switch of words may say; the first word is the default."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Switches; the names are those of a script file's `wire:` block."""

    # --- which events there are ---------------------------------------------------------------

    preamble: bool = True
    """Responses: begin with created and in_progress; off: the first event is what the turn says (an instant failure).
    Chat Completions: begin with a chunk that has the role. Messages: off takes effect only before an error."""

    arguments_in: str = "deltas"
    """Where call arguments are said first: `deltas` (and on Responses again in every later event, as OpenAI does),
    `arguments_done` (only there and later: litellm#25321), `item_done` (only in the item and later: iii-hq/workers#1020),
    `terminal` (only in the terminal's output). Chat Completions and Messages: but for `deltas`, all in one piece with the
    call's name (Gemini's and Ollama's OpenAI surfaces; Messages: in the block's start)."""

    text_in: str = "deltas"
    """Responses: where text is said first: `deltas`, `text_done`, `item_done` or `terminal`, and in every later event; text
    that never came as a delta is what non-streaming backends behind a streaming front send (openclaw#136163). Chat
    Completions: but for `deltas`, as `message` of the last choice. Messages: in the block's start."""

    null_deltas: bool = False
    """A delta whose text is null comes before each real one (vLLM and Azure send `"content": null`; openai-python's
    stream helper fails on some)."""

    reasoning_key: str = "reasoning_content"
    """Chat Completions: the name of the reasoning field: DeepSeek's `reasoning_content`, or `reasoning` (OpenRouter, newer
    vLLM)."""

    terminal: str = ""
    """Responses: another type for the completed event, such as `response.done` (CLIProxyAPI#2089)."""

    bare_terminal: bool = False
    """Responses: the terminal event has no `response` object. Messages: message_delta has no `usage`
    (the Anthropic SDK's stream helper fails on it)."""

    terminal_output: str = "full"
    """Responses: the `output` of the terminal's response: `full`; `partial`: its first item alone; `empty`: [] though items
    were streamed (the Codex backend; metapi#174)."""

    repeat_terminal: bool = False
    """The terminal event (Chat Completions: the chunk with finish_reason, and `[DONE]`) comes twice (proxies that
    synthesise a terminal which then arrives; CLIProxyAPI)."""

    usage_in: str = "documented"
    """Where usage is told: `documented`; `event`: a key of Responses' terminal event, beside its response (sub2api);
    `finish`: in Chat Completions' chunk with finish_reason (Gemini, Groq's x_groq); `every`: in every chunk, growing
    (vLLM's continuous_usage_stats); `start`: in Messages' message_start alone, message_delta repeating zeros (Bedrock
    proxies). A dialect without the place tells it where documented."""

    no_finish: bool = False
    """Chat Completions: no chunk has a finish_reason (CLIProxyAPI#4860). Messages: message_delta has a null stop_reason."""

    no_done: bool = False
    """Chat Completions: the stream ends without `data: [DONE]`; harmless to every client measured. Messages: without
    message_stop."""

    done: bool = False
    """Responses and Messages: `data: [DONE]` is the last frame (Open Responses asks for it; OpenAI is reported not to)."""

    unrequested_sse: bool = False
    """A request for JSON is answered with an event stream (new-api#5230)."""

    sequence: str = "counted"
    """Responses: `sequence_number` is `counted`, `missing` (aimock, many gateways), `repeated` (every number twice), or has
    `gaps`."""

    order: str = "documented"
    """`added_late`: each item's, part's, call's or block's first event comes after the event that follows it;
    `done_early`: its last delta comes after its done event (rikkahub#855)."""

    # --- how an event is written --------------------------------------------------------------

    unnamed_events: bool = False
    """No `event:` lines. Harmless on Responses; the Anthropic SDK then sees no event at all."""

    typeless_events: bool = False
    """No `type` in the data, which is then said by the `event:` line alone (sub2api#2530)."""

    line_end: str = "lf"
    """`lf`, `crlf` (Azure, IIS), `cr`, or `mixed`: all three in turn, event by event. The SSE standard allows each."""

    no_space: bool = False
    """No space after the colon of a field (`data:{...}`: DashScope, Spring; term-llm#487 could not read it)."""

    data_lines: int = 1
    """Each event's JSON is spread over up to this many `data:` lines (pretty-printing servers)."""

    ascii: bool = False
    """Everything outside ASCII is written as `\\uXXXX` (Python's json default): U+2028, U+2029 and U+0085 escaped. Off,
    they are raw, which readers that split lines at them break on (httpx's iter_lines did)."""

    bom: bool = False
    """The stream begins with a byte order mark (.NET's StreamWriter; the Anthropic SDK then loses
    message_start)."""

    event_ids: bool = False
    """Every event has an `id:` line (Cloudflare, Spring; with it openai-python fails on a later blank line)."""

    retry: int = 0
    """Milliseconds: the stream begins with a block that has a `retry:` line alone (openai-python fails on it)."""

    opening_comment: str = ""
    """A comment before the first event (`: connected`, nginx modules and OpenRouter's `: OPENROUTER PROCESSING`)."""

    comments: str = ""
    """This comment between all events: proxies that ping on a clock."""

    # --- how bytes leave ----------------------------------------------------------------------

    split_every: int = 0
    """Writes of this many bytes at most; 1: every byte by itself. Networks do not know events."""

    split_at: tuple[int, ...] = ()
    """The body is cut at these offsets (bytes) also: within a UTF-8 character, between CR and LF, within `data`."""

    together: int = 1
    """Up to this many events share one write, and one chunk; 0: as many as come without a wait (nginx with buffering on)."""

    pace: float = 0.0
    """Seconds between two writes. With `split_every` it is a slow drip."""

    head_delay: float = 0.0
    """Seconds before the status line: a provider that thinks before it answers at all."""

    keep_open: bool = False
    """After the last event the connection stays open, with no last chunk, until the client leaves or a barrier's ceiling is
    reached (sub2api; Codex then waits five minutes after a failure)."""

    @property
    def lawful(self) -> bool:
        """Whether the dialect's documents allow every switch that is set."""
        default = Wire()
        changed = {f.name for f in fields(self) if getattr(self, f.name) != getattr(default, f.name)}
        return all(getattr(self, name) in LAWFUL_VALUES.get(name, ()) for name in changed & UNLAWFUL)
