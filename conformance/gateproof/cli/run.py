"""`gateproof run`: the suite in a pytest of its own, with no conftest, ini, PYTEST_ADDOPTS or plugin of where it runs."""

from __future__ import annotations

import argparse
import os
import signal
from collections.abc import Collection, Sequence
from importlib import resources

from gateproof.again import StartedAs
from gateproof.options import FLAGS, OPTIONS, REPEATABLE, dest, from_environment


def add(parser: argparse.ArgumentParser) -> None:
    add_suite_options(parser)
    for flag, words in FLAGS:
        parser.add_argument(flag, action="store_true", help=words)
    add_pytest_options(parser)


def add_suite_options(parser: argparse.ArgumentParser, without: Collection[str] = ()) -> None:
    """The options of the suite itself, by their flags."""
    for flag, shown, words in OPTIONS:
        if flag in without:
            continue
        name = dest(flag)
        action = "append" if name in REPEATABLE else "store"
        parser.add_argument(flag, metavar=shown, action=action, help=words.replace("%", "%%"))


def add_pytest_options(parser: argparse.ArgumentParser) -> None:
    """What `run` and `demo` hand to pytest."""
    parser.add_argument("--strict", action="store_true", help="SHOULDs fail too")
    parser.add_argument(
        "-j", metavar="N", dest="jobs", type=_jobs, default="1", help="worker processes: a number, or auto (default 1)"
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for each check, and each failure in full")
    parser.add_argument("-q", "--quiet", action="store_true", help="a line for each requirement that failed")
    parser.add_argument("-x", "--exitfirst", action="store_true", help="stop at the first failure")


def run(arguments: argparse.Namespace) -> int:
    given: list[str] = []
    for flag, _, _ in OPTIONS:
        value = getattr(arguments, dest(flag))
        values = value if isinstance(value, list) else [] if value is None else [value]
        given.extend(f"{flag}={one}" for one in values)
    given.extend(flag for flag, _ in FLAGS if getattr(arguments, dest(flag)))
    named = arguments.gateway_url or arguments.gateway
    if not (named or from_environment("gateway_url") or from_environment("gateway")):
        print("gateproof run: give --gateway-url URL or --gateway FILE (to see a run first: gateproof demo)")
        return 4
    return run_pytest(given, arguments, StartedAs("gateproof run", takes_options=True))


def _jobs(given: str) -> str:
    if given == "auto" or (given.isascii() and given.isdigit() and 1 <= int(given) <= 256):
        return given
    raise argparse.ArgumentTypeError(f"{given!r} is neither auto nor a number of processes from 1 to 256")


def run_pytest(given: Sequence[str], arguments: argparse.Namespace, started: StartedAs) -> int:
    """Run the suite with these options of the plugin; pytest's exit code."""
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    # What a CI that gives up sends: an interruption like any other, whose report is written.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    import pytest

    ini = resources.files("gateproof") / "run.ini"
    own = [
        "-c",
        str(ini),
        f"--rootdir={os.getcwd()}",
        "--noconftest",
        "-p",
        "gateproof.plugin",
        "-p",
        "no:cacheprovider",
    ]
    if arguments.jobs != "1":
        own += ["-p", "xdist", "-n", arguments.jobs]
    own += ["-rN"]
    own += ["-v"] if arguments.verbose else []
    own += ["--tb=no", "-q"] if arguments.quiet else []
    own += ["-x"] if arguments.exitfirst else []
    own += ["--strict-should"] if arguments.strict else []
    return int(pytest.main([*own, *given], plugins=[started]))
