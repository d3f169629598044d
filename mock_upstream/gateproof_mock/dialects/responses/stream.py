"""A turn as a Responses event stream. The JSON answer is what such a stream amounts to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.frames import Cue, Frame, Literal, Remark
from gateproof_mock.dialects.responses.events import Events
from gateproof_mock.dialects.responses.objects import COUNTED, Object, ended, last_status, response_object
from gateproof_mock.dialects.responses.output import Output
from gateproof_mock.dialects.steps import Rest, Wait
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import (
    Comment,
    Completed,
    CustomToolCall,
    Cut,
    Element,
    Ending,
    ErrorEvent,
    Event,
    Hold,
    Image,
    Incomplete,
    Interleaved,
    Item,
    NextMessage,
    NextPart,
    Pause,
    Ping,
    Raw,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    WebSearch,
)
from gateproof_mock.language.wire import Wire

_ITEMS = (Text, Refusal, Reasoning, ToolCall, CustomToolCall, Interleaved, WebSearch, Image, Item)


def document(script: Script, asked: Asked) -> Object:
    """The Response of an answer in JSON."""
    return Stream(script, asked, Wire()).document()


class Stream:
    """One event stream. `_status`: how the call that is said ends."""

    def __init__(self, script: Script, asked: Asked, wire: Wire) -> None:
        self._script = script
        self._wire = wire
        self._response = response_object(asked, asked.new_id("resp"))
        self._events = Events(wire.sequence)
        self._output = Output(self._events, wire, asked.new_id)
        turn = script.turn
        end = next((i for i, e in enumerate(turn) if isinstance(e, Ending)), len(turn))
        self._before, self._after = turn[:end], turn[end + 1 :]
        self._last = max((i for i, e in enumerate(self._before) if isinstance(e, _ITEMS)), default=-1)
        self._status = "completed"

    def cues(self) -> Iterator[Cue]:
        ending = self._script.ending or Completed()
        if self._wire.preamble:
            yield self._events.event("response.created", response=self._response)
            yield self._events.event("response.in_progress", response=self._response)
        yield from self._said()
        if isinstance(ending, Cut):
            yield ending
            return
        yield from self._end(ending)
        if self._wire.done:
            yield Frame("[DONE]", role="done")
        for element in self._after:
            yield from self._say(element)

    def document(self) -> Object:
        """The response as it is in the end."""
        for _ in self._said():
            pass
        self._output.break_off(last_status(self._script))
        return ended(self._response, self._script, self._output.items)

    def _said(self) -> Iterator[Cue]:
        for number, element in enumerate(self._before):
            self._status = last_status(self._script) if number == self._last else "completed"
            yield from self._say(element)

    def _say(self, element: Element) -> Iterator[Cue]:
        output = self._output
        match element:
            case Text():
                yield from output.text(element)
            case Refusal(pieces):
                yield from output.refusal(pieces)
            case NextMessage():
                output.next_message()
            case NextPart():
                output.next_part()
            case Reasoning():
                yield from output.reasoning(element)
            case ToolCall() | CustomToolCall():
                yield from output.calls((element,), self._status)
            case Interleaved(calls, reverse):
                yield from output.calls(calls, self._status, reverse=reverse)
            case WebSearch(query):
                yield from output.search(query)
            case Image():
                yield from output.image(element)
            case Item(data):
                yield from output.given(data)
            case _:
                yield from self._done_on_the_wire(element)

    def _done_on_the_wire(self, element: Element) -> Iterator[Cue]:
        match element:
            case Hold(name):
                yield Wait(name)
            case Pause(seconds):
                yield Rest(seconds)
            case Comment(words):
                yield Remark(words)
            case Ping():
                yield self._events.event("keepalive")
            case Event(data):
                yield self._events.given(data)
            case Raw(characters):
                yield Literal(characters.encode("utf-8", "surrogatepass"))
            case _:
                pass

    def _end(self, ending: Ending) -> Iterator[Cue]:
        if isinstance(ending, ErrorEvent):
            yield self._error(ending)
            if not ending.then_failed:
                return
        status = last_status(self._script)
        if isinstance(ending, Completed | Incomplete):
            yield from self._output.close(status)
        else:
            self._output.break_off(status)
        yield self._terminal(ending)

    def _error(self, ending: ErrorEvent) -> Frame:
        error: dict[str, Any] = {"code": ending.code, "message": ending.message, "param": None}
        fields = {"error": {"type": "server_error", **error}} if ending.nested else error
        return (self._events.event if ending.then_failed else self._events.terminal)("error", **fields)

    def _terminal(self, ending: Ending) -> Frame:
        wire = self._wire
        shown = {"empty": 0, "partial": 1}.get(wire.terminal_output)
        response = ended(self._response, self._script, self._output.items[:shown])
        renamed = isinstance(ending, Completed) and wire.terminal
        kind = wire.terminal if renamed else f"response.{response['status']}"
        beside: dict[str, Any] = {}
        if wire.usage_in == "event" and response["status"] in COUNTED:
            beside["usage"] = response["usage"]
            response["usage"] = None
        return self._events.terminal(kind, **({} if wire.bare_terminal else {"response": response}), **beside)
