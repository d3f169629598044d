"""The report as Markdown, for the summary of a CI step (`plain_markdown` has the wall around what a gateway sent)."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from gateproof.reports.breaches import Breach, causes, failures, places, selecting, stale, warnings
from gateproof.reports.findings import finding
from gateproof.reports.folding import fold
from gateproof.reports.pages import when
from gateproof.reports.plain_markdown import WIDTH, block, code, escaped
from gateproof.verdicts import BLOCKED, RAN, SUITE_ERROR, outcome

LIMIT = 900 * 1024
"""Bytes. GitHub takes a summary of 1 MiB for each step, and refuses a longer one as a whole."""

MOST_LINES = 12
"""Of a finding, a cause or a traceback."""


def markdown(report: dict[str, Any]) -> str:
    """Verdict, arithmetic, a table of areas, then what failed by requirement: at most LIMIT bytes."""
    head = "".join(_head(report))
    parts = [head]
    room = LIMIT - len(head.encode()) - 200
    left_out = 0
    for full, brief in _sections(report):
        fitting = next((text for text in (full, brief) if len(text.encode()) <= room), None)
        if fitting is None:
            left_out += 1
            continue
        parts.append(fitting)
        room -= len(fitting.encode())
    if left_out:
        parts.append(
            f"\n{left_out} more are left out here, for a summary has room for so much; report.json has them.\n"
        )
    return "".join(parts)


# --- the head -----------------------------------------------------------------------------------------


def _head(report: dict[str, Any]) -> Iterator[str]:
    gateway = report["gateway"]
    name = " ".join(part for part in (gateway["name"], gateway["version"]) if part) or "the gateway"
    yield f"## Gateproof: {escaped(name)}: {outcome(report)}\n\n"
    yield f"**{escaped(report['arithmetic'])}**\n\n"
    if not report["complete"]:
        yield "The run did not come to its end: checks are missing.\n\n"
    yield f"Edition {escaped(report['edition'])}, began {when(report['began'])}.\n\n"
    yield from _areas(report["checks"])


def _areas(checks: list[dict[str, Any]]) -> Iterator[str]:
    if not checks:
        return
    verdicts = [v for v in RAN if any(c["verdict"] == v for c in checks)]
    yield f"| area | {' | '.join(verdicts)} | checks |\n|---|{'---:|' * (len(verdicts) + 1)}\n"
    for area, found in groupby(sorted(checks, key=_area), key=_area):
        yield _row(area, Counter(c["verdict"] for c in found), verdicts)
    yield _row("**all**", Counter(c["verdict"] for c in checks), verdicts)


def _area(check: dict[str, Any]) -> str:
    return str(check["id"]).partition(".")[0]


def _row(name: str, counts: Counter[str], verdicts: list[str]) -> str:
    numbers = " | ".join(str(counts[v] or "") for v in verdicts)
    return f"| {name} | {numbers} | {counts.total()} |\n"


# --- what did not pass --------------------------------------------------------------------------------


def _sections(report: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Each part as it should be, and in brief for where the room is scarce."""
    yield from _titled("Suite errors", [_caused(*c) for c in causes(report, SUITE_ERROR)])
    yield from _titled("Failures", [(_folded(breach), _line(breach)) for breach in failures(report)])
    yield from _titled("Blocked", [_caused(*c) for c in causes(report, BLOCKED)])
    yield from _titled("Stale entries of the baseline", [(_line(breach), "") for breach in stale(report)])
    yield from _titled("Warnings", [(_line(breach), "") for breach in warnings(report)])


def _titled(title: str, parts: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for number, (full, brief) in enumerate(parts):
        heading = f"\n### {title}\n\n" if number == 0 else ""
        yield heading + full, heading + brief


def _folded(breach: Breach) -> str:
    check = breach.checks[0]
    evidence = _finding(breach)
    if check["transcripts"]:
        last = check["transcripts"][-1]
        evidence += [
            "",
            f"{last['pair'].replace('.', '<')} {last['mode']}, in milliseconds:",
            *fold(last, WIDTH, finding(check["message"]).got),
        ]
    return (
        f"<details><summary><code>{html.escape(breach.id)}</code> {breach.level}, {breach.verdicts}</summary>\n\n"
        f"{escaped(breach.text)}\n\n"
        f"- Harm: {escaped(breach.harm)}\n"
        f"- Where: {escaped(breach.where)}\n"
        f"- Alone: {code('gateproof run ... ' + selecting(check))}\n\n"
        f"{block(evidence)}\n"
        "</details>\n\n"
    )


def _finding(breach: Breach) -> list[str]:
    (first, _), *others = breach.messages
    parts = finding(first)
    named = (("expected", parts.expected), ("got", parts.got), ("found", parts.words), ("", parts.seen))
    lines = [f"{label:>8}  {line}" for label, words in named if words for line in words.splitlines()[:MOST_LINES]]
    if others:
        lines.append(f"{'':>8}  and {len(others)} other {'finding' if len(others) == 1 else 'findings'} elsewhere")
    return lines


def _line(breach: Breach) -> str:
    return (
        f"- {code(breach.id)} {breach.level}, {breach.verdicts}, on {escaped(breach.where)}: {escaped(breach.text)}\n"
    )


def _caused(message: str, checks: list[dict[str, Any]]) -> tuple[str, str]:
    head = f"{len(checks)} {'check' if len(checks) == 1 else 'checks'} on {escaped(places(checks))}, by one cause:\n\n"
    return f"{head}{block(message.splitlines()[-MOST_LINES:])}\n", ""
