"""What a dialect says in a stream, before it is bytes: events, and what stands between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateproof_mock.dialects.steps import Rest, Wait
from gateproof_mock.language.turns import Cut


@dataclass(frozen=True, slots=True)
class Frame:
    """One event. `data`: its JSON document, or characters as they are (`[DONE]`). `name`: of the `event:` line, if any.

    `role` is what the wire's switches need to know of it: `begin` and `end` of an item, part, call or block, `delta`,
    `terminal` (the event that says how the turn ended), `done` (`[DONE]` or message_stop), or "".
    """

    data: Mapping[str, Any] | str
    name: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Literal:
    """Bytes between events, as they are: a comment, or what a script says raw."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Remark:
    """A comment between events, written as the wire writes its lines."""

    words: str


Cue = Frame | Literal | Remark | Wait | Rest | Cut
"""What a dialect's stream yields. A Cut is the last of its own; what follows the ending is never sent after it."""
