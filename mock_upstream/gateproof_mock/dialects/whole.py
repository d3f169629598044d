"""Answers that are one whole HTTP body: refusals, and JSON that may be cut short."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.sse import sized
from gateproof_mock.dialects.steps import Break, Head, Rest, Step, Wait, Write
from gateproof_mock.jsontext import dumps
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import Cut, Element, ErrorEvent, Failed, Hold, Pause, Refused, Text
from gateproof_mock.language.wire import Wire

CREDENTIAL = "{credential}"
MARKER = "{marker}"
_PLAIN = Wire()


def quoting(script: Script, asked: Asked) -> Script:
    """The script with `{credential}` in its failure's message become the key that the gateway sent (hermes-agent#54087), and
    `{marker}` in its text the call's marker."""
    turn: tuple[Element, ...] = script.turn
    ending = script.ending
    if isinstance(ending, Failed | ErrorEvent) and CREDENTIAL in ending.message:
        said = replace(ending, message=ending.message.replace(CREDENTIAL, asked.credential))
        turn = tuple(said if e is ending else e for e in turn)
    if any(isinstance(e, Text) and any(MARKER in p for p in e.pieces) for e in turn):
        turn = tuple(
            replace(e, pieces=tuple(p.replace(MARKER, asked.marker) for p in e.pieces)) if isinstance(e, Text) else e
            for e in turn
        )
    return script if turn is script.turn else replace(script, turn=turn)


def quotes_credential(script: Script) -> bool:
    """Whether an answer of this script may hold the caller's key, so that it is no other caller's."""
    ending = script.ending
    if isinstance(ending, Failed | ErrorEvent):
        return CREDENTIAL in ending.message
    return isinstance(ending, Refused) and CREDENTIAL in repr(ending.body)


def waits(script: Script) -> Iterator[Step]:
    """The turn's holds and pauses, which an answer in one piece does before its first byte."""
    for element in script.turn:
        if isinstance(element, Hold):
            yield Wait(element.name)
        elif isinstance(element, Pause):
            yield Rest(element.seconds)


def refusal(refused: Refused, asked: Asked, wire: Wire = _PLAIN) -> Iterator[Step]:
    """The HTTP answer of a `Refused`."""
    named: dict[str, str] = {}
    if isinstance(refused.body, str):
        data = refused.body.encode("utf-8", "surrogatepass")
        kind = "text/html" if refused.body.lstrip().startswith("<") else "text/plain"
        named |= {"Content-Type": f"{kind}; charset=utf-8"}
    elif refused.body is None:
        data = b""
    else:
        data = dumps(refused.body, ascii=wire.ascii)
        named |= {"Content-Type": "application/json"}
    data = data.replace(CREDENTIAL.encode(), asked.credential.encode("latin-1", "replace"))
    if any(name.lower() == "content-type" for name in refused.headers):
        named = {}
    if refused.gzip:
        data = gzip.compress(data, mtime=0)
        named |= {"Content-Encoding": "gzip"}
    yield from _answer(Head(refused.status, {**named, **refused.headers}, len(data)), [Write(data)], wire)


def whole_json(
    document: Mapping[str, Any],
    status: int = 200,
    cut: Cut | None = None,
    headers: Mapping[str, str] | None = None,
    wire: Wire = _PLAIN,
) -> Iterator[Step]:
    """A JSON answer; with a cut, its first half."""
    data = dumps(document, ascii=wire.ascii)
    headers = {"Content-Type": "application/json", **(headers or {})}
    if cut is None:
        yield from _answer(Head(status, headers, len(data)), [Write(data)], wire)
        return
    # A clean end of half a document needs chunks: Content-Length would make the shortness a fault of the transfer.
    half = Write(data[: len(data) // 2], promised=len(data) if cut.where == "chunk" else 0)
    clean = cut.how == "eof" or cut.where == "chunk"
    yield from _answer(Head(status, headers, None if clean else len(data)), [half], wire)
    if cut.how != "eof":
        yield Break(cut.how)


def _answer(head: Head, body: list[Step], wire: Wire) -> Iterator[Step]:
    if wire.head_delay:
        yield Rest(wire.head_delay)
    yield head
    yield from sized(body, wire)
