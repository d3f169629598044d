"""Every requirement has a mutant, and the requirements that fail on a mutant are exactly those that it declares.

A mutant is asked the checks that it can meet (`reach`): by default those of its requirements, and all others on one pair in one
mode; `tox -e proof-full` asks them all, and writes `full_product.json`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase

import full_product
import pytest
from reach import Reach
from whole_runs import Run

from gateproof.catalogue import catalogue
from gateproof.checks import Check, product
from gateproof.pairs import PAIRS


@dataclass(frozen=True)
class Mutant:
    """A line of `gateproof reference --list-mutants`."""

    name: str
    options: tuple[str, ...]
    file: str
    caught_by: frozenset[str]


def _mutants() -> list[Mutant]:
    listed = subprocess.run(
        [sys.executable, "-m", "gateproof_reference", "--list-mutants"], capture_output=True, text=True, check=True
    )
    found = []
    for line in listed.stdout.splitlines():
        name, options, file, ids = line.split("\t")
        found.append(Mutant(name, tuple(options.split()), file, frozenset(ids.split())))
    return found


MUTANTS = _mutants()

SAMPLE = [mutant for mutant in MUTANTS if not mutant.options and zlib.crc32(mutant.name.encode()) % 16 == 0]
"""Mutants that are asked the rest of the product too: that what cannot meet a mutant passes is measured, and not believed."""

FULL = os.environ.get("GATEPROOF_PROOF") == "full"
"""Every check that each mutant can meet (`tox -e proof-full`): an hour or two."""
ONLY = os.environ.get("GATEPROOF_PROOF_ONLY", "").split() if FULL else []
"""Globs of requirements: the full proof of these alone, for one that joins the catalogue. An invariant sees only what is asked
beside it, so it wants company (`mix.*`)."""

PLACES = [(pair, mode) for pair in PAIRS for mode in ("stream", "json")]


def selection(mutant: Mutant, reach: Reach) -> list[str]:
    """The checks that a mutant meets by default: the declared requirements on all their pairs, all others on one pair in one
    mode, which rotate with the mutant's name and are first those to which all that is declared applies: elsewhere a lie of one
    translation is the plain reference. So a declaration that is too short shows on most mutants at once, and on every one in
    the full proof.

    The limit's checks fill the gateway and wait for its time-out: they run on the mutants that declare them.
    """
    declared = [catalogue()[id] for id in mutant.caught_by]
    likely = [at for at in PLACES if all(at[0] in its.pairs and {at[1], "both"} & {*its.modes} for its in declared)]
    places = likely or PLACES
    pair, mode = places[zlib.crc32(mutant.name.encode()) % len(places)]
    limits = any(id.startswith("limit.") for id in mutant.caught_by)
    return met(
        mutant,
        reach,
        [
            check
            for check in product()
            if check.requirement.id in mutant.caught_by
            or (
                check.pair == pair
                and check.mode in (mode, "both")
                and (limits or not check.requirement.id.startswith("limit."))
            )
        ],
    )


def met(mutant: Mutant, reach: Reach, checks: list[Check]) -> list[str]:
    """Those of the checks that can meet this mutant. What is reached under options of its own is not recorded: all can."""
    if mutant.options:
        return [check.name for check in checks]
    reached = reach.met(mutant.name, {str(check.pair) for check in checks})
    return [check.name for check in checks if check.name in reached]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_exactly_the_declared_requirements_fail(mutant: Mutant, suite: Callable[..., Run], reach: Reach) -> None:
    if FULL:
        wanted = [check for check in product() if _asked(check.requirement.id)]
        chosen = met(mutant, reach, wanted)
    else:
        chosen = selection(mutant, reach)
    declared = {id for id in mutant.caught_by if _asked(id)}
    run = measured(mutant, suite, chosen) if chosen else Run(0, "", {})
    if FULL:
        full_product.write(mutant.name, run, {check.requirement.id for check in wanted} if ONLY else None)
    elif declared - run.caught:
        # A requirement that only watches may have had too little to watch: all that it declares must show in the whole run.
        run = measured(mutant, suite, met(mutant, reach, product()))

    assert run.caught == declared, (
        f"missed: {sorted(declared - run.caught)}; "
        f"caught beyond the declaration: {sorted(run.caught - declared)}\n" + run.output[-6000:]
    )


def _asked(id: str) -> bool:
    return not ONLY or any(fnmatchcase(id, glob) for glob in ONLY)


def measured(mutant: Mutant, suite: Callable[..., Run], chosen: list[str]) -> Run:
    # Ceilings are for what hangs: a mutant that does shall not cost minutes.
    run = suite(
        "--patience=0.25",
        *(f"--id={name}" for name in chosen),
        reference=("--mutant", mutant.name, *mutant.options),
        file="gateway-streaming.toml" if "--force-upstream-stream" in mutant.options else "gateway.toml",
    )
    assert run.report, run.output
    assert not run.ids("suite error"), run.output
    return run


def test_every_requirement_has_a_mutant() -> None:
    proven = frozenset[str]().union(*(m.caught_by for m in MUTANTS))

    assert {requirement.id for requirement in catalogue().values() if not requirement.untestable} - proven == set()
    assert proven - set(catalogue()) == set()


def test_the_committed_product_has_no_mutant_of_the_past() -> None:
    assert set(full_product.read()) <= {mutant.name for mutant in MUTANTS}


if FULL:

    @pytest.mark.parametrize("mutant", SAMPLE, ids=lambda m: m.name)
    def test_what_cannot_meet_a_mutant_passes(mutant: Mutant, suite: Callable[..., Run], reach: Reach) -> None:
        reached = set(met(mutant, reach, product()))
        chosen = [check.name for check in product() if check.name not in reached]
        run = measured(mutant, suite, chosen) if chosen else Run(0, "", {})

        assert run.caught == set(), run.output[-6000:]

else:

    @pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
    def test_the_committed_product_says_what_is_declared(mutant: Mutant) -> None:
        assert set(full_product.read().get(mutant.name, {"caught": {}})["caught"]) == mutant.caught_by, (
            f"measure it on all checks: tox -e proof-full -- -k '[{mutant.name}]'"
        )
