"""Where a gateway is explored: a pair in a mode."""

from __future__ import annotations

from typing import NamedTuple

from gateproof.pairs import Pair

_SAID = {"stream": "streamed", "json": "in JSON"}


class Place(NamedTuple):
    """A pair in a mode (`stream` or `json`); written `chat.responses.stream`, as in the name of a check."""

    pair: Pair
    mode: str

    @classmethod
    def parse(cls, name: str) -> Place:
        """`chat.responses.stream` -> Place, as the preflight names them. Raises ValueError for no pair."""
        pair, _, mode = name.rpartition(".")
        return cls(Pair.parse(pair), mode)

    @property
    def name(self) -> str:
        return f"{self.pair}.{self.mode}"

    def __str__(self) -> str:
        """For people: `chat<responses, streamed`."""
        return f"{self.pair.surface}<{self.pair.dialect}, {_SAID[self.mode]}"
