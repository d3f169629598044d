"""Whatever a client asks: there and back again it is the same question, but for what the API between has no word for."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from generated_turns import FOREIGN, arguments, names, some_words
from hypothesis import given
from hypothesis import strategies as st

from gateproof_reference import translate_request
from gateproof_reference.apis import APIS
from gateproof_reference.canonical import (
    Called,
    Format,
    Image,
    Item,
    Request,
    Returned,
    Said,
    Text,
    Thought,
    Tool,
    ToolChoice,
)
from gateproof_reference.reading import joined, normal

# ------------------------------------------------------------------------------------------------------- questions

said = st.builds(Text, some_words)
seen = st.builds(Image, st.sampled_from(["https://example.org/a.png", "data:image/png;base64,iVBORw0KGgo="]))
schemas = st.fixed_dictionaries({"type": st.just("object"), "properties": st.just({}), "title": some_words})
tools = st.builds(Tool, names, st.none() | some_words, schemas, st.none() | st.booleans())


@st.composite
def rounds(draw: st.DrawFn, number: int) -> tuple[Item, ...]:
    """What the user says, and what the model does about it: thinks, talks, calls and gets its results."""
    items: list[Item] = [Said("user", tuple(draw(st.lists(said | seen, min_size=1, max_size=3))))]
    if draw(st.booleans()):
        items.append(Thought(draw(some_words), draw(st.sampled_from(["c2ln", "x" * 99]))))
    if draw(st.booleans()):
        items.append(Said("assistant", (draw(said),)))
    ids = [f"call_{number}_{at}" for at in range(draw(st.integers(0, 2)))]
    items += [Called(call_id, draw(names), draw(arguments()) or "{}") for call_id in ids]
    items += [Returned(call_id, (draw(said),), draw(st.booleans())) for call_id in ids]
    return tuple(items)


@st.composite
def conversations(draw: st.DrawFn) -> tuple[Item, ...]:
    items: tuple[Item, ...] = (Said("system", (draw(said),)),) if draw(st.booleans()) else ()
    for number in range(draw(st.integers(1, 3))):
        items += draw(rounds(number))
    return items


@st.composite
def questions(draw: st.DrawFn) -> Request:
    """A question that every API can be asked; what one of them cannot be asked is a 400, of which other tests tell."""
    optional = {
        "temperature": st.sampled_from([0, 0.5, 1]),
        "top_p": st.sampled_from([0.1, 1]),
        "user": st.sampled_from(["u", "u" * 64]),
        "parallel_tool_calls": st.booleans(),
    }
    given_tools = tuple(draw(st.lists(tools, max_size=2)))
    modes = ["auto", "none", "required"] if given_tools else ["auto", "none"]
    choices: st.SearchStrategy[ToolChoice | None] = st.none() | st.sampled_from(modes).map(ToolChoice)
    if given_tools:
        choices |= st.just(ToolChoice("function", given_tools[0].name))
    schema = {"name": "answer", "schema": draw(schemas), "strict": True}
    return Request(
        "m",
        draw(conversations()),
        stream=draw(st.booleans()),
        tools=given_tools,
        tool_choice=draw(choices),
        format=draw(st.sampled_from([None, Format("text"), Format("json_schema", schema)])),
        max_output_tokens=draw(st.integers(1, 10**6)),
        effort=draw(st.sampled_from([None, "low", "medium", "high"])),
        shows_reasoning=draw(st.booleans()),
        seals_reasoning=draw(st.booleans()),
        shared=draw(st.fixed_dictionaries({}, optional=optional)),
    )


# ---------------------------------------------------------------------------------------------------------- losses


@dataclass(frozen=True)
class Loss:
    """What `api` cannot be told, and what comes back in its place."""

    api: str
    what: str
    why: str
    apply: Callable[[Request], Request]


def _items(change: Callable[[Item], Item | None]) -> Callable[[Request], Request]:
    return lambda asked: replace(asked, items=tuple(i for i in map(change, asked.items) if i is not None))


def _error_in_words(item: Item) -> Item:
    if isinstance(item, Returned) and item.is_error and isinstance(item.parts[0], Text):
        return Returned(item.id, (Text(f"Error: {item.parts[0].text}"), *item.parts[1:]))
    return item


def _joined(asked: Request) -> Request:
    items: list[Item] = []
    for item in asked.items:
        last = items[-1] if items else None
        if isinstance(item, Said) and isinstance(last, Said) and last.role == item.role:
            items[-1] = Said(item.role, last.parts + item.parts)
        else:
            items.append(item)
    return replace(asked, items=tuple(items))


def _thinks(asked: Request) -> Request:
    return replace(asked, shows_reasoning=asked.effort is not None, seals_reasoning=asked.effort is not None)


def _choice(asked: Request) -> Request:
    return asked if asked.tools else replace(asked, tool_choice=None)


def _no_text_format(asked: Request) -> Request:
    return replace(asked, format=None) if asked.format == Format("text") else asked


def _parallel(asked: Request) -> Request:
    """Only that calls must not be parallel is said, and where: in tool_choice, which `none` has no room in."""
    shared = dict(asked.shared)
    once = shared.pop("parallel_tool_calls", None) is False and asked.tools
    if once and (asked.tool_choice is None or asked.tool_choice.mode != "none"):
        shared["parallel_tool_calls"] = False
        return replace(asked, shared=shared, tool_choice=asked.tool_choice or ToolChoice("auto"))
    return replace(asked, shared=shared)


LOSSES = (
    Loss(
        "chat",
        "reasoning of earlier turns",
        "a message has no member for its seal",
        _items(lambda item: None if isinstance(item, Thought) else item),
    ),
    Loss("chat", "that a call failed", "it is told in its words", _items(_error_in_words)),
    Loss("responses", "that a call failed", "it is told in its words", _items(_error_in_words)),
    Loss(
        "chat",
        "whether reasoning is wanted back",
        "there is no parameter for it",
        lambda asked: replace(asked, shows_reasoning=False, seals_reasoning=False),
    ),
    Loss("messages", "where one of two messages of a role ends", "roles take turns: they are one message", _joined),
    Loss("messages", "whether reasoning is wanted back", "whoever names an effort gets it, nobody else does", _thinks),
    Loss("messages", "a choice without tools", "there is nothing to choose from", _choice),
    Loss("messages", "that the answer is text", "it is unless a schema is named", _no_text_format),
    Loss("messages", "that calls may be parallel", "they may unless it is said that they may not", _parallel),
)


def essence(asked: Request) -> dict[str, Any]:
    """What must come back: with JSON in one form, and without what only says the default."""
    found = {
        name: getattr(asked, name) for name in Request.__slots__ if name not in ("asked", "include_usage", "items")
    }
    found["items"] = [_essence(item) for item in asked.items]
    # Absent means false everywhere but in Responses, where it is said.
    found["tools"] = [
        (tool.name, joined(tool.description or ""), json.dumps(tool.parameters, sort_keys=True), bool(tool.strict))
        for tool in asked.tools
    ]
    found["format"] = (
        None if asked.format is None else (asked.format.kind, json.dumps(asked.format.schema, sort_keys=True))
    )
    found["shared"] = {name: value for name, value in asked.shared.items() if (name, value) != ("store", False)}
    return found


def _essence(item: Item) -> Item:
    match item:
        case Called():
            return replace(item, arguments=normal(item.arguments))
        case Said(role, parts):
            return Said(role, tuple(_part(part) for part in parts))
        case Returned():
            return replace(item, parts=tuple(_part(part) for part in item.parts))
        case Thought():
            return replace(item, text=joined(item.text))


def _part(part: Any) -> Any:
    # How closely to look is a hint, whose default Responses says.
    return Image(part.url) if isinstance(part, Image) else replace(part, text=joined(part.text))


@pytest.mark.parametrize(("source", "via"), FOREIGN)
@given(question=questions())
def test_there_and_back_it_is_the_same_question(source: str, via: str, question: Request) -> None:
    body = APIS[source].encode_request(question, stream=question.stream, usage=True)
    asked = APIS[source].decode_request(body)
    there = translate_request(body, source=source, target=via)  # type: ignore[arg-type]
    back = translate_request(there, source=via, target=source)  # type: ignore[arg-type]
    wanted = asked
    for loss in LOSSES:
        if loss.api == via:
            wanted = loss.apply(wanted)
    for loss in LOSSES:
        # What the source itself says in another way on its way out.
        if loss.api == source:
            wanted = loss.apply(wanted)
    assert essence(APIS[source].decode_request(back)) == essence(wanted)


RICH = Request(
    "m",
    (
        Said("user", (Text("a"),)),
        Said("user", (Text("b"),)),
        Thought("Hm.", "c2ln"),
        Called("a", "look", "{}"),
        Returned("a", (Text("no"),), is_error=True),
    ),
    tool_choice=ToolChoice("auto"),
    format=Format("text"),
    shows_reasoning=True,
    shared={"parallel_tool_calls": True},
)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.api}: {loss.what}")
def test_every_loss_is_one(loss: Loss) -> None:
    assert loss.apply(RICH) != RICH
