"""What is watched on every exchange: each breach is found, and nothing that is lawful is called one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest
import watching

from gateproof.answers import chat, responses
from gateproof.answers.answer import Answer
from gateproof.answers.document import parse_body
from gateproof.answers.sse import EventReader
from gateproof.client import READERS
from gateproof.exchange import Exchange
from gateproof.pairs import Pair
from gateproof_mock import Wire, script

GRAMMAR = "grammar.responses-events-are-in-order"
ENDS_ONCE = "grammar.chat-ends-once"
ONE_ID = "identity.one-id-per-chat-stream"
BODIES, FRAMES, ERRORS = "schema.bodies-are-valid", "schema.frames-are-valid", "schema.errors-are-valid"
CLEAN, NAMES = "wire.sse-is-clean", "wire.event-name-is-its-type"
IDLESS = "wire.streams-have-no-event-id"
NUMBERS, TYPE = "wire.sequence-numbers-increase", "wire.content-type-fits"
FRAMED = "framing.body-is-as-its-headers-say"
TIMES = "identity.times-are-in-seconds"
ON_WHOLE_STREAMS = (
    "grammar.responses-indices-are-dense",
    "grammar.responses-items-are-told-whole",
    "wire.sequence-numbers-count-from-zero",
)
"""What test_whole_items.py tests: the streams here have as little in them as their grammar needs."""


def exchange(
    surface: str, wire: bytes, *, mode: str = "stream", status: int = 200, type: str = "", clean: bool = True
) -> Exchange:
    """An exchange whose client's leg was these bytes."""
    kind = type or ("text/event-stream" if mode == "stream" and status == 200 else "application/json")
    answer = Answer(outcome="", status=status, headers={"content-type": kind} if kind != "-" else {})
    if mode == "stream" and status == 200:
        collector = {"chat": chat.ChunkReader, "responses": responses.EventCollector}[surface](answer)
        for event in EventReader().feed(wire, 0.0):
            collector.take(event)
        collector.end()
    else:
        try:
            answer.body = parse_body(wire)
        except ValueError:
            answer.outcome = "broken"
        else:
            answer.outcome = "error" if status >= 400 else ""
            if status == 200:
                READERS[surface][0](answer)
    return watching.exchanged(answer, wire, surface=surface, mode=mode, clean=clean)


def watched(seen: Exchange) -> dict[str, list[str]]:
    return watching.watched(seen, but=ON_WHOLE_STREAMS)


def breaches(seen: Exchange) -> dict[str, list[str]]:
    return {id: sentences for id, sentences in watched(seen).items() if sentences}


def data(document: Any) -> bytes:
    return b"data: " + json.dumps(document, ensure_ascii=False).encode() + b"\n\n"


def named(event: dict[str, Any]) -> bytes:
    return b"event: " + str(event["type"]).encode() + b"\n" + data(event)


# --- chat --------------------------------------------------------------------------------------------

DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta or {}, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice], **more}


USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
ROLE, HEL, LO = chunk({"role": "assistant", "content": ""}), chunk({"content": "Hel"}), chunk({"content": "lo"})
STOP = chunk({}, "stop")
COUNTED = {**chunk(usage=USAGE), "choices": []}
ERROR = {"error": {"message": "It fell over.", "type": "server_error", "code": None}}
CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "get", "arguments": ""}}


def chat_stream(*chunks: Any, done: bytes = DONE) -> bytes:
    return b"".join(map(data, chunks)) + done


LAWFUL_CHAT = {
    "a plain turn": chat_stream(ROLE, HEL, LO, STOP),
    "with usage": chat_stream(ROLE, HEL, LO, STOP, COUNTED),
    "usage null on each chunk": chat_stream(*({**c, "usage": None} for c in (ROLE, HEL, STOP)), COUNTED),
    "role on every delta": chat_stream(*(chunk({"role": "assistant", "content": c}) for c in ("a", "b")), STOP),
    "Azure's filter results first": chat_stream({**chunk(), "choices": [], "prompt_filter_results": []}, HEL, STOP),
    "content in the last delta": chat_stream(ROLE, chunk({"content": "Hello"}, "stop")),
    "empty content after the end": chat_stream(HEL, STOP, chunk({"content": ""})),
    "calls": chat_stream(
        ROLE,
        chunk({"tool_calls": [CALL]}),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}),
        chunk({}, "tool_calls"),
    ),
    "a refusal": chat_stream(ROLE, chunk({"refusal": "No."}), STOP),
    "reasoning": chat_stream(ROLE, chunk({"reasoning_content": "Hm."}), HEL, STOP),
    "nulls of a typed model": chat_stream(
        chunk({"role": "assistant", "content": None, "refusal": None, "tool_calls": None, "reasoning_content": None}),
        {**STOP, "system_fingerprint": None, "service_tier": None, "error": None},
    ),
    "extra fields": chat_stream(
        {**ROLE, "obfuscation": "x", "x": {"y": [1]}}, chunk({"content": "x", "audio": None}), STOP
    ),
    "comments": b": hello\n\n"
    + data(ROLE)
    + b":\n:keepalive\n"
    + data(HEL)
    + data(STOP)
    + b": bye\n\n"
    + DONE
    + b": x",
    "carriage returns with line feeds": chat_stream(ROLE, HEL, STOP).replace(b"\n", b"\r\n"),
    "no space after the colon": chat_stream(ROLE, HEL, STOP).replace(b"data: ", b"data:"),
    "several blank lines": b"\n\n" + chat_stream(ROLE, HEL, STOP).replace(b"\n\n", b"\n\n\n\n"),
    "data in several lines": b'data: {"id":"c1","object":"chat.completion.chunk",\ndata: "created":1,"model":"m","choices":\n'
    b'data: [{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n' + DONE,
    "separators of lines that are none here": chat_stream(ROLE, chunk({"content": "\u2028\u2029\x85"}), STOP),
    "a retry beside data": b"retry: 9\n" + chat_stream(ROLE, HEL, STOP),
    "an error after output": chat_stream(ROLE, HEL, ERROR, done=b""),
    "an error and DONE": chat_stream(ROLE, HEL, ERROR),
    "an error beside empty choices": chat_stream(ROLE, {**chunk(), "choices": [], **ERROR}, done=b""),
    "DONE with an event line": chat_stream(ROLE, STOP, done=b"event: done\n" + DONE),
}


@pytest.mark.parametrize("wire", LAWFUL_CHAT.values(), ids=LAWFUL_CHAT)
def test_a_lawful_chat_stream_breaks_nothing(wire: bytes) -> None:
    seen = watched(exchange("chat", wire))
    assert {id: sentences for id, sentences in seen.items() if sentences} == {}
    assert {CLEAN, TYPE, FRAMES} <= set(seen)


UNLAWFUL_CHAT = {
    "two finish_reasons": (chat_stream(HEL, STOP, STOP), {ENDS_ONCE: "2 chunks have a finish_reason"}),
    "content after the finish_reason": (chat_stream(STOP, HEL), {ENDS_ONCE: "content after the finish_reason"}),
    "a refusal after the finish_reason": (chat_stream(STOP, chunk({"refusal": "No."})), {ENDS_ONCE: "content after"}),
    "a call after the finish_reason": (chat_stream(STOP, chunk({"tool_calls": [CALL]})), {ENDS_ONCE: "content after"}),
    "reasoning after the finish_reason": (chat_stream(STOP, chunk({"reasoning_content": "x"})), {ENDS_ONCE: "content"}),
    "no DONE": (chat_stream(HEL, STOP, done=b""), {ENDS_ONCE: "[DONE] came 0 times"}),
    "two DONE": (chat_stream(HEL, STOP) + DONE, {ENDS_ONCE: "[DONE] came 2 times"}),
    "usage after DONE": (chat_stream(HEL, STOP) + data(COUNTED), {ENDS_ONCE: "after [DONE] came"}),
    "DONE in quotes": (
        chat_stream(HEL, STOP, done=b'data: "[DONE]"\n\n'),
        {ENDS_ONCE: "[DONE] came 0", CLEAN: "no JSON object", FRAMES: "expected an object"},
    ),
    "another id": (chat_stream(HEL, {**STOP, "id": "c2"}), {ONE_ID: "2 values of id"}),
    "another time": (chat_stream(HEL, {**STOP, "created": 2}), {ONE_ID: "2 values of created"}),
    "a time in milliseconds": (
        chat_stream(HEL, {**STOP, "created": 1_764_000_000_000}),
        {ONE_ID: "2 values of created", TIMES: "created 1764000000000 is no Unix time in seconds"},
    ),
    "another model": (chat_stream(HEL, {**STOP, "model": "n"}), {ONE_ID: "2 values of model: 'm', 'n'"}),
    "ids that differ far behind": (
        chat_stream({**HEL, "id": "x" * 200 + "1"}, {**STOP, "id": "x" * 200 + "2"}),
        {ONE_ID: "2 values of id"},
    ),
    "no choices": (chat_stream(HEL, STOP, {k: v for k, v in COUNTED.items() if k != "choices"}), {FRAMES: "choices"}),
    "no finish_reason key": (
        chat_stream({**HEL, "choices": [{"index": 0, "delta": {}}]}, STOP),
        {FRAMES: "finish_reason"},
    ),
    "a word that is no finish_reason": (chat_stream(HEL, chunk({}, "end_turn")), {FRAMES: "end_turn"}),
    "a ping": (chat_stream(HEL, {"type": "ping"}, STOP), {FRAMES: "expected the key", ONE_ID: "2 values"}),
    "an error that is a string": (chat_stream(HEL, {"error": "boom"}), {ERRORS: "$.error: expected an object"}),
    "an error without a message": (chat_stream({"error": {"type": "x"}}), {ERRORS: '"message"'}),
    "an error with an empty message": (chat_stream({"error": {"message": "", "type": "x"}}), {ERRORS: "not empty"}),
    "an error without a type": (chat_stream({"error": {"message": "x"}}), {ERRORS: '"type"'}),
}


@pytest.mark.parametrize(("wire", "wanted"), UNLAWFUL_CHAT.values(), ids=UNLAWFUL_CHAT)
def test_each_breach_of_a_chat_stream_is_found_and_no_other(wire: bytes, wanted: dict[str, str]) -> None:
    found = breaches(exchange("chat", wire))
    assert set(found) == set(wanted)
    assert all(words in "; ".join(found[id]) for id, words in wanted.items()), found


# --- bytes -------------------------------------------------------------------------------------------

TURN = chat_stream(ROLE, HEL, STOP)
UNCLEAN = {
    "an empty data line": (b"data:\n\n" + TURN, "an empty data line"),
    "an event line alone": (b"event: ping\n\n" + TURN, "a block without data: b'event: ping'"),
    "an event line and a comment": (b"event: ping\n: x\n\n" + TURN, "a block without data"),
    "a retry alone": (b"retry: 3000\n\n" + TURN, "a block without data"),
    "an id alone": (b"id: 1\n\n" + TURN, "a block without data"),
    "a field that only begins like data": (b"database: x\n\n" + TURN, "a block without data"),
    "an error in a field of its own": (b'error: {"message": "x"}\n\n' + TURN, "a block without data"),
    "a byte order mark": (b"\xef\xbb\xbf" + TURN, "a byte order mark"),
    "carriage returns alone": (TURN.replace(b"\n", b"\r"), "a lone carriage return"),
    "no blank line at the end": (TURN[:-1], "the last event has no blank line"),
    "an event that was begun": (TURN + b"event: x\n", "the last event has no blank line"),
    "text": (TURN + b"data: hello\n\n", "no JSON object: 'hello'"),
    "a list": (TURN + b"data: []\n\n", "no JSON object"),
    "not a number": (TURN + b'data: {"choices": NaN}\n\n', "no JSON object"),
    "DONE with a space before it": (TURN.replace(b": [DONE]", b":  [DONE]"), "no JSON object: ' [DONE]'"),
    "DONE with a space after it": (TURN.replace(b"[DONE]", b"[DONE] "), "no JSON object: '[DONE] '"),
    "a document that nobody can nest": (TURN + b"data: " + b"[" * 10_000 + b"\n\n", "no JSON object"),
}


@pytest.mark.parametrize(("wire", "wanted"), UNCLEAN.values(), ids=UNCLEAN)
def test_each_unclean_byte_is_found(wire: bytes, wanted: str) -> None:
    found = breaches(exchange("chat", wire))[CLEAN]
    assert len(found) == 1
    assert wanted in found[0]


@pytest.mark.parametrize("tail", [b"data: {", b"data: {}\n", b"event: x\n", b"event: x\r", b"retry: 3", b"da"])
def test_the_torn_end_of_a_broken_transfer_is_no_breach(tail: bytes) -> None:
    assert breaches(exchange("chat", data(ROLE) + data(HEL) + tail, clean=False)) == {}


def test_a_flood_of_breaches_is_told_in_a_few_sentences() -> None:
    blocks = b"".join(b"retry: %d\n\n" % n for n in range(1000))
    events = b"".join(data({"type": f"x{n}.{n}", "sequence_number": str(n), "item": "x" * 9999}) for n in range(20))
    for surface in ("chat", "responses"):
        for sentences in breaches(exchange(surface, blocks + events)).values():
            assert len(sentences) <= 5
            assert all(len(sentence) < 400 for sentence in sentences)


@pytest.mark.parametrize(
    ("mode", "status", "type", "fits"),
    [
        ("stream", 200, "text/event-stream", True),
        ("stream", 200, "Text/Event-Stream; charset=utf-8", True),
        ("stream", 200, "text/plain", False),
        ("stream", 200, "application/json", False),
        ("stream", 200, "application/json; x=text/event-stream", False),
        ("stream", 429, "application/json", True),
        ("stream", 429, "text/event-stream", False),
        ("json", 200, "application/json", True),
        ("json", 200, "application/json; charset=utf-8", True),
        ("json", 200, "text/event-stream", False),
        ("json", 200, "-", False),
        ("json", 502, "text/html", False),
        ("json", 502, "application/json", True),
    ],
)
def test_the_content_type_is_that_of_what_was_asked(mode: str, status: int, type: str, fits: bool) -> None:
    assert (TYPE not in breaches(exchange("chat", TURN, mode=mode, status=status, type=type))) is fits


def test_a_stream_under_another_content_type_is_watched_all_the_same() -> None:
    found = breaches(exchange("chat", b"data:\n\n" + TURN, type="text/plain"))
    assert set(found) == {TYPE, CLEAN, FRAMES}


# --- responses ---------------------------------------------------------------------------------------


def response(status: str, **more: Any) -> dict[str, Any]:
    held = {"id": "r1", "object": "response", "created_at": 1, "status": status, "model": "m", "output": []}
    return {**held, "error": None, "incomplete_details": None, **more}


def ended(status: str, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{status}", "response": response(status, **more)}


CREATED = {"type": "response.created", "response": response("in_progress")}
COMPLETED = ended("completed")
FAILURE = {"code": "server_error", "message": "It fell over."}
FAILED = ended("failed", error=FAILURE)


def at(kind: str, index: Any = 0, **more: Any) -> dict[str, Any]:
    return {"type": f"response.{kind}", "output_index": index, "item_id": f"i{index}", **more}


def message(status: str) -> dict[str, Any]:
    return {"type": "message", "id": "i0", "role": "assistant", "status": status, "content": []}


PART = {"type": "output_text", "text": "", "annotations": []}
ADDED = {"type": "response.output_item.added", "output_index": 0, "item": message("in_progress")}
CLOSED = {"type": "response.output_item.done", "output_index": 0, "item": message("completed")}
OPENED = at("content_part.added", content_index=0, part=PART)
DELTA = at("output_text.delta", content_index=0, delta="x", logprobs=[])
TOLD = at("output_text.done", content_index=0, text="x", logprobs=[])
SHUT = at("content_part.done", content_index=0, part=PART)
ITEM = [ADDED, OPENED, DELTA, TOLD, SHUT, CLOSED]
REFUSAL = {"type": "refusal", "refusal": ""}
FUNCTION = {"type": "function_call", "id": "i1", "call_id": "call_1", "name": "get", "arguments": ""}
SECOND = [
    {"type": "response.output_item.added", "output_index": 1, "item": FUNCTION},
    at("function_call_arguments.delta", 1, delta="{}"),
    at("function_call_arguments.done", 1, arguments="{}", name="get"),
    {"type": "response.output_item.done", "output_index": 1, "item": {**FUNCTION, "arguments": "{}"}},
]
SUMMARY = {"type": "summary_text", "text": "Hm."}
THOUGHT = {"type": "reasoning", "id": "i0", "summary": []}


def numbered(events: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"sequence_number": number, **event} for number, event in enumerate(events)]


def responses_stream(*events: dict[str, Any]) -> bytes:
    return b"".join(map(named, numbered(events)))


LAWFUL_RESPONSES: dict[str, bytes] = {
    "a plain turn": responses_stream(CREATED, *ITEM, COMPLETED),
    "queued and in progress": responses_stream(
        CREATED,
        {"type": "response.queued", "response": response("queued")},
        {"type": "response.in_progress", "response": response("in_progress")},
        *ITEM,
        COMPLETED,
    ),
    "nothing but its ends": responses_stream(CREATED, COMPLETED),
    "keepalive events": responses_stream(
        CREATED, {"type": "keepalive"}, *ITEM[:3], {"type": "keepalive"}, *ITEM[3:], COMPLETED
    ),
    "unknown events": responses_stream(
        CREATED,
        {"type": "acme:progress.delta", "output_index": 7, "delta": 1},
        {"type": "acme:progress.done", "output_index": 7},
        {"type": "response.metadata", "headers": {}},
        *ITEM,
        COMPLETED,
    ),
    "an unknown item": responses_stream(
        CREATED,
        {"type": "response.output_item.added", "output_index": 0, "item": {"type": "acme:search"}},
        {"type": "response.output_item.done", "output_index": 0, "item": {"type": "acme:search"}},
        COMPLETED,
    ),
    "a refusal": responses_stream(
        CREATED,
        ADDED,
        at("content_part.added", content_index=0, part=REFUSAL),
        at("refusal.delta", content_index=0, delta="No."),
        at("refusal.done", content_index=0, refusal="No."),
        at("content_part.done", content_index=0, part=REFUSAL),
        CLOSED,
        COMPLETED,
    ),
    "several parts in an item": responses_stream(
        CREATED,
        *ITEM[:-1],
        *({**event, "content_index": 1} for event in ITEM[1:-1]),
        CLOSED,
        COMPLETED,
    ),
    "reasoning with a summary": responses_stream(
        CREATED,
        {"type": "response.output_item.added", "output_index": 0, "item": THOUGHT},
        at("reasoning_summary_part.added", summary_index=0, part={**SUMMARY, "text": ""}),
        at("reasoning_summary_text.delta", summary_index=0, delta="Hm."),
        at("reasoning_summary_text.done", summary_index=0, text="Hm."),
        at("reasoning_summary_part.done", summary_index=0, part=SUMMARY),
        at("reasoning_text.delta", content_index=0, delta="Hm."),
        at("reasoning_text.done", content_index=0, text="Hm."),
        {"type": "response.output_item.done", "output_index": 0, "item": {**THOUGHT, "summary": [SUMMARY]}},
        *SECOND,
        COMPLETED,
    ),
    "items that are interleaved": responses_stream(
        CREATED, ADDED, SECOND[0], OPENED, SECOND[1], DELTA, TOLD, SHUT, *SECOND[2:], CLOSED, COMPLETED
    ),
    "a truncated turn": responses_stream(
        CREATED, *ITEM, ended("incomplete", incomplete_details={"reason": "max_output_tokens"})
    ),
    "a failure with its item open": responses_stream(CREATED, *ITEM[:3], FAILED),
    "a failure at once": responses_stream(FAILED),
    "an error and then the failure": responses_stream(
        CREATED, *ITEM[:3], {"type": "error", "error": FAILURE, **FAILURE, "param": None}, FAILED
    ),
    "an error alone": responses_stream(CREATED, {"type": "error", **FAILURE, "param": None}),
    "a failure without a number": responses_stream(CREATED, *ITEM[:3]) + named(FAILED),
    "DONE": responses_stream(CREATED, *ITEM, COMPLETED) + DONE,
    "no event lines": b"".join(map(data, numbered([CREATED, *ITEM, COMPLETED]))),
    "comments": b": hello\n\n" + responses_stream(CREATED, *ITEM, COMPLETED).replace(b"\n\n", b"\n\n:\n\n"),
    "carriage returns with line feeds": responses_stream(CREATED, *ITEM, COMPLETED).replace(b"\n", b"\r\n"),
    "numbers that begin anywhere and have gaps": b"".join(
        named({"sequence_number": 5 * n + 3, **e}) for n, e in enumerate([CREATED, *ITEM, COMPLETED])
    ),
    "numbers that are written as fractions": b"".join(
        named({"sequence_number": float(n), **e}) for n, e in enumerate([CREATED, *ITEM, COMPLETED])
    ),
    "no item_id where none is wanted": responses_stream(CREATED, *ITEM, {**COMPLETED, "obfuscation": "x"}),
    "response.done": responses_stream(CREATED, *ITEM, {**COMPLETED, "type": "response.done"}),
}


@pytest.mark.parametrize("wire", LAWFUL_RESPONSES.values(), ids=LAWFUL_RESPONSES)
def test_a_lawful_responses_stream_breaks_nothing(wire: bytes) -> None:
    seen = watched(exchange("responses", wire))
    assert {id: sentences for id, sentences in seen.items() if sentences} == {}
    assert {CLEAN, TYPE, NAMES, GRAMMAR} <= set(seen)


DISORDER = {
    "no created": ([*ITEM, COMPLETED], "the first event is 'response.output_item.added'"),
    "two created": ([CREATED, CREATED, *ITEM, COMPLETED], "response.created came more than once"),
    "created too late": ([ADDED, CREATED, *ITEM[1:], COMPLETED], "the first event is"),
    "an event after the end": (
        [CREATED, COMPLETED, *ITEM],
        "output_item.added came after the terminal response.completed",
    ),
    "two ends": ([CREATED, COMPLETED, COMPLETED], "response.completed came after the terminal response.completed"),
    "failed after completed": ([CREATED, COMPLETED, FAILED], "response.failed came after the terminal"),
    "an error after failed": ([CREATED, FAILED, {"type": "error", **FAILURE}], "error came after the terminal"),
    "completed after an error": ([CREATED, {"type": "error", **FAILURE}, COMPLETED], "came after the terminal error"),
    "keepalive after the end": ([CREATED, COMPLETED, {"type": "keepalive"}], "keepalive came after the terminal"),
    "an item that stays open": ([CREATED, *ITEM[:-1], COMPLETED], "output_index 0 was never closed"),
    "a part that stays open": (
        [CREATED, *ITEM[:4], CLOSED, COMPLETED],
        "the part 0 of output_index 0 was never closed",
    ),
    "an item opened twice": ([CREATED, ADDED, *ITEM, COMPLETED], "a second item was opened at output_index 0"),
    "an index used twice": ([CREATED, *ITEM, *ITEM, COMPLETED], "a second item was opened at output_index 0"),
    "an item closed twice": (
        [CREATED, *ITEM, CLOSED, COMPLETED],
        "output_item.done for output_index 0, which was not open",
    ),
    "an item never opened": ([CREATED, CLOSED, COMPLETED], "which was not open"),
    "a part opened twice": ([CREATED, *ITEM[:2], *ITEM[1:], COMPLETED], "part 0 of output_index 0 was opened twice"),
    "a part closed twice": (
        [CREATED, *ITEM[:5], SHUT, CLOSED, COMPLETED],
        "content_part.done for a part that was not open",
    ),
    "a part outside an item": (
        [CREATED, OPENED, SHUT, COMPLETED],
        "content_part.added for output_index 0, where no item is",
    ),
    "a delta outside an item": (
        [CREATED, DELTA, COMPLETED],
        "output_text.delta for output_index 0, where no item is open",
    ),
    "a delta outside a part": (
        [CREATED, ADDED, DELTA, CLOSED, COMPLETED],
        "output_text.delta for a part that was not open",
    ),
    "a refusal outside a part": (
        [CREATED, ADDED, at("refusal.delta", content_index=0, delta="x"), CLOSED, COMPLETED],
        "refusal.delta for a part that was not open",
    ),
    "a delta of another part": (
        [CREATED, *ITEM[:2], {**DELTA, "content_index": 1}, *ITEM[3:], COMPLETED],
        "output_text.delta for a part that was not open",
    ),
    "a delta after its item": (
        [CREATED, *ITEM, DELTA, COMPLETED],
        "output_text.delta for output_index 0, where no item",
    ),
    "text after its part": (
        [CREATED, *ITEM[:3], SHUT, TOLD, CLOSED, COMPLETED],
        "output_text.done for a part that was not",
    ),
    "arguments outside an item": ([CREATED, SECOND[1], COMPLETED], "function_call_arguments.delta for output_index 1"),
    "another item's id": ([CREATED, *ITEM[:2], {**DELTA, "item_id": "x"}, *ITEM[3:], COMPLETED], "has another item_id"),
    "another item's id on a part": (
        [CREATED, ADDED, {**OPENED, "item_id": "x"}, *ITEM[2:], COMPLETED],
        "another item_id",
    ),
}


@pytest.mark.parametrize(("events", "wanted"), DISORDER.values(), ids=DISORDER)
def test_each_disorder_is_found(events: list[dict[str, Any]], wanted: str) -> None:
    found = breaches(exchange("responses", responses_stream(*events)))
    assert set(found) == {GRAMMAR}
    assert any(wanted in sentence for sentence in found[GRAMMAR]), found


UNLAWFUL_RESPONSES = {
    "another event line": (
        responses_stream(CREATED, COMPLETED).replace(b"event: response.completed", b"event: completed"),
        {NAMES: "event: completed, but type response.completed"},
    ),
    "a type in the event line only": (
        b'event: response.created\ndata: {"sequence_number": 0}\n\n',
        {NAMES: "an event without a type", FRAMES: '"type"', GRAMMAR: "the first event is None"},
    ),
    "a number twice": (
        responses_stream(CREATED) + responses_stream(COMPLETED),
        {NUMBERS: "0 after 0"},
    ),
    "a number that falls": (
        named({**CREATED, "sequence_number": 2}) + named({**COMPLETED, "sequence_number": 1}),
        {NUMBERS: "1 after 2"},
    ),
    "a number that is a string": (
        named({**CREATED, "sequence_number": "0"}) + named({**COMPLETED, "sequence_number": 1}),
        {NUMBERS: "'0' is no integer", FRAMES: "sequence_number"},
    ),
    "a number that is true": (
        named({**CREATED, "sequence_number": True}) + named({**COMPLETED, "sequence_number": 2}),
        {NUMBERS: "True is no integer", FRAMES: "sequence_number"},
    ),
    "no number": (named(CREATED) + named({**COMPLETED, "sequence_number": 1}), {FRAMES: "sequence_number"}),
    "a response without its output": (
        responses_stream(CREATED, {"type": "response.completed", "response": {"id": "r1", "object": "response"}}),
        {FRAMES: '"status"'},
    ),
    "a failure without an error": (responses_stream(CREATED, ended("failed")), {ERRORS: "$.response.error"}),
    "a failure without a response": (responses_stream(CREATED, {"type": "response.failed"}), {ERRORS: '"response"'}),
    "an error without a message": (responses_stream(CREATED, {"type": "error"}), {ERRORS: '"message"'}),
}


@pytest.mark.parametrize(("wire", "wanted"), UNLAWFUL_RESPONSES.values(), ids=UNLAWFUL_RESPONSES)
def test_each_breach_of_a_responses_stream_is_found_and_no_other(wire: bytes, wanted: dict[str, str]) -> None:
    found = breaches(exchange("responses", wire))
    assert set(found) == set(wanted)
    assert all(words in "; ".join(found[id]) for id, words in wanted.items()), found


# --- bodies ------------------------------------------------------------------------------------------

COMPLETION = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}],
}


@pytest.mark.parametrize(
    ("surface", "status", "body", "wanted"),
    [
        ("chat", 200, COMPLETION, {}),
        ("chat", 200, {**COMPLETION, "usage": None, "x": 1}, {}),
        ("responses", 200, response("completed"), {}),
        ("responses", 200, response("failed", error=FAILURE), {}),
        ("chat", 200, {**COMPLETION, "object": "text_completion"}, {BODIES: "$.object"}),
        ("chat", 200, {**COMPLETION, "choices": []}, {BODIES: "at least 1 item"}),
        ("chat", 200, ERROR, {BODIES: '"id"'}),
        ("chat", 200, [], {BODIES: "expected an object"}),
        ("chat", 200, None, {BODIES: "expected an object, got null"}),
        ("responses", 200, ERROR, {BODIES: '"object"'}),
        ("responses", 200, COMPLETION, {BODIES: "$.object"}),
        ("chat", 429, ERROR, {}),
        ("responses", 500, {"error": {"message": "x", "type": "y", "code": 5, "param": None, "z": 1}}, {}),
        ("chat", 429, {"error": "boom"}, {ERRORS: "$.error"}),
        ("chat", 429, {"message": "boom"}, {ERRORS: '"error"'}),
        ("chat", 429, [ERROR], {ERRORS: "got"}),
        ("chat", 429, {}, {ERRORS: '"error"'}),
        ("responses", 500, {"error": {"message": "", "type": "y"}}, {ERRORS: "not empty"}),
    ],
)
def test_each_body_is_judged_by_its_schema(surface: str, status: int, body: Any, wanted: dict[str, str]) -> None:
    found = breaches(exchange(surface, json.dumps(body).encode(), mode="json", status=status))
    assert set(found) == set(wanted)
    assert all(words in "; ".join(found[id]) for id, words in wanted.items()), found


def test_a_page_in_place_of_an_error_is_no_envelope() -> None:
    found = breaches(exchange("chat", b"<h1>Bad Gateway</h1>", mode="json", status=502, type="text/html"))
    assert set(found) == {ERRORS, TYPE}


@pytest.mark.parametrize(
    "field", [b"id: 1\n", b"id:1\r\n", b"id\n", b": hi\nid: a:b\n", b"\xef\xbb\xbfid: 1\n"], ids=repr
)
def test_an_id_is_found(field: bytes) -> None:
    assert "the field b'id" in watched(exchange("chat", field + TURN))[IDLESS][0]


@pytest.mark.parametrize("said", [" id: 1", "id: 1", "\nid: 1\n"], ids=repr)
def test_an_id_in_the_text_is_none(said: str) -> None:
    turn = chat_stream(ROLE, chunk({"content": said}), STOP)
    assert watched(exchange("chat", b": id: 1\n\nidea: 1\n" + turn))[IDLESS] == []


def test_an_id_that_a_relay_passes_on_is_the_upstreams() -> None:
    seen = exchange("chat", b"id: 1\n" + TURN)
    seen.scripts = (script(wire=Wire(event_ids=True)),)
    assert IDLESS not in watched(seen)
    seen.pair = Pair("chat", "responses")
    assert watched(seen)[IDLESS] == [f"an event has the field {b'id: 1'!r}"]


def test_an_invariant_that_saw_nothing_says_so() -> None:
    seen = watched(exchange("responses", b""))
    assert set(seen) == {TYPE, FRAMED}
    seen = watched(exchange("chat", chat_stream(HEL, done=b"")))
    assert set(seen) == {CLEAN, FRAMES, TYPE, FRAMED, IDLESS, TIMES}
    assert ERRORS not in watched(exchange("chat", TURN))


# --- hostile ---------------------------------------------------------------------------------------

WRONG = [None, True, -1, 1.5, float("inf"), 10**400, "", "\ud800", [], {}, [[]], {"a": {}}, [{"a": []}]]


def variants(document: Any) -> Iterable[Any]:
    """The document with each value at each place in turn."""
    yield from WRONG
    if isinstance(document, dict):
        for key, value in document.items():
            yield from ({**document, key: other} for other in variants(value))
    elif isinstance(document, list):
        for number, value in enumerate(document):
            yield from ([*document[:number], other, *document[number + 1 :]] for other in variants(value))


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_no_value_at_any_place_of_an_event_raises(surface: str) -> None:
    if surface == "chat":
        stream = [ROLE, chunk({"tool_calls": [CALL]}), STOP, COUNTED, ERROR]
    else:
        stream = [CREATED, ADDED, OPENED, DELTA, SHUT, CLOSED, SECOND[0], SECOND[1], FAILED]
    for number, event in enumerate(stream):
        for wrong in variants(event):
            answer = Answer(outcome="complete", status=200, events=[*stream[:number], wrong, *stream[number + 1 :]])
            seen = exchange(surface, b"")
            seen.answer = answer
            for sentences in watched(seen).values():
                assert all(isinstance(sentence, str) and len(sentence) < 400 for sentence in sentences)


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_no_body_raises(surface: str) -> None:
    for body in variants(COMPLETION if surface == "chat" else response("failed", error=FAILURE)):
        for status in (200, 500):
            watched(exchange(surface, json.dumps(body).encode(), mode="json", status=status))


@pytest.mark.parametrize(
    "wire",
    [b"\xff\xfe\n\n", b"data: \xff\n\n", b"data: NaN\n\n", b"data: " + b"[" * 9999 + b"\n\n", b"\x00", b"\r", b":"],
)
def test_no_bytes_raise(wire: bytes) -> None:
    for surface in ("chat", "responses"):
        for clean in (True, False):
            watched(exchange(surface, wire, clean=clean))
