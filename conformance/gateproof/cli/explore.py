"""`gateproof explore`: generated turns, beside the edition's fixed cases."""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from gateproof.cli.run import add_suite_options
from gateproof.options import from_environment
from gateproof.verdicts import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_NOTHING, EXIT_OK, EXIT_SUITE_ERROR, EXIT_USAGE

if TYPE_CHECKING:
    from gateproof.exploring.exploration import Budget
    from gateproof.exploring.finds import Find
    from gateproof.exploring.places import Place
    from gateproof.house import House
    from gateproof.settings import Settings

FOLDER = "gateproof-explore"
_LONGEST = 86_400.0
_MOST_EXAMPLES = 1_000_000
_NOT_HERE = ("--id", "--edition", "--baseline", "--report-dir")
"""Options of a run that a generated turn has no use for, or that mean something else here."""


def add(parser: argparse.ArgumentParser) -> None:
    add_suite_options(parser, without=_NOT_HERE)
    parser.add_argument("--report-dir", metavar="DIR", help=f"where the finds go (default ./{FOLDER})")
    parser.add_argument("--seed", metavar="N", help="the same turns in the same order (default: a random one, printed)")
    parser.add_argument("--seconds", metavar="S", default="60", help="for all of it, shrinking included (default 60)")
    parser.add_argument("--examples", metavar="N", help="turns on each pair and mode (default: as the time allows)")
    parser.add_argument("--out", metavar="FILE", help="all finds as one JSON document")
    parser.add_argument("--strict", action="store_true", help="invariants that are a SHOULD count too")


class _WrongOption(ValueError):
    """An option that cannot be followed; the message says what to do."""


def run(arguments: argparse.Namespace) -> int:
    if not find_spec("hypothesis"):
        print("gateproof explore needs Hypothesis: pip install 'gateproof[explore]'", file=sys.stderr)
        return EXIT_USAGE
    from gateproof.house import House
    from gateproof.preflight import Refused

    try:
        settings, budget = _settings(arguments), _budget(arguments)
    except ValueError as error:
        print(f"gateproof explore: {error}", file=sys.stderr)
        return EXIT_USAGE
    house = House(settings)
    try:
        house.open()
        outcome = _explore(settings, house, budget)
    except Refused as refused:
        print(f"gateproof explore: it cannot begin.\n{refused}", file=sys.stderr)
        return EXIT_NOTHING
    finally:
        house.close()
    if arguments.out:
        Path(arguments.out).write_text(json.dumps(outcome.to_json(), indent=2) + "\n", "utf-8")
    return outcome.code


# --- the options ----------------------------------------------------------------------------------


def _settings(arguments: argparse.Namespace) -> Settings:
    """What `gateproof run` makes of the same options. Raises ValueError."""
    from gateproof.settings import read

    def option(name: str) -> Any:
        given = getattr(arguments, name, None)
        given = from_environment(name) if given is None else given
        return FOLDER if given is None and name == "report_dir" else given

    if not (option("gateway_url") or option("gateway")):
        raise _WrongOption("give --gateway-url URL or --gateway FILE")
    if arguments.out and (Path(arguments.out).is_dir() or not Path(arguments.out).absolute().parent.is_dir()):
        # Known now, and not when the time is over.
        raise _WrongOption(f"--out: {arguments.out} cannot be written")
    return read(option)


def _budget(arguments: argparse.Namespace) -> Budget:
    """Raises ValueError."""
    from gateproof.exploring.exploration import Budget

    seed = secrets.randbelow(2**32) if arguments.seed is None else _whole("--seed", arguments.seed, 2**64 - 1)
    examples = 0 if arguments.examples is None else _whole("--examples", arguments.examples, _MOST_EXAMPLES, least=1)
    return Budget(seed, _seconds(arguments.seconds), examples)


def _whole(flag: str, given: str, most: int, least: int = 0) -> int:
    if not (given.isascii() and given.isdigit() and len(given) <= 20 and least <= int(given) <= most):
        raise _WrongOption(f"{flag}: expected a whole number, {least} to {most}, got {given!r}")
    return int(given)


def _seconds(given: str) -> float:
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= _LONGEST:
        raise _WrongOption(f"--seconds: expected a number above 0, {_LONGEST:g} at most, got {given!r}")
    return seconds


# --- the exploration ------------------------------------------------------------------------------


@dataclass(slots=True)
class _Outcome:
    """What an exploration came to. `ended`: why it ended before its time; "" if it did not."""

    gateway: dict[str, str]
    budget: Budget
    places: list[Place]
    blocked: list[str]
    finds: list[Find] = field(default_factory=list)
    code: int = EXIT_OK
    ended: str = ""
    turns: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return {
            "gateway": self.gateway,
            "seed": self.budget.seed,
            "seconds": round(self.seconds, 1),
            "turns": self.turns,
            "places": [place.name for place in self.places],
            "blocked": self.blocked,
            "ended": self.ended,
            "finds": [find.to_json() for find in self.finds],
        }

    def summary(self) -> str:
        """The last line."""
        finds = f"{len(self.finds)} {'find' if len(self.finds) == 1 else 'finds'}"
        where = f"{len(self.places)} pairs and modes"
        done = f"{self.turns} turns on {where} in {self.seconds:.1f} s: {finds}; --seed {self.budget.seed}"
        return f"{self.ended}\n{done}" if self.ended else done


def _explore(settings: Settings, house: House, budget: Budget) -> _Outcome:
    from gateproof.exploring.asking import GatewayAsker, Halt, Interrupted, SuiteFault
    from gateproof.exploring.exploration import Exploration
    from gateproof.exploring.finds import remove_old
    from gateproof.exploring.hunting import nothing_kept
    from gateproof.redact import Redactor

    gateway, folder = house.gateway, settings.report_dir
    about = {"name": gateway.name, "version": gateway.version, "url": gateway.origin}
    outcome = _Outcome(about, budget, *_places(settings, house))
    _announce(house, outcome)
    if not outcome.places:
        outcome.code = EXIT_FAILED if outcome.blocked else EXIT_NOTHING
        return outcome
    remove_old(folder)

    def tell(find: Find) -> None:
        outcome.finds.append(find)
        number = len(outcome.finds)
        find.write(number, folder)
        print(f"\n{find.render(number, folder)}", flush=True)

    craft = house.craft("explore")
    redactor = Redactor([gateway.key, *(value for _, value in gateway.headers if value)])
    exploration = Exploration(GatewayAsker(craft, redactor, strict=settings.strict), outcome.places, budget, tell)
    began = time.monotonic()
    try:
        with nothing_kept(), _interruption_calls(exploration.stop):
            exploration.run()
        outcome.code = EXIT_FAILED if outcome.finds or outcome.blocked else EXIT_OK
    except (Interrupted, KeyboardInterrupt):
        outcome.code, outcome.ended = EXIT_INTERRUPTED, "Interrupted."
    except SuiteFault as fault:
        outcome.code, outcome.ended = EXIT_SUITE_ERROR, str(fault)
    except Halt as halt:
        outcome.code, outcome.ended = EXIT_FAILED, f"It ended early: {halt}"
    craft.close()
    outcome.turns, outcome.seconds = exploration.tried, time.monotonic() - began
    print(f"\n{outcome.summary()}", flush=True)
    return outcome


@contextmanager
def _interruption_calls(stop: Callable[[], None]) -> Iterator[None]:
    """The first interruption calls this, the second is a KeyboardInterrupt, for a gateway may keep a turn waiting."""
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:
        # Ignored, as in what a shell runs in the background, or somebody else's.
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        stop()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _places(settings: Settings, house: House) -> tuple[list[Place], list[str]]:
    """What can be explored of what was asked for, and why the rest cannot."""
    from gateproof.exploring.places import Place

    chosen, findings = settings.selection, house.findings
    places: list[Place] = []
    blocked: list[str] = []
    for place in map(Place.parse, findings.served):
        if chosen.pairs and not any(fnmatchcase(str(place.pair), glob) for glob in chosen.pairs):
            continue
        if chosen.modes and place.mode not in chosen.modes:
            continue
        if place.name in findings.blocked:
            blocked.append(findings.blocked[place.name])
        else:
            places.append(place)
    return places, blocked


def _announce(house: House, outcome: _Outcome) -> None:
    gateway, budget = house.gateway, outcome.budget
    print(f"gateway: {gateway.origin}, model {gateway.model!r}; mock upstream: {house.upstream_url}")
    print(f"preflight: {house.findings.describe()}")
    for cause in outcome.blocked:
        print(f"not explored: {cause}")
    if outcome.places:
        print(f"{len(outcome.places)} pairs and modes, {budget.seconds:g} s, --seed {budget.seed}", flush=True)
    else:
        print("gateproof explore: none of the pairs and modes that were asked for can be explored.")
