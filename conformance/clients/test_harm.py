"""The harm that the catalogue states is what real clients come to on mutants of the reference."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from harm import HARMS, TURNS, Harm
from scenes import Scene
from told import Json, Told

from gateproof.catalogue import catalogue


@pytest.mark.parametrize("harm", HARMS, ids=str)
def test_harm(
    harm: Harm,
    reference: Scene,
    wrong: Callable[[str], AbstractContextManager[Scene]],
    asking: Callable[[str], Callable[[Json], Json]],
) -> None:
    ask = asking(harm.client)

    def told(scene: Scene) -> Told:
        return scene.ask(ask, harm.client, harm.dialect, *TURNS[harm.turn].scripts, retries=harm.retries)

    with wrong(harm.mutant) as gateway:
        found = told(gateway)

    assert _read(found, harm) == harm.read, found
    assert _read(told(reference), harm) != harm.read
    assert harm.says in catalogue()[harm.requirement].harm


def _read(told: Told, harm: Harm) -> Json:
    """What a row speaks of; of a message only whether its words are in it, "" meaning that there is none."""
    read = {name: getattr(told, name) for name in harm.read}
    words = harm.read.get("message")
    if words and words in told.message:
        read["message"] = words
    return read
