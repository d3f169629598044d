"""Surfaces, dialects, pairs and modes: the axes of a check's name."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase

SURFACES = ("chat", "responses", "messages")
"""APIs that a client speaks to the gateway."""

DIALECTS = ("responses", "chat", "messages")
"""APIs that the gateway speaks to the upstream."""

MODES = ("stream", "json", "both")
"""`both`: requirements that compare the two modes; they run once."""


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A surface served from a dialect; written `chat.responses`, said chat<responses."""

    surface: str
    dialect: str

    def __str__(self) -> str:
        return f"{self.surface}.{self.dialect}"

    @property
    def translated(self) -> bool:
        return self.surface != self.dialect

    @classmethod
    def parse(cls, name: str) -> Pair:
        """`chat.responses` -> Pair. Raises ValueError naming the pairs there are."""
        surface, _, dialect = name.partition(".")
        if surface not in SURFACES or dialect not in DIALECTS:
            raise ValueError(f"{name!r} is not a pair; pairs are {', '.join(map(str, PAIRS))}")
        return cls(surface, dialect)


PAIRS = tuple(Pair(s, d) for s in SURFACES for d in DIALECTS)


def matching(globs: tuple[str, ...]) -> tuple[Pair, ...]:
    """The pairs that any of these globs names, in order. Raises ValueError for a glob that names none."""
    for glob in globs:
        if not any(fnmatchcase(str(p), glob) for p in PAIRS):
            raise ValueError(f"{glob!r} names no pair; pairs are {', '.join(map(str, PAIRS))}")
    return tuple(p for p in PAIRS if any(fnmatchcase(str(p), g) for g in globs))
