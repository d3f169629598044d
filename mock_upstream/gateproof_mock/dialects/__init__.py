"""The dialects: each renders a script as the steps of one HTTP answer. A new dialect is a new module and one line here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from gateproof_mock.dialects import chat, responses
from gateproof_mock.dialects.asked import Asked
from gateproof_mock.scripts import Script
from gateproof_mock.steps import Step


class Renderer(Protocol):
    def __call__(self, script: Script, asked: Asked) -> Iterator[Step]: ...


@dataclass(frozen=True, slots=True)
class Route:
    """What a called path means: the dialect, and what is asked of it (`turn`, `compact`, or another subpath)."""

    dialect: str
    kind: str


RENDERERS: dict[str, Renderer] = {"responses": responses.render, "chat": chat.render}

_RESPONSES = ("/v1/responses", "/responses", "/backend-api/codex/responses")
_CHAT = ("/v1/chat/completions", "/chat/completions")


def route(path: str) -> Route | None:
    """The route of a request path (no query), with or without a trailing slash; None when no dialect has it."""
    bare = path.rstrip("/")
    if bare in _CHAT:
        return Route("chat", "turn")
    for base in _RESPONSES:
        if bare == base:
            return Route("responses", "turn")
        if bare == base + "/compact":
            return Route("responses", "compact")
        if bare.startswith(base + "/"):
            return Route("responses", "subpath")
    if bare in ("/v1/models", "/models"):
        return Route("models", "models")
    return None


__all__ = ["RENDERERS", "Asked", "Renderer", "Route", "route"]
