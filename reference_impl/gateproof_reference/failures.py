"""What can go wrong, once: how a failure is read, which HTTP status it has, and how each API words it.

A failure is the upstream's own words where it had any. The class (request at fault, too many requests, server at fault)
is decided here only, so that the same failure has the same class on every surface.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gateproof_reference.redaction import masked
from gateproof_reference.wirejson import Object, integer, text


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed turn.

    `code`, `type` and `param` are the upstream's, None if it gave none. `status` is an HTTP status that is already
    known (the upstream answered with one, or the gateway decided); None means that the code decides.
    For the operator's log only: `upstream_status` is the upstream's own HTTP status, `cause` what broke.
    """

    message: str
    code: str | None = None
    type: str | None = None
    param: str | None = None
    status: int | None = None
    retry_after: str | None = None
    upstream_status: int | None = field(default=None, compare=False)
    cause: str | None = field(default=None, compare=False)


UNSUPPORTED = "unsupported_parameter"
"""Our code for what the upstream's API cannot be asked."""


class RefusedError(Exception):
    """Raised where nothing was sent to the client yet: the answer is a JSON error with its own status.

    `headers` are what HTTP wants beside that status.
    """

    def __init__(self, failure: Failure, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.headers = headers or {}


IMAGE_CODES = frozenset(
    {
        "invalid_image",
        "invalid_image_format",
        "invalid_base64_image",
        "invalid_image_url",
        "image_too_large",
        "image_too_small",
        "image_parse_error",
        "image_content_policy_violation",
        "invalid_image_mode",
        "image_file_too_large",
        "unsupported_image_media_type",
        "empty_image_file",
        "failed_to_download_image",
        "image_file_not_found",
    }
)
"""The codes of OpenAI's ResponseError that speak of an image in the request (OpenAI API reference)."""

STATUS_OF_CODE: dict[str, int] = {
    "context_length_exceeded": 400,
    "invalid_prompt": 400,
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "server_is_overloaded": 503,
    "slow_down": 503,
    **dict.fromkeys(IMAGE_CODES, 400),
}
"""HTTP status of a failure that came in a stream or a body (sub2api#2972); whatever is not here is 502."""

STATUS_OF_TYPE: dict[str, int] = {
    "not_found_error": 404,
    "request_too_large": 413,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""HTTP status of the types that an error event of Messages has in place of a code (Anthropic's page on errors)."""

RESPONSES_CODES: dict[str, str] = {
    "rate_limit_error": "rate_limit_exceeded",
    "invalid_request_error": "invalid_request",
    "permission_error": "permission_denied",
    "authentication_error": "authentication_failed",
    "upstream_error": "server_error",
    "server_error": "server_error",
    "api_error": "server_error",
    "timeout_error": "server_error",
    "overloaded_error": "server_is_overloaded",
    "billing_error": "insufficient_quota",
    "not_found_error": "invalid_request",
    "request_too_large": "invalid_request",
    "": "server_error",
}
"""Words of the other APIs in the vocabulary of `response.failed` (sub2api#2972); any other word stays as it is."""

TYPE_OF_STATUS: dict[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}

MESSAGES_TYPES: dict[int, str] = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
"""`type` of a Messages error by its status (Anthropic's page on errors). Any other 4xx is the first one, 5xx api_error."""


TOO_LONG_CODE = "context_length_exceeded"
TOO_LONG_WORDS = "prompt is too long"
"""How Messages says it: "prompt is too long: 210000 tokens > 200000 maximum" (Anthropic's page on context windows)."""


def read(error: object, *, otherwise: str = "the upstream failed without saying why") -> Failure:
    """Return the failure in an `error` member, which is an object, a string, or absent.

    An integer code is a status and not a code (OmniRoute#8210): as a word it is dropped, as a status it is believed.
    What looks like a key is cut out of the message: providers quote the key that they do not know.
    """
    if isinstance(error, str):
        return Failure(masked(error) or otherwise)
    if not isinstance(error, dict):
        return Failure(otherwise)
    number = integer(error.get("code"))
    message, kind = masked(text(error.get("message"))), text(error.get("type")) or None
    return Failure(
        message=message or otherwise,
        code=text(error.get("code")) or _code_in(message, kind),
        type=kind,
        param=text(error.get("param")) or None,
        status=client_status(number) if number is not None and 400 <= number <= 599 else None,
    )


def without_keys(answer: Object) -> Object:
    """Return a relayed answer as it may be told: itself, or a copy if its `error` quotes what looks like a key."""
    error = answer.get("error")
    words = text(error.get("message")) if isinstance(error, dict) else ""
    if not isinstance(error, dict) or masked(words) == words:
        return answer
    return {**answer, "error": {**error, "message": masked(words)}}


def _code_in(message: str, kind: str | None) -> str | None:
    """Return the code that a failure has in its words only, because Messages has no codes.

    A prompt that is too long is the one on which clients act: they shorten it and ask again.
    """
    return TOO_LONG_CODE if kind == TYPE_OF_STATUS[400] and message.startswith(TOO_LONG_WORDS) else None


def read_event(event: Object) -> Failure:
    """Return the failure in an `error` event: flat (OpenAI API reference) or nested (openresponses.org 2026-04-24)."""
    nested = event.get("error")
    if isinstance(nested, dict | str):
        return read(nested)
    # The event's own `type` is "error", which says nothing about the failure.
    return read({**event, "type": None})


def read_http(status: int, body: Object | None, retry_after: str | None) -> Failure:
    """Return the failure that an upstream's HTTP status and body tell. The status is kept, except as client_status()."""
    otherwise = f"the upstream answered HTTP {status} without a readable error"
    error: object = None
    if body is not None:
        error = body.get("error") or next((body[key] for key in ("message", "detail") if body.get(key)), None)
    failure = read(error, otherwise=otherwise)
    return replace(failure, status=client_status(status), retry_after=retry_after, upstream_status=status)


def client_status(status: int) -> int:
    """Return the status for the client of an upstream's status.

    401 and 403 speak of the operator's key, which is no fault of the client; nothing below 400 can say an error.
    """
    return status if 400 <= status <= 599 and status not in (401, 403) else 502


def status_of(failure: Failure) -> int:
    """Return the HTTP status of a failure: its own, else by its code."""
    if failure.status is not None:
        return failure.status
    if failure.code is None and failure.type in STATUS_OF_TYPE:
        return STATUS_OF_TYPE[failure.type]
    code = responses_code(failure)
    if code.startswith("invalid_request"):
        return 400
    return STATUS_OF_CODE.get(code, 502)


def responses_code(failure: Failure) -> str:
    """Return the code of a failure in the vocabulary of Responses. A specific code wins over a type."""
    if failure.code is None and failure.type is None and failure.status is not None and failure.status < 500:
        return "rate_limit_exceeded" if failure.status == 429 else "invalid_request"
    word = failure.code or failure.type or ""
    return RESPONSES_CODES.get(word, word)


def class_of(failure: Failure) -> str:
    """Return who must act: the client on its `request`, the client by waiting (`limit`), or the `server`."""
    status = status_of(failure)
    return "limit" if status == 429 else "request" if status < 500 else "server"


def type_of(failure: Failure) -> str:
    """Return the `type` of the error envelope: the upstream's own, else the one that fits the status."""
    status = status_of(failure)
    return failure.type or TYPE_OF_STATUS.get(status, "server_error" if status >= 500 else TYPE_OF_STATUS[400])


def envelope(failure: Failure) -> Object:
    """Return `{"error": {message, type, param, code}}`, the error body of Chat Completions and of Responses."""
    return {
        "error": {
            "message": failure.message,
            "type": type_of(failure),
            "param": failure.param,
            "code": failure.code,
        }
    }


def messages_type(failure: Failure) -> str:
    """Return the `type` of a failure in the vocabulary of Messages: the upstream's own if it is a word of Messages, else
    by the status. A code tells that it is not: Messages has none, and the other APIs have some of its words."""
    status = status_of(failure)
    masked = status >= 500 and failure.type in (MESSAGES_TYPES[401], MESSAGES_TYPES[403])
    if failure.code is None and failure.type in (*MESSAGES_TYPES.values(), "api_error") and not masked:
        return failure.type
    return MESSAGES_TYPES.get(status, "api_error" if status >= 500 else MESSAGES_TYPES[400])


def messages_envelope(failure: Failure, request_id: str) -> Object:
    """Return the error body of Messages, which is also the data of its `error` event. It has no code and no param."""
    error = {"type": messages_type(failure), "message": failure.message}
    return {"type": "error", "error": error, "request_id": request_id}


def failed_error(failure: Failure) -> Object:
    """Return `{code, message}`, the `error` of a failed Response."""
    return {"code": responses_code(failure), "message": failure.message}


# What the gateway itself finds. Hosts, ports and exception texts stay out: they belong to the operator's log.


def truncated() -> Failure:
    """The upstream's stream ended, in good order, before its turn did."""
    return Failure("the upstream's answer ended before it was complete", "server_error")


def broken(cause: str | None = None) -> Failure:
    """The connection to the upstream broke, or its HTTP did."""
    return Failure("the connection to the upstream broke before its answer was complete", "server_error", cause=cause)


def unreachable(cause: str | None = None) -> Failure:
    """No connection to the upstream."""
    return Failure("the upstream cannot be reached", "server_error", status=502, cause=cause)


def timed_out(cause: str | None = None) -> Failure:
    """The upstream was silent for longer than the idle timeout."""
    return Failure("the upstream was silent for too long", "server_error", status=504, cause=cause)


def too_long() -> Failure:
    """The upstream sent more without a break than this gateway holds in memory."""
    return Failure("the upstream sent a line or body that is too long", "server_error")


def unreadable(what: str) -> Failure:
    """The upstream answered with something that is not its API."""
    return Failure(f"the upstream's answer cannot be read: {what}", "server_error")


def cancelled() -> Failure:
    """The upstream cancelled the turn and gave no reason."""
    return Failure("the upstream cancelled the response", "server_error")


def unfinished(status: str) -> Failure:
    """The upstream answered with a turn that is not over."""
    return Failure(f"the upstream answered with an unfinished response ({status})", "server_error")


def full() -> Failure:
    """No slot became free in time."""
    return Failure("too many requests at once: no slot became free in time", "rate_limit_exceeded", status=429)


def stopping() -> Failure:
    """The gateway was told to stop, and this turn's time is over."""
    return Failure("the gateway is stopping", "server_error", status=503)


def crashed() -> Failure:
    """A fault of this gateway; what it was stands in the operator's log."""
    return Failure("the gateway failed", "server_error", status=500)


def bad_request(message: str, param: str | None = None, code: str = "invalid_request") -> RefusedError:
    """Return the error to raise for a request that cannot be served."""
    return RefusedError(Failure(message, code, "invalid_request_error", param, status=400))


def unsupported(param: str, why: str) -> RefusedError:
    """Return the error to raise for a parameter that the upstream's API has no place for."""
    return bad_request(f"{param}: {why}", param, UNSUPPORTED)
