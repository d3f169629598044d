"""The marker: the short word in a prompt by which a call finds its script.

`gp-<6>-<8>`, lower-case base32: the run, then the case. Text of the prompt is what every gateway measured passes on; headers,
keys, `user` and `metadata` are not. The *last* marker in the body counts as the newest text; a body that holds two different
ones is a leak between requests and is journalled with all of them.
"""

from __future__ import annotations

import gzip
import re
import secrets
import zlib

PATTERN = re.compile(rb"gp-[a-z2-7]{6}-[a-z2-7]{8}")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_DECODED_LIMIT = 64 * 1024 * 1024


def run_part() -> str:
    """Six random base32 characters for one run."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(6))


def marker(run: str) -> str:
    """A marker of this run that no other case has."""
    return f"gp-{run}-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def markers_in(body: bytes) -> tuple[str, ...]:
    """The distinct markers in a decoded body, in order of first appearance."""
    return tuple(dict.fromkeys(m.decode() for m in PATTERN.findall(body)))


def decoded(body: bytes, encoding: str) -> bytes:
    """The body without its Content-Encoding (gzip, deflate); as it is when it cannot be decoded. At most 64 MiB."""
    try:
        if encoding.lower() == "gzip":
            return zlib.decompressobj(16 + zlib.MAX_WBITS).decompress(body, _DECODED_LIMIT)
        if encoding.lower() == "deflate":
            return zlib.decompressobj().decompress(body, _DECODED_LIMIT)
    except (zlib.error, gzip.BadGzipFile):
        return body
    return body
