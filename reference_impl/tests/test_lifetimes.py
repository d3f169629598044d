"""Work that ends with its client."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from gateproof_reference.lifetimes import unless_gone


class Client:
    """Sends a whole request, and goes when it is told to."""

    def __init__(self) -> None:
        self.goes = asyncio.Event()
        self.told: list[str] = ["http.request"]

    async def receive(self) -> dict[str, Any]:
        if not self.told:
            await self.goes.wait()
            return {"type": "http.disconnect"}
        return {"type": self.told.pop()}


def run(scene: Coroutine[Any, Any, None]) -> None:
    async def inner() -> None:
        async with asyncio.timeout(10):
            await scene

    asyncio.run(inner())


def test_work_of_a_client_that_left_is_cancelled_and_has_cleaned_up() -> None:
    async def scene() -> None:
        client, steps = Client(), []

        async def work() -> None:
            client.goes.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                steps.append("cancelled")
                await asyncio.sleep(0)
                steps.append("cleaned up")
                raise

        await unless_gone(client.receive, work())
        assert steps == ["cancelled", "cleaned up"]
        await asyncio.sleep(0)  # Its caller may go on: the cancellation was the work's alone.

    run(scene())


@pytest.mark.parametrize("error", [TimeoutError, ValueError])
def test_what_goes_wrong_in_the_work_is_told(error: type[Exception]) -> None:
    async def scene() -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            raise error

        with pytest.raises(error):
            await unless_gone(Client().receive, work())

    run(scene())


def test_who_waits_for_the_work_can_be_cancelled() -> None:
    async def scene() -> None:
        begun = asyncio.Event()

        async def work() -> None:
            begun.set()
            await asyncio.Event().wait()

        waiting = asyncio.create_task(unless_gone(Client().receive, work()))
        await begun.wait()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting

    run(scene())


def test_nothing_is_left_running() -> None:
    async def scene() -> None:
        before = asyncio.all_tasks()
        await unless_gone(Client().receive, asyncio.sleep(0))
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before

    run(scene())
