"""The gateway as an ASGI application: the thin layer of I/O around the translators."""

import asyncio
import hmac
import json
import sys
import time
import traceback
import uuid
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gateproof_reference import failures, models, pairs, routes, wirejson
from gateproof_reference.answers import Answer, StreamAnswer
from gateproof_reference.api import Api, bearer
from gateproof_reference.apis import APIS
from gateproof_reference.canonical import Event, Failed, Identity
from gateproof_reference.failures import Failure, RefusedError, bad_request
from gateproof_reference.limits import Slots
from gateproof_reference.messages.request import check_prompt
from gateproof_reference.pairs import Exchange
from gateproof_reference.routes import Route
from gateproof_reference.streams import Out, Pipe
from gateproof_reference.upstream import Reply, Upstream, new_client, redactor
from gateproof_reference.wirejson import Object

REQUEST_LIMIT = 64 * 1024 * 1024
"""Bytes that a request may have."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose; times in seconds."""

    upstream: str
    dialect: str = "responses"
    dialect_for: Mapping[str, str] = field(default_factory=dict)
    key: str | None = None
    upstream_key: str | None = None
    keepalive_interval: float = 15.0
    idle_timeout: float = 300.0
    max_concurrency: int | None = None
    queue_timeout: float = 30.0
    force_upstream_stream: bool = False


class Gateway:
    """Answers every request; a failure is always an answer, never an exception."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._client = new_client(settings.idle_timeout, transport)
        self._upstream = Upstream(self._client, settings.upstream)
        self._slots = Slots(settings.max_concurrency, settings.queue_timeout)
        self._secrets = redactor(settings.upstream_key)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        request_id = str(uuid.uuid4())
        answer = Answer(send, request_id, self._secrets)
        surface = surface_of(request, routes.find(scope["path"]))
        if surface is not None:
            answer.envelope = surface.envelope
        try:
            raw = await read_body(request)
        except ClientDisconnect:
            return
        except RefusedError as refused:
            await answer.refuse(refused.failure)
            return
        await unless_gone(receive, self._answer(request, raw, answer, Identity(request_id, int(time.time()))))

    async def aclose(self) -> None:
        """Close the connections to the upstream."""
        await self._client.aclose()

    async def _answer(self, request: Request, raw: bytes, answer: Answer, identity: Identity) -> None:
        try:
            await self._route(request, raw, answer, identity)
        except RefusedError as refused:
            log(identity, refused.failure)
            await answer.refuse(refused.failure)
        except Exception:
            traceback.print_exc()
            if answer.started:
                raise  # The server cuts the body short, which a client can tell from its end.
            await answer.refuse(Failure("the gateway failed", "server_error", status=500))

    async def _route(self, request: Request, raw: bytes, answer: Answer, identity: Identity) -> None:
        path, method = request.scope["path"], request.method
        query = request.scope["query_string"].decode("latin-1")
        route = routes.find(path)
        if route is None or route.kind != "health":
            self.check_key(request, surface_of(request, route))
        if route is None:
            raise RefusedError(not_found())
        if route.methods and method not in route.methods:
            failure = Failure(
                f"{method} is not allowed here", "method_not_allowed", "invalid_request_error", status=405
            )
            await answer.refuse(failure, {"allow": ", ".join(route.methods)})
            return
        match route.kind:
            case "health":
                await answer.json(b'{"status":"ok"}')
            case "models":
                await self._models(request, answer, query)
            case "turn":
                await self._turn(APIS[route.surface], request, raw, answer, identity)
            case "count":
                await self._count(request, raw, answer)
            case "compact":
                await self._compact(request, raw, answer)
            case "subpath":
                body = wirejson.parse_object(raw)
                dialect = self.dialect_of(body or {})
                if dialect.name != "responses":
                    raise RefusedError(not_found())
                path = "/responses" + quote(route.rest)
                await self._forward(answer, method, path, raw, headers=self._headers(dialect), query=query)

    def check_key(self, request: Request, surface: Api | None) -> None:
        """Raise RefusedError (401) unless the client knows the gateway's key; compared in constant time."""
        expected = self._settings.key
        given = surface.key_of(request.headers) if surface is not None else bearer(request.headers)
        if expected is not None and not hmac.compare_digest(given.encode("latin-1"), expected.encode()):
            raise RefusedError(
                Failure("the API key is missing or wrong", "invalid_api_key", "authentication_error", status=401)
            )

    def dialect_of(self, body: Object) -> Api:
        """Return the dialect for a request: by the client's name of the model, else the general one."""
        model = wirejson.text(body.get("model"))
        return APIS[self._settings.dialect_for.get(model, self._settings.dialect)]

    def _headers(self, dialect: Api, request: Request | None = None) -> dict[str, str]:
        """Return the headers of a call. `request` is the client's, if it speaks the dialect itself."""
        headers = dialect.headers(self._settings.upstream_key)
        given = {name: request.headers.getlist(name) for name in dialect.relayed_headers} if request is not None else {}
        return headers | {name: ",".join(values) for name, values in given.items() if values}

    # -- what is not a turn

    async def _forward(
        self, answer: Answer, method: str, path: str, raw: bytes = b"", *, headers: Mapping[str, str], query: str = ""
    ) -> None:
        """Relay a whole exchange that this gateway need not understand; only its errors get our envelope."""
        async with self._upstream.call(method, path, raw, headers=headers, query=query) as reply:
            await reply.check_status()
            await answer.json(await reply.body(), content_type=reply.media_type or "application/octet-stream")

    async def _models(self, request: Request, answer: Answer, query: str) -> None:
        """Answer with the upstream's models, in the form of the client's kind (aisix#418)."""
        dialect = APIS[self._settings.dialect]
        theirs, ours = dialect.name == "messages", models.wants_messages(request.headers)
        if theirs == ours:
            headers = self._headers(dialect, request if ours else None)
            await self._forward(answer, "GET", "/models", headers=headers, query=query)
            return
        async with self._upstream.call("GET", "/models", headers=self._headers(dialect)) as reply:
            await reply.check_status()
            listed = pairs.json_answer(await reply.body())
        await answer.json(wirejson.dump(models.to_messages(listed) if ours else models.to_openai(listed)))

    async def _count(self, request: Request, raw: bytes, answer: Answer) -> None:
        """Count the tokens of a prompt, which only Messages offers; nothing is estimated (lean-ctx#322)."""
        body = request_object(request, raw)
        check_prompt(body)
        dialect = self.dialect_of(body)
        if dialect.name != "messages":
            message = "tokens cannot be counted for this model: its upstream's API has no such endpoint"
            raise RefusedError(Failure(message, "unsupported_endpoint", "invalid_request_error", status=404))
        await self._forward(answer, "POST", dialect.path + routes.COUNT, raw, headers=self._headers(dialect, request))

    async def _compact(self, request: Request, raw: bytes, answer: Answer) -> None:
        """Compact a conversation: one JSON answer, which only Responses knows (CLIProxyAPI#2089)."""
        body = request_object(request, raw)
        if not wirejson.text(body.get("model")):
            raise bad_request("model must be a non-empty string", "model")
        dialect = self.dialect_of(body)
        if dialect.name != "responses":
            raise bad_request("compact cannot be translated for this model's upstream", code="unsupported_endpoint")
        payload, headers = wirejson.dump(compact_payload(body)), self._headers(dialect)
        async with (
            self._slots.hold(),
            self._upstream.call("POST", "/responses/compact", payload, headers=headers) as reply,
        ):
            await reply.check_status()
            data = await reply.body()
            compacted = pairs.json_answer(data)
            if compacted.get("error"):
                raise RefusedError(failures.read(compacted["error"]))
            await answer.json(data)

    # -- turns

    async def _turn(self, surface: Api, request: Request, raw: bytes, answer: Answer, identity: Identity) -> None:
        body = request_object(request, raw)
        dialect = self.dialect_of(body)
        forced = self._settings.force_upstream_stream
        exchange = pairs.prepare(surface, dialect, raw, body, identity, force_stream=forced)
        headers = self._headers(dialect, request if surface is dialect else None)
        if exchange.client_streams:
            await self._stream(exchange, headers, answer)
        else:
            await self._unary(exchange, headers, answer)

    async def _unary(self, exchange: Exchange, headers: Mapping[str, str], answer: Answer) -> None:
        async with self._slots.hold(), self._call(exchange, headers) as reply:
            await reply.check_status()
            if reply.is_stream:
                data = await gather(exchange, reply)
            else:
                data = exchange.translate_body(await reply.body())
        await answer.json(data)

    async def _stream(self, exchange: Exchange, headers: Mapping[str, str], answer: Answer) -> None:
        """Answer a client that streams. Until something is out a failure is a status, then it is told in-band."""
        pipe = exchange.pipe()
        stream = StreamAnswer(answer, self._settings.keepalive_interval)
        pings = asyncio.create_task(stream.keep_alive())
        try:
            failed = await self._deliver(exchange, headers, pipe, stream)
        except RefusedError as refused:
            failed = Failed(refused.failure)
        finally:
            await stream.silence(pings)
        if failed is not None:
            if not stream.started:
                raise RefusedError(failed.failure)
            log(exchange.identity, failed.failure)
            await stream.write(failed.frame or pipe.failed(failed.failure))
        await stream.end()

    async def _deliver(
        self, exchange: Exchange, headers: Mapping[str, str], pipe: Pipe, stream: StreamAnswer
    ) -> Failed | None:
        """Send the answer's frames as they come; return the failure that ended it, if one did."""
        async with self._slots.hold(), self._call(exchange, headers) as reply:
            await reply.check_status()
            if not reply.is_stream:
                return await send(pipe.whole(pairs.json_answer(await reply.body())), stream)
            async for chunk in reply.chunks():
                outs = pipe.end(chunk) if isinstance(chunk, Failure) else pipe.feed(chunk)
                failed = await send(outs, stream)
                if failed is not None or pipe.over:
                    return failed
            return await send(pipe.end(), stream)

    def _call(self, exchange: Exchange, headers: Mapping[str, str]) -> AbstractAsyncContextManager[Reply]:
        path, streams = exchange.dialect.path, exchange.upstream_streams
        return self._upstream.call("POST", path, exchange.payload, headers=headers, stream=streams)


def surface_of(request: Request, route: Route | None) -> Api | None:
    """Return the API that a client speaks, None where none can be told: by its path, or as an Anthropic client."""
    if route is not None and route.surface:
        return APIS[route.surface]
    return APIS["messages"] if models.wants_messages(request.headers) else None


async def send(outs: list[Out], stream: StreamAnswer) -> Failed | None:
    """Send frames, each as soon as it is there; return the failure among them, after which there is nothing."""
    for out in outs:
        if isinstance(out, Failed):
            return out
        await stream.put(out)
    return None


async def gather(exchange: Exchange, reply: Reply) -> bytes:
    """Return the JSON answer of a streamed one. Raise RefusedError if it failed or broke (sub2api#5800)."""
    gatherer = exchange.gatherer()
    async for chunk in reply.chunks():
        check(gatherer.end(chunk) if isinstance(chunk, Failure) else gatherer.feed(chunk))
        if gatherer.over:
            break
    check(gatherer.end())
    return wirejson.dump(gatherer.result())


def check(events: Sequence[Event]) -> None:
    """Raise RefusedError if a turn failed."""
    for event in events:
        if isinstance(event, Failed):
            raise RefusedError(event.failure)


def compact_payload(body: Object) -> Object:
    """Return the body for the upstream: compact is unary, so nothing may ask it to stream."""
    return {name: value for name, value in body.items() if name not in ("stream", "stream_options")}


def request_object(request: Request, raw: bytes) -> Object:
    """Return the JSON object of a request. Raise RefusedError (400, 415)."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise RefusedError(
            Failure("the body must not be compressed", "unsupported_encoding", "invalid_request_error", status=415)
        )
    body = wirejson.parse_object(raw)
    if body is None:
        raise bad_request("the body must be a JSON object", code="invalid_json")
    return body


def not_found() -> Failure:
    """Return the failure of a path that does not exist."""
    return Failure("there is nothing at this path", "not_found", "invalid_request_error", status=404)


async def read_body(request: Request) -> bytes:
    """Return the body. Raise RefusedError (413) past REQUEST_LIMIT, ClientDisconnect if the client went away."""
    parts: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > REQUEST_LIMIT:
            raise RefusedError(Failure("the body is too large", "too_large", "invalid_request_error", status=413))
        parts.append(chunk)
    return b"".join(parts)


async def unless_gone(receive: Receive, work: Coroutine[Any, Any, None]) -> None:
    """Run `work` unless the client goes away: then it is cancelled, which hangs up on the upstream (new-api#4184)."""
    working = asyncio.create_task(work)
    going = asyncio.create_task(disconnected(receive))
    try:
        await asyncio.wait({working, going}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        await stop(working)
        await stop(going)


async def disconnected(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def stop(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has cleaned up."""
    task.cancel()
    await asyncio.wait({task})


def log(identity: Identity, failure: Failure) -> None:
    """Write one line about a failure. It holds no message: messages can quote requests and keys."""
    line = {
        "event": "failed",
        "request_id": identity.request_id,
        "code": failures.responses_code(failure),
        "class": failures.class_of(failure),
    }
    print(json.dumps(line), file=sys.stderr, flush=True)
