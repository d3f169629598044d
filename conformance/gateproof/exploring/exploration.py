"""A whole exploration: hunts in every place, round after round, until the time is over."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count

from gateproof.exploring.asking import Asked, Asker, GatewayLost, Halt, Interrupted, SuiteFault
from gateproof.exploring.finds import Find
from gateproof.exploring.hunting import Hunt, OutOfTime, number_of
from gateproof.exploring.places import Place
from gateproof_mock import Script

FIRST_ROUND, LONGEST_ROUND = 15, 60
"""Turns that a place is asked before it is the next one's turn. Each round has twice those of the one before: every place gets
some in a short run, and in a long one Hypothesis has the room to vary what it tried."""

SHRINKING_SHARE = 1 / 3
"""Of the time that is left, for one find."""

LOST = "the gateway is lost"
"""What broke when nothing listens any more, or nothing reaches the upstream: the last turn that was asked is what is known."""


@dataclass(frozen=True, slots=True)
class Budget:
    """`seconds` bound everything, shrinking included; `examples` the turns that each place is asked, 0: as many as there is time
    for (those that shrink a find come on top)."""

    seed: int
    seconds: float
    examples: int = 0


class Exploration:
    """`found` is called with each find as soon as it is shrunk. `tried` counts the turns that were asked."""

    def __init__(self, ask: Asker, places: Sequence[Place], budget: Budget, found: Callable[[Find], None]) -> None:
        self._ask = ask
        self._places = places
        self._budget = budget
        self._found = found
        self._known: dict[Place, set[str]] = {place: set() for place in places}
        self._ends = 0.0
        self._last: Asked | None = None
        self._stopped = False
        self.finds: list[Find] = []
        self.tried = 0

    def run(self) -> None:
        """Explore. Raises Halt when there is no use in going on, and Interrupted after `stop`: what was found by then is told."""
        self._ends = time.monotonic() + self._budget.seconds
        try:
            for number, examples in enumerate(self._rounds()):
                for place in self._places:
                    self._hunt(place, number, examples)
        except OutOfTime:
            return

    def stop(self) -> None:
        """End after the turn that is being asked. May be called by a signal's handler.

        A KeyboardInterrupt instead was tried: in the middle of Hypothesis' own work it comes out as a fault of Hypothesis.
        """
        self._stopped = True

    def _rounds(self) -> Iterator[int]:
        """The turns of each round on a place, as many rounds as all the examples need."""
        left = self._budget.examples or None
        for number in count():
            examples = min(FIRST_ROUND * 2**number, LONGEST_ROUND)
            if left is not None:
                examples = min(examples, left)
                left -= examples
            if not examples:
                return
            yield examples

    def _hunt(self, place: Place, number: int, examples: int) -> None:
        left = self._ends - time.monotonic()
        hunt = Hunt(partial(self._look, place), self._known[place], ends=self._ends, shrinks_for=left * SHRINKING_SHARE)
        try:
            hunt.run(place.pair.dialect, number_of(self._budget.seed, place.name, number), examples)
        except (Halt, KeyboardInterrupt) as end:
            if hunt.found is not None:
                self._tell(Find(hunt.what, hunt.found, shrunk=False))
            elif isinstance(end, GatewayLost) and (last := end.asked or self._last):
                self._tell(Find(LOST, last, shrunk=False, note=str(end)))
            raise
        if hunt.found is not None:
            self._settle(hunt.what, hunt.found, shrunk=hunt.shrunk)

    def _look(self, place: Place, script: Script) -> Asked:
        try:
            self._last = asked = self._ask(place, script)
        except Exception as fault:
            # Hypothesis would take it for a defect of the gateway.
            raise SuiteFault(
                f"A fault of the suite, on {place.name}: {fault!r}\n{json.dumps(script.to_json())}"
            ) from fault
        self.tried += 1
        if self._stopped:
            raise Interrupted
        return asked

    def _settle(self, what: str, found: Asked, *, shrunk: bool) -> None:
        """Ask the simplest turn once more, here and elsewhere: what it breaks too is taken for the same defect."""
        steady, also = True, list[Place]()
        self._known[found.place].update((what, *(b.what for b in found.breaches)))
        try:
            for place in (found.place, *(p for p in self._places if p != found.place and what not in self._known[p])):
                if time.monotonic() >= self._ends:
                    return
                broken = [b.what for b in self._look(place, found.script).breaches]
                if place == found.place:
                    steady = what in broken
                elif what in broken:
                    also.append(place)
                    self._known[place].update(broken)
        finally:
            self._tell(Find(what, found, shrunk=shrunk, steady=steady, also=tuple(also)))

    def _tell(self, find: Find) -> None:
        self.finds.append(find)
        self._found(find)
