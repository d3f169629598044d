"""The official SDKs, each way to ask for a turn with them, and what came of it as plain JSON.

`CALLS` are named DIALECT-MODE: `json`, `stream` (the raw events) and `helper` (the SDK's own stream helper, which puts
them together).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import anthropic
import openai
from sdk_readers import DOCUMENTS, EVENTS, Json, Told, responses_events


@dataclass
class Sdks:
    """The clients, and the model that they ask for."""

    openai: openai.OpenAI
    anthropic: anthropic.Anthropic
    model: str = "m"


@dataclass
class Found:
    """What one call came to. `events` or `document`: what the SDK read, as far as there is any; `helped`: the document of its
    stream helper; `value`: what is no document."""

    dialect: str
    events: list[Json] = field(default_factory=list)
    document: Json | None = None
    helped: Json | None = None
    error: Exception | None = None
    value: Any = None

    @cached_property
    def told(self) -> Told | None:
        """Put together from the events' deltas, or read from the document."""
        if self.document is not None:
            return DOCUMENTS[self.dialect](self.document)
        read = _whole_responses if self.dialect == "responses" else EVENTS[self.dialect]
        return read(self.events) if self.events else None

    @cached_property
    def final(self) -> Told | None:
        """As the helper put it together."""
        return DOCUMENTS[self.dialect](self.helped) if self.helped is not None else None


def _whole_responses(events: list[Json]) -> Told:
    """A stream that an error broke off has no terminal event; what was said is what matters then."""
    if "response" not in events[-1] and events[-1]["type"] != "error":
        said = responses_events([*events, {"type": "error", "message": "", "code": ""}]).said
        return Told(said, (), None)
    return responses_events(events)


def plain(model: Any) -> Json:
    """An SDK's object as the JSON that it was."""
    return dict(model.to_dict(warnings=False))


def user(prompt: str) -> Any:
    return {"role": "user", "content": prompt}


def _document(dialect: str, call: Callable[[], Any]) -> Found:
    try:
        value = call()
    except (openai.OpenAIError, anthropic.AnthropicError) as error:
        return Found(dialect, error=error)
    return Found(dialect, value=value) if isinstance(value, str) else Found(dialect, document=plain(value))


def _events(dialect: str, events: Iterable[Any], final: list[Any] | None = None) -> Found:
    found = Found(dialect)
    try:
        found.events.extend(plain(event) for event in events)
    except Exception as caught:
        found.error = caught
    found.helped = plain(final[0]) if final else None
    return found


def responses_json(sdks: Sdks, prompt: str) -> Found:
    return _document("responses", lambda: sdks.openai.responses.create(model=sdks.model, input=prompt))


def responses_stream(sdks: Sdks, prompt: str) -> Found:
    def events() -> Iterator[Any]:
        with sdks.openai.responses.create(model=sdks.model, input=prompt, stream=True) as stream:
            yield from stream

    return _events("responses", events())


def responses_helper(sdks: Sdks, prompt: str) -> Found:
    def events() -> Iterator[Any]:
        with sdks.openai.responses.stream(model=sdks.model, input=prompt) as stream:
            yield from stream
            final.append(stream.get_final_response())

    final: list[Any] = []
    return _events("responses", events(), final)


def chat_json(sdks: Sdks, prompt: str) -> Found:
    return _document("chat", lambda: sdks.openai.chat.completions.create(model=sdks.model, messages=[user(prompt)]))


def chat_stream(sdks: Sdks, prompt: str) -> Found:
    def events() -> Iterator[Any]:
        with sdks.openai.chat.completions.create(
            model=sdks.model, messages=[user(prompt)], stream=True, stream_options={"include_usage": True}
        ) as stream:
            yield from stream

    return _events("chat", events())


def chat_helper(sdks: Sdks, prompt: str) -> Found:
    def events() -> Iterator[Any]:
        with sdks.openai.chat.completions.stream(
            model=sdks.model, messages=[user(prompt)], stream_options={"include_usage": True}
        ) as stream:
            yield from (event.chunk for event in stream if event.type == "chunk")
            final.append(stream.get_final_completion())

    final: list[Any] = []
    found = _events("chat", events(), final)
    if isinstance(found.error, openai.LengthFinishReasonError):
        found.helped = plain(found.error.completion)
    return found


def messages_json(sdks: Sdks, prompt: str) -> Found:
    return _document(
        "messages",
        lambda: sdks.anthropic.messages.create(model=sdks.model, max_tokens=9, messages=[user(prompt)]),
    )


def messages_stream(sdks: Sdks, prompt: str) -> Found:
    def events() -> Iterator[Any]:
        with sdks.anthropic.messages.create(
            model=sdks.model, max_tokens=9, messages=[user(prompt)], stream=True
        ) as stream:
            yield from stream

    return _events("messages", events())


def messages_helper(sdks: Sdks, prompt: str) -> Found:
    def events() -> Iterator[Any]:
        with sdks.anthropic.messages.stream(model=sdks.model, max_tokens=9, messages=[user(prompt)]) as stream:
            yield from (event for event in stream if event.type in _RAW)
            final.append(stream.get_final_message())

    final: list[Any] = []
    return _events("messages", events(), final)


_RAW = ("message_start", "content_block_start", "content_block_delta", "message_delta")
"""Of the helper's events those that the wire has; the others repeat them."""


CALLS: dict[str, Callable[[Sdks, str], Found]] = {
    "responses-json": responses_json,
    "responses-stream": responses_stream,
    "responses-helper": responses_helper,
    "chat-json": chat_json,
    "chat-stream": chat_stream,
    "chat-helper": chat_helper,
    "messages-json": messages_json,
    "messages-stream": messages_stream,
    "messages-helper": messages_helper,
}
