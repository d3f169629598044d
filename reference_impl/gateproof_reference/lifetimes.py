"""How long work may go on: as long as its client is there, and until the gateway must stop."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from starlette.types import Receive

from gateproof_reference import failures


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` unless the client goes away: then it is cancelled, which hangs up on the upstream (new-api#4184)."""
    stay = asyncio.timeout(None)
    try:
        async with stay:
            watching = asyncio.create_task(end_with_client(receive, stay))
            try:
                await work
            finally:
                watching.cancel()
    except TimeoutError:
        if not stay.expired():
            raise


async def end_with_client(receive: Receive, stay: asyncio.Timeout) -> None:
    """End `stay` when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
    stay.reschedule(asyncio.get_running_loop().time())


class OpenWork:
    """What waits for the upstream, so that it can be told to end while there is still a client to tell."""

    def __init__(self) -> None:
        self._deadlines: set[asyncio.Timeout] = set()
        self._end: float | None = None

    def __len__(self) -> int:
        return len(self._deadlines)

    @asynccontextmanager
    async def until_stop(self) -> AsyncIterator[None]:
        """Run a block that may be ended. Raise RefusedError (503) in its place if it was."""
        deadline = asyncio.timeout_at(self._end)
        self._deadlines.add(deadline)
        try:
            async with deadline:
                yield
        except TimeoutError:
            if not deadline.expired():
                raise
            raise failures.RefusedError(failures.stopping()) from None
        finally:
            self._deadlines.discard(deadline)

    def end_in(self, seconds: float) -> None:
        """End all blocks after so many seconds, those that are yet to begin too. Once."""
        self._end = asyncio.get_running_loop().time() + seconds
        for deadline in self._deadlines:
            deadline.reschedule(self._end)
