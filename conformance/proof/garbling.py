"""Answers with something else in the place of one of their values: what no API says, and a broken gateway may.

Nobody can name the requirement that such an answer breaks. What it must not do is break the suite.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from wire_faults import Fault, data_of

SPARED = 400
"""Answers at the beginning that are left alone: those of the preflight, without which nothing is asked."""
SHARE_OF_BODIES = 0.7
SHARE_OF_FRAMES = 0.2

DEEP = "[" * 2000 + "]" * 2000
RAW: tuple[str, ...] = (
    *("null", "true", "-1", "1e400", "1" + "0" * 5000, "0.5", '""', '"\\ud83d"', '"\\u0000"', '"0"'),
    *("[]", "{}", "[null]", "[[]]", '[{"type": []}]', '{"type": {}}', '{"index": "0"}', DEEP, f'"{"x" * 70000}"'),
)
"""What is put in a value's place, as it stands in the JSON."""


class Garbler:
    """Makes the faults of one run; with the same seed and the same answers the same ones."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._answers = 0

    def __call__(self) -> Fault:
        self._answers += 1
        return Fault() if self._answers <= SPARED else Garbled(self._random)


class Garbled(Fault):
    """Some values are others."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance

    def frame(self, frame: bytes) -> Iterator[bytes]:
        data = data_of(frame)
        if data and self._chance.random() < SHARE_OF_FRAMES:
            names = [line for line in frame.split(b"\n") if line.startswith(b"event:")]
            frame = b"\n".join([*names, b"data: " + self._garbled(data), b"", b""])
        yield frame

    def body(self, data: bytes) -> bytes:
        if self._chance.random() >= SHARE_OF_BODIES:
            return data
        try:
            return self._garbled(json.loads(data))
        except ValueError:
            return data

    def _garbled(self, document: Any) -> bytes:
        places = [place for place in _places(document) if place]
        if not places:
            return self._chance.choice(RAW).encode()
        *way, last = self._chance.choice(places)
        holder = document
        for step in way:
            holder = holder[step]
        if self._chance.random() < 0.2:
            del holder[last]
            return json.dumps(document).encode()
        holder[last] = mark = "the value that is another"
        return json.dumps(document).replace(json.dumps(mark), self._chance.choice(RAW)).encode()


def _places(document: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a document, the document itself among them."""
    yield way
    held = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for step, value in held:
        yield from _places(value, (*way, step))
