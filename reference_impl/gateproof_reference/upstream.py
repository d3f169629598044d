"""The only place that talks to the upstream. What leaves here is bytes, or a Failure; never an exception of httpx."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from functools import lru_cache

import httpx

from gateproof_reference import failures, wirejson
from gateproof_reference.failures import Failure, RefusedError
from gateproof_reference.http1 import Transport

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes that a JSON answer may have."""

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection, if the idle timeout is not shorter."""


def failure_of(error: httpx.HTTPError) -> Failure:
    """Return what an exception of httpx means for the client; its own words, with hosts and ports, are the log's."""
    cause = f"{type(error).__name__}: {error}"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return failures.unreachable(cause)
    if isinstance(error, httpx.TimeoutException):
        return failures.timed_out(cause)
    return failures.broken(cause)


@lru_cache(maxsize=64)
def parsed(url: str) -> httpx.URL:
    """Return a URL, which cannot be changed and is one of few: to parse it takes longer than all else about a request."""
    return httpx.URL(url)


class Reply:
    """The upstream's answer, its body not yet read."""

    def __init__(self, response: httpx.Response) -> None:
        self._response = response
        self.status = response.status_code
        self.media_type = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        self.retry_after: str | None = response.headers.get("retry-after")

    @property
    def is_stream(self) -> bool:
        """Whether the body is server-sent events."""
        return bool(self.media_type == "text/event-stream")

    async def chunks(self) -> AsyncGenerator[bytes | Failure, None]:
        """Yield the body as it arrives; a Failure is its last item if the transfer broke or fell silent.

        Close it (`aclosing`) where it may not be read to its end.
        """
        try:
            async for chunk in self._plain():
                yield chunk
        except httpx.HTTPError as error:
            yield failure_of(error)

    def _plain(self) -> AsyncIterator[bytes]:
        """Return the body without its codings. We ask for none, but some upstreams use one all the same."""
        if "content-encoding" in self._response.headers:
            return self._response.aiter_bytes()
        assert isinstance(self._response.stream, httpx.AsyncByteStream)
        return aiter(self._response.stream)

    async def body(self) -> bytes:
        """Return the whole body. Raise RefusedError if the transfer breaks or passes BODY_LIMIT."""
        parts: list[bytes] = []
        size = 0
        async with aclosing(self.chunks()) as chunks:
            async for chunk in chunks:
                if isinstance(chunk, Failure):
                    raise RefusedError(chunk)
                parts.append(chunk)
                size += len(chunk)
                if size > BODY_LIMIT:
                    raise RefusedError(failures.too_long())
        return b"".join(parts)

    async def check_status(self) -> None:
        """Raise RefusedError with the upstream's own words unless the status is 200."""
        if self.status == 200:
            return
        try:
            body = wirejson.parse_object(await self.body())
        except RefusedError:
            body = None  # The status is known and says enough.
        raise RefusedError(failures.read_http(self.status, body, self.retry_after))


class Upstream:
    """A model provider: its API base (with /v1). `idle_timeout` (seconds) bounds every silence of it.

    What it is asked goes straight to a transport of httpx, without the client around it: no proxies and credentials from
    the environment, no cookies, no redirects, no second try. And a connection per call: an idle one that the upstream
    closes just now would fail a call that is innocent, and a POST must not be repeated.
    """

    def __init__(self, base: str, idle_timeout: float, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._base = base.rstrip("/")
        self._transport = transport or Transport()
        self._idle_timeout = idle_timeout

    async def aclose(self) -> None:
        """Close what the transport holds."""
        await self._transport.aclose()

    @asynccontextmanager
    async def call(
        self,
        method: str,
        path: str,
        content: bytes = b"",
        *,
        headers: Mapping[str, str],
        stream: bool = False,
        query: str = "",
        idle_timeout: float | None = None,
    ) -> AsyncIterator[Reply]:
        """Call the upstream; it is hung up on when the block is left. Raise RefusedError if it does not answer.

        `headers` are the dialect's, with the operator's key. Of the client's none goes along but those that its API counts
        as part of the question: its key is for us (litellm#32202), the framing is our own. `idle_timeout` (seconds) is
        this call's, if it is not the general one.
        """
        headers = {
            **headers,
            "accept": "text/event-stream" if stream else "application/json",
            "accept-encoding": "identity",
            "user-agent": "gateproof-reference",
            "connection": "close",
        }
        if content:
            headers["content-type"] = "application/json"
        url = f"{self._base}{path}" + (f"?{query}" if query else "")
        silence = self._idle_timeout if idle_timeout is None else idle_timeout
        timeouts = httpx.Timeout(silence, connect=min(CONNECT_TIMEOUT, silence))
        extensions = {"timeout": timeouts.as_dict()}
        request = httpx.Request(method, parsed(url), content=content, headers=headers, extensions=extensions)
        response = await self._open(request)
        try:
            yield Reply(response)
        finally:
            await response.aclose()

    async def _open(self, request: httpx.Request) -> httpx.Response:
        try:
            return await self._transport.handle_async_request(request)
        except httpx.HTTPError as error:
            raise RefusedError(failure_of(error)) from None
