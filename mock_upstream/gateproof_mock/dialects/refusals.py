"""Answers that are one whole HTTP body: refusals, and JSON that may be cut short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateproof_mock.dialects.asked import Asked, dumps
from gateproof_mock.steps import Break, Head, Step, Write
from gateproof_mock.turns import Cut, Refused

CREDENTIAL = "{credential}"


def refusal(refused: Refused, asked: Asked) -> Iterator[Step]:
    """The HTTP answer of a `Refused`. `{credential}` in it becomes the key that the gateway sent (hermes-agent#54087)."""
    headers = dict(refused.headers)
    if isinstance(refused.body, str):
        data = refused.body.encode()
        headers.setdefault("Content-Type", "text/html" if refused.body.lstrip().startswith("<") else "text/plain")
    elif refused.body is None:
        data = b""
    else:
        data = dumps(refused.body)
        headers.setdefault("Content-Type", "application/json")
    data = data.replace(CREDENTIAL.encode(), asked.credential.encode())
    yield Head(refused.status, headers, len(data))
    yield Write(data)


def whole_json(document: Mapping[str, object], status: int = 200, cut: Cut | None = None) -> Iterator[Step]:
    """A JSON answer; with a cut, its first half."""
    data = dumps(document)
    if cut is None:
        yield Head(status, {"Content-Type": "application/json"}, len(data))
        yield Write(data)
        return
    # A clean end of half a document needs chunks: Content-Length would make the shortness a fault of the transfer.
    yield Head(status, {"Content-Type": "application/json"}, None if cut.how == "eof" else len(data))
    yield Write(data[: len(data) // 2])
    if cut.how != "eof":
        yield Break(cut.how)


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> dict[str, object]:
    """OpenAI's ErrorResponse: all four keys are required there."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
