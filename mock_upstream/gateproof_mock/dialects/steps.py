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
    """Bytes of the body, flushed at once (one chunk of a chunked body). `promised`: the chunk says that it has so many."""

    data: bytes
    promised: int = 0


@dataclass(frozen=True, slots=True)
class Wait:
    """Stand at this barrier until it is released."""

    barrier: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Do nothing for so many seconds. They are counted from when the last rest was over, so that paces do not drift."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Break:
    """End the connection in the middle of the body: `fin` closes it, `rst` resets it, `open` leaves it as it is until the
    client goes or a barrier's ceiling is reached."""

    how: str


Step = Head | Write | Wait | Rest | Break
