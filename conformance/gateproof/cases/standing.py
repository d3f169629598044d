"""Questions that stand at a barrier while others are asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gateproof.stagehands import Ask, Live


@contextmanager
def standing_at(barrier: str, ask: Ask, count: int, **how: Any) -> Iterator[None]:
    """So many questions whose upstream has come to this barrier of the script; they end with the block. `how`: as in `ask`."""
    held: list[Live] = []
    try:
        for number in range(count):
            live = ask.begin(**how)
            held.append(live)
            assert live.reached(barrier), (
                f"question {number + 1} of {count} did not reach the upstream: {live.answer!r}"
            )
        yield
    finally:
        for live in held:
            live.release(barrier)
        for live in held:
            live.finish()
