"""What an answer is called, wherever it is named."""

from __future__ import annotations

from collections.abc import Iterator

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
    assert sorted(names) == [at_once.model], f"in the stream {sorted(names)}, in JSON {at_once.model!r}"


_TIMES = ("created", "created_at", "completed_at")
_LATEST = 10**11
"""The year 5138 in seconds, and 1973 in milliseconds. A time long past is no breach: servers without a clock send 0 or 1."""


@invariant("identity.times-are-in-seconds")
def times_are_in_seconds(exchange: Exchange) -> list[str] | None:
    answer = exchange.answer
    if answer.status != 200 or not (answer.body or answer.events):
        return None
    # An answer that tells no time tells no wrong one: which are required, the schemas know.
    told = {(name, repr(time)): time for document in (answer.body, *answer.events) for name, time in _times(document)}
    wrong = [key for key, time in told.items() if time >= _LATEST]
    return [f"{name} {shown[:40]} is no Unix time in seconds" for name, shown in wrong[:5]]


def _times(document: object) -> Iterator[tuple[str, float]]:
    """The times that a body or an event tells, by name; what is no number is the schemas' business."""
    for holder in (document, dig(document, "response")):
        for name in _TIMES:
            told = dig(holder, name)
            if isinstance(told, int | float) and not isinstance(told, bool):
                yield name, told


def _name(event: object) -> str:
    """The model that an event names, "" if none."""
    for holder in (dig(event, "message"), dig(event, "response"), event):
        told = dig(holder, "model")
        if isinstance(told, str):
            return told
    return ""
