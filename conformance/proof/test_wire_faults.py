"""The suite is not only proven on its own reference's inside: faults on the wire before it are seen, and a right wire passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import wire_faults
from whole_runs import Run

from gateproof.catalogue import catalogue

PROXY = Path(__file__).with_name("wire_proxy.py")
FAULTS = wire_faults.every()
NO_QUEUE = "concurrency_limit = 8\n"


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_on_the_wire_is_caught_by_what_it_declares(name: str, suite: Callable[..., Run]) -> None:
    declared = FAULTS[name].caught_by.split()
    assert set(declared) <= set(catalogue())
    # An invariant that is chosen alone watches a success and a refusal; the rest it needs something to watch on.
    watched = ("text.arrives-exactly-once", "tools.several-calls-arrive-whole")
    chosen = dict.fromkeys((*declared, *watched))

    run = suite("--patience=0.25", *(f"--id={id}" for id in chosen), before=(str(PROXY), name), drop=NO_QUEUE)

    assert not run.ids("suite error"), run.output
    assert set(declared) <= run.caught, f"missed: {sorted(set(declared) - run.caught)}\n{run.output[-4000:]}"


def test_a_wire_without_a_fault_changes_no_verdict(suite: Callable[..., Run]) -> None:
    watched = dict.fromkeys(id for fault in FAULTS.values() for id in fault.caught_by.split())

    run = suite("--strict", *(f"--id={id}" for id in watched), before=(str(PROXY), "none"))

    assert run.code == 0, run.output[-6000:]
    assert set(run.verdicts.values()) == {"pass"}
