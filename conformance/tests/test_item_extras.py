"""A Responses stream with a thought and two sources, and one defect at a time in what it tells beside words."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from watching import exchanged

from gateproof.answers.answer import COMPLETE, Answer
from gateproof.exchange import Exchange
from gateproof.registry import invariants

ANNOUNCED = "grammar.responses-summary-parts-are-announced"
DONE_WITH_ALL = "grammar.responses-items-are-done-with-all"
STATUS = "grammar.responses-items-end-with-a-status"
NUMBERED = "grammar.responses-annotations-are-numbered"
WATCHED = (ANNOUNCED, DONE_WITH_ALL, STATUS, NUMBERED)

SUMMARY = {"type": "summary_text", "text": "Hm. Well."}
THOUGHT = {
    "type": "reasoning",
    "id": "r0",
    "status": "completed",
    "summary": [SUMMARY],
    "encrypted_content": "c2VhbA==",
}
SOURCES = [{"type": "url_citation", "url": f"https://example.org/{n}", "start_index": 0, "end_index": 2} for n in "ab"]
PART = {"type": "output_text", "text": "Hello", "annotations": SOURCES, "logprobs": []}
MESSAGE = {"type": "message", "id": "m0", "role": "assistant", "status": "completed", "content": [PART]}
IN_SUMMARY = {"item_id": "r0", "output_index": 0, "summary_index": 0}
IN_PART = {"item_id": "m0", "output_index": 1, "content_index": 0}
RESPONSE: dict[str, Any] = {"id": "resp_1", "object": "response", "created_at": 1, "model": "m"}

ADDED, DELTA, PART_DONE, THOUGHT_DONE, FIRST, MESSAGE_DONE, END = 1, 2, 5, 6, 9, 11, 12


def stream() -> list[dict[str, Any]]:
    """A whole turn; each test has its own, in which nothing is shared."""
    thought = {**THOUGHT, "status": "in_progress", "summary": []}
    noted = "response.output_text.annotation.added"
    events: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "output_index": 0, "item": thought},
        {"type": "response.reasoning_summary_part.added", **IN_SUMMARY, "part": {**SUMMARY, "text": ""}},
        {"type": "response.reasoning_summary_text.delta", **IN_SUMMARY, "delta": "Hm. "},
        {"type": "response.reasoning_summary_text.delta", **IN_SUMMARY, "delta": "Well."},
        {"type": "response.reasoning_summary_text.done", **IN_SUMMARY, "text": "Hm. Well."},
        {"type": "response.reasoning_summary_part.done", **IN_SUMMARY, "part": SUMMARY},
        {"type": "response.output_item.done", "output_index": 0, "item": THOUGHT},
        {"type": "response.output_item.added", "output_index": 1, "item": {**MESSAGE, "content": []}},
        {"type": "response.output_text.delta", **IN_PART, "delta": "Hello"},
        {"type": noted, **IN_PART, "annotation_index": 0, "annotation": SOURCES[0]},
        {"type": noted, **IN_PART, "annotation_index": 1, "annotation": SOURCES[1]},
        {"type": "response.output_item.done", "output_index": 1, "item": MESSAGE},
        {"type": "response.completed", "response": {**RESPONSE, "status": "completed", "output": [THOUGHT, MESSAGE]}},
    ]
    held: list[dict[str, Any]] = json.loads(json.dumps(events))
    return held


def seen(mode: str, **told: Any) -> Exchange:
    return exchanged(Answer(outcome=COMPLETE, status=200, **told), b"", surface="responses", mode=mode)


def breaches(exchange: Exchange) -> dict[str, str]:
    found = {id: "; ".join(invariants()[id](exchange) or ()) for id in WATCHED}
    return {id: sentences for id, sentences in found.items() if sentences}


def test_a_whole_stream_breaks_nothing() -> None:
    assert breaches(seen("stream", events=stream())) == {}


def test_a_stream_that_failed_owes_no_end() -> None:
    assert breaches(seen("stream", events=[*stream()[:4], {"type": "response.failed", "response": RESPONSE}])) == {}


def test_a_stream_without_thoughts_and_sources_breaks_nothing() -> None:
    plain = [{"type": "response.output_item.added", "output_index": 0, "item": {}}]
    assert [invariants()[id](seen("stream", events=plain)) for id in WATCHED] == [[], None, None, []]


Spoil = Callable[[list[dict[str, Any]]], object]

SPOILT: dict[str, tuple[Spoil, str, str]] = {
    "a part that never began": (lambda e: e.pop(ADDED), ANNOUNCED, "which was never added"),
    "a part that began twice": (lambda e: e.insert(ADDED, e[ADDED]), ANNOUNCED, "was added twice"),
    "a part that never ended": (lambda e: e.pop(PART_DONE), ANNOUNCED, "was never done"),
    "words after the end of a part": (lambda e: e.insert(DELTA, e.pop(PART_DONE)), ANNOUNCED, "which was done already"),
    "a thought that is done empty": (
        lambda e: (e[THOUGHT_DONE]["item"].update(summary=[]), e[END]["response"]["output"][0].update(summary=[])),
        DONE_WITH_ALL,
        "the summary of output_index 0 was ['Hm. Well.'], its item has []",
    ),
    "another seal at the end": (
        lambda e: e[END]["response"]["output"][0].update(encrypted_content=""),
        DONE_WITH_ALL,
        "the item at output_index 0 is done with",
    ),
    "sources that the item does not have": (
        lambda e: (
            e[MESSAGE_DONE]["item"]["content"][0].update(annotations=[]),
            e[END]["response"]["output"][1]["content"][0].update(annotations=[]),
        ),
        DONE_WITH_ALL,
        "part 0 of output_index 1 was told 2 annotations",
    ),
    "sources that the end does not have": (
        lambda e: e[END]["response"]["output"][1]["content"][0].update(annotations=[]),
        DONE_WITH_ALL,
        "the item at output_index 1 is done with",
    ),
    "an item that is done and goes on": (
        lambda e: e[MESSAGE_DONE]["item"].update(status="in_progress"),
        STATUS,
        "in output_item.done a message has the status 'in_progress'",
    ),
    "a thought that goes on after the end": (
        lambda e: e[END]["response"]["output"][0].update(status="in_progress"),
        STATUS,
        "in the output a reasoning has the status 'in_progress'",
    ),
    "two sources at one index": (lambda e: e[FIRST].update(annotation_index=1), NUMBERED, "annotation_index [1, 1]"),
    "an index that is none": (lambda e: e[FIRST].update(annotation_index=None), NUMBERED, "annotation_index [None, 1]"),
}


@pytest.mark.parametrize(("spoil", "id", "words"), SPOILT.values(), ids=SPOILT)
def test_each_defect_is_found_and_no_other(spoil: Spoil, id: str, words: str) -> None:
    events = stream()
    spoil(events)
    found = breaches(seen("stream", events=events))
    assert set(found) == {id}
    assert words in found[id], found


def test_a_body_is_watched_for_its_statuses() -> None:
    whole = {**RESPONSE, "status": "completed", "output": [{**MESSAGE, "status": "in_progress"}]}
    assert set(breaches(seen("json", body=whole))) == {STATUS}
    assert breaches(seen("json", body={**whole, "status": "in_progress"})) == {}
    assert breaches(seen("json", body={**whole, "output": [MESSAGE, {"type": "function_call", "id": "f1"}]})) == {}
