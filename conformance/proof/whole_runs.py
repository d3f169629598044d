"""Runs of the whole suite, each in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

CEILING = 600

CAUGHT = ("fail", "should", "not testable")
"""Verdicts that say that a gateway breaks a requirement."""


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
        return self.ids(*CAUGHT)

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


def suite_in(folder: Path) -> Callable[..., Run]:
    """Return what runs the suite on the reference, with its files in `folder`.

    It takes more options of the suite, and of the `reference`; `before` are words between Python and its module, `drop` is
    text that its gateway `file` shall not have.
    """

    def run(
        *options: str,
        reference: tuple[str, ...] = (),
        before: tuple[str, ...] = (),
        file: str = "gateway.toml",
        drop: str = "",
    ) -> Run:
        text = reference_file(file).read_text("utf-8")
        command_line = '"-m", "gateproof_reference",'
        assert command_line in text
        words = [*before, "-m", "gateproof_reference", *reference]
        text = text.replace(command_line, "".join(f"{json.dumps(word)}, " for word in words))
        if drop:
            text = text.replace(drop, "")
        gateway = folder / "gateway.toml"
        gateway.write_text(text, "utf-8")
        report = folder / "report"
        found = report / "report.json"
        found.unlink(missing_ok=True)
        done = command(
            *("run", "-q", f"--gateway={gateway}", "--upstream-listen=127.0.0.1:0", f"--report-dir={report}"),
            "--edition=draft",
            *options,
        )
        told = json.loads(found.read_text("utf-8")) if found.exists() else {}
        return Run(done.returncode, done.stdout + done.stderr, told)

    return run
