"""The Responses dialect, as OpenAI's API reference gives it (58 events; `sequence_number` on every one)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateproof_mock.dialects.asked import Asked, new_id
from gateproof_mock.dialects.refusals import error_body, refusal, whole_json
from gateproof_mock.jsontext import dumps
from gateproof_mock.scripts import Script
from gateproof_mock.steps import Break, Head, Step, Wait, Write
from gateproof_mock.turns import (
    Cancelled,
    Comment,
    Completed,
    Cut,
    Element,
    ErrorEvent,
    Event,
    Failed,
    Hold,
    Incomplete,
    Interleaved,
    NextMessage,
    Reasoning,
    Refusal,
    Refused,
    Text,
    ToolCall,
    Unfinished,
    Usage,
    WebSearch,
)


def render(script: Script, asked: Asked) -> Iterator[Step]:
    """The steps of one answer of a Responses provider."""
    ending = script.ending
    if asked.kind == "turn" and (asked.stream or script.wire.unrequested_sse) and not isinstance(ending, Refused):
        yield from _Stream(script, asked).steps()
        return
    yield from (Wait(e.name) for e in script.turn if isinstance(e, Hold))
    cut = ending if isinstance(ending, Cut) else None
    if isinstance(ending, Refused):
        yield from refusal(ending, asked)
    elif asked.kind == "compact":
        if isinstance(ending, Failed | ErrorEvent):
            status = ending.status if isinstance(ending, Failed) else 500
            yield from whole_json(error_body(ending.message, "server_error", ending.code or None), status)
        else:
            yield from whole_json(_compaction(script, asked), cut=cut)
    elif asked.kind == "subpath":
        yield from whole_json({"object": "gateproof.subpath", "stream": asked.body.get("stream")}, cut=cut)
    else:
        yield from whole_json(_document(script, asked), cut=cut)


def usage_document(usage: Usage) -> dict[str, Any]:
    """ResponseUsage. The audio and prediction counts stand in the details only when there are any."""
    return {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": 0,
            **({"audio_tokens": usage.audio_input} if usage.audio_input else {}),
        },
        "output_tokens": usage.output,
        "output_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            **({"audio_tokens": usage.audio_output} if usage.audio_output else {}),
            **({"accepted_prediction_tokens": usage.accepted_prediction} if usage.accepted_prediction else {}),
            **({"rejected_prediction_tokens": usage.rejected_prediction} if usage.rejected_prediction else {}),
        },
        "total_tokens": usage.total,
    }


def response_object(asked: Asked, response_id: str, status: str) -> dict[str, Any]:
    """A Response object with every key that OpenAI's schema requires, echoing the request where the provider does."""
    body = asked.body
    return {
        "id": response_id,
        "object": "response",
        "created_at": asked.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": body.get("instructions"),
        "metadata": body.get("metadata") or {},
        "model": asked.model,
        "output": [],
        "parallel_tool_calls": body.get("parallel_tool_calls", True) is not False,
        "temperature": body.get("temperature", 1.0),
        "tool_choice": body.get("tool_choice") or "auto",
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "usage": None,
    }


_COUNTED = ("completed", "incomplete")
_BROKEN_OFF = (Incomplete, Failed, ErrorEvent, Cancelled)
_ENDED = {Completed: "completed", Incomplete: "incomplete", Failed: "failed", Cancelled: "cancelled"}


def ended(response: dict[str, Any], script: Script, output: list[dict[str, Any]]) -> dict[str, Any]:
    """The response as its ending leaves it. Failed and cancelled turns have no usage, as in OpenAI's example.

    A cut turn would have been completed, had it been sent whole.
    """
    ending = script.ending or Completed()
    if isinstance(ending, Cut):
        ending = Completed()
    status = ending.status if isinstance(ending, Unfinished) else _ENDED.get(type(ending), "failed")
    out = {**response, "status": status, "output": output}
    if status in _COUNTED:
        out["usage"] = usage_document(_usage(script))
    if isinstance(ending, Incomplete):
        out["incomplete_details"] = {"reason": ending.reason}
    if isinstance(ending, Failed | ErrorEvent):
        out["error"] = {"code": ending.code, "message": ending.message}
    return out


def _usage(script: Script) -> Usage:
    return next((e for e in script.turn if isinstance(e, Usage)), Usage())


def _last_status(script: Script) -> str:
    """The status of the last item, if it is a message or a call: whatever broke the turn off broke that item off."""
    if isinstance(script.ending, Unfinished):
        return "in_progress"
    return "incomplete" if isinstance(script.ending, _BROKEN_OFF) else "completed"


# --- JSON -----------------------------------------------------------------------------------------


def _document(script: Script, asked: Asked) -> dict[str, Any]:
    output: list[dict[str, Any]] = []
    message: dict[str, Any] | None = None
    for element in script.turn:
        match element:
            case Text(pieces) | Refusal(pieces):
                if message is None:
                    message = _message(new_id("msg"), "completed")
                    output.append(message)
                _add_part(message["content"], element, "".join(pieces))
            case Reasoning(pieces):
                output.append(_reasoning(new_id("rs"), pieces))
                message = None
            case ToolCall():
                output.append(_call(element, new_id("fc"), "completed", "".join(element.arguments)))
                message = None
            case Interleaved(calls):
                output.extend(_call(c, new_id("fc"), "completed", "".join(c.arguments)) for c in calls)
                message = None
            case WebSearch(query):
                output.append(_web_search(new_id("ws"), query, "completed"))
                message = None
            case NextMessage():
                message = None
            case _:
                pass
    if output and output[-1]["type"] in ("message", "function_call"):
        output[-1]["status"] = _last_status(script)
    return ended(response_object(asked, new_id("resp"), "in_progress"), script, output)


def _add_part(content: list[dict[str, Any]], element: Element, words: str) -> None:
    kind = "output_text" if isinstance(element, Text) else "refusal"
    if content and content[-1]["type"] == kind:
        content[-1]["text" if kind == "output_text" else "refusal"] += words
    else:
        content.append(_part(kind, words))


def _part(kind: str, words: str) -> dict[str, Any]:
    if kind == "refusal":
        return {"type": "refusal", "refusal": words}
    return {"type": "output_text", "text": words, "annotations": [], "logprobs": []}


def _message(item_id: str, status: str) -> dict[str, Any]:
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": []}


def _reasoning(item_id: str, pieces: tuple[str, ...]) -> dict[str, Any]:
    summary = [{"type": "summary_text", "text": "".join(pieces)}] if pieces else []
    return {"id": item_id, "type": "reasoning", "summary": summary}


def _call(call: ToolCall, item_id: str, status: str, arguments: str) -> dict[str, Any]:
    call_id = call.id or f"call_{item_id[3:]}"
    return {
        "id": item_id,
        "type": "function_call",
        "status": status,
        "call_id": call_id,
        "name": call.name,
        "arguments": arguments,
    }


def _web_search(item_id: str, query: str, status: str) -> dict[str, Any]:
    return {"id": item_id, "type": "web_search_call", "status": status, "action": {"type": "search", "query": query}}


def _compaction(script: Script, asked: Asked) -> dict[str, Any]:
    words = "".join(p for e in script.turn if isinstance(e, Text) for p in e.pieces)
    return {
        "id": new_id("resp"),
        "object": "response.compaction",
        "created_at": asked.created,
        "output": [{"id": new_id("cmp"), "type": "compaction", "encrypted_content": words}],
        "usage": usage_document(_usage(script)),
    }


# --- stream ---------------------------------------------------------------------------------------


_ITEMS = (Text, Refusal, Reasoning, ToolCall, Interleaved, WebSearch)


class _Stream:
    """One event stream. `output` holds the items in the order of their output_index, as they stand so far.

    `open`: the message that is being written. `apart`: the next words begin a new one. `last`: where the last thing is
    said in the turn.
    """

    def __init__(self, script: Script, asked: Asked) -> None:
        self.script = script
        self.wire = script.wire
        self.response = response_object(asked, new_id("resp"), "in_progress")
        self.output: list[dict[str, Any]] = []
        self.sequence = 0
        self.open: dict[str, Any] | None = None
        self.apart = False
        self.last = max((i for i, e in enumerate(script.turn) if isinstance(e, _ITEMS)), default=-1)
        self.at_last = False

    def steps(self) -> Iterator[Step]:
        yield Head(200, {"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"})
        if self.wire.preamble:
            yield self._event("response.created", response=self.response)
            yield self._event("response.in_progress", response=self.response)
        for number, element in enumerate(self.script.turn):
            self.at_last = number == self.last
            yield from self._say(element)
        yield from self._end()

    def _event(self, kind: str, **fields: Any) -> Write:
        data: dict[str, Any] = {"type": kind, **fields}
        data.setdefault("sequence_number", self.sequence)
        self.sequence += 1
        name = b"" if self.wire.unnamed_events else b"event: " + kind.encode() + b"\n"
        return Write(name + b"data: " + dumps(data) + b"\n\n")

    def _extra(self, data: Mapping[str, Any]) -> Write:
        """A scripted event. Its place in the count is its own, whatever number it says."""
        named = "type" in data and not self.wire.unnamed_events
        name = f"event: {data['type']}\n".encode() if named else b""
        body = dumps({"sequence_number": self.sequence, **data} if "sequence_number" not in data else data)
        self.sequence += 1
        return Write(name + b"data: " + body + b"\n\n")

    def _say(self, element: Element) -> Iterator[Step]:
        match element:
            case Text(pieces):
                yield from self._words("output_text", pieces)
            case Refusal(pieces):
                yield from self._words("refusal", pieces)
            case Reasoning(pieces):
                yield from self._close()
                yield from self._reason(pieces)
            case ToolCall():
                yield from self._close()
                yield from self._calls((element,), reverse=False)
            case Interleaved(calls, reverse):
                yield from self._close()
                yield from self._calls(calls, reverse=reverse)
            case WebSearch(query):
                yield from self._close()
                yield from self._search(query)
            case NextMessage():
                # Closed only when something follows: what is last may yet be broken off.
                self.apart = True
            case Hold(name):
                yield Wait(name)
            case Comment(words):
                yield Write(f": {words}\n\n".encode())
            case Event(data):
                yield self._extra(data)
            case _:
                pass

    def _add(self, item: dict[str, Any]) -> int:
        self.output.append(item)
        return len(self.output) - 1

    def _words(self, kind: str, pieces: tuple[str, ...]) -> Iterator[Step]:
        if self.apart:
            yield from self._close()
        if self.open is None:
            self.open = _message(new_id("msg"), "in_progress")
            yield self._event("response.output_item.added", output_index=self._add(self.open), item=self.open)
        content = self.open["content"]
        if not content or content[-1]["type"] != kind:
            yield from self._close_part()
            content.append(_part(kind, ""))
            yield self._event("response.content_part.added", **self._at_part(), part=content[-1])
        part = content[-1]
        key = "text" if kind == "output_text" else "refusal"
        for piece in pieces:
            part[key] += piece
            extra: dict[str, Any] = {"logprobs": []} if kind == "output_text" else {}
            yield self._event(f"response.{kind}.delta", **self._at_part(), delta=piece, **extra)

    def _at_part(self) -> dict[str, Any]:
        assert self.open is not None
        index = self.output.index(self.open)
        return {"item_id": self.open["id"], "output_index": index, "content_index": len(self.open["content"]) - 1}

    def _close_part(self) -> Iterator[Step]:
        if self.open is None or not self.open["content"]:
            return
        part = self.open["content"][-1]
        if part["type"] == "output_text":
            yield self._event("response.output_text.done", **self._at_part(), text=part["text"], logprobs=[])
        else:
            yield self._event("response.refusal.done", **self._at_part(), refusal=part["refusal"])
        yield self._event("response.content_part.done", **self._at_part(), part=part)

    def _close(self, status: str = "completed") -> Iterator[Step]:
        self.apart = False
        if self.open is None:
            return
        yield from self._close_part()
        self.open["status"] = status
        index = self.output.index(self.open)
        yield self._event("response.output_item.done", output_index=index, item=self.open)
        self.open = None

    def _reason(self, pieces: tuple[str, ...]) -> Iterator[Step]:
        item = _reasoning(new_id("rs"), ())
        index = self._add(item)
        at = {"item_id": item["id"], "output_index": index, "summary_index": 0}
        words = "".join(pieces)
        yield self._event("response.output_item.added", output_index=index, item=item)
        if pieces:
            part = {"type": "summary_text", "text": ""}
            yield self._event("response.reasoning_summary_part.added", **at, part=part)
            for piece in pieces:
                yield self._event("response.reasoning_summary_text.delta", **at, delta=piece)
            yield self._event("response.reasoning_summary_text.done", **at, text=words)
            yield self._event("response.reasoning_summary_part.done", **at, part={**part, "text": words})
            item["summary"] = [{**part, "text": words}]
        yield self._event("response.output_item.done", output_index=index, item=item)

    def _calls(self, calls: tuple[ToolCall, ...], *, reverse: bool) -> Iterator[Step]:
        opened: list[tuple[int, dict[str, Any], ToolCall]] = []
        for call in calls:
            item = _call(call, new_id("fc"), "in_progress", "")
            opened.append((self._add(item), item, call))
            yield self._event("response.output_item.added", output_index=opened[-1][0], item=item)
        if self.wire.arguments_in == "deltas":
            for turn in range(max((len(c.arguments) for c in calls), default=0)):
                for index, item, call in opened:
                    if turn < len(call.arguments):
                        yield self._event(
                            "response.function_call_arguments.delta",
                            item_id=item["id"],
                            output_index=index,
                            delta=call.arguments[turn],
                        )
        for index, item, call in reversed(opened) if reverse else opened:
            arguments = "".join(call.arguments)
            if self.wire.arguments_in != "item_done":
                yield self._event(
                    "response.function_call_arguments.done",
                    item_id=item["id"],
                    output_index=index,
                    name=call.name,
                    arguments=arguments,
                )
            last = self.at_last and item is self.output[-1]
            item.update(arguments=arguments, status=_last_status(self.script) if last else "completed")
            yield self._event("response.output_item.done", output_index=index, item=item)

    def _search(self, query: str) -> Iterator[Step]:
        item = _web_search(new_id("ws"), query, "in_progress")
        index = self._add(item)
        at = {"item_id": item["id"], "output_index": index}
        yield self._event("response.output_item.added", output_index=index, item=item)
        for stage in ("in_progress", "searching", "completed"):
            yield self._event(f"response.web_search_call.{stage}", **at)
        item["status"] = "completed"
        yield self._event("response.output_item.done", output_index=index, item=item)

    def _end(self) -> Iterator[Step]:
        ending = self.script.ending or Completed()
        if isinstance(ending, Cut):
            if ending.how != "eof":
                yield Break(ending.how)
            return
        if isinstance(ending, ErrorEvent):
            error = {"code": ending.code, "message": ending.message, "param": None}
            yield self._event("error", **({"error": {"type": "server_error", **error}} if ending.nested else error))
            return
        if isinstance(ending, Completed | Incomplete):
            yield from self._close(_last_status(self.script))
        elif self.open is not None:
            self.open["status"] = _last_status(self.script)
        output = [] if self.wire.empty_output else self.output
        response = ended(self.response, self.script, output)
        kind = f"response.{response['status']}"
        extra: dict[str, Any] = {}
        if isinstance(ending, Completed) and self.wire.terminal:
            kind = self.wire.terminal
        if self.wire.usage_at_event and response["status"] in _COUNTED:
            extra["usage"] = response["usage"]
            response["usage"] = None
        yield self._event(kind, **({} if self.wire.bare_terminal else {"response": response}), **extra)
