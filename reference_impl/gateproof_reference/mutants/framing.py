"""Lies in HTTP: what belongs to one side and is told to the other."""

from collections.abc import Mapping
from typing import Any

import httpx

from gateproof_reference.mutants.registry import mutant


@mutant(
    "errors-say-gzip",
    seam="answers:Answer.start",
    caught_by="framing.body-is-as-its-headers-say",
)
def _(original: Any) -> Any:
    """An error has the coding in its headers that the upstream's error had (cc-switch#3817)."""

    async def start(self: Any, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        stale = {"content-encoding": "gzip"} if status >= 400 else {}
        await original(self, status, content_type, {**headers, **stale})

    return start


@mutant(
    "compressed-bodies-are-passed-on",
    seam="upstream:Upstream._open",
    caught_by="framing.upstream-framing-stays-upstream sse.compressed-answers-are-read",
)
def _(original: Any) -> Any:
    """The upstream may compress, and what it sends is read as if it had not (Portkey#1261)."""

    async def opened(self: Any, request: httpx.Request) -> httpx.Response:
        request.headers["accept-encoding"] = "gzip"
        response: httpx.Response = await original(self, request)
        response.headers.pop("content-encoding", None)
        return response

    return opened
