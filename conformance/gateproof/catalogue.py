"""The catalogue: every requirement, read from `requirements/*.toml`.

A requirement's id is `<file>.<table>`: `[failed-is-never-success]` in failure.toml is `failure.failed-is-never-success`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from typing import Any

from gateproof.pairs import Pair, matching
from gateproof_schemas import validate


@dataclass(frozen=True, slots=True)
class Requirement:
    """One testable sentence.

    `level` is MUST or SHOULD, `levels` the exceptions by pair, or by pair and mode.
    `needs` names claims of gateway.toml: without them the
    requirement is not claimed. `when` names a fact of the preflight (`upstream-streams`: a JSON client is served from
    an upstream stream). `beside` names a second surface that the case also asks. `alternatives` are the accepted
    behaviours of a contested point, by name. `untestable` says why no run can show it: it has neither checks nor a case.
    """

    id: str
    level: str
    text: str
    source: tuple[str, ...]
    harm: str
    pairs: tuple[Pair, ...]
    modes: tuple[str, ...]
    revision: int = 1
    levels: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    when: str = ""
    beside: str = ""
    alternatives: Mapping[str, str] = field(default_factory=dict)
    invariant: bool = False
    untestable: str = ""

    @property
    def area(self) -> str:
        return self.id.partition(".")[0]

    def level_on(self, pair: Pair, mode: str) -> str:
        for glob, level in self.levels.items():
            if fnmatchcase(str(pair), glob) or fnmatchcase(f"{pair}.{mode}", glob):
                return level
        return self.level


class CatalogueError(ValueError):
    """A requirement file of our own is wrong: a fault of the suite."""


@cache
def catalogue() -> Mapping[str, Requirement]:
    """Every requirement by id, in the order of the files. Raises CatalogueError."""
    found: dict[str, Requirement] = {}
    folder = resources.files("gateproof") / "requirements"
    for file in sorted(folder.iterdir(), key=lambda f: f.name):
        if not file.name.endswith(".toml"):
            continue
        area = file.name.removesuffix(".toml")
        for name, table in tomllib.loads(file.read_text("utf-8")).items():
            requirement = _requirement(f"{area}.{name}", table)
            found[requirement.id] = requirement
    return found


def _requirement(id: str, table: dict[str, Any]) -> Requirement:
    wrong = validate(table, "own/requirement")
    if wrong:
        raise CatalogueError(f"requirement {id}: {wrong[0]}")
    try:
        return Requirement(
            id=id,
            level=table["level"],
            text=table["text"],
            source=tuple(table["source"]),
            harm=table["harm"],
            pairs=matching(tuple(table["pairs"])),
            modes=tuple(table["modes"]),
            revision=table.get("revision", 1),
            levels=table.get("levels", {}),
            needs=tuple(table.get("needs", ())),
            when=table.get("when", ""),
            beside=table.get("beside", ""),
            alternatives=table.get("alternatives", {}),
            invariant=table.get("invariant", False),
            untestable=table.get("untestable", ""),
        )
    except ValueError as error:
        raise CatalogueError(f"requirement {id}: {error}") from error
