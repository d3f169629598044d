"""A time by which each of many has to be over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Curfew:
    """Whoever is out for more than `seconds` is called in, once. Any number of threads may use one.

    One thread for all of them, which is there only while somebody is out: a timer for each would cost a thread for each. Since
    all may be out equally long, the one who left first is the next to be looked for.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._out: dict[object, tuple[float, Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._watched = False

    @contextmanager
    def out(self, call_in: Callable[[], None]) -> Iterator[None]:
        """Inside, `call_in` is called from another thread when the time is up."""
        one = object()
        with self._lock:
            self._out[one] = time.monotonic() + self._seconds, call_in
            if not self._watched:
                self._watched = True
                threading.Thread(target=self._watch, daemon=True, name="gateproof-curfew").start()
        try:
            yield
        finally:
            with self._lock:
                self._out.pop(one, None)

    def close(self) -> None:
        """Look for nobody any more."""
        self._closed.set()

    def _watch(self) -> None:
        while (left := self._left()) is not None and not self._closed.wait(left):
            for call_in in self._late():
                call_in()

    def _left(self) -> float | None:
        """Seconds until the next has to be in; None if nobody is out."""
        with self._lock:
            for due, _ in self._out.values():
                return max(0.0, due - time.monotonic())
            self._watched = False
            return None

    def _late(self) -> list[Callable[[], None]]:
        now = time.monotonic()
        with self._lock:
            late = [one for one, (due, _) in self._out.items() if due <= now]
            return [self._out.pop(one)[1] for one in late]
