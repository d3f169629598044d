"""The Responses dialect, as OpenAI's API reference gives it (58 events; `sequence_number` on every one)."""

from __future__ import annotations

from collections.abc import Iterator

from gateproof_mock.dialects import sse
from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.openai import error, error_body, headers
from gateproof_mock.dialects.responses.objects import READS, compaction
from gateproof_mock.dialects.responses.stream import Stream, document
from gateproof_mock.dialects.steps import Step
from gateproof_mock.dialects.whole import quoting, refusal, waits, whole_json
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import Cut, ErrorEvent, Failed, Refused

__all__ = ["READS", "error", "render"]


def render(script: Script, asked: Asked) -> Iterator[Step]:
    """The steps of one answer of a Responses provider."""
    script = quoting(script, asked)
    ending, wire = script.ending, script.wire
    streams = asked.kind == "turn" and (asked.stream or wire.unrequested_sse)
    if streams and not isinstance(ending, Refused):
        yield from sse.stream(Stream(script, asked, wire).cues(), wire, headers=headers(asked))
        return
    yield from waits(script)
    cut = ending if isinstance(ending, Cut) else None
    status = 200
    if isinstance(ending, Refused):
        yield from refusal(ending, asked, wire)
        return
    if asked.kind == "subpath":
        found = {"object": "gateproof.subpath", "stream": asked.body.get("stream")}
    elif asked.kind != "compact":
        found = document(script, asked)
    elif isinstance(ending, Failed | ErrorEvent):
        found = error_body(ending.message, "server_error", ending.code or None)
        status = ending.status if isinstance(ending, Failed) else 500
    else:
        found = compaction(script, asked)
    yield from whole_json(found, status, cut, headers(asked), wire)
