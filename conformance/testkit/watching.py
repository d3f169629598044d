"""What the invariants say of an exchange that a test made up."""

from __future__ import annotations

from collections.abc import Collection

from gateproof.answers.answer import Answer
from gateproof.catalogue import catalogue
from gateproof.exchange import Exchange
from gateproof.pairs import Pair
from gateproof.registry import invariants


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
    for id, watch in invariants().items():
        requirement = catalogue()[id]
        if id not in but and seen.pair in requirement.pairs and seen.mode in requirement.modes:
            sentences = watch(seen)
            if sentences is not None:
                found[id] = list(sentences)
    return found
