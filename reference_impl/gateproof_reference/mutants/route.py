"""Lies about paths."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from starlette.responses import PlainTextResponse

from gateproof_reference.failures import RefusedError, unreachable
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.routes import RESPONSES, Route
from gateproof_reference.wirejson import parse_object


@mutant(
    "one-path-only",
    seam="routes:RESPONSES",
    caught_by="route.aliases-answer-alike route.compact-ignores-stream route.compact-is-unary",
)
def _(original: Any) -> Any:
    """/responses and /backend-api/codex/responses do not exist (sub2api#2972)."""
    return original[:1]


@mutant(
    "codex-path-is-missing",
    seam="routes:RESPONSES",
    caught_by="route.aliases-answer-alike route.compact-ignores-stream route.compact-is-unary",
)
def _(original: Any) -> Any:
    """Only the path of Codex does not exist (CLIProxyAPI#5781)."""
    return original[:2]


@mutant(
    "trailing-slash-is-404",
    seam="routes:find",
    caught_by="""route.compact-ignores-stream route.compact-is-unary route.trailing-slash-answers-alike""",
)
def _(original: Any) -> Any:
    """A trailing slash makes another path (sub2api#2972)."""
    return lambda path: None if path.endswith("/") else original(path)


@mutant(
    "compact-streams", seam="server:compact_payload", caught_by="route.compact-ignores-stream route.compact-is-unary"
)
def _(original: Any) -> Any:
    """Compact goes upstream with `stream`, which it does not know (CLIProxyAPI#2089)."""
    return lambda body: {**body, "stream": True}


@mutant(
    "compact-is-a-turn",
    seam="routes:find",
    caught_by="""route.compact-ignores-stream route.compact-is-unary route.compact-over-chat-is-refused""",
)
def _(original: Any) -> Any:
    """Compact is answered like any other turn."""

    def find(path: str) -> Any:
        route = original(path)
        return Route("turn", "responses") if route is not None and route.kind == "compact" else route

    return find


@mutant("compact-over-chat-is-empty", seam="server:Gateway._compact", caught_by="route.compact-over-chat-is-refused")
def _(original: Any) -> Any:
    """Over an API without it, compact succeeds and says nothing."""

    async def compact(self: Any, request: Any, raw: bytes, answer: Any) -> None:
        if self.dialect_of(parse_object(raw) or {}, answer).name == "responses":
            await original(self, request, raw, answer)
        else:
            await answer.json(b'{"id":"resp_0","object":"response.compaction","output":[],"created_at":0}')

    return compact


@mutant("subpath-is-a-turn", seam="routes:subpath", caught_by="route.unknown-subpath-is-relayed-or-404")
def _(original: Any) -> Any:
    """Whatever comes after /responses/, it is answered as a turn (sub2api#2972)."""
    return lambda rest: Route("turn", "responses")


@mutant("lookalike-is-a-turn", seam="routes:find", caught_by="route.lookalike-is-404 route.not-found-is-json")
def _(original: Any) -> Any:
    """Routes match by prefix, without a look at where the word ends (sub2api#2972)."""

    def find(path: str) -> Any:
        alike = any(path.startswith(base) and not path[len(base) :].startswith("/") for base in RESPONSES)
        return original(path) or (Route("turn", "responses") if alike else None)

    return find


@mutant(
    "bare-paths-are-a-text",
    seam="server:Gateway.__call__",
    caught_by="""route.aliases-answer-alike route.bare-form-is-served-or-refused route.compact-ignores-stream
    route.compact-is-unary route.compact-over-chat-is-refused schema.errors-are-valid
    wire.content-type-fits""",
)
def _(original: Any) -> Any:
    """Below /v1 is everything, and beside it a web server's own 404 (ccs#1597)."""

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(("/v1/", "/health")):
            await PlainTextResponse("Not Found", 404)(scope, receive, send)
        else:
            await original(self, scope, receive, send)

    return call


@mutant("any-method-is-a-turn", seam="routes:find", caught_by="route.other-methods-are-refused")
def _(original: Any) -> Any:
    """Nobody looks at the method."""

    def find(path: str) -> Any:
        route = original(path)
        return replace(route, methods=()) if route is not None and route.kind == "turn" else route

    return find


@mutant("counting-is-a-turn", seam="routes:find", caught_by="route.token-count-is-answered")
def _(original: Any) -> Any:
    """Tokens are counted by asking for a turn (lean-ctx#322)."""

    def find(path: str) -> Any:
        route = original(path)
        return Route("turn", "messages") if route is not None and route.kind == "count" else route

    return find


@mutant(
    "side-routes-trip-the-breaker",
    seam="upstream:Upstream.call",
    caught_by="route.auxiliary-failure-harms-no-turn",
)
def _(original: Any) -> Any:
    """After a side route has failed, the next turn is refused (CLIProxyAPI#4410)."""
    failed: list[str] = []

    @asynccontextmanager
    async def call(self: Any, method: str, path: str, *more: Any, **how: Any) -> AsyncIterator[Any]:
        side = path.endswith(("/count_tokens", "/compact"))
        if failed and not side:
            failed.clear()
            raise RefusedError(unreachable())
        async with original(self, method, path, *more, **how) as reply:
            if side and reply.status == 404:
                failed.append(path)
            yield reply

    return call


@mutant(
    "models-have-no-form",
    seam="server:Gateway._models",
    caught_by="models.alias-gives-a-list-or-refuses models.list-has-the-clients-form",
)
def _(original: Any) -> Any:
    """The list of models is one of names (aisix#418)."""

    async def models(self: Any, request: Any, answer: Any, query: str) -> None:
        await answer.json(b'{"models":["over-chat"]}')

    return models
