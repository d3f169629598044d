"""The static product and its names."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest

from gateproof.catalogue import catalogue
from gateproof.checks import NAME, Check, Selection, product
from gateproof.pairs import MODES, PAIRS, Pair, matching

SOME = catalogue()["failure.failed-is-never-success"]
CHECK = Check(SOME, Pair("chat", "responses"), "stream")


def test_names_are_unique_and_can_be_told_from_paths() -> None:
    names = [check.name for check in product()]
    assert [name for name, count in Counter(names).items() if count > 1] == []
    for check in product():
        parsed = NAME.fullmatch(check.name)
        assert parsed
        assert (parsed["id"], parsed["pair"], parsed["mode"]) == (check.requirement.id, str(check.pair), check.mode)
        assert check.place == f"{check.pair}.{check.mode}"
    assert not NAME.fullmatch("tests/test_x.py::test_y[chat.chat.stream]")


def test_a_name_says_requirement_pair_and_mode() -> None:
    assert CHECK.name == "failure.failed-is-never-success[chat.responses.stream]"


def test_every_requirement_has_checks_on_all_its_pairs_and_modes_and_no_other() -> None:
    wanted = Counter({id: len(r.pairs) * len(r.modes) for id, r in catalogue().items() if not r.untestable})
    assert Counter(check.requirement.id for check in product()) == wanted
    assert all(check.pair in check.requirement.pairs and check.mode in check.requirement.modes for check in product())


def test_the_product_of_some_requirements_is_theirs() -> None:
    assert {check.requirement.id for check in product([SOME])} == {SOME.id}
    assert product([]) == []


def test_the_level_is_that_of_the_pair() -> None:
    requirement = dataclasses.replace(SOME, level="MUST", levels={"chat.chat": "SHOULD"})
    assert Check(requirement, Pair("chat", "chat"), "stream").level == "SHOULD"
    assert Check(requirement, Pair("chat", "responses"), "stream").level == "MUST"


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(ids=("failure.*",)), True),
        (Selection(ids=("text.*", "failure.failed-is-never-success")), True),
        (Selection(ids=(CHECK.name,)), True),
        (Selection(ids=("failure.failed-is-never-success[chat.responses.json]",)), False),
        (Selection(ids=("failed-is-never-success",)), False),
        (Selection(pairs=("chat.*",)), True),
        (Selection(pairs=("responses.*",)), False),
        (Selection(modes=("stream", "both")), True),
        (Selection(modes=("json",)), False),
        (Selection(ids=("failure.*",), pairs=("chat.responses",), modes=("json",)), False),
    ],
)
def test_a_selection_takes_what_all_its_parts_name(selection: Selection, taken: bool) -> None:
    assert selection.takes(CHECK) is taken


def test_pairs_are_read_and_refused_by_name() -> None:
    assert [Pair.parse(str(pair)) for pair in PAIRS] == list(PAIRS)
    for name in ("chat", "chat.gemini", "chat.responses.stream", ""):
        with pytest.raises(ValueError, match=r"is not a pair; pairs are chat\.responses, "):
            Pair.parse(name)
    assert matching(("*",)) == PAIRS
    assert matching(("chat.*", "chat.chat")) == tuple(p for p in PAIRS if p.surface == "chat")
    with pytest.raises(ValueError, match="'x' names no pair"):
        matching(("chat.*", "x"))
    assert len(MODES) == len(set(MODES))
