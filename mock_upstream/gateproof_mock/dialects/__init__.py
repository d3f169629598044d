"""The dialects: each renders a script as the steps of one HTTP answer. A new dialect is a new module and a line or two here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from gateproof_mock.dialects import chat, messages, models, responses
from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.routes import METHODS, Route, credential, route
from gateproof_mock.dialects.steps import Step
from gateproof_mock.language.scripts import Script


class Renderer(Protocol):
    def __call__(self, script: Script, asked: Asked) -> Iterator[Step]: ...


class Envelope(Protocol):
    """An error's body for what the mock itself refuses."""

    def __call__(self, message: str, status: int) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Dialect:
    """`reads`: the keys of a request body that an answer depends on; with the same values it is the same answer again. A count
    of tokens depends on all of the body, and is never kept."""

    render: Renderer
    error: Envelope
    reads: tuple[str, ...]


DIALECTS: dict[str, Dialect] = {
    "responses": Dialect(responses.render, responses.error, responses.READS),
    "chat": Dialect(chat.render, chat.error, chat.READS),
    "messages": Dialect(messages.render, messages.error, messages.READS),
}

__all__ = ["DIALECTS", "METHODS", "Asked", "Dialect", "Envelope", "Renderer", "Route", "credential", "models", "route"]
