"""Messages to itself: events pass as they are, under the same discipline as a translated stream."""

from collections import defaultdict
from collections.abc import Iterator
from io import StringIO
from typing import Any

from gateproof_reference import failures, sse, wirejson
from gateproof_reference.canonical import Event, Failed, Finished, Identity
from gateproof_reference.failures import Failure
from gateproof_reference.messages import calls, decode, encode
from gateproof_reference.streams import Frame, Out, Reader
from gateproof_reference.wirejson import Object, integer, objects, parse_object, text

OPENINGS = ("message_start", "ping")
"""Events that say nothing about the answer yet."""

WORDS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
}
"""Deltas of words, and what they add to: the type of the block, its member (their own has the same name)."""


class MessagesRelay(Reader[Out]):
    """Relays one stream; every payload byte is the upstream's, except where an event must be made whole."""

    def __init__(self, identity: Identity) -> None:
        super().__init__()
        self._identity = identity
        self._counts = decode.Counts()
        self._reason = ""
        self._called = False

    def on_event(self, event: sse.Event) -> Iterator[Out]:
        if event.data.strip() == decode.DONE:
            return
        payload = parse_object(event.data)
        if payload is None:
            self.over = True
            yield Failed(failures.unreadable("an event is not a JSON object"))
            return
        kind = decode.kind_of(event, payload)
        if decode.is_error(kind, payload):
            yield self.on_failure(kind, event, payload)
        elif kind == "message_stop":
            yield from self.on_stop(relayed(kind, event, payload))
        elif kind == "message_delta":
            yield self.on_message_delta(event, payload)
        elif kind:
            self._note(payload)
            yield Frame(relayed(kind, event, payload), opening=kind in OPENINGS)

    def on_failure(self, kind: str, event: sse.Event, payload: Object) -> Out:
        """Read a failure. Only an `error` event with its error is the client's as it is, unless a key was cut out of it."""
        self.over = True
        error = payload.get("error")
        failure = failures.read_event(payload)
        whole = isinstance(error, dict) and text(error.get("type")) and error.get("message") == failure.message
        return Failed(failure, relayed(kind, event, payload) if kind == "error" and whole else None)

    def on_message_delta(self, event: sse.Event, payload: Object) -> Out:
        """Relay why the message ends. Clients crash without its usage, so it is never without."""
        self._reason = decode.stop_reason_in(payload) or self._reason
        self._counts.take(payload.get("usage"))
        usage = payload.get("usage")
        if isinstance(usage, dict) and integer(usage.get("output_tokens")) is not None:
            return Frame(relayed("message_delta", event, payload))
        given = usage if isinstance(usage, dict) else {}
        whole = {**payload, "type": "message_delta", "usage": {**given, "output_tokens": self._made()}}
        return Frame(encode.frame(whole))

    def on_stop(self, last: bytes) -> Iterator[Out]:
        """End a complete message; one that did not say why is ended by what it did."""
        self.over = True
        if not self._reason:
            ended = {"stop_reason": self.reason(), "stop_sequence": None}
            usage = {"output_tokens": self._made()}
            yield Frame(encode.frame({"type": "message_delta", "delta": ended, "usage": usage}))
        yield Frame(last)

    def reason(self) -> str:
        """Return why a message ended that did not say it."""
        return "tool_use" if self._called else "end_turn"

    def _made(self) -> int:
        return integer(self._counts.known.get("output_tokens")) or 0

    def _note(self, payload: Object) -> None:
        message, block = payload.get("message"), payload.get("content_block")
        if isinstance(message, dict):
            self._counts.take(message.get("usage"))
        if isinstance(block, dict) and block.get("type") == "tool_use":
            self._called = True

    def on_end(self, cut: Failure | None) -> Iterator[Out]:
        if self._reason:
            yield from self.on_stop(encode.frame({"type": "message_stop"}))
            return
        self.over = True
        yield Failed(cut or failures.truncated())

    def whole(self, body: Object) -> list[Out]:
        self.over = True
        fault = decode.body_fault(body)
        return [Failed(fault)] if fault is not None else list(replay(body))

    def failed(self, failure: Failure) -> bytes:
        return encode.failed_frame(failure, self._identity)


def relayed(kind: str, event: sse.Event, payload: Object) -> bytes:
    """Return an event for the client: the payload's own bytes, under an `event:` line that is its type."""
    data = event.data if payload.get("type") == kind else wirejson.dump({**payload, "type": kind})
    return sse.encode(data, kind)


def replay(body: Object) -> Iterator[Frame]:
    """Return a JSON answer as a stream: each block begun, filled and stopped, and the end of the message."""
    usage: Object = body["usage"] if isinstance(body.get("usage"), dict) else {}
    usage = {"input_tokens": 0, "output_tokens": 0, **usage}
    ended = {name: body.get(name) for name in ("stop_reason", "stop_sequence")}
    start = {**body, "type": "message", "content": [], **dict.fromkeys(ended), "usage": usage}
    yield Frame(encode.frame({"type": "message_start", "message": start}), opening=True)
    blocks = objects(body.get("content"))
    for at, block in enumerate(blocks):
        empty, deltas = taken_apart(block)
        yield Frame(encode.frame({"type": "content_block_start", "index": at, "content_block": empty}))
        for delta in deltas:
            yield Frame(encode.frame({"type": "content_block_delta", "index": at, "delta": delta}))
        yield Frame(encode.frame({"type": "content_block_stop", "index": at}))
    if not text(ended["stop_reason"]):
        called = any(block.get("type") == "tool_use" for block in blocks)
        ended["stop_reason"] = "tool_use" if called else "end_turn"
    yield Frame(encode.frame({"type": "message_delta", "delta": ended, "usage": usage}))
    yield Frame(encode.frame({"type": "message_stop"}))


def taken_apart(block: Object) -> tuple[Object, list[Object]]:
    """Return a block as it begins in a stream, and the deltas that make it whole. An unknown one begins whole."""
    kind = block.get("type")
    empty, deltas = dict(block), list[Object]()
    for name, (of, member) in WORDS.items():
        if kind == of and text(block.get(member)):
            empty[member] = ""
            deltas.append({"type": name, member: block[member]})
    if kind == "text":
        cited = objects(block.get("citations"))
        empty |= {"citations": []} if cited else {}
        deltas += [{"type": "citations_delta", "citation": citation} for citation in cited]
    if kind in ("tool_use", "server_tool_use"):
        empty["input"] = {}
        deltas.append({"type": "input_json_delta", "partial_json": calls.to_arguments(block.get("input"))})
    return empty, deltas


class MessagesGatherer(Reader[Event]):
    """Makes one message of a stream, of the upstream's own blocks: unknown ones stay as they are."""

    def __init__(self, model: str, identity: Identity) -> None:
        super().__init__()
        self._message: Object = {
            "id": encode.message_id(identity),
            "type": "message",
            "role": "assistant",
            "model": model,
            "stop_reason": None,
            "stop_sequence": None,
        }
        self._counts = decode.Counts()
        self._blocks: dict[int, Object] = {}
        self._words: dict[int, defaultdict[str, StringIO]] = {}
        """What deltas add to the members of each block."""
        self._inputs: dict[int, StringIO] = {}

    def on_event(self, event: sse.Event) -> Iterator[Event]:
        if event.data.strip() == decode.DONE:
            return
        payload = parse_object(event.data)
        if payload is None:
            self.over = True
            yield Failed(failures.unreadable("an event is not a JSON object"))
            return
        kind = decode.kind_of(event, payload)
        if decode.is_error(kind, payload):
            self.over = True
            yield Failed(failures.read_event(payload))
        elif kind == "message_stop":
            yield from self.on_stop()
        else:
            self._note(kind, payload)

    def on_end(self, cut: Failure | None) -> Iterator[Event]:
        if text(self._message.get("stop_reason")):
            yield from self.on_stop()
            return
        self.over = True
        yield Failed(cut or failures.truncated())

    def on_stop(self) -> Iterator[Event]:
        """End the message: the inputs of its calls are whole now."""
        self.over = True
        for at, arguments in self._inputs.items():
            value = calls.to_input(arguments.getvalue())
            if value is None and self._message.get("stop_reason") not in CUT_SHORT:
                yield Failed(failures.unreadable("the input of a call is no JSON object"))
                return
            self._blocks[at]["input"] = value or {}
        yield Finished("stop", None)

    def _note(self, kind: str, payload: Object) -> None:
        at = integer(payload.get("index")) or 0
        message, block, delta = payload.get("message"), payload.get("content_block"), payload.get("delta")
        if kind == "message_start" and isinstance(message, dict):
            self._message |= told(message)
            self._counts.take(message.get("usage"))
        elif kind == "content_block_start" and isinstance(block, dict):
            self._blocks[at] = block
            self._inputs.pop(at, None)
            self._words.pop(at, None)
        elif kind == "content_block_delta" and isinstance(delta, dict):
            self._add(at, delta)
        elif kind == "message_delta":
            self._message |= told(delta)
            self._counts.take(payload.get("usage"))

    def _add(self, at: int, delta: Object) -> None:
        """Add a delta to its block. Words of a block that never began are words all the same."""
        kind = text(delta.get("type"))
        if kind in WORDS:
            of, member = WORDS[kind]
            self._blocks.setdefault(at, {"type": of, member: ""})
            self._words.setdefault(at, defaultdict(StringIO))[member].write(text(delta.get(member)))
        elif kind == "input_json_delta" and at in self._blocks:
            self._inputs.setdefault(at, StringIO()).write(text(delta.get("partial_json")))
        elif kind == "citations_delta" and at in self._blocks:
            cited: list[Any] = objects(self._blocks[at].get("citations"))
            self._blocks[at]["citations"] = [*cited, delta.get("citation")]

    def _whole(self, at: int) -> Object:
        block = self._blocks[at]
        added = {name: text(block.get(name)) + words.getvalue() for name, words in self._words.get(at, {}).items()}
        return {**block, **added}

    def result(self) -> Object:
        blocks = [self._whole(at) for at in sorted(self._blocks)]
        called = any(block.get("type") == "tool_use" for block in blocks)
        reason = text(self._message.get("stop_reason")) or ("tool_use" if called else "end_turn")
        usage = {"input_tokens": 0, "output_tokens": 0, **self._counts.known}
        return {**self._message, "content": blocks, "stop_reason": reason, "usage": usage}


def told(value: object) -> Object:
    """Return the members of an object that say something."""
    return {name: entry for name, entry in value.items() if entry is not None} if isinstance(value, dict) else {}


CUT_SHORT = ("max_tokens", "model_context_window_exceeded", "refusal")
"""Reasons for which a call may have been left without the end of its input."""
