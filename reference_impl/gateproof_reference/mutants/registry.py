"""How a mutant is declared and installed.

A mutant names one seam of the reference, `module:name` or `module:Class.name`, and replaces what stands there. The
reference itself knows nothing of this: its seams are its ordinary functions, methods and tables.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PACKAGE = "gateproof_reference"


@dataclass(frozen=True, slots=True)
class Mutant:
    """One lie. `make` takes what stands at the seam and returns what shall stand there."""

    name: str
    lie: str
    seam: str
    options: str
    caught_by: tuple[str, ...]
    make: Callable[[Any], Any]

    def line(self) -> str:
        """Return the line of `--list-mutants`: name, options, gateway file, requirement ids."""
        return "\t".join((self.name, self.options, "-", " ".join(self.caught_by)))

    def place(self) -> tuple[Any, str]:
        """Return the module or class that holds the seam, and its name there."""
        module, _, path = self.seam.partition(":")
        holder: Any = importlib.import_module(f"{PACKAGE}.{module}")
        *outer, name = path.split(".")
        for part in outer:
            holder = getattr(holder, part)
        return holder, name

    def install(self) -> None:
        """Make this process wrong. Raise AttributeError if the seam is not there."""
        holder, name = self.place()
        setattr(holder, name, self.make(getattr(holder, name)))


MUTANTS: dict[str, Mutant] = {}
"""All mutants by name, in the order of their declaration."""


def mutant(
    name: str, *, seam: str, caught_by: str, options: str = ""
) -> Callable[[Callable[[Any], Any]], Callable[[Any], Any]]:
    """Declare a mutant. `caught_by` holds the ids, separated by white space; the docstring is the lie."""

    def declare(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
        if name in MUTANTS:
            raise ValueError(f"two mutants are called {name}")
        lie = " ".join((make.__doc__ or "").split())
        MUTANTS[name] = Mutant(name, lie, seam, options, tuple(caught_by.split()), make)
        return make

    return declare
