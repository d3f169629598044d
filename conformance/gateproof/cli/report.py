"""`gateproof report`: a report again, or in another form."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from gateproof.reports.reading import ReportError, read_report
from gateproof.reports.render import FORMATS, render_all, write_whole
from gateproof.verdicts import EXIT_USAGE, exit_code


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "report", metavar="REPORT", help="a report folder, also of a run that was killed, or a report.json"
    )
    parser.add_argument(
        "--format",
        choices=sorted(FORMATS),
        help="print the report in this form (default: write all files of its folder)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="with --format: write it there")


def run(arguments: argparse.Namespace) -> int:
    path = Path(arguments.report)
    if arguments.output and not arguments.format:
        print("gateproof report: -o FILE needs --format", file=sys.stderr)
        return EXIT_USAGE
    try:
        report = read_report(path)
        if arguments.format:
            write(FORMATS[arguments.format](report), arguments.output)
        else:
            folder = path if path.is_dir() else path.parent
            render_all(folder, report)
            print(report["arithmetic"] + ("" if report["complete"] else " (the run did not end)"))
            print(f"report: {folder / 'report.html'}")
    except ReportError as error:
        print(f"gateproof report: {error}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"gateproof report: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USAGE
    # The form of a report is no verdict on it: a CI that asks for a summary must not fail there a second time.
    return 0 if arguments.format else exit_code(report["checks"], strict=report["strict"])


def write(text: str, output: str | None) -> None:
    """To the file, or to standard output. Raises OSError."""
    if output:
        write_whole(Path(output), text)
    else:
        print(text, end="")
