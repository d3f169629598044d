"""Where cases and invariants register themselves. Adding a module to `cases/` is all it takes."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from gateproof.catalogue import Requirement, catalogue
from gateproof.pairs import Pair

if TYPE_CHECKING:
    from gateproof.exchange import Exchange

Case = Callable[..., None]
Invariant = Callable[["Exchange"], "Iterable[str] | None"]


class _Registered:
    def __init__(self, function: Callable[..., Any], *, alone: bool) -> None:
        self.function = function
        self.alone = alone


_cases: dict[str, _Registered] = {}
_invariants: dict[str, Invariant] = {}


def case(id: str, *, alone: bool = False) -> Callable[[Case], Case]:
    """Make a function the case of a requirement. Its parameters are filled by name (see `stagehands.py`).

    `alone=True`: no other case may run at the same time (filled concurrency slots, requests without a marker).
    """

    def register(function: Case) -> Case:
        if id in _cases:
            raise ValueError(f"two cases for {id}")
        _cases[id] = _Registered(function, alone=alone)
        return function

    return register


def invariant(id: str) -> Callable[[Invariant], Invariant]:
    """Make a function the watch of a requirement on every exchange.

    It yields one sentence for each breach, nothing when all is well, and returns None when the exchange has nothing
    that it watches (so that an invariant which saw nothing is not a pass).
    """

    def register(function: Invariant) -> Invariant:
        if id in _invariants:
            raise ValueError(f"two invariants for {id}")
        _invariants[id] = function
        return function

    return register


@cache
def _load() -> None:
    package = importlib.import_module("gateproof.cases")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"gateproof.cases.{module.name}")


def cases() -> dict[str, Case]:
    _load()
    return {id: r.function for id, r in _cases.items()}


def play(id: str, hands: Mapping[str, Any]) -> None:
    """Run the case of a requirement with what it takes of these. Raises whatever the case raises."""
    _load()
    _cases[id].function(**{name: hands[name] for name in _taken(id)})


@cache
def _taken(id: str) -> tuple[str, ...]:
    return tuple(inspect.signature(_cases[id].function).parameters)


def alone(id: str) -> bool:
    """Whether a requirement's case takes the exclusive lease."""
    _load()
    return id in _cases and _cases[id].alone


def invariants() -> dict[str, Invariant]:
    _load()
    return dict(_invariants)


@cache
def watching(pair: Pair, mode: str) -> tuple[tuple[Requirement, Invariant], ...]:
    """The invariants that look at the exchanges of this pair and mode, each with its requirement."""
    found = ((catalogue()[id], watch) for id, watch in invariants().items())
    return tuple((its, watch) for its, watch in found if pair in its.pairs and mode in its.modes)
