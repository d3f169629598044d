"""JSON as it is read from and written to the wire: UTF-8, compact, and of bounded depth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

DEPTH_LIMIT = 128
"""Nesting of JSON that is read. What can be read can be written again: each is a recursion in the `json` module."""


def dumps(document: object, *, ascii: bool = False) -> bytes:
    """Compact JSON in UTF-8. Non-ASCII is written raw, as providers do; half a surrogate pair can only be escaped."""
    if ascii:
        return json.dumps(document, separators=(",", ":")).encode()
    try:
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(document, separators=(",", ":")).encode()


def parsed(body: bytes) -> Any:
    """The JSON document of a body; None for what is not JSON in UTF-8, or deeper than DEPTH_LIMIT."""
    try:
        document = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    # Only who has that many brackets can be that deep.
    if body.count(b"[") + body.count(b"{") > DEPTH_LIMIT and too_deep(document):
        return None
    return document


def too_deep(document: object) -> bool:
    """Whether lists and objects are nested deeper than DEPTH_LIMIT."""
    level: list[Any] = [document]
    for _ in range(DEPTH_LIMIT + 1):
        level = [
            child
            for value in level
            if isinstance(value, Mapping | list | tuple)
            for child in (value.values() if isinstance(value, Mapping) else value)
        ]
        if not level:
            return False
    return True


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
