"""What a built-in script leaves to its seed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from random import Random
from typing import TypeVar

T = TypeVar("T")

_WORDS = """
amber autumn basin beacon birch bridge candle canyon cedar cinder cloud comet copper coral cotton crystal dawn delta dune
ember falcon fern field flint forest frost garden glacier granite grove harbor hazel heron hollow indigo iris island ivory
jasper juniper lagoon lantern larch lily linen lotus maple marble marsh meadow mist moss nectar oak ocean olive onyx opal
orchid otter pebble pine plum pollen pond prairie quartz quill raven reed ridge river saffron sage sand silver slate snow
sparrow spruce stone storm summit thistle thyme timber topaz tulip valley velvet violet walnut water willow winter wren
zephyr
"""
WORDS = tuple(_WORDS.split())


class Dice:
    """Choices that are the same in every process and Python: only `Random.random` is asked, which is kept as it is."""

    def __init__(self, seed: str) -> None:
        self._random = Random(seed)

    def between(self, least: int, most: int) -> int:
        return least + int(self._random.random() * (most - least + 1))

    def pick(self, choices: Sequence[T]) -> T:
        return choices[self.between(0, len(choices) - 1)]

    def words(self, least: int, most: int) -> str:
        """So many words, with a space between them."""
        return " ".join(self.pick(WORDS) for _ in range(self.between(least, most)))

    def sentence(self, least: int = 4, most: int = 9) -> str:
        return self.words(least, most).capitalize() + "."

    def pieces(self, text: str, least: int = 2, most: int = 6) -> tuple[str, ...]:
        """The text in so many pieces at most, broken anywhere between two characters."""
        places = {self.between(1, max(1, len(text) - 1)) for _ in range(self.between(least, most) - 1)}
        cuts = [0, *sorted(place for place in places if 0 < place < len(text)), len(text)]
        return tuple(text[a:b] for a, b in itertools.pairwise(cuts))

    def arguments(self, **values: object) -> tuple[str, ...]:
        """The pieces of a JSON object, as a model streams it."""
        return self.pieces(json.dumps(values, ensure_ascii=False))
