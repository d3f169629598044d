"""Questions in no API's words: written for each surface, read back from each dialect, and what a provider refuses."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from gateproof.asking.apis import READERS, WRITERS, received, written
from gateproof.asking.order import clashing, misplaced
from gateproof.asking.question import (
    Called,
    Choice,
    Document,
    Format,
    Picture,
    Question,
    Strange,
    Thought,
    Tool,
    assistant,
    developer,
    returned,
    system,
    user,
)
from gateproof.asking.reading import inlined
from gateproof.pairs import SURFACES
from gateproof_schemas import validate

MARK = "gp-aaaaaa-bbbbbbbb"
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}
LOOK = Tool("look", "Looks.", SCHEMA, strict=True)
CALLS = (Called("call_1", "look", '{"at": "sea"}'), Called("call_2", "look", "{}"))
TALK = (
    *(
        system("Be brief."),
        user("See:", Picture(DOT), Picture("https://p.invalid/1"), Document("JVBERg==")),
        assistant("I look."),
    ),
    *(*CALLS, returned("call_1", "Waves.", "Wind."), returned("call_2", "Rain."), user("So?")),
)
WHOLE = Question(
    TALK,
    (LOOK, Tool("wait", parameters={"type": "object"})),
    Choice("named", ("look",)),
    parallel=False,
    limit=1234,
    effort="low",
    sampling={"temperature": 0, "top_p": 0.5},
)
QUESTIONS = {
    "whole": WHOLE,
    "format": Question((user("Hi."),), format=Format("json_schema", "place", SCHEMA, strict=True), limit=5),
    "required": Question((user("Hi."),), (LOOK,), Choice("required"), limit=5),
    "auto": Question((user("Hi."),), (LOOK,), Choice("auto"), limit=5),
    "none": Question((user("Hi."),), (LOOK,), Choice("none"), limit=5),
    "instructions": Question((system("A."), user("Hi."), assistant("Yes."), system("B."), user("And?")), limit=5),
}


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("name", QUESTIONS)
def test_what_is_written_is_lawful_and_reads_as_it_was_meant(surface: str, name: str) -> None:
    asked = QUESTIONS[name]

    body = written(surface, asked, model="m", stream=True, mark=MARK)

    assert [str(fault) for fault in validate(body, f"{surface}/request", strict=True)] == []
    assert misplaced(surface, body) + clashing(surface, body) == []
    found = received(surface, body, MARK)
    expected = asked
    if surface == "messages" and asked.format:
        expected = replace(asked, format=Format("json_schema", schema=SCHEMA))
    assert replace(found, items=()) == replace(expected, items=())
    assert found.items == asked.items


def test_the_marker_is_at_the_end_of_the_first_words() -> None:
    body = written("chat", Question((system("Be brief."), user("One.", "Two."))), model="m", stream=False, mark=MARK)

    assert body["messages"][1]["content"][0]["text"] == f"One. [{MARK}]"
    with pytest.raises(ValueError, match="words of the user"):
        written("chat", Question((system("Be brief."), user(Picture(DOT)))), model="m", stream=False, mark=MARK)


def test_instructions_go_where_a_surface_has_a_place_for_them() -> None:
    asked = Question((system("A."), developer("B."), user("Hi."), system("C.")))

    assert [m["role"] for m in WRITERS["chat"](asked)["messages"]] == ["system", "developer", "user", "system"]
    responses = WRITERS["responses"](asked)
    assert responses["instructions"] == "A."
    assert [i["role"] for i in responses["input"]] == ["developer", "user", "system"]
    messages = WRITERS["messages"](asked)
    assert [block["text"] for block in messages["system"]] == ["A.", "B."]
    assert [m["role"] for m in messages["messages"]] == ["user", "system"]
    for surface in SURFACES:
        assert READERS[surface](WRITERS[surface](asked)).said("system") == ["A.", "B.", "C."]


def test_thinking_is_written_where_it_can_be() -> None:
    asked = Question((user("Hi."), Thought("Hm.", "c2ln"), Thought("", "c2Vh", redacted=True), assistant("Yes.")))

    assert READERS["messages"](WRITERS["messages"](asked)).thoughts == asked.thoughts
    sealed = Question((user("Hi."), Thought("Hm.", "c2ln")))
    assert READERS["responses"](WRITERS["responses"](sealed)).thoughts == sealed.thoughts
    with pytest.raises(ValueError, match="no place"):
        WRITERS["chat"](asked)
    for surface in SURFACES:
        with pytest.raises(ValueError, match="written of"):
            WRITERS[surface](Question((user("Hi.", Strange("x")),)))


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("chat", {"messages": [{"role": "user", "content": [{"type": "input_text", "text": "Hi."}]}]}),
        ("responses", {"input": [{"role": "assistant", "content": [{"type": "input_text", "text": "Hi."}]}]}),
        ("responses", {"input": [{"role": "user", "content": [{"type": "output_text", "text": "Hi."}]}]}),
        ("responses", {"input": [{"type": "tool_use"}]}),
        ("messages", {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": DOT}}]}]}),
    ],
)
def test_words_of_another_api_are_none(dialect: str, body: Any) -> None:
    found = READERS[dialect](body)

    assert found.strange
    assert found.said("user") == found.said("assistant") == []
    assert found.pictures == []


@pytest.mark.parametrize("dialect", SURFACES)
@pytest.mark.parametrize(
    "junk",
    [
        *(None, 1, "x", [], [None], {}, {"messages": 5, "input": 5, "tools": 5, "stop": 5}),
        {
            "messages": [None, 5, {}, {"role": 5, "content": 5}, {"role": "tool", "content": [5]}],
            "input": [None, 5, {}],
        },
        {"tools": [None, {"type": "function", "function": 5}], "tool_choice": {"type": 5}, "text": 5, "reasoning": 5},
        {"thinking": 5, "output_config": {"format": 5}, "system": {"type": 5}, "max_tokens": "5", "temperature": None},
        {
            "messages": [
                {"role": "assistant", "tool_calls": [None, {"function": None}], "content": [{"type": "tool_use"}]}
            ]
        },
    ],
)
def test_nothing_that_is_received_is_an_exception(dialect: str, junk: Any) -> None:
    received(dialect, junk, MARK)
    misplaced(dialect, junk)
    clashing(dialect, junk)


# --- what a provider refuses -------------------------------------------------------------------------


def changed(dialect: str, *path: Any, to: Any) -> Any:
    body: Any = copy.deepcopy(WRITERS[dialect](WHOLE))
    place = body
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return body


def test_calls_and_results_that_stand_apart_are_told() -> None:
    chat = WRITERS["chat"](WHOLE)
    messages = chat["messages"]
    apart = [*messages[:4], {"role": "user", "content": "wait"}, *messages[4:]]
    assert misplaced("chat", {"messages": apart})
    assert misplaced("chat", {"messages": messages[:4]}) == ["the calls of messages[2] have no results: ['call_2']"]
    assert misplaced("chat", {"messages": [messages[3]]})
    assert misplaced("chat", changed("chat", "messages", 2, "tool_calls", 1, "id", to="call_1"))

    items = WRITERS["responses"](WHOLE)["input"]
    free = [*items[:2], *items[2:4], {"role": "user", "content": "wait"}, *items[4:]]
    assert misplaced("responses", {"input": free}) == []
    assert misplaced("responses", {"input": items[:5]}) == ["calls without an output: ['call_2']"]
    assert misplaced("responses", {"input": items[4:]})
    assert misplaced("responses", {"input": items[4:], "previous_response_id": "resp_1"}) == []
    assert misplaced("responses", {"input": [{"type": "item_reference", "id": "fc_1"}]}) == []
    assert misplaced("responses", {"input": [items[2], items[2], items[4]]})

    turns = WRITERS["messages"](WHOLE)["messages"]
    assert misplaced("messages", {"messages": turns[:2]}) == ["the last calls have no results: ['call_1', 'call_2']"]
    assert misplaced("messages", {"messages": turns[2:]})
    late = {"role": "user", "content": [turns[2]["content"][-1], *turns[2]["content"][:-1]]}
    assert misplaced("messages", {"messages": [*turns[:2], late]}) == ["in turn 2 the results do not come first"]
    split = [{"role": "user", "content": [block]} for block in turns[2]["content"]]
    assert misplaced("messages", {"messages": [*turns[:2], *split]}) == []
    assert misplaced("messages", changed("messages", "messages", 1, "content", 2, "id", to="call_1"))


def test_parameters_that_exclude_each_other_are_told() -> None:
    assert clashing("chat", {"stream_options": {"include_usage": True}}) == ["stream_options without stream"]
    assert clashing("chat", {"stream_options": {"include_usage": True}, "stream": True}) == []
    assert clashing("chat", {"tool_choice": "auto", "parallel_tool_calls": False, "tools": []}) == [
        "tool_choice without tools",
        "parallel_tool_calls without tools",
    ]
    thinking: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 2048}, "max_tokens": 4096}
    assert clashing("messages", {**thinking, "temperature": 1, "tool_choice": {"type": "auto"}}) == []
    for wrong in ({"max_tokens": 2048}, {"tool_choice": {"type": "any"}}, {"temperature": 0}, {"top_k": 5}):
        assert len(clashing("messages", {**thinking, **wrong})) == 1, wrong
        assert clashing("messages", {**thinking, **wrong, "thinking": {"type": "adaptive"}}) == []


def test_a_schema_with_its_definitions_in_place_is_the_same() -> None:
    place = {"type": "object", "properties": {"at": {"$ref": "#/$defs/name"}}}
    whole = {"type": "array", "items": {"$ref": "#/$defs/place"}, "$defs": {"place": place, "name": {"type": "string"}}}
    there = {"type": "array", "items": {"type": "object", "properties": {"at": {"type": "string"}}}}

    assert inlined(whole) == inlined(there) == there
    assert inlined(whole) != inlined({**there, "items": {"type": "object"}})
    endless = {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}
    assert inlined(endless) == {"type": "array", "items": {"$ref": "#/$defs/tree"}}
    for junk in (None, 5, [], {"$defs": 5, "$ref": 5}):
        inlined(junk)
