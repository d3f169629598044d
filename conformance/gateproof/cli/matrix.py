"""`gateproof matrix REPORT...`: gateways by requirements, as one page."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from gateproof.reports.matrix import Gateway, document, gateways, markdown
from gateproof.reports.matrix_page import matrix_page
from gateproof.reports.reading import ReportError
from gateproof.reports.render import write_whole
from gateproof.verdicts import EXIT_OK, EXIT_USAGE

FORMATS: dict[str, Callable[[Sequence[Gateway]], str]] = {
    "html": matrix_page,
    "markdown": markdown,
    "json": lambda columns: json.dumps(document(columns), indent=1, ensure_ascii=False) + "\n",
}
STDOUT = "-"


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("reports", nargs="+", type=Path, metavar="REPORT", help="a report folder, or a report.json")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="matrix.html for HTML, else standard output; - for the latter"
    )
    parser.add_argument("--format", choices=FORMATS, default="html", help="default: html")


def run(arguments: argparse.Namespace) -> int:
    output = arguments.output or ("matrix.html" if arguments.format == "html" else STDOUT)
    # `results/*` also names what lies beside the folders.
    paths = [path for path in arguments.reports if path.is_dir() or path.suffix == ".json"]
    for path in arguments.reports:
        if path not in paths:
            print(f"gateproof matrix: {path} is passed over: neither a folder nor a .json file", file=sys.stderr)
    if not paths:
        print("gateproof matrix: no report among these", file=sys.stderr)
        return EXIT_USAGE
    try:
        columns = gateways(paths, Path() if output == STDOUT else Path(output).parent)
        page = FORMATS[arguments.format](columns)
        if output == STDOUT:
            sys.stdout.write(page)
        else:
            write_whole(Path(output), page)
    except ReportError as error:
        print(f"gateproof matrix: {error}", file=sys.stderr)
        return EXIT_USAGE
    except OSError as error:
        print(f"gateproof matrix: {error.filename}: {error.strerror}", file=sys.stderr)
        return EXIT_USAGE
    if output != STDOUT:
        for column in columns:
            print(f"{column.called}: {column.report['arithmetic']}")
        print(f"matrix: {output}")
    return EXIT_OK
