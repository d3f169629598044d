"""A message object, and why it stopped."""

from __future__ import annotations

from typing import Any

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.messages.blocks import Block, folded, planned
from gateproof_mock.dialects.messages.failures import Failure
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import Completed, Cut, Ending, Incomplete, Refusal

_STOP = {"max_output_tokens": "max_tokens", "content_filter": "refusal"}


class Said:
    """What a script says: the message's `id`, its blocks as `ops` and when they are whole, and what comes `after` the ending."""

    def __init__(self, script: Script, asked: Asked) -> None:
        turn = script.turn
        at = next((i for i, e in enumerate(turn) if isinstance(e, Ending)), len(turn))
        self.id = asked.new_id("msg")
        self.ops = planned(turn[:at], asked, whole=not isinstance(script.ending, Failure | Cut))
        self.blocks: list[Block] = folded(self.ops)
        self.after = turn[at + 1 :]


def message(asked: Asked, id: str, usage: dict[str, Any]) -> dict[str, Any]:
    """The message as it begins."""
    return {
        "id": id,
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }


def stop(script: Script, blocks: list[Block]) -> dict[str, Any]:
    """stop_reason and stop_sequence."""
    ending = script.ending
    if isinstance(ending, Incomplete):
        return _stopped(_STOP.get(ending.reason, ending.reason))
    if isinstance(ending, Completed) and (ending.reason or ending.stop_sequence):
        return _stopped(ending.reason or "stop_sequence", ending.stop_sequence or None)
    if any(isinstance(e, Refusal) for e in script.turn):
        return _stopped("refusal")
    return _stopped("tool_use" if any(b.get("type") == "tool_use" for b in blocks) else "end_turn")


def _stopped(reason: str, sequence: str | None = None) -> dict[str, Any]:
    return {"stop_reason": reason, "stop_sequence": sequence}
