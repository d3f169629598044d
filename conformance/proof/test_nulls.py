"""Null gateways pass nothing, and the preflight refuses them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from whole_runs import Run

from gateproof.pairs import PAIRS

NULLS = ("empty-200", "always-500", "html-page", "echo", "hang", "cut")


@pytest.mark.parametrize("null", NULLS)
def test_the_preflight_refuses_a_null_gateway_with_one_message(null: str, suite: Callable[..., Run]) -> None:
    run = suite("--patience=0.1", reference=("--null", null), drop='ready = "/health"')

    assert run.code == 5, run.output
    assert not run.report
    assert run.output.count("the run cannot begin") == 1


@pytest.mark.parametrize("null", NULLS)
def test_a_null_gateway_passes_no_check_when_the_preflight_is_skipped(null: str, suite: Callable[..., Run]) -> None:
    run = suite(
        "--patience=0.05",
        f"--assume={','.join(map(str, PAIRS))}",
        reference=("--null", null),
        drop='ready = "/health"',
    )

    assert run.code == 1, run.output
    assert run.verdicts
    assert set(run.verdicts.values()) <= {"fail", "blocked"}, run.output


def test_a_plain_relay_passes_no_must_on_translated_pairs(suite: Callable[..., Run]) -> None:
    run = suite(
        "--patience=0.25",
        f"--assume={','.join(str(pair) for pair in PAIRS if pair.translated)}",
        reference=("--null", "relay"),
        drop='ready = "/health"',
    )

    assert run.code == 1, run.output
    assert run.verdicts
    assert not [name for name, verdict in run.verdicts.items() if verdict == "pass"], run.output
