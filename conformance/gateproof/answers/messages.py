"""Messages as a client reads it: blocks from their deltas, as the SDKs do, and errors from events that are called so."""

from __future__ import annotations

import json
from typing import Any

from gateproof.answers.absent import Missing, dig
from gateproof.answers.answer import BROKEN, COMPLETE, CUT, ERROR, Answer, Error, ToolCall, Usage
from gateproof.answers.chat import read_error
from gateproof.answers.document import parse
from gateproof.answers.sse import Event

ERROR_TYPES = (
    "invalid_request_error",
    "authentication_error",
    "billing_error",
    "permission_error",
    "not_found_error",
    "conflict_error",
    "request_too_large",
    "rate_limit_error",
    "timeout_error",
    "overloaded_error",
    "api_error",
)
"""The types that Anthropic documents, or its SDKs know."""

_FINISH = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}
_CACHE = ("cache_read_input_tokens", "cache_creation_input_tokens")


def read_usage(document: Any) -> Any:
    """Usage with inclusive totals, or MISSING: here input_tokens leaves out what was read from or written to a cache."""
    if not isinstance(document, dict):
        return Missing("usage")
    asked = dig(document, "input_tokens", path="usage.input_tokens")
    said = dig(document, "output_tokens", path="usage.output_tokens")
    cached = [document.get(key) or 0 for key in _CACHE]
    details = document.get("output_tokens_details")
    thought = details.get("thinking_tokens") if isinstance(details, dict) else None
    whole = _sum(asked, *cached)
    return Usage(input=whole, output=said, total=_sum(whole, said), cached=cached[0], reasoning=thought or 0)


def _sum(*counts: Any) -> Any:
    """The sum, or what is no number among the counts."""
    strange = [c for c in counts if not isinstance(c, int) or isinstance(c, bool)]
    return strange[0] if strange else sum(counts)


def read_finish(reason: Any) -> Any:
    """A stop_reason in no surface's words. A word of another API is none here: nobody reads Messages by it."""
    if not isinstance(reason, str) or not reason:
        return Missing("stop_reason")
    known = _FINISH.get(reason)
    return known or (f"stop_reason {reason}" if reason in _FINISH.values() else reason)


def read_body(answer: Answer) -> None:
    """Fill an answer from its JSON body."""
    body = answer.body
    if isinstance(body, dict) and (body.get("error") or body.get("type") == "error"):
        answer.outcome, answer.reason = BROKEN, "an error in the body of a 200, on which no SDK raises"
        answer.error = read_error(body, "in-band", answer.status)
        return
    if dig(body, "type") != "message":
        answer.outcome, answer.reason = BROKEN, "a 200 whose body is not a message"
        return
    answer.id, answer.model = dig(body, "id"), dig(body, "model")
    blocks = dig(body, "content")
    for index, block in enumerate(blocks if isinstance(blocks, list) else []):
        kind = dig(block, "type")
        if kind == "text":
            answer.text += _words(dig(block, "text"))
            citations = dig(block, "citations")
            for citation in citations if isinstance(citations, list) else []:
                answer.cites(dig(citation, "url"))
        elif kind == "thinking":
            answer.reasoning += _words(dig(block, "thinking"))
        elif kind == "tool_use":
            given = dig(block, "input", path="tool_use.input")
            arguments = given if isinstance(given, Missing) else json.dumps(given, ensure_ascii=False)
            answer.tool_calls.append(_call(block, arguments, index))
    answer.finish = read_finish(dig(body, "stop_reason"))
    answer.usage = read_usage(dig(body, "usage"))
    if isinstance(blocks, list) and answer.finish:
        answer.outcome = COMPLETE
    else:
        answer.outcome, answer.reason = BROKEN, "a 200 without content and a stop_reason"


def _call(block: Any, arguments: Any, index: Any) -> ToolCall:
    name, id = dig(block, "name", path="tool_use.name"), dig(block, "id", path="tool_use.id")
    names = (name,) if isinstance(name, str) else ()
    ids = (id,) if isinstance(id, str) else ()
    return ToolCall(name=name, arguments=arguments, id=id, index=index, names=names, ids=ids)


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


class BlockReader:
    """Events, one at a time; `answer` is what a client holds so far.

    What a block begins with is not read but for its name and id: a client that shows deltas as they come has nothing else.
    An error without its `event:` line is none: the Anthropic SDK for Python passes over it.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._blocks: dict[Any, tuple[Any, list[str]]] = {}
        self._counts: dict[str, Any] = {}

    def take(self, event: Event) -> None:
        answer = self.answer
        try:
            data = parse(event.data)
        except ValueError:
            answer.events.append(event.data)
            # [DONE] has no event line and is passed over.
            if event.data.strip() != "[DONE]" and not answer.outcome:
                answer.outcome, answer.reason = BROKEN, f"data is not JSON: {event.data[:80]!r}"
            return
        answer.events.append(event.data if isinstance(data, str) else data)
        kind = dig(data, "type")
        if event.name == "error":
            self._error(data)
        elif kind == "message_start":
            self._start(dig(data, "message"))
        elif kind == "content_block_start":
            block = dig(data, "content_block")
            if dig(block, "type") == "tool_use":
                self._blocks[_place(dig(data, "index"))] = (block, [])
                self._calls()
        elif kind == "content_block_delta":
            self._delta(_place(dig(data, "index")), dig(data, "delta"))
        elif kind == "message_delta":
            # What comes later counts, also where it takes a stop_reason back.
            answer.finish = read_finish(dig(data, "delta", "stop_reason"))
            self._count(dig(data, "usage"))
        elif kind == "message_stop":
            self._stop()

    def _start(self, message: Any) -> None:
        answer = self.answer
        answer.id, answer.model = answer.id or dig(message, "id"), answer.model or dig(message, "model")
        self._count(dig(message, "usage"))

    def _count(self, usage: Any) -> None:
        """Counts are sums since the beginning: each replaces the one before it, and null none."""
        if isinstance(usage, dict):
            self._counts.update({key: value for key, value in usage.items() if value is not None})
            self.answer.usage = read_usage(self._counts)

    def _delta(self, index: Any, delta: Any) -> None:
        kind = dig(delta, "type")
        if kind == "text_delta":
            self.answer.text += _words(dig(delta, "text"))
        elif kind == "thinking_delta":
            self.answer.reasoning += _words(dig(delta, "thinking"))
        elif kind == "citations_delta":
            self.answer.cites(dig(delta, "citation", "url"))
        elif kind == "input_json_delta" and index in self._blocks:
            self._blocks[index][1].append(_words(dig(delta, "partial_json")))
            self._calls()

    def _calls(self) -> None:
        # No delta at all is a call of no arguments.
        self.answer.tool_calls = [
            _call(block, "".join(pieces) or "{}", index) for index, (block, pieces) in self._blocks.items()
        ]

    def _error(self, data: Any) -> None:
        answer = self.answer
        if answer.outcome in (ERROR, BROKEN):
            return
        answer.outcome, answer.reason = ERROR, "an `error` event"
        source = dig(data, "error")
        answer.error = Error(
            where="in-band",
            status=answer.status,
            message=dig(source, "message", path="error.message"),
            code=dig(source, "code", path="error.code"),
            type=dig(source, "type", path="error.type"),
            raw=source,
        )

    def _stop(self) -> None:
        answer = self.answer
        answer.done = True
        if answer.finish and not answer.outcome:
            answer.outcome = COMPLETE

    def end(self) -> None:
        """The stream ended cleanly."""
        answer = self.answer
        if answer.outcome:
            return
        answer.outcome = CUT
        missing = "message_stop" if not answer.done else "stop_reason"
        answer.reason = f"the stream ended without a {missing}"


def _place(index: Any) -> Any:
    """An index as a key, for it may be anything."""
    return index if isinstance(index, int) else repr(index)[:40]
