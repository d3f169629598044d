"""`gateproof baseline FILE`: what a run found beside a baseline; with `--update`, the baseline that fits it."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from gateproof.files import Baseline, FileError, load_baseline
from gateproof.files.baseline_changes import Changes, changes
from gateproof.reports.reading import ReportError, read_report
from gateproof.verdicts import EXIT_FAILED, EXIT_OK, EXIT_USAGE


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="the baseline; with --update it need not exist yet")
    parser.add_argument(
        "--report",
        metavar="DIR",
        default="gateproof-report",
        help="the run: its report folder, or a report.json (default ./gateproof-report)",
    )
    parser.add_argument(
        "--update",
        action="store_true",
        help="write what is new with the reason 'unreviewed', remove what is stale, and take the report's edition",
    )


def run(arguments: argparse.Namespace) -> int:
    file = Path(arguments.file)
    try:
        report = read_report(Path(arguments.report))
        baseline = Baseline() if arguments.update and not file.exists() else load_baseline(file)
        wrong = "" if arguments.update else baseline.fault_on(report["edition"])
        if wrong:
            raise FileError(f"{file}: {wrong}; --update brings it there")
        found = changes(baseline, report)
        if arguments.update:
            _write(file, found, report["edition"])
    except (ReportError, ValueError) as error:
        print(f"gateproof baseline: {error}")
        return EXIT_USAGE
    for line in _told(file, baseline, found, report, done=arguments.update):
        print(line)
    return EXIT_FAILED if found and not arguments.update else EXIT_OK


def _write(file: Path, found: Changes, edition: str) -> None:
    """Raises FileError."""
    # Here, because only who updates a baseline is to pay for tomlkit.
    from gateproof.files.baseline_editing import updated
    from gateproof.reports.render import write_whole

    text = file.read_bytes().decode() if file.exists() else ""
    try:
        # A link stays one.
        write_whole(file.resolve(), updated(file, text, found, edition))
    except OSError as error:
        raise FileError(f"{file}: {error.strerror or error}") from error


def _told(file: Path, baseline: Baseline, found: Changes, report: Mapping[str, Any], *, done: bool) -> Iterator[str]:
    for id, place in found.new:
        yield f"new      {id}[{place}] fails"
    for stale in found.stale:
        left = f"; what is left is on {', '.join(stale.instead)}" if stale.instead else ""
        yield f"stale    {stale.entry.id} on {stale.entry.on}: it passes on {', '.join(stale.passing)}{left}"
    for known in baseline.to_review:
        yield f"review   {known.id} on {known.on}"
    if found.not_testable:
        yield f"{found.not_testable} not testable: no baseline excuses them"
    if not report["complete"]:
        yield "the run did not come to its end: what it left out is kept as it is"
    counted = f"{len(found.new)} new, {len(found.stale)} stale, {len(baseline.to_review)} unreviewed"
    entries = f"{len(baseline.known)} {'entry' if len(baseline.known) == 1 else 'entries'}"
    yield f"{file}: {entries}; {counted}; edition {report['edition']}"
    if done:
        yield f"{file}: {len(found.entries)} entries added, {_removed(found)} removed, {_narrowed(found)} narrowed"
    elif found:
        yield f"gateproof baseline {file} --update would bring it there"


def _removed(found: Changes) -> int:
    return sum(not stale.instead for stale in found.stale)


def _narrowed(found: Changes) -> int:
    return sum(bool(stale.instead) for stale in found.stale)
