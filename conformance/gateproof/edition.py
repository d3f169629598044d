"""Editions: frozen lists of requirements, in `editions/NAME.toml`. A gateway's result is always against one.

So that an upgrade of the suite turns nobody's CI red: what joins the catalogue counts from the next edition on. `draft` is the
catalogue as it stands. `python -m gateproof.edition` prints the draft as the file of an edition.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from gateproof.catalogue import CatalogueError, Requirement, catalogue
from gateproof.checks import product

DRAFT = "draft"


def names() -> tuple[str, ...]:
    """The published editions, the newest last."""
    folder = resources.files("gateproof") / "editions"
    found = [f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml")]
    return tuple(sorted(found, key=lambda name: [int(part) for part in name.split(".")]))


def newest() -> str:
    """The edition that counts when none is named."""
    return names()[-1] if names() else DRAFT


@cache
def edition(name: str) -> tuple[Requirement, ...]:
    """An edition's requirements, in the catalogue's order.

    Raises ValueError for a name that is none, CatalogueError when the catalogue has another revision of a requirement than the
    edition pins.
    """
    if name == DRAFT:
        return tuple(catalogue().values())
    if name not in names():
        raise ValueError(f"there is no edition {name!r}; there is {', '.join((*names(), DRAFT))}")
    file = resources.files("gateproof") / "editions" / f"{name}.toml"
    pinned = tomllib.loads(file.read_text("utf-8"))
    for id, pin in pinned.items():
        requirement = catalogue().get(id)
        if requirement is None or _pin(requirement) != pin:
            has = f"has {_pin(requirement)}" if requirement else "has no such requirement"
            raise CatalogueError(f"edition {name} pins {id} as {pin}, and the catalogue {has}")
    return tuple(requirement for requirement in catalogue().values() if requirement.id in pinned)


def _pin(requirement: Requirement) -> dict[str, Any]:
    """What of a requirement makes a verdict: its level, its oracle (by revision), on how many pairs and modes it is asked, and on
    how many of them it is a MUST (the level may have exceptions)."""
    levels = [check.level for check in product([requirement])]
    return {
        "level": requirement.level,
        "revision": requirement.revision,
        "checks": len(levels),
        "musts": levels.count("MUST"),
    }


def written(requirements: Iterable[Requirement]) -> str:
    """The file of an edition with these requirements."""
    return "".join(f'"{requirement.id}" = {_inline(_pin(requirement))}\n' for requirement in requirements)


def _inline(table: Mapping[str, Any]) -> str:
    words = {key: f'"{value}"' if isinstance(value, str) else value for key, value in table.items()}
    return "{ " + ", ".join(f"{key} = {value}" for key, value in words.items()) + " }"


if __name__ == "__main__":
    sys.stdout.write(written(edition(DRAFT)))
