"""The steps that a server plays: the one language between the dialects' renderers and any socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Head:
    """Status line and headers. Without `length` the body is chunked; with it, Content-Length says `length` bytes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes of the body, flushed at once (one chunk of a chunked body)."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Stand at this barrier until it is released."""

    barrier: str


@dataclass(frozen=True, slots=True)
class Break:
    """End the connection in the middle of the body: `fin` closes it, `rst` resets it."""

    how: str


Step = Head | Write | Wait | Break
