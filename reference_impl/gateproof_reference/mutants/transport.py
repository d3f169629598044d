"""Lies about how a request is sent: its headers, its length, its connection; and about what stands around an answer."""

from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from gateproof_reference import wirejson
from gateproof_reference.api import bearer
from gateproof_reference.failures import Failure, RefusedError
from gateproof_reference.mutants.registry import mutant


@mutant(
    "accept-decides",
    seam="server:Gateway._turn",
    caught_by="request.accept-decides-nothing wire.content-type-fits wire.sse-is-clean",
)
def _(original: Any) -> Any:
    """A client gets no stream unless its Accept names one; the SDKs of OpenAI and Anthropic say application/json always."""

    async def turn(self: Any, surface: Any, request: Any, raw: bytes, *rest: Any) -> None:
        body = wirejson.parse_object(raw)
        if body and body.get("stream") is True and "text/event-stream" not in request.headers.get("accept", ""):
            raw = wirejson.dump({**body, "stream": False})
        await original(self, surface, request, raw, *rest)

    return turn


@mutant(
    "a-wish-for-streams-is-one",
    seam="server:Gateway._turn",
    caught_by="request.accept-decides-nothing wire.content-type-fits",
)
def _(original: Any) -> Any:
    """Who takes a stream gets one, though the body asks for none."""

    async def turn(self: Any, surface: Any, request: Any, raw: bytes, *rest: Any) -> None:
        body = wirejson.parse_object(raw)
        if body and "text/event-stream" in request.headers.get("accept", ""):
            raw = wirejson.dump({**body, "stream": True})
        await original(self, surface, request, raw, *rest)

    return turn


@mutant("x-api-key-is-no-key", seam="messages:MessagesApi.key_of", caught_by="auth.each-form-of-key-is-taken")
def _(original: Any) -> Any:
    """A Messages client is known by its bearer token alone, and x-api-key is not looked at."""
    return lambda self, headers: bearer(headers)


@mutant("bearer-is-no-key", seam="messages:MessagesApi.key_of", caught_by="auth.each-form-of-key-is-taken")
def _(original: Any) -> Any:
    """A Messages client is known by x-api-key alone; Claude Code with ANTHROPIC_AUTH_TOKEN sends a bearer token."""
    return lambda self, headers: headers.get("x-api-key", "")


@mutant("bodies-have-a-mebibyte", seam="intake:REQUEST_LIMIT", caught_by="request.long-requests-are-taken")
def _(original: Any) -> Any:
    """A request may have 1 MiB, the default of Fastify and aiohttp."""
    return 1024 * 1024


@mutant("long-words-are-cut", seam="server:Gateway._turn", caught_by="request.long-requests-are-taken")
def _(original: Any) -> Any:
    """Of a text of more than 1 MiB the first half goes upstream, and its end."""
    most = 1024 * 1024

    def cut(value: Any) -> Any:
        if isinstance(value, str) and len(value) > most:
            return value[: len(value) // 2] + value[-100:]
        if isinstance(value, list):
            return [cut(item) for item in value]
        return {name: cut(item) for name, item in value.items()} if isinstance(value, dict) else value

    async def turn(self: Any, surface: Any, request: Any, raw: bytes, *rest: Any) -> None:
        if len(raw) > most:
            raw = wirejson.dump(cut(wirejson.parse_object(raw)))
        await original(self, surface, request, raw, *rest)

    return turn


@mutant("charset-is-no-json", seam="server:Gateway._turn", caught_by="request.content-type-may-have-parameters")
def _(original: Any) -> Any:
    """Content-Type application/json; charset=utf-8 is not application/json: 415."""

    async def turn(self: Any, surface: Any, request: Any, *rest: Any) -> None:
        kind = request.headers.get("content-type", "application/json")
        if kind != "application/json":
            words, code = f"the media type {kind} is not supported", "unsupported_media_type"
            raise RefusedError(Failure(words, code, "invalid_request_error", status=415))
        await original(self, surface, request, *rest)

    return turn


@mutant("chunked-requests-are-empty", seam="intake:read_body", caught_by="request.chunked-bodies-are-read")
def _(original: Any) -> Any:
    """A body is as long as Content-Length says; without one there is none."""

    async def read_body(request: Any) -> bytes:
        raw: bytes = await original(request)
        return raw[: int(request.headers.get("content-length") or 0)]

    return read_body


@mutant(
    "connections-keep-their-form",
    seam="server:Gateway.__call__",
    caught_by="wire.connection-serves-again wire.content-type-fits",
)
def _(original: Any) -> Any:
    """Whether an answer streams is kept with the connection, as the first request on it asked."""
    seen: WeakKeyDictionary[Any, bytes] = WeakKeyDictionary()

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        connection = _connection(receive)

        async def heard() -> Any:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                form = b'"stream":true' if b'"stream": true' in message["body"] else b""
                first = seen.setdefault(connection, form)
                body = wirejson.parse_object(message["body"])
                if body and first != form:
                    return {**message, "body": wirejson.dump({**body, "stream": bool(first)})}
            return message

        await original(self, scope, heard if connection else receive, send)

    return call


def _when_used_again(original: Any, serve: Any) -> Any:
    """Let `serve(transport, serving)` serve the second request on a connection, and those after it."""
    seen: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        connection = _connection(receive)
        serving = partial(original, self, scope, receive)
        if connection is None or seen.setdefault(connection, scope) is scope:
            await serving(send)
        else:
            await serve(connection.transport, serving)

    return call


@mutant("connections-break-when-used-again", seam="server:Gateway.__call__", caught_by="wire.connection-serves-again")
def _(original: Any) -> Any:
    """The second request on a connection is served, and its answer is written to a socket that was closed."""

    async def serve(transport: Any, serving: Any) -> None:
        async def send(message: Any) -> None:
            transport.abort()

        await serving(send)

    return _when_used_again(original, serve)


@mutant("connections-end-when-used-again", seam="server:Gateway.__call__", caught_by="wire.connection-serves-again")
def _(original: Any) -> Any:
    """Connections are offered to be kept, and the second request on one finds it closed, each time."""

    async def serve(transport: Any, serving: Any) -> None:
        transport.abort()

    return _when_used_again(original, serve)


def _connection(receive: Any) -> Any:
    """The server's own object for a connection, None where there is no server."""
    cycle = getattr(receive, "__self__", None)
    return getattr(getattr(cycle, "on_response", None), "__self__", None)


@mutant("retry-after-is-an-integer", seam="failures:read_http", caught_by="error.odd-retry-after-is-no-fault")
def _(original: Any) -> Any:
    """Retry-After is parsed as an integer or a date; 1.5 is a crash."""

    def read_http(status: int, body: Any, retry_after: str | None) -> Failure:
        if retry_after is not None and not retry_after.endswith("GMT"):
            int(retry_after)
        failure: Failure = original(status, body, retry_after)
        return failure

    return read_http


@mutant("created-in-milliseconds", seam="server:Identity", caught_by="identity.times-are-in-seconds")
def _(original: Any) -> Any:
    """Times are those of Date.now()."""
    return lambda request_id, now: original(request_id, now * 1000)


@mutant("store-is-left-out", seam="responses.request:encode", caught_by="request.storage-is-not-switched-on")
def _(original: Any) -> Any:
    """A client that never heard of storage has its conversation stored, for store is true unless said otherwise."""

    def encode(request: Any, *, stream: bool) -> Any:
        body = original(request, stream=stream)
        return body if "store" in request.shared else {name: told for name, told in body.items() if name != "store"}

    return encode


@mutant("quota-is-a-rate-limit", seam="failures:responses_code", caught_by="failure.quota-is-no-rate-limit")
def _(original: Any) -> Any:
    """insufficient_quota, on which Codex stops, is told as rate_limit_exceeded, on which it waits and asks again."""

    def responses_code(failure: Failure) -> str:
        code: str = original(failure)
        return "rate_limit_exceeded" if code == "insufficient_quota" else code

    return responses_code
