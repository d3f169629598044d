"""`gateproof report DIR`: render report.json, junit.xml and report.html from checks.jsonl, after a kill for instance."""

from __future__ import annotations

import argparse
from pathlib import Path

from gateproof.reports.document import document
from gateproof.reports.render import render_all
from gateproof.reports.store import ReportError, load
from gateproof.verdicts import exit_code


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a report folder")


def run(arguments: argparse.Namespace) -> int:
    folder = Path(arguments.folder)
    try:
        about, records = load(folder)
    except ReportError as error:
        print(f"gateproof report: {error}")
        return 4
    render_all(folder, about, records)
    report = document(about, records)
    print(report["arithmetic"] + ("" if report["complete"] else " (the run did not end)"))
    print(f"report: {folder / 'report.html'}")
    return exit_code(records, strict=report["strict"])
