"""Whole HTTP answers, for what a script cannot say: another framing or another kind of body than was asked for."""

from __future__ import annotations

import json
from typing import Any

from gateproof.exchange import Exchange
from gateproof_mock import refused, script
from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects.steps import Write
from gateproof_mock.language.turns import Element, Refused

EVENTS = "text/event-stream"


def body(dialect: str, *turn: Element) -> Any:
    """The JSON answer that a turn is in a dialect."""
    return json.loads(_rendered(dialect, turn, stream=False))


def stream(dialect: str, *turn: Element) -> str:
    """The event stream that a turn is in a dialect; nobody asked it for usage."""
    return _rendered(dialect, turn, stream=True)


def answered(dialect: str, mode: str, *turn: Element, gzip: bool = False, **headers: str) -> Refused:
    """A turn as a whole HTTP answer with status 200 of the kind that was asked for, compressed or with headers of its own."""
    if mode == "stream":
        return refused(200, stream(dialect, *turn), gzip=gzip, content_type=EVENTS, **headers)
    return refused(200, body(dialect, *turn), gzip=gzip, **headers)


def completion_id() -> str:
    """An id for chunks that no script says: another each time, as providers' are, for a gateway may store answers by it."""
    return Asked(body={}).new_id("chatcmpl")


def chunked(*chunks: Any) -> Refused:
    """A chat stream of exactly these chunks, each one JSON document."""
    told = (*map(json.dumps, chunks), "[DONE]")
    return refused(200, "".join(f"data: {data}\n\n" for data in told), content_type=EVENTS)


def modes(exchange: Exchange) -> list[str]:
    """The mode of each upstream call. Some gateways ask for JSON first, and for the stream after it."""
    return ["stream" if call["stream"] else "json" for call in exchange.calls if call["kind"] == "turn"]


def _rendered(dialect: str, turn: tuple[Element, ...], *, stream: bool) -> str:
    asked = Asked(body={"model": "canned", "stream": stream})
    steps = DIALECTS[dialect].render(script(*turn), asked)
    return b"".join(step.data for step in steps if isinstance(step, Write)).decode()
