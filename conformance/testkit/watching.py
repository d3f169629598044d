"""What the invariants say of an exchange that a test made up."""

from __future__ import annotations

from collections.abc import Collection

from gateproof.answers.answer import Answer
from gateproof.exchange import Exchange
from gateproof.pairs import Pair
from gateproof.registry import watching


def exchanged(answer: Answer, wire: bytes, *, surface: str, mode: str, clean: bool = True) -> Exchange:
    """An exchange, over a chat upstream, whose client's leg was these bytes, read as this answer."""
    return Exchange(
        pair=Pair(surface, "chat"),
        mode=mode,
        marker="gp-aaaaaa-bbbbbbbb",
        scripts=(),
        method="POST",
        path="/v1/x",
        request_headers=[],
        request_body=b"{}",
        began=0.0,
        answer=answer,
        wire=wire,
        clean=clean,
    )


def watched(seen: Exchange, *, but: Collection[str] = ()) -> dict[str, list[str]]:
    """Id and sentences of every invariant that applies `but` these, those that saw nothing left out."""
    found = {}
    for requirement, watch in watching(seen.pair, seen.mode):
        if requirement.id not in but:
            sentences = watch(seen)
            if sentences is not None:
                found[requirement.id] = list(sentences)
    return found
