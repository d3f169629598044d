"""The Anthropic Messages dialect, as Anthropic's API reference gives it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.messages import counts
from gateproof_mock.dialects.messages.failures import Failure, error, failure, request_id, status_of
from gateproof_mock.dialects.messages.message import Said, message, stop
from gateproof_mock.dialects.messages.stream import cues
from gateproof_mock.dialects.sse import stream
from gateproof_mock.dialects.steps import Step
from gateproof_mock.dialects.whole import quoting, refusal, waits, whole_json
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import Cut, Refused, Usage

READS = ("model", "stream")

__all__ = ["READS", "error", "render"]


def render(script: Script, asked: Asked) -> Iterator[Step]:
    """The steps of one answer of an Anthropic provider."""
    script = quoting(script, asked)
    ending, wire = script.ending, script.wire
    headers = {"request-id": request_id(asked)}
    streams = asked.stream or (wire.unrequested_sse and asked.kind == "turn")
    if streams and not isinstance(ending, Refused):
        yield from stream(cues(script, asked), wire, headers=headers)
        return
    yield from waits(script)
    if isinstance(ending, Refused):
        yield from refusal(_numbered(ending, headers), asked, wire)
    elif isinstance(ending, Failure):
        yield from whole_json(failure(ending, asked), status_of(ending), headers=headers, wire=wire)
    else:
        cut = ending if isinstance(ending, Cut) else None
        yield from whole_json(_document(script, asked), cut=cut, headers=headers, wire=wire)


def _document(script: Script, asked: Asked) -> dict[str, Any]:
    if asked.kind == "count":
        usage = next((e for e in script.turn if isinstance(e, Usage)), None)
        return {"input_tokens": usage.input if usage else counts.asked_tokens(asked.body)}
    if asked.kind == "subpath":
        return {"object": "gateproof.subpath", "stream": asked.body.get("stream")}
    said = Said(script, asked)
    whole = message(asked, said.id, counts.whole(counts.usage_of(script)))
    return whole | {"content": said.blocks} | stop(script, said.blocks)


def _numbered(refused: Refused, headers: dict[str, str]) -> Refused:
    """With the request's number, unless the script says one."""
    own = {name.lower() for name in refused.headers}
    extra = {name: value for name, value in headers.items() if name not in own}
    return replace(refused, headers={**extra, **refused.headers})
