"""The inputs and outputs of the GitHub Action, from action.yml."""

from __future__ import annotations

from functools import cache
from typing import Any

import yaml

from gateproof_docs.markdown import cell
from gateproof_docs.readmes import ROOT


@cache
def action() -> dict[str, Any]:
    """The document of action.yml."""
    document: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    return document


def inputs() -> str:
    """A table of the inputs."""
    rows = [
        f"| `{name}` | {cell(one['description'])} | {'`' + one['default'] + '`' if one['default'] else ''} |"
        for name, one in action()["inputs"].items()
    ]
    return "\n".join(["| input | | default |", "|---|---|---|", *rows])


def outputs() -> str:
    """A table of the outputs."""
    rows = [f"| `{name}` | {cell(one['description'])} |" for name, one in action()["outputs"].items()]
    return "\n".join(["| output | |", "|---|---|", *rows])
