"""The README's tables are those of `divergences.toml`, to the letter."""

from pathlib import Path

import pytest
from divergence_table import HEADS, divergences, table

README = Path(__file__).parent.parent / "README.md"


@pytest.mark.parametrize("name", HEADS)
def test_the_readme_has_the_table(name: str) -> None:
    assert f"\n\n{table(name)}\n" in README.read_text(encoding="utf-8"), f"write this into the README:\n{table(name)}"


def test_every_row_says_something_and_what_is_accepted() -> None:
    for divergence in divergences():
        assert divergence.table in HEADS, divergence.name
        assert {"accepted"} < divergence.says.keys() <= set(HEADS[divergence.table]), divergence.name
        assert divergence.differs.keys() <= HEADS.keys(), divergence.name
