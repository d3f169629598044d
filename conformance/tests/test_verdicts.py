"""What a run comes to: its exit code, and a sum that adds up."""

from __future__ import annotations

import itertools
import re

import pytest

from gateproof import verdicts
from gateproof.verdicts import (
    BLOCKED,
    FAIL,
    KNOWN,
    NOT_TESTABLE,
    PASS,
    RAN,
    SHOULD,
    STALE,
    SUITE_ERROR,
    arithmetic,
    exit_code,
)


def records(*given: str) -> list[dict[str, str]]:
    return [{"verdict": verdict} for verdict in given]


@pytest.mark.parametrize(
    ("given", "code", "strict"),
    [
        ((PASS,), 0, 0),
        ((FAIL,), 1, 1),
        ((NOT_TESTABLE,), 1, 1),
        ((SHOULD,), 0, 1),
        ((KNOWN,), 0, 0),
        ((STALE,), 1, 1),
        ((BLOCKED,), 1, 1),
        ((SUITE_ERROR,), 3, 3),
        ((), 5, 5),
    ],
)
def test_each_verdict_has_its_exit_code(given: tuple[str, ...], code: int, strict: int) -> None:
    assert exit_code(records(*given), strict=False) == code
    assert exit_code(records(*given), strict=True) == strict
    # Beside any number of passes too.
    if given:
        assert exit_code(records(PASS, *given, PASS), strict=False) == code


def test_a_suite_error_outweighs_every_failure() -> None:
    assert exit_code(records(FAIL, SUITE_ERROR, PASS), strict=True) == 3


def test_the_codes_are_those_of_the_contract() -> None:
    codes = {name.removeprefix("EXIT_"): value for name, value in vars(verdicts).items() if name.startswith("EXIT_")}
    assert codes == {"OK": 0, "FAILED": 1, "INTERRUPTED": 2, "SUITE_ERROR": 3, "USAGE": 4, "NOTHING": 5}


@pytest.mark.parametrize("size", range(4))
def test_the_sum_adds_up_for_any_verdicts(size: int) -> None:
    for given in itertools.combinations_with_replacement(RAN, size):
        line = arithmetic(records(*given), 3)
        total, *parts = [int(number) for number in re.findall(r"\d+", line.partition(";")[0])]
        assert total == sum(parts) == size
        assert line.endswith("; 3 not claimed")


def test_the_sum_is_one_line_in_words() -> None:
    given = [PASS] * 3 + [FAIL, SHOULD]
    assert arithmetic(records(*given), 0) == "5 checks = 3 pass + 1 fail + 1 should"
    assert arithmetic(records(PASS), 31) == "1 check = 1 pass; 31 not claimed"
    assert arithmetic([], 2) == "0 checks; 2 not claimed"
