"""Lies about turns that share what each must have of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from gateproof_reference import failures
from gateproof_reference.canonical import Identity
from gateproof_reference.mutants.registry import mutant


@mutant(
    "one-call-at-a-time",
    seam="limits:Slots.hold",
    caught_by="""isolation.concurrent-turns-keep-apart isolation.stalled-upstream-blocks-nobody
    limit.failed-id-comes-from-the-request-id limit.full-is-429
    limit.waiting-chat-stream-ends-with-the-chat-error
    limit.waiting-messages-stream-ends-with-the-messages-error
    limit.waiting-responses-stream-ends-with-failed""",
    options="--max-concurrency 100",
)
def _(original: Any) -> Any:
    """A call waits until the one before it is over (LLM-API-Key-Proxy#39)."""
    lock = asyncio.Lock()

    @asynccontextmanager
    async def hold(self: Any) -> AsyncIterator[None]:
        async with lock:
            yield

    return hold


@mutant(
    "all-answers-are-one",
    seam="server:Identity",
    caught_by="""identity.items-of-two-turns-have-own-ids isolation.concurrent-turns-keep-apart
    isolation.nothing-stays-of-an-earlier-turn limit.failed-id-comes-from-the-request-id""",
)
def _(original: Any) -> Any:
    """Every answer has the id that the first one got."""
    first: list[str] = []

    def identity(request_id: str, now: int) -> Identity:
        first.append(request_id)
        return Identity(first[0], now)

    return identity


@mutant(
    "calls-go-to-the-latest-client",
    seam="server:send",
    caught_by="""grammar.chat-ends-once grammar.messages-blocks-are-in-order grammar.messages-events-are-in-order
    grammar.responses-events-are-in-order grammar.responses-indices-are-dense
    grammar.responses-items-are-told-whole identity.one-id-per-chat-stream
    identity.one-id-per-response isolation.concurrent-turns-keep-apart
    wire.sequence-numbers-count-from-zero wire.sequence-numbers-increase""",
)
def _(original: Any) -> Any:
    """What arrives is sent to the client that came last (litellm#35023)."""
    streams: list[Any] = []

    async def send(outs: Any, stream: Any) -> Any:
        if stream not in streams:
            streams.append(stream)
        return await original(outs, streams[-1])

    return send


@mutant("the-rest-is-for-the-next", seam="upstream:Reply.chunks", caught_by="isolation.unread-bytes-reach-nobody")
def _(original: Any) -> Any:
    """A long refusal is not read to its end, and its rest is where the next answer should begin (bifrost#1613)."""
    enough = 8192
    unread: list[int] = []

    async def chunks(self: Any) -> AsyncIterator[Any]:
        if unread:
            yield failures.broken(f"{unread.pop()} bytes of another answer before the status line")
            return
        size = 0
        async for chunk in original(self):
            size += len(chunk)
            if self.status != 200 and size > enough:
                unread.append(size - enough)
                return
            yield chunk

    return chunks


@mutant("cookies-are-kept", seam="upstream:Upstream._open", caught_by="isolation.upstream-cookies-are-not-kept")
def _(original: Any) -> Any:
    """All calls share the cookies that one of them got, as HTTP libraries do unasked."""
    jar = httpx.Cookies()

    async def opened(self: Any, request: httpx.Request) -> Any:
        jar.set_cookie_header(request)
        response = await original(self, request)
        response.request = request
        jar.extract_cookies(response)
        return response

    return opened
