"""Plain words as Markdown: nothing in them is markup, but for what stands in backticks."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\*_{}\[\]#|]|<|>")
_ENTITIES = {"<": "&lt;", ">": "&gt;"}
"""A backslash before these would stay where it is."""


def prose(words: str) -> str:
    """The words with every character that Markdown would read as markup escaped, outside of backticks."""
    parts = words.split("`")
    if len(parts) % 2 == 0:
        return _escaped(words.replace("`", "'"))
    return "`".join(part if index % 2 else _escaped(part) for index, part in enumerate(parts))


def _escaped(words: str) -> str:
    return _SPECIAL.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), words)


def cell(words: str) -> str:
    """The same for a cell of a table, which is one line."""
    return prose(" ".join(words.split()))
