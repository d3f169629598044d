"""What a run says about a baseline: which failures are new, which entries are stale, and which entries would fit exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from itertools import product as combinations
from typing import Any

from gateproof.checks import product
from gateproof.edition import edition
from gateproof.files.baseline import Baseline, Known
from gateproof.verdicts import FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE


@dataclass(slots=True)
class Places:
    """Where a requirement was checked: pairs and modes, as `chat.responses.stream`.

    `failing`: it does not hold there, known or not. `excusable`: failing in a way that a baseline has to name for the run to
    pass. `passing`: it holds. `unseen`: the gateway serves these, and the run does not tell: left out, blocked, not testable.
    """

    failing: set[str] = field(default_factory=set)
    excusable: set[str] = field(default_factory=set)
    passing: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)

    @property
    def all(self) -> set[str]:
        return self.failing | self.passing | self.unseen


def places_by_requirement(report: Mapping[str, Any]) -> dict[str, Places]:
    """From a report (schema own/report), by id, for each requirement of its edition.

    Raises ValueError for an edition that is none.
    """
    found: dict[str, Places] = {}
    for check in product(edition(report["edition"])):
        modes = ("stream", "json") if check.mode == "both" else (check.mode,)
        places = found.setdefault(check.requirement.id, Places())
        if all(f"{check.pair}.{mode}" in report["served"] for mode in modes):
            places.unseen.add(check.place)
    excusable = (FAIL, KNOWN, SHOULD) if report["strict"] else (FAIL, KNOWN)
    for record in report["checks"]:
        places = found.setdefault(record["id"], Places())
        place, verdict = f"{record['pair']}.{record['mode']}", record["verdict"]
        if verdict in (FAIL, KNOWN, SHOULD):
            places.failing.add(place)
        elif verdict in (PASS, STALE):
            places.passing.add(place)
        else:
            continue
        places.unseen.discard(place)
        if verdict in excusable:
            places.excusable.add(place)
    return found


@dataclass(frozen=True, slots=True)
class Stale:
    """An entry that expects failures where the requirement holds: its position in the baseline, and those places.

    `instead`: the globs that fit what is left of it, none when nothing is.
    """

    position: int
    entry: Known
    passing: tuple[str, ...]
    instead: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a run found beside a baseline.

    `new` are checks by requirement and place, `entries` the id and glob of each entry that would name them.
    """

    new: tuple[tuple[str, str], ...] = ()
    entries: tuple[tuple[str, str], ...] = ()
    stale: tuple[Stale, ...] = ()
    not_testable: int = 0

    def __bool__(self) -> bool:
        return bool(self.new or self.stale)


def changes(baseline: Baseline, report: Mapping[str, Any]) -> Changes:
    """Hold a baseline against a report (schema own/report). Raises ValueError for a report of an edition that is none."""
    by_id = places_by_requirement(report)
    new: list[tuple[str, str]] = []
    entries: list[tuple[str, str]] = []
    for id, places in sorted(by_id.items()):
        globs = [known.on for known in baseline.known if known.id == id]
        missing = {place for place in places.excusable if not _any(globs, place)}
        new += [(id, place) for place in sorted(missing)]
        entries += [(id, glob) for glob in covering(missing, places.all - missing)]
    return Changes(
        tuple(new),
        tuple(entries),
        tuple(_stale(baseline, by_id)),
        sum(record["verdict"] == NOT_TESTABLE for record in report["checks"]),
    )


def _stale(baseline: Baseline, by_id: Mapping[str, Places]) -> Iterator[Stale]:
    for position, known in enumerate(baseline.known):
        places = by_id.get(known.id, Places())
        passing = sorted(place for place in places.passing if fnmatchcase(place, known.on))
        if passing:
            left = {place for place in places.failing | places.unseen if fnmatchcase(place, known.on)}
            yield Stale(position, known, tuple(passing), tuple(covering(left, places.all - left)))


def covering(wanted: Collection[str], others: Collection[str]) -> list[str]:
    """Few globs that match each wanted place and none of the others, sorted. A glob stands for two places at least."""
    left, globs = set(wanted), []
    candidates = {
        glob: {place for place in wanted if fnmatchcase(place, glob)}
        for glob in sorted({glob for place in wanted for glob in _globs(place)})
        if not _any_matches(glob, others)
    }
    while left:
        # The most of what is left; of equals the one that says the most, and a pair rather than a mode.
        best = min(candidates, key=lambda glob: (-len(candidates[glob] & left), -_said(glob), glob.replace("*", "~")))
        if len(candidates[best] & left) == 1:
            best = min(left)
        globs.append(best)
        left -= candidates[best]
    return sorted(globs)


def _globs(place: str) -> Iterable[str]:
    """Every glob on pair and mode that matches a place: `chat.*`, `*.stream`, `*.responses.*`."""
    surface, dialect, mode = place.split(".")
    for parts in combinations((surface, "*"), (dialect, "*"), (mode, "*")):
        yield {
            ("*", "*", "*"): "*",
            (surface, "*", "*"): f"{surface}.*",
            ("*", "*", mode): f"*.{mode}",
        }.get(parts, ".".join(parts))


def _said(glob: str) -> int:
    return sum(part != "*" for part in glob.split("."))


def _any(globs: Iterable[str], place: str) -> bool:
    return any(fnmatchcase(place, glob) for glob in globs)


def _any_matches(glob: str, places: Iterable[str]) -> bool:
    return any(fnmatchcase(place, glob) for place in places)
