"""Citations: the same pages, at the same places of the text, on every pair whose surface has a place for them."""

from typing import Any

import pytest
from gateway_bench import Asking, Fake
from gateway_scenes import (
    DONE,
    MESSAGE_START,
    ROLE,
    STOP,
    chunk,
    message_delta,
    messages_turn,
    responses_turn,
    terminal,
    text_block,
)

PAGES = [("https://a.invalid", "A", 0, 5), ("https://b.invalid", "B", 6, 11)]
WORDS = "Hello world"


def flat(url: str, title: str, start: int, end: int) -> dict[str, Any]:
    return {"type": "url_citation", "start_index": start, "end_index": end, "url": url, "title": title}


def nested(url: str, title: str, start: int, end: int) -> dict[str, Any]:
    members = flat(url, title, start, end)
    return {"type": members.pop("type"), "url_citation": members}


def page(url: str, title: str) -> dict[str, Any]:
    return {"type": "web_search_result_location", "url": url, "title": title, "cited_text": "x", "encrypted_index": "e"}


OTHERS: list[dict[str, Any]] = [{"type": "file_citation", "file_id": "f", "index": 0}, {"type": "url_citation"}]
MESSAGE: dict[str, Any] = {"id": "msg_up", "type": "message", "role": "assistant", "status": "completed"}


def part(words: str, *annotations: dict[str, Any]) -> dict[str, Any]:
    return {"type": "output_text", "text": words, "annotations": [*annotations], "logprobs": []}


def in_parts() -> dict[str, Any]:
    """A message of two parts, which Responses counts from the start of each."""
    (url, title, _, _), second = PAGES[1], PAGES[0]
    return {**MESSAGE, "content": [part("Hello ", flat(*second), *OTHERS), part("world", flat(url, title, 0, 5))]}


def upstream(fake: Fake, dialect: str, stream: bool) -> None:
    """Let the upstream say WORDS with both PAGES."""
    if dialect == "responses" and stream:
        added = {"type": "response.output_item.added", "output_index": 0, "item": {**MESSAGE, "content": []}}
        events: list[Any] = [added]
        for at, said in enumerate(in_parts()["content"]):
            place = {"item_id": "msg_up", "output_index": 0, "content_index": at}
            events.append({"type": "response.output_text.delta", **place, "delta": said["text"]})
            events += [
                {
                    "type": "response.output_text.annotation.added",
                    **place,
                    "annotation_index": n,
                    "annotation": annotation,
                }
                for n, annotation in enumerate(said["annotations"])
            ]
        events.append({"type": "response.output_item.done", "output_index": 0, "item": in_parts()})
        opening, done = responses_turn()[:2], terminal("response.completed", [in_parts()])
        fake.streams(*opening, *events, done)
    elif dialect == "responses":
        fake.says({"id": "resp_up", "status": "completed", "model": "model-up", "output": [in_parts()]})
    elif dialect == "chat" and stream:
        first = chunk({"content": "Hello ", "annotations": [nested(*PAGES[0]), *OTHERS]})
        fake.streams(
            ROLE,
            first,
            chunk({"content": "world"}),
            chunk({"annotations": [nested(*PAGES[1])]}),
            chunk({}, "stop"),
            DONE,
        )
    elif dialect == "chat":
        message = {
            "role": "assistant",
            "content": WORDS,
            "annotations": [nested(*PAGES[0]), *OTHERS, nested(*PAGES[1])],
        }
        fake.says({"id": "c", "model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    else:
        blocks = [
            ("Hello", [page(*PAGES[0][:2])]),
            (" ", []),
            ("world", [page(*PAGES[1][:2]), {"type": "char_location"}]),
        ]
        if stream:
            events = []
            for at, (words, cited) in enumerate(blocks):
                block = {"type": "text", "text": "", "citations": []}
                events.append({"type": "content_block_start", "index": at, "content_block": block})
                deltas = [
                    {"type": "text_delta", "text": words},
                    *({"type": "citations_delta", "citation": c} for c in cited),
                ]
                events += [{"type": "content_block_delta", "index": at, "delta": delta} for delta in deltas]
                events.append({"type": "content_block_stop", "index": at})
            fake.streams(MESSAGE_START, *events, message_delta("end_turn"), STOP)
        else:
            content = [{"type": "text", "text": words, "citations": cited} for words, cited in blocks]
            fake.says({"id": "m", "model": "m", "content": content, "stop_reason": "end_turn", "usage": {}})


def annotations(told: Any, surface: str, stream: bool) -> Any:
    """Return what the client read of it."""
    if surface == "chat" and stream:
        deltas = [choice["delta"] for event in told.events for choice in event["choices"]]
        return [annotation for delta in deltas for annotation in delta.get("annotations", [])]
    if surface == "chat":
        return told.json["choices"][0]["message"]["annotations"]
    response = told.events[-1]["response"] if stream else told.json
    parts = [said["annotations"] for item in response["output"] for said in item["content"]]
    whole = [annotation for part in parts for annotation in part]
    if stream:
        added = [event for event in told.events if event["type"] == "response.output_text.annotation.added"]
        assert [event["annotation"] for event in added] == whole
        assert [event["annotation_index"] for event in added] == [n for part in parts for n in range(len(part))]
        done = [event["part"] for event in told.events if event["type"] == "response.content_part.done"]
        assert [part["annotations"] for part in done] == parts
    return whole


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("surface", "dialect"),
    [("chat", "responses"), ("chat", "messages"), ("responses", "chat"), ("responses", "messages")],
)
def test_pages_arrive_with_their_places(surface: str, dialect: str, stream: bool, ask: Asking, fake: Fake) -> None:
    upstream(fake, dialect, stream)
    told = ask.turn(surface, dialect, stream=stream)
    form = nested if surface == "chat" else flat
    pages = PAGES
    if (surface, dialect) == ("responses", "messages"):
        # Each block is a part of its own, and places are counted from its start.
        pages = [(url, title, 0, end - start) for url, title, start, end in PAGES]
    assert annotations(told, surface, stream) == [form(*cited) for cited in pages]


@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_messages_has_no_place_for_them(dialect: str, stream: bool, ask: Asking, fake: Fake) -> None:
    upstream(fake, dialect, stream)
    told = ask.messages(dialect, stream=stream)
    assert told.status == 200
    assert b"invalid" not in told.raw


def test_without_citations_nobody_tells_of_any(ask: Asking, fake: Fake) -> None:
    fake.streams(*messages_turn(text_block("Hi")))
    assert b"annotation" not in ask.chat("messages").raw


def test_a_part_counts_from_its_own_start(ask: Asking, fake: Fake) -> None:
    """Reasoning in between makes two messages of the text."""
    late = chunk({"content": "world", "annotations": [nested(*PAGES[1])]})
    fake.streams(ROLE, chunk({"content": "Hello "}), chunk({"reasoning_content": "hm"}), late, chunk({}, "stop"), DONE)
    told = ask.responses("chat")
    (added,) = [event for event in told.events if event["type"] == "response.output_text.annotation.added"]
    assert added["annotation"] == flat(*PAGES[1][:2], 0, 5)
    assert (added["output_index"], added["content_index"]) == (2, 0)


def test_a_citation_that_comes_too_late_is_left_out(ask: Asking, fake: Fake) -> None:
    call = {"index": 0, "id": "call_a", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    late = chunk({"annotations": [nested(*PAGES[0])]})
    fake.streams(ROLE, chunk({"content": "Hello"}), chunk({"tool_calls": [call]}), late, chunk({}, "tool_calls"), DONE)
    told = ask.responses("chat")
    assert told.events[-1]["type"] == "response.completed"
    assert b"annotation.added" not in told.raw
