"""A comparison as text, for the terminal and as Markdown: by requirement, with the pairs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from gateproof.reports.breaches import places
from gateproof.reports.comparison import BROKEN, CHANGED, FIXED, GONE, NEW, NOT_JUDGED, fails
from gateproof.reports.findings import counted, finding
from gateproof.reports.pages import when
from gateproof.reports.plain_markdown import block, code, escaped
from gateproof.transcript import harmless

WIDTH = 140
MOST_LINES = 4
"""Of a finding."""

_HEADINGS = {
    BROKEN: "Broken",
    FIXED: "Fixed",
    CHANGED: "Fails in both, with another verdict",
    NOT_JUDGED: "Not judged: a suite error, or another revision of the requirement",
    NEW: "New, and fails",
    GONE: "Gone: only in the first",
}
"""What still fails is a number: it is in each report."""


def comparison_json(compared: dict[str, Any]) -> str:
    return json.dumps(compared, indent=1) + "\n"


def comparison_terminal(compared: dict[str, Any]) -> str:
    return "\n".join(_terminal(compared)) + "\n"


def comparison_markdown(compared: dict[str, Any]) -> str:
    return "".join(_markdown(compared))


def _terminal(compared: dict[str, Any]) -> Iterator[str]:
    for side in ("before", "after"):
        yield harmless(f"{side + ':':<8} {_described(compared[side])}")
    yield from map(harmless, _caveats(compared))
    for heading, groups in _sections(compared):
        yield f"\n--- {heading} ".ljust(100, "-")
        for id, entries in groups:
            yield f"{id}  {entries[0]['level']}  {places(entries)}{_verdicts(entries)}"
            yield f"    {_cut(harmless(compared['requirements'][id]))}"
            yield from (f"    {_cut(harmless(line))}" for line in _found(entries))
    yield f"\n{compared['arithmetic']}"


def _markdown(compared: dict[str, Any]) -> Iterator[str]:
    yield f"## Gateproof: {escaped(_name(compared['before']))} and {escaped(_name(compared['after']))} compared\n\n"
    yield f"**{escaped(compared['arithmetic'])}**\n\n"
    for side in ("before", "after"):
        yield f"- {side.capitalize()}: {escaped(_described(compared[side]))}\n"
    for caveat in _caveats(compared):
        yield f"- {escaped(caveat)}\n"
    for heading, groups in _sections(compared):
        yield f"\n### {heading}\n\n"
        for id, entries in groups:
            where = escaped(places(entries) + _verdicts(entries))
            yield f"- {code(id)} {entries[0]['level']}, {where}: {escaped(compared['requirements'][id])}\n"
            found = list(_found(entries))
            if found:
                yield "\n" + "".join(f"  {line}\n" for line in block(found).splitlines()) + "\n"


def _sections(compared: dict[str, Any]) -> Iterator[tuple[str, list[tuple[str, list[dict[str, Any]]]]]]:
    """Headings with their entries by requirement and level; MUSTs first."""

    def order(entry: dict[str, Any]) -> tuple[bool, str]:
        return entry["level"] != "MUST", entry["id"]

    for change, heading in _HEADINGS.items():
        entries = sorted((e for e in compared["checks"] if e["change"] == change), key=order)
        if change == NEW:
            entries = [entry for entry in entries if fails(entry)]
        if entries:
            yield heading, [(key[1], list(group)) for key, group in groupby(entries, key=order)]


def _verdicts(entries: list[dict[str, Any]]) -> str:
    """` (fail, was pass)`, where all of them have the same."""
    changes = {(entry["before"], entry["after"]) for entry in entries}
    if len(changes) != 1:
        return ""
    before, after = changes.pop()
    if before is None:
        return f" ({after})"
    return f" (was {before})" if after is None else f" ({after}, was {before})"


def _found(entries: list[dict[str, Any]]) -> Iterator[str]:
    """What breaks a check now, of the first of those that broke or are new."""
    if entries[0]["change"] not in (BROKEN, CHANGED, NEW):
        return
    (first, _), *others = counted(entry["message"] for entry in entries)
    parts = finding(first)
    if parts.expected:
        yield f"expected {parts.expected}, got {parts.got}"
    yield from (parts.words.splitlines() + ([parts.seen] if parts.seen else []))[:MOST_LINES]
    if others:
        yield f"and {len(others)} other {'finding' if len(others) == 1 else 'findings'} elsewhere"


def _described(side: dict[str, Any]) -> str:
    suite = f", Gateproof {side['gateproof']}" if side["gateproof"] else ""
    return f"{_name(side)}, edition {side['edition']}{suite}, {when(side['began'])}: {side['arithmetic']}"


def _name(side: dict[str, Any]) -> str:
    return " ".join(part for part in (side["gateway"]["name"], side["gateway"]["version"]) if part) or "a gateway"


def _caveats(compared: dict[str, Any]) -> Iterator[str]:
    before, after = compared["before"], compared["after"]
    if before["edition"] != after["edition"]:
        yield f"The editions differ ({before['edition']}, {after['edition']}): only the checks that both have are judged."
    if before["gateway"]["name"] != after["gateway"]["name"]:
        yield "These are two gateways, or one that changed its name."
    for side in ("before", "after"):
        if not compared[side]["complete"]:
            yield f"The run {side} did not come to its end: checks are missing."


def _cut(text: str) -> str:
    return text if len(text) <= WIDTH else f"{text[: WIDTH - 1]}…"
