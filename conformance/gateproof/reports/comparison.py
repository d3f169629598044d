"""Two reports of one gateway, of two versions for instance: what was fixed, what broke, what else is different."""

from __future__ import annotations

from collections import Counter
from typing import Any

from gateproof.verdicts import PASS, STALE, SUITE_ERROR

BROKEN = "broken"
FIXED = "fixed"
CHANGED = "changed"
"""Fails in both, with another verdict: a failure that became a known one, say."""
STILL = "still failing"
HOLDS = "holds"
NOT_JUDGED = "not judged"
"""A suite error in one of them, or another revision of the requirement: the two tell nothing about one another."""
NEW = "new"
GONE = "gone"

CHANGES = (BROKEN, FIXED, CHANGED, STILL, HOLDS, NOT_JUDGED, NEW, GONE)


def comparison(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The comparison document (schema own/comparison) of two report documents.

    Only checks that both have are judged. Those that hold in both are counted and not listed.
    """
    old = {check["name"]: check for check in before["checks"]}
    new = {check["name"]: check for check in after["checks"]}
    entries = [_entry(name, old.get(name), new.get(name)) for name in sorted(old.keys() | new.keys())]
    counts = Counter(entry["change"] for entry in entries)
    listed = [entry for entry in entries if entry["change"] != HOLDS]
    ids = {entry["id"] for entry in listed}
    return {
        "format": "gateproof-comparison",
        "version": 1,
        "before": _side(before),
        "after": _side(after),
        "counts": {change: counts[change] for change in CHANGES if counts[change]},
        "arithmetic": _arithmetic(counts),
        "requirements": {
            id: text["text"]
            for id, text in sorted((before["requirements"] | after["requirements"]).items())
            if id in ids
        },
        "checks": listed,
    }


def has_common_checks(compared: dict[str, Any]) -> bool:
    """Whether anything could be compared at all."""
    return any(change not in (NEW, GONE) for change in compared["counts"])


def breaks(compared: dict[str, Any]) -> bool:
    """Whether a MUST broke."""
    return any(entry["change"] == BROKEN and entry["level"] == "MUST" for entry in compared["checks"])


def _entry(name: str, before: dict[str, Any] | None, after: dict[str, Any] | None) -> dict[str, Any]:
    known = after or before
    assert known is not None
    return {
        "name": name,
        "id": known["id"],
        "pair": known["pair"],
        "mode": known["mode"],
        "level": known["level"],
        "change": _change(before, after),
        "before": before["verdict"] if before else None,
        "after": after["verdict"] if after else None,
        "message": after["message"] if after else "",
    }


def _change(before: dict[str, Any] | None, after: dict[str, Any] | None) -> str:
    if before is None:
        return NEW
    if after is None:
        return GONE
    if before["revision"] != after["revision"] or SUITE_ERROR in (before["verdict"], after["verdict"]):
        return NOT_JUDGED
    held, holds = (check["verdict"] in _HOLDING for check in (before, after))
    if held != holds:
        return FIXED if holds else BROKEN
    if holds:
        return HOLDS
    return STILL if before["verdict"] == after["verdict"] else CHANGED


_HOLDING = (PASS, STALE)
"""A stale entry is a fault of the baseline: the gateway does what it should."""


def fails(entry: dict[str, Any]) -> bool:
    """Whether the check of an entry does not hold in the second report."""
    return entry["after"] not in (None, *_HOLDING)


def _side(report: dict[str, Any]) -> dict[str, Any]:
    return {
        "gateway": {key: report["gateway"][key] for key in ("name", "version")},
        "gateproof": report["gateproof"],
        "edition": report["edition"],
        "complete": report["complete"],
        "began": report["began"],
        "arithmetic": report["arithmetic"],
    }


def _arithmetic(counts: Counter[str]) -> str:
    judged = [change for change in CHANGES if change not in (NEW, GONE)]
    total = sum(counts[change] for change in judged)
    parts = " + ".join(f"{counts[change]} {change}" for change in judged if counts[change])
    line = f"{total} common {'check' if total == 1 else 'checks'}" + (f" = {parts}" if parts else "")
    return line + "".join(f"; {counts[change]} {change}" for change in (NEW, GONE) if counts[change])
