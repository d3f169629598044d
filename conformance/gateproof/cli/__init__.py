"""The command line. A command is a module here with `add(parser)` and `run(arguments) -> exit code`."""

from gateproof.cli.main import main

__all__ = ["main"]
