"""A Responses stream that tells each of its items whole, four times, and one defect in it at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from watching import exchanged

from gateproof.answers.answer import COMPLETE, Answer
from gateproof.registry import invariants

DENSE = "grammar.responses-indices-are-dense"
WHOLE = "grammar.responses-items-are-told-whole"
COUNTED = "wire.sequence-numbers-count-from-zero"

PART = {"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}
MESSAGE = {"type": "message", "id": "m0", "role": "assistant", "status": "completed", "content": [PART]}
CALL = {"type": "function_call", "id": "f1", "call_id": "c1", "name": "get", "arguments": "{}", "status": "completed"}
IN_PART = {"item_id": "m0", "output_index": 0, "content_index": 0}
IN_CALL = {"item_id": "f1", "output_index": 1}
RESPONSE: dict[str, Any] = {"id": "r1", "object": "response", "created_at": 1, "model": "m", "output": []}


def stream() -> list[dict[str, Any]]:
    """A turn of text and a call; each test has its own, in which nothing is shared."""
    begun = {"status": "in_progress"}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**RESPONSE, "status": "in_progress"}},
        {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, **begun, "content": []}},
        {"type": "response.content_part.added", **IN_PART, "part": {**PART, "text": ""}},
        {"type": "response.output_text.delta", **IN_PART, "delta": "Hel"},
        {"type": "response.output_text.delta", **IN_PART, "delta": "lo"},
        {"type": "response.output_text.done", **IN_PART, "text": "Hello"},
        {"type": "response.content_part.done", **IN_PART, "part": PART},
        {"type": "response.output_item.done", "output_index": 0, "item": MESSAGE},
        {"type": "response.output_item.added", "output_index": 1, "item": {**CALL, **begun, "arguments": ""}},
        {"type": "response.function_call_arguments.delta", **IN_CALL, "delta": "{}"},
        {"type": "response.function_call_arguments.done", **IN_CALL, "name": "get", "arguments": "{}"},
        {"type": "response.output_item.done", "output_index": 1, "item": CALL},
        {"type": "response.completed", "response": {**RESPONSE, "status": "completed", "output": [MESSAGE, CALL]}},
    ]
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    held: list[dict[str, Any]] = json.loads(json.dumps(numbered))
    return held


def breaches(events: list[dict[str, Any]]) -> dict[str, list[str]]:
    seen = exchanged(Answer(outcome=COMPLETE, status=200, events=list(events)), b"", surface="responses", mode="stream")
    found = {id: list(invariants()[id](seen) or ()) for id in (DENSE, WHOLE, COUNTED)}
    return {id: sentences for id, sentences in found.items() if sentences}


def test_a_whole_stream_breaks_nothing() -> None:
    assert breaches(stream()) == {}


def test_a_failed_turn_is_not_compared() -> None:
    events = stream()[:5]
    failed = {"type": "response.failed", "response": {**RESPONSE, "status": "failed"}, "sequence_number": 5}
    assert breaches([*events, failed]) == {}


def _drop(*places: int) -> Callable[[list[dict[str, Any]]], None]:
    def drop(events: list[dict[str, Any]]) -> None:
        for place in sorted(places, reverse=True):
            del events[place]
        for number, event in enumerate(events):
            event["sequence_number"] = number

    return drop


def _set(place: int, *path: str | int, to: Any) -> Callable[[list[dict[str, Any]]], None]:
    def change(events: list[dict[str, Any]]) -> None:
        held: Any = events[place]
        for key in path[:-1]:
            held = held[key]
        held[path[-1]] = to

    return change


DEFECTS: dict[str, tuple[Callable[[list[dict[str, Any]]], None], str, str]] = {
    "no deltas": (_drop(3, 4), WHOLE, "the deltas are ''"),
    "a delta too few": (_drop(4), WHOLE, "the deltas are 'Hel'"),
    "no text.done": (_drop(5), WHOLE, "response.output_text.done says []"),
    "another text in text.done": (_set(5, "text", to="Hell"), WHOLE, "response.output_text.done says ['Hell']"),
    "another part in part.done": (_set(6, "part", "text", to=""), WHOLE, "another in content_part.done"),
    "an empty item.done": (_set(7, "item", "content", to=[]), WHOLE, "the terminal's output is not what was done"),
    "no arguments in item.done": (_set(11, "item", "arguments", to=""), WHOLE, "the deltas are '{}', the item ''"),
    "an empty output": (_set(12, "response", "output", to=[]), WHOLE, "the terminal's output is not what was done"),
    "another call_id at the end": (
        _set(12, "response", "output", 1, "call_id", to="c9"),
        WHOLE,
        "the terminal's output",
    ),
    "an item that begins full": (_set(1, "item", "content", to=[PART]), WHOLE, "begins with content"),
    "a call that begins full": (_set(8, "item", "arguments", to="{}"), WHOLE, "begins with arguments"),
    "an item that begins completed": (_set(1, "item", "status", to="completed"), WHOLE, "begins as 'completed'"),
    "an incomplete item of a whole turn": (
        _set(7, "item", "status", to="incomplete"),
        WHOLE,
        "incomplete in a completed",
    ),
    "a gap in the places": (_set(8, "output_index", to=2), DENSE, "added at output_index [0, 2]"),
    "two items of one id": (_set(8, "item", "id", to="m0"), DENSE, "two items have one id"),
    "an item without an id": (_set(8, "item", "id", to=""), DENSE, "an item has no id"),
    "a part at one": (_set(2, "content_index", to=1), DENSE, "content_index [1]"),
    "a number too high": (_set(9, "sequence_number", to=99), COUNTED, "event 9 has the sequence_number 99"),
    "no number": (_set(9, "sequence_number", to=None), COUNTED, "event 9 has the sequence_number None"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_found(defect: str) -> None:
    change, id, words = DEFECTS[defect]
    events = stream()
    change(events)

    assert words in json.dumps(breaches(events).get(id, []), ensure_ascii=False), breaches(events)
