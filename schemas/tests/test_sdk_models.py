"""The schemas and the types of the official SDKs agree, save for what `divergences.toml` names.

`tox -e sdk-drift` runs this file against the newest SDKs: whatever a release adds or changes fails here, one line for each.
"""

import importlib.metadata
from collections.abc import Iterator
from functools import cache
from typing import Any, Literal

import anthropic.types as messages
import anthropic.types.message_create_params as messages_request
import openai.types as openai
import openai.types.chat as chat
import openai.types.chat.completion_create_params as chat_request
import openai.types.responses as responses
import openai.types.responses.response_create_params as responses_request
import pydantic
import pytest
from divergence_table import divergences
from sdk_agreement import Comparison, root, tellings
from sdk_types import members

from gateproof_schemas import names

# By SDK and schema, what the schema describes; with a pointer where it describes a part.
ROOTS: dict[str, list[tuple[str, str, Any]]] = {
    "openai": [
        ("chat/response", "", chat.ChatCompletion),
        ("chat/chunk", "", chat.ChatCompletionChunk),
        ("chat/usage", "", openai.CompletionUsage),
        ("chat/request", "", chat_request.CompletionCreateParams),
        ("chat/error", "/$defs/body/properties/error", openai.ErrorObject),
        ("responses/response", "", responses.Response),
        ("responses/usage", "", responses.ResponseUsage),
        ("responses/items", "", responses.ResponseOutputItem),
        ("responses/items", "", responses.ResponseItem),
        ("responses/tools", "", responses.Tool),
        ("responses/tools", "", responses.ToolParam),
        ("responses/compaction", "", responses.CompactedResponse),
        ("responses/request", "", responses_request.ResponseCreateParams),
        ("models/list", "/properties/data/items", openai.Model),
    ],
    "anthropic": [
        ("messages/response", "", messages.Message),
        ("messages/usage", "", messages.Usage),
        ("messages/blocks", "", messages.ContentBlock),
        ("messages/request", "", messages_request.MessageCreateParams),
        ("messages/count-request", "", messages.MessageCountTokensParams),
        ("messages/count-response", "", messages.MessageTokensCount),
        ("messages/error", "", messages.ErrorResponse),
        ("models/messages-list", "/properties/data/items", messages.ModelInfo),
    ],
}
EVENTS = {
    "openai": ("responses/events/", responses.ResponseStreamEvent),
    "anthropic": ("messages/events/", messages.RawMessageStreamEvent),
}


@cache
def differences(sdk: str) -> frozenset[str]:
    comparison = Comparison()
    for name, pointer, type_ in ROOTS[sdk]:
        comparison.compare(f"{name}{pointer and ' '}{pointer}", (root(name, pointer),), type_)
    without_counterpart = set(event_differences(sdk, comparison))
    return frozenset(comparison.found | without_counterpart)


def event_differences(sdk: str, comparison: Comparison) -> Iterator[str]:
    folder, union = EVENTS[sdk]
    ours = {name.removeprefix(folder) for name in names() if name.startswith(folder)}
    for model in members(union):
        for telling in tellings(model):
            type_ = telling[1] if telling else ""
            if type_ in ours:
                comparison.compare(f"{folder}{type_}", (root(folder + type_),), model)
                ours.remove(type_)
            else:
                yield f"{model.__name__} ({type_}) has no schema"
    yield from (f"{folder}{type_}: no event of the SDK" for type_ in ours)


@pytest.mark.parametrize("sdk", ROOTS)
def test_every_difference_is_named_and_every_named_one_is_there(sdk: str) -> None:
    release = f"{sdk} {importlib.metadata.version(sdk)}"
    named = {line for divergence in divergences() for line in divergence.differs.get(sdk, ())}
    found = differences(sdk)
    drift = [f"{release}: {line}" for line in sorted(found - named)]
    drift += [f"{release}: no longer so, remove it from divergences.toml: {line}" for line in sorted(named - found)]
    assert not drift, "\n".join(["", *drift])


@pytest.mark.parametrize("sdk", ROOTS)
def test_no_difference_is_named_twice(sdk: str) -> None:
    named = [line for divergence in divergences() for line in divergence.differs.get(sdk, ())]
    assert len(named) == len(set(named))


class QueuedSince(responses.ResponseQueuedEvent):
    since: int
    sequence_number: str  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]


class FooEvent(pydantic.BaseModel):
    type: Literal["response.foo"]


def test_what_a_release_of_the_sdk_changes_is_told() -> None:
    comparison = Comparison()
    comparison.compare("queued", (root("responses/events/response.queued"),), QueuedSince)
    assert {line for line in comparison.found if line.startswith("queued <response.queued> s")} == {
        "queued <response.queued> since: only there",
        "queued <response.queued> sequence_number: integer only here",
        "queued <response.queued> sequence_number: string only there",
    }


def test_an_event_that_the_sdk_gains_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, union = EVENTS["openai"]
    monkeypatch.setitem(EVENTS, "openai", (folder, union | FooEvent))
    assert "FooEvent (response.foo) has no schema" in set(event_differences("openai", Comparison()))
