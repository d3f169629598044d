"""What the mock itself costs: how long it takes to answer, and how far its pauses miss.

A gateway's latency is measured through a mock, and the mock's own is part of what is seen. So it says what that is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

SAMPLES = 10_000
"""Latest samples that are kept of each."""


class Floor:
    """`first_bytes`: seconds from a request read to its answer's first byte handed to the kernel, where the script has nothing
    to wait for. `lateness`: seconds by which a pause was longer than the script says. May be filled from any thread."""

    def __init__(self) -> None:
        self.first_bytes: deque[float] = deque(maxlen=SAMPLES)
        self.lateness: deque[float] = deque(maxlen=SAMPLES)

    def to_json(self) -> dict[str, object]:
        """Milliseconds: {"first_byte_ms": {"samples", "p50", "p99"}, "pace_error_ms": ...}."""
        return {"first_byte_ms": _spread(self.first_bytes), "pace_error_ms": _spread(self.lateness)}

    def clear(self) -> None:
        self.first_bytes.clear()
        self.lateness.clear()


def _spread(samples: Iterable[float]) -> dict[str, float | int | None]:
    # A copy first: a deque that grows while it is sorted raises.
    ordered = list(samples)
    ordered.sort()
    if not ordered:
        return {"samples": 0, "p50": None, "p99": None}
    last = len(ordered) - 1
    return {
        "samples": len(ordered),
        "p50": round(1000 * ordered[round(last * 0.5)], 3),
        "p99": round(1000 * ordered[round(last * 0.99)], 3),
    }
