"""HTTP answers in place of a turn: errors, in JSON and not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gateproof_mock.builtin.dice import Dice
from gateproof_mock.builtin.registry import builtin, register
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import Refused, hold, pause, refused, text

_PAGE = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>\r\n"


def _error(message: str, kind: str, code: str | None = None, param: str | None = None) -> dict[str, Any]:
    """OpenAI's envelope of an error."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


_INVALID = "invalid_request_error"
_REFUSED: dict[str, tuple[str, int, dict[str, Any], dict[str, str]]] = {
    "400": (
        "a request that the provider finds wrong",
        400,
        _error("Unknown parameter: 'foo'.", _INVALID, "unknown_parameter", "foo"),
        {},
    ),
    "401": (
        "a wrong key, which the message quotes as OpenAI's does",
        401,
        _error("Incorrect API key provided: {credential}.", _INVALID, "invalid_api_key"),
        {"www-authenticate": 'Bearer realm="api"'},
    ),
    "402": (
        "no money left, as OpenRouter and DeepSeek say",
        402,
        _error("Insufficient balance.", "insufficient_quota", "402"),
        {},
    ),
    "403": (
        "a country, a model or a policy that is not allowed",
        403,
        _error("Country not supported.", "request_forbidden", "unsupported_country_region_territory"),
        {},
    ),
    "404": ("a model that is not there", 404, _error("The model does not exist.", _INVALID, "model_not_found"), {}),
    "408": ("the provider waited too long for the request", 408, _error("Request timed out.", "timeout"), {}),
    "409": ("a conflict, which the SDKs ask again for", 409, _error("Conflict.", "conflict_error"), {}),
    "413": ("a request that is too large", 413, _error("Request too large.", "request_too_large"), {}),
    "422": (
        "a request that cannot be understood, in FastAPI's form, as vLLM says",
        422,
        {"detail": [{"loc": ["body", "model"], "msg": "Field required", "type": "missing"}]},
        {},
    ),
    "429": (
        "too many requests, with Retry-After and OpenAI's counts of what is left",
        429,
        _error("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
        {"retry-after": "7", "x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"},
    ),
    "429-date": (
        "too many requests, with a date as Retry-After",
        429,
        _error("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
        {"retry-after": "Fri, 31 Dec 2027 23:59:59 GMT"},
    ),
    "429-ms": (
        "too many requests, with OpenAI's retry-after-ms",
        429,
        _error("Rate limit reached for requests.", "requests", "rate_limit_exceeded"),
        {"retry-after-ms": "120"},
    ),
    "429-quota": (
        "the quota is used up, for which nobody should ask again",
        429,
        _error("You exceeded your current quota.", "insufficient_quota", "insufficient_quota"),
        {},
    ),
    "500": ("the provider's own fault", 500, _error("The server had an error.", "server_error"), {}),
    "502": ("a proxy in front of the provider found nobody", 502, _error("Bad gateway.", "server_error"), {}),
    "503": (
        "an overloaded provider, with Retry-After",
        503,
        _error("The engine is overloaded.", "server_error", "overloaded"),
        {"retry-after": "3"},
    ),
    "504": ("a proxy in front of the provider waited too long", 504, _error("Gateway timeout.", "server_error"), {}),
    "529": (
        "Anthropic's status for overload, in its envelope",
        529,
        {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
        {"x-should-retry": "true"},
    ),
}


def _json(status: int, body: Any, headers: dict[str, str]) -> Callable[[Dice], Script]:
    def make(dice: Dice) -> Script:
        return script(Refused(status, body, headers | {"x-request-id": f"req_{dice.between(10**8, 10**9 - 1)}"}))

    return make


for _name, (_why, _status, _body, _headers) in _REFUSED.items():
    register(f"refused-{_name}", _json(_status, _body, _headers), f"HTTP {_status}: {_why}.")


@builtin("refused-html")
def html(dice: Dice) -> Script:
    """HTTP 502 with nginx's HTML page, as a proxy in front of a dead provider answers."""
    return script(Refused(502, _PAGE.format("502 Bad Gateway")))


@builtin("refused-html-200")
def html_as_success(dice: Dice) -> Script:
    """HTTP 200 with an HTML page: a captive portal, or a base URL that is a web site."""
    return script(Refused(200, _PAGE.format("Welcome")))


@builtin("refused-cloudflare")
def cloudflare(dice: Dice) -> Script:
    """HTTP 520 with an HTML page, Cloudflare's status for an origin that answered nonsense."""
    ray = f"{dice.between(10**9, 10**10 - 1):x}-OSL"
    return script(
        refused(520, _PAGE.format("520: Web server is returning an unknown error"), server="cloudflare", cf_ray=ray)
    )


@builtin("refused-text")
def plain(dice: Dice) -> Script:
    """HTTP 503 in plain text, as Envoy's `no healthy upstream`."""
    return script(Refused(503, "no healthy upstream"))


@builtin("refused-empty")
def empty(dice: Dice) -> Script:
    """HTTP 500 with an empty body, as crashed workers answer."""
    return script(Refused(500))


@builtin("refused-empty-200")
def empty_success(dice: Dice) -> Script:
    """HTTP 200 with an empty body: neither an answer nor an error."""
    return script(Refused(200))


@builtin("refused-no-content")
def no_content(dice: Dice) -> Script:
    """HTTP 204, which has no body."""
    return script(Refused(204))


@builtin("refused-sse")
def sse_shaped(dice: Dice) -> Script:
    """HTTP 429 whose body is an event stream with an `error` event, as proxies that decide early on streaming send."""
    body = 'event: error\ndata: {"error": {"message": "Slow down.", "type": "rate_limit_error"}}\n\n'
    return script(refused(429, body, content_type="text/event-stream", retry_after="5"))


@builtin("refused-sse-200")
def sse_success(dice: Dice) -> Script:
    """HTTP 200 whose body is an event stream with an `error` event and no more."""
    body = 'data: {"error": {"message": "Overloaded.", "code": 529}}\n\n'
    return script(refused(200, body, content_type="text/event-stream"))


@builtin("refused-gzip")
def zipped(dice: Dice) -> Script:
    """HTTP 500 whose JSON is compressed with gzip, and says so."""
    return script(refused(500, _error(f"The server had an error: {dice.words(3, 6)}.", "server_error"), gzip=True))


@builtin("refused-json-string")
def string_body(dice: Dice) -> Script:
    """HTTP 400 whose `error` is a string and no object, as Ollama's."""
    return script(Refused(400, {"error": "model not found"}))


@builtin("refused-json-list")
def list_body(dice: Dice) -> Script:
    """HTTP 400 whose JSON is a list of one error, as Gemini's OpenAI surface answers."""
    return script(
        Refused(400, [{"error": {"code": 400, "message": "Invalid argument.", "status": "INVALID_ARGUMENT"}}])
    )


@builtin("refused-code-number")
def number_code(dice: Dice) -> Script:
    """HTTP 429 whose `code` is a number, as many gateways send."""
    return script(Refused(429, {"error": {"message": "Slow down.", "type": "rate_limit", "code": 429}}))


@builtin("refused-broken-json")
def broken_json(dice: Dice) -> Script:
    """HTTP 500 that says to be JSON and is cut in the middle of it."""
    return script(refused(500, '{"error": {"message": "The serv', content_type="application/json"))


@builtin("refused-wrong-type")
def wrong_type(dice: Dice) -> Script:
    """HTTP 400 whose JSON says to be text/plain."""
    return script(
        refused(400, '{"error": {"message": "Bad.", "type": "invalid_request_error"}}', content_type="text/plain")
    )


@builtin("refused-large")
def large(dice: Dice) -> Script:
    """HTTP 500 with an error message of 1 MiB: a stack trace, or the prompt quoted back."""
    return script(Refused(500, _error("x" * 1024 * 1024, "server_error")))


@builtin("refused-redirect")
def redirect(dice: Dice) -> Script:
    """HTTP 307 to another path: a key must not go to another host with it."""
    return script(refused(307, location="/v1/elsewhere"))


@builtin("refused-late")
def late(dice: Dice) -> Script:
    """HTTP 503 after a tenth of a second, with text before it that is never sent."""
    return script(text(dice.sentence()), pause(0.1), refused(503, _error("Timed out in the queue.", "server_error")))


@builtin("refused-held")
def held_refusal(dice: Dice) -> Script:
    """HTTP 503 behind the barrier `held`: a client that gives up before the provider says no."""
    return script(hold("held"), refused(503, _error("Timed out in the queue.", "server_error")))
