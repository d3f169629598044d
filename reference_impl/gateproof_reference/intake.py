"""What a client sent: its body, within limits and without its codings, and who it is."""

import asyncio

from starlette.requests import Request

from gateproof_reference import encodings, models, wirejson
from gateproof_reference.api import Api
from gateproof_reference.apis import APIS
from gateproof_reference.failures import RefusedError, bad_request
from gateproof_reference.routes import Route
from gateproof_reference.wirejson import Object

REQUEST_LIMIT = 64 * 1024 * 1024
"""Bytes that a request may have, as it comes and again when it is decoded."""


async def read_body(request: Request) -> bytes:
    """Return the body. Raise RefusedError (413) past REQUEST_LIMIT, ClientDisconnect if the client went away."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > REQUEST_LIMIT:
            raise RefusedError(encodings.too_large())
        parts.append(chunk)
    return b"".join(parts)


async def plain(request: Request, raw: bytes) -> bytes:
    """Return a body without its codings. Raise RefusedError (400, 413, 415).

    In a thread, because a body that unfolds to the limit takes long enough for other clients to notice.
    """
    codings = encodings.names(request.headers.get("content-encoding", ""))
    return await asyncio.to_thread(encodings.decoded, raw, codings, REQUEST_LIMIT) if codings else raw


def json_object(raw: bytes) -> Object:
    """Return the JSON object of a request. Raise RefusedError (400)."""
    body = wirejson.parse_object(raw)
    if body is None:
        raise bad_request("the body must be a JSON object", code="invalid_json")
    return body


def surface_of(request: Request, route: Route | None) -> Api | None:
    """Return the API that a client speaks, None where none can be told: by its path, or as an Anthropic client."""
    if route is not None and route.surface:
        return APIS[route.surface]
    return APIS["messages"] if models.wants_messages(request.headers) else None
