"""The marker: the short word in a prompt by which a call finds its script.

`gp-<6>-<8>`, lower-case base32: the run, then the case. Text of the prompt is what every gateway measured passes on; headers,
keys, `user` and `metadata` are not. The *last* marker in the body counts as the newest text; a body that holds two different
ones is a leak between requests and is journalled with all of them.
"""

from __future__ import annotations

import re
import secrets
import sys
import zlib
from collections.abc import Callable
from typing import Any

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# No letter or digit may follow: a longer word is somebody else's. What stands before is no clue, since in JSON that
# may be the n of an escaped line end.
PATTERN = re.compile(rb"gp-[a-z2-7]{6}-[a-z2-7]{8}(?![a-z0-9])")
MARKER_RULE = "gp-xxxxxx-xxxxxxxx, where x is a to z or 2 to 7"
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_DECODED_LIMIT = 64 * 1024 * 1024


def run_part() -> str:
    """Six random base32 characters for one run."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(6))


def marker(run: str) -> str:
    """A marker of this run that no other case has."""
    return f"gp-{run}-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def is_marker(word: str) -> bool:
    """Whether a call could ever find a script by this word."""
    return PATTERN.fullmatch(word.encode("utf-8", "replace")) is not None


def markers_in(body: bytes) -> tuple[str, ...]:
    """The distinct markers in a decoded body, in order of their last appearance: the last is the newest."""
    newest_first = dict.fromkeys(reversed(PATTERN.findall(body)))
    return tuple(m.decode() for m in reversed(newest_first))


def decoded(body: bytes, encoding: str) -> tuple[bytes, str]:
    """The body without its Content-Encoding, and what went wrong: "" or a sentence for the client.

    gzip, deflate and zstd. At most 64 MiB come out.
    """
    for coding in reversed([c.strip().lower() for c in encoding.split(",") if c.strip()]):
        try:
            match coding:
                case "identity":
                    continue
                case "gzip" | "x-gzip":
                    body = _undone(body, lambda: zlib.decompressobj(16 + zlib.MAX_WBITS))
                case "deflate":
                    body = _undone(body, zlib.decompressobj)
                case "zstd":
                    body = _undone(body, zstd.ZstdDecompressor)
                case _:
                    return body, f"Content-Encoding {coding[:40]!r} is not known here."
        except Exception as error:  # every decoder has its own exceptions, and all of them mean the same
            return body, f"The body is not the {coding} that Content-Encoding says: {error}"
    return body, ""


def _undone(body: bytes, reader: Callable[[], Any]) -> bytes:
    """Undo the members (zstd: frames) of a body; zlib and zstd read one each, with the same methods."""
    out: list[bytes] = []
    room = _DECODED_LIMIT
    while body and room > 0:
        member = reader()
        out.append(member.decompress(body, room))
        room -= len(out[-1])
        if not member.eof:
            raise ValueError("it is cut short" if room > 0 else "it is too large")
        body = member.unused_data
    return b"".join(out)
