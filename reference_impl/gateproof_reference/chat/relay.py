"""Chat Completions to itself: chunks pass as they are, under the same discipline as a translated stream."""

from collections.abc import Iterable, Iterator

from gateproof_reference import failures, sse, wirejson
from gateproof_reference.canonical import Event, Failed, Identity, Request, Started
from gateproof_reference.chat import decode, encode
from gateproof_reference.failures import Failure
from gateproof_reference.streams import Frame, Out, Reader
from gateproof_reference.wirejson import Object, integer, objects, parse_object, text


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
            "choices": [{"index": index, "delta": {}, "logprobs": None, "finish_reason": self.reason(index)}],
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
        encoder = encode.ChatEncoder(self._request, self._identity)
        outs: list[Out] = []
        for event in decode.decode_body(body):
            outs += [event] if isinstance(event, Failed) else encoder.encode(event)
        self.over = True
        return outs

    def failed(self, failure: Failure) -> bytes:
        return encode.failed_frame(failure)


def gathered(events: Iterable[Event], request: Request, identity: Identity) -> Object:
    """Return one completion of a stream in the same API; its id is the upstream's, if it gave one."""
    events = list(events)
    started = next((event.id for event in events if isinstance(event, Started)), None)
    body = encode.encode_body(events, request, identity)
    return {**body, "id": started or body["id"]}


def is_opening(choices: list[Object]) -> bool:
    """Return whether a chunk says no more than the role."""
    for choice in choices:
        delta = choice.get("delta")
        if choice.get("finish_reason") or not isinstance(delta, dict):
            return False
        if any(value for name, value in delta.items() if name != "role"):
            return False
    return bool(choices)
