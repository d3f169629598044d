"""The fixture that runs the suite."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from whole_runs import Run, command, reference_file


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., Run]:
    """Run the suite on the reference, with more options for either; `before` are words between Python and its module."""

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
        gateway = tmp_path / "gateway.toml"
        gateway.write_text(text, "utf-8")
        folder = tmp_path / "report"
        done = command(
            *("run", "-q", f"--gateway={gateway}", "--upstream-listen=127.0.0.1:0", f"--report-dir={folder}"),
            "--edition=draft",
            *options,
        )
        file_ = folder / "report.json"
        report = json.loads(file_.read_text("utf-8")) if file_.exists() else {}
        return Run(done.returncode, done.stdout + done.stderr, report)

    return run
