"""`gateproof compare BEFORE AFTER`: two reports of one gateway."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gateproof.cli.report import write
from gateproof.reports.comparison import breaks, comparison, has_common_checks
from gateproof.reports.comparison_text import comparison_json, comparison_markdown, comparison_terminal
from gateproof.reports.reading import ReportError, read_report
from gateproof.verdicts import EXIT_FAILED, EXIT_NOTHING, EXIT_OK, EXIT_USAGE

FORMATS = {"terminal": comparison_terminal, "markdown": comparison_markdown, "json": comparison_json}


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "before", metavar="BEFORE", help="a report folder or a report.json, of the version that you know"
    )
    parser.add_argument("after", metavar="AFTER", help="that of the other version")
    parser.add_argument("--format", choices=sorted(FORMATS), default="terminal", help="the form (default: terminal)")
    parser.add_argument("-o", "--output", metavar="FILE", help="write it there")


def run(arguments: argparse.Namespace) -> int:
    """Exit 1 if a MUST broke: a check that held in BEFORE, and does not in AFTER; 5 if they have no check in common."""
    try:
        compared = comparison(read_report(Path(arguments.before)), read_report(Path(arguments.after)))
        write(FORMATS[arguments.format](compared), arguments.output)
    except ReportError as error:
        print(f"gateproof compare: {error}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"gateproof compare: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USAGE
    if not has_common_checks(compared):
        print("gateproof compare: the two have no check in common: nothing was compared", file=sys.stderr)
        return EXIT_NOTHING
    return EXIT_FAILED if breaks(compared) else EXIT_OK
