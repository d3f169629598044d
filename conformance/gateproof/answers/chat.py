"""Chat Completions as a client reads it: chunks assembled by choice and tool index, as the SDKs do."""

from __future__ import annotations

from typing import Any

from gateproof.answers import usage
from gateproof.answers.absent import Missing, dig
from gateproof.answers.answer import BROKEN, COMPLETE, CUT, ERROR, Answer, Error, ToolCall
from gateproof.answers.document import parse
from gateproof.answers.sse import Event


def read_usage(document: Any) -> Any:
    """CompletionUsage, or MISSING."""
    return usage.read(document, "prompt_tokens", "completion_tokens")


def read_error(document: Any, where: str, status: int) -> Any:
    """An error envelope `{"error": {...}}`, or MISSING. An error that is no object has nothing but its `raw`."""
    error = dig(document, "error")
    if isinstance(error, Missing):
        return error
    return Error(
        where=where,
        status=status,
        message=dig(error, "message", path="error.message"),
        code=dig(error, "code", path="error.code"),
        type=dig(error, "type", path="error.type"),
        raw=error,
    )


def read_body(answer: Answer) -> None:
    """Fill an answer from its JSON body."""
    body = answer.body
    if isinstance(body, dict) and body.get("error"):
        answer.outcome, answer.reason = BROKEN, "an error in the body of a 200, on which no SDK raises"
        answer.error = read_error(body, "in-band", answer.status)
        return
    choice = dig(body, "choices", 0)
    message = dig(choice, "message", path="choices[0].message")
    answer.id, answer.model = dig(body, "id"), dig(body, "model")
    answer.text = _words(dig(message, "content"))
    answer.reasoning = _words(dig(message, "reasoning_content"))
    answer.refusal = _words(dig(message, "refusal"))
    _cite(answer, message)
    calls = dig(message, "tool_calls")
    for index, call in enumerate(calls if isinstance(calls, list) else []):
        answer.tool_calls.append(
            ToolCall(
                name=dig(call, "function", "name", path="tool_calls.function.name"),
                arguments=dig(call, "function", "arguments", path="tool_calls.function.arguments"),
                id=dig(call, "id", path="tool_calls.id"),
                index=index,
            )
        )
    answer.finish = dig(choice, "finish_reason", path="choices[0].finish_reason")
    answer.usage = read_usage(dig(body, "usage"))
    if isinstance(message, dict) and isinstance(answer.finish, str) and answer.finish:
        answer.outcome = COMPLETE
    else:
        answer.outcome, answer.reason = BROKEN, "a 200 without a message and a finish_reason"


def _cite(answer: Answer, message: Any) -> None:
    """Note the citations of a message or a delta."""
    annotations = dig(message, "annotations")
    for annotation in annotations if isinstance(annotations, list) else []:
        answer.cites(dig(annotation, "url_citation", "url"))


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def document_of(event: Event, answer: Answer) -> Any:
    """The event's JSON, noted in `answer.events`; None for what a client does not read as such, or no longer reads."""
    stopped = answer.done
    if event.data.strip() == "[DONE]":
        answer.done = True
        answer.events.append("[DONE]")
        return None
    try:
        document = parse(event.data)
    except ValueError:
        answer.events.append(event.data)
        if not stopped:
            answer.outcome = answer.outcome or BROKEN
            answer.reason = answer.reason or f"data is not JSON: {event.data[:80]!r}"
        return None
    # A string is kept as it came: "[DONE]" in quotes is not the sentinel.
    answer.events.append(event.data if isinstance(document, str) else document)
    return None if stopped else document


class ChunkReader:
    """Chunks, one event at a time; `answer` is what a client holds so far."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self._calls: dict[Any, dict[str, Any]] = {}

    def take(self, event: Event) -> None:
        answer = self.answer
        chunk = document_of(event, answer)
        if answer.done:
            self.end()
        if not isinstance(chunk, dict):
            return
        if chunk.get("error"):
            # Every SDK raises on it, whatever it is; its shape is another requirement's.
            answer.error = read_error(chunk, "in-band", answer.status)
            answer.outcome, answer.reason = ERROR, "" if answer.error.message else "an in-band error without a message"
            return
        if not answer.id and chunk.get("id"):
            answer.id, answer.model = chunk["id"], dig(chunk, "model")
        usage = chunk.get("usage")
        if isinstance(usage, dict):
            answer.usage = read_usage(usage)
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else []:
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                self._choice(choice)

    def _choice(self, choice: dict[str, Any]) -> None:
        answer = self.answer
        delta = choice.get("delta")
        if isinstance(delta, dict):
            answer.text += _words(delta.get("content"))
            answer.reasoning += _words(delta.get("reasoning_content"))
            answer.refusal += _words(delta.get("refusal"))
            _cite(answer, delta)
            calls = delta.get("tool_calls")
            for call in calls if isinstance(calls, list) else []:
                if isinstance(call, dict):
                    self._call(call)
        if choice.get("finish_reason") is not None and not answer.finish:
            answer.finish = choice["finish_reason"]

    def _call(self, call: dict[str, Any]) -> None:
        index = call.get("index")
        index = index if isinstance(index, int) else None
        held = self._calls.setdefault(index, {"names": [], "ids": [], "arguments": ""})
        function = call.get("function")
        if isinstance(call.get("id"), str) and call["id"]:
            held["ids"].append(call["id"])
        if isinstance(function, dict):
            if isinstance(function.get("name"), str) and function["name"]:
                held["names"].append(function["name"])
            arguments = function.get("arguments")
            if isinstance(arguments, str):
                held["arguments"] += arguments
        self.answer.tool_calls = [
            ToolCall(
                # SDKs append what comes: a name that is repeated in each delta grows (clients' harm: "get_xget_x").
                name="".join(h["names"]) or Missing("tool_calls.function.name"),
                arguments=h["arguments"],
                id=h["ids"][0] if h["ids"] else Missing("tool_calls.id"),
                index=i,
                names=tuple(h["names"]),
                ids=tuple(h["ids"]),
            )
            for i, h in self._calls.items()
        ]

    def end(self) -> None:
        """The stream ended cleanly, or came to its [DONE]."""
        answer = self.answer
        if answer.outcome:
            return
        if isinstance(answer.finish, str) and answer.finish:
            answer.outcome = COMPLETE
        else:
            answer.outcome = CUT
            answer.reason = "the stream ended without a finish_reason" + (", with only [DONE]" if answer.done else "")
