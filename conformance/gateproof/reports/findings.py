"""What a check's message says, taken apart: what was expected, what came, and the case's own words."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_OPERATORS = {
    "==": "{}",
    "!=": "anything but {}",
    "in": "one of {}",
    "not in": "none of {}",
    "is": "{}",
    "is not": "anything but {}",
    "<=": "at most {}",
    ">=": "at least {}",
    "<": "less than {}",
    ">": "more than {}",
}
_OPERATOR = re.compile(r" (==|!=|not in|in|is not|is|<=|>=|<|>) ")
_CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_SEEN = re.compile(r"seen in \d+ of \d+ exchanges, first in \S+")
_PASSING = re.compile(r"gp-[a-z0-9]+-[a-z0-9]+|\d+")
"""What differs between two messages that say the same: markers of exchanges, and numbers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A message in parts; each may be "". `words` is what the case said, `seen` where an invariant saw it first."""

    words: str
    expected: str
    got: str
    seen: str


def finding(message: str) -> Finding:
    """Take a record's message apart. An assertion that compares nothing (`assert False`) says nothing and is left out."""
    lines = message.splitlines()
    seen = " ".join(line for line in lines if _SEEN.fullmatch(line))
    lines = [line for line in lines if not _SEEN.fullmatch(line)]
    at = next((n for n, line in enumerate(lines) if line.startswith("assert ")), None)
    if at is None:
        return Finding("\n".join(lines), "", "", seen)
    words = "\n".join(lines[:at])
    compared = _compared(lines[at].removeprefix("assert "))
    if compared:
        return Finding(words, *compared, seen)
    # Without words of its own, the bare assertion is all there is.
    return Finding(words or "\n".join(lines[at:]), "", "", seen)


def counted(messages: Iterable[str]) -> list[tuple[str, int]]:
    """Messages that say the same, once and with their number, in the order in which they came."""
    first: dict[str, str] = {}
    number: dict[str, int] = {}
    for message in messages:
        shape = _PASSING.sub("#", _SEEN.sub("", message))
        first.setdefault(shape, message)
        number[shape] = number.get(shape, 0) + 1
    return [(message, number[shape]) for shape, message in first.items()]


def _compared(assertion: str) -> tuple[str, str] | None:
    """(expected, got) of `got == expected`: the suite's assertions have what came on the left."""
    for match in _OPERATOR.finditer(assertion):
        if _whole(assertion[: match.start()]) and _whole(assertion[match.end() :]):
            return _OPERATORS[match[1]].format(assertion[match.end() :]), assertion[: match.start()]
    return None


def _whole(text: str) -> bool:
    """Whether no quote and no bracket is left open: if one is, an operator beside it stands inside a value."""
    open_: list[str] = []
    quote, escaped = "", False
    for character in text:
        if quote:
            if escaped:
                escaped = False
            elif character == "\\":
                escaped = True
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character in _CLOSING:
            open_.append(_CLOSING[character])
        elif open_ and character == open_[-1]:
            open_.pop()
    return not quote and not open_
