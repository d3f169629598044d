"""Answers that are one whole HTTP body: refusals, and JSON that may be cut short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.jsontext import dumps
from gateproof_mock.scripts import Script
from gateproof_mock.steps import Break, Head, Step, Write
from gateproof_mock.turns import Cut, ErrorEvent, Failed, Refused

CREDENTIAL = "{credential}"


def quoting(script: Script, asked: Asked) -> Script:
    """The script with `{credential}` in its failure's message become the key that the gateway sent (hermes-agent#54087)."""
    ending = script.ending
    if not isinstance(ending, Failed | ErrorEvent) or CREDENTIAL not in ending.message:
        return script
    said = replace(ending, message=ending.message.replace(CREDENTIAL, asked.credential))
    return replace(script, turn=(*script.turn[:-1], said))


def refusal(refused: Refused, asked: Asked) -> Iterator[Step]:
    """The HTTP answer of a `Refused`. `{credential}` in it becomes the key that the gateway sent (hermes-agent#54087)."""
    named: dict[str, str] = {}
    if isinstance(refused.body, str):
        data = refused.body.encode("utf-8", "surrogatepass")
        kind = "text/html" if refused.body.lstrip().startswith("<") else "text/plain"
        named |= {"Content-Type": f"{kind}; charset=utf-8"}
    elif refused.body is None:
        data = b""
    else:
        data = dumps(refused.body)
        named |= {"Content-Type": "application/json"}
    data = data.replace(CREDENTIAL.encode(), asked.credential.encode("latin-1", "replace"))
    if any(name.lower() == "content-type" for name in refused.headers):
        named = {}
    yield Head(refused.status, {**named, **refused.headers}, len(data))
    yield Write(data)


def whole_json(
    document: Mapping[str, object], status: int = 200, cut: Cut | None = None, headers: Mapping[str, str] | None = None
) -> Iterator[Step]:
    """A JSON answer; with a cut, its first half."""
    data = dumps(document)
    headers = {"Content-Type": "application/json", **(headers or {})}
    if cut is None:
        yield Head(status, headers, len(data))
        yield Write(data)
        return
    # A clean end of half a document needs chunks: Content-Length would make the shortness a fault of the transfer.
    yield Head(status, headers, None if cut.how == "eof" else len(data))
    yield Write(data[: len(data) // 2])
    if cut.how != "eof":
        yield Break(cut.how)


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> dict[str, object]:
    """OpenAI's ErrorResponse: all four keys are required there."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
