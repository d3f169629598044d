"""The bytes of a stream, and its headers."""

from __future__ import annotations

import json

from gateproof.answers.sse import EventReader
from gateproof.cases.reading import wire_events
from gateproof.exchange import Exchange
from gateproof.registry import invariant

_MAY_HAVE_NO_NUMBER = ("response.failed", "error", "keepalive")


def _is_stream(exchange: Exchange) -> bool:
    kind = exchange.answer.headers.get("content-type", "")
    return exchange.answer.status == 200 and "text/event-stream" in kind


@invariant("wire.sse-is-clean")
def sse_is_clean(exchange: Exchange) -> list[str] | None:
    if not _is_stream(exchange) or not exchange.wire:
        return None
    found: dict[str, None] = {}
    raw = exchange.wire
    if raw.startswith(b"\xef\xbb\xbf"):
        found["a byte order mark"] = None
    if b"\r" in raw.replace(b"\r\n", b""):
        found["a lone carriage return as line end"] = None
    for block in raw.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line for line in block.split(b"\n") if line]
        if lines and not any(line.startswith((b"data", b":")) for line in lines):
            found[f"a block without data: {block[:60]!r}"] = None
    reader = EventReader()
    for event in reader.feed(raw, 0.0):
        if event.data.strip() == "[DONE]":
            continue
        try:
            fine = isinstance(json.loads(event.data), dict)
        except (ValueError, RecursionError):
            fine = False
        if not fine:
            found[f"data that is no JSON object: {event.data[:60]!r}" if event.data else "an empty data line"] = None
    if reader.pending and exchange.clean:
        found["the last event has no blank line after it"] = None
    return list(found)


@invariant("wire.event-name-is-its-type")
def event_name_is_its_type(exchange: Exchange) -> list[str] | None:
    if not _is_stream(exchange):
        return None
    found: dict[str, None] = {}
    seen = 0
    for event in wire_events(exchange):
        try:
            data = json.loads(event.data)
        except (ValueError, RecursionError):
            continue
        if not isinstance(data, dict):
            continue
        seen += 1
        kind = data.get("type")
        if not isinstance(kind, str):
            found[f"an event without a type: {event.data[:80]}"] = None
        elif event.name and event.name != kind:
            found[f"event: {event.name}, but type {kind}"] = None
    return list(found)[:5] if seen else None


@invariant("wire.sequence-numbers-increase")
def sequence_numbers_increase(exchange: Exchange) -> list[str] | None:
    events = [e for e in exchange.answer.events if isinstance(e, dict)]
    numbers = [e["sequence_number"] for e in events if "sequence_number" in e]
    if not numbers:
        # A relay of a provider without numbers has none to pass on; a translator makes its own events.
        return ["no event has a sequence_number"] if events and exchange.pair.translated else None
    wrong = [n for n in numbers if not isinstance(n, int) or isinstance(n, bool)]
    if wrong:
        return [f"{wrong[0]!r} is no number"]
    for before, after in zip(numbers, numbers[1:], strict=False):
        if after <= before:
            return [f"{after} after {before}"]
    return []


@invariant("wire.content-type-fits")
def content_type_fits(exchange: Exchange) -> list[str] | None:
    answer = exchange.answer
    if not answer.status:
        return None
    kind = answer.headers.get("content-type", "")
    wanted = "text/event-stream" if exchange.mode == "stream" and answer.status == 200 else "application/json"
    if kind.split(";")[0].strip().lower() == wanted:
        return []
    return [f"HTTP {answer.status} with content type {kind or '(none)'!r}, not {wanted}"]
