"""Every frame by its schema."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gateproof.answers.absent import Missing, dig
from gateproof.exchange import Exchange
from gateproof.registry import case, invariant
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text, tool_call
from gateproof_schemas import validate

_BODY = {"chat": "chat/response", "responses": "responses/response", "messages": "messages/response"}
_FRAME = {"chat": "chat/chunk", "responses": "responses/event", "messages": "messages/event"}
_ERROR = {"chat": "chat/error", "responses": "responses/error", "messages": "messages/error"}
_FAILURES = ("error", "response.failed")


def _is_failure(surface: str, frame: Any) -> bool:
    if not isinstance(frame, dict):
        return False
    if surface == "chat":
        return bool(frame.get("error"))
    # A Responses event may have an `error` member and be none; on Messages such a frame can be nothing else.
    return frame.get("type") in _FAILURES or (surface == "messages" and bool(frame.get("error")))


def _breaches(document: Any, name: str) -> Iterable[str]:
    for violation in validate(document, name)[:3]:
        yield f"{name}: {violation}"


@invariant("schema.bodies-are-valid")
def bodies_are_valid(exchange: Exchange) -> list[str] | None:
    answer = exchange.answer
    if answer.status != 200 or isinstance(answer.body, Missing):
        return None
    return list(_breaches(answer.body, _BODY[exchange.pair.surface]))


@invariant("schema.frames-are-valid")
def frames_are_valid(exchange: Exchange) -> list[str] | None:
    surface = exchange.pair.surface
    frames = [f for f in exchange.answer.events if f != "[DONE]" and not _is_failure(surface, f)]
    if not frames:
        return None
    found: dict[str, None] = {}
    for frame in frames:
        found.update(dict.fromkeys(_breaches(frame, _FRAME[surface])))
        if len(found) >= 5:
            break
    return list(found)[:5]


@invariant("schema.errors-are-valid")
def errors_are_valid(exchange: Exchange) -> list[str] | None:
    answer, surface = exchange.answer, exchange.pair.surface
    if answer.status >= 400:
        # A body that is not JSON at all is the content type's requirement too; here it is simply no envelope.
        return list(_breaches(None if isinstance(answer.body, Missing) else answer.body, _ERROR[surface]))
    failures = [f for f in answer.events if _is_failure(surface, f)]
    if not failures:
        return None
    name = _FRAME[surface] if surface == "responses" else _ERROR[surface]
    return [sentence for failure in failures[:5] for sentence in _breaches(failure, name)][:5]


# Required by the references, and null where there is nothing to tell: the path of the object in a body, and its key.
_NULLABLE: dict[str, tuple[tuple[tuple[str | int, ...], str], ...]] = {
    "chat": ((("choices", 0), "logprobs"), (("choices", 0, "message"), "refusal")),
    "messages": (((), "stop_sequence"),),
}


@case("schema.nullable-keys-are-there")
def nullable_keys_are_there(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for said in (text("Hel", "lo"), tool_call("get_weather", '{"city": "Oslo"}')):
        upstream.says(said)

        answer = ask()

        assert answer.outcome == "complete", f"{said.KEY}: {answer!r}"
        for holder, key in _NULLABLE[check.surface]:
            held = dig(answer.body, *holder) if holder else answer.body
            assert isinstance(held, dict), f"{said.KEY}: {answer!r}"
            assert key in held, f"{said.KEY}: there is no {key}, not even null"
