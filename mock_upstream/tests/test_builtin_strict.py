"""Every lawful built-in turn holds the strict schemas: no key and no word that no provider documents, unless it is said here."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sdk_readers import KEY, read_sse

from gateproof_mock import builtin
from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects.steps import Head, Write
from gateproof_mock.language.turns import Refused
from gateproof_schemas import validate

TURNS = [
    name
    for name in builtin.names()
    if builtin.script(name).lawful and not isinstance(builtin.script(name).ending, Refused)
]
FRAMES = {"responses": "responses/event", "chat": "chat/chunk", "messages": "messages/event"}

_CUSTOM = "the types know no custom call in a chunk"
_NOTES = "annotations in a chunk, which the types know in a whole message alone"
_IMAGES = "OpenRouter's images"
_REASONING = "OpenRouter's name of the reasoning"
_HOSTED = "an item of Responses, for which Messages has no block"
_UNKNOWN = "it is about an item that nobody knows"
UNDOCUMENTED = {
    ("cancelled", "responses"): "response.cancelled, which no description has",
    ("ping", "responses"): "keepalive, which no description has",
    ("item-unknown", "responses"): _UNKNOWN,
    ("item-unknown", "messages"): _UNKNOWN,
    ("item-mcp-call", "messages"): _HOSTED,
    ("image-in-tool-result", "messages"): _HOSTED,
    ("failed-quota", "messages"): "OpenAI's word in an error of Messages",
    ("custom-tool-call", "chat"): _CUSTOM,
    ("custom-tool-call-empty", "chat"): _CUSTOM,
    ("tool-calls-mixed", "chat"): _CUSTOM,
    ("citations", "chat"): _NOTES,
    ("citation-of-wide-text", "chat"): _NOTES,
    ("web-search", "chat"): _NOTES,
    ("image", "chat"): _IMAGES,
    ("image-webp", "chat"): _IMAGES,
    ("openrouter", "chat"): _REASONING,
    ("reasoning-key-reasoning", "chat"): _REASONING,
}
"""By script and dialect, what no provider documents there, on purpose."""


def documents(name: str, dialect: str) -> Iterator[tuple[str, Any]]:
    """Everything that a script's turn puts on the wire, streamed and whole, with the schema that it owes."""
    for stream in (True, False):
        body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "Hi."}]}
        body["stream_options"] = {"include_usage": True}
        steps = list(DIALECTS[dialect].render(builtin.script(name), Asked(body, "turn", KEY, call="0" * 16, created=1)))
        (head,) = (step for step in steps if isinstance(step, Head))
        written = b"".join(step.data for step in steps if isinstance(step, Write))
        if head.headers["Content-Type"].startswith("text/event-stream"):
            yield from ((FRAMES[dialect], json.loads(data)) for _, data in read_sse(written) if data != "[DONE]")
        else:
            yield f"{dialect}/{'response' if head.status == 200 else 'error'}", json.loads(written)


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", TURNS)
def test_a_lawful_turn_is_known_to_the_last_key(name: str, dialect: str) -> None:
    found: dict[str, None] = {}
    for schema, document in documents(name, dialect):
        found.update(dict.fromkeys(str(violation) for violation in validate(document, schema, strict=True)))
        if len(found) > 5:
            break
    assert bool(found) == ((name, dialect) in UNDOCUMENTED), list(found)
