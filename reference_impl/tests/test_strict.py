"""What the gateway writes itself holds the strict schemas: no key and no word that no provider documents."""

import json
from typing import Any

import pytest
from gateway_bench import Asking, Fake, Told
from gateway_scenes import Scene, scenes

from gateproof_schemas import validate

# Where both sides speak the same API, the gateway hands on what its upstream says, whatever that is.
TRANSLATED = [scene for scene in scenes() if scene.surface != scene.dialect]

# OpenAI streams the citations of a search so; the SDKs' types know them in a whole message alone.
CITED = '.delta: expected a known key, got "annotations"'
FRAMES = {"chat": "chat/chunk", "responses": "responses/event", "messages": "messages/event"}


def documents(scene: Scene, told: Told) -> list[tuple[str, Any]]:
    """Everything that was told, with the schema that it owes."""
    if told.headers["content-type"].startswith("text/event-stream"):
        return [(FRAMES[scene.surface], event) for event in told.events]
    name = "response" if told.status == 200 else "error"
    return [(f"{scene.surface}/{name}", json.loads(told.raw))]


@pytest.mark.parametrize("number", range(len(TRANSLATED)))
def test_what_is_translated_is_known_to_the_last_key(number: int) -> None:
    scene, fake = TRANSLATED[number], Fake()
    told = documents(scene, scene.play(Asking(fake), fake))
    assert told
    found = [str(fault) for name, document in told for fault in validate(document, name, strict=True)]
    assert [fault for fault in found if not fault.endswith(CITED)] == []


@pytest.mark.parametrize("number", range(len(TRANSLATED)))
def test_what_the_upstream_is_asked_is_known_to_the_last_key(number: int) -> None:
    scene, fake = TRANSLATED[number], Fake()
    scene.play(Asking(fake), fake)
    for request in fake.requests:
        if not request.url.path.endswith("/compact"):
            assert validate(json.loads(request.content), f"{scene.dialect}/request", strict=True) == []
