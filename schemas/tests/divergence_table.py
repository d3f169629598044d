"""`divergences.toml` as Python, and as the tables of the README."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

HEADS = {
    "openai": ("OR", "OpenAI", "really sent, and what clients do", "accepted"),
    "anthropic": ("SDK", "really sent, and what clients do", "accepted"),
}


@dataclass(frozen=True)
class Divergence:
    """One difference between descriptions: by column what each says, and the lines with which it shows in an SDK's types."""

    name: str
    table: str
    says: Mapping[str, str]
    differs: Mapping[str, list[str]] = field(default_factory=dict)


@cache
def divergences() -> tuple[Divergence, ...]:
    text = files("gateproof_schemas").joinpath("divergences.toml").read_text(encoding="utf-8")
    return tuple(Divergence(name, **content) for name, content in tomllib.loads(text).items())


def table(name: str) -> str:
    """The rows of one table of the README, with its head."""
    head = HEADS[name]
    rows = [[row.name, *(row.says.get(column, "–") for column in head)] for row in divergences() if row.table == name]
    lines = [["name", *head], ["---"] * (len(head) + 1), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" if cells[0] != "---" else f"|{'|'.join(cells)}|\n" for cells in lines)
