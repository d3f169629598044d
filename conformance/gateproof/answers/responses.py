"""Responses as a client reads it: text from deltas, items from `output_item.done` and the terminal."""

from __future__ import annotations

from typing import Any

from gateproof.answers import usage
from gateproof.answers.absent import Missing, dig
from gateproof.answers.answer import BROKEN, COMPLETE, CUT, ERROR, Answer, Error, ToolCall
from gateproof.answers.chat import document_of, read_error
from gateproof.answers.sse import Event

TERMINALS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "response.done")
_FINISH = {"max_output_tokens": "length", "content_filter": "content_filter"}
_STATUS = {kind: kind.removeprefix("response.") for kind in TERMINALS if kind != "response.done"}
"""The status that goes with a terminal event; response.done may have any."""


def read_usage(document: Any) -> Any:
    """ResponseUsage, or MISSING."""
    return usage.read(document, "input_tokens", "output_tokens")


def read_body(answer: Answer) -> None:
    """Fill an answer from its JSON body."""
    body = answer.body
    if isinstance(body, dict) and body.get("error") and body.get("object") != "response":
        answer.outcome, answer.reason = BROKEN, "an error in the body of a 200, on which no SDK raises"
        answer.error = read_error(body, "in-band", answer.status)
        return
    if dig(body, "object") != "response":
        answer.outcome, answer.reason = BROKEN, "a 200 whose body is not a response object"
        return
    _settle(answer, body)
    _items(answer, dig(body, "output"))
    answer.text, answer.reasoning, answer.refusal = words_of(dig(body, "output"))
    for item in _list(dig(body, "output")):
        _cite(answer, item)


def words_of(output: Any) -> tuple[str, str, str]:
    """Text, reasoning and refusal of output items."""
    text = reasoning = refusal = ""
    for item in output if isinstance(output, list) else []:
        if dig(item, "type") == "message":
            for part in _list(dig(item, "content")):
                text += _words(dig(part, "text")) if dig(part, "type") == "output_text" else ""
                refusal += _words(dig(part, "refusal"))
        elif dig(item, "type") == "reasoning":
            for part in (*_list(dig(item, "summary")), *_list(dig(item, "content"))):
                reasoning += _words(dig(part, "text"))
    return text, reasoning, refusal


def _cite(answer: Answer, item: Any) -> None:
    """Note the citations of an output item."""
    for part in _list(dig(item, "content")):
        for annotation in _list(dig(part, "annotations")):
            answer.cites(dig(annotation, "url"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _words(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _items(answer: Answer, output: Any) -> None:
    answer.tool_calls = [
        ToolCall(
            name=dig(item, "name", path="function_call.name"),
            arguments=dig(item, "arguments", path="function_call.arguments"),
            id=dig(item, "call_id", path="function_call.call_id"),
            index=index,
        )
        for index, item in enumerate(_list(output))
        if dig(item, "type") == "function_call"
    ]


def _settle(answer: Answer, response: Any) -> None:
    """Outcome, finish, usage and error from a response object."""
    status = dig(response, "status", path="response.status")
    answer.id = dig(response, "id", path="response.id")
    answer.model = dig(response, "model", path="response.model")
    answer.usage = read_usage(dig(response, "usage"))
    if status == "completed":
        answer.outcome, answer.finish = COMPLETE, _finish_of(response)
    elif status == "incomplete":
        reason = dig(response, "incomplete_details", "reason")
        answer.outcome = COMPLETE
        answer.finish = _FINISH.get(reason, reason) if isinstance(reason, str) else reason
    elif status in ("failed", "cancelled"):
        answer.outcome, answer.reason = ERROR, f"status {status}"
        answer.error = _failure(response, answer.status)
    elif not status and isinstance(dig(response, "output"), list) and not dig(response, "error"):
        # OpenAI's schema does not require `status`, and clients take such a body for a finished turn; that it is missing
        # is the schema requirement's business.
        answer.outcome, answer.finish = COMPLETE, _finish_of(response)
    else:
        answer.outcome, answer.reason = BROKEN, f"status {status!r} is no end of a turn"[:160]


def _finish_of(response: Any) -> str:
    calls = any(dig(item, "type") == "function_call" for item in _list(dig(response, "output")))
    return "tool_calls" if calls else "stop"


def _failure(response: Any, status: int) -> Error:
    return Error(
        where="in-band",
        status=status,
        message=dig(response, "error", "message", path="response.error.message"),
        code=dig(response, "error", "code", path="response.error.code"),
        type=Missing("response.error.type"),
        raw=dig(response, "error", path="response.error"),
    )


class EventCollector:
    """Events, one at a time; `answer` is what a client holds so far.

    `terminals`: types of the terminal events that came. A lone `error` event is an error too, though Codex ignores it.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.terminals: list[str] = []
        self._done: list[tuple[int, Any]] = []

    def take(self, event: Event) -> None:
        answer = self.answer
        data = document_of(event, answer)
        if answer.done:
            self.end()
        kind = dig(data, "type")
        if kind == "response.created":
            answer.id = dig(data, "response", "id")
        elif kind == "response.output_text.delta":
            answer.text += _words(dig(data, "delta"))
        elif kind == "response.refusal.delta":
            answer.refusal += _words(dig(data, "delta"))
        elif kind in (
            "response.reasoning_summary_text.delta",
            "response.reasoning_text.delta",
            "response.reasoning.delta",
        ):
            answer.reasoning += _words(dig(data, "delta"))
        elif kind == "response.output_text.annotation.added":
            answer.cites(dig(data, "annotation", "url"))
        elif kind == "response.output_item.done":
            # All that came, also twice at one index: Codex runs every call that is done.
            index = dig(data, "output_index")
            _cite(answer, dig(data, "item"))
            self._done.append((index if isinstance(index, int) else len(self._done), dig(data, "item")))
            _items(answer, [item for _, item in sorted(self._done, key=lambda done: done[0])])
        elif kind in TERMINALS:
            self._terminal(str(kind), data)
        elif kind == "error" and not self.terminals:
            self._error_event(data)

    def _terminal(self, kind: str, data: Any) -> None:
        answer = self.answer
        self.terminals.append(kind)
        if len(self.terminals) > 1:
            return
        response = dig(data, "response")
        created = answer.id
        if isinstance(response, dict):
            # Clients go by the event: Codex takes a failed response in response.completed for an empty success.
            told, wanted = dig(response, "status"), _STATUS.get(kind, "")
            _settle(answer, response if told else {**response, "status": wanted or "completed"})
            if wanted and told and told != wanted:
                answer.outcome, answer.reason = BROKEN, f"{kind} whose response has status {told!r}"[:160]
            usage_beside = dig(data, "usage")
            if not answer.usage and isinstance(usage_beside, dict):
                answer.usage = read_usage(usage_beside)
            if answer.finish == "stop" and answer.tool_calls:
                answer.finish = "tool_calls"
        elif kind in ("response.completed", "response.done"):
            # Codex reads on and asks again, openai-python's .stream() raises.
            answer.outcome, answer.reason = BROKEN, f"{kind} without a response"
        else:
            answer.outcome, answer.error = ERROR, _failure(response, answer.status)
        answer.id = answer.id or created

    def _error_event(self, data: Any) -> None:
        nested = dig(data, "error")
        source = nested if isinstance(nested, dict) else data
        self.answer.outcome, self.answer.reason = ERROR, "an `error` event"
        self.answer.error = Error(
            where="in-band",
            status=self.answer.status,
            message=dig(source, "message", path="error.message"),
            code=dig(source, "code", path="error.code"),
            type=dig(source, "type", path="error.type"),
            raw=source,
        )

    def end(self) -> None:
        """The stream ended cleanly, or came to its [DONE]."""
        if not self.answer.outcome:
            self.answer.outcome = CUT
            self.answer.reason = "the stream ended without a terminal event"
