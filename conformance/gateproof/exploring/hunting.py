"""Hypothesis at work: turns are tried until one breaks something new, which is then shrunk."""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.errors import Flaky

from gateproof.exploring.asking import Asked, Halt
from gateproof.exploring.turns import scripts
from gateproof_mock import Script

Look = Callable[[Script], Asked]

_UNCHECKED = (
    HealthCheck.too_slow,
    HealthCheck.data_too_large,
    HealthCheck.filter_too_much,
    HealthCheck.large_base_example,
)
"""What Hypothesis would give up on, and whose cause is a slow gateway or a long turn."""


class OutOfTime(Halt):
    """The time of the run, or of shrinking one find, is over."""


class _Broken(Exception):
    """What Hypothesis is to shrink. Always raised in one place, by which it knows that it is the same defect."""


class Hunt:
    """Turns for one place until something breaks that is not among `known`. `found` is the simplest turn that broke it so far,
    also after a Halt or an interruption.

    `ends`: when it has to be over, by `time.monotonic()`; `shrinks_for`: seconds for shrinking alone. The same number and place
    give the same turns in the same order to a gateway that answers alike.
    """

    def __init__(self, look: Look, known: Collection[str], *, ends: float, shrinks_for: float) -> None:
        self._look = look
        self._known = known
        self._ends = ends
        self._shrinks_for = shrinks_for
        self._gives_up = ends
        self.what = ""
        self.found: Asked | None = None
        self._latest: Asked | None = None
        self.shrunk = False

    def run(self, dialect: str, seed: int, examples: int) -> None:
        """Try so many turns of this dialect. Raises Halt; OutOfTime only if it was the whole run's."""

        @seeded(seed)
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=False,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=_UNCHECKED,
            report_multiple_bugs=False,
            print_blob=False,
            verbosity=Verbosity.quiet,
        )
        @given(scripts(dialect))
        def every_turn(script: Script) -> None:
            if self._breaks(script):
                raise _Broken(self.what)

        try:
            every_turn()
        except _Broken:
            # Hypothesis asks the simplest turn last.
            self.found, self.shrunk = self._latest, True
        except Flaky:
            # It does not break every time: `found` has the simplest turn with which it did.
            pass
        except OutOfTime:
            if time.monotonic() >= self._ends:
                raise

    def _breaks(self, script: Script) -> bool:
        if time.monotonic() >= self._gives_up:
            raise OutOfTime("the time is over")
        asked = self._look(script)
        if not self.what:
            self.what = next((b.what for b in asked.breaches if b.what not in self._known), "")
            if self.what:
                # From here on it is shrunk: a slow gateway is not to spend everybody's time on its first defect.
                self._gives_up = min(self._ends, time.monotonic() + self._shrinks_for)
        if not self.what or all(b.what != self.what for b in asked.breaches):
            return False
        self._latest = asked
        if self.found is None or _size(asked) <= _size(self.found):
            self.found = asked
        return True


def _size(asked: Asked) -> int:
    return len(json.dumps(asked.script.to_json()))


def number_of(*words: object) -> int:
    """A seed made of these words, the same on every machine."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, words)).encode()).digest()[:8])


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Hypothesis writes what it works out about characters and constants into a folder that is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="gateproof-explore-") as folder:
        set_hypothesis_home_dir(folder)
        try:
            yield
        finally:
            set_hypothesis_home_dir(None)
