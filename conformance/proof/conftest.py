"""The fixture that runs the suite."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from whole_runs import Run, command, reference_file


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., Run]:
    """Run the suite on the reference, with more options for either."""

    def run(*options: str, reference: tuple[str, ...] = (), file: str = "gateway.toml", drop: str = "") -> Run:
        text = reference_file(file).read_text("utf-8")
        more = "".join(f'"{word}", ' for word in reference)
        text = text.replace('"-m", "gateproof_reference",', f'"-m", "gateproof_reference", {more}')
        if drop:
            text = text.replace(drop, "")
        gateway = tmp_path / "gateway.toml"
        gateway.write_text(text, "utf-8")
        folder = tmp_path / "report"
        done = command(
            "run", "-q", f"--gateway={gateway}", "--upstream-listen=127.0.0.1:0", f"--report-dir={folder}", *options
        )
        file_ = folder / "report.json"
        report = json.loads(file_.read_text("utf-8")) if file_.exists() else {}
        return Run(done.returncode, done.stdout + done.stderr, report)

    return run
