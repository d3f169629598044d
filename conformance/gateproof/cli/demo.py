"""`gateproof demo`: a real run, on the reference gateway."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from gateproof.again import StartedAs
from gateproof.cli.run import add_pytest_options, run_pytest
from gateproof.verdicts import EXIT_USAGE

PLAIN, STREAMING = "gateway.toml", "gateway-streaming.toml"
_COMMAND = '"-m", "gateproof_reference",'


def add(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--mutant", metavar="NAME", help="on the reference with one defect (gateproof reference --list-mutants)"
    )
    which.add_argument(
        "--all", action="store_true", help="the second configuration too, which streams every upstream call"
    )
    parser.add_argument(
        "--id", metavar="GLOB", action="append", help="only these requirements, or checks by name (repeatable)"
    )
    parser.add_argument("--report-dir", metavar="DIR", default="gateproof-report", help="where the report goes")
    add_pytest_options(parser)


def run(arguments: argparse.Namespace) -> int:
    report = Path(arguments.report_dir)
    print(
        "gateproof demo: the suite's own checks on the reference gateway, with the mock upstream behind it.", flush=True
    )
    if arguments.mutant:
        return _on_mutant(arguments, report)
    if not arguments.all:
        return _on(reference_folder() / PLAIN, report, arguments)
    plain = _on(reference_folder() / PLAIN, report / "plain", arguments)
    return max(plain, _on(reference_folder() / STREAMING, report / "streaming", arguments))


def _on(file: Path, report: Path, arguments: argparse.Namespace) -> int:
    chosen = [f"--id={glob}" for glob in arguments.id or ()]
    words = ["gateproof demo"]
    words += ["--mutant", arguments.mutant] if arguments.mutant else []
    words += ["--all"] if arguments.all else []
    return run_pytest(
        [f"--gateway={file}", "--upstream-listen=127.0.0.1:0", f"--report-dir={report}", *chosen],
        arguments,
        StartedAs(" ".join(words), takes_options=False),
    )


def _on_mutant(arguments: argparse.Namespace, report: Path) -> int:
    options = _mutants().get(arguments.mutant)
    if options is None:
        print(f"gateproof demo: there is no mutant {arguments.mutant!r}; see `gateproof reference --list-mutants`")
        return EXIT_USAGE
    words = "".join(f'"{word}", ' for word in ("--mutant", arguments.mutant, *options))
    file = STREAMING if "--force-upstream-stream" in options else PLAIN
    text = (reference_folder() / file).read_text("utf-8").replace(_COMMAND, f"{_COMMAND} {words}")
    with tempfile.TemporaryDirectory() as folder:
        gateway = Path(folder) / "gateway.toml"
        gateway.write_text(text.replace("Gateproof reference", f"Gateproof mutant {arguments.mutant}"), "utf-8")
        return _on(gateway, report, arguments)


def _mutants() -> dict[str, list[str]]:
    """Each mutant's own options. Asked of the reference as a process: it is never imported here."""
    listed = subprocess.run(
        [sys.executable, "-m", "gateproof_reference", "--list-mutants"], capture_output=True, text=True, check=True
    )
    rows = (line.split("\t") for line in listed.stdout.splitlines())
    return {name: options.split() for name, options, _, _ in rows}


def reference_folder() -> Path:
    """Where the reference is installed; found without importing it."""
    spec = find_spec("gateproof_reference")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])
