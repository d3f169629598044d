"""The control API, raw and through RemoteMock."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from mock_bench import CEILING, Client, new_marker

from gateproof_mock import MockError, MockUpstream, RemoteMock, Wire, failed, hold, script, text
from gateproof_mock.control import BODY_LIMIT, PREFIX, Control
from gateproof_mock.journal import Journal
from gateproof_mock.stage import Stage


@pytest.fixture
def control() -> Control:
    return Control(Stage(), Journal())


def said(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, document = answer
    return status, document["error"]["message"]


def ask(control: Control, method: str, target: str, body: object = None) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return control.answer(method, PREFIX + target, {}, data)


HELD = {"calls": [{"say": [{"text": "a"}, {"hold": "h"}]}]}


def test_every_route(control: Control) -> None:
    mark = new_marker()
    assert ask(control, "GET", "health") == (200, {"status": "ok", "name": "gateproof mock", "unmatched_calls": 0})
    assert ask(control, "PUT", f"scripts/{mark}", HELD) == (200, {"marker": mark})
    assert ask(control, "GET", f"barriers/{mark}/h") == (200, {"reached": False, "released": False})
    assert ask(control, "POST", f"barriers/{mark}/h") == (200, {"reached": False, "released": True})
    assert ask(control, "GET", f"barriers/{mark}/h?within=0") == (200, {"reached": False, "released": True})
    assert ask(control, "GET", "journal") == (200, {"calls": []})
    assert ask(control, "GET", f"journal?marker={mark}&calls=1&within=0&ended=1") == (200, {"calls": []})
    assert ask(control, "GET", "journal?unmatched=1") == (200, {"calls": []})
    assert ask(control, "DELETE", f"scripts/{mark}") == (200, {"marker": mark})
    assert ask(control, "DELETE", f"scripts/{mark}") == (200, {"marker": mark})
    ask(control, "PUT", f"scripts/{mark}", HELD)
    assert ask(control, "POST", "reset") == (200, {})
    assert ask(control, "GET", f"barriers/{mark}/h")[0] == 404


@pytest.mark.parametrize(
    ("method", "target", "status", "message"),
    [
        ("GET", "", 404, "No such control route: GET . There are: GET health"),
        ("GET", "nothing", 404, "No such control route: GET nothing"),
        ("POST", "health", 404, "No such control route"),
        ("GET", "scripts/M", 404, "No such control route"),
        ("PUT", "scripts", 404, "No such control route"),
        ("PUT", "scripts/M/N", 404, "No such control route"),
        ("DELETE", "journal", 404, "No such control route"),
        ("GET", "barriers/M/wrong", 404, "The scripts of M have no hold 'wrong'; there are: h."),
        ("POST", "barriers/gp-aaaaaa-aaaaaaaa/h", 404, "No script has the marker 'gp-aaaaaa-aaaaaaaa'."),
        ("GET", "barriers/M/h?within=soon", 400, "within: expected a number of seconds, got 'soon'"),
        ("GET", "barriers/M/h?within=nan", 400, "within: expected a number of seconds"),
        ("GET", "barriers/M/h?within=-1", 400, "within: expected a number of seconds"),
        ("GET", "barriers/M/h?wihtin=1", 400, "Unknown query key `wihtin`; did you mean `within`?"),
        ("POST", "barriers/M/h?within=1", 400, "Unknown query key `within`; known here: none."),
        ("GET", "journal?marker=M&calls=x", 400, "calls: expected a whole number, got 'x'"),
        ("GET", "journal?marker=M&calls=-1", 400, "calls: expected a whole number"),
        ("GET", "journal?maker=M", 400, "Unknown query key `maker`; did you mean `marker`?"),
        ("GET", "journal?unmatched=maybe", 400, "unmatched: expected 1 or 0, got 'maybe'"),
        ("GET", "journal?calls=1&within=1", 400, "give `marker` too"),
    ],
)
def test_errors(control: Control, method: str, target: str, status: int, message: str) -> None:
    mark = new_marker()
    ask(control, "PUT", f"scripts/{mark}", HELD)
    got, words = said(ask(control, method, target.replace("M", mark)))
    assert got == status
    assert message.replace("of M", f"of {mark}") in words


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", 'Expected {"calls": [script, ...]} as JSON'),
        (b"\xff", "Expected"),
        (b"[]", "Expected"),
        (b"[" * 100_000, "Expected"),
        (b"{}", "calls: expected a list of at least one script, got None"),
        (b'{"call": []}', "unknown key `call`; did you mean `calls`?"),
        (b'{"calls": []}', "calls: expected a list of at least one script, got []"),
        (b'{"calls": [{"say": [{"texd": "a"}]}]}', "calls[0].say[0]: unknown key `texd`; did you mean `text`?"),
        (b'{"calls": [{"say": [{"hold": "a/b"}]}]}', "calls[0].say[0].hold: expected a name"),
        (b'{"calls": [{"wire": {"no_don": true}}]}', "calls[0].wire: unknown key `no_don`; did you mean `no_done`?"),
    ],
)
def test_wrong_scripts(control: Control, body: bytes, message: str) -> None:
    status, words = said(ask(control, "PUT", f"scripts/{new_marker()}", body))
    assert status == 400
    assert words.startswith(message)


def test_a_word_that_is_no_marker(control: Control) -> None:
    assert said(ask(control, "PUT", "scripts/hello", HELD)) == (
        400,
        "'hello' is no marker: expected gp-xxxxxx-xxxxxxxx, where x is a to z or 2 to 7",
    )


def test_waits_are_bounded(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateproof_mock.control.WAIT_LIMIT", 0.0)
    mark = new_marker()
    ask(control, "PUT", f"scripts/{mark}", HELD)
    assert ask(control, "GET", f"barriers/{mark}/h?within=inf")[1]["reached"] is False
    assert ask(control, "GET", f"journal?marker={mark}&calls=1&within=1e9") == (200, {"calls": []})


def test_nobody_waits_for_a_dropped_script(control: Control) -> None:
    mark = new_marker()
    ask(control, "PUT", f"scripts/{mark}", HELD)
    waiting = Thread(target=ask, args=(control, "GET", f"barriers/{mark}/h?within=60"), daemon=True)
    waiting.start()
    ask(control, "DELETE", f"scripts/{mark}")
    waiting.join(CEILING)
    assert not waiting.is_alive()


@pytest.mark.parametrize("given", ["", "wrong", "TOKEN", "tökén"])
def test_the_token(given: str) -> None:
    control = Control(Stage(), Journal(), "token")
    headers = {"X-Gateproof-Token": given} if given else {}
    for method, target in (("GET", "journal"), ("POST", "reset"), ("GET", "nothing")):
        assert said(control.answer(method, PREFIX + target, headers, b"")) == (
            403,
            "Wrong or missing X-Gateproof-Token.",
        )
    assert control.answer("GET", PREFIX + "health", headers, b"")[0] == 200
    assert control.answer("GET", PREFIX + "journal", {"X-Gateproof-Token": "token"}, b"")[0] == 200


@pytest.mark.parametrize(
    ("host", "token", "enabled"),
    [
        ("127.0.0.1", "", True),
        ("127.9.9.9", "", True),
        ("::1", "", True),
        ("localhost", "", True),
        ("0.0.0.0", "", False),
        ("::", "", False),
        ("", "", False),
        ("192.0.2.1", "", False),
        ("gateway.example", "", False),
        ("0.0.0.0", "token", True),
    ],
)
def test_off_loopback_it_needs_a_token(host: str, token: str, enabled: bool) -> None:
    control = MockUpstream(host, token=token).control
    assert control.enabled is enabled
    assert control.answer("GET", PREFIX + "health", {}, b"")[0] == 200
    status = control.answer("GET", PREFIX + "journal", {"X-Gateproof-Token": token}, b"")[0]
    assert status == (200 if enabled else 403)


def test_over_http(mock: MockUpstream) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{mock.port}{PREFIX}") as client:
        mark = new_marker()
        assert client.put(f"scripts/{mark}", json=HELD).json() == {"marker": mark}
        answer = client.put("scripts/hello", json=HELD)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
        assert client.get("../v1/models").status_code == 200


def test_a_control_body_is_bounded(mock: MockUpstream) -> None:
    with Client(mock) as client:
        head = f"PUT {PREFIX}scripts/{new_marker()} HTTP/1.1\r\nHost: m\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n"
        status, _, body = client.send(head.encode()).answer()
        assert (status, json.loads(body)) == (
            413,
            {"error": {"message": f"A request body may hold {BODY_LIMIT} bytes."}},
        )
    assert mock.journal.all() == []


# --- RemoteMock -----------------------------------------------------------------------------------


def test_a_whole_exchange(mock: MockUpstream, remote: RemoteMock) -> None:
    mark = new_marker()
    remote.put(mark, [script(text("one"), hold("h"), text("two"), failed("c", "m"), wire=Wire(preamble=False))])
    assert not remote.reached(mark, "h", 0)
    with Client(mock) as client:
        client.ask(mark, stream=True).until(b'"delta":"one"')
        assert remote.reached(mark, "h", CEILING)
        (call,) = remote.calls(mark, at_least=1)
        assert (call["ended"], call["json"]["input"], call["matched"]) == ("open", mark, True)
        remote.release(mark, "h")
        client.until(b"response.failed")
    (call,) = remote.calls(mark, at_least=1, within=CEILING, ended=True)
    assert call["ended"] == "played"
    assert call["sent"]["pieces"][0][1].startswith("event: response.output_item.added")
    assert remote.all_calls() == [call]
    assert remote.unmatched() == []
    assert remote.health()["unmatched_calls"] == 0
    remote.drop(mark)
    with pytest.raises(MockError, match="No script has the marker"):
        remote.release(mark, "h")
    remote.reset()
    assert remote.all_calls() == []


def test_the_journal_with_awkward_bodies_can_be_read(mock: MockUpstream, remote: RemoteMock) -> None:
    with Client(mock) as client:
        for body in (b'{"a": "\\ud83e"}', b"\xff", b"[" * 300 + b"]" * 300):
            client.send(
                b"POST /v1/responses HTTP/1.1\r\nX-Odd: \xff\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
            )
            client.answer()
    assert [c["status"] for c in remote.all_calls()] == [200, 400, 400]


def test_half_surrogates_travel(mock: MockUpstream, remote: RemoteMock) -> None:
    mark = new_marker()
    remote.put(mark, [script(text("\ud83e", "\udd84"))])
    with Client(mock) as client:
        body = client.ask(mark).answer()[2]
    assert json.loads(body)["output"][0]["content"][0]["text"] == "🦄"


def test_a_token_that_is_wrong_or_right() -> None:
    with MockUpstream(token="sécret") as mock:
        with RemoteMock(mock.base_url) as remote, pytest.raises(MockError, match="Wrong or missing"):
            remote.all_calls()
        with RemoteMock(mock.base_url, "sécret") as remote:
            assert remote.all_calls() == []


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "127.0.0.1:1", "http://[", "http://bad host/", "nonsense:"])
def test_no_mock_there(url: str) -> None:
    with RemoteMock(url) as remote, pytest.raises(MockError, match="did not answer GET"):
        remote.health()


def test_names_with_slashes_cannot_reach_another_route(remote: RemoteMock) -> None:
    with pytest.raises(MockError, match="No script has the marker 'a/b"):
        remote.release("a/b?c", "../../reset")


@pytest.fixture
def stranger() -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_something_else_answers(stranger: str) -> None:
    with RemoteMock(stranger) as remote, pytest.raises(MockError, match="is no mock"):
        remote.health()
