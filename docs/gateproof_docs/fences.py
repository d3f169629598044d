"""The fenced blocks of a page: what a test writes, what it runs, and what is marked as not run."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

SHELLS = ("console", "shell", "sh", "bash")
_OPEN = re.compile(r"^(?P<indent> *)```(?P<language>[\w+-]*)(?P<rest>.*)$")
_TITLE = re.compile(r'title="([^"]+)"')
_NOT_RUN = re.compile(r"^\s*<!-- not run: (.+) -->$")


@dataclass(frozen=True, slots=True)
class Fence:
    """A fenced block. `title` is the file that it is; `not_run` the reason why no test runs it, as the page says."""

    language: str
    title: str
    text: str
    line: int
    not_run: str

    @property
    def is_shell(self) -> bool:
        return self.language in SHELLS


def fences(markdown: str) -> Iterator[Fence]:
    """Every fenced block, in order. Raises ValueError for one that is not closed."""
    lines = markdown.splitlines()
    number, reason = 0, ""
    while number < len(lines):
        opened = _OPEN.match(lines[number])
        if opened is None:
            marked = _NOT_RUN.match(lines[number])
            if marked or lines[number].strip():
                reason = marked[1] if marked else ""
            number += 1
            continue
        first, number = number, number + 1
        closing = f"{opened['indent']}```"
        while number < len(lines) and lines[number].rstrip() != closing:
            number += 1
        if number == len(lines):
            raise ValueError(f"line {first + 1}: this block has no end")
        title = _TITLE.search(opened["rest"])
        text = textwrap.dedent("\n".join(lines[first + 1 : number]) + "\n")
        yield Fence(opened["language"], title[1] if title else "", text, first + 1, reason)
        number, reason = number + 1, ""


@dataclass(frozen=True, slots=True)
class Step:
    """A command of a console block, and what the page shows that it prints; "..." in that stands for anything."""

    command: str
    shown: str

    @property
    def in_background(self) -> bool:
        return self.command.rstrip().endswith("&")


def steps(console: str) -> list[Step]:
    """The commands of a console block: they stand after `$ `, go on after a backslash, and with `> `."""
    found: list[Step] = []
    for part in re.split(r"^\$ ", console, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        size = 1
        while size < len(lines) and (lines[size - 1].endswith("\\") or lines[size].startswith("> ")):
            size += 1
        command = "\n".join(line.removeprefix("> ") for line in lines[:size])
        found.append(Step(command, "\n".join(lines[size:]).strip("\n")))
    return found


def says(printed: str, shown: str) -> bool:
    """Whether a page shows what was printed: word for word, but that "..." stands for anything."""
    text = _plain(printed)
    first, *parts = [_plain(part) for part in re.split(r"\s*\.\.\.\s*", f"\n{shown}\n".strip())]
    if not text.startswith(first):
        return False
    at = len(first)
    if not parts:
        return at == len(text)
    for part in parts[:-1]:
        found = text.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(text) - at >= len(parts[-1]) and text.endswith(parts[-1])


def _plain(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())
