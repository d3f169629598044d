"""Errors by HTTP status: those of the upstream, and those that the request itself is due."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from gateproof.answers import messages
from gateproof.answers.answer import Answer
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import refused
from gateproof_mock.language.turns import Refused

TOO_LONG = "The maximum context length is 8192 tokens."
NO = "Nothing doing today."

SERVER = frozenset(range(500, 600))
REPEATED = frozenset({408, 409, 429})
"""The 4xx that SDKs send again."""
REQUEST = frozenset(range(400, 500)) - REPEATED - {401, 403}

KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
    529: "overloaded_error",
}
AS_GOOD = {413: {400}, 422: {400}, 529: {503}}

PAGE = "<!doctype html><html><head><title>Bad gateway</title></head><body><h1>It is us</h1></body></html>"
JSON = {"Content-Type": "application/json"}


def _class(status: int) -> frozenset[int]:
    """What a status of the upstream may be to the client."""
    if status == 429:
        return frozenset({429})
    if status in (401, 403):
        return SERVER | {status}
    return SERVER if status >= 500 else REQUEST


def _told(answer: Answer, check: CheckHand, what: object) -> bool:
    """Whether an error has a status to judge; its message is there in any case."""
    assert answer.outcome == "error", f"{what}: {answer!r}"
    assert isinstance(answer.error.message, str), f"{what}: {answer!r}"
    assert answer.error.message, f"{what}: the message is empty"
    in_band = bool(answer.error.where == "in-band")
    check.chose("in-band" if in_band else "http")
    return not in_band


# --- what the upstream refuses -----------------------------------------------------------------------


@case("error.status-class-is-kept")
def status_class_is_kept(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for status, kind in KINDS.items():
        upstream.refuses(status, kind, NO)

        answer = ask()

        if _told(answer, check, status):
            assert answer.status in _class(status), f"upstream {status} is HTTP {answer.status}: {answer!r}"


@case("error.status-is-kept")
def status_is_kept(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for status, kind in KINDS.items():
        if status in (401, 403):
            continue  # the operator's key, and his business
        upstream.refuses(status, kind, NO)

        answer = ask()

        if _told(answer, check, status):
            fine = {status} | AS_GOOD.get(status, set())
            assert answer.status in fine, f"upstream {status} is HTTP {answer.status}: {answer!r}"


@case("error.refusal-is-told-in-detail")
def refusal_is_told_in_detail(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for status, kind, code, param, message in (
        (400, "invalid_request_error", "context_length_exceeded", "messages[2].content", TOO_LONG),
        (404, "invalid_request_error", "model_not_found", "model", "The model `gateproof` does not exist."),
        (429, "rate_limit_error", "rate_limit_exceeded", None, "Please try again in 1.898s."),
        (500, "server_error", "server_error", None, "The server had an error: abc-123."),
    ):
        own = {"message": message, "type": kind, "param": param, "code": code}
        if check.dialect == "messages":
            own = {"type": "api_error" if status == 500 else KINDS[status], "message": message}
        upstream.says(
            refused(status, {"type": "error", "error": own} if check.dialect == "messages" else {"error": own})
        )

        answer = ask()

        assert answer.outcome == "error", f"{status}: {answer!r}"
        assert message in str(answer.error.message), f"{status}: the message is {answer.error.message!r}"
        raw = answer.error.raw
        assert isinstance(raw, dict), repr(answer)
        kept = ("type",) if check.surface == "messages" else ("code", "type", "param")
        for name in kept if not check.translated else () if check.has_messages else ("code",):
            assert raw.get(name) == own.get(name), f"{status}: {name} is {raw.get(name)!r}, not {own.get(name)!r}"


@case("error.messages-type-fits")
def messages_type_fits(ask: Ask, upstream: Upstream) -> None:
    for status in (400, 404, 413, 429, 500, 529):  # those that Anthropic documents
        upstream.refuses(status, KINDS[status], NO)

        answer = ask()

        assert answer.outcome == "error", f"{status}: {answer!r}"
        type = answer.error.type
        assert type in messages.ERROR_TYPES, f"{status}: type {type!r} is no word of Messages"
        if status == 429:
            assert type == "rate_limit_error", f"429: type {type!r}"
        elif status >= 500:
            assert type in ("api_error", "overloaded_error", "timeout_error"), f"{status}: type {type!r}"
        else:
            wrong = ("api_error", "overloaded_error", "rate_limit_error", "timeout_error", "authentication_error")
            assert type not in wrong, f"{status}: type {type!r}"


@case("error.retry-after-is-told")
def retry_after_is_told(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for advice in ("30", "Wed, 21 Oct 2037 07:28:00 GMT"):
        _refuses_for_a_while(upstream, check, 429, advice)

        answer = ask()

        if _told(answer, check, advice):
            given = answer.headers.get("retry-after", "")
            assert _is_to_come(given), f"of {advice!r} came {given!r}: {answer!r}"


@case("error.retry-after-is-kept")
def retry_after_is_kept(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for status, advice in ((429, "30"), (503, "17"), (429, "Wed, 21 Oct 2037 07:28:00 GMT")):
        _refuses_for_a_while(upstream, check, status, advice)

        answer = ask()

        if _told(answer, check, advice):
            given = answer.headers.get("retry-after", "")
            # A date may become the seconds until then.
            same = given == advice or (not advice.isdecimal() and given.isdecimal() and _is_to_come(given))
            assert same, f"of {advice!r} on a {status} came {given!r}: {answer!r}"


ODD = ("1.5", "soon", "-1", "Wed, 21 Oct 2015 07:28:00 GMT", "")
"""What servers write as Retry-After, and RFC 9110 does not know or nobody can obey."""


@case("error.odd-retry-after-is-no-fault")
def odd_retry_after_is_no_fault(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for advice in ODD:
        _refuses_for_a_while(upstream, check, 429, advice)

        answer = ask()

        if _told(answer, check, repr(advice)):
            assert answer.status == 429, f"with Retry-After {advice!r} a 429 is HTTP {answer.status}: {answer!r}"


def _refuses_for_a_while(upstream: Upstream, check: CheckHand, status: int, advice: str) -> None:
    type = "rate_limit_error" if status == 429 else "overloaded_error"
    own = {"type": type, "message": NO}
    body = {"type": "error", "error": own} if check.dialect == "messages" else {"error": {**own, "code": None}}
    upstream.says(Refused(status, body, {"Retry-After": advice}))


def _is_to_come(advice: str) -> bool:
    """Whether a Retry-After is a number of seconds above 0, or a date in this century's later part."""
    if advice.replace(".", "", 1).isdecimal():
        return float(advice) > 0
    return advice.endswith("GMT") and parsedate_to_datetime(advice).year >= 2037


@case("error.unreadable-refusal-is-told")
def unreadable_refusal_is_told(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for status, body, headers in (
        (502, PAGE, {}),
        (404, PAGE, {}),
        (429, PAGE, {}),
        (503, None, {}),
        (400, None, {}),
        (429, None, JSON),
        (500, "upstream connect error or disconnect/reset before headers", {}),
        (500, '{"error": {"message": "The half of', JSON),
        (500, "null", JSON),
        (422, '"No."', JSON),
        (400, '[{"error": {"code": 400, "message": "No."}}]', JSON),
        (500, '{"error": null}', JSON),
        (400, '{"error": []}', JSON),
        (400, '{"error": {"message": null, "code": 400}}', JSON),
        (500, '{"error": {"message": {"text": "No."}, "type": 5}}', JSON),
    ):
        upstream.says(Refused(status, body, headers))

        # What a relay passes on of it is no fault against the surface's schema.
        answer = ask(turn=check.translated)

        what = f"{status} with {str(body)[:40]!r}"
        if _told(answer, check, what):
            assert answer.status in _class(status), f"{what} is HTTP {answer.status}: {answer!r}"


@case("error.foreign-envelope-is-read")
def foreign_envelope_is_read(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for body in (
        {"error": NO},
        {"detail": NO},
        {"object": "error", "message": NO, "type": "BadRequestError", "param": None, "code": 400},
        {"error": {"code": 400, "message": NO, "status": "INVALID_ARGUMENT"}},
    ):
        upstream.says(refused(400, body))

        answer = ask(turn=check.translated)

        assert answer.outcome == "error", f"{body}: {answer!r}"
        assert NO in str(answer.error.message), f"{body}: the message is {answer.error.message!r}"


@case("error.no-turn-is-no-success")
def no_turn_is_no_success(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for status, body, headers in (
        (200, PAGE, {}),
        (200, "Welcome.", {}),
        (200, "null", JSON),
        (204, None, {}),
        (302, None, {"Location": "/gateproof-login"}),
        (307, PAGE, {"Location": "/gateproof-login"}),
    ):
        upstream.says(Refused(status, body, headers))

        # What a relay passes on of it is no fault against the surface's schema.
        answer = ask(turn=check.translated)

        what = f"{status} with {str(body)[:40]!r} and {headers}"
        assert answer.failed, f"{what}: {answer!r}"
        assert not answer.finish, f"{what}: {answer.finish!r} as the reason of a turn that never was"
        assert not answer.text, f"{what}: text that no model said, {answer.text[:80]!r}"


# --- what the request is due -------------------------------------------------------------------------

NOTHING = "nothing"
MALFORMED: Mapping[str, Callable[[bytes], bytes]] = {
    NOTHING: lambda _: b"",
    "half of it": lambda body: body[:-1],
    "one brace more": lambda body: body + b"}",
    "an array around it": lambda body: b"[" + body + b"]",
    "a string": lambda body: json.dumps(body.decode()).encode(),
    "a number": lambda _: b"123",
    "null": lambda _: b"null",
    "single quotes": lambda body: body.replace(b'"', b"'"),
    "plain words": lambda _: b"Please answer.",
}


@case("error.malformed-request-is-refused")
def malformed_request_is_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    # Whoever leaves the reading to the upstream is refused there.
    upstream.refuses(400, "invalid_request_error", "That is no JSON object.")
    for name, made in MALFORMED.items():
        if name == NOTHING and not check.translated:
            continue  # The mock, other than a provider, answers a relayed one.
        answer = ask(pack=made, routed=False)

        assert answer.status in (400, 422), f"{name}: {answer!r}"
        assert answer.error.message, f"{name}: no error envelope in {answer!r}"


USER = {"role": "user", "content": "Go on. [{marker}]"}


def _wrong_requests(surface: str, *, stream: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Requests that no provider answers, and what is wrong with them."""
    said = "input" if surface == "responses" else "messages"
    whole: dict[str, Any] = {"model": "{model}", said: [USER], "metadata": {"user_id": "{marker}"}}
    if surface == "messages":
        whole["max_tokens"] = 64
    if stream:
        whole["stream"] = True
    for name in ("model", said):
        yield f"no {name}", {key: value for key, value in whole.items() if key != name}
    for name, value in (
        ("model", None),
        ("model", 5),
        ("model", ["{model}"]),
        (said, None),
        (said, 5),
        (said, {"role": "user"}),
        (said, [7]),
        (said, [None]),
        (said, [{"content": "Go on. [{marker}]"}] if said == "messages" else [{"type": 5}]),
        (said, [{"role": "user", "content": 5}]),
        (said, [{"role": 5, "content": "Go on. [{marker}]"}]),
    ):
        yield f"{name} {json.dumps(value)}", {**whole, name: value}


@case("error.wrong-request-is-refused")
def wrong_request_is_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    # Whoever leaves the check to the upstream is refused there.
    upstream.refuses(400, "invalid_request_error", "That is no request.")
    for name, body in _wrong_requests(check.surface, stream=check.stream):
        answer = ask(body=body, routed=False)

        assert answer.status in (400, 404, 422), f"{name}: {answer!r}"
        assert answer.error.message, f"{name}: no error envelope in {answer!r}"


@case("error.wrong-request-stays-home")
def wrong_request_stays_home(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.refuses(400, "invalid_request_error", "That is no request.")
    for name, body in _wrong_requests(check.surface, stream=check.stream):
        ask(body=body, routed=False)

        # Without a model nothing says that this request would be translated at all.
        translated = [call for call in ask.last.calls if call["dialect"] != check.surface]
        assert not translated, f"{name} became a call of {translated[0]['path']}"


@case("error.unknown-model-is-refused")
def unknown_model_is_refused(ask: Ask, upstream: Upstream) -> None:
    upstream.refuses(404, "not_found_error", "The model does not exist.")

    answer = ask(model="gateproof-no-such-model", routed=False)

    assert answer.outcome == "error", repr(answer)
    assert answer.status in REQUEST | {403}, repr(answer)
    assert answer.error.message, repr(answer)
