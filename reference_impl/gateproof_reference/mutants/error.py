"""Lies about errors with a status: the upstream's, and those that a request is due."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateproof_reference import failures, wirejson
from gateproof_reference.failures import Failure, RefusedError
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.wirejson import Object


@mutant(
    "crowds-are-outages",
    seam="failures:client_status",
    caught_by="""error.odd-retry-after-is-no-fault error.status-class-is-kept error.status-is-kept
    error.unreadable-refusal-is-told failure.same-class-on-both-surfaces""",
)
def _(original: Any) -> Any:
    """A 429 of the upstream is a 503, as if it were down (aisix#323)."""
    return lambda status: 503 if status == 429 else original(status)


@mutant("statuses-are-rounded", seam="failures:client_status", caught_by="error.status-is-kept")
def _(original: Any) -> Any:
    """Of a status only its class is left, and 429 (suna#5986)."""
    return lambda status: original(status if status in (401, 403, 429) else status // 100 * 100)


@mutant(
    "missing-models-are-outages",
    seam="failures:client_status",
    caught_by="""error.status-class-is-kept error.status-is-kept error.unknown-model-is-refused
    error.unreadable-refusal-is-told""",
)
def _(original: Any) -> Any:
    """What the upstream does not know is a gateway that failed (suna#5986)."""
    return lambda status: 502 if status == 404 else original(status)


@mutant("params-are-lost", seam="failures:envelope", caught_by="error.refusal-is-told-in-detail")
def _(original: Any) -> Any:
    """An error does not say which field it is about (aisix#323)."""
    return lambda failure: original(replace(failure, param=None))


@mutant("messages-errors-have-openai-types", seam="failures:messages_type", caught_by="error.messages-type-fits")
def _(original: Any) -> Any:
    """The `type` of an error on Messages is a word of OpenAI's (mnfst#2689)."""
    return failures.type_of


def _with_advice(original: Callable[..., Failure], advice: str | None) -> Callable[..., Failure]:
    def read_http(status: int, body: Object | None, retry_after: str | None) -> Failure:
        return original(status, body, retry_after and advice)

    return read_http


@mutant(
    "retry-after-is-lost",
    seam="failures:read_http",
    caught_by="error.retry-after-is-kept error.retry-after-is-told",
)
def _(original: Any) -> Any:
    """Retry-After stays with the gateway (aisix#144)."""
    return _with_advice(original, None)


@mutant("retry-after-is-a-minute", seam="failures:read_http", caught_by="error.retry-after-is-kept")
def _(original: Any) -> Any:
    """Whatever the upstream advises, the client is told to wait a minute."""
    return _with_advice(original, "60")


@mutant("unreadable-refusals-are-500", seam="failures:read_http", caught_by="error.unreadable-refusal-is-told")
def _(original: Any) -> Any:
    """A refusal that is no JSON is a failure of the gateway (apisix#13565)."""
    return lambda status, body, advice: original(500 if body is None else status, body, advice)


@mutant("only-envelopes-are-read", seam="failures:read_http", caught_by="error.foreign-envelope-is-read")
def _(original: Any) -> Any:
    """A refusal of another shape than OpenAI's has no reason."""

    def read_http(status: int, body: Object | None, advice: str | None) -> Failure:
        known = body is not None and isinstance(body.get("error"), dict)
        failure: Failure = original(status, body if known else {}, advice)
        return failure

    return read_http


@mutant("web-pages-are-empty-turns", seam="upstream:Reply.body", caught_by="error.no-turn-is-no-success")
def _(original: Any) -> Any:
    """What cannot be read is an answer without words (CLIProxyAPI#2921)."""
    choice: Object = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    usage = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens", "input_tokens", "output_tokens"), 0)
    empty: Object = {
        "id": "x",
        "model": "m",
        "usage": usage,
        "object": "response",
        "status": "completed",
        "output": [],
        "choices": [choice],
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": "end_turn",
    }

    async def body(self: Any) -> bytes:
        data: bytes = await original(self)
        return wirejson.dump(empty) if self.status == 200 and self.media_type == "text/html" else data

    return body


@mutant("bad-json-is-500", seam="intake:json_object", caught_by="error.malformed-request-is-refused")
def _(original: Any) -> Any:
    """A body that is no JSON is a failure of the gateway (aimee#2071)."""

    def json_object(raw: bytes) -> Object:
        body = wirejson.parse_object(raw)
        if body is None:
            raise RefusedError(failures.crashed())
        return body

    return json_object


@mutant("wrong-types-crash", seam="chat.request:check", caught_by="error.wrong-request-is-refused")
def _(original: Any) -> Any:
    """A request whose messages are no list is a failure of the gateway (OmniRoute#6402)."""

    def check(body: Object) -> None:
        for _message in body["messages"]:
            break
        original(body)

    return check


@mutant(
    "requests-are-mended",
    seam="pairs:prepare",
    caught_by="""error.wrong-request-is-refused error.wrong-request-stays-home request.each-form-of-words-is-read""",
)
def _(original: Any) -> Any:
    """Where nothing was asked, something is: messages or input that are no list become an empty question."""

    def prepare(surface: Any, dialect: Any, raw: bytes, body: Object, *more: Any, **how: Any) -> Any:
        said = "input" if surface.name == "responses" else "messages"
        mended = body if isinstance(body.get(said), list) else {**body, said: [{"role": "user", "content": "?"}]}
        return original(surface, dialect, raw, body if surface is dialect else mended, *more, **how)

    return prepare
