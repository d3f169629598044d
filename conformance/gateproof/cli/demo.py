"""`gateproof demo`: a real run, on the reference gateway."""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path

from gateproof.cli.run import add_pytest_options, run_pytest


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--mutant", metavar="NAME", help="on the reference with one defect (gateproof reference --list-mutants)")
    parser.add_argument("--report-dir", metavar="DIR", default="gateproof-report", help="where the report goes")
    parser.add_argument("--all", action="store_true", help="the second configuration too, which streams every upstream call")
    add_pytest_options(parser)


def run(arguments: argparse.Namespace) -> int:
    folder = reference_folder()
    print("gateproof demo: the suite's own checks on the reference gateway, with the mock upstream behind it.", flush=True)
    files = ["gateway.toml", "gateway-streaming.toml"] if arguments.all else ["gateway.toml"]
    worst = 0
    for file in files:
        report = Path(arguments.report_dir) / Path(file).stem if arguments.all else Path(arguments.report_dir)
        options = [f"--gateway={folder / file}", "--upstream-listen=127.0.0.1:0", f"--report-dir={report}"]
        worst = max(worst, run_pytest(options, arguments))
    return worst


def reference_folder() -> Path:
    """Where the reference is installed; found without importing it."""
    spec = find_spec("gateproof_reference")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])
