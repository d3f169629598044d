"""Checks: a requirement on one pair in one mode. The static product of an edition, and its names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from gateproof.catalogue import Requirement, catalogue
from gateproof.pairs import MODES, Pair

NAME = re.compile(r"(?P<id>[a-z0-9-]+\.[a-z0-9-]+)\[(?P<pair>[a-z]+\.[a-z]+)\.(?P<mode>[a-z]+)\]")


@dataclass(frozen=True, slots=True)
class Check:
    """What is counted. `name` is `<id>[<surface>.<dialect>.<mode>]`, the node id everywhere."""

    requirement: Requirement
    pair: Pair
    mode: str

    @property
    def name(self) -> str:
        return f"{self.requirement.id}[{self.place}]"

    @property
    def place(self) -> str:
        """Pair and mode: `chat.responses.stream`."""
        return f"{self.pair}.{self.mode}"

    @property
    def level(self) -> str:
        return self.requirement.level_on(self.pair, self.mode)


def product(requirements: Iterable[Requirement] | None = None) -> list[Check]:
    """Every check of these requirements, one after the other; of the whole catalogue when none are given."""
    chosen = catalogue().values() if requirements is None else requirements
    return [
        Check(requirement, pair, mode)
        for requirement in chosen
        if not requirement.untestable
        for pair in requirement.pairs
        for mode in MODES
        if mode in requirement.modes
    ]


@dataclass(frozen=True, slots=True)
class Selection:
    """What the user asked for: globs on ids or whole check names, pairs and modes. Empty means everything."""

    ids: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()

    def takes(self, check: Check) -> bool:
        if self.ids and not any(_names(glob, check) for glob in self.ids):
            return False
        if self.pairs and not any(fnmatchcase(str(check.pair), glob) for glob in self.pairs):
            return False
        return not self.modes or check.mode in self.modes


def _names(glob: str, check: Check) -> bool:
    # A check's name holds brackets, which a glob would read as a set of characters.
    return glob == check.name or fnmatchcase(check.requirement.id, glob)
