"""What a run says on the terminal."""

from __future__ import annotations

import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

from gateproof.catalogue import catalogue
from gateproof.preflight import Findings
from gateproof.transcript import render
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR, arithmetic

_STATUS: dict[str, tuple[str, str, Any]] = {
    PASS: ("passed", ".", "PASS"),
    FAIL: ("failed", "F", "FAIL"),
    SHOULD: ("warned", "s", ("SHOULD", {"yellow": True})),
    NOT_TESTABLE: ("failed", "T", "NOT TESTABLE"),
    KNOWN: ("xfailed", "x", "KNOWN"),
    STALE: ("failed", "S", "STALE BASELINE"),
    BLOCKED: ("blocked", "b", ("BLOCKED", {"yellow": True})),
    SUITE_ERROR: ("error", "E", ("SUITE ERROR", {"red": True})),
}


def report_status(verdict: str) -> tuple[str, str, Any]:
    """pytest's category, letter and word for a verdict."""
    return _STATUS[verdict]


def failure_text(record: dict[str, Any], width: int = 160) -> str:
    """Requirement, source, harm, what was found, the transcript, and the command that runs this check alone."""
    requirement = catalogue()[record["id"]]
    if record["verdict"] == SUITE_ERROR:
        return f"A fault of the suite, not of the gateway:\n{record['message']}"
    lines = [
        f"{record['verdict'].upper()}  {record['name']}  ({record['level']})",
        *_labelled("requirement", requirement.text),
        *_labelled("source", "; ".join(requirement.source)),
        *_labelled("harm", requirement.harm),
        *_labelled("found", record["message"]),
    ]
    for document in record["transcripts"]:
        lines += [
            "",
            f"transcript of {document['marker']} on {document['pair'].replace('.', '<')}, {document['mode']}:",
        ]
        lines.append(render(document, width))
    lines += ["", f"run this check alone: gateproof run ... --id '{record['name']}'"]
    return "\n".join(lines)


def _labelled(label: str, words: str) -> list[str]:
    out: list[str] = []
    for line in words.splitlines() or [""]:
        out += textwrap.wrap(line, 104, subsequent_indent="", break_long_words=False, replace_whitespace=False) or [""]
    return [f"{label if i == 0 else '':>13}  {line}" for i, line in enumerate(out)]


def write_summary(
    reporter: Any, records: list[dict[str, Any]], not_claimed: int, findings: Findings, report_dir: Path
) -> None:
    """Failures by requirement, causes of what was blocked, and one line of arithmetic."""
    reporter.section("gateproof", sep="=")
    failing = [r for r in records if r["verdict"] not in (PASS, KNOWN, BLOCKED)]
    by_id: dict[str, list[dict[str, Any]]] = {}
    for record in failing:
        by_id.setdefault(record["id"], []).append(record)
    for id, group in sorted(by_id.items()):
        requirement = catalogue()[id]
        verdicts = Counter(r["verdict"] for r in group)
        counted = ", ".join(f"{n} {v}" for v, n in verdicts.items())
        colour = {"yellow": True} if set(verdicts) == {SHOULD} else {"red": True}
        reporter.write_line(f"{id}: {counted}", **colour)
        reporter.write_line(textwrap.indent(textwrap.fill(requirement.text, 110), "    "))
        reporter.write_line("    " + ", ".join(f"{r['pair'].replace('.', '<')} {r['mode']}" for r in group))
    causes = Counter(r["message"] for r in records if r["verdict"] == BLOCKED)
    for cause, count in causes.items():
        reporter.write_line(f"blocked, {count} {'check' if count == 1 else 'checks'}: {cause}", yellow=True)
    for place, dialect in findings.elsewhere.items():
        reporter.write_line(f"claimed {place}, but it calls {dialect}", red=True)
    reporter.write_line(arithmetic(records, not_claimed), bold=True)
    reporter.write_line(f"report: {report_dir / 'report.html'}")
