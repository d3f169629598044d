"""What an answer is called, wherever it is named."""

from __future__ import annotations

from gateproof.answers.absent import dig
from gateproof.exchange import Exchange
from gateproof.registry import case, invariant
from gateproof.stagehands import Ask, Upstream
from gateproof_mock import text


@invariant("identity.one-id-per-response")
def one_id_per_response(exchange: Exchange) -> list[str] | None:
    responses = [e["response"] for e in exchange.answer.events if isinstance(e, dict) and e.get("response")]
    if len(responses) < 2:
        return None
    ids = [dig(response, "id") for response in responses]
    if not all(isinstance(id, str) and id for id in ids):
        return ["a response has no id"]
    values = dict.fromkeys(ids)
    return [f"{len(values)} ids: {', '.join(id[:80] for id in list(values)[:3])}"] if len(values) > 1 else []


@case("identity.model-is-the-same-in-both-modes")
def model_is_the_same_in_both_modes(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"))

    streamed = ask(mode="stream")
    at_once = ask(mode="json")

    names = {_name(event) for event in streamed.events} - {""}
    assert at_once.model, f"no model: {at_once!r}"
    assert names == {at_once.model}, f"in the stream {sorted(names)}, in JSON {at_once.model!r}"


def _name(event: object) -> str:
    """The model that an event names, "" if none."""
    for holder in (dig(event, "message"), dig(event, "response"), event):
        told = dig(holder, "model")
        if isinstance(told, str):
            return told
    return ""
