"""Checks that did not pass, grouped by requirement and area: what the terminal and the Markdown summary are made from."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from gateproof.reports.findings import counted, finding
from gateproof.smoke import SMOKE
from gateproof.verdicts import BLOCKED, FAIL, NOT_TESTABLE, SHOULD, STALE, SUITE_ERROR


@dataclass(frozen=True, slots=True)
class Breach:
    """A requirement, and its checks with one of the verdicts that were asked for. `level` is the strictest of theirs."""

    id: str
    level: str
    text: str
    harm: str
    checks: list[dict[str, Any]]

    @property
    def area(self) -> str:
        return self.id.partition(".")[0]

    @property
    def verdicts(self) -> str:
        """`12 fail + 1 not testable`"""
        return " + ".join(f"{n} {verdict}" for verdict, n in Counter(c["verdict"] for c in self.checks).items())

    @property
    def where(self) -> str:
        """`chat<responses (stream, json), ...`"""
        return places(self.checks)

    @property
    def messages(self) -> list[tuple[str, int]]:
        """What was found, each once with its number of checks."""
        return counted(c["message"] for c in self.checks)


def breaches(report: dict[str, Any], verdicts: Collection[str]) -> list[Breach]:
    """The requirements that have a check with one of these verdicts, by id: areas are together."""
    by_id: dict[str, list[dict[str, Any]]] = {}
    for check in report["checks"]:
        if check["verdict"] in verdicts:
            by_id.setdefault(check["id"], []).append(check)
    return [_breach(id, checks, report["requirements"]) for id, checks in sorted(by_id.items())]


def failures(report: dict[str, Any]) -> list[Breach]:
    """What the gateway answers for and what fails the run; with `strict` also the SHOULDs."""
    return breaches(report, (FAIL, NOT_TESTABLE, SHOULD) if report["strict"] else (FAIL, NOT_TESTABLE))


def warnings(report: dict[str, Any]) -> list[Breach]:
    """SHOULDs that do not fail the run."""
    return [] if report["strict"] else breaches(report, (SHOULD,))


def stale(report: dict[str, Any]) -> list[Breach]:
    """Entries of the baseline whose checks pass."""
    return breaches(report, (STALE,))


def causes(report: dict[str, Any], verdict: str) -> list[tuple[str, list[dict[str, Any]]]]:
    """Of blocked checks or suite errors: each cause once, with its checks."""
    assert verdict in (BLOCKED, SUITE_ERROR)
    found: dict[str, list[dict[str, Any]]] = {}
    for check in report["checks"]:
        if check["verdict"] == verdict:
            found.setdefault(check["message"], []).append(check)
    return list(found.items())


def worst(found: Iterable[Breach], number: int) -> set[str]:
    """The ids of those with the most checks; first the plain turn, which blocks the rest, then MUSTs."""
    ranked = sorted(found, key=lambda b: (b.id != SMOKE, b.level != "MUST", -len(b.checks), b.id))
    return {breach.id for breach in ranked[:number]}


def selecting(check: dict[str, Any]) -> str:
    """The options that run a check alone. An invariant is run with the case whose exchange broke it."""
    _, first_in, case = finding(check["message"]).seen.rpartition("first in ")
    names = [check["name"], *([case] if first_in else [])]
    return " ".join(f"--id {shlex.quote(name)}" for name in dict.fromkeys(names))


def places(checks: Iterable[dict[str, Any]]) -> str:
    """Pairs with their modes: `chat<responses (stream, json), chat<chat (both)`."""
    modes: dict[str, list[str]] = {}
    for check in checks:
        modes.setdefault(check["pair"].replace(".", "<"), []).append(check["mode"])
    return ", ".join(f"{pair} ({', '.join(dict.fromkeys(of))})" for pair, of in modes.items())


def _breach(id: str, checks: list[dict[str, Any]], requirements: dict[str, Any]) -> Breach:
    requirement = requirements.get(id, {"text": "", "harm": ""})
    level = "MUST" if any(c["level"] == "MUST" for c in checks) else "SHOULD"
    return Breach(id, level, requirement["text"], requirement["harm"], checks)
