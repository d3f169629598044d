"""The gateway as an ASGI application: the thin layer of I/O around the translators."""

import asyncio
import hmac
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import parse_qsl, quote, urlencode

import httpx
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from gateproof_reference import failures, intake, logs, models, pairs, routes, wirejson
from gateproof_reference.answers import Answer, StreamAnswer
from gateproof_reference.api import Api, bearer
from gateproof_reference.apis import APIS
from gateproof_reference.canonical import Event, Failed, Identity
from gateproof_reference.failures import Failure, RefusedError, bad_request
from gateproof_reference.lifetimes import OpenWork, unless_gone
from gateproof_reference.limits import Slots
from gateproof_reference.logs import Trail
from gateproof_reference.messages.request import check_prompt
from gateproof_reference.pairs import Exchange
from gateproof_reference.redaction import redactor
from gateproof_reference.streams import Frame, Out, Pipe
from gateproof_reference.upstream import Reply, Upstream
from gateproof_reference.wirejson import Object

Call = Callable[[], AbstractAsyncContextManager[Reply]]
"""A call to the upstream that is ready to be made."""


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
    drop_tools: bool = False
    idle_timeout_for: Mapping[str, float] = field(default_factory=dict)


class Gateway:
    """Answers every request; a failure is always an answer, never an exception."""

    def __init__(self, settings: Settings, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._upstream = Upstream(settings.upstream, settings.idle_timeout, transport)
        self._slots = Slots(settings.max_concurrency, settings.queue_timeout)
        self._secrets = redactor(settings.upstream_key, settings.key)
        self._work = OpenWork()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        request_id = str(uuid.uuid4())
        answer = Answer(send, Trail(request_id), self._secrets)
        surface = intake.surface_of(request, routes.find(scope["path"]))
        if surface is not None:
            answer.envelope, answer.trail.surface = surface.envelope, surface.name
        try:
            raw = await intake.read_body(request)
        except ClientDisconnect:
            return
        except RefusedError as refused:
            await refuse(answer, refused)
            return
        await unless_gone(receive, self._answer(request, raw, answer, Identity(request_id, int(time.time()))))

    def stop_in(self, seconds: float) -> int:
        """Give the open answers so many seconds, then end them; what is not ended by its words would be cut. Return how
        many there are."""
        self._work.end_in(seconds)
        return len(self._work)

    async def aclose(self) -> None:
        """Close the connections to the upstream."""
        await self._upstream.aclose()

    async def _answer(self, request: Request, raw: bytes, answer: Answer, identity: Identity) -> None:
        began = time.monotonic()
        try:
            await self._route(request, raw, answer, identity)
        except RefusedError as refused:
            await refuse(answer, refused)
        except Exception as error:
            logs.crashed(answer.trail, error)
            if answer.started:
                raise  # The server cuts the body short, which a client can tell from its end.
            await answer.refuse(failures.crashed())
        else:
            logs.answered(answer.trail, answer.status, time.monotonic() - began)

    async def _route(self, request: Request, raw: bytes, answer: Answer, identity: Identity) -> None:
        path, method = request.scope["path"], request.method
        query = request.scope["query_string"].decode("latin-1")
        route = routes.find(path)
        if route is None or route.kind != "health":
            self.check_key(request, intake.surface_of(request, route))
        if route is None:
            raise RefusedError(not_found())
        answer.trail.route = route.kind
        if route.methods and method not in route.methods:
            failure = Failure(
                f"{method} is not allowed here", "method_not_allowed", "invalid_request_error", status=405
            )
            raise RefusedError(failure, {"allow": ", ".join(route.methods)})
        raw = await intake.plain(request, raw)
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
                dialect = self.dialect_of(wirejson.parse_object(raw) or {}, answer)
                if dialect.name != "responses":
                    raise RefusedError(not_found())
                path = "/responses" + quote(route.rest)
                await self._forward(answer, method, path, raw, headers=self._headers(dialect), query=query)

    def check_key(self, request: Request, surface: Api | None) -> None:
        """Raise RefusedError (401) unless the client knows the gateway's key; compared in constant time."""
        expected = self._settings.key
        given = surface.key_of(request.headers) if surface is not None else bearer(request.headers)
        if expected is not None and not hmac.compare_digest(given.encode("latin-1"), expected.encode()):
            failure = Failure("the API key is missing or wrong", "invalid_api_key", "authentication_error", status=401)
            raise RefusedError(failure, {"www-authenticate": "Bearer"})

    def dialect_of(self, body: Object, answer: Answer) -> Api:
        """Return the dialect for a request: by the client's name of the model, else the general one."""
        model = wirejson.text(body.get("model"))
        answer.trail.dialect = self._settings.dialect_for.get(model, self._settings.dialect)
        return APIS[answer.trail.dialect]

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
        async with (
            self._work.until_stop(),
            self._upstream.call(method, path, raw, headers=headers, query=query) as reply,
        ):
            await reply.check_status()
            data = await reply.body()
        await answer.json(data, content_type=reply.media_type or "application/octet-stream")

    async def _models(self, request: Request, answer: Answer, query: str) -> None:
        """Answer with the upstream's models, in the form of the client's kind (aisix#418)."""
        dialect = self.dialect_of({}, answer)
        theirs, ours = dialect.name == "messages", models.wants_messages(request.headers)
        if theirs == ours:
            headers = self._headers(dialect, request if ours else None)
            await self._forward(answer, "GET", "/models", headers=headers, query=query)
            return
        headers = self._headers(dialect)
        async with self._work.until_stop(), self._upstream.call("GET", "/models", headers=headers) as reply:
            await reply.check_status()
            listed = pairs.json_answer(await reply.body())
        await answer.json(wirejson.dump(models.to_messages(listed) if ours else models.to_openai(listed)))

    async def _count(self, request: Request, raw: bytes, answer: Answer) -> None:
        """Count the tokens of a prompt, which only Messages offers; nothing is estimated (lean-ctx#322)."""
        body = intake.json_object(raw)
        check_prompt(body)
        dialect = self.dialect_of(body, answer)
        if dialect.name != "messages":
            message = "tokens cannot be counted for this model: its upstream's API has no such endpoint"
            raise RefusedError(Failure(message, "unsupported_endpoint", "invalid_request_error", status=404))
        path, headers, query = dialect.path + routes.COUNT, self._headers(dialect, request), query_of(dialect, request)
        await self._forward(answer, "POST", path, raw, headers=headers, query=query)

    async def _compact(self, request: Request, raw: bytes, answer: Answer) -> None:
        """Compact a conversation: one JSON answer, which only Responses knows (CLIProxyAPI#2089)."""
        body = intake.json_object(raw)
        if not wirejson.text(body.get("model")):
            raise bad_request("model must be a non-empty string", "model")
        dialect = self.dialect_of(body, answer)
        if dialect.name != "responses":
            raise bad_request("compact cannot be translated for this model's upstream", code="unsupported_endpoint")
        payload, headers = wirejson.dump(compact_payload(body)), self._headers(dialect)
        async with (
            self._work.until_stop(),
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
        body = intake.json_object(raw)
        dialect = self.dialect_of(body, answer)
        forced, drops = self._settings.force_upstream_stream, self._settings.drop_tools
        exchange = pairs.prepare(surface, dialect, raw, body, identity, force_stream=forced, drop_tools=drops)
        if exchange.dropped:
            logs.dropped(answer.trail, exchange.dropped)
        own = request if surface is dialect else None
        call = partial(
            self._upstream.call,
            "POST",
            dialect.path,
            exchange.payload,
            headers=self._headers(dialect, own),
            query=query_of(dialect, own),
            stream=exchange.upstream_streams,
            idle_timeout=self._settings.idle_timeout_for.get(wirejson.text(body.get("model"))),
        )
        await (self._stream if exchange.client_streams else self._unary)(exchange, call, answer)

    async def _unary(self, exchange: Exchange, call: Call, answer: Answer) -> None:
        async with self._work.until_stop(), self._slots.hold(), call() as reply:
            await reply.check_status()
            if reply.is_stream:
                data = await gather(exchange, reply)
            else:
                data = exchange.translate_body(await reply.body())
        await answer.json(data)

    async def _stream(self, exchange: Exchange, call: Call, answer: Answer) -> None:
        """Answer a client that streams. Until something is out a failure is a status, then it is told in-band."""
        pipe = exchange.pipe()
        stream = StreamAnswer(answer, self._settings.keepalive_interval)
        pings = asyncio.create_task(stream.keep_alive())
        try:
            async with self._work.until_stop():
                failed = await self._deliver(call, pipe, stream)
        except RefusedError as refused:
            failed = Failed(refused.failure)
        except Exception as error:
            logs.crashed(answer.trail, error)
            failed = Failed(failures.crashed())
        finally:
            await stream.silence(pings)
        if failed is not None:
            if not stream.started:
                raise RefusedError(failed.failure)
            logs.failed(answer.trail, failed.failure, status=answer.status, in_band=True)
            await stream.write(failed.frame or pipe.failed(failed.failure))
        await stream.end()

    async def _deliver(self, call: Call, pipe: Pipe, stream: StreamAnswer) -> Failed | None:
        """Send the answer's frames as they come; return the failure that ended it, if one did."""
        async with self._slots.hold(), call() as reply:
            await reply.check_status()
            if not reply.is_stream:
                return await send(pipe.whole(pairs.json_answer(await reply.body())), stream)
            async with aclosing(reply.chunks()) as chunks:
                async for chunk in chunks:
                    outs = pipe.end(chunk) if isinstance(chunk, Failure) else pipe.feed(chunk)
                    failed = await send(outs, stream)
                    if failed is not None or pipe.over:
                        return failed
            return await send(pipe.end(), stream)


async def refuse(answer: Answer, refused: RefusedError) -> None:
    """Answer with a failure, and log it."""
    logs.failed(answer.trail, refused.failure, status=failures.status_of(refused.failure), in_band=False)
    await answer.refuse(refused.failure, refused.headers)


def query_of(dialect: Api, request: Request | None) -> str:
    """Return what goes along of a client's query, if it speaks the dialect itself; else nothing: "" is no query."""
    given = parse_qsl(request.url.query, keep_blank_values=True) if request is not None else []
    return urlencode([(name, value) for name, value in given if name in dialect.relayed_query])


async def send(outs: list[Out], stream: StreamAnswer) -> Failed | None:
    """Send the frames of one read together; return the failure among them, after which there is nothing."""
    frames: list[Frame] = []
    failed: Failed | None = None
    for out in outs:
        if isinstance(out, Failed):
            failed = out
            break
        frames.append(out)
    await stream.put(frames)
    return failed


async def gather(exchange: Exchange, reply: Reply) -> bytes:
    """Return the JSON answer of a streamed one. Raise RefusedError if it failed or broke (sub2api#5800)."""
    gatherer = exchange.gatherer()
    async with aclosing(reply.chunks()) as chunks:
        async for chunk in chunks:
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


def not_found() -> Failure:
    """Return the failure of a path that does not exist."""
    return Failure("there is nothing at this path", "not_found", "invalid_request_error", status=404)
