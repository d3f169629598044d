"""What an answer means, in no API's words: two answers can be compared whatever API they came in.

Left out is what a translation may choose: ids of answers and items, times, how words are cut into deltas, where they stand
among each other.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from gateproof_reference import failures, wirejson
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    ReasoningSealed,
    RefusalDelta,
    Started,
    TextDelta,
)
from gateproof_reference.failures import Failure
from gateproof_reference.translation import ApiName, Body, api
from gateproof_reference.usage import Usage

Ending = Literal["stop", "tool_calls", "length", "content_filter", "failed"]


@dataclass(frozen=True, slots=True)
class Call:
    """A function call. `arguments` is JSON text without spaces and with sorted keys; what is no JSON is as it was said."""

    name: str
    arguments: str
    id: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer.

    `text`, `refusal` and `reasoning` are all the words of their kind, joined. `seals` are Responses' encrypted_content and
    Messages' signatures and redacted thinking. `usage` counts as Chat Completions and Responses do, the cached input
    included; details that are zero are left out. `failure` is there if the ending is `failed`: its `code`, `message` and
    the like are the upstream's, and `who` must act: the client on its `request`, the client by waiting (`limit`), or the
    `server`. `model` is None if the answer names none.
    """

    text: str = ""
    refusal: str = ""
    reasoning: str = ""
    seals: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    ending: Ending = "stop"
    usage: Usage | None = None
    model: str | None = None
    failure: Failure | None = None
    who: str = ""


def read_turn(answer: bytes | Body, api_name: ApiName) -> Turn:
    """Return what an answer means: the bytes of a whole stream or of a JSON body, or a JSON object.

    A stream that ends before its turn is a failed turn, and so is whatever cannot be read. An error body is a failed turn
    too. Raises ValueError for an unknown API.
    """
    dialect = api(api_name)
    if isinstance(answer, Mapping):
        return told(dialect.decode_body(dict(answer)))
    if is_json(answer):
        body = wirejson.parse_object(answer)
        unreadable = Failed(failures.unreadable("it is not a JSON object"))
        return told([unreadable] if body is None else dialect.decode_body(body))
    decoder = dialect.decoder()
    return told([*decoder.feed(answer), *decoder.end()])


def is_json(data: bytes) -> bool:
    """Return whether an answer is a JSON object and no event stream: no line of a stream begins with a brace."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def told(events: Iterable[Event]) -> Turn:
    """Return what canonical events add up to."""
    said = {TextDelta: "", RefusalDelta: "", ReasoningDelta: ""}
    calls: list[Call] = []
    seals: list[str] = []
    turn = Turn()
    for event in events:
        match event:
            case Started():
                turn = replace(turn, model=event.model)
            case TextDelta(words) | RefusalDelta(words) | ReasoningDelta(words):
                said[type(event)] += words
            case ReasoningSealed():
                seals.append(event.seal)
            case CallStarted(_, call_id, name):
                calls.append(Call(name, "", call_id))
            case CallArguments(index, more):
                calls[index] = replace(calls[index], arguments=calls[index].arguments + more)
            case Finished(reason, counted):
                turn = replace(turn, ending=reason, usage=None if counted is None else _without_zeros(counted))
            case Failed(failure):
                turn = replace(turn, ending="failed", failure=failure, who=failures.class_of(failure))
    return replace(
        turn,
        text=joined(said[TextDelta]),
        refusal=joined(said[RefusalDelta]),
        reasoning=joined(said[ReasoningDelta]),
        seals=tuple(seals),
        calls=tuple(replace(call, arguments=normal(call.arguments)) for call in calls),
    )


def normal(arguments: str) -> str:
    try:
        value: Any = wirejson.parse_text(arguments)
        return json.dumps(value, allow_nan=False, separators=(",", ":"), sort_keys=True)
    except ValueError:
        return joined(arguments)


def joined(words: str) -> str:
    """Return words whose deltas broke characters into surrogates as JSON reads them in one piece."""
    return words.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _without_zeros(counted: Usage) -> Usage:
    return replace(
        counted, input_details=_counts(counted.input_details), output_details=_counts(counted.output_details)
    )


def _counts(details: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in details.items() if count}
