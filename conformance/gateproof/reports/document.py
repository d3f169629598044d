"""The report as one JSON document (schema own/report)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from gateproof.catalogue import catalogue
from gateproof.edition import DRAFT
from gateproof.verdicts import RAN, arithmetic

FORMAT = "gateproof-report"
VERSION = 1
"""The newest that this Gateproof reads, and the one that it writes."""

NAMELESS = {"name": "", "version": "", "url": ""}
"""A gateway of which nothing is known."""


def document(about: dict[str, Any], records: list[dict[str, Any]]) -> dict[str, Any]:
    """Gateway, edition, counts, the requirements that were checked, and every check, sorted by name.

    Sorted, so that a run in random order or with eight workers leaves the same document but for times.
    """
    checks = sorted(records, key=lambda r: r["name"])
    counts = Counter(r["verdict"] for r in checks)
    ids = sorted({r["id"] for r in checks})
    return {
        "format": FORMAT,
        "version": VERSION,
        "gateproof": about.get("gateproof", ""),
        "edition": about.get("edition", DRAFT),
        "gateway": {**NAMELESS, **about.get("gateway", {})},
        "claims": about.get("claims", {}),
        "served": about.get("served", []),
        "strict": about.get("strict", False),
        "complete": about.get("complete", False),
        "began": about.get("began", 0),
        "ended": about.get("ended", 0),
        "counts": {v: counts[v] for v in RAN if counts[v]},
        "not_claimed": about.get("not_claimed", 0),
        "arithmetic": arithmetic(checks, about.get("not_claimed", 0)),
        "requirements": {id: _requirement(id) for id in ids},
        "checks": checks,
    }


def _requirement(id: str) -> dict[str, Any]:
    requirement = catalogue().get(id)
    if requirement is None:
        return {"level": "MUST", "text": "(no longer in the catalogue)", "source": [], "harm": "", "alternatives": {}}
    return {
        "level": requirement.level,
        "text": requirement.text,
        "source": list(requirement.source),
        "harm": requirement.harm,
        "alternatives": dict(requirement.alternatives),
    }
