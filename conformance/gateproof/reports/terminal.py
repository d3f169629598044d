"""What a run says on the terminal: a word for each check, one check's failure in full, and the summary of all."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from gateproof.catalogue import catalogue
from gateproof.checks import NAME
from gateproof.preflight import Findings
from gateproof.reports.breaches import Breach, causes, failures, places, selecting, stale, warnings, worst
from gateproof.reports.document import document
from gateproof.reports.findings import finding
from gateproof.reports.folding import fold
from gateproof.transcript import harmless, render
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR

MOST_IN_FULL = 15
"""Requirements that are shown with harm, finding and transcript; the others have a line each."""

MOST_FINDINGS = 3
"""Distinct findings of a requirement beside the first."""

MOST_LINES = 4
"""Of a text that comes from the gateway."""

LAST_LINES = 12
"""Of a suite error's traceback."""

NARROW, WIDE = 100, 160
"""A terminal's own width is taken between these; a CI log has none."""

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


@dataclass(frozen=True, slots=True)
class Line:
    """A line and how it is marked: names of pytest's terminal writer, such as red and bold."""

    text: str
    markup: dict[str, bool] = field(default_factory=dict)


def report_status(verdict: str) -> tuple[str, str, Any]:
    """pytest's category, letter and word for a verdict."""
    return _STATUS[verdict]


def announce_area(reporter: pytest.TerminalReporter, nodeid: str) -> None:
    """Begin a line of progress for each area, as pytest does for each file: a check's name is no file, and has none."""
    check = NAME.fullmatch(nodeid)
    # None: pytest's own choice, for tests of the user's.
    reporter.showfspath = False if check else None
    if check and reporter.verbosity == 0:
        area = check["id"].partition(".")[0]
        reporter.write_fspath_result(str(reporter.config.invocation_params.dir / area), "")


# --- one check ----------------------------------------------------------------------------------------


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
    for shown in record["transcripts"]:
        lines += ["", f"transcript of {shown['marker']} on {shown['pair'].replace('.', '<')}, {shown['mode']}:"]
        lines.append(render(shown, width))
    lines += ["", f"run this check alone: gateproof run ... {selecting(record)}"]
    return "\n".join(lines)


def _labelled(label: str, words: str, width: int = 104, indent: int = 13) -> list[str]:
    out: list[str] = []
    for line in words.splitlines() or [""]:
        out += textwrap.wrap(harmless(line), width, break_long_words=False, replace_whitespace=False) or [""]
    return [f"{label if i == 0 else '':>{indent}}  {line}" for i, line in enumerate(out)]


# --- all of them --------------------------------------------------------------------------------------


def terminal(report: dict[str, Any]) -> str:
    """The summary of a report document as plain text."""
    lines = summary(report, width=NARROW, command="gateproof run ...", evidence="report.html", transcripts=True)
    return "\n".join(line.text for line in lines) + "\n"


def leave_to_the_summary(config: pytest.Config, checks: int) -> bool:
    """Switch pytest's own sections on failures off where the summary says the same by requirement.

    They stay where one check alone was run, with -v, and where the user chose a style (--tb, -r). Returns whether the
    summary is to show transcripts: nothing else does, and -q was not given.
    """
    option = config.option
    if checks == 1 or option.verbose > 0 or option.tbstyle != "auto":
        return False
    option.tbstyle = "no"
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and option.reportchars == "fE":
        # pytest's default: a line for each failure, below our last line.
        reporter.reportchars = ""
    return bool(option.verbose == 0)


def write_summary(
    reporter: Any,
    records: list[dict[str, Any]],
    not_claimed: int,
    findings: Findings,
    report_dir: Path,
    *,
    strict: bool = False,
    command: str = "gateproof run ...",
    transcripts: bool = True,
) -> None:
    """The summary, through pytest's terminal reporter. `command` is what this run was started with but for its checks."""
    reporter.section("gateproof", sep="=")
    report = document({"not_claimed": not_claimed, "strict": strict, "complete": True}, records)
    width = max(NARROW, min(WIDE, reporter.config.get_terminal_writer().fullwidth)) - 1
    shown = summary(
        report, width=width, command=command, evidence=str(report_dir / "report.html"), transcripts=transcripts
    )
    *lines, last = shown
    for line in lines:
        reporter.write_line(line.text, **line.markup)
    for place, dialect in findings.elsewhere.items():
        reporter.write_line(f"claimed {place}, but it calls {dialect}", red=True)
    reporter.write_line(last.text, **last.markup)
    reporter.write_line(f"report: {report_dir / 'report.html'}")


def summary(report: dict[str, Any], *, width: int, command: str, evidence: str, transcripts: bool) -> Iterator[Line]:
    """Failures by area and requirement, warnings, what was blocked and why, suite errors, and one line of arithmetic."""
    parts = [
        *_failures(failures(report), width, command, evidence, transcripts=transcripts),
        *_briefly("warnings: SHOULDs that do not hold", warnings(report), width),
        *_briefly("stale entries of the baseline: the check passes, remove them", stale(report), width),
        *_blocked(report, width),
        *_suite_errors(report),
    ]
    # Each part begins with an empty line, and the heading above the first is followed by one.
    yield from parts[1:]
    if parts:
        yield Line("")
    yield Line(report["arithmetic"] + ("" if report["complete"] else " (the run did not end)"), {"bold": True})


def _failures(failed: list[Breach], width: int, command: str, evidence: str, *, transcripts: bool) -> Iterator[Line]:
    in_full = worst(failed, MOST_IN_FULL) if transcripts else set[str]()
    for area, found in groupby(failed, key=lambda breach: breach.area):
        yield Line("")
        yield Line(f"--- {area} ".ljust(width, "-"), {"red": True})
        # Those in full first: lines between them would be lost.
        for full, part in groupby(sorted(found, key=lambda b: b.id not in in_full), key=lambda b: b.id in in_full):
            if full:
                for breach in part:
                    yield from _full(breach, width, command, evidence)
                continue
            yield Line("")
            for breach in part:
                yield _short(breach, width, {"red": True})
    if transcripts and len(failed) > len(in_full):
        yield Line("")
        yield Line(f"The {len(in_full)} worst are shown in full; all of them: {evidence}")


def _full(breach: Breach, width: int, command: str, evidence: str) -> Iterator[Line]:
    check = breach.checks[0]
    yield Line("")
    yield Line(f"{breach.id}  {breach.level}  {breach.verdicts}", {"red": True, "bold": True})
    room = width - _INDENT - 2
    for label, words in (("requirement", breach.text), ("harm", breach.harm), ("where", breach.where)):
        for line in _labelled(label, words, room, _INDENT):
            yield Line(line)
    yield from _found(breach, room)
    if check["transcripts"]:
        last = check["transcripts"][-1]
        where = f"{last['pair'].replace('.', '<')} {last['mode']}"
        more = f", the last of {len(check['transcripts'])} exchanges" if len(check["transcripts"]) > 1 else ""
        yield Line(f"  {where}{more}, in milliseconds:")
        for text in fold(last, width, finding(check["message"]).got):
            yield Line(text, {"light": True})
    yield Line(f"{'alone':>{_INDENT}}  {command} {selecting(check)}")
    yield Line(f"{'evidence':>{_INDENT}}  {evidence}#{check['name']}")


_INDENT = 13


def _found(breach: Breach, width: int) -> Iterator[Line]:
    (first, number), *others = breach.messages
    parts = finding(first)
    for label, words in (("expected", parts.expected), ("got", parts.got), ("found", parts.words), ("", parts.seen)):
        if words:
            lines = _labelled(label, words, width, _INDENT)
            yield from map(Line, lines[:MOST_LINES])
            if len(lines) > MOST_LINES:
                yield Line(f"{'':>{_INDENT}}  … {len(lines) - MOST_LINES} more lines")
    if others:
        yield Line(f"{'':>{_INDENT}}  on {_checks(number)}; and")
    for message, times in others[:MOST_FINDINGS]:
        said = f"on {times}: {' '.join(_in_short(message).split())}"
        yield Line(f"{'':>{_INDENT}}  {_cut(harmless(said), width)}")
    if len(others) > MOST_FINDINGS:
        rest = others[MOST_FINDINGS:]
        yield Line(f"{'':>{_INDENT}}  and {len(rest)} more findings on {_checks(sum(n for _, n in rest))}")


def _in_short(message: str) -> str:
    parts = finding(message)
    if not parts.expected:
        return parts.words
    return f"expected {parts.expected}, got {parts.got}" + (f"; {parts.words}" if parts.words else "")


def _short(breach: Breach, width: int, markup: dict[str, bool]) -> Line:
    return Line(_cut(f"{breach.id}  {breach.level}  {breach.verdicts}: {breach.text}", width), markup)


def _briefly(heading: str, found: list[Breach], width: int) -> Iterator[Line]:
    if not found:
        return
    yield Line("")
    yield Line(f"--- {heading} ".ljust(width, "-"), {"yellow": True})
    for breach in found:
        yield _short(breach, width, {"yellow": True})


def _blocked(report: dict[str, Any], width: int) -> Iterator[Line]:
    for cause, checks in causes(report, BLOCKED):
        yield Line("")
        lines = [harmless(line) for line in cause.splitlines()]
        text = f"blocked, {_checks(len(checks))} on {places(checks)}: {' '.join(lines[:MOST_LINES])}"
        yield from (Line(line, {"yellow": True}) for line in textwrap.wrap(text, width, subsequent_indent="  "))


def _suite_errors(report: dict[str, Any]) -> Iterator[Line]:
    for message, checks in causes(report, SUITE_ERROR):
        yield Line("")
        yield Line(
            f"A fault of the suite, not of the gateway: {_checks(len(checks))}, {checks[0]['name']}", {"red": True}
        )
        lines = message.splitlines()
        if len(lines) > LAST_LINES:
            yield Line(f"    … {len(lines) - LAST_LINES} lines before")
        for line in lines[-LAST_LINES:]:
            yield Line(f"    {harmless(line)}")


def _checks(number: int) -> str:
    return f"{number} {'check' if number == 1 else 'checks'}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
