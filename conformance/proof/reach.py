"""Which checks can meet a mutant at all: those in which the correct reference runs what the mutant replaces.

In every other check the mutant is the reference, on which every check passes (`tox -e suite`), so to ask it again for each of
hundreds of mutants proves nothing. This is what mutation testing calls coverage: a third of the product is left.
"""

from __future__ import annotations

import bisect
import fcntl
import inspect
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from reach_recorder import PACKAGE, function_name
from whole_runs import Run

from gateproof.catalogue import catalogue
from gateproof_reference.mutants import MUTANTS

RECORDER = Path(__file__).with_name("reach_recorder.py")

MARGIN = 2
"""Milliseconds around a check that are still its own: its record's times are rounded."""


@dataclass(frozen=True)
class Recorded:
    """A check on the correct reference, and the functions of the reference that ran in it."""

    name: str
    id: str
    places: frozenset[tuple[str, str]]
    functions: frozenset[str]


class Reach:
    """What the checks of each pair reach; a pair is recorded when it is first asked for, by one worker for all of them."""

    def __init__(self, folder: Path, suite: Callable[..., Run]) -> None:
        self._folder = folder
        self._suite = suite
        self._known: dict[str, list[Recorded]] = {}

    def met(self, mutant: str, pairs: Iterable[str]) -> set[str]:
        """The names of the checks on `pairs` that can meet this mutant.

        An invariant meets it wherever another check does, since it judges what was said in all of them.
        """
        replaced = replaced_functions(mutant)
        checks = self._of(sorted(pairs))
        met = {check.name for check in checks if check.functions & replaced}
        places = {place for check in checks if check.name in met for place in check.places}
        return met | {check.name for check in checks if catalogue()[check.id].invariant and check.places & places}

    def _of(self, pairs: list[str]) -> list[Recorded]:
        # What another worker records is waited for last, so that each records another pair.
        for how in (fcntl.LOCK_EX | fcntl.LOCK_NB, fcntl.LOCK_EX):
            for pair in pairs:
                if pair not in self._known:
                    self._read(pair, how)
        return [check for pair in pairs for check in self._known[pair]]

    def _read(self, pair: str, how: int) -> None:
        file = self._folder / f"{pair}.json"
        with file.with_suffix(".lock").open("w") as lock:
            try:
                # Held for one run of the suite, which has a ceiling; and it ends with whoever holds it.
                fcntl.flock(lock, how)
            except BlockingIOError:
                return
            if not file.exists():
                self._record(pair, file)
        self._known[pair] = list(read(json.loads(file.read_text("utf-8"))))

    def _record(self, pair: str, file: Path) -> None:
        calls = file.with_suffix(".calls")
        run = self._suite("--patience=0.25", f"--pair={pair}", before=(str(RECORDER), str(calls)))
        assert run.report, run.output
        found = {"calls": json.loads(calls.read_text("utf-8")), "checks": run.report["checks"]}
        file.with_suffix(".part").write_text(json.dumps(found), "utf-8")
        file.with_suffix(".part").rename(file)


def read(recording: dict[str, Any]) -> Iterator[Recorded]:
    """Tell which functions ran in each check.

    A function that ran at the start may have left something behind for every check. A check that did not pass proves nothing
    about what it reaches, so it reaches everything.
    """
    calls: dict[str, list[int]] = recording["calls"]
    always = {function for function, times in calls.items() if times[0] == 0}
    for check in recording["checks"]:
        began = round(check["began"] * 1000) - MARGIN
        ended = round((check["began"] + check["seconds"]) * 1000) + MARGIN
        ran = always | _between(calls, began, ended) if check["verdict"] == "pass" else _every_function()
        modes = ("stream", "json") if check["mode"] == "both" else (check["mode"],)
        places = frozenset((check["pair"], mode) for mode in modes)
        yield Recorded(check["name"], check["id"], places, frozenset(ran))


def _between(calls: dict[str, list[int]], began: int, ended: int) -> set[str]:
    ran = set()
    for function, times in calls.items():
        at = bisect.bisect_left(times, began)
        if at < len(times) and times[at] <= ended:
            ran.add(function)
    return ran


def replaced_functions(mutant: str) -> frozenset[str]:
    """The functions that are not the same on this mutant.

    Of a table, a number or a class they are all those that say its name, wherever in the reference that is: too many rather
    than too few.
    """
    holder, name = MUTANTS[mutant].place()
    seam = getattr(holder, name)
    if not hasattr(seam, "cache_info"):  # What is remembered is not called again.
        seam = inspect.unwrap(seam.fget if isinstance(seam, property) else seam)
        seam = getattr(seam, "__func__", seam)
        if isinstance(seam, FunctionType) and seam.__code__.co_filename.startswith(PACKAGE):
            return frozenset({function_name(seam.__code__)})
    return frozenset(function_name(code) for code in _codes() if name in code.co_names)


@cache
def _codes() -> tuple[CodeType, ...]:
    """Every function of the reference."""
    files = [file for file in Path(PACKAGE).rglob("*.py") if "mutants" not in file.parts]
    return tuple(code for file in files for code in _inside(compile(file.read_text("utf-8"), str(file), "exec")))


def _inside(code: CodeType) -> Iterator[CodeType]:
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield inner
            yield from _inside(inner)


@cache
def _every_function() -> frozenset[str]:
    return frozenset(function_name(code) for code in _codes())
