"""What several cases read out of an answer."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.answers.document import parse
from gateproof.answers.sse import Event, EventReader
from gateproof.exchange import Exchange
from gateproof.stagehands import CheckHand


def events_of_type(answer: Answer, kind: str) -> list[dict[str, Any]]:
    """Responses events of one type."""
    return [e for e in answer.events if isinstance(e, dict) and e.get("type") == kind]


def chunks(answer: Answer) -> list[dict[str, Any]]:
    """Chat chunks that are no errors."""
    return [e for e in answer.events if isinstance(e, dict) and not e.get("error")]


def choices(answer: Answer) -> list[dict[str, Any]]:
    """The choices of all chunks, in order."""
    found: list[dict[str, Any]] = []
    for chunk in chunks(answer):
        held = chunk.get("choices")
        found.extend(c for c in (held if isinstance(held, list) else []) if isinstance(c, dict))
    return found


def text_blocks(answer: Answer) -> list[str]:
    """The text of each text block of a Messages answer."""
    whole = dig(answer.body, "content")
    blocks = [str(dig(b, "text")) for b in (whole if isinstance(whole, list) else []) if dig(b, "type") == "text"]
    for start in events_of_type(answer, "content_block_start"):
        if dig(start, "content_block", "type") == "text":
            deltas = [e for e in events_of_type(answer, "content_block_delta") if e.get("index") == start.get("index")]
            blocks.append("".join(str(dig(e, "delta", "text") or "") for e in deltas))
    return blocks


def place(index: Any) -> Any:
    """An index as a key: what is no integer by its looks, for it may be anything."""
    small = isinstance(index, int) and abs(index) < 2**53
    return index if index is None or small else repr(index)[:40]


def assert_calls(answer: Answer, check: CheckHand, *wanted: tuple[str, str]) -> None:
    """That exactly these calls were made: name and arguments, to the letter where both sides write arguments as text.

    On Messages they are an object, which has no letters to keep.
    """
    read = value_of if check.has_messages else _text
    made = [(name, read(arguments)) for name, arguments in answer.calls]
    assert made == [(name, read(arguments)) for name, arguments in wanted], f"calls: {answer.calls!r}"


def _text(arguments: Any) -> Any:
    return arguments


def value_of(arguments: Any) -> Any:
    """The value of arguments; words that say so where they are no JSON."""
    try:
        return parse(arguments)
    except (TypeError, ValueError):
        return f"no JSON: {arguments!r}"


def is_stream(exchange: Exchange) -> bool:
    """Whether the client's leg is to be read as an event stream."""
    return exchange.mode == "stream" and exchange.answer.status == 200


def wire_events(exchange: Exchange) -> tuple[list[tuple[Event, Any]], bool]:
    """The events of the client's leg with their names, each with its JSON document, which is no object where there is none.

    And whether another was begun and not dispatched.
    """
    events, pending = _read(exchange.wire)
    read = exchange.answer.events
    # Of an answer that is too long the client read no more.
    unread = [_document(event.data) for event in events[len(read) :]]
    return list(zip(events, [*read, *unread], strict=False)), pending


@lru_cache(maxsize=1)
def _read(wire: bytes) -> tuple[list[Event], bool]:
    """Kept for the next invariant that looks at the same exchange."""
    reader = EventReader()
    return reader.feed(wire, 0.0), reader.pending


def _document(data: str) -> Any:
    try:
        return parse(data)
    except ValueError:
        return None


def event_names(exchange: Exchange) -> list[str]:
    """The names of the events, [DONE] left out; "" where there was no event line."""
    return [event.name for event, _ in wire_events(exchange)[0] if event.data.strip() != "[DONE]"]
