"""Whatever a gateway answers, a check ends in a verdict: none of it is an error of the suite."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from whole_runs import Run

PROXY = Path(__file__).with_name("wire_proxy.py")
MORE = range(2, 9)
"""Seeds of `-m slow`."""


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in MORE)])
def test_no_answer_breaks_the_suite(seed: int, suite: Callable[..., Run]) -> None:
    run = suite("--patience=0.25", before=(str(PROXY), f"garbled-{seed}"))

    wrong = [check for check in run.report["checks"] if check["verdict"] == "suite error"]
    assert [(check["name"], check["message"][-2000:]) for check in wrong] == []
    # Most of what was asked was garbled and seen, or this proves nothing.
    assert len(run.caught) > 100, run.output[-4000:]
    assert run.code == 1, run.output[-4000:]
