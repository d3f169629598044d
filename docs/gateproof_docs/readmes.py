"""Sections of the repository's READMEs, and files, for pages that show them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
_FENCE = re.compile(r"^(```|~~~)")
_LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


class NoSectionError(ValueError):
    """A page asks for a section that the README no longer has."""


@cache
def sections(readme: str) -> dict[str, str]:
    """The sections (`## title`) of a README by title, without their heading; "" is what stands before the first."""
    found: dict[str, list[str]] = {"": []}
    current, fenced = "", False
    for line in (ROOT / readme).read_text("utf-8").splitlines():
        fenced ^= bool(_FENCE.match(line))
        if line.startswith("## ") and not fenced:
            current = line[3:].strip()
            found[current] = []
        else:
            found[current].append(line)
    return {title: "\n".join(lines).strip() for title, lines in found.items()}


def with_heading(readme: str, title: str) -> str:
    """A section with its heading. Raises NoSectionError."""
    if title not in sections(readme):
        raise NoSectionError(f"{readme} has no section {title!r}; it has {', '.join(sections(readme))}")
    return f"## {title}\n\n{sections(readme)[title]}"


def shown(file: str) -> str:
    """A file of the repository as a block, with its path as the title."""
    text = (ROOT / file).read_text("utf-8").rstrip()
    return f'```{Path(file).suffix[1:]} title="{file}"\n{text}\n```'


def slug(title: str) -> str:
    """The anchor of a heading of plain words, as MkDocs and code hosts make it."""
    return re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower())


def relinked(text: str, known: Mapping[str, str]) -> str:
    """The text with its links made those of the site.

    `known` leads from where a link goes in the README (`#anchor`, a path) to where the site has that. Any other file of the
    repository becomes its path in words: the site does not know where the repository is published.
    """

    def replaced(found: re.Match[str]) -> str:
        words, target = found.groups()
        if re.match(r"https?://", target):
            return found[0]
        if target in known:
            return f"[{words}]({known[target]})"
        return words if target.startswith("#") or "/" in words else f"{words} (`{target.lstrip('./')}`)"

    lines, fenced = [], False
    for line in text.splitlines():
        fenced ^= bool(_FENCE.match(line))
        lines.append(line if fenced else _LINK.sub(replaced, line))
    return "\n".join(lines)
