"""What a client is asked to do, and what it read: one plain form for all of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

WEATHER: Json = {
    "name": "get_weather",
    "description": "The weather in a city.",
    # openai-python's helper for chat takes strict tools only.
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


@dataclass(frozen=True)
class Call:
    """A tool call. `arguments` is the value of their JSON text, or the text where that is no JSON."""

    id: str
    name: str
    arguments: Any

    @classmethod
    def of(cls, call: Mapping[str, Any]) -> Call:
        try:
            value = json.loads(call["arguments"])
        except (TypeError, ValueError):
            value = call["arguments"]
        return cls(call["id"], call["name"], value)


@dataclass(frozen=True)
class Counts:
    """Tokens; cached ones are part of the input, reasoning part of the output. None: the client has no word for it."""

    input: int | None
    output: int | None
    cached: int | None
    reasoning: int | None


@dataclass(frozen=True)
class Told:
    """What a client read of a turn. `ending`: its own word for the end, or the class of its error, with `status` (HTTP) and
    `message`. `requests`: how often the upstream was asked."""

    text: str
    reasoning: str
    calls: tuple[Call, ...]
    usage: Counts | None
    ending: str
    status: int | None
    message: str
    requests: int

    @classmethod
    def of(cls, result: Mapping[str, Any], requests: int) -> Told:
        """From a driver's result."""
        return cls(
            text=result["text"],
            reasoning=result["reasoning"],
            calls=tuple(map(Call.of, result["calls"])),
            usage=Counts(**result["usage"]) if result["usage"] else None,
            ending=result["ending"],
            status=result["status"],
            message=result["message"],
            requests=requests,
        )
