"""MISSING: what the gateway left out never raises and is never right."""

from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable

import pytest

from gateproof.answers.absent import Missing, dig

ABSENT = Missing("error")


def test_it_is_falsy_and_empty() -> None:
    assert not ABSENT
    assert len(ABSENT) == 0
    assert list(ABSENT) == []
    assert "x" not in ABSENT
    assert None not in ABSENT


@pytest.mark.parametrize("other", [None, "", 0, [], {}, False, "text", ABSENT, Missing("error")], ids=repr)
def test_it_is_equal_to_nothing_not_even_itself(other: object) -> None:
    for left, right in ((ABSENT, other), (other, ABSENT)):
        assert not operator.eq(left, right)
        assert operator.ne(left, right)
    assert ABSENT not in (other,) or other is ABSENT


@pytest.mark.parametrize("compare", [operator.lt, operator.le, operator.gt, operator.ge])
def test_it_is_neither_less_nor_more_than_anything(compare: Callable[[object, object], bool]) -> None:
    assert not compare(ABSENT, 1)
    assert not compare(1, ABSENT)


def test_what_it_would_hold_is_absent_too_and_says_where() -> None:
    assert repr(ABSENT) == "<absent: error>"
    assert repr(ABSENT.message) == "<absent: error.message>"
    assert repr(ABSENT.message.text) == "<absent: error.message.text>"
    assert repr(ABSENT["code"]) == "<absent: error['code']>"
    assert repr(ABSENT[0]) == "<absent: error[0]>"
    assert repr(ABSENT.startswith("x")) == "<absent: error.startswith()>"
    assert repr(Missing()) == "<absent>"
    assert not ABSENT.message.startswith("x")


def test_it_can_be_formatted_copied_and_sent_to_another_process() -> None:
    assert f"{ABSENT}" == str(ABSENT) == "<absent: error>"
    assert repr(copy.deepcopy(ABSENT)) == repr(pickle.loads(pickle.dumps(ABSENT))) == "<absent: error>"


@pytest.mark.parametrize(
    ("document", "keys", "wanted"),
    [
        ({"a": [{"b": 1}]}, ("a", 0, "b"), 1),
        ({"a": None}, ("a",), None),
        ([1, 2], (-1,), 2),
        ({"a": 0}, ("a",), 0),
    ],
)
def test_dig_finds_what_is_there(document: object, keys: tuple[str | int, ...], wanted: object) -> None:
    assert dig(document, *keys) == wanted


@pytest.mark.parametrize(
    "document", [None, 1, "text", [], {}, {"a": None}, {"a": "text"}, {"a": []}, [{"a": 1}], ABSENT]
)
def test_dig_names_what_is_not_there(document: object) -> None:
    assert repr(dig(document, "a", 0)) == "<absent: a.0>"
    assert repr(dig(document, "a", "b", path="error.b")) == "<absent: error.b>"
