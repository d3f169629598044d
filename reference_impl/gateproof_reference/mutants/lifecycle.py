"""Lies about clients that left, and about turns that broke."""

import asyncio
import copy
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from gateproof_reference.mutants.registry import mutant

_TASKS: set[asyncio.Task[None]] = set()


@mutant(
    "work-outlives-its-client",
    seam="server:unless_gone",
    caught_by="lifecycle.disconnect-closes-the-upstream lifecycle.early-disconnect-closes-the-upstream",
)
def _(original: Any) -> Any:
    """Nobody looks whether the client is still there (new-api#4184)."""

    async def unless_gone(receive: Any, work: Coroutine[Any, Any, None]) -> None:
        await work

    return unless_gone


@mutant(
    "json-outlives-its-client",
    seam="server:Gateway._unary",
    caught_by="lifecycle.early-disconnect-closes-the-upstream",
)
def _(original: Any) -> Any:
    """Only streams end with their client (litellm#30223)."""

    async def unary(*args: Any) -> None:
        await asyncio.shield(original(*args))

    return unary


@mutant(
    "nobody-is-tried-for-again",
    seam="upstream:Upstream.call",
    caught_by="lifecycle.nothing-is-tried-for-a-client-that-left",
)
def _(original: Any) -> Any:
    """A call that ended because its client left is taken for one that failed, and made again (new-api#4184)."""

    @asynccontextmanager
    async def call(*args: Any, **how: Any) -> AsyncIterator[Any]:
        async def again() -> None:
            async with original(*args, **how):
                pass

        try:
            async with original(*args, **how) as reply:
                yield reply
        except asyncio.CancelledError:
            task = asyncio.create_task(again())
            _TASKS.add(task)
            task.add_done_callback(_TASKS.discard)
            raise

    return call


@mutant(
    "broken-turns-begin-anew",
    seam="server:Gateway._deliver",
    caught_by="""failure.failed-event-keeps-the-created-id grammar.messages-blocks-are-in-order
    grammar.messages-events-are-in-order grammar.responses-events-are-in-order
    grammar.responses-indices-are-dense grammar.responses-items-are-told-whole
    grammar.responses-summary-parts-are-announced identity.one-id-per-chat-stream
    identity.one-id-per-response lifecycle.output-is-never-repeated
    lifecycle.started-turn-is-asked-once mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere wire.sequence-numbers-count-from-zero
    wire.sequence-numbers-increase""",
)
def _(original: Any) -> Any:
    """A stream that failed is asked for again, and sent from its beginning behind what was sent (sub2api#1007)."""

    async def deliver(self: Any, call: Any, pipe: Any, stream: Any) -> Any:
        spare = copy.deepcopy(pipe)
        failed = await original(self, call, pipe, stream)
        return failed if failed is None else await original(self, call, spare, stream)

    return deliver


@mutant(
    "started-turns-are-asked-twice",
    seam="server:Gateway._deliver",
    caught_by="lifecycle.started-turn-is-asked-once",
)
def _(original: Any) -> Any:
    """A stream that failed is asked for again, though nothing can be done with the answer (sub2api#4698)."""

    async def deliver(self: Any, call: Any, pipe: Any, stream: Any) -> Any:
        failed = await original(self, call, pipe, stream)
        if failed is not None:
            async with call():
                pass
        return failed

    return deliver
