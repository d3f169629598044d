"""What a client makes of any bytes: never an exception, never a lie believed, never a right answer refused."""

from __future__ import annotations

import copy
import gzip
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
import pytest

from gateproof.answers import chat, responses
from gateproof.answers.absent import Missing
from gateproof.answers.answer import ABORTED, BROKEN, COMPLETE, CUT, ERROR, HUNG, Answer
from gateproof.answers.document import parse, parse_body
from gateproof.answers.sse import EventReader
from gateproof.client import GatewayClient, Request

COLLECTORS = {"chat": chat.ChunkReader, "responses": responses.EventCollector}
BODIES = {"chat": chat.read_body, "responses": responses.read_body}


def sse(*events: Any) -> bytes:
    """Documents as data events; a string is put on the wire as it is."""
    return b"".join(b"data: %s\n\n" % _wire(e) for e in events)


def _wire(event: Any) -> bytes:
    return event.encode("utf-8", "surrogatepass") if isinstance(event, str) else json.dumps(event).encode()


def read_stream(surface: str, wire: bytes) -> Answer:
    answer = Answer(outcome="", status=200)
    collector = COLLECTORS[surface](answer)
    for event in EventReader().feed(wire, 0.0):
        collector.take(event)
    collector.end()
    return answer


def read_json(surface: str, body: Any) -> Answer:
    answer = Answer(outcome="", status=200, body=body)
    BODIES[surface](answer)
    return answer


# --- chat --------------------------------------------------------------------------------------------


def chunk(finish: Any = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}


def call(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    name = more.pop("name", None)
    function = {"arguments": arguments} | ({"name": name} if name else {})
    return {"index": index, "function": function, **more}


USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 7,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 2, "audio_tokens": None},
    "completion_tokens_details": {"reasoning_tokens": 3, "accepted_prediction_tokens": 1},
}
CHAT_STREAM = [
    chunk(role="assistant", content=""),
    chunk(reasoning_content="Hm."),
    chunk(content="Hel"),
    chunk(content="lo"),
    chunk(tool_calls=[call(0, "", id="call_1", type="function", name="get")]),
    chunk(tool_calls=[call(0, '{"a":'), call(1, "{}", id="call_2", name="put")]),
    chunk(tool_calls=[call(0, "1}")]),
    chunk("tool_calls"),
    {**chunk(), "choices": [], "usage": USAGE},
]
COMPLETION = {
    "id": "c1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello",
                "reasoning_content": "Hm.",
                "refusal": None,
                "tool_calls": [
                    {"id": "call_1", "type": "function", "function": {"name": "get", "arguments": '{"a":1}'}},
                    {"id": "call_2", "type": "function", "function": {"name": "put", "arguments": "{}"}},
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": USAGE,
}

# --- responses ---------------------------------------------------------------------------------------


def response(status: str = "completed", **more: Any) -> dict[str, Any]:
    return {"id": "r1", "object": "response", "created_at": 1, "status": status, "model": "m", "output": []} | more


def ended(status: str = "completed", kind: str = "", **more: Any) -> dict[str, Any]:
    return {"type": kind or f"response.{status}", "response": response(status, **more)}


RESPONSES_USAGE = {
    "input_tokens": 5,
    "output_tokens": 7,
    "total_tokens": 12,
    "input_tokens_details": {"cached_tokens": 2},
    "output_tokens_details": {"reasoning_tokens": 3},
}
CALLS = [
    {"type": "function_call", "id": "f1", "call_id": "call_1", "name": "get", "arguments": '{"a":1}'},
    {"type": "function_call", "id": "f2", "call_id": "call_2", "name": "put", "arguments": "{}"},
]
OUTPUT = [
    {"type": "reasoning", "id": "x", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {"type": "message", "id": "m1", "role": "assistant", "content": [{"type": "output_text", "text": "Hello"}]},
    *CALLS,
]
DELTA = {"type": "response.output_text.delta", "output_index": 1, "content_index": 0, "item_id": "m1"}
RESPONSES_STREAM = [
    {"type": "response.created", "response": response("in_progress")},
    {"type": "response.reasoning_summary_text.delta", "delta": "Hm."},
    {**DELTA, "delta": "Hel"},
    {**DELTA, "delta": "lo"},
    {"type": "response.output_item.done", "output_index": 3, "item": CALLS[1]},
    {"type": "response.output_item.done", "output_index": 2, "item": CALLS[0]},
    ended(output=OUTPUT, usage=RESPONSES_USAGE),
]
FAILURE = {"code": "server_error", "message": "It fell over."}


@pytest.mark.parametrize(
    "answer",
    [
        read_stream("chat", sse(*CHAT_STREAM, "[DONE]")),
        read_stream("responses", sse(*RESPONSES_STREAM)),
        read_json("chat", COMPLETION),
        read_json("responses", response(output=OUTPUT, usage=RESPONSES_USAGE)),
    ],
    ids=["chat.stream", "responses.stream", "chat.json", "responses.json"],
)
def test_a_turn_is_read_alike_on_both_surfaces_and_in_both_modes(answer: Answer) -> None:
    assert (answer.outcome, answer.finish) == (COMPLETE, "tool_calls")
    assert (answer.text, answer.reasoning, answer.refusal) == ("Hello", "Hm.", "")
    assert answer.calls == [("get", '{"a":1}'), ("put", "{}")]
    assert [c.id for c in answer.tool_calls] == ["call_1", "call_2"]
    assert (answer.usage.input, answer.usage.output, answer.usage.total) == (5, 7, 12)
    assert (answer.usage.cached, answer.usage.reasoning, answer.usage.audio_input) == (2, 3, 0)
    assert answer.id
    assert answer.model == "m"
    assert not answer.error
    assert not answer.failed


def test_a_name_that_is_repeated_grows_as_in_the_sdks() -> None:
    twice = [chunk(tool_calls=[call(0, "{}", id="a", name="get")])] * 2
    held = read_stream("chat", sse(*twice, chunk("tool_calls"))).tool_calls
    assert [(c.name, c.names, c.ids) for c in held] == [("getget", ("get", "get"), ("a", "a"))]


@pytest.mark.parametrize(
    ("surface", "wire", "outcome", "finish"),
    [
        ("chat", sse(chunk(content="x"), chunk("stop")), COMPLETE, "stop"),
        ("chat", sse(chunk("length"), "[DONE]"), COMPLETE, "length"),
        ("chat", sse(chunk("content_filter"), "[DONE]"), COMPLETE, "content_filter"),
        ("chat", sse(chunk(content="x")), CUT, None),
        ("chat", sse(chunk(content="x"), "[DONE]"), CUT, None),
        ("chat", sse(chunk("")), CUT, None),
        ("chat", b"", CUT, None),
        ("chat", sse(chunk(content="x"), {"error": FAILURE}), ERROR, None),
        ("chat", sse(chunk(content="x"), {"error": FAILURE}, "[DONE]"), ERROR, None),
        ("chat", sse({**chunk(), "choices": [], "error": FAILURE}), ERROR, None),
        ("chat", sse({"error": None, **chunk("stop")}), COMPLETE, "stop"),
        ("chat", sse({"error": "boom"}), ERROR, None),
        ("chat", sse({"error": {"code": 1}}), ERROR, None),
        ("chat", sse(chunk("stop"), "{"), BROKEN, "stop"),
        ("chat", sse("[DONE] "), CUT, None),
        ("chat", sse(chunk("stop"), '"[DONE]"'), COMPLETE, "stop"),
        ("responses", sse(ended()), COMPLETE, "stop"),
        ("responses", sse(ended(), "[DONE]"), COMPLETE, "stop"),
        ("responses", sse(ended(output=CALLS)), COMPLETE, "tool_calls"),
        ("responses", sse(ended("incomplete", incomplete_details={"reason": "max_output_tokens"})), COMPLETE, "length"),
        (
            "responses",
            sse(ended("incomplete", incomplete_details={"reason": "content_filter"})),
            COMPLETE,
            "content_filter",
        ),
        ("responses", sse(ended("incomplete", incomplete_details={"reason": "interrupted"})), COMPLETE, "interrupted"),
        ("responses", sse(ended("completed", "response.done")), COMPLETE, "stop"),
        ("responses", sse(ended("failed", "response.done", error=FAILURE)), ERROR, None),
        ("responses", sse(ended("failed", error=FAILURE)), ERROR, None),
        ("responses", sse(ended("cancelled", error=None)), ERROR, None),
        ("responses", sse({"type": "response.failed"}), ERROR, None),
        ("responses", sse({"type": "error", **FAILURE}), ERROR, None),
        ("responses", sse({"type": "error", "error": FAILURE}), ERROR, None),
        ("responses", sse({"type": "error", "error": FAILURE}, ended("failed", error=FAILURE)), ERROR, None),
        ("responses", sse(DELTA), CUT, None),
        ("responses", sse(DELTA, "[DONE]"), CUT, None),
        ("responses", b"", CUT, None),
        ("responses", sse("nonsense"), BROKEN, None),
    ],
)
def test_each_end_of_a_stream_has_its_outcome(surface: str, wire: bytes, outcome: str, finish: str | None) -> None:
    answer = read_stream(surface, wire)
    assert (answer.outcome, answer.finish or None) == (outcome, finish)
    assert answer.failed is (outcome == ERROR)


@pytest.mark.parametrize(
    ("surface", "body", "outcome", "finish"),
    [
        ("chat", {**COMPLETION, "choices": []}, BROKEN, None),
        ("chat", {**COMPLETION, "choices": [{"index": 0, "message": {"content": "x"}}]}, BROKEN, None),
        (
            "chat",
            {**COMPLETION, "choices": [{"index": 0, "message": {"content": "x"}, "finish_reason": ""}]},
            BROKEN,
            None,
        ),
        (
            "chat",
            {**COMPLETION, "choices": [{"message": {"content": "x"}, "finish_reason": "length"}]},
            COMPLETE,
            "length",
        ),
        ("chat", {"error": FAILURE}, BROKEN, None),
        ("chat", {"error": "boom"}, BROKEN, None),
        ("chat", [], BROKEN, None),
        ("chat", None, BROKEN, None),
        ("responses", response("incomplete", incomplete_details={"reason": "max_output_tokens"}), COMPLETE, "length"),
        ("responses", response("failed", error=FAILURE), ERROR, None),
        ("responses", response("cancelled"), ERROR, None),
        ("responses", response("queued"), BROKEN, None),
        ("responses", {"error": FAILURE}, BROKEN, None),
        ("responses", COMPLETION, BROKEN, None),
        ("responses", "text", BROKEN, None),
    ],
)
def test_each_body_has_its_outcome(surface: str, body: Any, outcome: str, finish: str | None) -> None:
    answer = read_json(surface, body)
    assert (answer.outcome, answer.finish or None) == (outcome, finish)


@pytest.mark.parametrize(
    "wire",
    [sse({"error": FAILURE}), sse(ended("failed", error=FAILURE)), sse({"type": "error", "error": FAILURE})],
)
def test_an_error_in_a_stream_says_what_it_is(wire: bytes) -> None:
    answer = read_stream("chat" if b'"type"' not in wire else "responses", wire)
    assert (answer.error.where, answer.error.status) == ("in-band", 200)
    assert (answer.error.code, answer.error.message) == ("server_error", "It fell over.")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("response.completed", "failed"),
        ("response.completed", "incomplete"),
        ("response.completed", "in_progress"),
        ("response.failed", "completed"),
        ("response.incomplete", "completed"),
    ],
)
def test_an_event_that_contradicts_its_response_is_no_end(kind: str, status: str) -> None:
    # Codex and the SDKs go by the event's type, and would take a failed response.completed for a success.
    answer = read_stream("responses", sse(ended(status, kind, error=FAILURE)))
    assert answer.outcome == BROKEN
    assert status in answer.reason


@pytest.mark.parametrize(("kind", "outcome"), [("response.completed", COMPLETE), ("response.failed", ERROR)])
def test_a_response_without_a_status_has_that_of_its_event(kind: str, outcome: str) -> None:
    bare = {k: v for k, v in response(error=FAILURE).items() if k != "status"}
    assert read_stream("responses", sse({"type": kind, "response": bare})).outcome == outcome


def test_a_completed_event_without_a_response_is_no_end() -> None:
    assert read_stream("responses", sse(DELTA, {"type": "response.completed"})).outcome == BROKEN


@pytest.mark.parametrize(
    ("surface", "before", "after", "outcome"),
    [
        ("chat", [chunk(content="x"), chunk("stop")], chunk(content="AFTER"), COMPLETE),
        ("chat", [chunk(content="x"), chunk("stop")], {"error": FAILURE}, COMPLETE),
        ("chat", [chunk(content="x"), chunk("stop")], "{", COMPLETE),
        ("chat", [chunk(content="x")], {"error": FAILURE}, CUT),
        ("responses", [{**DELTA, "delta": "x"}], ended("failed", error=FAILURE), CUT),
    ],
)
def test_what_comes_after_done_is_noted_and_not_read(surface: str, before: list[Any], after: Any, outcome: str) -> None:
    # openai-python and openai-node stop there: an error that follows reaches nobody.
    answer = read_stream(surface, sse(*before, "[DONE]", after))
    assert (answer.outcome, answer.text) == (outcome, "x")
    assert answer.events[-2:] == ["[DONE]", after]


def test_the_sentinel_in_quotes_is_none() -> None:
    answer = read_stream("chat", sse(chunk("stop"), '"[DONE]"'))
    assert not answer.done
    assert "[DONE]" not in answer.events


def test_the_first_terminal_counts() -> None:
    answer = read_stream("responses", sse(ended(), ended("failed", error=FAILURE), {"type": "error", **FAILURE}))
    assert answer.outcome == COMPLETE


def test_a_call_that_is_done_twice_is_two_calls() -> None:
    # Codex runs every call that is done, whatever its index.
    done = {"type": "response.output_item.done", "output_index": 0, "item": CALLS[0]}
    assert len(read_stream("responses", sse(done, done, ended())).tool_calls) == 2


def test_usage_beside_the_response_is_read() -> None:
    assert read_stream("responses", sse({**ended(), "usage": RESPONSES_USAGE})).usage.total == 12


def test_the_usage_that_counts_is_the_last_that_is_not_null() -> None:
    stream = [{**chunk("stop"), "usage": None}, {**chunk(), "choices": [], "usage": USAGE}, {**chunk(), "usage": None}]
    assert read_stream("chat", sse(*stream)).usage.total == 12


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_what_was_left_out_is_missing_and_says_where(surface: str) -> None:
    answer = read_json(surface, {})
    assert isinstance(answer.usage, Missing)
    assert isinstance(answer.error.message, Missing)
    assert repr(answer.error.message) == "<absent: error.message>"
    assert not answer.finish
    thin = read_stream("chat", sse({"error": {"message": "x"}}))
    assert repr(thin.error.code) == "<absent: error.code>"


def test_a_repr_is_short_whatever_the_answer() -> None:
    huge = "x" * 100_000
    events = [
        chunk(huge, content=huge, tool_calls=[call(0, huge, name=huge)]),
        {"error": {"message": huge, "code": huge}},
    ]
    assert len(repr(read_stream("chat", sse(*events)))) < 700


# --- documents ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", " ", "{", "nul", "NaN", '{"a": NaN}', "[Infinity]", "[-Infinity]", "'x'", "[1,]", "\ufeff{}", "{}{}", '"\n"']
    + ["[" * depth + "]" * depth for depth in (201, 900, 10_000, 100_000)]
    + ['{"a":' * 10_000 + "1" + "}" * 10_000, "[" * 100_000],
)
def test_what_is_no_json_to_a_client_is_none_here(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("[" * 200 + "]" * 200, None),
        ("[" + "[]," * 5000 + "[]]", None),
        ("1" * 300, int("1" * 300)),
        ("1" * 5000, float("inf")),
        ("-" + "1" * 5000, float("-inf")),
        ("1e999", float("inf")),
        (r'"\ud800"', "\ud800"),
    ],
)
def test_what_is_json_is_read_however_odd(text: str, value: Any) -> None:
    assert value is None or parse(text) == value
    parse(text)


@pytest.mark.parametrize("data", [b'"\xff"', '"x"'.encode("utf-16"), '"x"'.encode("utf-32"), b'"\xed\xa0\x80"'])
def test_a_body_in_another_encoding_is_no_json(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_body(data)


def test_a_body_may_have_a_byte_order_mark() -> None:
    assert parse_body(b'\xef\xbb\xbf{"a": "\xc3\xa9"}') == {"a": "é"}


# --- hostile documents -------------------------------------------------------------------------------

WRONG = [None, True, -1, 1.5, float("inf"), 10**400, "", "text", "\ud800", [], {}, [[]], [None], {"a": {}}, [{"a": []}]]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(document, dict | list):
        for key, value in document.items() if isinstance(document, dict) else enumerate(document):
            yield from places(value, (*path, key))


def replaced(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    result = copy.deepcopy(document)
    parent = result
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value
    return result


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_no_value_at_any_place_of_a_stream_raises(surface: str) -> None:
    stream = CHAT_STREAM if surface == "chat" else RESPONSES_STREAM
    stream = [*stream, {"type": "error", "error": FAILURE}]
    for at, event in enumerate(stream):
        for path in places(event):
            for wrong in WRONG:
                answer = Answer(outcome="", status=200)
                collector = COLLECTORS[surface](answer)
                for document in [*stream[:at], replaced(event, path, wrong), *stream[at + 1 :]]:
                    for taken in EventReader().feed(sse(document), 0.0):
                        collector.take(taken)
                collector.end()
                assert answer.outcome in (COMPLETE, ERROR, CUT, BROKEN)
                assert repr(answer)
                assert answer.calls is not None


@pytest.mark.parametrize(
    ("surface", "body"),
    [
        ("chat", COMPLETION),
        ("responses", response("failed", output=OUTPUT, usage=RESPONSES_USAGE, error=FAILURE)),
        ("chat", {"error": FAILURE}),
        ("responses", {"error": FAILURE}),
    ],
)
def test_no_value_at_any_place_of_a_body_raises(surface: str, body: Any) -> None:
    for path in places(body):
        for wrong in WRONG:
            assert repr(read_json(surface, replaced(body, path, wrong)))


@pytest.mark.parametrize("surface", ["chat", "responses"])
@pytest.mark.parametrize(
    "data",
    [b"NaN", b"[" * 10_000, b"\xff\xfe", b'{"a": "\\ud800"}', b"1" * 10_000, b"", b"\x00", b'{"type": NaN}', b"[[]]"],
)
def test_no_data_raises(surface: str, data: bytes) -> None:
    answer = read_stream(surface, b"data: " + data + b"\n\n")
    assert answer.outcome in (BROKEN, CUT)
    assert repr(answer)


# --- bad HTTP ----------------------------------------------------------------------------------------

CEILING = 0.5
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = sse(chunk(content="Hello"), chunk("stop"), "[DONE]")


def as_chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def plain(body: bytes, status: str = "200 OK", *headers: str, type: str = "application/json") -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {type}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*head, "", ""]).encode() + body


def take_request(connection: socket.socket) -> None:
    held = b""
    while b"\r\n\r\n" not in held or (held.startswith(b"POST") and not held.endswith(b"{}")):
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("no whole request")
        held += more


@contextmanager
def server(play: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server of one connection at a time, which it hands to `play` once the request has come."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listening.accept()
                with connection, suppress(OSError):
                    take_request(connection)
                    play(connection)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)
    thread.join(5)


def ask(origin: str, *, surface: str = "chat", stream: bool = True, ceiling: float = CEILING) -> tuple[Answer, Any]:
    client = GatewayClient(origin, ceiling=ceiling)
    try:
        reading = client.open(surface, Request("POST", "/v1/x", b"{}"), stream=stream)
        return reading.finish(), reading
    finally:
        client.close()


def sends(*pieces: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(b"".join(pieces))


def resets(data: bytes) -> Callable[[socket.socket], None]:
    def play(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return play


def drips(data: bytes, unit: bytes) -> Callable[[socket.socket], None]:
    """A little now and then: no single read ever waits for long."""

    def play(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.settimeout(0.02)
        while True:
            connection.sendall(unit)
            with suppress(TimeoutError):
                if not connection.recv(65536):
                    return

    return play


def waits(data: bytes) -> Callable[[socket.socket], None]:
    def play(connection: socket.socket) -> None:
        connection.sendall(data)
        connection.recv(65536)

    return play


@pytest.mark.parametrize(
    ("play", "outcome", "reason"),
    [
        (sends(STREAM, as_chunk(WHOLE), b"0\r\n\r\n"), COMPLETE, ""),
        (sends(STREAM, as_chunk(WHOLE)), COMPLETE, ""),
        (resets(STREAM + as_chunk(WHOLE)), COMPLETE, ""),
        (sends(STREAM, as_chunk(sse(chunk(content="x"), chunk("stop")))), ABORTED, "the transfer broke"),
        (sends(STREAM, as_chunk(sse(chunk(content="x")))), ABORTED, "the transfer broke"),
        (sends(STREAM, as_chunk(sse(chunk(content="x"))), b"zz\r\n"), ABORTED, "the transfer broke"),
        (resets(STREAM + as_chunk(sse(chunk(content="x")))), ABORTED, "the transfer broke"),
        (sends(STREAM, b"0\r\n\r\n"), CUT, "without a finish_reason, or any event: '' (text/event-stream)"),
        (sends(plain(WHOLE, type="text/plain")), COMPLETE, ""),
        (sends(plain(json.dumps(COMPLETION).encode())), CUT, "application/json"),
        (sends(plain(json.dumps({"error": FAILURE}).encode())), CUT, "application/json"),
        (sends(plain(b"<!doctype html>", type="text/html")), CUT, "'<!doctype html>' (text/html)"),
        (
            sends(plain(gzip.compress(WHOLE), "200 OK", "Content-Encoding: gzip", type="text/event-stream")),
            CUT,
            "gzip though identity was asked for",
        ),
        (sends(plain(b"<h1>Bad Gateway</h1>", "502 Bad Gateway", type="text/html")), ERROR, "the body is not JSON"),
        (sends(plain(b"", "204 No Content")), BROKEN, "the body is empty"),
        (sends(plain(b"{}", "302 Found", "Location: /elsewhere")), BROKEN, "HTTP 302 is no answer"),
        (sends(plain(b"{}", "302 Found", "Location: http://xn--a/")), BROKEN, ""),
        (sends(plain(b"{}", "302 Found", "Location: http://[")), BROKEN, ""),
        (sends(b"\x00\xff I am no HTTP server\r\n\r\n"), BROKEN, "no HTTP answer"),
        (sends(b"HTTP/1.1 99 Odd\r\n\r\n"), BROKEN, ""),
        (sends(b"HTTP/1.1 099 Odd\r\n\r\n"), BROKEN, ""),
        (sends(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"), BROKEN, ""),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), BROKEN, "no HTTP answer"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx"), BROKEN, "no HTTP answer"),
        (sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n"), BROKEN, "no HTTP answer"),
        (sends(b""), BROKEN, "no HTTP answer"),
        (resets(b""), BROKEN, "no HTTP answer"),
        (waits(b""), HUNG, "no answer, or no end of it, within 0.5 s"),
        (waits(STREAM + as_chunk(WHOLE)), HUNG, "within 0.5 s"),
        (drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"), HUNG, "within 0.5 s"),
        (drips(STREAM, b"1\r\n:\r\n"), HUNG, "within 0.5 s"),
        (drips(STREAM, as_chunk(b": keepalive\n\n")), HUNG, "within 0.5 s"),
        (drips(STREAM + b"5;x=", b"x"), HUNG, "within 0.5 s"),
    ],
)
def test_a_stream_over_bad_http_is_an_outcome(play: Callable[[socket.socket], None], outcome: str, reason: str) -> None:
    with server(play) as origin:
        began = time.monotonic()
        answer, reading = ask(origin)
        assert time.monotonic() - began < CEILING + 2
    assert answer.outcome == outcome, repr(answer)
    assert reason in answer.reason
    assert reading.over


@pytest.mark.parametrize(
    ("play", "outcome", "reason"),
    [
        (sends(plain(json.dumps(COMPLETION).encode())), COMPLETE, ""),
        (sends(plain(json.dumps(COMPLETION).encode(), type="text/plain")), COMPLETE, ""),
        (sends(plain(WHOLE, type="text/event-stream")), BROKEN, "the body is not JSON"),
        (sends(plain(json.dumps({"error": FAILURE}).encode(), "429 Slow")), ERROR, ""),
        (sends(plain(b'{"error": "boom"}', "500 Oh")), ERROR, ""),
        (sends(plain(b"[]", "500 Oh")), ERROR, ""),
        (sends(plain(b'{"choices": NaN}')), BROKEN, "the body is not JSON"),
        (sends(plain(b"[" * 10_000)), BROKEN, "the body is not JSON"),
        (sends(plain(gzip.compress(b"{}"), "200 OK", "Content-Encoding: gzip")), BROKEN, "gzip though identity"),
        (sends(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}"), ABORTED, "the transfer broke"),
        (sends(b"HTTP/1.1 200 OK\r\n\r\n" + json.dumps(COMPLETION).encode()), COMPLETE, ""),
    ],
)
def test_a_body_over_bad_http_is_an_outcome(play: Callable[[socket.socket], None], outcome: str, reason: str) -> None:
    with server(play) as origin:
        answer, _ = ask(origin, stream=False)
    assert answer.outcome == outcome, repr(answer)
    assert reason in answer.reason


def test_nobody_there_is_no_exception() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer, _ = ask(f"http://127.0.0.1:{port}")
    assert answer.outcome == BROKEN
    assert answer.reason.startswith("could not connect")


def test_a_line_of_64_mebibytes_is_read_no_further_than_8() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(STREAM)
        for _ in range(64):
            connection.sendall(as_chunk(b"data: " + b"x" * 2**20))

    with server(flood) as origin:
        answer, reading = ask(origin, ceiling=20.0)
    assert (answer.outcome, answer.reason) == (BROKEN, "the answer is longer than 8 MiB; the suite read no further")
    assert len(reading.wire) < 9 * 2**20
    assert sum(len(piece) for _, piece in reading.leg.pieces) == 64 * 1024


def test_an_answer_that_hung_is_hung_up_on_and_keeps_what_came() -> None:
    gone = threading.Event()

    def stall(connection: socket.socket) -> None:
        connection.sendall(STREAM + as_chunk(sse(chunk(content="x"))))
        if connection.recv(65536) == b"":
            gone.set()

    with server(stall) as origin:
        answer, reading = ask(origin, ceiling=0.2)
        assert gone.wait(5)
    assert (answer.outcome, answer.text) == (HUNG, "x")
    assert not reading.clean


def test_a_live_reading_shows_the_answer_so_far_and_can_hang_up() -> None:
    gone = threading.Event()

    def hold(connection: socket.socket) -> None:
        connection.sendall(STREAM + as_chunk(sse(chunk(content="Hel"))))
        if connection.recv(65536) == b"":
            gone.set()

    with server(hold) as origin:
        client = GatewayClient(origin, ceiling=5.0)
        reading = client.open("chat", Request("POST", "/v1/x", b"{}"), stream=True, live=True)
        assert reading.until(lambda answer: answer.text == "Hel", 5.0)
        assert not reading.until(lambda answer: answer.text == "Hello", 0.0)
        reading.hang_up()
        assert gone.wait(5)
        assert reading.finish().outcome == ABORTED
        client.close()


def test_a_fault_of_the_suite_is_raised_and_blamed_on_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(self: Any, event: Any) -> None:
        raise KeyError("ours")

    monkeypatch.setattr(chat.ChunkReader, "take", stumble)
    with server(sends(STREAM, as_chunk(WHOLE), b"0\r\n\r\n")) as origin, pytest.raises(KeyError, match="ours"):
        ask(origin)


def test_each_question_stands_alone() -> None:
    asked: list[bytes] = []

    def set_cookie(connection: socket.socket) -> None:
        connection.sendall(plain(b"{}", "200 OK", "Set-Cookie: lane=7"))

    with server(set_cookie) as origin:
        client = GatewayClient(origin, ceiling=5.0)
        for _ in range(2):
            reading = client.open("chat", Request("POST", "/v1/x", b"{}"), stream=False)
            reading.finish()
            asked.extend(name.encode() for name, _ in reading.sent_headers)
        client.close()
    assert b"cookie" not in asked


def sent(request: Request, *, surface: str = "chat", key: str = "k") -> httpx.Request:
    """What the client sends for a request."""
    client = GatewayClient("http://gateway.invalid", key=key)
    built = []
    client.send = lambda request, line=None: built.append(request) or httpx.Response(204)  # type: ignore[method-assign]
    client.open(surface, request, stream=True).finish()
    client.close()
    return built[0]


def test_a_request_replaces_what_the_client_says_of_its_body_and_its_answer() -> None:
    own = (("accept", "*/*"), ("Content-Type", "application/json; charset=utf-8"))
    asked = sent(Request("POST", "/v1/x", b"{}", own)).headers
    assert asked.get_list("accept") == ["*/*"]
    assert asked.get_list("content-type") == ["application/json; charset=utf-8"]
    usual = sent(Request("POST", "/v1/x", b"{}")).headers
    assert usual.get_list("accept") == ["text/event-stream"]
    assert usual.get_list("content-type") == ["application/json"]


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ("", {"x-api-key": "k", "authorization": "Bearer k"}),
        ("x-api-key", {"x-api-key": "k"}),
        ("authorization", {"authorization": "Bearer k"}),
    ],
)
def test_a_key_is_shown_in_one_form_or_in_all(form: str, told: dict[str, str]) -> None:
    asked = sent(Request("POST", "/v1/x", b"{}", key_in=form), surface="messages").headers
    assert {name: asked[name] for name in ("x-api-key", "authorization") if name in asked} == told


def test_a_body_goes_in_chunks() -> None:
    asked = sent(Request("POST", "/v1/x", b'{"a": 1}', chunked=True))
    assert asked.headers["transfer-encoding"] == "chunked"
    assert "content-length" not in asked.headers
    pieces = list(asked.stream)  # type: ignore[arg-type]
    assert len(pieces) > 1
    assert b"".join(pieces) == b'{"a": 1}'


@pytest.mark.parametrize(("told", "connections"), [("", 1), ("Connection: close", 2)])
def test_a_line_is_kept_until_the_gateway_closes_it(told: str, connections: int) -> None:
    def answer_twice(connection: socket.socket) -> None:
        connection.sendall(plain(b"{}", "200 OK", *([told] if told else [])))
        if not told:
            take_request(connection)
            connection.sendall(plain(b"{}"))

    with server(answer_twice) as origin:
        client = GatewayClient(origin, ceiling=5.0)
        line = client.line()
        for _ in range(2):
            reading = client.open("chat", Request("POST", "/v1/x", b"{}", line=line), stream=False)
            assert reading.finish().status == 200
        line.close()
        client.close()
    assert line.connections == connections


def test_what_drips_over_a_kept_line_is_ended_too() -> None:
    def answer_and_drip(connection: socket.socket) -> None:
        connection.sendall(plain(b"{}"))
        take_request(connection)
        drips(b"HTTP/1.1 200 OK\r\nX: ", b"x")(connection)

    with server(answer_and_drip) as origin:
        client = GatewayClient(origin, ceiling=CEILING)
        line = client.line()
        readings = [
            client.open("chat", Request("POST", "/v1/x", b"{}", line=line), stream=False).finish() for _ in range(2)
        ]
        line.close()
        client.close()
    assert readings[0].status == 200
    assert readings[1].outcome == HUNG
    assert line.connections == 1


def test_a_document_that_cannot_be_had_is_missing() -> None:
    bomb = gzip.compress(b"x" * 2**20)
    for play, wanted in (
        (sends(plain(b'{"data": []}')), {"data": []}),
        (sends(plain(b"{}", "404 Not Found")), None),
        (sends(plain(b"nonsense")), None),
        (sends(plain(bomb, "200 OK", "Content-Encoding: gzip")), None),
        (drips(b"HTTP/1.1 200 OK\r\nX: ", b"x"), None),
    ):
        with server(play) as origin:
            client = GatewayClient(origin, ceiling=CEILING)
            found = client.get_json("/v1/models")
            client.close()
        assert isinstance(found, Missing) if wanted is None else found == wanted
