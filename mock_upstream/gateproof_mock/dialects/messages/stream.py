"""A message as events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.frames import Cue, Frame, Literal, Remark
from gateproof_mock.dialects.messages import counts
from gateproof_mock.dialects.messages.blocks import Begin, Block, Delta, End, Op
from gateproof_mock.dialects.messages.failures import Failure, failure
from gateproof_mock.dialects.messages.message import Said, message, stop
from gateproof_mock.dialects.steps import Rest, Wait
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import Comment, Cut, Element, Event, Hold, Pause, Ping, Raw

_ROLES = {
    "content_block_start": "begin",
    "content_block_delta": "delta",
    "content_block_stop": "end",
    "message_delta": "terminal",
    "error": "terminal",
    "message_stop": "done",
}
_TOLD = {"text_delta": "text", "input_json_delta": "partial_json", "thinking_delta": "thinking"}


def cues(script: Script, asked: Asked) -> Iterator[Cue]:
    """The events of the whole stream, and what stands between and after them."""
    wire, ending = script.wire, script.ending
    said = Said(script, asked)
    if wire.preamble or said.blocks or not isinstance(ending, Failure):
        usage = counts.at_start(counts.usage_of(script), final=wire.usage_in == "start")
        yield frame("message_start", message=message(asked, said.id, usage))
    yield from _Blocks(script, said.blocks).cues(said.ops)
    if isinstance(ending, Cut):
        yield ending
        return
    if isinstance(ending, Failure):
        yield frame(**failure(ending, asked))
    else:
        yield from _end(script, said.blocks)
    if wire.done:
        yield Frame("[DONE]", role="done")
    for element in said.after:
        yield from on_the_wire(element)


def frame(type: str, **fields: Any) -> Frame:
    return Frame({"type": type, **fields}, type, _ROLES.get(type, ""))


def on_the_wire(element: Element) -> Iterator[Cue]:
    """What a script does between events."""
    match element:
        case Hold(name):
            yield Wait(name)
        case Pause(seconds):
            yield Rest(seconds)
        case Comment(words):
            yield Remark(words)
        case Raw(characters):
            yield Literal(characters.encode("utf-8", "surrogatepass"))
        case Ping():
            yield frame("ping")
        case Event(data):
            yield Frame(data, str(data.get("type", "")))
        case _:
            pass


def _end(script: Script, blocks: list[Block]) -> Iterator[Cue]:
    wire = script.wire
    delta = stop(script, blocks)
    if wire.no_finish:
        delta = dict.fromkeys(delta)
    usage = counts.at_end(counts.usage_of(script), told=wire.usage_in == "start")
    yield frame("message_delta", delta=delta, **({} if wire.bare_terminal else {"usage": usage}))
    if not wire.no_done:
        yield frame("message_stop")


class _Blocks:
    """`index`: of the block that began last. `told`: it was whole when it began, so its deltas are not said."""

    def __init__(self, script: Script, blocks: list[Block]) -> None:
        self._wire = script.wire
        self._blocks = blocks
        self._index = -1
        self._told = False
        self._at_begin = {
            kind
            for kind, place in (("text", script.wire.text_in), ("arguments", script.wire.arguments_in))
            if place != "deltas"
        }

    def cues(self, ops: list[Op]) -> Iterator[Cue]:
        for op in ops:
            match op:
                case Begin():
                    yield from self._begin(op)
                case Delta(delta):
                    yield from self._delta(delta)
                case End():
                    yield frame("content_block_stop", index=self._index)
                case _:
                    yield from on_the_wire(op)

    def _begin(self, begin: Begin) -> Iterator[Cue]:
        self._index += 1
        self._told = begin.holds in self._at_begin
        block = self._blocks[self._index] if self._told else begin.block
        yield frame("content_block_start", index=self._index, content_block=block)
        # Out of order, the first start would only change places with the ping.
        if self._index == 0 and self._wire.order != "added_late":
            yield frame("ping")

    def _delta(self, delta: Mapping[str, Any]) -> Iterator[Cue]:
        if self._told:
            return
        told = _TOLD.get(delta["type"])
        if told and self._wire.null_deltas:
            yield frame("content_block_delta", index=self._index, delta={**delta, told: None})
        yield frame("content_block_delta", index=self._index, delta=delta)
