"""`gateproof COMMAND ...`"""

from __future__ import annotations

import argparse
import errno
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

from gateproof.verdicts import EXIT_INTERRUPTED, EXIT_SUITE_ERROR, EXIT_USAGE

COMMANDS = {
    "run": "run the suite on a gateway",
    "demo": "run the suite on the reference gateway, to see what it looks like",
    "explore": "drive a gateway with generated turns until one breaks, and shrink that",
    "init": "probe a running gateway, and write a first gateway.toml",
    "list": "list the requirements, or the names of their checks, or the claims",
    "explain": "everything about one requirement",
    "mock": "start the mock upstream as a server",
    "reference": "start the reference gateway, or a deliberately wrong one",
    "translate": "translate a stored answer or request from one API to another, as the reference gateway does",
    "baseline": "compare a baseline of known failures with a run, or bring it up to date",
    "report": "render a report again, or in another form: Markdown, JUnit, a badge, ...",
    "compare": "compare two reports of one gateway: what was fixed, what broke",
    "matrix": "put several reports beside one another: gateways by requirements, as one page",
}

_PROCESSES = ("mock", "reference", "translate")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in _PROCESSES:
        # They have options of their own. The reference is never imported here: the two are independent readings of the
        # rules. The mock is to answer within a blink, and the other commands take longer to import.
        return int(import_module(f"gateproof.cli.{given[0]}").start(given[1:]))
    parser = _Parser(prog="gateproof", description="Conformance for LLM API gateways.")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((word for word in given if not word.startswith("-")), "")
    for name, words in COMMANDS.items():
        sub = commands.add_parser(name, help=words, description=words.capitalize() + ".")
        # The others take longer to import than most commands to run.
        if name == wanted:
            import_module(f"gateproof.cli.{name}").add(sub)
    parsed = parser.parse_args(given)
    try:
        return int(import_module(f"gateproof.cli.{parsed.command}").run(parsed))
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # `gateproof list | head` closes our output early; that is no error.
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"gateproof {parsed.command}: {error.strerror}", file=sys.stderr)
        return EXIT_SUITE_ERROR


def _version() -> str:
    from importlib.metadata import version

    return f"gateproof {version('gateproof')}"
