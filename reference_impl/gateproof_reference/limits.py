"""The concurrency limit: so many calls to the upstream at once, the rest waits, but not for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateproof_reference import failures


class Slots:
    """`most` slots (None: no limit); a caller waits at most `patience` seconds for one."""

    def __init__(self, most: int | None, patience: float) -> None:
        self._free = asyncio.Semaphore(most) if most is not None else None
        self._patience = patience

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Hold a slot; it is free again however the block is left. Raise RefusedError (429) if none became free."""
        if self._free is None:
            yield
            return
        try:
            async with asyncio.timeout(self._patience):
                await self._free.acquire()
        except TimeoutError:
            raise failures.RefusedError(failures.full()) from None
        try:
            yield
        finally:
            self._free.release()
