"""The failure taxonomy: every row of its tables."""

from typing import Any

import pytest

from gateproof_reference import failures
from gateproof_reference.failures import Failure


@pytest.mark.parametrize(
    ("code", "status"),
    [
        *(
            (code, 400)
            for code in ("context_length_exceeded", "invalid_prompt", "invalid_request", "invalid_request_error")
        ),
        *((code, 400) for code in sorted(failures.IMAGE_CODES)),
        *((code, 429) for code in ("rate_limit_exceeded", "rate_limit_error", "insufficient_quota")),
        *((code, 503) for code in ("server_is_overloaded", "slow_down")),
        *(
            (code, 502)
            for code in ("server_error", "authentication_error", "permission_error", "cyber_policy", "", None)
        ),
    ],
)
def test_a_code_has_one_status(code: str | None, status: int) -> None:
    assert failures.status_of(Failure("no", code)) == status


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("rate_limit_error", "rate_limit_exceeded"),
        ("invalid_request_error", "invalid_request"),
        ("permission_error", "permission_denied"),
        ("authentication_error", "authentication_failed"),
        ("upstream_error", "server_error"),
        ("server_error", "server_error"),
        ("api_error", "server_error"),
        ("", "server_error"),
        ("context_length_exceeded", "context_length_exceeded"),
        ("something_new", "something_new"),
    ],
)
def test_words_of_other_apis_are_translated(word: str, code: str) -> None:
    assert failures.responses_code(Failure("no", code=word)) == code
    assert failures.responses_code(Failure("no", type=word)) == code


def test_a_specific_code_wins_over_a_type() -> None:
    assert (
        failures.responses_code(Failure("no", "context_length_exceeded", "invalid_request_error"))
        == "context_length_exceeded"
    )


@pytest.mark.parametrize(
    ("status", "code"), [(429, "rate_limit_exceeded"), (404, "invalid_request"), (500, "server_error")]
)
def test_a_status_alone_has_a_code(status: int, code: str) -> None:
    assert failures.responses_code(Failure("no", status=status)) == code


@pytest.mark.parametrize(
    ("upstream", "client"), [(400, 400), (401, 502), (403, 502), (404, 404), (429, 429), (529, 529), (302, 502)]
)
def test_an_upstream_status_is_kept_unless_it_speaks_of_our_key(upstream: int, client: int) -> None:
    assert failures.status_of(failures.read_http(upstream, None, None)) == client


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        ({"message": "m", "code": "c", "type": "t", "param": "p"}, Failure("m", "c", "t", "p")),
        ({"message": "m", "code": 429}, Failure("m", status=429)),
        ({"message": "m", "code": 7, "type": ""}, Failure("m")),
        ("boom", Failure("boom")),
    ],
)
def test_errors_are_read(error: Any, failure: Failure) -> None:
    assert failures.read(error) == failure


@pytest.mark.parametrize("error", [None, {}, [], 5, "", {"message": None}])
def test_an_error_without_words_still_has_a_message(error: Any) -> None:
    assert failures.read(error).message


def test_error_events_are_flat_or_nested() -> None:
    flat = {"type": "error", "code": "c", "message": "m", "param": None}
    nested = {"type": "error", "error": {"code": "c", "message": "m"}}
    assert failures.read_event(flat) == failures.read_event(nested) == Failure("m", "c")


def test_the_envelope_is_whole() -> None:
    assert failures.envelope(Failure("m", "context_length_exceeded")) == {
        "error": {"message": "m", "type": "invalid_request_error", "param": None, "code": "context_length_exceeded"}
    }
    assert failures.envelope(Failure("m"))["error"]["type"] == "server_error"
    assert failures.envelope(Failure("m", status=413))["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("code", "who"), [("invalid_prompt", "request"), ("insufficient_quota", "limit"), ("x", "server")]
)
def test_the_log_says_who_must_act(code: str, who: str) -> None:
    assert failures.class_of(Failure("m", code)) == who
