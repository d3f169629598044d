"""JSON as a client reads it, out of any bytes: a document or a ValueError, and nothing that surprises later."""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 200
"""Levels of nesting. No document of the APIs has twenty; what is deeper makes recursive code fail far from here."""

_LONGEST_INTEGER = 300


def _integer(digits: str) -> int | float:
    # Python refuses long integers, and JavaScript has none: there they are infinite.
    return int(digits) if len(digits) <= _LONGEST_INTEGER else float(digits)


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_refuse)


def parse(text: str) -> Any:
    """The document. Raises ValueError, also for NaN and Infinity, which Python's own reader takes for numbers."""
    try:
        document = _DECODER.decode(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if text.count("[") + text.count("{") > DEEPEST:
        _measure(document)
    return document


def parse_body(data: bytes) -> Any:
    """The document of a body in UTF-8 (RFC 8259), with or without a byte order mark. Raises ValueError."""
    return parse(data.decode("utf-8-sig"))


def _measure(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise ValueError("nested too deeply")


def _children(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
