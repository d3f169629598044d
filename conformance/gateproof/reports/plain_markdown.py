"""Text that stays text in Markdown.

GitHub renders Markdown as HTML with links, mentions and references to issues, and what stands in a report may come from a
hostile gateway. So whatever a gateway sent is put into code, whose fence is longer than any run of backticks in it; words of
the catalogue and of gateway.toml are escaped; and characters that hide or reorder text are spelt out in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gateproof.transcript import harmless

WIDTH = 140
"""Characters in a line of code."""

_PUNCTUATION = re.compile(r"([!#$&()*+\-.:<>@\[\\\]^_`{|}~])")
"""What means something to some renderer; a full stop because of `www.` and of numbered lists."""

_NOWHERE = "\u200b"
"""Mentions and references are looked for when the escapes are gone: this stands between a sign and its name."""


def escaped(text: str) -> str:
    """Words that mean nothing to a renderer of Markdown: no markup, no link, no mention, no reference to an issue."""
    flat = harmless(" ".join(text.split()))
    return _PUNCTUATION.sub(r"\\\1", flat).replace("\\@", f"\\@{_NOWHERE}").replace("\\#", f"\\#{_NOWHERE}")


def code(text: str) -> str:
    """A piece of code in a line."""
    flat = harmless(" ".join(text.split()))
    fence = _fence(flat, 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def block(lines: Iterable[str]) -> str:
    """Lines of code, each cut where it is far longer than WIDTH."""
    shown = [harmless(_cut(line)) for line in lines]
    fence = _fence("\n".join(shown), 3)
    return "\n".join([f"{fence}text", *shown, fence, ""])


def _cut(line: str) -> str:
    return line if len(line) <= 10 * WIDTH else f"{line[: 10 * WIDTH]}…"


def _fence(text: str, least: int) -> str:
    return "`" * max(least, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
