"""Chat Completions to itself: chunks pass as they are, under the same discipline as a translated stream."""

from collections.abc import Iterable, Iterator
from typing import Any

from gateproof_reference import failures, sse, wirejson
from gateproof_reference.canonical import Event, Failed, Identity, Request, Started
from gateproof_reference.chat import decode, encode
from gateproof_reference.failures import Failure
from gateproof_reference.streams import Frame, Out, Reader
from gateproof_reference.wirejson import Object, integer, objects, parse_object, text

SERVED = ("service_tier", "system_fingerprint")


class ChatRelay(Reader[Out]):
    """Relays one stream; every payload byte is the upstream's, except where a turn must be ended for it."""

    def __init__(self, request: Request, identity: Identity) -> None:
        super().__init__()
        self._request = request
        self._identity = identity
        self._last: Object = {}
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._called: set[int] = set()

    def on_event(self, event: sse.Event) -> Iterator[Out]:
        if event.data.strip() == decode.DONE:
            yield from self.on_done()
            return
        payload = parse_object(event.data)
        failure = decode.error_in(event, payload)
        if failure is not None or payload is None:
            self.over = True
            yield Failed(failure or failures.unreadable("an event is not a JSON object"))
            return
        choices = objects(payload.get("choices"))
        if event.name and not choices:
            return  # An event of another API: clients of this one take it for a broken chunk.
        if self.is_unasked_usage(payload):
            return
        self._note(payload, choices)
        yield Frame(sse.encode(event.data), opening=is_opening(choices))

    def is_unasked_usage(self, payload: Object) -> bool:
        """Return whether this is a usage chunk that the client did not ask for (quotio#460)."""
        return payload.get("choices") == [] and bool(payload.get("usage")) and not self._request.include_usage

    def _note(self, payload: Object, choices: list[Object]) -> None:
        if choices:
            self._last = payload
        for choice in choices:
            index = integer(choice.get("index")) or 0
            self._open.add(index)
            delta = choice.get("delta")
            if isinstance(delta, dict) and delta.get("tool_calls"):
                self._called.add(index)
            if text(choice.get("finish_reason")):
                self._finished.add(index)

    def on_done(self) -> Iterator[Out]:
        """End a complete turn; a choice that was left open is closed by what it did."""
        self.over = True
        for index in sorted((self._open or {0}) - self._finished):
            yield Frame(self._finish_chunk(index))
        yield Frame(encode.DONE_FRAME)

    def _finish_chunk(self, index: int) -> bytes:
        chunk = {
            "id": text(self._last.get("id")) or encode.chat_id(self._identity),
            "object": "chat.completion.chunk",
            "created": self._last.get("created", self._identity.now),
            "model": text(self._last.get("model")) or self._request.model,
            "choices": [{**empty(index), "finish_reason": self.reason(index)}],
        }
        return sse.encode(wirejson.dump(chunk))

    def reason(self, index: int) -> str:
        """Return why a choice ended that did not say it."""
        return "tool_calls" if index in self._called else "stop"

    def on_end(self, cut: Failure | None) -> Iterator[Out]:
        if self._open and self._open <= self._finished:
            yield from self.on_done()
            return
        self.over = True
        yield Failed(cut or failures.truncated())

    def whole(self, body: Object) -> list[Out]:
        self.over = True
        fault = decode.body_fault(body)
        if fault is not None:
            return [Failed(fault)]
        outs: list[Out] = []
        for at, choice in enumerate(objects(body["choices"])):
            payload = {**chunk_of(body, self._request, self._identity), "choices": [begun(at, choice)]}
            self._note(payload, payload["choices"])
            outs.append(Frame(sse.encode(wirejson.dump(payload)), opening=is_opening(payload["choices"])))
            if text(choice.get("finish_reason")):
                payload["choices"] = [{**empty(at), "finish_reason": choice["finish_reason"]}]
                self._note(payload, payload["choices"])
                outs.append(Frame(sse.encode(wirejson.dump(payload))))
        return [*outs, *self._end_of(body)]

    def _end_of(self, body: Object) -> Iterator[Out]:
        """End a turn that came whole; its usage stands between the last finish_reason and [DONE]."""
        *finishes, done = self.on_done()
        yield from finishes
        counted = {**chunk_of(body, self._request, self._identity), "choices": [], "usage": body.get("usage")}
        if body.get("usage") and self._request.include_usage:
            yield Frame(sse.encode(wirejson.dump(counted)))
        yield done

    def failed(self, failure: Failure) -> bytes:
        return encode.failed_frame(failure)


def chunk_of(body: Object, request: Request, identity: Identity) -> Object:
    """Return what the chunks of a stream have in common with the completion that they are of."""
    named = {"id": text(body.get("id")) or encode.chat_id(identity), "model": text(body.get("model")) or request.model}
    created = body.get("created", identity.now)
    return {**served(body), "object": "chat.completion.chunk", "created": created, **named}


def served(payload: Object) -> Object:
    """Return what a chunk or a completion tells of who served it."""
    return {name: payload[name] for name in SERVED if payload.get(name) is not None}


def begun(index: int, choice: Object) -> Object:
    """Return the choice of a chunk that says all of a choice but its end; whatever its message holds goes along."""
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    calls = [{**call, "index": at} for at, call in enumerate(objects(message.get("tool_calls")))]
    said = {name: value for name, value in message.items() if value is not None}
    delta = {"role": "assistant", **said, **({"tool_calls": calls} if calls else {})}
    return {**empty(index), "delta": delta, "logprobs": choice.get("logprobs")}


def empty(index: int) -> Object:
    """Return a choice of a chunk that says nothing."""
    return {"index": index, "delta": {}, "logprobs": None, "finish_reason": None}


class Keeper(decode.ChatDecoder):
    """Reads one turn, and keeps what only this API can say: who served, probabilities of tokens, citations."""

    def __init__(self) -> None:
        super().__init__()
        self.served: Object = {}
        self.logprobs: dict[str, list[Any]] = {}
        self.annotations: list[Any] = []

    def on_chunk(self, chunk: Object) -> Iterator[Event]:
        self.served |= served(chunk)
        for choice in objects(chunk.get("choices")):
            if not integer(choice.get("index")):
                self._keep(choice)
        return super().on_chunk(chunk)

    def _keep(self, choice: Object) -> None:
        delta, logprobs = choice.get("delta"), choice.get("logprobs")
        self.annotations += objects(delta.get("annotations")) if isinstance(delta, dict) else []
        for name, entries in logprobs.items() if isinstance(logprobs, dict) else ():
            if isinstance(entries, list):
                self.logprobs.setdefault(name, []).extend(entries)


def gathered(events: Iterable[Event], request: Request, identity: Identity, kept: Keeper) -> Object:
    """Return one completion of a stream in the same API; its id is the upstream's, if it gave one."""
    events = list(events)
    started = next((event.id for event in events if isinstance(event, Started)), None)
    body = encode.encode_body(events, request, identity)
    (choice,) = body["choices"]
    choice["logprobs"] = kept.logprobs or None
    choice["message"] |= {"annotations": kept.annotations} if kept.annotations else {}
    return {**body, **kept.served, "id": started or body["id"]}


def is_opening(choices: list[Object]) -> bool:
    """Return whether a chunk says no more than the role."""
    for choice in choices:
        delta = choice.get("delta")
        if choice.get("finish_reason") or not isinstance(delta, dict):
            return False
        if any(value for name, value in delta.items() if name != "role"):
            return False
    return bool(choices)
