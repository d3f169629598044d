"""Responses streams and bodies, read into canonical events.

The same words come up to five times: as deltas, in the `done` events of text, part and item, and in the terminal's
output. Each place may also be the only one (litellm#25321). So every place *settles* what it says against what was
already told, and only the missing rest becomes a delta.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import StringIO
from itertools import takewhile

from gateproof_reference import citations, failures, sse, usage
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
    Cited,
    Event,
    Failed,
    Finished,
    PartBegan,
    Reason,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    Started,
    TextDelta,
)
from gateproof_reference.failures import Failure
from gateproof_reference.responses import resource
from gateproof_reference.streams import Decoder
from gateproof_reference.wirejson import Object, integer, objects, parse_object, text

DONE = b"[DONE]"

OPENINGS = ("response.created", "response.in_progress", "response.queued")
"""Events that say nothing about the answer yet."""

TERMINALS = ("response.completed", "response.done", "response.incomplete")
"""Events that end a turn without failure; `response.done` is an old name of completed (sub2api#2972)."""

FAILURES = ("response.failed", "response.cancelled", "error")
"""Events that end a turn as a failure."""

UNFINISHED = ("queued", "in_progress")

INCOMPLETE: dict[str, Reason] = {"max_output_tokens": "length", "content_filter": "content_filter"}
"""Why a turn is incomplete (litellm#37710). A reason that is not here cut the turn short all the same: length."""

WORDS: dict[str, type[TextDelta] | type[RefusalDelta] | type[ReasoningDelta]] = {
    "text": TextDelta,
    "refusal": RefusalDelta,
    "summary": ReasoningDelta,
    "reasoning": ReasoningDelta,
}
"""What each channel of an item is for a client. Reasoning is never text (litellm#32357)."""

VISIBLE = ("text", "refusal")
"""The channels of a message, whose parts stay apart (vercel/ai#15789)."""


def kind_of(event: sse.Event, payload: Object) -> str:
    """Return the type of an event; some upstreams tell it in the `event:` line only (sub2api#2530)."""
    return text(payload.get("type")) or event.name


def usage_in(event: Object) -> usage.Usage | None:
    """Return the usage of a terminal event: in its response, else at the event itself."""
    response = event.get("response")
    inside = usage.read(response.get("usage"), usage.RESPONSES) if isinstance(response, dict) else None
    return inside or usage.read(event.get("usage"), usage.RESPONSES)


def failure_in(kind: str, event: Object) -> Failure:
    """Return the failure that a `response.failed`, `response.cancelled` or `error` event tells."""
    if kind == "error":
        return failures.read_event(event)
    response = event.get("response")
    error = response.get("error") if isinstance(response, dict) else event.get("error")
    if kind == "response.cancelled" and not error:
        return failures.cancelled()
    return failures.read(error)


def outcome(kind: str, event: Object) -> str:
    """Return the type that a terminal event really has: the status of its response, if that is less than completed."""
    response = event.get("response")
    status = text(response.get("status")) if isinstance(response, dict) else ""
    if status in ("failed", "cancelled", "incomplete"):
        return f"response.{status}"
    return "response.completed" if kind == "response.done" else kind


def missing(told: str, whole: str) -> str:
    """Return what of `whole` was not told yet.

    If the two differ in what was told, nothing is: a client cannot take back a delta, and saying it again is worse.
    """
    return whole[len(told) :] if whole.startswith(told) else ""


@dataclass(slots=True)
class _Item:
    kind: str
    id: str = ""
    call_id: str = ""
    index: int | None = None
    arguments: StringIO = field(default_factory=StringIO)
    told: defaultdict[tuple[str, int], StringIO] = field(default_factory=lambda: defaultdict(StringIO))
    """Words by channel and place; collected in a buffer, because adding to a string copies what is there every time."""
    cited: set[Cited] = field(default_factory=set)
    in_terminal: bool = False
    sealed: bool = False


class ResponsesDecoder(Decoder):
    """Reads one turn."""

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self._items: list[_Item] = []
        self._at: dict[tuple[str, int | None], _Item] = {}
        self._announced = 0
        self._telling: tuple[_Item, int] | None = None
        """The part whose words were told last: its item and its place."""

    def on_event(self, event: sse.Event) -> Iterable[Event]:
        payload = parse_object(event.data)
        if payload is not None:
            return self.on_payload(kind_of(event, payload), payload)
        if event.data.strip() == DONE:
            return ()
        self.over = True
        return (Failed(failures.unreadable("an event is not a JSON object")),)

    def on_payload(self, kind: str, event: Object) -> Iterable[Event]:
        """Read one event. Unknown ones, of hosted tools too, are silently consumed (openresponses.org 2026-04-24)."""
        if handler := HANDLERS.get(kind):
            return handler(self, event)
        if kind in FAILURES:
            return self.on_failure(kind, event)
        if kind in TERMINALS:
            return self.on_terminal(kind, event)
        return self.on_opening(event) if kind in OPENINGS else ()

    def on_end(self, cut: Failure | None) -> Iterator[Event]:
        self.over = True
        yield Failed(cut or failures.truncated())

    # -- the turn

    def on_opening(self, event: Object) -> Iterator[Event]:
        """Read created, in_progress or queued: the first of them starts the turn."""
        response = event.get("response")
        if not self._started and isinstance(response, dict):
            self._started = True
            yield Started(text(response.get("id")) or None, text(response.get("model")) or None)

    def on_failure(self, kind: str, event: Object) -> Iterator[Event]:
        """Read the end of a turn that is no success."""
        self.over = True
        yield Failed(failure_in(kind, event))

    def on_terminal(self, kind: str, event: Object) -> Iterator[Event]:
        """Read the end of a turn. Without its response object it ends with what was streamed."""
        response = event.get("response")
        response = response if isinstance(response, dict) else {}
        real = outcome(kind, event)
        if real in FAILURES:
            yield from self.on_failure(real, event)
            return
        yield from self.on_opening(event)
        yield from self.on_output(objects(response.get("output")))
        yield from self.on_calls_end()
        self.over = True
        yield Finished(self.reason(real, response), usage_in(event))

    def reason(self, kind: str, response: Object) -> Reason:
        """Return why the turn ended."""
        if kind == "response.incomplete":
            details = response.get("incomplete_details")
            return INCOMPLETE.get(text(details.get("reason")) if isinstance(details, dict) else "", "length")
        return "tool_calls" if self._announced else "stop"

    def on_output(self, output: list[Object]) -> Iterator[Event]:
        """Settle the terminal's output."""
        for position, raw in enumerate(output):
            item = self._same(raw, position)
            item.in_terminal = True
            yield from self.settle_item(item, raw)

    def on_calls_end(self) -> Iterator[Event]:
        """Give calls without arguments the empty object, which is what they mean (litellm#5064)."""
        for item in self._items:
            if item.index is not None and not item.arguments.getvalue().strip():
                yield CallArguments(item.index, "{}")

    # -- items

    def on_item_added(self, event: Object) -> Iterator[Event]:
        """Read output_item.added. What an item already holds here is told when it is done: it may come as deltas."""
        raw = event.get("item")
        if isinstance(raw, dict):
            item = self._find(event, text(raw.get("type")), raw) or self._open(event, text(raw.get("type")), raw)
            yield from self.announce(item, raw)

    def on_item_done(self, event: Object) -> Iterator[Event]:
        """Settle output_item.done."""
        raw = event.get("item")
        if isinstance(raw, dict):
            item = self._find(event, text(raw.get("type")), raw) or self._open(event, text(raw.get("type")), raw)
            yield from self.settle_item(item, raw)

    def announce(self, item: _Item, raw: Object) -> Iterator[Event]:
        """Start a call, once, as soon as its name is known."""
        name = text(raw.get("name"))
        if item.kind == "function_call" and item.index is None and name:
            item.call_id = text(raw.get("call_id")) or text(raw.get("id")) or f"call_{self._announced}"
            item.index = self._announced
            self._announced += 1
            yield CallStarted(item.index, item.call_id, name)

    def settle_item(self, item: _Item, raw: Object) -> Iterator[Event]:
        """Tell what of a whole item was not told yet."""
        if item.kind == "function_call":
            yield from self.announce(item, raw)
            yield from self.settle_arguments(item, text(raw.get("arguments")))
        # The summary first, as it is streamed: both modes then tell reasoning in the same order.
        for at, part in enumerate(objects(raw.get("summary"))):
            yield from self.settle(item, "summary", at, text(part.get("text")))
        for at, part in enumerate(objects(raw.get("content"))):
            yield from self.settle_part(item, at, part)
        seal = text(raw.get("encrypted_content"))
        if item.kind == "reasoning" and seal and not item.sealed:
            item.sealed = True
            thought = resource.thought("", seal)
            yield ReasoningSealed(thought.seal, thought.redacted)

    def settle_part(self, item: _Item, at: int, part: Object) -> Iterator[Event]:
        """Tell what of a whole content part was not told yet."""
        match part.get("type"):
            case "output_text":
                yield from self.settle(item, "text", at, text(part.get("text")))
                for annotation in objects(part.get("annotations")):
                    yield from self.cite(item, at, annotation)
            case "refusal":
                yield from self.settle(item, "refusal", at, text(part.get("refusal")))
            case "reasoning_text":
                yield from self.settle(item, "reasoning", at, text(part.get("text")))
            case _:
                pass

    def cite(self, item: _Item, at: int, annotation: Object) -> Iterator[Event]:
        """Tell a citation, once; its place is counted from the start of its part, which is this far into the text."""
        earlier = takewhile(lambda other: other is not item, self._items)
        before = [words for other in earlier for (channel, _), words in other.told.items() if channel == "text"]
        before += [words for (channel, place), words in item.told.items() if channel == "text" and place < at]
        cited = citations.read(annotation, sum(len(words.getvalue()) for words in before))
        if cited is not None and cited not in item.cited:
            item.cited.add(cited)
            yield cited

    def settle(self, item: _Item, channel: str, at: int, whole: str) -> Iterable[Event]:
        """Tell the rest of some words."""
        return self.tell(item, channel, at, missing(item.told[channel, at].getvalue(), whole))

    def tell(self, item: _Item, channel: str, at: int, words: str) -> Iterable[Event]:
        """Tell words that are new."""
        if not words:
            return ()
        item.told[channel, at].write(words)
        told = WORDS[channel](words)
        if channel not in VISIBLE:
            return (told,)
        before, self._telling = self._telling, (item, at)
        another = before is not None and (before[0] is not item or before[1] != at)
        return (PartBegan(), told) if another else (told,)

    def settle_arguments(self, item: _Item, whole: str) -> Iterable[Event]:
        """Tell the rest of a call's arguments."""
        return self.tell_arguments(item, missing(item.arguments.getvalue(), whole))

    def tell_arguments(self, item: _Item, more: str) -> Iterable[Event]:
        """Tell arguments that are new; a call without a name was never started, and cannot have any."""
        if item.index is None or not more:
            return ()
        item.arguments.write(more)
        return (CallArguments(item.index, more),)

    # -- pieces of items

    def on_words(self, event: Object, kind: str, channel: str) -> Iterable[Event]:
        """Read a delta of text, refusal or reasoning. Words of an item that was never added are words all the same."""
        item = self._find(event, kind) or self._open(event, kind)
        return self.tell(item, channel, place(event), text(event.get("delta")))

    def on_words_done(self, event: Object, kind: str, channel: str) -> Iterable[Event]:
        """Settle the words that end here."""
        item = self._find(event, kind) or self._open(event, kind)
        whole = text(event.get("refusal" if channel == "refusal" else "text"))
        return self.settle(item, channel, place(event), whole)

    def on_annotation(self, event: Object) -> Iterator[Event]:
        """Read a citation of words that were told."""
        annotation = event.get("annotation")
        if isinstance(annotation, dict):
            item = self._find(event, "message") or self._open(event, "message")
            yield from self.cite(item, place(event), annotation)

    def on_part_done(self, event: Object) -> Iterator[Event]:
        """Settle a content part."""
        part = event.get("part")
        if isinstance(part, dict):
            kind = "reasoning" if part.get("type") == "reasoning_text" else "message"
            item = self._find(event, kind) or self._open(event, kind)
            yield from self.settle_part(item, place(event), part)

    def on_summary_part_done(self, event: Object) -> Iterator[Event]:
        """Settle a part of a reasoning summary."""
        part = event.get("part")
        if isinstance(part, dict):
            item = self._find(event, "reasoning") or self._open(event, "reasoning")
            yield from self.settle(item, "summary", place(event), text(part.get("text")))

    def on_arguments(self, event: Object) -> Iterable[Event]:
        """Read a delta of arguments. For a call that was never added it is ignored: a call needs a name."""
        item = self._find(event, "function_call")
        return () if item is None else self.tell_arguments(item, text(event.get("delta")))

    def on_arguments_done(self, event: Object) -> Iterable[Event]:
        """Settle the arguments of a call."""
        item = self._find(event, "function_call")
        return () if item is None else self.settle_arguments(item, text(event.get("arguments")))

    # -- which item is it

    def _find(self, event: Object, kind: str, raw: Object | None = None) -> _Item | None:
        """Return the item that an event is about: by output_index, else by id (some upstreams rotate ids)."""
        there = self._at.get((kind, integer(event.get("output_index"))))
        if there is not None:
            return there
        name = text((raw or {}).get("id")) or text(event.get("item_id"))
        return next((item for item in self._items if name and item.id == name and item.kind == kind), None)

    def _open(self, event: Object, kind: str, raw: Object | None = None) -> _Item:
        item = _Item(kind, text((raw or {}).get("id")) or text(event.get("item_id")))
        self._items.append(item)
        self._at[kind, integer(event.get("output_index")) or 0] = item
        return item

    def _same(self, raw: Object, position: int) -> _Item:
        """Return the streamed item that an item of the terminal's output is: by id, by place, else the next of its kind.

        The terminal may leave items out, and may know them by other ids.
        """
        kind = text(raw.get("type"))
        rest = [item for item in self._items if item.kind == kind and not item.in_terminal]
        for item in rest:
            if (item.id and item.id == raw.get("id")) or (item.call_id and item.call_id == raw.get("call_id")):
                return item
        there = self._at.get((kind, position))
        if there in rest:
            return there
        return rest[0] if rest else self._open({"output_index": position}, kind, raw)


def place(event: Object) -> int:
    """Return which part of its item an event is about."""
    at = integer(event.get("content_index"))
    return at if at is not None else integer(event.get("summary_index")) or 0


Handler = Callable[[ResponsesDecoder, Object], Iterable[Event]]


def _words(kind: str, channel: str) -> Handler:
    return lambda decoder, event: decoder.on_words(event, kind, channel)


def _words_done(kind: str, channel: str) -> Handler:
    return lambda decoder, event: decoder.on_words_done(event, kind, channel)


HANDLERS: dict[str, Handler] = {
    "response.output_item.added": lambda decoder, event: decoder.on_item_added(event),
    "response.output_item.done": lambda decoder, event: decoder.on_item_done(event),
    "response.output_text.delta": _words("message", "text"),
    "response.output_text.done": _words_done("message", "text"),
    "response.output_text.annotation.added": lambda decoder, event: decoder.on_annotation(event),
    "response.refusal.delta": _words("message", "refusal"),
    "response.refusal.done": _words_done("message", "refusal"),
    "response.content_part.done": lambda decoder, event: decoder.on_part_done(event),
    "response.reasoning_summary_text.delta": _words("reasoning", "summary"),
    "response.reasoning_summary_text.done": _words_done("reasoning", "summary"),
    "response.reasoning_summary_part.done": lambda decoder, event: decoder.on_summary_part_done(event),
    "response.reasoning_text.delta": _words("reasoning", "reasoning"),
    "response.reasoning_text.done": _words_done("reasoning", "reasoning"),
    # Open Responses calls the same thing so (openresponses.org 2026-04-24).
    "response.reasoning.delta": _words("reasoning", "reasoning"),
    "response.reasoning.done": _words_done("reasoning", "reasoning"),
    "response.function_call_arguments.delta": lambda decoder, event: decoder.on_arguments(event),
    "response.function_call_arguments.done": lambda decoder, event: decoder.on_arguments_done(event),
}
"""What each event of an answer does; the rest of the vocabulary changes nothing for a client of another API."""


def body_fault(body: Object) -> Failure | None:
    """Return the failure that a JSON answer with status 200 really is; a Response that failed is still a Response."""
    if text(body.get("status")) or isinstance(body.get("output"), list):
        return None
    if body.get("error"):
        return failures.read(body["error"])
    return failures.unreadable("it is no Response")


def decode_body(body: Object) -> list[Event]:
    """Return the turn in a JSON answer, which is the terminal of a stream without the rest."""
    fault = body_fault(body)
    if fault is not None:
        return [Failed(fault)]
    status = text(body.get("status")) or "completed"
    if status in UNFINISHED:
        return [Failed(failures.unfinished(status))]
    event: Object = {"type": f"response.{status}", "response": body}
    return list(ResponsesDecoder().on_payload(status_event(status), event))


def status_event(status: str) -> str:
    """Return the event that a status would have been announced with."""
    event = f"response.{status}"
    return event if event in (*TERMINALS, *FAILURES) else "response.completed"
