"""The command line as tables, from the parsers themselves."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from importlib import import_module

from gateproof.cli.main import COMMANDS
from gateproof.options import FLAGS, OPTIONS, dest
from gateproof_docs.markdown import cell
from gateproof_mock.cli import parser as mock_parser

OTHER_PROCESSES = {"reference": "gateproof_reference", "translate": "gateproof_reference.translate"}
"""Commands that are modules of the reference: asked for their help as processes, for nobody imports it."""
SUITE = {flag for flag, *_ in (*OPTIONS, *FLAGS)}


def commands() -> str:
    """Every command with its options."""
    parts = [
        f"## gateproof {name} {{ #{name} }}\n\n{words[0].upper()}{words[1:]}.\n\n{_options(name)}"
        for name, words in COMMANDS.items()
    ]
    return "\n\n".join(parts)


def overview() -> str:
    """All commands in one table."""
    rows = [f"| [`gateproof {name}`](#{name}) | {cell(words)} |" for name, words in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def suite_options() -> str:
    """The options of the suite, which `pytest`, `run` and others share."""
    lines = ["| option | environment | |", "|---|---|---|"]
    for flag, shown, words in (*OPTIONS, *((flag, "", words) for flag, words in FLAGS)):
        option = f"{flag} {shown}".strip()
        lines.append(f"| `{option}` | `GATEPROOF_{dest(flag).upper()}` | {cell(words)} |")
    return "\n".join(lines)


def _options(name: str) -> str:
    if name in OTHER_PROCESSES:
        return _help(OTHER_PROCESSES[name])
    if name == "mock":
        return _table(mock_parser(replay=True))
    parser = argparse.ArgumentParser(prog=f"gateproof {name}")
    import_module(f"gateproof.cli.{name}").add(parser)
    return _table(parser)


def _table(parser: argparse.ArgumentParser) -> str:
    rows = [a for a in parser._actions if a.help != argparse.SUPPRESS and not isinstance(a, argparse._HelpAction)]
    taken = SUITE.intersection(option for action in rows for option in action.option_strings)
    left_out = sorted(SUITE - taken)
    # Of few options a table says which they are; of most, which they are not.
    most = len(taken) > len(left_out)
    if most:
        rows = [action for action in rows if not taken.intersection(action.option_strings)]
    lines = [f"| `{_written(action)}` | {cell(_described(action))} |" for action in rows]
    but = f", but for {', '.join(f'`{flag}`' for flag in left_out)}" if left_out else ""
    shared = f"And the [options of the suite](#options-of-the-suite){but}." if most else ""
    return "\n".join(["| | |", "|---|---|", *lines]) + (f"\n\n{shared}" if shared else "")


def _written(action: argparse.Action) -> str:
    shown = (
        action.metavar or "|".join(map(str, action.choices or [])) or ("" if action.nargs == 0 else action.dest.upper())
    )
    words = shown if isinstance(shown, str) else " ".join(shown)
    if not action.option_strings:
        return f"[{words}]" if action.nargs in ("?", "*") else words
    return f"{', '.join(action.option_strings)} {words}".strip()


def _described(action: argparse.Action) -> str:
    words = action.help or ""
    return words % {"default": action.default} if "%" in words else words


def _help(module: str) -> str:
    told = subprocess.run(
        [sys.executable, "-m", module, "--help"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "COLUMNS": "100", "NO_COLOR": "1"},
    )
    return f"```text\n{told.stdout.strip()}\n```"
