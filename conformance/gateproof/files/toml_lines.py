"""On which line of a TOML document does a key stand? `tomllib` forgets it, and a user wants to be told."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping

KeyPath = tuple[str | int, ...]
"""`("known", 0, "reason")`: keys of tables, and positions in arrays."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANKS = re.compile(r"[ \t]*")
_GAP = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r"""
    "{3} (?: [^\\] | \\. )*? "{3,5}    # up to two quotes may stand before the three that end it
    | '{3} .*? '{3,5}
    | " (?: [^"\\\n] | \\. )* "
    | ' [^'\n]* '
    """,
    re.DOTALL | re.VERBOSE,
)
_PLAIN_VALUE = re.compile(r"[^,\]}\n#]*")


def key_lines(text: str) -> dict[KeyPath, int]:
    """The line, from 1, where each table, key and element of an array is first named. The text has to be valid TOML."""
    return _Scanner(text).scanned()


def line_of(lines: Mapping[KeyPath, int], key: KeyPath) -> int | None:
    """The line of a key, or of the nearest thing that encloses it; None for a key of which nothing is there."""
    while key:
        if key in lines:
            return lines[key]
        key = key[:-1]
    return None


def dotted(key: KeyPath) -> str:
    """A key path as a user writes it: `known[0].reason`, `models."chat.responses"`."""
    words = ""
    for step in key:
        if isinstance(step, int):
            words += f"[{step}]"
        else:
            words += ("." if words else "") + (step if _BARE_KEY.fullmatch(step) else f'"{step}"')
    return words


class _Scanner:
    """Follows the structure of a document and passes over its values. Lenient: what is wrong, `tomllib` has refused before."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._begins = [0, *(found.end() for found in re.finditer("\n", text))]
        self._lines: dict[KeyPath, int] = {}
        self._last: dict[KeyPath, int] = {}
        """Of each array of tables, the position of the newest one: a later header that names the array means that one."""

    def scanned(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._look(_GAP):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _header(self) -> KeyPath:
        line, begins_item = self._line(), self._text.startswith("[[", self._at)
        self._at += 2 if begins_item else 1
        keys = self._keys()
        self._at += 2 if begins_item else 1
        path: KeyPath = ()
        for number, key in enumerate(keys, 1):
            path += (key,)
            self._lines.setdefault(path, line)
            if begins_item and number == len(keys):
                self._last[path] = self._last.get(path, -1) + 1
            if path in self._last:
                path += (self._last[path],)
                self._lines.setdefault(path, line)
        return path

    def _pair(self, table: KeyPath) -> None:
        line, path = self._line(), table
        for key in self._keys():
            path += (key,)
            self._lines.setdefault(path, line)
        self._at += 1  # the equals sign
        self._look(_BLANKS)
        self._value(path)

    def _keys(self) -> list[str]:
        keys: list[str] = []
        while True:
            self._look(_BLANKS)
            if self._text[self._at] in "\"'":
                keys.append(tomllib.loads(f"key = {self._take(_STRING)}")["key"])
            else:
                keys.append(self._take(_BARE_KEY))
            self._look(_BLANKS)
            if self._text[self._at] != ".":
                return keys
            self._at += 1

    def _value(self, path: KeyPath) -> None:
        match self._text[self._at]:
            case '"' | "'":
                self._take(_STRING)
            case "[":
                self._array(path)
            case "{":
                self._inline_table(path)
            case _:
                self._take(_PLAIN_VALUE)

    def _array(self, path: KeyPath) -> None:
        self._at += 1
        position = 0
        while self._goes_on("]"):
            self._lines.setdefault((*path, position), self._line())
            self._value((*path, position))
            position += 1

    def _inline_table(self, path: KeyPath) -> None:
        self._at += 1
        while self._goes_on("}"):
            self._pair(path)

    def _goes_on(self, end: str) -> bool:
        """Whether something more stands before this closing bracket, which is taken when it is reached."""
        self._look(_GAP)
        if self._text[self._at] == ",":
            self._at += 1
            self._look(_GAP)
        if self._text[self._at] != end:
            return True
        self._at += 1
        return False

    def _look(self, passed: re.Pattern[str]) -> bool:
        """Pass over this; whether anything is left."""
        self._take(passed)
        return self._at < len(self._text)

    def _take(self, wanted: re.Pattern[str]) -> str:
        found = wanted.match(self._text, self._at)
        assert found is not None, f"not TOML at line {self._line()}"
        self._at = found.end()
        return found[0]

    def _line(self) -> int:
        return bisect_right(self._begins, self._at)
