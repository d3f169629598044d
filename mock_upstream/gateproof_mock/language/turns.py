"""What the model says, in no dialect: the elements of a turn.

A turn is a sequence of elements, read from left to right: things said (`Text`, `Reasoning`, `ToolCall` ...), things done on
the wire between them (`Hold`, `Comment`, `Event`), the `Usage`, and one ending. The lower-case functions are the words for
writing turns in Python:

    says(text("Hel", "lo"), tool_call("get_weather", '{"city": "Oslo"}'), incomplete("max_output_tokens"))

Every element has one JSON form, `{key: value}`, where the value is the element's first field alone or an object of its
fields; `scripts.py` reads and writes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Element:
    """One step of a turn. `KEY` is its name in a script file; its first field may stand there alone."""

    KEY: ClassVar[str] = ""


# --- things said ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Citation(Element):
    """Where a passage of the text comes from. Not an element of a turn by itself: `Text.citations` has them.

    `start` and `end` (characters of the part, end exclusive) are said on Responses and Chat Completions; `cited` (the words
    of the source) on Messages.
    """

    KEY: ClassVar[str] = "citation"
    url: str = ""
    title: str = ""
    start: int = 0
    end: int = 0
    cited: str = ""


@dataclass(frozen=True, slots=True)
class Text(Element):
    """Visible text, one delta for each piece. Neighbouring texts belong to one part (one block on Messages).

    The pieces are said `times` times over (10,000 deltas), each piece being the string written `stretch` times (one
    line of 8 MiB). `{marker}` becomes the marker by which the call found its script.

    `logprobs`: each piece is one token with its probability, as if the request had asked for them; Messages has no such
    thing and says nothing of it.
    """

    KEY: ClassVar[str] = "text"
    pieces: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    times: int = 1
    stretch: int = 1
    logprobs: bool = False

    @property
    def deltas(self) -> tuple[str, ...]:
        """The deltas as they are said."""
        pieces = self.pieces if self.stretch == 1 else tuple(p * self.stretch for p in self.pieces)
        return pieces * self.times


@dataclass(frozen=True, slots=True)
class Reasoning(Element):
    """Reasoning. `pieces`: its summary; `full`: its whole text; `encrypted`: what only the provider can read.

    Responses: a reasoning item with summary, `reasoning_text` content and `encrypted_content`, as far as each is given.
    Chat Completions: `reasoning_content` (DeepSeek's and vLLM's field) with the full text, or else the summary.
    Messages: a thinking block with the full text or else the summary, and the `signature`; `redacted_thinking` when there
    is nothing but `encrypted`.
    """

    KEY: ClassVar[str] = "reasoning"
    pieces: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    encrypted: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class Refusal(Element):
    """A refusal: a `refusal` part on Responses, `delta.refusal` on Chat Completions, a text block and the stop reason
    `refusal` on Messages."""

    KEY: ClassVar[str] = "refusal"
    pieces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextMessage(Element):
    """What follows is a new message item (Responses), or a new block (Messages); on Chat Completions it changes nothing."""

    KEY: ClassVar[str] = "next_message"
    on: bool = True


@dataclass(frozen=True, slots=True)
class NextPart(Element):
    """What follows is a new part of the message (Responses), or a new block (Messages); on Chat Completions nothing."""

    KEY: ClassVar[str] = "next_part"
    on: bool = True


@dataclass(frozen=True, slots=True)
class ToolCall(Element):
    """A function call. `arguments` are the pieces of one JSON text; none at all is a call without arguments."""

    KEY: ClassVar[str] = "tool_call"
    name: str = ""
    arguments: tuple[str, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class CustomToolCall(Element):
    """A call of a custom tool, whose input is free text: `custom_tool_call` on Responses, type `custom` on Chat Completions.

    Messages has no such tools: there it is a tool_use whose input is {"input": text}.
    """

    KEY: ClassVar[str] = "custom_tool_call"
    name: str = ""
    input: tuple[str, ...] = ()
    id: str = ""


@dataclass(frozen=True, slots=True)
class Interleaved(Element):
    """Parallel calls whose argument deltas alternate. They begin in order and end in order, or in `reverse`.

    Messages streams one block after the other: there they are in order, or in reverse order.
    """

    KEY: ClassVar[str] = "interleaved"
    calls: tuple[ToolCall, ...] = ()
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class WebSearch(Element):
    """A hosted search: a `web_search_call` item on Responses; `server_tool_use` with its result on Messages.

    Chat Completions has no such thing and says nothing.
    """

    KEY: ClassVar[str] = "web_search"
    query: str = ""


@dataclass(frozen=True, slots=True)
class Image(Element):
    """A generated image, base64: an `image_generation_call` item with its result on Responses, `images` of the message on
    Chat Completions (OpenRouter's field). Messages has no such thing and says nothing."""

    KEY: ClassVar[str] = "image"
    data: str = ""
    media_type: str = "image/png"


@dataclass(frozen=True, slots=True)
class Item(Element):
    """An output item (Responses) or content block (Messages) given whole, of whatever type: hosted tools with images in
    their results, and types that nobody knows yet. Chat Completions says nothing. A missing `id` is filled in on Responses."""

    KEY: ClassVar[str] = "item"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage(Element):
    """Token counts, inclusive: `cached` and the cache writes are part of `input`, `reasoning` part of `output`.

    Messages does not count the cache in `input_tokens`, so there they are taken off. `cache_write` is written for five
    minutes, `cache_write_1h` for one hour (Messages' `cache_creation`). `web_searches` is said on Messages. The audio and
    prediction counts are the details of OpenAI's CompletionUsage. `extra` is laid over the dialect's usage object, key by
    key: what no field here says, and what is to be wrong on purpose.
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
    cache_write: int = 0
    cache_write_1h: int = 0
    web_searches: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

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
class Pause(Element):
    """Wait this many seconds: a model that thinks between two words. An answer in JSON waits before its first byte."""

    KEY: ClassVar[str] = "pause"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Comment(Element):
    """An SSE comment, one line, as OpenRouter and many proxies send to keep a connection alive (`: PROCESSING`)."""

    KEY: ClassVar[str] = "comment"
    text: str = "ping"


@dataclass(frozen=True, slots=True)
class Ping(Element):
    """The dialect's own sign of life: a `ping` event on Messages, `keepalive` on Responses (undocumented; openai-node knows
    it), a comment on Chat Completions, which has none."""

    KEY: ClassVar[str] = "ping"
    on: bool = True


@dataclass(frozen=True, slots=True)
class Event(Element):
    """One more event with this data, given whole. On Responses a missing `sequence_number` is filled in. Not in JSON."""

    KEY: ClassVar[str] = "event"
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Raw(Element):
    """These characters as they are, in one write: half a line, bad JSON, a field that no SSE reader knows. Not in JSON."""

    KEY: ClassVar[str] = "raw"
    text: str = ""


# --- endings --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ending(Element):
    """How the turn ends. A turn without one is completed. Only what is done on the wire may follow it (`AFTER`)."""


@dataclass(frozen=True, slots=True)
class Completed(Ending):
    """The turn is whole. `stop_sequence`: it met this one. `reason`: another word for the end: `stop_reason` on Messages
    (`pause_turn`), `finish_reason` on Chat Completions, where Messages' own words are told by their nearest; Responses has
    none."""

    KEY: ClassVar[str] = "completed"
    on: bool = True
    stop_sequence: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Incomplete(Ending):
    """`max_output_tokens` or `content_filter`: finish_reason `length` or `content_filter` on Chat Completions, stop_reason
    `max_tokens` or `refusal` on Messages. Another word is said as it is."""

    KEY: ClassVar[str] = "incomplete"
    reason: str = "max_output_tokens"


@dataclass(frozen=True, slots=True)
class Failed(Ending):
    """`response.failed` (JSON: status failed); on Chat Completions a chunk with a top-level `error`, as OpenRouter sends; on
    Messages an `error` event.

    Chat Completions and Messages in JSON have no such state: there it is an HTTP error of `status`. `type` is the error's
    on Chat Completions and Messages.
    """

    KEY: ClassVar[str] = "failed"
    code: str = "server_error"
    message: str = "The model fell over."
    type: str = ""
    status: int = 500


@dataclass(frozen=True, slots=True)
class ErrorEvent(Ending):
    """A Responses `error` event: flat as OpenAI's schema has it, nested as Open Responses and OpenAI's wire have it.

    `then_failed`: `response.failed` follows, as Open Responses asks. On other dialects it is as `Failed`.
    """

    KEY: ClassVar[str] = "error_event"
    code: str = "server_error"
    message: str = "The model fell over."
    nested: bool = False
    then_failed: bool = False


@dataclass(frozen=True, slots=True)
class Cancelled(Ending):
    """`response.cancelled` (JSON: status cancelled): somebody stopped the response at the provider. Elsewhere an error."""

    KEY: ClassVar[str] = "cancelled"
    on: bool = True


@dataclass(frozen=True, slots=True)
class Unfinished(Ending):
    """A Responses object that is still `queued` or `in_progress`; in a stream, an event of that state is the last.

    The other dialects have no such state: there it is an error, as with `Failed`.
    """

    KEY: ClassVar[str] = "unfinished"
    status: str = "queued"


@dataclass(frozen=True, slots=True)
class Cut(Ending):
    """The answer stops with no terminal event.

    `how`: `eof`: the transfer ends cleanly (sub2api, a worker that died behind a proxy); `fin`: the connection closes
    without the last chunk (or short of Content-Length); `rst`: it is reset, with no FIN before (OpenSandbox#1461).
    `where`: between two events (""), or inside the last one: in the middle of the `event`, inside its last character of
    more than one byte (`utf8`), or inside a `chunk` that says to be longer. A JSON answer stops after its first half.
    """

    KEY: ClassVar[str] = "cut"
    how: str = "eof"
    where: str = ""


@dataclass(frozen=True, slots=True)
class Refused(Ending):
    """An HTTP error (or any other whole HTTP answer) instead of a turn. `body`: an object is sent as JSON, a string as it is:
    HTML, plain text, or server-sent events with a Content-Type that says so; null is an empty body.

    `{credential}` in the body becomes the key that the caller sent. `gzip` compresses it, and says so. What a turn
    says before it is not sent; its holds and pauses are waited for.
    """

    KEY: ClassVar[str] = "refused"
    status: int = 500
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    gzip: bool = False


AFTER: tuple[type[Element], ...] = (Hold, Pause, Comment, Ping, Event, Raw)
"""What may follow an ending: data after the terminal, sent when everything else was."""


ELEMENTS: dict[str, type[Element]] = {
    cls.KEY: cls
    for cls in (
        Text,
        Reasoning,
        Refusal,
        NextMessage,
        NextPart,
        ToolCall,
        CustomToolCall,
        Interleaved,
        WebSearch,
        Image,
        Item,
        Usage,
        Hold,
        Pause,
        Comment,
        Ping,
        Event,
        Raw,
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


def text(
    *pieces: str, citations: Sequence[Citation] = (), times: int = 1, stretch: int = 1, logprobs: bool = False
) -> Text:
    return Text(pieces, tuple(citations), times, stretch, logprobs)


def citation(url: str, title: str = "", *, start: int = 0, end: int = 0, cited: str = "") -> Citation:
    return Citation(url, title, start, end, cited)


def reasoning(*pieces: str, full: Sequence[str] = (), encrypted: str = "", signature: str = "") -> Reasoning:
    return Reasoning(pieces, (full,) if isinstance(full, str) else tuple(full), encrypted, signature)


def refusal(*pieces: str) -> Refusal:
    return Refusal(pieces)


def next_message() -> NextMessage:
    return NextMessage()


def next_part() -> NextPart:
    return NextPart()


def tool_call(name: str, *arguments: str, id: str = "") -> ToolCall:
    return ToolCall(name, arguments, id)


def custom_tool_call(name: str, *input: str, id: str = "") -> CustomToolCall:
    return CustomToolCall(name, input, id)


def interleaved(*calls: ToolCall, reverse: bool = False) -> Interleaved:
    return Interleaved(calls, reverse)


def web_search(query: str) -> WebSearch:
    return WebSearch(query)


def image(data: str, media_type: str = "image/png") -> Image:
    return Image(data, media_type)


def item(**data: Any) -> Item:
    return Item(data)


def usage(input: int = 11, output: int = 7, *, extra: Mapping[str, Any] | None = None, **counts: int) -> Usage:
    return Usage(input, output, extra=extra or {}, **counts)


def hold(name: str) -> Hold:
    return Hold(name)


def pause(seconds: float) -> Pause:
    return Pause(seconds)


def comment(words: str = "ping") -> Comment:
    return Comment(words)


def ping() -> Ping:
    return Ping()


def event(**data: Any) -> Event:
    return Event(data)


def raw(characters: str) -> Raw:
    return Raw(characters)


def completed(*, stop_sequence: str = "", reason: str = "") -> Completed:
    return Completed(stop_sequence=stop_sequence, reason=reason)


def incomplete(reason: str = "max_output_tokens") -> Incomplete:
    return Incomplete(reason)


def failed(
    code: str = "server_error", message: str = "The model fell over.", *, type: str = "", status: int = 500
) -> Failed:
    return Failed(code, message, type, status)


def error_event(
    code: str = "server_error",
    message: str = "The model fell over.",
    *,
    nested: bool = False,
    then_failed: bool = False,
) -> ErrorEvent:
    return ErrorEvent(code, message, nested, then_failed)


def cancelled() -> Cancelled:
    return Cancelled()


def unfinished(status: str) -> Unfinished:
    return Unfinished(status)


def cut(how: str = "eof", where: str = "") -> Cut:
    return Cut(how, where)


def refused(status: int, body: Any = None, *, gzip: bool = False, **headers: str) -> Refused:
    """Header names are given with underscores: `retry_after="7"`."""
    return Refused(status, body, {name.replace("_", "-"): value for name, value in headers.items()}, gzip)
