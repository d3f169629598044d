"""What both of OpenAI's dialects have: the body of an error, the id of a request, and what lies over the usage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateproof_mock.dialects.asked import Asked


def error_body(message: str, kind: str, code: str | None) -> dict[str, Any]:
    """An error with all four keys that OpenAI's schema requires."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def error(message: str, status: int) -> dict[str, Any]:
    """The body of an HTTP error of this status."""
    return error_body(message, "invalid_request_error" if status < 500 else "server_error", None)


def headers(asked: Asked) -> dict[str, str]:
    """What OpenAI's answers have beside their content: SDKs show it in their errors."""
    return {"x-request-id": f"req_{asked.call}"}


def logprobs(pieces: Iterable[str]) -> list[dict[str, Any]]:
    """The entry of each piece, as if it were one token: ever less probable, in eighths, which are exact in every language."""
    return [
        {
            "token": piece,
            "logprob": -(place % 64 + 1) / 8,
            "bytes": list(piece.encode("utf-8", "surrogatepass")),
            "top_logprobs": [],
        }
        for place, piece in enumerate(pieces)
    ]


def laid_over(document: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the extra keys in place of its own; an object over an object is laid over it in the same way."""
    out = dict(document)
    for key, value in extra.items():
        old = out.get(key)
        out[key] = {**old, **value} if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return out
