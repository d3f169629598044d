"""What counts as told, and what a claim covers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gateproof.answers.answer import ABORTED, COMPLETE, ERROR, Answer
from gateproof.cases.contested import in_order, is_documented, is_refusal
from gateproof.pairs import Pair


def ask(*calls: Any) -> Any:
    return SimpleNamespace(last=SimpleNamespace(calls=list(calls)))


@pytest.mark.parametrize(
    ("outcome", "status", "told"),
    [
        (ERROR, 400, True),
        (ERROR, 422, True),
        (ERROR, 200, True),
        (ERROR, 500, False),
        (ABORTED, 200, False),
        (COMPLETE, 200, False),
        (ABORTED, 0, False),
    ],
)
def test_a_refusal_is_a_4xx_or_an_error_in_band(outcome: str, status: int, told: bool) -> None:
    assert is_refusal(ask(), Answer(outcome=outcome, status=status)) is told


def test_what_went_upstream_was_not_refused() -> None:
    assert not is_refusal(ask({"kind": "turn"}), Answer(outcome=ERROR, status=400))


@pytest.mark.parametrize(
    ("pair", "name", "listed"),
    [
        ("chat.responses", "seed", True),
        ("chat.messages", "seed", False),
        ("responses.messages", "tools.web_search", True),
        ("responses.messages", "seed", False),
    ],
)
def test_a_claim_covers_the_pairs_of_its_glob_and_the_names_in_it(pair: str, name: str, listed: bool) -> None:
    claims = {"leaves_out": {"chat.responses": ["seed", "stop"], "responses.*": ["tools.web_search"]}}
    hand: Any = SimpleNamespace(pair=Pair.parse(pair))

    assert is_documented(hand, claims, name) is listed
    assert not is_documented(hand, {}, name)


def test_words_are_in_order_when_each_comes_after_the_one_before() -> None:
    assert in_order("a b a c", ["a", "b", "c"])
    assert in_order("a a", ["a", "a"])
    assert in_order("x", [])
    assert not in_order("a", ["a", "a"])
    assert not in_order("b a", ["a", "b"])
