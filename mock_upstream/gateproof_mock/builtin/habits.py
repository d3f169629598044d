"""One for every switch of `wire.py` with every value but its default: the same kind of answer, put on the wire otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateproof_mock.builtin.dice import Dice
from gateproof_mock.builtin.registry import register
from gateproof_mock.builtin.said import answer, weather
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import Element, failed, next_message, reasoning, text, usage
from gateproof_mock.language.wire import Wire

# Name: the switches, and what they play.
_HABITS: dict[str, tuple[dict[str, Any], str]] = {
    "no-preamble": ({"preamble": False}, "No created and in_progress events, no first chunk with the role."),
    "arguments-in-arguments-done": (
        {"arguments_in": "arguments_done"},
        "Call arguments only from their done event on (litellm#25321); in one piece with the name elsewhere.",
    ),
    "arguments-in-item-done": (
        {"arguments_in": "item_done"},
        "Call arguments only from the item's done event on (iii-hq/workers#1020).",
    ),
    "arguments-in-terminal": ({"arguments_in": "terminal"}, "Call arguments only in the terminal's output."),
    "text-in-text-done": (
        {"text_in": "text_done"},
        "Text only from its done event on: non-streaming backends behind a streaming front.",
    ),
    "text-in-item-done": ({"text_in": "item_done"}, "Text only from the item's done event on (openclaw#136163)."),
    "text-in-terminal": ({"text_in": "terminal"}, "Text only in the terminal's output (openclaw#136163)."),
    "null-deltas": (
        {"null_deltas": True},
        "A delta whose text is null before each real one (vLLM's and Azure's `\"content\": null`).",
    ),
    "reasoning-key-reasoning": (
        {"reasoning_key": "reasoning"},
        "Reasoning as `reasoning` on Chat Completions (OpenRouter, newer vLLM).",
    ),
    "terminal-response-done": (
        {"terminal": "response.done"},
        "The terminal event is `response.done` (CLIProxyAPI#2089).",
    ),
    "bare-terminal": ({"bare_terminal": True}, "The terminal event has no `response`; message_delta has no `usage`."),
    "terminal-output-partial": ({"terminal_output": "partial"}, "The terminal's output is its first item alone."),
    "terminal-output-empty": (
        {"terminal_output": "empty"},
        "The terminal's output is [] though items were streamed (the Codex backend; metapi#174).",
    ),
    "repeat-terminal": (
        {"repeat_terminal": True},
        "The terminal event comes twice: proxies that make up one which then arrives (CLIProxyAPI).",
    ),
    "usage-in-event": ({"usage_in": "event"}, "Usage beside the terminal event's response (sub2api)."),
    "usage-in-finish": ({"usage_in": "finish"}, "Usage in the chunk with finish_reason (Gemini, Groq)."),
    "usage-in-every": ({"usage_in": "every"}, "Usage in every chunk, growing (vLLM's continuous_usage_stats)."),
    "usage-in-start": (
        {"usage_in": "start"},
        "Usage in message_start alone, and zeros in message_delta (Bedrock proxies).",
    ),
    "no-finish": (
        {"no_finish": True},
        "No chunk has a finish_reason (CLIProxyAPI#4860); message_delta has a null stop_reason.",
    ),
    "no-done": ({"no_done": True}, "No `data: [DONE]`; no message_stop."),
    "done": ({"done": True}, "`data: [DONE]` at the end on Responses and Messages too, as Open Responses asks."),
    "unrequested-sse": (
        {"unrequested_sse": True},
        "A request for JSON is answered with an event stream (new-api#5230).",
    ),
    "sequence-missing": ({"sequence": "missing"}, "No sequence_number (aimock, many gateways)."),
    "sequence-repeated": ({"sequence": "repeated"}, "Every sequence_number comes twice."),
    "sequence-gaps": ({"sequence": "gaps"}, "Gaps in sequence_number, as after events that a proxy left out."),
    "order-added-late": (
        {"order": "added_late"},
        "Each item's and part's first event comes after the one that follows it.",
    ),
    "order-done-early": ({"order": "done_early"}, "Each last delta comes after its done event (rikkahub#855)."),
    "unnamed-events": ({"unnamed_events": True}, "No `event:` lines; the Anthropic SDK then sees no event at all."),
    "typeless-events": ({"typeless_events": True}, "No `type` in the data, only in the `event:` line (sub2api#2530)."),
    "line-end-crlf": ({"line_end": "crlf"}, "Lines end in CR LF (Azure, IIS)."),
    "line-end-cr": ({"line_end": "cr"}, "Lines end in CR, which the SSE standard allows."),
    "line-end-mixed": ({"line_end": "mixed"}, "Lines end in LF, CR LF and CR in turn, which the SSE standard allows."),
    "no-space": ({"no_space": True}, "No space after a field's colon (DashScope, Spring; term-llm#487)."),
    "data-lines": ({"data_lines": 3}, "Each event's JSON over three `data:` lines (pretty-printing servers)."),
    "ascii": ({"ascii": True}, "Everything outside ASCII escaped, as Python's json does by default."),
    "bom": (
        {"bom": True},
        "A byte order mark at the beginning (.NET's StreamWriter; the Anthropic SDK loses message_start).",
    ),
    "event-ids": ({"event_ids": True}, "An `id:` line in every event (Cloudflare, Spring)."),
    "retry": ({"retry": 3000}, "A block with a `retry:` line alone at the beginning (openai-python fails on it)."),
    "opening-comment": (
        {"opening_comment": "connected"},
        "A comment before the first event (nginx modules, OpenRouter).",
    ),
    "comments": ({"comments": "keepalive"}, "A comment between all events: proxies that ping on a clock."),
    "split-every-1": ({"split_every": 1}, "Every byte in a write of its own: networks do not know events."),
    "split-every-7": ({"split_every": 7}, "Writes of seven bytes, which no event's length is a multiple of for long."),
    "split-at": (
        {"split_at": tuple(range(1, 40))},
        "The first 39 bytes one by one: within `event`, between the fields, within the first name.",
    ),
    "together": ({"together": 3}, "Three events to a write."),
    "together-all": ({"together": 0}, "All events in one write (nginx with buffering on)."),
    "pace": ({"pace": 0.01}, "10 ms between two writes."),
    "slow-drip": ({"split_every": 64, "pace": 0.002}, "64 bytes every 2 ms: a slow network, events broken anywhere."),
    "head-delay": (
        {"head_delay": 0.05},
        "50 ms before the status line: a provider that thinks before it answers at all.",
    ),
    "keep-open": (
        {"keep_open": True},
        "The connection stays open after the last event (sub2api; Codex waits five minutes after a failure).",
    ),
    "spring": (
        {"no_space": True, "event_ids": True, "opening_comment": "connected"},
        "No space, ids and an opening comment, all at once: Spring's SseEmitter.",
    ),
    "azure": ({"line_end": "crlf", "null_deltas": True}, "CR LF and null deltas, as Azure's front sends."),
    "dotnet": (
        {"bom": True, "line_end": "crlf", "split_at": (1, 2)},
        "A byte order mark, its bytes apart, and CR LF: a .NET server.",
    ),
    "synthesised-terminal": (
        {"repeat_terminal": True, "sequence": "repeated", "terminal_output": "empty"},
        "A terminal made up by a proxy, and then the real one: twice, empty, and with numbers that were there before.",
    ),
}


def _with(**switches: Any) -> Callable[[Dice], Script]:
    wire = Wire(**switches)

    def make(dice: Dice) -> Script:
        # Something outside ASCII, for whatever happens to bytes; two messages, for whatever happens to items.
        wide = text(*dice.pieces(f"Grüße aus 東京 🙂\u2028 {dice.words(1, 3)}"))
        *said, counts = answer(dice).turn
        return script(*said, next_message(), wide, counts, wire=wire)

    return make


for _name, (_switches, _doc) in _HABITS.items():
    register(_name, _with(**_switches), _doc)


def _fails(**switches: Any) -> Callable[[Dice], Script]:
    def make(dice: Dice) -> Script:
        said: tuple[Element, ...] = (text(*dice.pieces(dice.sentence())),) if not switches.get("instant") else ()
        return script(*said, failed(), wire=Wire(**{k: v for k, v in switches.items() if k != "instant"}))

    return make


register("failed-instant", _fails(instant=True, preamble=False), "A failure as the first and only event of the stream.")
register(
    "failed-keep-open",
    _fails(keep_open=True),
    "A failure, and the connection stays open (sub2api; Codex waits for its end).",
)
register("failed-no-done", _fails(no_done=True), "A failure without `data: [DONE]` after it.")
register(
    "failed-crlf-split", _fails(line_end="crlf", split_every=1), "A failure whose CR and LF come in different reads."
)


def _reasoned(dice: Dice) -> Script:
    words = dice.pieces(dice.sentence())
    return script(reasoning(full=words), weather(dice), usage(20, 9, reasoning=4), wire=Wire(reasoning_key="reasoning"))


register("openrouter", _reasoned, "Reasoning as `reasoning`, then a call, as OpenRouter relays open-weight models.")
