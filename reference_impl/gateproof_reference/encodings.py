"""Request bodies that come compressed, undone within a limit: gzip, deflate and zstd (RFC 9110, 8.4.1; RFC 9659)."""

import sys
import zlib
from collections.abc import Callable
from typing import Protocol

from gateproof_reference.failures import Failure, RefusedError, bad_request

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MEMBERS = 16
"""Members (gzip) or frames (zstd) that a body may have one after the other. Clients send one; without a bound a body of
empty ones is a bomb too, of work and not of bytes."""

WINDOW: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
"""8 MiB of memory for a zstd frame, which is what RFC 9659 grants this content coding."""


class _Member(Protocol):
    """What zlib and zstd both bring: undoes one member, and stops at its end or after so many bytes."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


CODINGS: dict[str, Callable[[], _Member]] = {
    "gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "x-gzip": lambda: zlib.decompressobj(16 + zlib.MAX_WBITS),
    "deflate": lambda: zlib.decompressobj(zlib.MAX_WBITS),
    "zstd": lambda: zstd.ZstdDecompressor(options=WINDOW),
}
"""A new reader of one member, by the name of its coding. `x-gzip` is gzip (RFC 9110, 8.4.1.3)."""

ACCEPTED = "gzip, deflate, zstd"


def names(header: str) -> list[str]:
    """Return the codings that a Content-Encoding names, in the order in which they were applied."""
    every = (name.strip().lower() for name in header.split(","))
    return [name for name in every if name not in ("", "identity")]


def decoded(body: bytes, codings: list[str], limit: int) -> bytes:
    """Return a body without its codings.

    Raise RefusedError: 415 for a coding that is not known here, 413 past `limit` bytes, 400 if the body is not what its
    coding says.
    """
    for name in reversed(codings):
        if name not in CODINGS:
            failure = Failure(
                f"the body must be plain, or one of {ACCEPTED}",
                "unsupported_encoding",
                "invalid_request_error",
                status=415,
            )
            raise RefusedError(failure, {"accept-encoding": ACCEPTED})
        try:
            body = _undone(body, CODINGS[name], limit)
        except (zlib.error, zstd.ZstdError, ValueError) as error:
            raise bad_request(f"the body is not the {name} that it says it is", code="invalid_encoding") from error
    return body


def _undone(body: bytes, member: Callable[[], _Member], limit: int) -> bytes:
    """Return what the members of a body hold; never more than `limit` bytes and one are made (RefusedError, 413)."""
    parts: list[bytes] = []
    room = limit
    for _ in range(MEMBERS):
        if not body:
            break
        reader = member()
        parts.append(reader.decompress(body, room + 1))
        room -= len(parts[-1])
        if room < 0:
            raise RefusedError(too_large())
        if not reader.eof:
            raise ValueError("cut short")
        body = reader.unused_data
    if body:
        raise ValueError("too many members")
    return b"".join(parts)


def too_large() -> Failure:
    """Return the failure of a request that is larger than this gateway reads."""
    return Failure("the body is too large", "too_large", "invalid_request_error", status=413)
