"""The routes of Responses: aliases, slashes, /compact; and on every surface what is no route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import failed, text

BODY = {
    "model": "{model}",
    "input": [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on. [{marker}]"}]}],
}


TOO_LONG, FELL_OVER = "That is too long.", "It fell over."


def _kind(answer: Answer, *, stream: bool) -> tuple[Any, ...]:
    """What must be the same on every route. Not where a stream tells its failure: a keepalive that was due decides that."""
    if answer.outcome != "error":
        return answer.outcome, answer.status, answer.text, str(answer.finish)
    where = () if stream else (answer.status, answer.error.where)
    # Whether the upstream's words are told, and not the whole message: some gateways write a request id into it.
    told = tuple(words in str(answer.error.message) for words in (TOO_LONG, FELL_OVER))
    return answer.outcome, *where, str(answer.error.code), *told


def _alike(ask: Ask, upstream: Upstream, check: CheckHand, first: str, others: list[str]) -> None:
    for script in (
        (text("Hel", "lo"),),
        (failed("context_length_exceeded", TOO_LONG, type="invalid_request_error", status=400),),
        (text("Hel", "lo"), failed("server_error", FELL_OVER, type="server_error", status=500)),
    ):
        upstream.says(*script)
        wanted = _kind(ask(path=first), stream=check.stream)
        for other in others:
            found = _kind(ask(path=other), stream=check.stream)
            assert found == wanted, f"{first} gives {wanted}, {other} gives {found}"


@case("route.aliases-answer-alike")
def aliases_answer_alike(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    first, *others = claims["routes"]
    _alike(ask, upstream, check, first, others)


@case("route.trailing-slash-answers-alike")
def trailing_slash_answers_alike(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    for route in claims["routes"]:
        _alike(ask, upstream, check, route, [route + "/"])


@case("route.compact-is-unary")
def compact_is_unary(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    _compacts(ask, upstream, claims, BODY)


@case("route.compact-ignores-stream")
def compact_ignores_stream(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    _compacts(ask, upstream, claims, {**BODY, "stream": True})


def _compacts(ask: Ask, upstream: Upstream, claims: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    upstream.says(text("What was said so far."))
    for path in _compact_paths(claims):
        answer = ask(path=path, body=body, turn=False)

        assert answer.status == 200, f"{path}: {answer!r}"
        assert answer.headers.get("content-type", "").startswith("application/json"), f"{path}: not JSON"
        assert isinstance(answer.body, dict), f"{path}: {answer!r}"
        assert answer.body.get("object") == "response.compaction", f"{path}: {answer.body!r}"
        calls = ask.last.calls
        assert [c["kind"] for c in calls] == ["compact"], f"{path} became {[c['path'] for c in calls]}"
        assert "stream" not in (calls[0]["json"] or {}), f"{path}: stream went upstream"


@case("route.compact-over-chat-is-refused")
def compact_over_chat_is_refused(ask: Ask, upstream: Upstream, claims: Mapping[str, Any]) -> None:
    upstream.says(text("This turn must not be asked for."))
    for path in _compact_paths(claims):
        answer = ask(path=path, body=BODY, turn=False)

        assert 400 <= answer.status < 500, f"{path}: {answer!r}"
        assert answer.error.message, f"{path}: no error envelope in {answer.body!r}"
        assert not ask.last.calls, f"{path} became {[c['path'] for c in ask.last.calls]}"


def _compact_paths(claims: Mapping[str, Any]) -> list[str]:
    slashes = ("", "/") if claims.get("trailing_slash") else ("",)
    return [f"{route}/compact{slash}" for route in claims["routes"] for slash in slashes]


@case("route.unknown-subpath-is-relayed-or-404")
def unknown_subpath_is_relayed_or_404(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("This turn must not be asked for."))

    answer = ask(path="/v1/responses/gateproof-probe", body=BODY, turn=False)

    calls = ask.last.calls
    assert "turn" not in [c["kind"] for c in calls], f"the subpath became a turn at {calls[0]['path']}"
    if calls and not check.translated:
        assert isinstance(answer.body, dict), repr(answer)
        assert answer.body.get("object") == "gateproof.subpath", f"not what the upstream said: {answer.body!r}"
        check.chose("relayed")
        return
    assert 400 <= answer.status < 500, repr(answer)
    check.chose("404" if answer.status in (404, 405) else "4xx")


@case("route.lookalike-is-404")
def lookalike_is_404(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("This turn must not be asked for."))

    answer = ask(path=ask.path + "foo", turn=False)

    assert not ask.last.calls, f"it became a call of {ask.last.calls[0]['path']}"
    assert answer.status in (404, 405), repr(answer)


@case("route.not-found-is-json")
def not_found_is_json(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("This turn must not be asked for."))

    answer = ask(path=ask.path + "foo", turn=False)

    assert answer.status >= 400, repr(answer)
    assert answer.error.message, f"no error envelope in {answer!r}"
