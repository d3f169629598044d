"""The control API, raw and through RemoteMock. Every answer that is got here is held against its schema."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from mock_bench import CEILING, Client, Mock, new_marker

from gateproof_mock import (
    MockError,
    MockUpstream,
    RemoteMock,
    Script,
    ScriptError,
    When,
    Wire,
    failed,
    hold,
    script,
    text,
)
from gateproof_mock.control import BODY_LIMIT, PREFIX, Control
from gateproof_mock.dialects.routes import route
from gateproof_mock.serving.answers import Transfer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.reception import Reception
from gateproof_schemas import names, validate

# The schemas of what is taken, and of what is answered with 200, by the route.
REQUESTS = {"PUT": "control/put-scripts", "POST": "script-file"}
SCHEMAS = {
    r"(GET|HEAD) health": "control/health",
    r"(PUT|DELETE) scripts/.*": "control/name",
    r"GET scripts": "control/scripts",
    r"POST scripts": "control/registered",
    r"(GET|POST) barriers/[^/]*/.*": "control/barrier",
    r"POST barriers/[^/]*": "control/released",
    r"GET journal": "control/journal",
    r"GET builtin": "control/builtin",
    r"GET builtin/.*": "script",
    r"GET schema": "",
    r"POST reset": "",
}


@pytest.fixture
def control() -> Control:
    return Control(Reception())


def said(answer: tuple[int, dict[str, Any]]) -> tuple[int, str]:
    status, document = answer
    return status, document["error"]["message"]


def ask(control: Control, method: str, target: str, body: object = None) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    status, document = control.answer(method, PREFIX + target, {}, data)
    check(method, target, status, document)
    if status == 200 and target.startswith("scripts") and method in REQUESTS:
        assert validate(body, f"own/{REQUESTS[method]}") == []
    return status, document


def check(method: str, target: str, status: int, document: object) -> None:
    asked = f"{method} {target.partition('?')[0]}"
    (schema,) = [s for r, s in SCHEMAS.items() if re.fullmatch(r, asked)] if status == 200 else ["control/error"]
    if schema:
        assert validate(document, f"own/{schema}") == [], asked


def receive(reception: Reception, mark: str, path: str = "/v1/responses") -> None:
    """A call that is played and over."""
    call = Call("POST", path, [], json.dumps({"input": mark}).encode(), route(path))
    reception.journal.close(reception.receive(call, Transfer()).entry, "played")


@pytest.fixture(autouse=True)
def every_answer_over_http_keeps_its_schema(monkeypatch: pytest.MonkeyPatch) -> None:
    real = RemoteMock._ask

    def checked(self: RemoteMock, method: str, path: str, body: object = None, **query: Any) -> dict[str, Any]:
        document = real(self, method, path, body, **query)
        check(method, path, 200, document)
        return document

    monkeypatch.setattr(RemoteMock, "_ask", checked)


HELD = {"calls": [{"say": [{"text": "a"}, {"hold": "h"}]}]}


def test_every_route(control: Control) -> None:
    mark = new_marker()
    no_samples = {"samples": 0, "p50": None, "p99": None}
    assert ask(control, "GET", "health") == (
        200,
        {
            "status": "ok",
            "name": "gateproof mock",
            "calls": 0,
            "unmatched_calls": 0,
            "floor": {"first_byte_ms": no_samples, "pace_error_ms": no_samples},
        },
    )
    assert ask(control, "PUT", f"scripts/{mark}", HELD) == (200, {"name": mark})
    assert ask(control, "GET", "scripts") == (200, {"scripts": [mark]})
    assert ask(control, "GET", f"barriers/{mark}/h") == (200, {"reached": False, "released": False})
    assert ask(control, "POST", f"barriers/{mark}/h") == (200, {"reached": False, "released": True})
    assert ask(control, "GET", f"barriers/{mark}/h?within=0") == (200, {"reached": False, "released": True})
    assert ask(control, "GET", "journal") == (200, {"calls": []})
    assert ask(control, "GET", f"journal?marker={mark}&calls=1&within=0&ended=1") == (200, {"calls": []})
    assert ask(control, "GET", "journal?unmatched=1") == (200, {"calls": []})
    assert ask(control, "GET", f"journal?script={mark}&calls=1&within=0&ended=1&problems=1&after=0&limit=1")[0] == 200
    assert ask(control, "POST", f"barriers/{mark}") == (200, {"released": ["h"]})
    assert ask(control, "DELETE", f"scripts/{mark}") == (200, {"name": mark})
    assert ask(control, "DELETE", f"scripts/{mark}") == (200, {"name": mark})
    assert ask(control, "POST", "scripts", {mark: HELD, "small": {"when": {"model": "s-*"}, **HELD}}) == (
        200,
        {"registered": [mark, "small"]},
    )
    assert ask(control, "POST", "scripts", {}) == (200, {"registered": []})
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
        ("DELETE", "scripts", 404, "No such control route"),
        ("POST", "scripts/M", 404, "No such control route"),
        ("GET", "barriers", 404, "No such control route"),
        ("GET", "barriers/M", 404, "No such control route"),
        ("GET", "builtin/answer/0", 404, "No such control route"),
        ("GET", "builtin/answwer", 404, "did you mean `answer`"),
        ("GET", "builtin/answer?seed=x", 400, "seed: expected a whole number, got 'x'"),
        ("GET", "builtin?seed=1", 400, "Unknown query key `seed`"),
        ("POST", "barriers/nothing", 404, "No script has the marker or name 'nothing'."),
        ("GET", "journal?marker=M&script=M", 400, "give one of them"),
        ("GET", "journal?limit=-1", 400, "limit: expected a whole number"),
        ("GET", "journal?problem=1", 400, "did you mean `problems`?"),
        ("GET", "scripts?marker=M", 400, "Unknown query key `marker`; known here: none."),
        ("PUT", "scripts/M/N", 404, "No such control route"),
        ("DELETE", "journal", 404, "No such control route"),
        ("GET", "barriers/M/wrong", 404, "The scripts of M have no hold 'wrong'; there are: h."),
        ("POST", "barriers/gp-aaaaaa-aaaaaaaa/h", 404, "No script has the marker or name 'gp-aaaaaa-aaaaaaaa'."),
        ("GET", "barriers/M/h?within=soon", 400, "within: expected a number of seconds, got 'soon'"),
        ("GET", "barriers/M/h?within=nan", 400, "within: expected a number of seconds"),
        ("GET", "barriers/M/h?within=-1", 400, "within: expected a number of seconds"),
        ("GET", "barriers/M/h?wihtin=1", 400, "Unknown query key `wihtin`; did you mean `within`?"),
        ("POST", "barriers/M/h?within=1", 400, "Unknown query key `within`; known here: none."),
        ("GET", "journal?marker=M&calls=x", 400, "calls: expected a whole number, got 'x'"),
        ("GET", "journal?marker=M&calls=-1", 400, "calls: expected a whole number"),
        ("GET", "journal?maker=M", 400, "Unknown query key `maker`; did you mean `marker`?"),
        ("GET", "journal?unmatched=maybe", 400, "unmatched: expected 1 or 0, got 'maybe'"),
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
        (b"[]", "calls: expected a list of at least one script"),
        (b"[" * 100_000, "Expected"),
        (b"{}", "`calls` is missing: a list of at least one script"),
        (b'{"call": []}', "unknown key `call`; did you mean `calls`?"),
        (b'{"calls": []}', "calls: expected a list of at least one script, got []"),
        (b'{"calls": [{"say": [{"texd": "a"}]}]}', "calls[0].say[0]: unknown key `texd`; did you mean `text`?"),
        (b'{"calls": [{"say": [{"hold": "a/b"}]}]}', "calls[0].say[0].hold: expected a name"),
        (b'{"calls": [{"wire": {"no_don": true}}]}', "calls[0].wire: unknown key `no_don`; did you mean `no_done`?"),
        (b'{"calls": [{}], "when": {"modl": "m"}}', "when: unknown key `modl`; did you mean `model`?"),
        (b'{"calls": [{}], "wen": {}}', "unknown key `wen`; did you mean `when`?"),
    ],
)
def test_wrong_scripts(control: Control, body: bytes, message: str) -> None:
    status, words = said(ask(control, "PUT", f"scripts/{new_marker()}", body))
    assert status == 400
    assert words.startswith(message)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], 'expected NAME: [script, ...] or NAME: {"when": {...}, "calls": [script, ...]}, got []'),
        (
            {"gp-aaaaaa-aaaaaaaa": HELD, "gp-bbbbbb-bbbbbbbb": {"calls": []}},
            "gp-bbbbbb-bbbbbbbb.calls: expected a list",
        ),
        ({"gp-aaaaaa-aaaaaaaa": HELD, "hello": [{}]}, "hello: 'hello' is no marker"),
        ({"gp-aaaaaa-aaaaaaaa": HELD, "a/b": [{}]}, "a/b: expected a name"),
    ],
)
def test_of_a_wrong_script_file_nothing_is_registered(control: Control, document: Any, message: str) -> None:
    status, words = said(ask(control, "POST", "scripts", document))
    assert status == 400
    assert words.startswith(message)
    assert ask(control, "GET", "scripts")[1] == {"scripts": []}


def test_too_many_rules_register_nothing(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateproof_mock.serving.stage.RULE_LIMIT", 1)
    document = {name: {"when": {}, **HELD} for name in ("a", "b")}
    assert said(ask(control, "POST", "scripts", document))[0] == 400
    assert ask(control, "GET", "scripts")[1] == {"scripts": []}


def test_a_word_that_is_no_marker_needs_a_when(control: Control) -> None:
    status, words = said(ask(control, "PUT", "scripts/hello", HELD))
    assert status == 400
    assert words.startswith("'hello' is no marker (gp-xxxxxx-xxxxxxxx")
    assert ask(control, "PUT", "scripts/hello", {"when": {}, **HELD}) == (200, {"name": "hello"})


def test_built_in_scripts_can_be_copied(control: Control) -> None:
    there = [one["name"] for one in ask(control, "GET", "builtin")[1]["builtin"]]
    assert len(there) > 100
    for name in ("", "/answer", "/answer?seed=0", "/answer?seed=7"):
        assert ask(control, "GET", f"builtin{name}")[0] == 200
    copy = ask(control, "GET", "builtin/answer?seed=7")[1]
    assert copy != ask(control, "GET", "builtin/answer")[1]
    assert Script.from_json(copy).to_json() == copy


def test_the_schemas_are_handed_out() -> None:
    found = ask(Control(Reception()), "GET", "schema")[1]
    assert {f"own/{name}" for name in found} <= set(names())
    assert {"control/health", "control/journal", "control/entry", "control/error", "control/put-scripts"} <= set(found)
    for schema in found.values():
        Draft202012Validator.check_schema(schema)


def test_the_journal_in_parts() -> None:
    reception = Reception()
    control = Control(reception)
    mark, other = new_marker(), new_marker()
    ask(control, "PUT", f"scripts/{mark}", {"calls": [{}]})
    ask(control, "PUT", "scripts/rest", {"calls": [{}], "when": {"dialect": "chat"}})
    for marker, path in ((mark, "/v1/responses"), (other, "/v1/responses"), (other, "/v1/chat/completions")):
        receive(reception, marker, path)

    def numbers(query: str) -> list[int]:
        return [call["number"] for call in ask(control, "GET", f"journal{query}")[1]["calls"]]

    assert numbers("") == [1, 2, 3]
    assert numbers("?after=1") == [2, 3]
    assert numbers("?limit=2") == [2, 3]
    assert numbers("?after=1&limit=1") == [3]
    assert numbers("?unmatched=1") == [2]
    assert numbers(f"?marker={other}") == [2, 3]
    assert numbers(f"?marker={other}&unmatched=1") == [2]
    assert numbers("?script=rest&calls=1&ended=1&within=5") == [3]
    (first, _, chat) = ask(control, "GET", "journal?problems=1")[1]["calls"]
    assert (first["problems"], chat["script"]) == (['$: expected the key "model", which is missing'], "rest")
    assert "problems" not in ask(control, "GET", "journal")[1]["calls"][0]


def test_a_reset_clears_the_floor() -> None:
    reception = Reception()
    reception.floor.first_bytes.append(0.001)
    control = Control(reception)
    assert ask(control, "GET", "health")[1]["floor"]["first_byte_ms"]["samples"] == 1
    ask(control, "POST", "reset")
    assert ask(control, "GET", "health")[1]["floor"]["first_byte_ms"]["samples"] == 0


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


def test_waits_end_when_the_mock_stops() -> None:
    reception, stopping, mark = Reception(), Event(), new_marker()
    control = Control(reception, stopping=stopping)
    ask(control, "PUT", f"scripts/{mark}", HELD)
    targets = (f"barriers/{mark}/h?within=60", f"journal?marker={mark}&calls=1&within=60")
    waiting = [Thread(target=ask, args=(control, "GET", target), daemon=True) for target in targets]
    for thread in waiting:
        thread.start()
    stopping.set()
    reception.stage.wake()
    reception.journal.wake()
    for thread in waiting:
        thread.join(CEILING)
        assert not thread.is_alive()


def test_all_barriers_of_a_script_are_released() -> None:
    reception, mark = Reception(), new_marker()
    control = Control(reception)
    ask(control, "PUT", f"scripts/{mark}", {"calls": [{"say": [{"hold": "a"}, {"hold": "b"}]}]})
    assert ask(control, "POST", f"barriers/{mark}") == (200, {"released": ["a", "b"]})
    assert [ask(control, "GET", f"barriers/{mark}/{name}")[1]["released"] for name in "ab"] == [True, True]


def test_why_it_is_off() -> None:
    off = Control(Reception(), enabled=False, why_off="several processes share the port")
    assert said(ask(off, "GET", "journal")) == (403, "The control API is off: several processes share the port.")
    assert said(ask(Control(Reception(), enabled=False), "GET", "journal")) == (
        403,
        "The control API is off: the mock is not bound to a loopback address and has no token.",
    )


@pytest.mark.parametrize("given", ["", "wrong", "TOKEN", "tökén"])
def test_the_token(given: str) -> None:
    control = Control(Reception(), "token")
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


def test_over_http(mock: Mock) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{mock.port}{PREFIX}") as client:
        mark = new_marker()
        assert client.put(f"scripts/{mark}", json=HELD).json() == {"name": mark}
        answer = client.put("scripts/hello", json=HELD)
        assert (answer.status_code, answer.headers["content-type"]) == (400, "application/json")
        assert client.get("../v1/models").status_code == 200


def test_a_control_body_is_bounded(mock: Mock) -> None:
    with Client(mock) as client:
        head = f"PUT {PREFIX}scripts/{new_marker()} HTTP/1.1\r\nHost: m\r\nContent-Length: {BODY_LIMIT + 1}\r\n\r\n"
        status, _, body = client.send(head.encode()).answer()
        assert (status, json.loads(body)) == (
            413,
            {"error": {"message": f"A request body may hold {BODY_LIMIT} bytes."}},
        )
    assert mock.journal.all() == []


# --- RemoteMock -----------------------------------------------------------------------------------


def test_a_whole_exchange(mock: Mock, remote: RemoteMock) -> None:
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
    with pytest.raises(MockError, match="No script has the marker or name"):
        remote.release(mark, "h")
    remote.reset()
    assert remote.all_calls() == []


def test_scripts_for_calls_that_look_so(mock: Mock, remote: RemoteMock) -> None:
    remote.put("small", [script(text("small"))], when=When(model="small-*"))
    assert remote.scripts() == ["small"]
    with pytest.raises(ScriptError, match="no JSON form"):
        remote.put("odd", [script()], when=When(test=bool))
    with pytest.raises(MockError, match=r"no call of small .* ended within 0 s: none came"):
        remote.await_end("small", 0)
    with pytest.raises(MockError, match="got no call of small within 0 s"):
        remote.await_call("small", 0)
    with Client(mock) as client:
        assert b"small" in client.ask(model="small-1").answer()[2]
        assert b"no script" in client.ask(model="large").answer()[2]
    assert remote.await_call("small", CEILING)["script"] == "small"
    assert remote.await_end("small", CEILING)["ended"] == "played"
    assert [call["json"]["model"] for call in remote.unmatched()] == ["large"]


def test_a_call_that_does_not_end(mock: Mock, remote: RemoteMock) -> None:
    mark = new_marker()
    remote.put(mark, [script(hold("h"))])
    with Client(mock) as client:
        client.ask(mark)
        assert remote.await_call(mark, CEILING)["ended"] == "open"
        with pytest.raises(MockError, match="1 came, and none ended"):
            remote.await_end(mark, 0)


def test_built_in_scripts_from_afar(mock: Mock, remote: RemoteMock) -> None:
    assert "answer" in remote.builtin()
    with Client(mock) as client:
        assert client.ask("gp-play-answer").answer()[0] == 200
    assert remote.await_end("gp-play-answer.0", CEILING)["matched"] is True


def test_the_journal_with_awkward_bodies_can_be_read(mock: Mock, remote: RemoteMock) -> None:
    with Client(mock) as client:
        for body in (b'{"a": "\\ud83e"}', b"\xff", b"[" * 300 + b"]" * 300):
            client.send(
                b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nX-Odd: \xff\r\nContent-Length: %d\r\n\r\n%b"
                % (len(body), body)
            )
            client.answer()
    assert [c["status"] for c in remote.all_calls()] == [200, 400, 400]


def test_half_surrogates_travel(mock: Mock, remote: RemoteMock) -> None:
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


def test_a_mock_that_comes_back_at_its_address_is_found_again() -> None:
    with MockUpstream() as first, RemoteMock(first.base_url) as remote:
        remote.put("old", [script()], when=When(model="old"))
        port = first.port
        first.stop()
        # The connection that `remote` kept is closed by now.
        with pytest.raises(MockError, match="did not answer GET"):
            remote.scripts()
        with MockUpstream(port=port):
            assert remote.scripts() == []
    with MockUpstream(port=port), RemoteMock(f"http://127.0.0.1:{port}") as remote:
        assert remote.scripts() == []


def test_a_kept_connection_that_was_closed_is_replaced() -> None:
    with MockUpstream() as first, RemoteMock(first.base_url) as remote:
        assert remote.scripts() == []
        port = first.port
        first.stop()
        with MockUpstream(port=port) as second:
            second.stage.put("new", [script()], When(model="new"))
            assert remote.scripts() == ["new"]


def test_many_threads_ask_at_once(mock: Mock, remote: RemoteMock) -> None:
    def ask(number: int) -> bool:
        mark = new_marker()
        remote.put(mark, [script(text(str(number)))])
        return mark in remote.scripts() and remote.calls(mark, 1, 0.01) == []

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(ask, range(40)))


def test_names_with_slashes_cannot_reach_another_route(remote: RemoteMock) -> None:
    with pytest.raises(MockError, match="No script has the marker or name 'a/b"):
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


def test_any_call_is_waited_for(mock: Mock, remote: RemoteMock) -> None:
    with Client(mock) as client:
        client.ask("Hello").answer()
    (first,) = remote.calls("", 1, CEILING, ended=True)
    document = httpx.get(f"{remote.origin}/_gateproof/journal?calls=1&within=0&after={first['number']}").json()
    assert document == {"calls": []}


def test_a_file_is_registered_as_yaml_and_from_python(mock: Mock, remote: RemoteMock, tmp_path: Path) -> None:
    text = "rule:\n  when: {model: a*}\n  calls:\n    - say: [text: Hi]\n"
    url = f"{remote.origin}/_gateproof/scripts"
    answer = httpx.post(url, content=text, headers={"Content-Type": "application/yaml"})
    assert answer.json() == {"registered": ["rule"]}
    wrong = httpx.post(url, content=text.replace("text", "txt"), headers={"Content-Type": "text/yaml"})
    assert (wrong.status_code, "line 4" in wrong.json()["error"]["message"]) == (400, True)
    (tmp_path / "a.yaml").write_text(text.replace("rule", "other"))
    assert remote.load(tmp_path / "a.yaml") == ["other"]
    assert remote.scripts() == ["rule", "other"]


def test_all_barriers_are_released_from_afar(mock: Mock, remote: RemoteMock) -> None:
    mark = new_marker()
    remote.put(mark, [script(hold("a"), hold("b"))])
    remote.release_all(mark)
    assert all(mock.stage.barrier(mark, name).released.is_set() for name in "ab")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "127.0.0.1:80"}, 200),
        ({"Host": "[::1]:80", "Origin": "http://localhost:3000"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "127.0.0.1", "Origin": "http://evil.example"}, 403),
        ({"Host": "127.0.0.1", "Origin": "null"}, 403),
    ],
)
def test_no_page_of_another_site_is_served_without_a_token(headers: dict[str, str], status: int) -> None:
    assert Control(Reception()).answer("POST", f"{PREFIX}reset", headers, b"")[0] == status
    guarded = Control(Reception(), "secret")
    assert guarded.answer("POST", f"{PREFIX}reset", {**headers, "X-Gateproof-Token": "secret"}, b"")[0] == 200


def test_what_a_refused_file_would_have_replaced_stays() -> None:
    reception, old, new = Reception(), script(text("old")), {"when": {}, "calls": [{"say": []}]}
    reception.stage.put("keep", [old], When())
    document = json.dumps({"keep": new, **{f"r{n}": new for n in range(1000)}}).encode()
    assert Control(reception).answer("POST", f"{PREFIX}scripts", {}, document)[0] == 400
    assert reception.stage.names() == ["keep"]
    call = Call("POST", "/v1/responses", [], b"{}", route("/v1/responses"))
    cue = reception.stage.take(call)
    assert cue is not None
    assert cue.script is old
