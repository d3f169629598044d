"""Who is out too long is called in, once, and the watch goes home with the last."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from gateproof.curfew import Curfew

CEILING = 5.0


@pytest.fixture
def watchers() -> Callable[[], list[threading.Thread]]:
    """The watching threads that began since the test did."""
    before = threading.enumerate()
    return lambda: [t for t in threading.enumerate() if t.name == "gateproof-curfew" and t not in before]


def test_each_that_is_late_is_called_in_once() -> None:
    curfew = Curfew(0.05)
    calls: list[str] = []
    both = threading.Barrier(3)

    def stay_out(name: str) -> None:
        called = threading.Event()

        def call_in() -> None:
            calls.append(name)
            called.set()

        with curfew.out(call_in):
            assert called.wait(CEILING)
        both.wait(CEILING)

    for name in ("one", "two"):
        threading.Thread(target=stay_out, args=(name,), daemon=True).start()
    both.wait(CEILING)

    assert sorted(calls) == ["one", "two"]


def test_who_is_in_is_not_called_and_the_watch_ends(watchers: Callable[[], list[threading.Thread]]) -> None:
    curfew = Curfew(0.05)
    calls: list[str] = []
    for _ in range(3):
        with curfew.out(lambda: calls.append("called")):
            (watch,) = watchers()
        watch.join(CEILING)
        assert not watch.is_alive()

    assert calls == []


def test_a_closed_curfew_calls_nobody(watchers: Callable[[], list[threading.Thread]]) -> None:
    curfew = Curfew(3600)
    with curfew.out(lambda: None):
        (watch,) = watchers()
        curfew.close()
        watch.join(CEILING)
        assert not watch.is_alive()
