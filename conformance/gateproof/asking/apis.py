"""The APIs by name: whole request bodies, and what a received one asks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from gateproof.asking import chat, messages, responses
from gateproof.asking.question import Question, marked

WRITERS: Mapping[str, Callable[[Question], dict[str, Any]]] = {
    "chat": chat.write,
    "responses": responses.write,
    "messages": messages.write,
}
READERS: Mapping[str, Callable[[Any], Question]] = {
    "chat": chat.read,
    "responses": responses.read,
    "messages": messages.read,
}


def written(surface: str, question: Question, *, model: str, stream: bool, mark: str) -> dict[str, Any]:
    """The body of a request. The marker stands at the end of the user's first words, which no gateway leaves out."""
    body = {"model": model, **WRITERS[surface](marked(question, _sign(mark)))}
    return {**body, "stream": True} if stream else body


def received(dialect: str, body: Any, mark: str) -> Question:
    """What a received body asks, without the marker. Never raises: what is not there is empty."""
    return READERS[dialect](json.loads(json.dumps(body).replace(_sign(mark), "")))


def _sign(mark: str) -> str:
    return f" [{mark}]"
