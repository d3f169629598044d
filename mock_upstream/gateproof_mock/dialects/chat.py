"""The Chat Completions dialect, as OpenAI's API reference gives it, with the two habits everyone else added:
`reasoning_content` (DeepSeek, vLLM) and a chunk with a top-level `error` for a failure in mid-stream (OpenRouter)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateproof_mock.dialects.asked import Asked, new_id
from gateproof_mock.dialects.refusals import error_body, refusal, whole_json
from gateproof_mock.jsontext import dumps
from gateproof_mock.scripts import Script
from gateproof_mock.steps import Break, Head, Step, Wait, Write
from gateproof_mock.turns import (
    Cancelled,
    Comment,
    Cut,
    Element,
    ErrorEvent,
    Event,
    Failed,
    Hold,
    Incomplete,
    Interleaved,
    Reasoning,
    Refusal,
    Refused,
    Text,
    ToolCall,
    Unfinished,
    Usage,
)

_FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}


def render(script: Script, asked: Asked) -> Iterator[Step]:
    """The steps of one answer of a Chat Completions provider."""
    ending = script.ending
    streams = asked.stream or script.wire.unrequested_sse
    if streams and not isinstance(ending, Refused):
        yield from _Stream(script, asked).steps()
        return
    yield from (Wait(e.name) for e in script.turn if isinstance(e, Hold))
    if isinstance(ending, Refused):
        yield from refusal(ending, asked)
    elif isinstance(ending, Failed | ErrorEvent | Cancelled | Unfinished):
        yield from whole_json(_error(ending), ending.status if isinstance(ending, Failed) else 500)
    else:
        yield from whole_json(_document(script, asked), cut=ending if isinstance(ending, Cut) else None)


def usage_document(usage: Usage) -> dict[str, Any]:
    """CompletionUsage with both details objects."""
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {"cached_tokens": usage.cached, "audio_tokens": usage.audio_input},
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.audio_output,
            "accepted_prediction_tokens": usage.accepted_prediction,
            "rejected_prediction_tokens": usage.rejected_prediction,
        },
    }


def _error(ending: Failed | ErrorEvent | Cancelled | Unfinished) -> dict[str, Any]:
    if isinstance(ending, Failed | ErrorEvent):
        kind = ending.type if isinstance(ending, Failed) and ending.type else "server_error"
        return error_body(ending.message, kind, ending.code or None)
    if isinstance(ending, Unfinished):
        return error_body(f"The response is still {ending.status}.", "server_error", ending.status)
    return error_body("The request was cancelled.", "server_error", "cancelled")


def _finish(script: Script) -> str:
    ending = script.ending
    if isinstance(ending, Incomplete):
        return _FINISH.get(ending.reason, ending.reason)
    return "tool_calls" if any(isinstance(e, ToolCall | Interleaved) for e in script.turn) else "stop"


def _usage(script: Script) -> dict[str, Any]:
    return usage_document(next((e for e in script.turn if isinstance(e, Usage)), Usage()))


def _call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {
        "id": call.id or new_id("call"),
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _document(script: Script, asked: Asked) -> dict[str, Any]:
    words: dict[type[Element], list[str]] = {Text: [], Reasoning: [], Refusal: []}
    calls: list[dict[str, Any]] = []
    for element in script.turn:
        if isinstance(element, Text | Reasoning | Refusal):
            words[type(element)].extend(element.pieces)
        elif isinstance(element, ToolCall):
            calls.append(_call(element, "".join(element.arguments)))
        elif isinstance(element, Interleaved):
            calls.extend(_call(c, "".join(c.arguments)) for c in element.calls)
    message: dict[str, Any] = {
        "role": "assistant",
        "content": "".join(words[Text]) if words[Text] else None,
        "refusal": "".join(words[Refusal]) or None,
    }
    if words[Reasoning]:
        message["reasoning_content"] = "".join(words[Reasoning])
    if calls:
        message["tool_calls"] = calls
    return {
        "id": new_id("chatcmpl"),
        "object": "chat.completion",
        "created": asked.created,
        "model": asked.model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": _finish(script)}],
        "usage": _usage(script),
    }


class _Stream:
    """One stream of chunks. Without `include_usage` there is no usage in it, as the API says."""

    def __init__(self, script: Script, asked: Asked) -> None:
        self.script = script
        self.asked = asked
        self.id = new_id("chatcmpl")
        self.calls = 0

    def steps(self) -> Iterator[Step]:
        yield Head(200, {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"})
        if self.script.wire.preamble:
            yield self._delta(role="assistant", content="", refusal=None)
        for element in self.script.turn:
            yield from self._say(element)
        yield from self._end()

    def _chunk(self, choices: list[dict[str, Any]], **extra: Any) -> Write:
        chunk: dict[str, Any] = {
            "id": self.id,
            "object": "chat.completion.chunk",
            "created": self.asked.created,
            "model": self.asked.model,
            "choices": choices,
        }
        if self.asked.include_usage:
            chunk["usage"] = None
        return Write(b"data: " + dumps({**chunk, **extra}) + b"\n\n")

    def _delta(self, finish: str | None = None, **delta: Any) -> Write:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}])

    def _say(self, element: Element) -> Iterator[Step]:
        match element:
            case Text(pieces):
                yield from (self._delta(content=p) for p in pieces)
            case Reasoning(pieces):
                yield from (self._delta(reasoning_content=p) for p in pieces)
            case Refusal(pieces):
                yield from (self._delta(refusal=p) for p in pieces)
            case ToolCall():
                yield from self._tools((element,))
            case Interleaved(calls):
                yield from self._tools(calls)
            case Hold(name):
                yield Wait(name)
            case Comment(words):
                yield Write(f": {words}\n\n".encode())
            case Event(data):
                yield Write(b"data: " + dumps(data) + b"\n\n")
            case _:
                pass

    def _tools(self, calls: tuple[ToolCall, ...]) -> Iterator[Step]:
        first = self.calls
        self.calls += len(calls)
        for offset, call in enumerate(calls):
            yield self._delta(tool_calls=[{"index": first + offset, **_call(call, "")}])
        for turn in range(max((len(c.arguments) for c in calls), default=0)):
            for offset, call in enumerate(calls):
                if turn < len(call.arguments):
                    piece = {"index": first + offset, "function": {"arguments": call.arguments[turn]}}
                    yield self._delta(tool_calls=[piece])

    def _end(self) -> Iterator[Step]:
        ending = self.script.ending
        if isinstance(ending, Cut):
            if ending.how != "eof":
                yield Break(ending.how)
            return
        if isinstance(ending, Failed | ErrorEvent | Cancelled | Unfinished):
            yield self._chunk([], **_error(ending))
        else:
            if not self.script.wire.no_finish:
                yield self._delta(_finish(self.script))
            if self.asked.include_usage:
                yield self._chunk([], usage=_usage(self.script))
        if not self.script.wire.no_done:
            yield Write(b"data: [DONE]\n\n")
