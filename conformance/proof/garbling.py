"""Answers with something else in the place of one of their values: what no API says, and a broken gateway may.

Nobody can name the requirement that such an answer breaks. What it must not do is break the suite.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from wire_faults import Fault, data_of

SPARED = 20
"""Answers at the beginning that are left alone: those of the preflight, without which nothing is asked."""
SHARE_OF_BODIES = 0.7
SHARE_OF_FRAMES = 0.2
SHARE_OF_LOSSES = 0.2
"""Of what is garbled: the value is not there at all."""

DEEP = "[" * 2000 + "]" * 2000
RAW: tuple[str, ...] = (
    *("null", "true", "-1", "1e400", "1" + "0" * 5000, "0.5", '""', '"\\ud83d"', '"\\u0000"', '"0"'),
    *("[]", "{}", "[null]", "[[]]", '[{"type": []}]', '{"type": {}}', '{"index": "0"}', DEEP, f'"{"x" * 70000}"'),
)
"""What is put in a value's place, as it stands in the JSON."""


OF_ONE_RUN = re.compile(rb"[A-Za-z]+[-_][\w-]{8,}")
"""Markers and ids, which are others in each run."""


class Garbler:
    """Makes the faults of one run: the same ones for the same seed and request.

    What is garbled hangs on the request and on nothing that came before it. One sequence of chances for the whole run was
    tried: a keepalive more or less, and every answer after it was another, so that what a run had found no second run showed.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._answers = 0

    def __call__(self, request: bytes) -> Fault:
        self._answers += 1
        if self._answers <= SPARED:
            return Fault()
        return Garbled(b"%d %b" % (self._seed, OF_ONE_RUN.sub(b"", request)))


class Garbled(Fault):
    """Some values are others. `seed`: what settles which, and by what they are replaced."""

    def __init__(self, seed: bytes) -> None:
        super().__init__()
        self._seed = seed
        self._frames: Counter[bytes] = Counter()

    def frame(self, frame: bytes) -> Iterator[bytes]:
        data = data_of(frame)
        # By the how manieth of its kind it is: a keepalive, which comes or not, must not move the others.
        kind = str(data.get("type", "")).encode()
        self._frames[kind] += 1
        chance = random.Random(b"%b %b %d" % (self._seed, kind, self._frames[kind]))
        if data and chance.random() < SHARE_OF_FRAMES:
            names = [line for line in frame.split(b"\n") if line.startswith(b"event:")]
            frame = b"\n".join([*names, b"data: " + _garbled(data, chance), b"", b""])
        yield frame

    def body(self, data: bytes) -> bytes:
        chance = random.Random(self._seed)
        if chance.random() >= SHARE_OF_BODIES:
            return data
        try:
            return _garbled(json.loads(data), chance)
        except ValueError:
            return data


def _garbled(document: Any, chance: random.Random) -> bytes:
    places = list(_places(document))
    if not places:
        return chance.choice(RAW).encode()
    *way, last = chance.choice(places)
    holder = document
    for step in way:
        holder = holder[step]
    if chance.random() < SHARE_OF_LOSSES:
        del holder[last]
        return json.dumps(document).encode()
    holder[last] = mark = "the value that is another"
    return json.dumps(document).replace(json.dumps(mark), chance.choice(RAW)).encode()


def _places(document: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each value in a document."""
    held = document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    for step, value in held:
        yield (*way, step)
        yield from _places(value, (*way, step))
