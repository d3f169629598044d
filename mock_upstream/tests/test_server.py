"""The mock as a server, seen by a raw socket: framing, barriers, broken connections, and its end."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from mock_bench import CEILING, ENGINES, PATHS, Client, Mock, chunked, new_marker, post, read_frames

from gateproof_mock import MockUpstream, ScriptError, When, cut, hold, refused, script, text
from gateproof_mock.serving.stage import Barrier
from gateproof_schemas import validate


@pytest.fixture
def client(mock: Mock) -> Iterator[Client]:
    with Client(mock) as one:
        yield one


def put(mock: Mock, *elements: Any) -> str:
    mark = new_marker()
    mock.stage.put(mark, [script(*elements)])
    return mark


def barrier(mock: Mock, mark: str, name: str) -> Barrier:
    found = mock.stage.barrier(mark, name)
    assert found is not None
    return found


def the_end(mock: Mock, mark: str) -> str:
    (entry,) = mock.journal.await_calls(mark, 1, CEILING, ended=True)
    return entry.ended


def body_for(mark: str, **more: Any) -> bytes:
    return json.dumps({"model": "m", "input": mark, **more}).encode()


def threads() -> set[threading.Thread]:
    return {t for t in threading.enumerate() if t.name.startswith("gateproof-mock")}


# --- plain answers --------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", ["responses", "chat"])
def test_a_json_answer(mock: Mock, client: Client, dialect: str) -> None:
    mark = put(mock, text("Hello"))
    status, headers, body = client.ask(mark, dialect).answer()
    assert (status, headers["content-type"]) == (200, "application/json")
    assert b"Hello" in body
    (entry,) = mock.journal.of(mark)
    assert (entry.dialect, entry.kind, entry.stream, entry.matched, entry.status) == (dialect, "turn", False, True, 200)
    assert the_end(mock, mark) == "played"


@pytest.mark.parametrize("dialect", ["responses", "chat"])
def test_a_streamed_answer(mock: Mock, client: Client, dialect: str) -> None:
    mark = put(mock, text("Hel", "lo"))
    status, headers, body = client.ask(mark, dialect, stream=True).answer()
    assert (status, headers["transfer-encoding"]) == (200, "chunked")
    assert list(read_frames(body))
    assert mock.journal.of(mark)[0].stream
    assert the_end(mock, mark) == "played"
    assert b"".join(piece for _, piece in mock.journal.of(mark)[0].sent.pieces) == body


def test_a_call_without_a_script_is_answered_and_noted(mock: Mock, client: Client) -> None:
    mark = new_marker()
    assert f"No script is registered for {mark}.".encode() in client.ask(mark).answer()[2]
    assert [e.marker for e in mock.journal.unmatched()] == [mark]
    assert b"This call belongs to no script." in client.ask("Hello").answer()[2]


def test_barriers_are_those_of_the_script_that_is_played(mock: Mock, client: Client) -> None:
    known, unknown = put(mock, text("a"), hold("h"), text("b")), new_marker()
    client.ask(f"{known} then {unknown}", stream=True).until(b'"delta":"a"')
    assert barrier(mock, known, "h").reached.wait(CEILING)
    mock.stage.release(known, "h")
    assert client.until(b'"delta":"b"')
    (entry,) = mock.journal.of(known)
    assert entry.markers == (known, unknown)


def test_gzip(mock: Mock, client: Client) -> None:
    mark = put(mock, text("unpacked"))
    packed = gzip.compress(body_for(mark))
    assert b"unpacked" in client.send(post(packed, PATHS["responses"], "Content-Encoding: gzip")).answer()[2]
    assert json.loads(mock.journal.of(mark)[0].body)["input"] == mark


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{", ()),
        (b"[]", ()),
        (b"\xff\xfe{}", ()),
        ('{"input": "x"}'.encode("utf-16"), ()),
        (b'{"a":' * 50_000 + b"1" + b"}" * 50_000, ()),
        (b'{"tools": ' + b"[" * 300 + b"]" * 300 + b"}", ()),
        (b'{"temperature": NaN}', ()),
        (b"{}", ("Content-Encoding: gzip",)),
        (b"{}", ("Content-Encoding: rot13",)),
    ],
)
def test_a_body_that_is_no_json_object(mock: Mock, client: Client, body: bytes, headers: tuple[str, ...]) -> None:
    for _ in range(2):
        status, _, answer = client.send(post(body, PATHS["responses"], *headers)).answer()
        assert status == 400
        assert validate(json.loads(answer), "responses/error") == []
    assert [e.status for e in mock.journal.all()] == [400, 400]
    json.dumps([e.to_json() for e in mock.journal.all()])


def test_models(mock: Mock, client: Client) -> None:
    mock.reception.models = ("one", "two")
    status, _, body = client.send(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n").answer()
    assert status == 200
    assert validate(json.loads(body), "models/list") == []
    assert [m["id"] for m in json.loads(body)["data"]] == ["one", "two"]
    assert mock.journal.unmatched() == []


def test_the_credential_is_echoed_where_the_script_says(mock: Mock, client: Client) -> None:
    mark = put(mock, refused(401, {"error": {"message": "Bad key {credential}"}}))
    for scheme in ("Bearer", "bearer"):
        request = post(body_for(mark), PATHS["chat"], f"Authorization: {scheme} sk-1")
        assert b"Bad key sk-1" in client.send(request).answer()[2]


def test_a_fault_of_the_mock_is_told_and_journalled_as_such(
    mock: Mock, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("in the mock")

    monkeypatch.setattr(mock.reception, "_rendered", broken)
    mark = new_marker()
    status, _, body = client.ask(mark).answer()
    assert (status, "ZeroDivisionError" in json.loads(body)["error"]["message"]) == (500, True)
    assert the_end(mock, mark) == "mock error"
    assert "ZeroDivisionError" in mock.journal.of(mark)[0].problem


# --- framing of requests --------------------------------------------------------------------------


def test_keep_alive_and_pipelining(mock: Mock, client: Client) -> None:
    marks = [put(mock, text(f"answer {n}")) for n in range(4)]
    requests = [post(body_for(m, stream=n % 2 == 1)) for n, m in enumerate(marks)]
    client.send(b"".join(requests))
    for n in range(4):
        assert f"answer {n}".encode() in client.answer()[2]
    assert b"answer 0" in client.ask(marks[0]).answer()[2]


def test_a_request_in_many_pieces(mock: Mock, client: Client) -> None:
    mark = put(mock, text("whole"))
    client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    request = post(body_for(mark))
    assert b"whole" in client.send(*(request[i : i + 1] for i in range(len(request)))).answer()[2]


def test_a_chunked_request(mock: Mock, client: Client) -> None:
    mark = put(mock, text("whole"))
    body = body_for(mark)
    chunks = b"".join(b"%x;ext=1\r\n%b\r\n" % (len(c), c) for c in (body[:7], body[7:]))
    for trailers in (b"", b"X-Sum: 1\r\nX-More: 2\r\n"):
        assert b"whole" in client.send(chunked(chunks, b"0\r\n", trailers, b"\r\n")).answer()[2]


HEAD = b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (chunked(b"zz\r\n"), 400),
        (chunked(b"-5\r\n"), 400),
        (chunked(b"0x2\r\n{}\r\n"), 400),
        (chunked(b"1_0\r\n"), 400),
        (chunked(b"\r\n"), 400),
        (chunked(b"2\r\n{}x\r\n0\r\n\r\n"), 400),
        (chunked(b"f" * 20000), (400, 431)),
        (chunked(b"0\r\n" + b"a: b\r\n" * 4000), (400, 431)),
        (HEAD + b"Content-Length: -1\r\n\r\n", 400),
        (HEAD + b"Content-Length: abc\r\n\r\n", 400),
        (HEAD + b"Content-Length: +2\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: 1_0\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400),
        (HEAD + b"Content-Length: 99999999999\r\n\r\n", 413),
        (HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"POST http://[ HTTP/1.1\r\nHost: localhost\r\n\r\n", 400),
    ],
)
def test_a_request_that_cannot_be_framed(
    mock: Mock, client: Client, request_bytes: bytes, status: int | tuple[int, ...]
) -> None:
    got, headers, body = client.send(request_bytes).answer()
    assert headers["connection"] == "close"
    assert got in (status if isinstance(status, tuple) else (status,))
    assert json.loads(body)["error"]["message"]
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b""
    assert client.end == "fin"
    assert [e.status for e in mock.journal.all()] == [got]


@pytest.mark.parametrize("mock", ["threads"], indirect=True)
def test_a_chunk_that_says_to_be_too_large_is_not_awaited(mock: Mock, client: Client) -> None:
    # The load engine's parser tells chunks only as they come: there the answer comes when so much was sent.
    assert client.send(chunked(b"fffffffffff\r\n")).answer()[0] == 413


@pytest.mark.parametrize("path", ["/_gateproof/reset", "/elsewhere"])
def test_framing_is_checked_on_every_path(client: Client, path: str) -> None:
    assert client.send(chunked(b"zz\r\n", path=path)).answer()[0] == 400


@pytest.mark.parametrize(
    "sent", [HEAD + b"Content-Length: 100\r\n\r\n{", chunked(b"5\r\n{"), chunked(b"1\r\n{\r\n"), chunked()]
)
def test_a_client_that_ends_in_its_request(mock: Mock, client: Client, sent: bytes) -> None:
    client.send(sent).socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b""
    assert [(e.ended, e.status, e.matched) for e in mock.journal.all()] == [("client went away", 0, False)]


def test_expect_continue_is_said_once(mock: Mock, client: Client) -> None:
    mark, paths = put(mock, text("a")), [PATHS["responses"]]
    if isinstance(mock, MockUpstream):
        mock.expect_request("/other", method="POST").respond_with_data("done")
        paths.append("/other")
    for path in paths:
        body = body_for(mark)
        head, _ = post(body, path, "Expect: 100-continue").split(b"\r\n\r\n")
        client.send(head + b"\r\n\r\n")
        assert client.until(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.send(body).answer()[0] == 200


@pytest.mark.parametrize("connection", ["close", "keep-alive, Close"])
def test_connection_close(mock: Mock, client: Client, connection: str) -> None:
    mark = put(mock, text("a"))
    status, headers, _ = client.send(post(body_for(mark), PATHS["chat"], f"Connection: {connection}")).answer()
    assert (status, headers["connection"]) == (200, "close")
    assert client.rest() == b""
    assert client.end == "fin"


@pytest.mark.parametrize("stream", [False, True])
def test_http_1_0_has_no_chunks_and_ends_with_the_connection(mock: Mock, client: Client, stream: bool) -> None:
    mark = put(mock, text("a"))
    client.send(post(body_for(mark, stream=stream), PATHS["responses"], "Connection: keep-alive", version="1.0"))
    status, headers = client.head()
    assert (status, headers["connection"]) == (200, "close")
    assert "transfer-encoding" not in headers
    body = client.rest()
    assert client.end == "fin"
    if stream:
        assert list(read_frames(body))[-1][0] == "response.completed"
    else:
        assert len(body) == int(headers["content-length"])


@pytest.mark.parametrize("path", [*PATHS.values(), "/v1/responses/compact", "/v1/responses/"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
def test_other_methods_on_a_dialects_route(mock: Mock, client: Client, path: str, method: str) -> None:
    for _ in range(2):
        status, headers = client.send(f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).head()
        assert (status, headers["allow"]) == (405, "POST")
        if method != "HEAD":
            client.exactly(int(headers["content-length"]))
    assert [(e.method, e.status) for e in mock.journal.unmatched()] == [(method, 405)] * 2


def test_head_has_no_body(mock: Mock, client: Client) -> None:
    for path in ("/v1/models", "/_gateproof/health", "/v1/models"):
        status, headers = client.send(f"HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()).head()
        assert status == 200
        assert int(headers["content-length"]) > 0


def test_a_subpath_takes_any_method(mock: Mock, client: Client) -> None:
    for method in ("GET", "DELETE"):
        status, _, body = client.send(
            f"{method} /v1/responses/resp_1?a=b HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        ).answer()
        assert (status, json.loads(body)["object"]) == (200, "gateproof.subpath")
    assert [(e.kind, e.path) for e in mock.journal.all()] == [("subpath", "/v1/responses/resp_1?a=b")] * 2


def test_the_absolute_form(mock: Mock, client: Client) -> None:
    mark = put(mock, text("absolute"))
    assert b"absolute" in client.send(post(body_for(mark), "http://mock/v1/responses")).answer()[2]


def test_204_has_neither_body_nor_length(mock: Mock, client: Client) -> None:
    mark = put(mock, refused(204, "no body"))
    for _ in range(2):
        status, headers = client.ask(mark).head()
        assert status == 204
        assert "content-length" not in headers


# --- barriers and broken connections --------------------------------------------------------------


def test_hold_and_release(mock: Mock, client: Client) -> None:
    mark = put(mock, text("one"), hold("first"), text("two"), hold("second"), text("three"))
    client.ask(mark, stream=True)
    client.until(b'"delta":"one"')
    assert barrier(mock, mark, "first").reached.wait(CEILING)
    assert not barrier(mock, mark, "second").reached.is_set()
    assert b"two" not in client.left
    mock.stage.release(mark, "first")
    client.until(b'"delta":"two"')
    assert mock.journal.of(mark)[0].ended == "open"
    mock.stage.release(mark, "second")
    client.until(b"response.completed")
    client.until(b"0\r\n\r\n")
    assert the_end(mock, mark) == "played"
    assert b"three" in client.ask(mark).answer()[2], "a released barrier stays open, and the connection is kept"


def test_a_json_answer_is_held_before_its_head(mock: Mock, client: Client) -> None:
    mark = put(mock, text("one"), hold("h"), text("two"))
    client.ask(mark)
    assert barrier(mock, mark, "h").reached.wait(CEILING)
    assert mock.journal.of(mark)[0].status == 0
    mock.stage.release(mark, "h")
    assert b"onetwo" in client.answer()[2]


@pytest.mark.parametrize("end", ["drop", "put"])
def test_dropping_a_script_lets_it_go_on(mock: Mock, client: Client, end: str) -> None:
    mark = put(mock, text("one"), hold("h"), text("two"))
    client.ask(mark, stream=True).until(b'"delta":"one"')
    assert barrier(mock, mark, "h").reached.wait(CEILING)
    if end == "drop":
        mock.stage.drop(mark)
    else:
        mock.stage.put(mark, [script(hold("h"))])
    client.until(b'"delta":"two"')


@pytest.mark.parametrize("engine", ENGINES)
def test_the_ceiling_lets_go(engine: str) -> None:
    with ENGINES[engine](barrier_ceiling=0.0) as mock, Client(mock) as client:
        mark = put(mock, text("one"), hold("h"), text("two"))
        assert b"two" in client.ask(mark, stream=True).answer()[2]
        assert the_end(mock, mark) == "held"
        assert b"two" in client.ask(mark).answer()[2]


@pytest.mark.parametrize("how", ["close", "reset", "half"])
def test_a_client_that_goes_away_while_held(mock: Mock, client: Client, how: str) -> None:
    mark = put(mock, text("one"), hold("h"), text("two"))
    client.ask(mark, stream=True).until(b'"delta":"one"')
    assert barrier(mock, mark, "h").reached.wait(CEILING)
    if how == "half":
        client.socket.shutdown(socket.SHUT_WR)
    else:
        if how == "reset":
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.socket.close()
    # Released at the same moment: gone is gone all the same.
    mock.stage.release(mark, "h")
    assert the_end(mock, mark) == "client went away"
    (entry,) = mock.journal.of(mark)
    assert b"two" not in b"".join(piece for _, piece in entry.sent.pieces)


def test_a_client_that_goes_away_while_written_to(mock: Mock, client: Client) -> None:
    mark = put(mock, text(*["x" * 65536] * 60))
    client.ask(mark, stream=True).until(b"response.created")
    client.socket.close()
    assert the_end(mock, mark) == "client went away"


@pytest.mark.parametrize("dialect", ["responses", "chat"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(("how", "end"), [("fin", "fin"), ("rst", "rst"), ("eof", "kept")])
def test_cuts(mock: Mock, client: Client, dialect: str, stream: bool, how: str, end: str) -> None:
    mark = put(mock, text("a" * 100_000), cut(how))
    client.ask(mark, dialect, stream=stream)
    if end == "kept":
        status, headers, body = client.answer()
        assert (status, headers["transfer-encoding"]) == (200, "chunked")
        assert the_end(mock, mark) == "played"
        assert client.ask(mark, dialect, stream=stream).answer()[0] == 200
    else:
        status, headers = client.head()
        body = client.rest()
        assert (status, client.end) == (200, end)
        assert the_end(mock, mark) == "cut"
        if stream:
            assert not body.endswith(b"0\r\n\r\n")
            assert b"a" * 100_000 in body, "what was said before the end has arrived"
        else:
            assert 0 < len(body) < int(headers["content-length"])
    assert b"aaaa" in body


def test_a_fin_is_a_fin_though_the_client_sent_more(mock: Mock, client: Client) -> None:
    mark = put(mock, text("a"), hold("h"), cut("fin"))
    client.ask(mark, stream=True).until(b'"delta":"a"')
    client.ask(mark)
    mock.stage.release(mark, "h")
    client.rest()
    assert client.end == "fin"
    for thread in threads():
        if thread.name == "gateproof-mock-connection":
            thread.join(CEILING)
    assert client.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0, "no reset came after the FIN"


def test_what_was_said_before_a_reset_arrives(mock: Mock, client: Client) -> None:
    # A window this small leaves most of the text in the mock's kernel when the script comes to its reset.
    client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    mark = put(mock, text("a" * 60_000, "the end"), hold("h"), cut("rst"))
    client.ask(mark, stream=True)
    assert barrier(mock, mark, "h").reached.wait(CEILING)
    mock.stage.release(mark, "h")
    body = client.rest()
    assert client.end == "rst"
    assert b"the end" in body


# --- the server's own life ------------------------------------------------------------------------


def test_stop_ends_held_streams_at_once_and_leaves_no_thread() -> None:
    before = threads()
    mock = MockUpstream(barrier_ceiling=60)
    mock.start()
    marks = [put(mock, text("one"), hold("h"), text("two")) for _ in range(8)]
    clients = [Client(mock).ask(m, stream=True) for m in marks]
    idle, half = Client(mock), Client(mock).send(HEAD + b"Content-Length: 5\r\n\r\n{")
    waiting = Client(mock).send(b"GET /_gateproof/journal?marker=x&calls=1&within=60 HTTP/1.1\r\nHost: m\r\n\r\n")
    for client, mark in zip(clients, marks, strict=True):
        client.until(b'"delta":"one"')
        assert barrier(mock, mark, "h").reached.wait(CEILING)
    assert len(threads() - before) >= 9
    began = time.monotonic()
    mock.stop()
    took = time.monotonic() - began
    assert threads() == before
    assert took < 1.0
    assert [the_end(mock, m) for m in marks] == ["stopped"] * 8
    for client in [*clients, idle, half, waiting]:
        assert b"two" not in client.rest()
        client.socket.close()


def test_stop_while_the_client_does_not_read() -> None:
    before = threads()
    mock = MockUpstream()
    mock.start()
    mark = put(mock, text(*["x" * 65536] * 60))
    with Client(mock) as client:
        client.ask(mark, stream=True).until(b"response.created")
        mock.stop()
        assert threads() == before
        assert the_end(mock, mark) == "stopped"


def test_a_stopped_mock_can_be_started_again(mock: Mock) -> None:
    mark, port = put(mock, text("again"), hold("h")), mock.port
    mock.stop()
    mock.start()
    assert mock.port == port
    with Client(mock) as client:
        client.ask(mark)
        assert barrier(mock, mark, "h").reached.wait(CEILING)
        mock.stage.release(mark, "h")
        assert b"again" in client.answer()[2]


def test_two_mocks_at_once(mock: Mock) -> None:
    with type(mock)() as other, Client(mock) as one, Client(other) as two:
        mark = put(mock, text("first"))
        other.stage.put(mark, [script(text("second"))])
        assert b"first" in one.ask(mark).answer()[2]
        assert b"second" in two.ask(mark).answer()[2]
        assert len(mock.journal.all()) == len(other.journal.all()) == 1


def test_a_taken_port_is_an_oserror(mock: Mock, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(OSError, match="in use"):
        type(mock)(port=mock.port).start()
    with pytest.raises(OSError):
        type(mock)(host="no-such-host.invalid").start()
    assert capfd.readouterr() == ("", "")


def test_a_running_mock_is_not_started_twice(mock: Mock) -> None:
    with pytest.raises(RuntimeError):
        mock.start()


@pytest.mark.parametrize("engine", ENGINES.values())
def test_addresses(engine: type[Mock]) -> None:
    assert engine("::1", 80).base_url == "http://[::1]:80/v1"
    assert engine("localhost", 80).base_url == "http://localhost:80/v1"


# --- pytest-httpserver ----------------------------------------------------------------------------


@pytest.mark.parametrize("mock", ["threads"], indirect=True)
def test_its_own_handlers_still_work(mock: MockUpstream, client: Client) -> None:
    mock.expect_request("/elsewhere", method="POST", json={"a": 1}).respond_with_json({"b": 2})
    status, headers, body = client.send(post(b'{"a": 1}', "/elsewhere", "Content-Type: application/json")).answer()
    assert (status, headers["connection"], json.loads(body)) == (200, "close", {"b": 2})
    mock.check_assertions()
    mock.check_handler_errors()
    assert len(mock.log) == 1
    assert mock.journal.all() == []


@pytest.mark.parametrize("mock", ["threads"], indirect=True)
def test_its_handlers_get_chunked_bodies_whole(mock: MockUpstream, client: Client) -> None:
    mock.expect_request("/elsewhere", data="abcd").respond_with_data("yes")
    assert client.send(chunked(b"2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n", path="/elsewhere")).answer()[2] == b"yes"


@pytest.mark.parametrize("path", ["/v1/v1/responses", "/v1/responsesfoo", "/", "/v1/message?a=b"])
def test_an_unknown_path_is_a_404_and_journalled(mock: Mock, client: Client, path: str) -> None:
    mark = put(mock, text("a"))
    assert client.send(post(body_for(mark), path)).answer()[0] == 404
    (entry,) = mock.journal.unmatched()
    assert (entry.path, entry.dialect, entry.markers, entry.status) == (path, "", (), 404)
    assert json.loads(entry.body)["input"] == mark
    if isinstance(mock, MockUpstream):
        mock.clear()
        assert mock.no_handler_status_code == 404


@pytest.mark.parametrize("engine", ENGINES)
def test_a_client_that_does_not_read_is_given_up_and_takes_no_memory(engine: str) -> None:
    # More than the kernel's buffers hold, by far; what is not sent must not be copied for each client.
    mark = new_marker()
    with ENGINES[engine](barrier_ceiling=0.5) as mock, Client(mock) as client:
        mock.stage.put(mark, [script(text("x" * 65536, times=100))])
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.ask(mark, stream=True)
        (entry,) = mock.journal.await_calls(mark, 1, CEILING, ended=True)
        assert entry.ended == "client does not read"
        assert entry.writes < entry.answer.writes


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_wrong_method_on_the_models_is_told_and_journalled(mock: Mock, client: Client, method: str) -> None:
    request = f"{method} /v1/models HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{{}}"
    status, headers, _ = client.send(request.encode()).answer()
    assert (status, headers["allow"]) == (405, "GET, HEAD")
    assert [e.status for e in mock.journal.unmatched()] == [405]


def test_half_a_head_is_no_call(mock: Mock, client: Client) -> None:
    mock.stage.put("all", [script(text("first")), script(text("second"))], When())
    client.send(b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Le").socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b""
    with Client(mock) as other:
        assert b"first" in other.ask("?").answer()[2]


@pytest.mark.parametrize("line", [b"nocolon", b"Content-Length : 62", b" folded: 1", b"a\0b: 1"])
def test_a_head_with_a_line_that_is_none_is_refused_whole(mock: Mock, client: Client, line: bytes) -> None:
    mark = put(mock, text("a"))
    smuggled = f"DELETE /_gateproof/scripts/{mark} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    head = b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\n" + line + b"\r\nContent-Length: %d\r\n\r\n"
    assert client.send(head % len(smuggled) + smuggled).answer()[0] == 400
    client.socket.shutdown(socket.SHUT_WR)
    assert client.rest() == b""
    assert mock.stage.names() == [mark]
    assert [e.status for e in mock.journal.all()] == [400]


@pytest.mark.parametrize(
    "sent", [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET / /\r\n\r\n"]
)
def test_what_is_no_http_1_1_is_refused_and_journalled(mock: Mock, client: Client, sent: bytes) -> None:
    status, _, body = client.send(sent).answer()
    assert (status >= 400, "error" in json.loads(body)) == (True, True)
    # What follows may look like another request that is none.
    assert mock.journal.all()[0].status == status


def test_large_bodies_are_not_kept(mock: Mock) -> None:
    mark = put(mock, text("a"))
    with Client(mock) as client:
        client.send(post(json.dumps({"input": mark, "filler": "x" * (2 << 20)}).encode(), PATHS["responses"])).answer()
    (entry,) = mock.journal.await_calls(mark, 1, CEILING, ended=True)
    assert len(entry.call.text) <= 1 << 20
    assert entry.json is None


def test_waits_do_not_keep_releases_waiting(mock: Mock) -> None:
    mark = put(mock, hold("h"), text("a"))
    target = f"/_gateproof/barriers/{mark}/h?within=30"
    waiting = [Client(mock) for _ in range(40)]
    for client in waiting:
        client.send(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    with Client(mock) as client:
        client.ask(mark)
        for one in waiting:
            assert one.answer()[0] == 200
            one.socket.close()
        mock.stage.release(mark, "h")
        assert client.answer()[0] == 200


def test_a_head_of_bare_line_feeds_is_not_remembered_wrongly(mock: Mock) -> None:
    mark = put(mock, text("a"))
    body = b'{"input":\r\n\r\n "%b"}' % mark.encode()
    request = b"POST /v1/responses HTTP/1.1\nHost: localhost\nContent-Length: %d\n\n%b" % (len(body), body)
    for _ in range(3):
        with Client(mock) as client:
            client.send(request, request)
            assert [client.answer()[0], client.answer()[0]] == [200, 200]


@pytest.mark.parametrize("engine", ENGINES)
def test_wrong_settings_are_refused_when_they_are_given(engine: str) -> None:
    for ceiling in (float("nan"), float("inf"), -1.0):
        with pytest.raises(ValueError, match="barrier_ceiling"):
            ENGINES[engine](barrier_ceiling=ceiling)
    for port in (-1, 99999):
        with pytest.raises(ValueError, match="port"):
            ENGINES[engine](port=port)
    mock = ENGINES[engine]()
    mock.stop()
    with pytest.raises(ScriptError, match="expected a When"):
        mock.stage.put("a", [script()], {"model": "m"})  # type: ignore[arg-type]
    with pytest.raises(ScriptError, match="expected scripts"):
        mock.stage.put(new_marker(), [{"say": []}])  # type: ignore[list-item]
