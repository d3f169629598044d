"""What the model says, in no dialect: the elements of a turn.

A turn is a sequence of elements, read from left to right: things said (`Text`, `Reasoning`, `ToolCall` ...), things done on
the wire between them (`Hold`, `Comment`, `Event`), the `Usage`, and one ending. The lower-case functions are the words for
writing turns in Python:

    says(text("Hel", "lo"), tool_call("get_weather", '{"city": "Oslo"}'), incomplete("max_output_tokens"))

Every element has one JSON form, `{key: value}`, where the value is the element's first field alone or an object of its
fields; `scripts.py` reads and writes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Element:
    """One step of a turn. `KEY` is its name in a script file; its first field may stand there alone."""

    KEY: ClassVar[str] = ""


# --- things said ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text(Element):
    """Visible text, one delta for each piece. Neighbouring texts belong to one message."""

    KEY: ClassVar[str] = "text"
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reasoning(Element):
    """Reasoning: a summary on Responses, `reasoning_content` on Chat Completions (DeepSeek's and vLLM's field)."""

    KEY: ClassVar[str] = "reasoning"
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal(Element):
    """A refusal: a `refusal` part on Responses, `delta.refusal` on Chat Completions."""

    KEY: ClassVar[str] = "refusal"
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextMessage(Element):
    """What follows is a new message item (Responses). Chat Completions has one message, so there it changes nothing."""

    KEY: ClassVar[str] = "next_message"
    on: bool = True


@dataclass(frozen=True, slots=True)
class ToolCall(Element):
    """A function call. `arguments` are the pieces of one JSON text; none at all is a call without arguments."""

    KEY: ClassVar[str] = "tool_call"
    name: str = ""
    arguments: tuple[str, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Interleaved(Element):
    """Parallel calls whose argument deltas alternate. They begin in order and end in order, or in `reverse`."""

    KEY: ClassVar[str] = "interleaved"
    calls: tuple[ToolCall, ...] = ()
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class WebSearch(Element):
    """A hosted `web_search_call` item (Responses only; Chat Completions has no such thing and says nothing)."""

    KEY: ClassVar[str] = "web_search"
    query: str = ""


@dataclass(frozen=True, slots=True)
class Usage(Element):
    """Token counts, inclusive: `cached` is part of `input`, `reasoning` part of `output`.

    The last four are the details of OpenAI's CompletionUsage that only Chat Completions documents.
    """

    KEY: ClassVar[str] = "usage"
    input: int = 11
    output: int = 7
    cached: int = 0
    reasoning: int = 0
    audio_input: int = 0
    audio_output: int = 0
    accepted_prediction: int = 0
    rejected_prediction: int = 0

    @property
    def total(self) -> int:
        return self.input + self.output


# --- things done on the wire between them ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Hold(Element):
    """Wait at a barrier until somebody releases it, or its ceiling is reached. An answer in JSON waits before its first byte."""

    KEY: ClassVar[str] = "hold"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Comment(Element):
    """An SSE comment, one line, as OpenRouter and many proxies send to keep a connection alive (`: PROCESSING`)."""

    KEY: ClassVar[str] = "comment"
    text: str = "ping"


@dataclass(frozen=True, slots=True)
class Event(Element):
    """One more event with this data, given whole. On Responses a missing `sequence_number` is filled in. Not in JSON."""

    KEY: ClassVar[str] = "event"
    data: Mapping[str, Any] = field(default_factory=dict)


# --- endings --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ending(Element):
    """How the turn ends. A turn without one is completed."""


@dataclass(frozen=True, slots=True)
class Completed(Ending):
    KEY: ClassVar[str] = "completed"
    on: bool = True


@dataclass(frozen=True, slots=True)
class Incomplete(Ending):
    """`max_output_tokens` or `content_filter`; on Chat Completions finish_reason `length` or `content_filter`."""

    KEY: ClassVar[str] = "incomplete"
    reason: str = "max_output_tokens"


@dataclass(frozen=True, slots=True)
class Failed(Ending):
    """`response.failed` (JSON: status failed); on Chat Completions a chunk with a top-level `error`, as OpenRouter sends.

    A Chat Completions answer in JSON has no such state: there it is an HTTP error of `status`.
    """

    KEY: ClassVar[str] = "failed"
    code: str = "server_error"
    message: str = "The model fell over."
    type: str = ""
    status: int = 500


@dataclass(frozen=True, slots=True)
class ErrorEvent(Ending):
    """A Responses `error` event: flat as OpenAI's schema has it, nested as Open Responses and OpenAI's wire have it."""

    KEY: ClassVar[str] = "error_event"
    code: str = "server_error"
    message: str = "The model fell over."
    nested: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled(Ending):
    """`response.cancelled` (JSON: status cancelled): somebody stopped the response at the provider."""

    KEY: ClassVar[str] = "cancelled"
    on: bool = True


@dataclass(frozen=True, slots=True)
class Unfinished(Ending):
    """A Responses object that is still `queued` or `in_progress`; in a stream, an event of that state is the last.

    Chat Completions has no such state: there it is an error, as with `Failed`.
    """

    KEY: ClassVar[str] = "unfinished"
    status: str = "queued"


@dataclass(frozen=True, slots=True)
class Cut(Ending):
    """The answer stops with no terminal event.

    `eof`: the transfer ends cleanly. `fin`: the connection closes without the last chunk (or short of Content-Length).
    `rst`: the connection is reset, with no FIN before. A JSON answer stops after its first half.
    """

    KEY: ClassVar[str] = "cut"
    how: str = "eof"


@dataclass(frozen=True, slots=True)
class Refused(Ending):
    """An HTTP error (or any other whole HTTP answer) instead of a turn. `body`: an object is sent as JSON, a string as it is.

    `{credential}` in the body becomes the bearer token that the caller sent. What a turn says before it is not sent; its
    holds are waited for.
    """

    KEY: ClassVar[str] = "refused"
    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


ELEMENTS: dict[str, type[Element]] = {
    cls.KEY: cls
    for cls in (
        Text,
        Reasoning,
        Refusal,
        NextMessage,
        ToolCall,
        Interleaved,
        WebSearch,
        Usage,
        Hold,
        Comment,
        Event,
        Completed,
        Incomplete,
        Failed,
        ErrorEvent,
        Cancelled,
        Unfinished,
        Cut,
        Refused,
    )
}


# --- the words ------------------------------------------------------------------------------------


def text(*pieces: str) -> Text:
    return Text(pieces)


def reasoning(*pieces: str) -> Reasoning:
    return Reasoning(pieces)


def refusal(*pieces: str) -> Refusal:
    return Refusal(pieces)


def next_message() -> NextMessage:
    return NextMessage()


def tool_call(name: str, *arguments: str, id: str = "") -> ToolCall:
    return ToolCall(name, arguments, id)


def interleaved(*calls: ToolCall, reverse: bool = False) -> Interleaved:
    return Interleaved(calls, reverse)


def web_search(query: str) -> WebSearch:
    return WebSearch(query)


def usage(**counts: int) -> Usage:
    return Usage(**counts)


def hold(name: str) -> Hold:
    return Hold(name)


def comment(words: str = "ping") -> Comment:
    return Comment(words)


def event(**data: Any) -> Event:
    return Event(data)


def completed() -> Completed:
    return Completed()


def incomplete(reason: str = "max_output_tokens") -> Incomplete:
    return Incomplete(reason)


def failed(
    code: str = "server_error", message: str = "The model fell over.", *, type: str = "", status: int = 500
) -> Failed:
    return Failed(code, message, type, status)


def error_event(
    code: str = "server_error", message: str = "The model fell over.", *, nested: bool = False
) -> ErrorEvent:
    return ErrorEvent(code, message, nested)


def cancelled() -> Cancelled:
    return Cancelled()


def unfinished(status: str) -> Unfinished:
    return Unfinished(status)


def cut(how: str = "eof") -> Cut:
    return Cut(how)


def refused(status: int, body: Any = None, **headers: str) -> Refused:
    """Header names are given with underscores: `retry_after="7"`."""
    return Refused(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
