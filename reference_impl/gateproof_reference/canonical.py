"""The hub: what a client asks and what a model answers, in no API's words.

Every API decodes to this and encodes from it, so three APIs are six halves and not nine translators.
A decoder of answers promises: deltas add up to the whole, once; calls are numbered from 0 in order of appearance, named
when they start, and have arguments when the turn finishes; then exactly one Finished or Failed, and nothing after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from msgspec import Struct

from gateproof_reference.failures import Failure
from gateproof_reference.usage import Usage

# ---------------------------------------------------------------------------------------------------- the question


@dataclass(frozen=True, slots=True)
class Text:
    """Words."""

    text: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture by its URL, which may be a data URL."""

    url: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """Words with which the model declined, in an earlier turn."""

    text: str


Part = Text | Image | Refusal


@dataclass(frozen=True, slots=True)
class Said:
    """A message; `role` is system, developer, user or assistant."""

    role: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Called:
    """A function call of an earlier turn; `arguments` is the model's JSON text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What the call with this id returned; `is_error` if it failed, where an API tells that."""

    id: str
    parts: tuple[Text | Image, ...]
    is_error: bool = False


@dataclass(frozen=True, slots=True)
class Thought:
    """Reasoning of an earlier turn: `text` is what was shown of it, `seal` what only its provider can read.

    The seal is Responses' encrypted_content and Messages' signature; `redacted` reasoning is nothing but its seal.
    """

    text: str
    seal: str
    redacted: bool = False


Item = Said | Called | Returned | Thought


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call; `parameters` is its JSON Schema."""

    name: str
    description: str | None
    parameters: Mapping[str, Any] | None
    strict: bool | None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """Whether the model must call: auto, none, required, or the function `name`."""

    mode: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Format:
    """The shape of the answer's text: text, json_object, or json_schema with its members."""

    kind: str
    schema: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One question. `shared` holds the parameters that have the same name and meaning in every API.

    `shows_reasoning` if the client wants to read the model's reasoning, `seals_reasoning` if it can send it back.
    `asked` is the body as the client sent it: a Response object echoes from it, and a refusal names what stands there.
    """

    model: str
    items: tuple[Item, ...]
    stream: bool = False
    include_usage: bool = False
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    format: Format | None = None
    max_output_tokens: int | None = None
    stop: tuple[str, ...] = ()
    top_k: int | None = None
    effort: str | None = None
    shows_reasoning: bool = False
    seals_reasoning: bool = False
    verbosity: str | None = None
    shared: Mapping[str, Any] = field(default_factory=dict)
    asked: Mapping[str, Any] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------------ the answer

# Structs, which are frozen dataclasses that are made four times faster: there is one for every event of every stream.


class Started(Struct, frozen=True):
    """The upstream began a turn; what it did not tell is None."""

    id: str | None
    model: str | None


class TextDelta(Struct, frozen=True):
    """More words of the answer."""

    text: str


class PartBegan(Struct, frozen=True):
    """The words that come next, text or refusal, are those of another part: item, part or block, as its API calls it."""


class RefusalDelta(Struct, frozen=True):
    """More words of a refusal."""

    text: str


class Cited(Struct, frozen=True):
    """Words of the answer, told already, that a page stands behind: from `start` to `end`, in characters of its text."""

    url: str
    title: str
    start: int
    end: int


class ReasoningDelta(Struct, frozen=True):
    """More words of the model's reasoning, or of its summary."""

    text: str


class ReasoningSealed(Struct, frozen=True):
    """The reasoning told so far, perhaps none, is whole, and this is its seal; what follows is reasoning of its own."""

    seal: str
    redacted: bool = False


class CallStarted(Struct, frozen=True):
    """A function call, the `index`-th of its turn."""

    index: int
    id: str
    name: str


class CallArguments(Struct, frozen=True):
    """More of the JSON text of a call's arguments."""

    index: int
    text: str


Reason = Literal["stop", "tool_calls", "length", "content_filter"]


class Finished(Struct, frozen=True):
    """The turn is over and whole, or cut short by a limit that its reason names."""

    reason: Reason
    usage: Usage | None


class Failed(Struct, frozen=True):
    """The turn is over and no success. `frame` is the upstream's own event, where the client speaks its API."""

    failure: Failure
    frame: bytes | None = None


Event = (
    Started
    | TextDelta
    | PartBegan
    | RefusalDelta
    | Cited
    | ReasoningDelta
    | ReasoningSealed
    | CallStarted
    | CallArguments
    | Finished
    | Failed
)


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes an answer ours: the request id (a UUID, 36 characters) and the time (seconds since 1970)."""

    request_id: str
    now: int

    @property
    def token(self) -> str:
        """The request id without its dashes: 32 hex digits."""
        return self.request_id.replace("-", "")
