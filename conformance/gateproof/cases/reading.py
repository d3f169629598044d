"""What several cases read out of an answer."""

from __future__ import annotations

from typing import Any

from gateproof.answers.answer import Answer
from gateproof.answers.sse import Event, EventReader
from gateproof.exchange import Exchange


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


def is_stream(exchange: Exchange) -> bool:
    """Whether the client's leg is to be read as an event stream."""
    return exchange.mode == "stream" and exchange.answer.status == 200


def wire_events(exchange: Exchange) -> list[Event]:
    """The events of the client's leg with their names."""
    return EventReader().feed(exchange.wire, 0.0)


def event_names(exchange: Exchange) -> list[str]:
    """The names of the events, [DONE] left out; "" where there was no event line."""
    return [e.name for e in wire_events(exchange) if e.data.strip() != "[DONE]"]
