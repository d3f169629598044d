"""Messages: what a client makes of it, and each breach of its grammar found, with nothing lawful called one."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from watching import exchanged, watched

from gateproof.answers import messages
from gateproof.answers.absent import Missing
from gateproof.answers.answer import BROKEN, COMPLETE, CUT, ERROR, Answer
from gateproof.answers.sse import EventReader
from gateproof.client import READERS, GatewayClient, Request
from gateproof.exchange import Exchange
from gateproof.questions import PATHS, headers, question
from gateproof.stagehands import Upstream
from gateproof_mock import (
    MockUpstream,
    Wire,
    completed,
    cut,
    failed,
    incomplete,
    interleaved,
    marker,
    next_message,
    ping,
    reasoning,
    refusal,
    run_part,
    script,
    text,
    tool_call,
    usage,
    web_search,
)
from gateproof_mock.language.turns import Element
from gateproof_schemas import validate

EVENTS, BLOCKS = "grammar.messages-events-are-in-order", "grammar.messages-blocks-are-in-order"
BODIES, FRAMES, ERRORS = "schema.bodies-are-valid", "schema.frames-are-valid", "schema.errors-are-valid"
CLEAN, NAMES, NO_DONE = "wire.sse-is-clean", "wire.event-name-is-its-type", "wire.messages-have-no-done"
TYPE = "wire.content-type-fits"
FRAMED = "framing.body-is-as-its-headers-say"
NO_ID = "wire.streams-have-no-event-id"

Event = dict[str, Any]


# --- a stream by hand ----------------------------------------------------------------------------------

USAGE = {"input_tokens": 9, "cache_read_input_tokens": 64, "cache_creation_input_tokens": 27, "output_tokens": 1}
MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": USAGE}
START = {"type": "message_start", "message": {**MESSAGE, "stop_reason": None, "stop_sequence": None}}
STOP = {"type": "message_stop"}
PING = {"type": "ping"}
DONE = b"data: [DONE]\n\n"
FAILURE = {"type": "error", "error": {"type": "api_error", "message": "It fell over."}}
TEXT: Event = {"type": "text", "text": "", "citations": None}
THINKING: Event = {"type": "thinking", "thinking": "", "signature": ""}


def tool(id: str = "toolu_1", name: str = "get", **more: Any) -> Event:
    return {"type": "tool_use", "id": id, "name": name, "input": {}, **more}


def begin(index: Any, block: Event) -> Event:
    return {"type": "content_block_start", "index": index, "content_block": block}


def delta(index: Any, kind: str, value: str) -> Event:
    key = {"input_json_delta": "partial_json"}.get(kind, kind.removesuffix("_delta"))
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind, key: value}}


def stop(index: Any) -> Event:
    return {"type": "content_block_stop", "index": index}


def ends(reason: Any = "end_turn", **counts: Any) -> Event:
    told = {"stop_reason": reason, "stop_sequence": None}
    return {"type": "message_delta", "delta": told, "usage": {"output_tokens": 7, **counts}}


HELLO = [begin(0, TEXT), delta(0, "text_delta", "Hel"), delta(0, "text_delta", "lo"), stop(0)]
TURN = [START, *HELLO, ends(), STOP]


def named(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def stream(*events: Event) -> bytes:
    return b"".join(map(named, events))


def read(wire: bytes) -> Answer:
    answer = Answer(outcome="", status=200)
    reader = messages.BlockReader(answer)
    for event in EventReader().feed(wire, 0.0):
        reader.take(event)
    reader.end()
    return answer


def read_json(body: Any) -> Answer:
    answer = Answer(outcome="", status=200, body=body)
    messages.read_body(answer)
    return answer


# --- against the mock ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def said() -> Iterator[Callable[..., Answer]]:
    """What a client of the mock itself makes of a script, asked as the suite asks."""
    with MockUpstream() as mock:
        client = GatewayClient(mock.base_url.removesuffix("/v1"), "sk-client-key")

        def ask(*elements: Element, stream: bool = True, wire: Wire | None = None) -> Answer:
            mark = marker(run_part())
            mock.stage.put(mark, [script(*elements, wire=wire)])
            body = question("messages", f"Hi. [{mark}]", model="m", stream=stream, tools=["get", "put"])
            request = Request("POST", PATHS["messages"], json.dumps(body).encode())
            answer = client.open("messages", request, stream=stream).finish()
            (call,) = mock.journal.await_calls(mark, 1, within=5)
            assert (call.dialect, call.kind, call.stream) == ("messages", "turn", stream)
            return answer

        yield ask
        client.close()


WHOLE = (
    reasoning("Hm, ", "two."),
    text("Hel", "lo"),
    tool_call("get", '{"a":', ' "\\u00e9"}', id="toolu_a"),
    tool_call("put", id="toolu_b"),
    usage(input=100, output=7, cached=64, cache_write=27, reasoning=3),
)


@pytest.mark.parametrize("streamed", [True, False])
def test_a_turn_is_read_alike_in_both_modes(said: Callable[..., Answer], streamed: bool) -> None:
    answer = said(*WHOLE, stream=streamed)
    assert (answer.outcome, answer.finish, answer.status) == (COMPLETE, "tool_calls", 200)
    assert (answer.text, answer.reasoning, answer.refusal) == ("Hello", "Hm, two.", "")
    assert [(name, json.loads(arguments)) for name, arguments in answer.calls] == [("get", {"a": "é"}), ("put", {})]
    assert [(c.id, c.names, c.ids) for c in answer.tool_calls] == [
        ("toolu_a", ("get",), ("toolu_a",)),
        ("toolu_b", ("put",), ("toolu_b",)),
    ]
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (100, 7, 107)
    assert (answer.usage.cached, answer.usage.reasoning) == (64, 3)
    assert answer.id.startswith("msg_")
    assert answer.model == "m"
    assert not answer.error


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize(
    ("ending", "finish"),
    [
        (completed(), "stop"),
        (completed(stop_sequence="END"), "stop"),
        (completed(reason="pause_turn"), "pause_turn"),
        (completed(reason="model_context_window_exceeded"), "length"),
        (completed(reason="length"), "stop_reason length"),
        (incomplete("max_output_tokens"), "length"),
        (incomplete("content_filter"), "content_filter"),
    ],
)
def test_each_stop_reason_is_read_in_no_surfaces_words(
    said: Callable[..., Answer], streamed: bool, ending: Element, finish: str
) -> None:
    answer = said(text("Hello"), ending, stream=streamed)
    assert (answer.outcome, answer.finish, answer.text) == (COMPLETE, finish, "Hello")


@pytest.mark.parametrize(("streamed", "where", "status"), [(True, "in-band", 200), (False, "http", 429)])
def test_a_failure_says_what_it_is(said: Callable[..., Answer], streamed: bool, where: str, status: int) -> None:
    answer = said(text("Hel"), failed("x", "Slow down.", type="rate_limit_error", status=429), stream=streamed)
    assert (answer.outcome, answer.error.where, answer.error.status) == (ERROR, where, status)
    assert (answer.error.type, answer.error.message) == ("rate_limit_error", "Slow down.")
    assert isinstance(answer.error.code, Missing)
    assert not answer.finish
    assert not answer.done


@pytest.mark.parametrize(("how", "outcome"), [("eof", CUT), ("fin", "aborted"), ("rst", "aborted")])
def test_a_turn_that_is_cut_has_no_end(said: Callable[..., Answer], how: str, outcome: str) -> None:
    answer = said(text("Hel"), cut(how))
    assert (answer.outcome, answer.text, bool(answer.finish), answer.done) == (outcome, "Hel", False, False)


def test_what_the_provider_runs_itself_is_no_call(said: Callable[..., Answer]) -> None:
    for streamed in (True, False):
        answer = said(web_search("Oslo"), text("It rains."), stream=streamed)
        assert (answer.text, answer.calls, answer.finish) == ("It rains.", [], "stop")


SAID: dict[str, tuple[tuple[Element, ...], Wire | None]] = {
    "a turn of everything": (WHOLE, None),
    "nothing": ((), None),
    "parallel calls": ((interleaved(tool_call("get", "{", "}"), tool_call("put", "{}"), reverse=True),), None),
    "several blocks of text": ((text("a"), next_message(), text("b")), None),
    "a refusal": ((refusal("No."),), None),
    "a search": ((web_search("Oslo"), text("It rains.")), None),
    "redacted thinking": ((reasoning(encrypted="x"), text("b")), None),
    "pings": ((text("a"), ping(), text("b")), None),
    "a failure": ((text("a"), failed()), None),
    "a failure at once": ((failed(),), Wire(preamble=False)),
    "carriage returns, comments and small writes": ((text("é"),), Wire(line_end="crlf", comments="x", split_every=1)),
}


@pytest.mark.parametrize(("elements", "wire"), SAID.values(), ids=SAID)
def test_what_the_mock_says_breaks_nothing(
    said: Callable[..., Answer], elements: tuple[Element, ...], wire: Wire | None
) -> None:
    answer = said(*elements, wire=wire)
    seen = watched(exchange(answer, b"".join(named(e) for e in answer.events)))
    assert {id: found for id, found in seen.items() if found} == {}


# --- the reader ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "outcome", "finish"),
    [
        (stream(*TURN), COMPLETE, "stop"),
        (stream(*TURN) + DONE, COMPLETE, "stop"),
        (stream(START, *HELLO) + DONE + stream(ends(), STOP), COMPLETE, "stop"),
        (stream(START, *HELLO, ends()), CUT, "stop"),
        (stream(START, *HELLO, STOP), CUT, None),
        (stream(START, *HELLO, ends(None), STOP), CUT, None),
        (stream(START, *HELLO, ends(), ends(None), STOP), CUT, None),
        (stream(START, *HELLO, ends("stop"), STOP), COMPLETE, "stop_reason stop"),
        (stream(START, *HELLO, ends("tool_calls"), STOP), COMPLETE, "stop_reason tool_calls"),
        (stream(START, *HELLO), CUT, None),
        (b"", CUT, None),
        (stream(START, *HELLO, FAILURE), ERROR, None),
        (stream(FAILURE), ERROR, None),
        (stream(*TURN, FAILURE), ERROR, "stop"),
        (b"event: error\ndata: {}\n\n", ERROR, None),
        (b"event: error\ndata: null\n\n", ERROR, None),
        (stream(START, *HELLO) + b"data: {\n\n", BROKEN, None),
        (stream(*TURN) + b"data: {\n\n", COMPLETE, "stop"),
        # What no client but a few is told of is no error: these end as a cut turn.
        (stream(START, *HELLO) + f"data: {json.dumps(FAILURE)}\n\n".encode(), CUT, None),
        (stream(START, *HELLO) + b'data: {"error": {"message": "x"}}\n\n', CUT, None),
    ],
)
def test_each_end_of_a_stream_has_its_outcome(wire: bytes, outcome: str, finish: str | None) -> None:
    answer = read(wire)
    assert (answer.outcome, answer.finish or None) == (outcome, finish)
    assert answer.failed is (outcome == ERROR)


BODY = {
    **MESSAGE,
    "content": [{"type": "text", "text": "Hello"}, tool(input={"a": 1})],
    "stop_reason": "tool_use",
    "stop_sequence": None,
}


@pytest.mark.parametrize(
    ("body", "outcome", "finish"),
    [
        (BODY, COMPLETE, "tool_calls"),
        ({**BODY, "stop_reason": "max_tokens"}, COMPLETE, "length"),
        ({**BODY, "content": []}, COMPLETE, "tool_calls"),
        ({**BODY, "stop_reason": None}, BROKEN, None),
        ({**BODY, "content": "Hello"}, BROKEN, "tool_calls"),
        (FAILURE, BROKEN, None),
        ({"error": {"message": "x"}}, BROKEN, None),
        ({"object": "chat.completion", "choices": []}, BROKEN, None),
        ([], BROKEN, None),
        (None, BROKEN, None),
    ],
)
def test_each_body_has_its_outcome(body: Any, outcome: str, finish: str | None) -> None:
    answer = read_json(body)
    assert (answer.outcome, answer.finish or None) == (outcome, finish)


def test_counts_replace_one_another_and_null_replaces_none() -> None:
    later = [ends(None, input_tokens=12, output_tokens=5), ends(output_tokens=8, cache_read_input_tokens=None)]
    found = read(stream(START, *HELLO, *later, STOP)).usage
    assert (found.input, found.output, found.total, found.cached) == (12 + 64 + 27, 8, 12 + 64 + 27 + 8, 64)


def test_usage_without_its_totals_says_what_is_missing() -> None:
    found = read_json({**BODY, "usage": {"output_tokens": 7}}).usage
    assert repr(found.input) == "<absent: usage.input_tokens>"
    assert not found.total
    assert isinstance(read_json({**BODY, "usage": None}).usage, Missing)


def test_what_a_block_begins_with_is_not_read() -> None:
    # Clients that take deltas as they come have no other text, and call the tool with {}.
    blocks = [begin(0, {**TEXT, "text": "Hello"}), stop(0), begin(1, tool(input={"a": 1})), stop(1)]
    answer = read(stream(START, *blocks, ends("tool_use"), STOP))
    assert (answer.text, answer.calls) == ("", [("get", "{}")])


def test_an_input_that_is_no_object_is_no_arguments() -> None:
    assert read_json({**BODY, "content": [tool(input='{"a": 1}')]}).calls == [("get", '"{\\"a\\": 1}"')]
    assert not read_json({**BODY, "content": [{"type": "tool_use"}]}).tool_calls[0].arguments


# --- the invariants --------------------------------------------------------------------------------------


def exchange(answer: Answer, wire: bytes, *, mode: str = "stream") -> Exchange:
    answer.headers = {"content-type": "text/event-stream" if mode == "stream" else "application/json"}
    return exchanged(answer, wire, surface="messages", mode=mode)


def breaches(wire: bytes) -> dict[str, list[str]]:
    return {id: found for id, found in watched(exchange(read(wire), wire)).items() if found}


SECOND = [begin(1, tool()), delta(1, "input_json_delta", ""), delta(1, "input_json_delta", "{}"), stop(1)]
LAWFUL = {
    "a plain turn": stream(*TURN),
    "text and a call": stream(START, *HELLO, *SECOND, ends("tool_use"), STOP),
    "pings everywhere": stream(PING, START, PING, *HELLO[:2], PING, *HELLO[2:], PING, ends(), PING, STOP),
    "events that nobody knows": stream({"type": "hello"}, START, {"type": "acme:x", "index": 9}, *TURN[1:]),
    "thinking, with its signature": stream(
        START,
        begin(0, THINKING),
        delta(0, "thinking_delta", "Hm."),
        delta(0, "signature_delta", "c2ln"),
        stop(0),
        ends(),
        STOP,
    ),
    "a block that nobody knows": stream(
        START, begin(0, {"type": "acme"}), delta(0, "text_delta", "x"), stop(0), ends(), STOP
    ),
    "a delta that nobody knows": stream(START, begin(0, TEXT), delta(0, "acme_delta", "x"), *HELLO[1:], ends(), STOP),
    "an empty turn": stream(START, ends(), STOP),
    "several message_deltas": stream(START, *HELLO, ends(None), ends(), STOP),
    "a failure in a block": stream(START, *HELLO[:2], FAILURE),
    "a failure at once": stream(FAILURE),
    "a turn that is cut": stream(START, *HELLO[:2]),
    "comments": b": hi\n\n" + stream(*TURN).replace(b"\n\n", b"\n\n: x\n\n"),
    "carriage returns with line feeds": stream(*TURN).replace(b"\n", b"\r\n"),
    "no space after the colon": stream(*TURN).replace(b": ", b":", 2),
}


@pytest.mark.parametrize("wire", LAWFUL.values(), ids=LAWFUL)
def test_a_lawful_stream_breaks_nothing(wire: bytes) -> None:
    assert breaches(wire) == {}


def test_everything_of_a_stream_is_watched() -> None:
    wire = LAWFUL["text and a call"]
    assert set(watched(exchange(read(wire), wire))) == {
        EVENTS,
        BLOCKS,
        FRAMES,
        CLEAN,
        NAMES,
        NO_DONE,
        TYPE,
        FRAMED,
        NO_ID,
    }
    assert set(watched(exchange(read(b""), b""))) == {TYPE, FRAMED}
    assert set(watched(exchange(read(stream(FAILURE)), stream(FAILURE)))) == {
        EVENTS,
        ERRORS,
        CLEAN,
        NAMES,
        NO_DONE,
        TYPE,
        FRAMED,
        NO_ID,
    }


DISORDER: dict[str, tuple[list[Event], str, str]] = {
    "no message_start": ([*HELLO, ends(), STOP], EVENTS, "content_block_start came before message_start"),
    "message_start too late": ([HELLO[0], START, *HELLO[1:], ends(), STOP], EVENTS, "came before message_start"),
    "two message_starts": ([START, START, *TURN[1:]], EVENTS, "message_start came more than once"),
    "a message that is not empty": (
        [{"type": "message_start", "message": {**MESSAGE, "content": [{"type": "text", "text": "x"}]}}, *TURN[1:]],
        EVENTS,
        "message_start has content already",
    ),
    "a message that is over": (
        [{"type": "message_start", "message": {**MESSAGE, "stop_reason": "end_turn"}}, *TURN[1:]],
        EVENTS,
        "message_start has the stop_reason 'end_turn' already",
    ),
    "a block after message_delta": (
        [START, ends(), *HELLO, STOP],
        EVENTS,
        "content_block_start came after message_delta",
    ),
    "no message_delta": ([START, *HELLO, STOP], EVENTS, "message_stop came without a message_delta"),
    "no stop_reason": ([START, *HELLO, ends(None), STOP], EVENTS, "has no stop_reason"),
    "a stop_reason that is taken back": ([START, *HELLO, ends(), ends(None), STOP], EVENTS, "has no stop_reason"),
    "two message_stops": ([*TURN, STOP], EVENTS, "message_stop came after message_stop"),
    "a ping after the end": ([*TURN, PING], EVENTS, "ping came after message_stop"),
    "an error after the end": ([*TURN, FAILURE], EVENTS, "error came after message_stop"),
    "an end after an error": ([START, *HELLO, FAILURE, ends(), STOP], EVENTS, "message_delta came after error"),
    "a second turn": ([*TURN, START, ends(), STOP], EVENTS, "message_start came after message_stop"),
    "a block that stays open": ([START, *HELLO[:-1], ends(), STOP], BLOCKS, "message_delta came while the block"),
    "a block within another": (
        [START, *HELLO[:2], *SECOND, *HELLO[2:], ends(), STOP],
        BLOCKS,
        "the block at index 1 began while that at index 0 was open",
    ),
    "indices from 1": ([START, *SECOND, ends("tool_use"), STOP], BLOCKS, "the block number 0 has the index 1"),
    "one index twice": ([START, *HELLO, *HELLO, ends(), STOP], BLOCKS, "the block number 1 has the index 0"),
    "a delta without a block": ([START, HELLO[1], ends(), STOP], BLOCKS, "content_block_delta for index 0, where no"),
    "a delta of another index": (
        [START, HELLO[0], delta(1, "text_delta", "x"), HELLO[3], ends(), STOP],
        BLOCKS,
        "content_block_delta for index 1, where no block is open",
    ),
    "a delta after its block": ([START, *HELLO, HELLO[1], ends(), STOP], BLOCKS, "content_block_delta for index 0"),
    "an end without a block": ([START, stop(0), ends(), STOP], BLOCKS, "content_block_stop for index 0, which is not"),
    "an end of another block": ([START, *HELLO[:3], stop(1), ends(), STOP], BLOCKS, "content_block_stop for index 1"),
    "thinking in text": (
        [START, HELLO[0], delta(0, "thinking_delta", "x"), HELLO[3], ends(), STOP],
        BLOCKS,
        "thinking_delta in a block of type text",
    ),
    "text in thinking": (
        [START, begin(0, THINKING), HELLO[1], HELLO[3], ends(), STOP],
        BLOCKS,
        "text_delta in a block of type thinking",
    ),
    "text in a call": (
        [START, begin(0, tool()), HELLO[1], HELLO[3], ends(), STOP],
        BLOCKS,
        "text_delta in a block of type tool_use",
    ),
    "text that stands in the block's beginning": (
        [START, begin(0, {**TEXT, "text": "Hello"}), HELLO[3], ends(), STOP],
        BLOCKS,
        "the text block at index 0 begins with text that no delta says",
    ),
    "arguments that stand in the block's beginning": (
        [START, begin(0, tool(input={"a": 1})), stop(0), ends("tool_use"), STOP],
        BLOCKS,
        "the tool_use block at index 0 begins with input that no delta says",
    ),
    "two calls of one id": (
        [START, begin(0, tool()), stop(0), begin(1, tool()), stop(1), ends("tool_use"), STOP],
        BLOCKS,
        "two blocks have the id 'toolu_1'",
    ),
}


@pytest.mark.parametrize(("events", "id", "wanted"), DISORDER.values(), ids=DISORDER)
def test_each_disorder_is_found_and_no_other(events: list[Event], id: str, wanted: str) -> None:
    found = breaches(stream(*events))
    assert set(found) == {id}
    assert any(wanted in sentence for sentence in found[id]), found


PLAIN = stream(*TURN)
UNLAWFUL = {
    "no event lines": (
        b"".join(f"data: {json.dumps(e)}\n\n".encode() for e in TURN),
        {NAMES: "no event line for type message_start"},
    ),
    "another event line": (
        PLAIN.replace(b"event: message_stop", b"event: stop"),
        {NAMES: "event: stop, but type message_stop"},
    ),
    "a type in the event line only": (
        PLAIN + b'event: x\ndata: {"a": 1}\n\n',
        {NAMES: "an event without a type", FRAMES: '"type"', EVENTS: "None came after message_stop"},
    ),
    "DONE": (PLAIN + DONE, {NO_DONE: "[DONE] came once"}),
    "DONE twice": (DONE + PLAIN + DONE, {NO_DONE: "[DONE] came 2 times"}),
    "DONE in quotes": (PLAIN + b'data: "[DONE]"\n\n', {CLEAN: "no JSON object", FRAMES: "expected an object"}),
    "no usage at the end": (
        stream(START, *HELLO, {k: v for k, v in ends().items() if k != "usage"}, STOP),
        {FRAMES: '"usage"'},
    ),
    "no usage at the beginning": (
        stream({"type": "message_start", "message": {k: v for k, v in MESSAGE.items() if k != "usage"}}, *TURN[1:]),
        {FRAMES: '"usage"'},
    ),
    "no id": (
        stream({"type": "message_start", "message": {**MESSAGE, "id": ""}}, *TURN[1:]),
        {FRAMES: "$.message.id"},
    ),
    "a call without an id": (
        stream(START, begin(0, {**tool(), "id": ""}), stop(0), ends("tool_use"), STOP),
        {FRAMES: "$.content_block.id"},
    ),
    "Chat Completions' word": (stream(START, *HELLO, ends("stop"), STOP), {FRAMES: "$.delta.stop_reason"}),
    "an error without a message": (
        stream(START, {"type": "error", "error": {"type": "api_error", "message": ""}}),
        {ERRORS: "$.error.message"},
    ),
    "an error of another API": (
        stream(START) + b'event: error\ndata: {"error": {"type": "x", "message": "y"}}\n\n',
        {ERRORS: '"type"', NAMES: "an event without a type"},
    ),
    "an empty data line": (
        b"event: ping\ndata:\n\n" + PLAIN,
        {CLEAN: "an empty data line", FRAMES: "expected an object"},
    ),
    "a ping without data": (b"event: ping\n\n" + PLAIN, {CLEAN: "a block without data"}),
}


@pytest.mark.parametrize(("wire", "wanted"), UNLAWFUL.values(), ids=UNLAWFUL)
def test_each_breach_is_found_and_no_other(wire: bytes, wanted: dict[str, str]) -> None:
    found = breaches(wire)
    assert set(found) == set(wanted), found
    assert all(words in "; ".join(found[id]) for id, words in wanted.items()), found


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (200, BODY, {}),
        (200, {**BODY, "stop_reason": "stop"}, {BODIES: "$.stop_reason"}),
        (200, {**BODY, "content": [tool(input="{}")]}, {BODIES: "$.content[0].input"}),
        (200, FAILURE, {BODIES: '"id"'}),
        (429, FAILURE, {}),
        (429, {"error": {"type": "x", "message": "y", "code": None}}, {ERRORS: '"type"'}),
        (429, {"type": "error", "error": "boom"}, {ERRORS: "$.error"}),
    ],
)
def test_each_body_is_judged_by_its_schema(status: int, body: Any, wanted: dict[str, str]) -> None:
    answer = Answer(outcome="error" if status >= 400 else "", status=status, body=body)
    if status == 200:
        READERS["messages"][0](answer)
    seen = watched(exchange(answer, json.dumps(body).encode(), mode="json"))
    found = {id: sentences for id, sentences in seen.items() if sentences}
    assert set(found) == set(wanted)
    assert all(words in "; ".join(found[id]) for id, words in wanted.items()), found


# --- hostile ---------------------------------------------------------------------------------------------

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


def test_no_value_at_any_place_of_an_event_raises() -> None:
    events = [START, *HELLO, *SECOND, ends("tool_use"), STOP, FAILURE]
    for number, event in enumerate(events):
        for wrong in variants(event):
            held: list[Any] = [*events[:number], wrong, *events[number + 1 :]]
            wire = b"".join(f"event: {_name(e)}\ndata: {json.dumps(e)}\n\n".encode() for e in held)
            answer = read(wire)
            assert answer.outcome in (COMPLETE, ERROR, CUT, BROKEN)
            assert repr(answer)
            assert answer.calls is not None
            for sentences in watched(exchange(answer, wire)).values():
                assert all(isinstance(sentence, str) and len(sentence) < 400 for sentence in sentences)


def _name(event: Any) -> str:
    kind = event.get("type") if isinstance(event, dict) else ""
    return kind if isinstance(kind, str) and kind.isascii() else "x"


def test_no_body_raises() -> None:
    for body in variants(BODY):
        for status in (200, 500):
            answer = Answer(outcome="error" if status == 500 else "", status=status, body=body)
            if status == 200:
                READERS["messages"][0](answer)
            assert repr(answer)
            watched(exchange(answer, b"", mode="json"))


# --- asking ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stream", [True, False])
def test_the_question_is_a_lawful_one(stream: bool) -> None:
    body = question("messages", "Hi.", model="m", stream=stream, tools=["get", "put", "get"])
    assert validate(body, "messages/request") == []
    assert body["max_tokens"] > 0
    assert [t["name"] for t in body["tools"]] == ["get", "put"]
    assert body.get("stream", False) is stream


@pytest.mark.parametrize(
    ("surface", "given", "wanted"),
    [
        ("messages", (), {"authorization": "Bearer k-1", "x-api-key": "k-1", "anthropic-version": "2023-06-01"}),
        (
            "messages",
            (("X-Api-Key", "k-2"), ("Anthropic-Version", "2024-01-01")),
            {"authorization": "Bearer k-1", "x-api-key": "k-2", "anthropic-version": "2024-01-01"},
        ),
        ("chat", (), {"authorization": "Bearer k-1", "x-api-key": None, "anthropic-version": None}),
    ],
)
def test_the_key_is_sent_as_the_surfaces_clients_do(
    surface: str, given: tuple[tuple[str, str], ...], wanted: dict[str, str | None]
) -> None:
    with MockUpstream() as mock:
        client = GatewayClient(mock.base_url.removesuffix("/v1"), "k-1", given)
        reading = client.open(surface, Request("POST", PATHS[surface], b"{}"), stream=False)
        reading.finish()
        client.close()
    sent = {name.lower(): value for name, value in reading.sent_headers}
    assert {name: sent.get(name) for name in wanted} == wanted


def test_without_a_key_the_version_is_sent_all_the_same() -> None:
    assert headers("messages", "") == [("anthropic-version", "2023-06-01")]


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages"])
def test_a_refusal_is_in_the_dialects_envelope(dialect: str) -> None:
    upstream = Upstream(dialect)
    upstream.refuses(503, "server_error", "It fell over.")
    (refused,) = upstream.scripts
    ending: Any = refused.ending
    assert ending.status == 503
    assert validate(ending.body, f"{dialect}/error") == []
    assert ending.body["error"]["message"] == "It fell over."


# --- a whole run -------------------------------------------------------------------------------------------

RELAY = Path(__file__).with_name("plain_relay.py")
Run = Callable[..., CompletedProcess[str]]


NO_MESSAGES = """
import sys
from http.server import BaseHTTPRequestHandler
sys.path.insert(0, {folder!r})
import plain_relay

def do_POST(self, relay=plain_relay.Relay.do_POST):
    if self.path.startswith("/v1/messages"):
        self.close_connection = True
        self.send_response({status})
        self.send_header("Content-Length", "0")
        self.end_headers()
    else:
        relay(self)

plain_relay.Relay.do_POST = do_POST
plain_relay.main()
"""


@pytest.mark.parametrize(("status", "unserved"), [(404, True), (405, True), (501, True), (401, False), (500, False)])
def test_a_surface_that_is_not_there_is_not_claimed(
    status: int, unserved: bool, tmp_path: Path, gateproof: Run
) -> None:
    (tmp_path / "gateway.py").write_text(NO_MESSAGES.format(folder=str(RELAY.parent), status=status), "utf-8")
    start = json.dumps([sys.executable, "{here}/gateway.py", "{upstream_origin}", "{port}"])
    (tmp_path / "gateway.toml").write_text(f'[gateway]\nkey = "k-1"\nmodel = "m"\nstart = {start}\n', "utf-8")

    done = gateproof(
        "run", "-q", "--gateway=gateway.toml", "--upstream-listen=127.0.0.1:0", "--id=turn.*", "--report-dir=r"
    )

    verdicts = {
        c["pair"]: c["verdict"] for c in json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))["checks"]
    }
    assert (verdicts["chat.chat"], verdicts["responses.responses"]) == ("pass", "pass")
    assert ("messages.messages" not in verdicts and done.returncode == 0) is unserved
    assert any(pair.startswith("messages.") for pair in verdicts) is not unserved
