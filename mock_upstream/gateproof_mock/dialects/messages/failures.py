"""Errors of the Messages API: the envelope, and which of its types a failure is."""

from __future__ import annotations

from typing import Any

from gateproof_mock.dialects.asked import Asked, new_call
from gateproof_mock.language.turns import Cancelled, ErrorEvent, Failed, Unfinished

Failure = Failed | ErrorEvent | Cancelled | Unfinished
"""Endings that are an error here."""

_OF_STATUS = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    529: "overloaded_error",
}
_OF_CODE = {
    "rate_limit_exceeded": "rate_limit_error",
    "server_is_overloaded": "overloaded_error",
    "slow_down": "overloaded_error",
    "context_length_exceeded": "invalid_request_error",
    "invalid_prompt": "invalid_request_error",
    "insufficient_quota": "billing_error",
}


def error(message: str, status: int) -> dict[str, Any]:
    """The body of an answer with this status."""
    kind = _OF_STATUS.get(status, "invalid_request_error" if 400 <= status < 500 else "api_error")
    return envelope(kind, message, f"req_{new_call().decode()}")


def failure(ending: Failure, asked: Asked) -> dict[str, Any]:
    """The body of an HTTP error, and the data of an `error` event."""
    kind = "api_error"
    if isinstance(ending, Failed | ErrorEvent):
        message = ending.message
        kind = (ending.type if isinstance(ending, Failed) else "") or _OF_CODE.get(ending.code, kind)
    elif isinstance(ending, Unfinished):
        message = f"The response is still {ending.status}."
    else:
        message = "The request was cancelled."
    return envelope(kind, message, request_id(asked))


def status_of(ending: Failure) -> int:
    return ending.status if isinstance(ending, Failed) else 500


def request_id(asked: Asked) -> str:
    """Of the header of every answer, and of an error."""
    return f"req_{asked.call}"


def envelope(kind: str, message: str, request: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": request}
