"""Lies about paths."""

from typing import Any

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
