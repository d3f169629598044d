"""Gateways that are none: what a suite must never be content with. Each is an ASGI application made from settings."""

import asyncio
from collections.abc import Callable

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateproof_reference.lifetimes import unless_gone
from gateproof_reference.server import Settings


async def _reply(send: Send, status: int, content_type: str, body: bytes, *, end: bool = True) -> None:
    headers = [(b"content-type", content_type.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": not end})


def _fixed(status: int, content_type: str, body: bytes) -> Callable[[Settings], ASGIApp]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await _reply(send, status, content_type, body)

    return lambda _: app


def _echo(_: Settings) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await _reply(send, 200, "application/json", await Request(scope, receive).body())

    return app


def _hang(_: Settings) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await unless_gone(receive, asyncio.sleep(float("inf")))

    return app


def _cut(_: Settings) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await Request(scope, receive).body()
        await _reply(send, 200, "text/event-stream", b"", end=False)
        # Returning here, with the body not ended, makes the server drop the connection.

    return app


def _relay(settings: Settings) -> ASGIApp:
    """Return a gateway that knows nothing of APIs: same path (the upstream's base instead of /v1), same bytes."""
    client = httpx.AsyncClient(timeout=settings.idle_timeout, trust_env=False)
    key = settings.upstream_key

    async def relay(request: Request, raw: bytes, send: Send) -> None:
        headers = {
            "content-type": request.headers.get("content-type", "application/json"),
            "accept-encoding": "identity",
        }
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        url = settings.upstream.rstrip("/") + request.url.path.removeprefix("/v1")
        async with client.stream(request.method, url, content=raw, headers=headers) as reply:
            await _reply(send, reply.status_code, reply.headers.get("content-type", "text/plain"), b"", end=False)
            async for chunk in reply.aiter_raw():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        raw = await request.body()
        await unless_gone(receive, relay(request, raw, send))

    return app


NULLS: dict[str, Callable[[Settings], ASGIApp]] = {
    "empty-200": _fixed(200, "application/json", b""),
    "always-500": _fixed(
        500, "application/json", b'{"error":{"message":"no","type":"server_error","code":null,"param":null}}'
    ),
    "html-page": _fixed(200, "text/html", b"<!doctype html><title>Welcome</title><p>It works."),
    "echo": _echo,
    "hang": _hang,
    "cut": _cut,
    "relay": _relay,
}
