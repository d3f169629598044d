"""The baseline: a gateway's known failures, each with its reason."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gateproof.catalogue import catalogue
from gateproof.checks import Check
from gateproof.files.faults import Fault, faulty
from gateproof.files.reading import TomlFile, read_toml

UNREVIEWED = "unreviewed"
"""The reason of an entry that `gateproof baseline --update` wrote, and that nobody has looked at yet."""


@dataclass(frozen=True, slots=True)
class Known:
    """A known failure: a requirement on the pairs and modes of a glob."""

    id: str
    on: str
    reason: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A gateway's known failures. `edition` is the one they were found on; "" if it is not said."""

    known: tuple[Known, ...] = ()
    edition: str = ""

    def entry(self, check: Check) -> Known | None:
        for known in self.known:
            if known.id == check.requirement.id and fnmatchcase(check.place, known.on):
                return known
        return None

    @property
    def to_review(self) -> tuple[Known, ...]:
        """The entries that nobody has looked at yet."""
        return tuple(known for known in self.known if known.reason == UNREVIEWED)

    def fault_on(self, edition: str) -> str:
        """Why it is of no use for a run on this edition; "" when it is."""
        if self.edition in ("", edition):
            return ""
        return f"it was written for edition {self.edition}, and this is edition {edition}"


def load_baseline(path: Path) -> Baseline:
    """Read a baseline. Raises FileError; an id that is not in the catalogue is always an error."""
    file = read_toml(path, "own/baseline")
    tables = file.data.get("known", [])
    faults = [fault for number, table in enumerate(tables) for fault in _faults(file, number, table)]
    if faults:
        raise faulty(faults)
    entries = (Known(t["id"], t.get("on", "*"), t["reason"], t.get("link", "")) for t in tables)
    return Baseline(tuple(entries), file.data.get("edition", ""))


def _faults(file: TomlFile, number: int, table: dict[str, Any]) -> Iterator[Fault]:
    id, on = table["id"], table.get("on", "*")
    requirement = catalogue().get(id)
    if requirement is None:
        near = difflib.get_close_matches(id, list(catalogue()), n=1)
        advice = f"did you mean {near[0]!r}?" if near else "see `gateproof list`"
        yield file.fault(("known", number, "id"), f"known[{number}].id: {id!r} is not in the catalogue; {advice}")
        return
    places = [f"{pair}.{mode}" for pair in requirement.pairs for mode in requirement.modes]
    if not any(fnmatchcase(place, on) for place in places):
        yield file.fault(("known", number, "on"), f"known[{number}].on: {on!r} matches none of {', '.join(places)}")
