"""Responses to itself: events pass as they are, under the same discipline as a translated stream.

Beside the relay stands the ledger of what was streamed: it makes one JSON answer of a stream, and a whole terminal of
one that came without its response object.
"""

from collections.abc import Iterable, Iterator
from io import StringIO

from gateproof_reference import failures, sse, wirejson
from gateproof_reference.canonical import Event, Failed, Finished, Identity
from gateproof_reference.failures import Failure
from gateproof_reference.responses import decode, encode, resource
from gateproof_reference.streams import Frame, Out, Reader
from gateproof_reference.usage import RESPONSES
from gateproof_reference.usage import read as read_usage
from gateproof_reference.wirejson import Object, integer, objects, parse_object, text

STREAMED: dict[str, tuple[str, str, str]] = {
    f"response.{name}.{step}": place
    for name, place in {
        "output_text": ("content", "output_text", "text"),
        "refusal": ("content", "refusal", "refusal"),
        "reasoning_text": ("content", "reasoning_text", "text"),
        "reasoning": ("content", "reasoning_text", "text"),
        "reasoning_summary_text": ("summary", "summary_text", "text"),
    }.items()
    for step in ("delta", "done")
}
"""Events that stream words, and where the words stand in their item: member, type of the part, member of the part."""


ARGUMENTS = "response.function_call_arguments"
GROWING = frozenset({f"{ARGUMENTS}.delta", *(kind for kind in STREAMED if kind.endswith(".delta"))})
"""Events that add to words which may be long."""


class Ledger:
    """What a stream has told so far, in the upstream's own objects."""

    def __init__(self, model: str, identity: Identity) -> None:
        self._identity = identity
        self._model = model
        self._created: Object = {}
        self._items: dict[int, Object] = {}
        self._growing: dict[int, dict[tuple[str, int], tuple[Object, StringIO]]] = {}
        """By output_index, then by kind and place: the first of some deltas, and the words of all."""

    @property
    def id(self) -> str:
        """The id of response.created, else ours."""
        return text(self._created.get("id")) or resource.response_id(self._identity)

    @property
    def model(self) -> str:
        """The model of response.created, else the one that was asked for."""
        return text(self._created.get("model")) or self._model

    def note(self, kind: str, event: Object) -> None:
        """Take one event. Items count when they are done; deltas of an item that never was are filled in."""
        response, item, at = event.get("response"), event.get("item"), integer(event.get("output_index"))
        if at is not None:
            if kind in GROWING:
                self._grow(at, kind, event)
                return
            self._settle(at)
        if kind in decode.OPENINGS and isinstance(response, dict) and not self._created:
            self._created = response
        if kind in ("response.output_item.added", "response.output_item.done") and isinstance(item, dict):
            self._items[len(self._items) if at is None else at] = item
        elif at is not None:
            self._fill(at, kind, event)

    def _grow(self, at: int, kind: str, event: Object) -> None:
        """Collect a delta: to add each to its item would copy all the words there every time."""
        _, words = self._growing.setdefault(at, {}).setdefault((kind, decode.place(event)), (event, StringIO()))
        words.write(text(event.get("delta")))

    def _settle(self, at: int) -> None:
        """Add what was collected to its item."""
        for (kind, _), (event, words) in self._growing.pop(at, {}).items():
            self._fill(at, kind, {**event, "delta": words.getvalue()})

    def _fill(self, at: int, kind: str, event: Object) -> None:
        if kind in STREAMED:
            # Words of an item that was never added are words all the same; arguments need the name of their call.
            _fill_part(self._items.setdefault(at, _stub(kind, event)), kind, event)
        item = self._items.get(at)
        if item is None:
            return
        if kind == f"{ARGUMENTS}.delta":
            item["arguments"] = text(item.get("arguments")) + text(event.get("delta"))
        elif kind == f"{ARGUMENTS}.done":
            item["arguments"] = text(event.get("arguments")) or text(item.get("arguments"))

    def output(self) -> list[Object]:
        """Return the streamed items in output_index order, whatever order they were done in (metapi#174)."""
        for at in list(self._growing):
            self._settle(at)
        return [self._items[at] for at in sorted(self._items)]

    def final(self, kind: str, event: Object) -> Object:
        """Return the terminal's response object, whole: with output, usage and status, wherever those were."""
        status = decode.outcome(kind, event).removeprefix("response.")
        given = event.get("response")
        response: Object = {
            "id": self.id,
            "object": "response",
            "created_at": self._identity.now,
            "model": self.model,
            **self._created,
            "status": status,
            **(given if isinstance(given, dict) else {}),
        }
        if not objects(response.get("output")):
            response["output"] = self.output()
        if read_usage(response.get("usage"), RESPONSES) is None:
            response["usage"] = event.get("usage")
        return response


def _stub(kind: str, event: Object) -> Object:
    item: Object = {"id": text(event.get("item_id")), "status": "completed"}
    if "reasoning" in kind:
        return {**item, "type": "reasoning", "summary": []}
    return {**item, "type": "message", "role": "assistant", "content": []}


def _fill_part(item: Object, kind: str, event: Object) -> None:
    """Add a delta to the part that it belongs to, or set the part's words when they are done."""
    member, part_type, words = STREAMED[kind]
    parts = item.setdefault(member, [])
    at = integer(event.get("summary_index" if member == "summary" else "content_index")) or 0
    if not isinstance(parts, list) or not 0 <= at <= len(parts):
        return
    if at == len(parts):
        parts.append({"type": part_type, words: ""} | ({"annotations": []} if part_type == "output_text" else {}))
    if not isinstance(parts[at], dict):
        return
    told = text(parts[at].get(words))
    parts[at][words] = (text(event.get(words)) or told) if kind.endswith(".done") else told + text(event.get("delta"))


class ResponsesRelay(Reader[Out]):
    """Relays one stream; every payload byte is the upstream's, except where an event must be made whole."""

    def __init__(self, model: str, identity: Identity) -> None:
        super().__init__()
        self._ledger = Ledger(model, identity)
        self._sequence = 0

    def on_event(self, event: sse.Event) -> Iterable[Out]:
        payload = parse_object(event.data)
        if payload is not None:
            return (self.on_payload(event, payload),)
        if event.data.strip() == decode.DONE:
            return ()
        self.over = True
        return (Failed(failures.unreadable("an event is not a JSON object")),)

    def on_payload(self, event: sse.Event, payload: Object) -> Out:
        """Relay one event, or end the turn."""
        kind = decode.kind_of(event, payload)
        if kind in decode.FAILURES:
            return self.on_failure(kind, event, payload)
        if kind in decode.TERMINALS:
            return self.on_terminal(kind, event, payload)
        self._ledger.note(kind, payload)
        self._count(payload)
        return Frame(relayed(kind, event, payload), opening=kind in decode.OPENINGS)

    def on_failure(self, kind: str, event: sse.Event, payload: Object) -> Out:
        """Read a failure. Only a `response.failed` with its response is the client's as it is (bifrost#6783), unless a key
        was cut out of it."""
        self.over = True
        response = payload.get("response")
        genuine = (
            kind == "response.failed" and isinstance(response, dict) and failures.without_keys(response) is response
        )
        return Failed(decode.failure_in(kind, payload), relayed(kind, event, payload) if genuine else None)

    def on_terminal(self, kind: str, event: sse.Event, payload: Object) -> Out:
        """Relay the end of a turn, under its real name and with its response object."""
        self.over = True
        real = decode.outcome(kind, payload)
        if real in decode.FAILURES:
            return Failed(decode.failure_in(real, payload))
        if real == kind and is_whole(payload):
            return Frame(relayed(kind, event, payload))
        number = {"sequence_number": self._sequence}
        whole = {**number, **payload, "type": real, "response": self._ledger.final(kind, payload)}
        return Frame(encode.frame(whole))

    def _count(self, payload: Object) -> None:
        number = integer(payload.get("sequence_number"))
        self._sequence = self._sequence + 1 if number is None else number + 1

    def on_end(self, cut: Failure | None) -> Iterator[Out]:
        self.over = True
        yield Failed(cut or failures.truncated())

    def whole(self, body: Object) -> list[Out]:
        self.over = True
        fault = decode.body_fault(body)
        if fault is not None:
            return [Failed(fault)]
        return replay(body)

    def failed(self, failure: Failure) -> bytes:
        model = self._ledger.model or None
        return encode.frame(resource.failed_event(failure, self._ledger.id, model, self._sequence))


def relayed(kind: str, event: sse.Event, payload: Object) -> bytes:
    """Return an event for the client: the payload's own bytes, under an `event:` line that is its type."""
    data = event.data if payload.get("type") == kind else wirejson.dump({"type": kind, **payload})
    return sse.encode(data, kind)


def is_whole(terminal: Object) -> bool:
    """Return whether a terminal event has all that a client reads from it where the client looks for it."""
    response = terminal.get("response")
    if not isinstance(response, dict):
        return False
    return read_usage(response.get("usage"), RESPONSES) is not None or not terminal.get("usage")


def replay(body: Object) -> list[Out]:
    """Return a JSON answer as a stream: each item added and done, and the terminal of its status."""
    status = text(body.get("status")) or "completed"
    if status in decode.UNFINISHED:
        return [Failed(failures.unfinished(status))]
    terminal: Object = {"type": f"response.{status}", "response": body}
    if terminal["type"] in decode.FAILURES:
        return [Failed(decode.failure_in(terminal["type"], terminal))]
    opening = {**body, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    events: list[Object] = [{"type": kind, "response": opening} for kind in decode.OPENINGS[:2]]
    for at, item in enumerate(objects(body.get("output"))):
        events += replay_item(at, item)
    events.append({**terminal, "type": decode.status_event(status)})
    return [
        Frame(encode.frame({**event, "sequence_number": number}), opening=event["type"] in decode.OPENINGS)
        for number, event in enumerate(events)
    ]


def replay_item(at: int, item: Object) -> Iterator[Object]:
    """Return the events of one item; what is unknown about it is in output_item.done."""
    place: Object = {"item_id": text(item.get("id")), "output_index": at}
    empty: Object = {name: [] for name in ("content", "summary") if isinstance(item.get(name), list)}
    empty |= {"arguments": ""} if item.get("type") == "function_call" else {}
    started = {"status": "in_progress"} if "status" in item else {}
    yield {"type": "response.output_item.added", "output_index": at, "item": {**item, **empty, **started}}
    if item.get("type") == "message":
        for number, part in enumerate(objects(item.get("content"))):
            yield from _replay_part({**place, "content_index": number}, part)
    if item.get("type") == "reasoning":
        for number, part in enumerate(objects(item.get("summary"))):
            yield from _replay_summary({**place, "summary_index": number}, part)
    if item.get("type") == "function_call":
        arguments = text(item.get("arguments"))
        yield {"type": "response.function_call_arguments.delta", **place, "delta": arguments}
        name = text(item.get("name"))
        yield {"type": "response.function_call_arguments.done", **place, "name": name, "arguments": arguments}
    yield {"type": "response.output_item.done", "output_index": at, "item": item}


def _replay_part(place: Object, part: Object) -> Iterator[Object]:
    kind = text(part.get("type"))
    if kind not in ("output_text", "refusal"):
        return
    member = "refusal" if kind == "refusal" else "text"
    extra: Object = {} if kind == "refusal" else {"logprobs": objects(part.get("logprobs"))}
    words = text(part.get(member))
    yield {"type": "response.content_part.added", **place, "part": {**part, member: ""}}
    yield {"type": f"response.{kind}.delta", **place, "delta": words, **extra}
    yield {"type": f"response.{kind}.done", **place, member: words, **extra}
    yield {"type": "response.content_part.done", **place, "part": part}


def _replay_summary(place: Object, part: Object) -> Iterator[Object]:
    words = text(part.get("text"))
    yield {"type": "response.reasoning_summary_part.added", **place, "part": {**part, "text": ""}}
    yield {"type": "response.reasoning_summary_text.delta", **place, "delta": words}
    yield {"type": "response.reasoning_summary_text.done", **place, "text": words}
    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}


class ResponsesGatherer(Reader[Event]):
    """Makes one Response of a stream, of the upstream's own items: unknown ones stay as they are."""

    def __init__(self, model: str, identity: Identity) -> None:
        super().__init__()
        self._ledger = Ledger(model, identity)
        self._final: Object = {}

    def on_event(self, event: sse.Event) -> Iterator[Event]:
        if event.data.strip() == decode.DONE:
            return
        payload = parse_object(event.data)
        if payload is None:
            self.over = True
            yield Failed(failures.unreadable("an event is not a JSON object"))
            return
        kind = decode.kind_of(event, payload)
        if kind in decode.TERMINALS:
            kind = decode.outcome(kind, payload)
        if kind in decode.FAILURES:
            self.over = True
            yield Failed(decode.failure_in(kind, payload))
        elif kind in decode.TERMINALS:
            self.over = True
            self._final = self._ledger.final(kind, payload)
            yield Finished("stop", None)
        else:
            self._ledger.note(kind, payload)

    def on_end(self, cut: Failure | None) -> Iterator[Event]:
        self.over = True
        yield Failed(cut or failures.truncated())

    def result(self) -> Object:
        return self._final
