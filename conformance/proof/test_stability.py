"""The same verdicts with one worker and with several, in any order, and on a machine that is starved of CPU time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from whole_runs import CEILING, Run, reference_file

LIE = "calls-end-with-stop"
"""A mutant: equal verdicts that are all passes would prove little."""

PAIR = "--pair=chat.responses"
ROUNDS = 10
BUSY = 2


def test_one_worker_and_several_give_the_same_verdicts(suite: Callable[..., Run]) -> None:
    options = ("--patience=0.25", PAIR)
    one = suite(*options, reference=("--mutant", LIE))
    several = suite(*options, "-j", "auto", reference=("--mutant", LIE))

    assert "fail" in one.verdicts.values()
    assert one.verdicts == several.verdicts


def test_random_order_gives_the_same_verdicts(tmp_path: Path) -> None:
    first, second = (in_random_order(seed, tmp_path / str(seed), PAIR) for seed in (1, 2))

    assert list(first) != list(second), "the order was not random"
    assert first == second
    assert "fail" in first.values()


@pytest.mark.slow
def test_a_starved_machine_gives_the_same_verdicts_ten_times_over(tmp_path: Path) -> None:
    found = []
    with busy_loops(BUSY):
        for seed in range(ROUNDS):
            found.append(in_random_order(seed, tmp_path / str(seed), "-n", "auto"))
            print(
                f"round {seed}: {len(found[-1])} checks, {sum(v == 'fail' for v in found[-1].values())} fail",
                flush=True,
            )

    assert "fail" in found[0].values()
    for seed, verdicts in enumerate(found):
        other = {
            name: (verdict, found[0].get(name)) for name, verdict in verdicts.items() if verdict != found[0].get(name)
        }
        assert not other, f"round {seed} and round 0 differ: {other}"
        assert verdicts.keys() == found[0].keys()


def in_random_order(seed: int, folder: Path, *options: str) -> dict[str, str]:
    """Verdicts by check in the order of the run, through plain pytest with pytest-randomly: as a user's own CI runs us."""
    folder.mkdir()
    gateway = folder / "gateway.toml"
    command = '"-m", "gateproof_reference",'
    text = reference_file().read_text("utf-8")
    assert command in text
    gateway.write_text(text.replace(command, f'{command} "--mutant", "{LIE}",'), "utf-8")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "--tb=no", "-p", "randomly", "-p", "no:cacheprovider"),
            f"--randomly-seed={seed}",
            f"--gateway={gateway}",
            "--upstream-listen=127.0.0.1:0",
            "--edition=draft",
            f"--report-dir={folder}",
            *options,
        ],
        cwd=folder,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        timeout=CEILING,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    records = [json.loads(line) for line in (folder / "checks.jsonl").read_text("utf-8").splitlines()]
    return {r["name"]: r["verdict"] for r in records}


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """So many processes that do nothing but take CPU time."""
    with ExitStack() as stack:
        for _ in range(count):
            loop = stack.enter_context(subprocess.Popen([sys.executable, "-c", "while True: pass"]))
            stack.callback(loop.kill)
        yield
