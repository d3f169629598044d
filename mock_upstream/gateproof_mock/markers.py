"""The marker: the short word in a prompt by which a call finds its script.

`gp-<6>-<8>`, lower-case base32: the run, then the case. Text of the prompt is what every gateway measured passes on; headers,
keys, `user` and `metadata` are not. The *last* marker in the body counts as the newest text; a body that holds two different
ones is a leak between requests and is journalled with all of them.
"""

from __future__ import annotations

import importlib
import io
import re
import secrets
import zlib
from typing import Any

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

    gzip, deflate, and zstd where Python brings it (3.14) or the `zstandard` package is there. At most 64 MiB come out.
    """
    for coding in reversed([c.strip().lower() for c in encoding.split(",") if c.strip()]):
        try:
            match coding:
                case "identity":
                    continue
                case "gzip" | "x-gzip":
                    body = _inflate(body, 16 + zlib.MAX_WBITS)
                case "deflate":
                    body = _inflate(body, zlib.MAX_WBITS)
                case "zstd":
                    body = _unzstd(body)
                case _:
                    return body, f"Content-Encoding {coding[:40]!r} is not known here."
        except ImportError:
            return body, "Content-Encoding zstd needs the `zstandard` package beside the mock."
        except Exception as error:  # every decoder has its own exceptions, and all of them mean the same
            return body, f"The body is not the {coding} that Content-Encoding says: {error}"
    return body, ""


def _inflate(body: bytes, bits: int) -> bytes:
    out: list[bytes] = []
    room = _DECODED_LIMIT
    while body and room > 0:
        member = zlib.decompressobj(bits)
        out.append(member.decompress(body, room))
        room -= len(out[-1])
        if not member.eof:
            raise ValueError("it is cut short" if room > 0 else "it is too large")
        body = member.unused_data
    return b"".join(out)


def _unzstd(body: bytes) -> bytes:
    module: Any
    try:
        module = importlib.import_module("compression.zstd")
    except ImportError:
        module = importlib.import_module("zstandard")
        reader: io.RawIOBase = module.ZstdDecompressor().stream_reader(io.BytesIO(body), read_across_frames=True)
        return reader.read(_DECODED_LIMIT) or b""
    data: bytes = module.ZstdDecompressor().decompress(body, _DECODED_LIMIT)
    return data
