"""Lies about silences."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from gateproof_reference import failures
from gateproof_reference.mutants.registry import mutant


@mutant(
    "pings-are-events",
    seam="sse:PING",
    caught_by="""grammar.responses-events-are-in-order identity.one-id-per-chat-stream schema.frames-are-valid
    time.keepalive-is-no-content wire.sequence-numbers-count-from-zero""",
)
def _(original: Any) -> Any:
    """A keepalive is an event of Messages on every surface (OmniRoute#7031)."""
    return b'event: ping\ndata: {"type":"ping"}\n\n'


@mutant(
    "silence-is-kept",
    seam="answers:StreamAnswer.keep_alive",
    caught_by="""limit.failed-id-comes-from-the-request-id limit.waiting-chat-stream-ends-with-the-chat-error
    limit.waiting-messages-stream-ends-with-the-messages-error
    limit.waiting-responses-stream-ends-with-failed time.keepalive-comes-in-silence""",
)
def _(original: Any) -> Any:
    """No keepalive ever comes (codex-proxy#609)."""

    async def keep_alive(self: Any) -> None:
        await asyncio.Event().wait()

    return keep_alive


@mutant("patience-has-no-end", seam="upstream:Upstream.call", caught_by="time.silent-upstream-is-given-up")
def _(original: Any) -> Any:
    """A model's own idle timeout is not looked at (ccs#1398)."""
    return lambda *args, idle_timeout=None, **how: original(*args, **how)


@mutant(
    "idle-timeout-is-for-the-whole",
    seam="upstream:Upstream.call",
    caught_by="time.busy-stream-outlives-the-idle-timeout",
)
def _(original: Any) -> Any:
    """The idle timeout bounds the whole answer, and not its silences (kram#105)."""

    @asynccontextmanager
    async def call(*args: Any, idle_timeout: float | None = None, **how: Any) -> AsyncIterator[Any]:
        async with original(*args, idle_timeout=idle_timeout, **how) as reply:
            if idle_timeout is not None:
                reply.chunks = lambda chunks=reply.chunks: _until(chunks(), time.monotonic() + idle_timeout)
            yield reply

    return call


async def _until(chunks: AsyncIterator[Any], end: float) -> AsyncIterator[Any]:
    async for chunk in chunks:
        if time.monotonic() > end:
            yield failures.timed_out()
            return
        yield chunk
