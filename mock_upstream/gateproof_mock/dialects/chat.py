"""The Chat Completions dialect, as OpenAI's API reference gives it, with the habits that everyone else added:
`reasoning_content` (DeepSeek, vLLM), `images` and a chunk with a top-level `error` for a failure in mid-stream (OpenRouter)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from gateproof_mock.dialects import sse
from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.frames import Cue, Frame, Literal, Remark
from gateproof_mock.dialects.openai import error, error_body, headers, laid_over, logprobs
from gateproof_mock.dialects.steps import Rest, Step, Wait
from gateproof_mock.dialects.whole import quoting, refusal, waits, whole_json
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import (
    Cancelled,
    Citation,
    Comment,
    Completed,
    CustomToolCall,
    Cut,
    Element,
    Ending,
    ErrorEvent,
    Event,
    Failed,
    Hold,
    Image,
    Incomplete,
    Interleaved,
    Pause,
    Ping,
    Raw,
    Reasoning,
    Refusal,
    Refused,
    Text,
    ToolCall,
    Unfinished,
    Usage,
)
from gateproof_mock.language.wire import Wire

__all__ = ["READS", "error", "render"]

READS: tuple[str, ...] = ("model", "stream", "stream_options")
"""The keys of a request that an answer depends on."""

Object = dict[str, Any]
Call = ToolCall | CustomToolCall
Failure = Failed | ErrorEvent | Cancelled | Unfinished

_FINISH = {"max_output_tokens": "length", "content_filter": "content_filter", "model_context_window_exceeded": "length"}
_MESSAGES_ALONE = ("pause_turn", "stop_sequence", "end_turn")
"""Reasons that Messages documents and that are an ordinary end here, where the list of words is closed."""


def render(script: Script, asked: Asked) -> Iterator[Step]:
    """The steps of one answer of a Chat Completions provider."""
    script = quoting(script, asked)
    ending, wire = script.ending, script.wire
    if (asked.stream or wire.unrequested_sse) and not isinstance(ending, Refused):
        yield from sse.stream(_Stream(script, asked, wire).cues(), wire, headers=headers(asked))
        return
    yield from waits(script)
    if isinstance(ending, Refused):
        yield from refusal(ending, asked, wire)
    elif isinstance(ending, Failure):
        status = ending.status if isinstance(ending, Failed) else 500
        yield from whole_json(_error(ending), status, headers=headers(asked), wire=wire)
    else:
        cut = ending if isinstance(ending, Cut) else None
        yield from whole_json(_document(script, asked), cut=cut, headers=headers(asked), wire=wire)


def _document(script: Script, asked: Asked) -> Object:
    return _Stream(script, asked, Wire(reasoning_key=script.wire.reasoning_key)).document()


def _error(ending: Failure) -> Object:
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
    if isinstance(ending, Completed) and ending.reason and ending.reason not in _MESSAGES_ALONE:
        return _FINISH.get(ending.reason, ending.reason)
    return "tool_calls" if any(isinstance(e, Call | Interleaved) for e in script.turn) else "stop"


# --- usage ----------------------------------------------------------------------------------------


def _usage(script: Script) -> Usage:
    return next((e for e in script.turn if isinstance(e, Usage)), Usage())


def _usage_object(usage: Usage) -> Object:
    """CompletionUsage with both details objects."""
    written = usage.cache_write + usage.cache_write_1h
    counts = {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.total,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached,
            "audio_tokens": usage.audio_input,
            **({"cache_write_tokens": written} if written else {}),
        },
        "completion_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            "audio_tokens": usage.audio_output,
            "accepted_prediction_tokens": usage.accepted_prediction,
            "rejected_prediction_tokens": usage.rejected_prediction,
        },
    }
    return laid_over(counts, usage.extra)


def _usage_so_far(usage: Usage, chunks: int) -> Object:
    """The usage in a chunk that is not the last: a token for each chunk before it, as far as there are so many."""
    output = min(chunks, usage.output)
    return {"prompt_tokens": usage.input, "completion_tokens": output, "total_tokens": usage.input + output}


# --- what is said ---------------------------------------------------------------------------------


def _said(call: Call) -> tuple[str, ...]:
    return call.input if isinstance(call, CustomToolCall) else call.arguments


def _call(call: Call, call_id: str, said: str) -> Object:
    if isinstance(call, CustomToolCall):
        return {"id": call_id, "type": "custom", "custom": {"name": call.name, "input": said}}
    return {"id": call_id, "type": "function", "function": {"name": call.name, "arguments": said}}


def _call_delta(call: Call, said: str | None) -> Object:
    return {"custom": {"input": said}} if isinstance(call, CustomToolCall) else {"function": {"arguments": said}}


def _probabilities(entries: list[Object]) -> Object | None:
    """`logprobs` of a choice: null where there are none."""
    return {"content": entries, "refusal": None} if entries else None


def _annotation(citation: Citation) -> Object:
    place = {"url": citation.url, "title": citation.title, "start_index": citation.start, "end_index": citation.end}
    return {"type": "url_citation", "url_citation": place}


class _Message:
    """The message as far as it is said."""

    def __init__(self, reasoning_key: str) -> None:
        self._reasoning_key = reasoning_key
        self.words: dict[str, list[str]] = {"content": [], "refusal": [], reasoning_key: []}
        self.logprobs: list[Object] = []
        self.annotations: list[Object] = []
        self.images: list[Object] = []
        self.calls: list[Object] = []

    def document(self) -> Object:
        message: Object = {
            "role": "assistant",
            "content": "".join(self.words["content"]) if self.words["content"] else None,
            "refusal": "".join(self.words["refusal"]) or None,
        }
        if reasoning := self.words[self._reasoning_key]:
            message[self._reasoning_key] = "".join(reasoning)
        for key in ("annotations", "images"):
            if found := getattr(self, key):
                message[key] = found
        if self.calls:
            message["tool_calls"] = self.calls
        return message


# --- stream ---------------------------------------------------------------------------------------


class _Stream:
    """One stream of chunks. The JSON answer has the message that such a stream amounts to."""

    def __init__(self, script: Script, asked: Asked, wire: Wire) -> None:
        self._script = script
        self._asked = asked
        self._wire = wire
        self._usage = _usage(script)
        self._id = asked.new_id("chatcmpl")
        self._message = _Message(wire.reasoning_key)
        self._chunks = 0
        turn = script.turn
        end = next((i for i, e in enumerate(turn) if isinstance(e, Ending)), len(turn))
        self._before, self._after = turn[:end], turn[end + 1 :]

    def cues(self) -> Iterator[Cue]:
        ending = self._script.ending
        if self._wire.preamble:
            yield self._delta("begin", role="assistant", content="", refusal=None)
        for element in self._before:
            yield from self._say(element)
        if isinstance(ending, Cut):
            yield ending
            return
        if isinstance(ending, Failure):
            yield self._chunk([], "terminal", **_error(ending))
        else:
            yield from self._finish()
        if not self._wire.no_done:
            yield Frame("[DONE]", role="done")
        for element in self._after:
            yield from self._say(element)

    def document(self) -> Object:
        """The completion that the stream amounts to."""
        for element in self._before:
            for _ in self._say(element):
                pass
        message, finish = self._message.document(), _finish(self._script)
        probabilities = _probabilities(self._message.logprobs)
        return {
            "id": self._id,
            "object": "chat.completion",
            "created": self._asked.created,
            "model": self._asked.model,
            "choices": [{"index": 0, "message": message, "logprobs": probabilities, "finish_reason": finish}],
            "usage": _usage_object(self._usage),
        }

    def _chunk(self, choices: list[Object], role: str, **extra: Any) -> Frame:
        chunk: Object = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._asked.created,
            "model": self._asked.model,
            "choices": choices,
        }
        if self._wire.usage_in == "every":
            chunk["usage"] = _usage_so_far(self._usage, self._chunks)
        elif self._asked.include_usage:
            chunk["usage"] = None
        self._chunks += 1
        return Frame({**chunk, **extra}, role=role)

    def _delta(self, role: str = "delta", probabilities: Object | None = None, /, **delta: Any) -> Frame:
        return self._chunk([{"index": 0, "delta": delta, "logprobs": probabilities, "finish_reason": None}], role)

    def _finish(self) -> Iterator[Frame]:
        wire = self._wire
        told = False
        if not wire.no_finish or wire.text_in != "deltas":
            finish = None if wire.no_finish else _finish(self._script)
            choice: Object = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": finish}
            if wire.text_in != "deltas":
                choice["message"] = self._message.document()
                choice["logprobs"] = _probabilities(self._message.logprobs)
            usage: Object = {"usage": _usage_object(self._usage)} if wire.usage_in in ("finish", "every") else {}
            told = wire.usage_in == "finish"
            yield self._chunk([choice], "terminal", **usage)
        if self._asked.include_usage and not told:
            yield self._chunk([], "", usage=_usage_object(self._usage))

    def _say(self, element: Element) -> Iterator[Cue]:
        match element:
            case Text():
                yield from self._words("content", element.deltas, logprobs(element.deltas) if element.logprobs else ())
                yield from self._annotations(element.citations)
            case Refusal(pieces):
                yield from self._words("refusal", pieces)
            case Reasoning(pieces, full):
                yield from self._words(self._wire.reasoning_key, full or pieces)
            case ToolCall() | CustomToolCall():
                yield from self._calls((element,))
            case Interleaved(calls):
                yield from self._calls(calls)
            case Image():
                yield from self._image(element)
            case Hold(name):
                yield Wait(name)
            case Pause(seconds):
                yield Rest(seconds)
            case Comment(words):
                yield Remark(words)
            case Ping():
                yield Remark("ping")
            case Event(data):
                yield Frame(data)
            case Raw(characters):
                yield Literal(characters.encode("utf-8", "surrogatepass"))
            case _:
                pass

    def _words(self, key: str, pieces: Sequence[str], entries: Sequence[Object] = ()) -> Iterator[Frame]:
        """`entries`: a probability for each piece, or none at all."""
        self._message.words[key].extend(pieces)
        self._message.logprobs.extend(entries)
        if key == "content" and self._wire.text_in != "deltas":
            return
        for place, piece in enumerate(pieces):
            if self._wire.null_deltas:
                yield self._delta(**{key: None})
            yield self._delta("delta", _probabilities(list(entries[place : place + 1])), **{key: piece})

    def _annotations(self, citations: Sequence[Citation]) -> Iterator[Frame]:
        found = [_annotation(c) for c in citations]
        self._message.annotations.extend(found)
        if found and self._wire.text_in == "deltas":
            yield self._delta(annotations=found)

    def _image(self, image: Image) -> Iterator[Frame]:
        url = f"data:{image.media_type};base64,{image.data}"
        found = {"index": len(self._message.images), "type": "image_url", "image_url": {"url": url}}
        self._message.images.append(found)
        yield self._delta(images=[found])

    def _calls(self, calls: Sequence[Call]) -> Iterator[Frame]:
        first = len(self._message.calls)
        whole = [_call(c, c.id or self._asked.new_id("call"), "".join(_said(c))) for c in calls]
        self._message.calls.extend(whole)
        streams = self._wire.arguments_in == "deltas"
        for index, (call, document) in enumerate(zip(calls, whole, strict=True), first):
            begun = _call(call, document["id"], "") if streams else document
            yield self._delta("begin", tool_calls=[{"index": index, **begun}])
        if not streams:
            return
        for turn in zip_longest(*(_said(call) for call in calls)):
            for index, (call, piece) in enumerate(zip(calls, turn, strict=True), first):
                if piece is not None and self._wire.null_deltas:
                    yield self._delta(tool_calls=[{"index": index, **_call_delta(call, None)}])
                if piece is not None:
                    yield self._delta(tool_calls=[{"index": index, **_call_delta(call, piece)}])
