"""What may happen to a part of a question that the upstream's API has no word for: it is mapped, refused, or its loss is
documented. Never is it lost in silence."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from gateproof.answers.answer import ERROR, Answer
from gateproof.cases.canned import modes
from gateproof.stagehands import Ask, CheckHand


def is_refusal(ask: Ask, answer: Answer) -> bool:
    """Whether the client was told that this cannot be asked, and the upstream was not asked: a 4xx, or an error in-band
    where a keepalive was out already."""
    told = 400 <= answer.status < 500 or (answer.status == 200 and answer.outcome == ERROR)
    return told and not ask.last.calls


def is_other_mode(ask: Ask, check: CheckHand) -> bool:
    """Whether the gateway asked its upstream in the other mode only, so that a canned answer in this one says nothing of it."""
    asked = modes(ask.last)
    return bool(asked) and check.mode not in asked


def is_documented(check: CheckHand, claims: Mapping[str, Any], name: str) -> bool:
    """Whether the gateway's claims list this as left out on this pair."""
    listed = claims.get("leaves_out", {})
    return any(fnmatchcase(str(check.pair), glob) and name in names for glob, names in listed.items())


def in_order(text: str, words: list[str]) -> bool:
    """Whether all of these are in the text, each after the one before."""
    at = 0
    for word in words:
        found = text.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return True
