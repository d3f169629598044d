"""Runs of the whole suite, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CEILING = 600


@dataclass(frozen=True)
class Run:
    """A finished run: exit code, what it printed, and the report (empty when there is none)."""

    code: int
    output: str
    report: dict[str, Any]

    @property
    def verdicts(self) -> dict[str, str]:
        return {check["name"]: check["verdict"] for check in self.report.get("checks", [])}

    @property
    def caught(self) -> set[str]:
        """The requirements that the gateway breaks."""
        return self.ids("fail", "should", "not testable")

    def ids(self, *verdicts: str) -> set[str]:
        """The requirements that have a check with one of these verdicts."""
        return {check["id"] for check in self.report.get("checks", []) if check["verdict"] in verdicts}


def reference_file(name: str = "gateway.toml") -> Path:
    spec = find_spec("gateproof_reference")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / name


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `gateproof ARGUMENTS`."""
    return subprocess.run(
        [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())", *arguments],
        capture_output=True,
        text=True,
        timeout=CEILING,
        check=False,
    )
