"""Canonical events, written as Chat Completions: chunks or one body (OpenAI API reference)."""

from collections.abc import Iterable, Iterator
from io import StringIO

from gateproof_reference import citations, failures, sse, usage, wirejson
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
    Cited,
    Event,
    Failed,
    Finished,
    Identity,
    ReasoningDelta,
    RefusalDelta,
    Request,
    Started,
    TextDelta,
)
from gateproof_reference.failures import Failure
from gateproof_reference.streams import Encoder, Frame
from gateproof_reference.wirejson import Object

DONE_FRAME = sse.encode(b"[DONE]")


def failed_frame(failure: Failure) -> bytes:
    """Return an in-band error: `data: {"error": {...}}` and nothing beside it, which is what SDKs raise on.

    No [DONE] follows: it reads as a normal end (bifrost#5546), and the closed body ends the stream anyway.
    """
    return sse.encode(wirejson.dump(failures.envelope(failure)))


def chat_id(identity: Identity) -> str:
    """Return the id of our completion."""
    return f"chatcmpl-{identity.token}"


class ChatEncoder(Encoder):
    """Writes one turn as chunks: a role, what was said, one finish_reason, perhaps the usage, [DONE]."""

    def __init__(self, request: Request, identity: Identity) -> None:
        self._include_usage = request.include_usage
        self._id = chat_id(identity)
        self._created = identity.now
        self._model = request.model
        self._opened = False
        self._cited: list[Object] = []

    def encode(self, event: Event) -> Iterable[Frame]:
        if not self._opened:
            self._opened = True
            if isinstance(event, Started):
                self._model = event.model or self._model
            return (self.opening(), *self.encode(event))
        match event:
            case TextDelta():
                return (self.delta({"content": event.text}),)
            case RefusalDelta():
                return (self.delta({"refusal": event.text}),)
            case ReasoningDelta():
                return (self.delta({"reasoning_content": event.text}),)
            case Cited():
                self._cited.append(citations.nested(event))
                return ()
            case CallStarted():
                return (self.delta({"tool_calls": [self.call_start(event.index, event.id, event.name)]}),)
            case CallArguments():
                return (self.delta({"tool_calls": [self.call_more(event.index, event.text)]}),)
            case Finished():
                return self.finish(event)
            case _:
                return ()

    def opening(self) -> Frame:
        """Return the first chunk: the role, once, and no words."""
        return Frame(self.chunk([self.choice({"role": "assistant", "content": ""}, None)]), opening=True)

    def delta(self, delta: Object) -> Frame:
        """Return a chunk that adds to the message."""
        return Frame(self.chunk([self.choice(delta, None)]))

    def call_start(self, index: int, call_id: str, name: str) -> Object:
        """Return the first piece of a call; only this one names it (LM Studio#649)."""
        return {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}

    def call_more(self, index: int, more: str) -> Object:
        """Return a later piece of a call."""
        return {"index": index, "function": {"arguments": more}}

    def finish(self, event: Finished) -> Iterator[Frame]:
        """Return the end of a turn, in this order: citations, finish_reason, usage if it was asked for, [DONE].

        The citations are in one delta: openai-python joins the lists of several by their entries' `index`, which these
        have not, and its stream helper raises for the second (`lib/streaming/_deltas.py`, 3.52.0).
        """
        if self._cited:
            yield self.delta({"annotations": self._cited})
        yield Frame(self.chunk([self.choice({}, event.reason)]))
        if self.tells_usage(event):
            yield Frame(self.chunk([], event.usage))
        yield Frame(DONE_FRAME)

    def tells_usage(self, event: Finished) -> bool:
        """Return whether there is a usage chunk: somebody asked, and there is something to tell."""
        return self._include_usage and event.usage is not None

    def choice(self, delta: Object, reason: str | None) -> Object:
        """Return the one choice of a chunk."""
        return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}

    def chunk(self, choices: list[Object], counted: usage.Usage | None = None) -> bytes:
        """Return one event. Id, time and model are the same on every chunk of a stream (litellm#1571)."""
        payload: Object = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
        }
        if counted is not None:
            payload["usage"] = usage.to_chat(counted)
        return sse.encode(wirejson.dump(payload))

    def failed(self, failure: Failure) -> bytes:
        return failed_frame(failure)


def encode_body(events: Iterable[Event], request: Request, identity: Identity) -> Object:
    """Return the completion of a turn that ended in Finished."""
    said = {TextDelta: StringIO(), RefusalDelta: StringIO(), ReasoningDelta: StringIO()}
    calls: list[Object] = []
    arguments: list[StringIO] = []
    cited: list[Object] = []
    model = request.model
    end = Finished("stop", None)
    for event in events:
        match event:
            case Started():
                model = event.model or model
            case TextDelta(words) | RefusalDelta(words) | ReasoningDelta(words):
                said[type(event)].write(words)
            case Cited():
                cited.append(citations.nested(event))
            case CallStarted(_, call_id, name):
                calls.append({"id": call_id, "type": "function", "function": {"name": name, "arguments": ""}})
                arguments.append(StringIO())
            case CallArguments(index, more):
                arguments[index].write(more)
            case Finished():
                end = event
            case Failed(failure):
                raise failures.RefusedError(failure)
    words, refusal, reasoning = (said[kind].getvalue() for kind in (TextDelta, RefusalDelta, ReasoningDelta))
    silent = not words and bool(calls or refusal)
    message: Object = {"role": "assistant", "content": None if silent else words, "refusal": refusal or None}
    if reasoning:
        message["reasoning_content"] = reasoning
    if cited:
        message["annotations"] = cited
    for call, collected in zip(calls, arguments, strict=True):
        call["function"]["arguments"] = collected.getvalue()
    if calls:
        message["tool_calls"] = calls
    body: Object = {
        "id": chat_id(identity),
        "object": "chat.completion",
        "created": identity.now,
        "model": model,
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": end.reason}],
    }
    if end.usage is not None:
        body["usage"] = usage.to_chat(end.usage)
    return body
