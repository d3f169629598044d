"""What an answer to a generated turn breaks: the expectation, and the invariants that the gateway has to keep."""

from __future__ import annotations

from gateproof.exchange import Exchange
from gateproof.exploring.expectation import Breach, Expectation
from gateproof.files import Gateway
from gateproof.registry import watching


def breaches(exchange: Exchange, expectation: Expectation, gateway: Gateway, *, strict: bool = False) -> list[Breach]:
    """All that broke, what matters most first. Without `strict`, invariants that are a SHOULD on this pair and mode are passed
    over, as are those that the gateway does not claim."""
    found = list(expectation.breaches(exchange.answer))
    if exchange.excused:
        return found
    for requirement, watch in watching(exchange.pair, exchange.mode):
        judged = strict or requirement.level_on(exchange.pair, exchange.mode) == "MUST"
        if judged and all(map(gateway.claimed, requirement.needs)):
            sentences = list(watch(exchange) or ())
            if sentences:
                found.append(Breach(requirement.id, "; ".join(sentences)))
    return found
