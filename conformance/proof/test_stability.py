"""The same verdicts with one worker and with several, in order and in random order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from whole_runs import CEILING, Run, reference_file

STRICT = "--strict"


def test_the_reference_passes_everything_in_both_configurations(suite: Callable[..., Run]) -> None:
    for file in ("gateway.toml", "gateway-streaming.toml"):
        run = suite(STRICT, file=file)

        assert run.code == 0, run.output
        assert set(run.verdicts.values()) == {"pass"}


def test_one_worker_and_several_give_the_same_verdicts(suite: Callable[..., Run]) -> None:
    # On a mutant: equal verdicts that are all passes would prove little.
    options = ("--patience=0.25",)
    one = suite(*options, reference=("--mutant", "calls-end-with-stop"))
    several = suite(*options, "-j", "auto", reference=("--mutant", "calls-end-with-stop"))

    assert "fail" in one.verdicts.values()
    assert one.verdicts == several.verdicts


def test_random_order_gives_the_same_verdicts(tmp_path: Path) -> None:
    found = []
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        # Through plain pytest, with pytest-randomly: the way a user's own CI runs us.
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "randomly", "-p", f"no:{'cacheprovider'}"),
                f"--randomly-seed={seed}",
                f"--gateway={reference_file()}",
                "--upstream-listen=127.0.0.1:0",
                f"--report-dir={folder}",
            ],
            cwd=tmp_path,
            env={**os.environ, "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            timeout=CEILING,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        records = [json.loads(line) for line in (folder / "checks.jsonl").read_text("utf-8").splitlines()]
        found.append(records)

    first, second = found
    assert [r["name"] for r in first] != [r["name"] for r in second], "the order was not random"
    assert {r["name"]: r["verdict"] for r in first} == {r["name"]: r["verdict"] for r in second}
