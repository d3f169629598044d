"""Leases, watches and what is settled: in any order of threads, with no wait that has no end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from gateproof.coordinator import CeilingError, Coordinator, CoordinatorServer, connect, disconnect
from gateproof_mock import LocalMock, MockError, MockUpstream, hold, marker, script, text

LONG = 10.0


class Waiter:
    """A call in a thread of its own. `Waiter` returns only when the call waits, or has ended."""

    def __init__(self, coordinator: Coordinator, call: Callable[[], Any]) -> None:
        self.error: Exception | None = None
        self.ended = threading.Event()
        begun = threading.Event()
        condition = coordinator._changed
        wait_for = condition.wait_for

        def note(predicate: Callable[[], Any], timeout: float | None = None) -> Any:
            # Under the lock, which is free again only when this thread waits.
            condition.wait_for = wait_for
            begun.set()
            return wait_for(predicate, timeout)

        def run() -> None:
            try:
                call()
            except Exception as error:
                self.error = error
            self.ended.set()
            begun.set()

        condition.wait_for = note
        threading.Thread(target=run, daemon=True).start()
        assert begun.wait(LONG)

    def end(self) -> Exception | None:
        assert self.ended.wait(LONG)
        return self.error


def test_shared_leases_are_held_together() -> None:
    coordinator = Coordinator()
    for number in range(8):
        coordinator.lease(f"check {number}", "w", False, 0)


def test_the_exclusive_lease_waits_for_the_shared_ones_and_keeps_new_ones_out() -> None:
    coordinator = Coordinator()
    coordinator.lease("a", "w1", False, 0)
    coordinator.lease("b", "w2", False, 0)
    lone = Waiter(coordinator, lambda: coordinator.lease("lone", "w3", True, LONG))

    with pytest.raises(CeilingError, match=r"^late waited 0 s for its turn; running: a, b$"):
        coordinator.lease("late", "w4", False, 0)
    coordinator.release("a")
    assert not lone.ended.is_set()
    coordinator.release("b")
    assert lone.end() is None

    for alone in (False, True):
        with pytest.raises(CeilingError, match=r"running: lone$"):
            coordinator.lease("late", "w4", alone, 0)
    late = Waiter(coordinator, lambda: coordinator.lease("late", "w4", False, LONG))
    coordinator.release("lone")
    assert late.end() is None


def test_exclusive_leases_follow_one_another() -> None:
    coordinator = Coordinator()
    coordinator.lease("first", "w1", True, 0)
    second = Waiter(coordinator, lambda: coordinator.lease("second", "w2", True, LONG))
    assert not second.ended.is_set()
    coordinator.release("first")
    assert second.end() is None
    with pytest.raises(CeilingError, match=r"running: second$"):
        coordinator.lease("third", "w1", True, 0)


def test_an_exclusive_lease_that_gave_up_keeps_nobody_out() -> None:
    coordinator = Coordinator()
    coordinator.lease("a", "w1", False, 0)
    with pytest.raises(CeilingError, match=r"lone waited 0\.01 s for its turn; running: a$"):
        coordinator.lease("lone", "w2", True, 0.01)
    coordinator.lease("b", "w2", False, 0)


def test_nobody_holds_two_leases_at_a_time_when_all_want_them() -> None:
    coordinator = Coordinator()
    inside: list[str] = []
    faults: list[str] = []

    def work(name: str, alone: bool) -> None:
        for _ in range(50):
            coordinator.lease(name, name, alone, LONG)
            inside.append(name)
            if alone and inside != [name]:
                faults.append(f"{name} was with {inside}")
            inside.remove(name)
            coordinator.release(name)

    threads = [threading.Thread(target=work, args=(f"w{n}", n % 3 == 0)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not any(thread.is_alive() for thread in threads)
    assert faults == []


@pytest.mark.parametrize("alone", [False, True])
def test_what_a_dead_worker_held_is_free(alone: bool) -> None:
    coordinator = Coordinator()
    coordinator.lease("held", "dead", alone, 0)
    waiting = Waiter(coordinator, lambda: coordinator.lease("next", "alive", True, LONG))
    coordinator.worker_gone("dead")
    assert waiting.end() is None


@pytest.mark.parametrize("alone", [False, True])
def test_a_dead_worker_gets_no_lease_that_it_waited_for(alone: bool) -> None:
    coordinator = Coordinator()
    coordinator.lease("held", "alive", True, 0)
    waiting = Waiter(coordinator, lambda: coordinator.lease("orphan", "dead", alone, LONG))
    coordinator.worker_gone("dead")
    assert isinstance(waiting.end(), CeilingError)
    coordinator.release("held")
    coordinator.lease("next", "alive", True, 0)


def test_releasing_what_nobody_holds_is_no_error() -> None:
    Coordinator().release("nobody")


def test_a_watch_counts_and_keeps_the_first_breach_by_name() -> None:
    coordinator = Coordinator()
    for check, sentences in (("b", ["late"]), ("c", ["later"]), ("a", ["x", "y"]), ("a", ["again"]), ("0", [])):
        coordinator.observe("chat.chat.stream", check, {"wire.sse-is-clean": sentences}, [check])
    watch = coordinator.watch("wire.sse-is-clean", "chat.chat.stream")
    assert (watch.seen, watch.broken) == (5, 4)
    assert (watch.first, watch.first_in, watch.first_transcript) == ("x; y", "a", ["a"])


def test_watches_are_apart_by_invariant_and_place() -> None:
    coordinator = Coordinator()
    coordinator.observe("chat.chat.stream", "a", {"one": [], "two": ["x"]}, [])
    assert [coordinator.watch(id, "chat.chat.stream").broken for id in ("one", "two", "three")] == [0, 1, 0]
    assert coordinator.watch("two", "chat.chat.json").seen == 0


def test_a_watch_that_was_taken_changes_no_more() -> None:
    coordinator = Coordinator()
    coordinator.observe("p", "a", {"one": []}, [])
    watch = coordinator.watch("one", "p")
    coordinator.observe("p", "a", {"one": []}, [])
    assert watch.seen == 1


def test_waiting_for_checks_ends_with_the_last_of_them() -> None:
    coordinator = Coordinator()
    coordinator.await_settled("p", [], 0)
    coordinator.settle("p", "a")
    waiting = Waiter(coordinator, lambda: coordinator.await_settled("p", ["a", "b"], LONG))
    coordinator.settle("elsewhere", "b")
    assert not waiting.ended.is_set()
    coordinator.settle("p", "b")
    assert waiting.end() is None


def test_checks_that_never_end_are_named() -> None:
    coordinator = Coordinator()
    coordinator.settle("p", "a")
    with pytest.raises(CeilingError, match=r"^waited 0\.01 s for 2 checks to end, such as b$"):
        coordinator.await_settled("p", ["c", "a", "b"], 0.01)


def test_a_buffering_place_is_marked_alone() -> None:
    coordinator = Coordinator()
    coordinator.mark_buffering("chat.chat.stream")
    assert coordinator.is_buffering("chat.chat.stream")
    assert not coordinator.is_buffering("chat.chat.json")


def test_another_process_sees_the_same_coordinator_and_its_errors() -> None:
    coordinator = Coordinator()
    server = CoordinatorServer(coordinator)
    proxy, _ = connect(server.address, server.key)
    proxy.lease("a", "w1", True, 1.0)
    with pytest.raises(CeilingError, match=r"running: a$"):
        proxy.lease("b", "w2", False, 0.0)
    coordinator.worker_gone("w1")
    proxy.lease("b", "w2", False, 1.0)
    proxy.release("b")
    proxy.observe("p", "a", {"one": ["\ud800"]}, [{"lines": []}])
    assert proxy.watch("one", "p").first == "\ud800"
    proxy.settle("p", "a")
    proxy.await_settled("p", ["a"], 1.0)
    proxy.mark_buffering("p")
    assert proxy.is_buffering("p")
    disconnect(proxy)


def test_another_process_scripts_the_same_mock_and_reads_its_calls() -> None:
    with MockUpstream(token="t") as mock, LocalMock(mock) as local:
        server = CoordinatorServer(Coordinator(), local)
        _, proxy = connect(server.address, server.key)
        mark = marker("abcdef")
        proxy.put(mark, [script(text("Hel"), hold("there"), text("lo"))])
        body = {"model": "m", "messages": [{"role": "user", "content": mark}]}
        asked = threading.Thread(target=httpx.post, args=(f"{mock.base_url}/chat/completions",), kwargs={"json": body})
        asked.start()
        assert proxy.reached(mark, "there", 5.0)
        proxy.release(mark, "there")
        asked.join(5)
        assert proxy.calls(mark, 1, 5.0, ended=True) == local.calls(mark)
        proxy.drop(mark)
        with pytest.raises(MockError, match="No script has the marker"):
            proxy.release(mark, "there")
        disconnect(proxy)


def test_a_wrong_key_is_refused() -> None:
    server = CoordinatorServer(Coordinator())
    with pytest.raises(Exception, match="digest"):
        connect(server.address, "00" * 16)
