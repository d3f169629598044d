"""Failures of the upstream, and what the client is told of them."""

from __future__ import annotations

from typing import Any

from gateproof.answers import messages
from gateproof.answers.answer import Answer
from gateproof.cases.canned import EVENTS
from gateproof.cases.reading import event_names, events_of_type
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof.verdicts import Blocked
from gateproof_mock import Wire, cancelled, cut, error_event, failed, refused, text

FELL_OVER = "The model fell over in step 7."
TOO_LONG = "This model's maximum context length is 8192 tokens."
EMPTY = "You exceeded your current quota, please check your plan and billing details."
PARTED = "The model\u2028fell over\u2029in\x85step 7."
"""What Python's splitlines takes for four lines, and SSE for one."""
AWKWARD = 'He said "no" \\ then\nnewline\ttab \x1b[31m \x07 \x0b \x00 \x7f \u2028 \u2029 \x85 naïve 日本 🦄 </data>'


@case("failure.failed-is-never-success")
def failed_is_never_success(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), failed("server_error", FELL_OVER))

    answer = ask()

    assert answer.failed, repr(answer)
    assert not answer.finish, f"{answer.finish!r} as the reason of a failed turn"
    if not check.stream:
        assert answer.status >= 400
        assert FELL_OVER in str(answer.error.message)


@case("failure.cancelled-is-never-success")
def cancelled_is_never_success(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), cancelled())

    answer = ask()

    assert answer.failed, repr(answer)
    assert not answer.finish, f"{answer.finish!r} as the reason of a cancelled turn"
    if not check.stream:
        assert answer.status >= 400


@case("failure.error-event-is-an-error")
def error_event_is_an_error(ask: Ask, upstream: Upstream) -> None:
    for nested in (False, True):
        upstream.says(text("Hel", "lo"), error_event("server_error", FELL_OVER, nested=nested))

        answer = ask()

        assert answer.outcome == "error", f"{'nested' if nested else 'flat'} error event: {answer!r}"
        assert FELL_OVER in str(answer.error.message)
        assert not answer.finish
    _assert_told_undivided(ask, upstream)


@case("failure.error-chunk-is-an-error")
def error_chunk_is_an_error(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"), failed("server_error", FELL_OVER))

    answer = ask()

    assert answer.outcome == "error", repr(answer)
    assert FELL_OVER in str(answer.error.message)
    _assert_told_undivided(ask, upstream)


def _assert_told_undivided(ask: Ask, upstream: Upstream) -> None:
    """That the failure is told whatever characters its message has; how they arrive is another requirement's business."""
    upstream.says(text("Hel", "lo"), error_event("server_error", PARTED, nested=True))

    answer = ask()

    assert answer.outcome == "error", f"with U+2028, U+2029 and U+0085 in its message: {answer!r}"
    assert "step 7." in str(answer.error.message)


@case("failure.failed-before-output-is-an-error")
def failed_before_output_is_an_error(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(failed("server_error", FELL_OVER), wire=Wire(preamble=False))

    answer = ask()

    assert answer.outcome == "error", repr(answer)
    assert not answer.text
    check.chose(answer.error.where)


@case("failure.failed-before-output-is-an-http-error")
def failed_before_output_is_an_http_error(ask: Ask, upstream: Upstream) -> None:
    for preamble in (True, False):
        upstream.says(failed("server_error", FELL_OVER), wire=Wire(preamble=preamble))

        answer = ask()

        assert answer.status >= 400, f"{'with' if preamble else 'without'} created before the failure: {answer!r}"
        assert FELL_OVER in str(answer.error.message)


@case("failure.in-band-error-has-the-chat-shape")
def in_band_error_has_the_chat_shape(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), failed("server_error", FELL_OVER))

    answer = ask()

    if _not_in_band(answer, check):
        return
    events = answer.events
    errors = [i for i, e in enumerate(events) if isinstance(e, dict) and e.get("error") is not None]
    assert errors, f"no data event has a top-level error: {answer!r}"
    error = events[errors[0]]["error"]
    assert isinstance(error, dict), f"the error is not an object: {error!r}"
    assert isinstance(error.get("message"), str)
    assert error["message"], "the error's message is empty"
    assert not answer.finish, f"finish_reason {answer.finish!r} beside an error"
    rest = events[errors[0] + 1 :]
    assert rest in ([], ["[DONE]"]), f"after the error came {rest!r}"
    check.chose("done" if rest else "no-done")


@case("failure.in-band-error-has-the-messages-shape")
def in_band_error_has_the_messages_shape(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), failed("server_error", FELL_OVER))

    answer = ask()

    if _not_in_band(answer, check):
        return
    names = event_names(ask.last)
    assert "error" in names, f"no event is called error: {answer!r}"
    assert names[-1] == "error", f"after the error came {names[names.index('error') + 1 :]!r}"
    assert names.count("error") == 1, "the error came more than once"
    assert not answer.finish, f"{answer.finish!r} as the reason of a turn that failed"
    event = answer.events[-1]
    assert isinstance(event, dict)
    assert event.get("type") == "error", f"the error's type is {event.get('type')!r}"
    assert answer.error.message, "the error has no message"
    assert answer.error.type, "the error has no type of its own"


def _not_in_band(answer: Answer, check: CheckHand) -> bool:
    """Nothing had been flushed, or the transfer was broken off: honest, and another requirement's business."""
    if answer.outcome == "aborted":
        check.chose("aborted")
    elif answer.outcome == "error" and answer.error.where == "http":
        check.chose("http")
    else:
        return False
    return True


@case("failure.code-and-message-survive")
def code_and_message_survive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(
        text("Hel", "lo"), failed("context_length_exceeded", TOO_LONG, type="invalid_request_error", status=400)
    )

    answer = ask()

    assert answer.outcome == "error", repr(answer)
    assert TOO_LONG in str(answer.error.message)
    _assert_told_as_a_fault_of_the_request(answer, check)


def _assert_told_as_a_fault_of_the_request(answer: Answer, check: CheckHand) -> None:
    """By the upstream's code; Messages has none, but a type for the kind of failure."""
    code, type = answer.error.code, answer.error.type
    if check.surface == "messages":
        # Any of its own: no client goes by it in a stream.
        assert type in messages.ERROR_TYPES, f"type {type!r} is no word of Messages"
    elif check.dialect == "messages":
        words = ("invalid_request_error", "invalid_request", "context_length_exceeded")
        told = code in words or type in words
        assert told or str(code) == "400", f"code {code!r}, type {type!r}"
        check.chose("word" if told else "status")
    else:
        assert code == "context_length_exceeded"


@case("failure.client-fault-is-4xx")
def client_fault_is_4xx(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(failed("context_length_exceeded", TOO_LONG, type="invalid_request_error", status=400))

    answer = ask()

    assert answer.outcome == "error", repr(answer)
    if answer.error.where == "in-band":
        check.chose("in-band")
        return
    told = 400 <= answer.status < 500 and answer.status not in (401, 403, 408, 409, 429)
    assert told or answer.status == 502, f"HTTP {answer.status}"
    check.chose("4xx" if told else "502")


@case("failure.server-fault-is-5xx")
def server_fault_is_5xx(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(failed("server_error", FELL_OVER))

    answer = ask()

    assert answer.outcome == "error", repr(answer)
    if answer.error.where == "in-band":
        check.chose("in-band")
        return
    assert answer.status >= 500, f"HTTP {answer.status}"


@case("failure.same-class-on-both-surfaces")
def same_class_on_both_surfaces(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for status, kind, fits in (
        # SDKs repeat 408, 409 and 429: a refused request must be none of them.
        (400, "invalid_request_error", set(range(400, 500)) - {408, 409, 429}),
        (429, "rate_limit_error", {429}),
        (503, "server_error", range(500, 600)),
    ):
        upstream.refuses(status, kind, FELL_OVER)
        for surface in (check.surface, check.requirement.beside):
            answer = ask(surface=surface)
            assert answer.status in fits, f"upstream {status} is HTTP {answer.status} on {surface}: {answer!r}"


@case("failure.message-survives-exactly")
def message_survives_exactly(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel"), failed("context_length_exceeded", AWKWARD, type="invalid_request_error", status=400))

    answer = ask()

    assert answer.outcome == "error", repr(answer)
    assert AWKWARD in str(answer.error.message), f"got {answer.error.message!r}"


@case("failure.responses-stream-ends-with-failed")
def responses_stream_ends_with_failed(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    ending = (failed if check.translated else error_event)("server_error", FELL_OVER)
    upstream.says(text("Hel", "lo"), ending)

    answer = ask()

    if _not_in_band(answer, check):
        return
    types = [e.get("type") for e in answer.events if isinstance(e, dict)]
    assert types, repr(answer)
    assert types[-1] == "response.failed", f"the stream ends with {types[-1]!r}"
    assert event_names(ask.last)[-1] == "response.failed", "response.failed has no event line of its name"
    assert FELL_OVER in str(answer.error.message)


@case("failure.failed-event-keeps-the-created-id")
def failed_event_keeps_the_created_id(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), failed("server_error", FELL_OVER))

    answer = ask()

    if _not_in_band(answer, check):
        return
    created, ended = _created_and_failed(answer)
    assert ended.get("response", {}).get("id") == created.get("response", {}).get("id")


@case("failure.failed-event-is-whole")
def failed_event_is_whole(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), failed("server_error", FELL_OVER))

    answer = ask()

    if _not_in_band(answer, check):
        return
    _, ended = _created_and_failed(answer)
    response = ended.get("response")
    assert isinstance(response, dict), f"no response object in {ended!r}"
    assert isinstance(response.get("id"), str)
    assert response["id"], "the response's id is empty"
    assert response.get("object") == "response"
    assert response.get("status") == "failed"
    assert isinstance(response.get("output"), list)
    error = response.get("error")
    assert isinstance(error, dict), f"error is {error!r}"
    assert isinstance(error.get("code"), str)
    assert error["code"], "the error's code is empty"
    assert FELL_OVER in str(error.get("message"))
    assert response.get("model", "unknown") != "", "model is an empty string"


def _created_and_failed(answer: Answer) -> tuple[dict[str, Any], dict[str, Any]]:
    created = events_of_type(answer, "response.created")
    ended = events_of_type(answer, "response.failed")
    if not created or not ended:
        raise Blocked(
            "no response.created and response.failed in one stream: see failure.responses-stream-ends-with-failed"
        )
    return created[0], ended[0]


@case("failure.codes-are-translated")
def codes_are_translated(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for kind, code, wanted in (
        ("rate_limit_error", "", "rate_limit_exceeded"),
        ("invalid_request_error", "", "invalid_request"),
        ("permission_error", "", "permission_denied"),
        ("authentication_error", "", "authentication_failed"),
        ("upstream_error", "", "server_error"),
        ("api_error", "", "server_error"),
        ("server_error", "", "server_error"),
        ("server_error", "model_is_asleep", "model_is_asleep"),
    ):
        if code and check.dialect == "messages":
            continue  # which has types alone
        upstream.says(text("Hel"), failed(code, FELL_OVER, type=kind))

        answer = ask()

        assert answer.error.code == wanted, f"type {kind!r}, code {code!r}: {answer!r}"


NO_TURN: dict[str, tuple[Any, ...]] = {
    "chat": ({"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": []}, {}),
    "responses": ({"id": "r", "object": "response", "error": {"code": "server_error", "message": FELL_OVER}}, {}),
    "messages": ({"id": "m", "type": "message", "role": "assistant", "model": "m"}, {}),
}
"""Answers with status 200 that are none."""


@case("failure.error-in-a-200-is-an-error")
def error_in_a_200_is_an_error(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    error = {"type": "api_error", "code": 502, "message": FELL_OVER}
    bodies = ({"type": "error", "error": error}, {"error": error}, *NO_TURN[check.dialect])
    for body in bodies:
        upstream.says(refused(200, body))

        answer = ask()

        assert answer.status >= 400, f"for {str(body)[:80]}: {answer!r}"
        if body.get("error"):
            # In which envelope is another requirement's business.
            assert FELL_OVER.encode() in ask.last.wire, f"for {str(body)[:80]}: {answer!r}"


@case("failure.empty-200-is-an-error")
def empty_200_is_an_error(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    kind = EVENTS if check.stream else "application/json"
    broken = (cut("fin"), cut("rst")) if check.dialect != "messages" or check.stream else ()
    for ending in (refused(200, content_type=kind), *broken):
        upstream.says(ending, wire=Wire(preamble=False))

        answer = ask()

        assert answer.failed, f"{ending!r}: {answer!r}"
        assert not answer.finish, f"{ending!r}: {answer!r}"
        check.chose(answer.outcome)


@case("failure.error-events-are-nested")
def error_events_are_nested(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), failed("server_error", FELL_OVER))

    answer = ask()

    errors = events_of_type(answer, "error")
    for event in errors:
        error = event.get("error")
        assert isinstance(error, dict), f"no error object in {event!r}"
        assert FELL_OVER in str(error.get("message")), f"no message in {event!r}"
    check.chose("nested" if errors else "none")


@case("failure.quota-is-no-rate-limit")
def quota_is_no_rate_limit(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    kind, code, fine = "insufficient_quota", "insufficient_quota", ["insufficient_quota"]
    if check.dialect == "messages":
        kind, code, fine = "billing_error", "", ["insufficient_quota", "billing_error"]
    upstream.says(text("Hel"), failed(code, EMPTY, type=kind))

    answer = ask()

    assert answer.outcome == "error", repr(answer)
    assert answer.error.code in fine, f"type {kind!r}, code {code!r}: {answer!r}"
