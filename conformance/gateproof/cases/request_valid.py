"""What reaches the upstream is a request that it takes."""

from __future__ import annotations

from gateproof.answers.document import parse_body
from gateproof.asking.order import clashing, misplaced
from gateproof.exchange import Exchange
from gateproof.registry import invariant
from gateproof_mock.serving.calls import BODY_KEPT
from gateproof_schemas import validate


@invariant("request.upstream-request-is-valid")
def upstream_request_is_valid(exchange: Exchange) -> list[str] | None:
    # Of a longer body the journal has the beginning alone.
    turns = [call for call in exchange.calls if call["kind"] == "turn" and call["body_bytes"] <= BODY_KEPT]
    if not turns or _faults(exchange.pair.surface, _asked(exchange)):
        # What was wrong as it was asked may be passed on for the provider to refuse.
        return None
    # By what was called, which for a model that nobody knows may be another upstream than the pair's.
    return [f"{c['dialect']} request: {fault}" for c in turns for fault in _faults(c["dialect"], c["json"])][:5]


def _asked(exchange: Exchange) -> object:
    try:
        return parse_body(exchange.request_body)
    except ValueError:
        return None


def _faults(api: str, body: object) -> list[str]:
    return [*map(str, validate(body, f"{api}/request")[:3]), *misplaced(api, body), *clashing(api, body)]
