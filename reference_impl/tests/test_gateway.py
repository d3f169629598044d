"""The server around the translators: statuses, headers, keys, and what is held back."""

from typing import Any

import gateway_scenes as scenes
import httpx
import pytest
from gateway_bench import CUT, Asking, Fake
from gateway_scenes import chunk, failed, message, responses_turn

from gateproof_reference import failures

KEY = "sk-operator-secret"
SURFACES = ("chat", "responses", "messages")
PAIRS = [(surface, dialect) for surface in SURFACES for dialect in SURFACES]
PATHS = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}
WHOLE: dict[str, list[Any]] = {
    "responses": responses_turn(message("Hi")),
    "chat": scenes.chat_turn(chunk({"content": "Hi"})),
    "messages": scenes.messages_turn(scenes.text_block("Hi")),
}


ENVELOPE = {"message", "type", "param", "code"}


def asked(ask: Asking, surface: str, dialect: str, **more: Any) -> Any:
    return ask.turn(surface, dialect, **more)


def turn(dialect: str, *, cut: bool = False) -> list[Any]:
    return [*WHOLE[dialect][: 2 if dialect == "chat" else 4], CUT] if cut else WHOLE[dialect]


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_headers_of_a_stream(surface: str, dialect: str, ask: Asking, fake: Fake) -> None:
    fake.streams(*turn(dialect))
    told = asked(ask, surface, dialect, upstream_key=KEY)
    assert told.status == 200
    assert told.headers["content-type"].startswith("text/event-stream")
    assert len(told.headers["x-request-id"]) == 36
    (request,) = fake.requests
    if dialect == "messages":
        assert "authorization" not in request.headers
        assert (request.headers["x-api-key"], request.headers["anthropic-version"]) == (KEY, "2023-06-01")
    else:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert not {"x-api-key", "anthropic-version"} & {*request.headers}
    assert request.url.path == PATHS[dialect]
    assert fake.closed == 1


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize("forced", [False, True])
def test_json_clients_get_json(surface: str, dialect: str, forced: bool, ask: Asking, fake: Fake) -> None:
    """Also when the upstream streams unasked, as here without `forced`."""
    fake.streams(*turn(dialect))
    told = asked(ask, surface, dialect, stream=False, force_upstream_stream=forced)
    assert told.headers["content-type"] == "application/json"
    kinds = {"chat": "chat.completion", "responses": "response", "messages": "message"}
    assert (told.json.get("object") or told.json["type"]) == kinds[surface]
    assert fake.asked.get("stream", False) is forced


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_a_client_without_the_key_costs_nothing(surface: str, dialect: str, ask: Asking, fake: Fake) -> None:
    told = asked(ask, surface, dialect, key="sesame")
    assert told.status == 401
    if surface == "messages":
        assert told.json["error"]["type"] == "authentication_error"
    else:
        assert told.json["error"]["code"] == "invalid_api_key"
    assert not fake.requests


def test_the_clients_key_stays_here(ask: Asking, fake: Fake) -> None:
    fake.streams(*turn("responses"))
    headers = {"authorization": "Bearer sesame", "x-api-key": "sesame", "cookie": "sesame"}
    body = {"model": "m", "input": "hi", "stream": True}
    assert ask.request("POST", "/v1/responses", body=body, key="sesame", headers=headers).status == 200
    assert b"sesame" not in b"".join(value for _, value in fake.requests[0].headers.raw)


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("status", "expected"), [(400, 400), (401, 502), (404, 404), (422, 422), (429, 429), (500, 500), (529, 529)]
)
def test_an_upstream_error_keeps_its_words(
    surface: str, dialect: str, stream: bool, status: int, expected: int, ask: Asking, fake: Fake
) -> None:
    error = {"message": f"no, {KEY}", "type": "t", "param": "p", "code": "c"}
    fake.says({"error": error}, status, **{"retry-after": "30"})
    told = asked(ask, surface, dialect, stream=stream, upstream_key=KEY)
    assert told.status == expected
    if surface == "messages":
        types = {
            401: "api_error",
            404: "not_found_error",
            429: "rate_limit_error",
            500: "api_error",
            529: "overloaded_error",
        }
        assert told.json == {
            "type": "error",
            "error": {"type": types.get(status, "invalid_request_error"), "message": "no, ***"},
            "request_id": told.headers["x-request-id"],
        }
    else:
        assert told.json == {"error": {**error, "message": "no, ***"}}
    assert told.headers["retry-after"] == "30"


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("body", "status", "media_type", "expected"),
    [
        (b"<html>Bad Gateway</html>", 502, "text/html", 502),
        (b"", 503, "application/json", 503),
        (b"<html>Welcome</html>", 200, "text/html", 502),
        (b'{"bad', 200, "application/json", 502),
        (b"", 204, "", 502),
        (b'{"error":{"message":"m","code":502}}', 200, "application/json", 502),
        (b'{"detail":"m"}', 422, "application/json", 422),
    ],
)
def test_whatever_the_upstream_answers_the_client_gets_an_envelope(
    surface: str,
    dialect: str,
    stream: bool,
    body: bytes,
    status: int,
    media_type: str,
    expected: int,
    ask: Asking,
    fake: Fake,
) -> None:
    fake.says(body, status, media_type)
    told = asked(ask, surface, dialect, stream=stream)
    assert told.status == expected
    assert told.headers["content-type"] == "application/json"
    assert told.json["error"]["message"] == "m" if b'"m"' in body else told.json["error"]["message"]


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize(
    ("error", "status"),
    [(httpx.ConnectError("host:1"), 502), (httpx.ReadTimeout("x"), 504), (httpx.RemoteProtocolError("x"), 502)],
)
def test_an_upstream_that_is_not_there(
    surface: str, dialect: str, error: Exception, status: int, ask: Asking, fake: Fake
) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        raise error

    fake.handle = handle  # type: ignore[method-assign]
    told = asked(ask, surface, dialect)
    assert told.status == status
    assert b"host" not in told.raw


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize("forced", [False, True])
def test_a_broken_body_is_no_answer(surface: str, dialect: str, forced: bool, ask: Asking, fake: Fake) -> None:
    fake.streams(b'{"choices"', CUT)
    fake.media_type = "application/json"
    assert asked(ask, surface, dialect, stream=False).status == 502
    fake.streams(*turn(dialect, cut=True))
    assert asked(ask, surface, dialect, stream=False, force_upstream_stream=forced).status == 502


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize(
    ("end", "status"),
    [
        (failed("context_length_exceeded"), 400),
        (failed("rate_limit_exceeded"), 429),
        (failed("server_is_overloaded"), 503),
        (failed("server_error"), 502),
        ({"type": "response.failed"}, 502),
        ({"type": "error", "code": "invalid_image", "message": "m"}, 400),
        ({"type": "response.cancelled"}, 502),
    ],
)
def test_a_failure_before_any_output_is_a_status(surface: str, end: Any, status: int, ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(end=end))
    told = asked(ask, surface, "responses")
    assert told.status == status
    assert set(told.json["error"]) == ({"message", "type"} if surface == "messages" else ENVELOPE)


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("steps", [[], [scenes.ROLE], [scenes.ROLE, CUT], [chunk(error={"message": "m"}), scenes.DONE]])
def test_the_same_from_a_chat_upstream(surface: str, steps: list[Any], ask: Asking, fake: Fake) -> None:
    fake.streams(*steps)
    assert asked(ask, surface, "chat").status == 502


def test_a_failure_after_output_is_told_in_the_stream(ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(message("Hi"), end=failed("bio_policy", scenes.ODD)))
    told = ask.chat("responses")
    assert (told.status, told.reasons) == (200, [])
    assert told.data[-1] != "[DONE]"
    assert told.events[-1] == {
        "error": {"message": scenes.ODD, "type": "server_error", "param": None, "code": "bio_policy"}
    }
    told = ask.responses("responses")
    assert told.events[-1]["response"]["error"] == {"code": "bio_policy", "message": scenes.ODD}
    fake.streams(scenes.ROLE, chunk({"content": "Hi"}), {"error": {"type": "rate_limit_error", "message": scenes.ODD}})
    told = ask.responses("chat")
    last = told.events[-1]
    assert last["response"] == {
        "id": told.events[0]["response"]["id"],
        "object": "response",
        "model": "model-up",
        "status": "failed",
        "output": [],
        "error": {"code": "rate_limit_exceeded", "message": scenes.ODD},
    }
    assert [event["sequence_number"] for event in told.events] == list(range(len(told.events)))
    assert told.raw.endswith(b"\n\n")


def test_nothing_is_read_after_the_end(ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(message("Hi")), AssertionError("the gateway read on"))
    assert ask.responses("responses").events[-1]["type"] == "response.completed"
    fake.streams(*scenes.chat_turn(chunk({"content": "Hi"})), AssertionError("the gateway read on"))
    assert ask.chat("chat").data[-1] == "[DONE]"
    assert fake.closed == 2


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("stream", [True, False])
def test_the_operators_key_never_leaves(surface: str, stream: bool, ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(message(f"Hi {KEY}"), end=failed(text=f"bad key {KEY}")))
    told = asked(ask, surface, "responses", stream=stream, upstream_key=KEY)
    assert KEY.encode() not in told.raw
    assert b"***" in told.raw


@pytest.mark.parametrize("raw", [b"{bad", b'"text"', b"123", b"null", b"[]", b"", b'{"model":NaN}'])
@pytest.mark.parametrize("path", [*PATHS.values(), "/v1/responses/compact", "/v1/messages/count_tokens"])
def test_what_is_no_request_costs_nothing(raw: bytes, path: str, ask: Asking, fake: Fake) -> None:
    told = ask.request("POST", path, body=raw)
    assert told.status == 400
    if "messages" in path:
        assert told.json["error"]["type"] == "invalid_request_error"
    else:
        assert told.json["error"]["code"] == "invalid_json"
    assert not fake.requests


def test_a_huge_request_is_refused(ask: Asking, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateproof_reference.intake.REQUEST_LIMIT", 10)
    assert ask.request("POST", "/v1/responses", body=b"x" * 11).status == 413
    assert not fake.requests


def test_a_huge_answer_is_refused(ask: Asking, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateproof_reference.upstream.BODY_LIMIT", 10)
    fake.says(b"x" * 11)
    told = ask.responses("responses", stream=False)
    assert (told.status, told.json["error"]["message"]) == (502, failures.too_long().message)


def test_models_choose_their_dialect(ask: Asking, fake: Fake) -> None:
    fake.streams(*turn("chat"))
    assert ask.chat("responses", model="c", dialect_for={"c": "chat"}).deltas("content") == "Hi"
    assert fake.requests[0].url.path == "/v1/chat/completions"


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("stream", [True, False])
def test_a_fault_of_our_own_is_a_500(surface: str, stream: bool, ask: Asking, fake: Fake) -> None:
    fake.streams(RuntimeError("a bug"))
    told = asked(ask, surface, "responses", stream=stream)
    assert (told.status, told.json["error"]["message"]) == (500, failures.crashed().message)


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_a_fault_of_our_own_after_output_is_told_in_the_stream(
    surface: str, dialect: str, ask: Asking, fake: Fake
) -> None:
    fake.streams(*turn(dialect)[: {"responses": -1, "chat": 2, "messages": -2}[dialect]], RuntimeError("a bug"))
    told = asked(ask, surface, dialect)
    assert told.status == 200
    error = told.events[-1]["response"]["error"] if surface == "responses" else told.events[-1]["error"]
    assert error["message"] == failures.crashed().message


@pytest.mark.parametrize("surface", SURFACES)
def test_a_prompt_that_is_too_long_has_its_code_from_messages_too(surface: str, ask: Asking, fake: Fake) -> None:
    words = "prompt is too long: 210000 tokens > 200000 maximum"
    error = {"type": "error", "error": {"type": "invalid_request_error", "message": words}}
    fake.says(error, 400)
    told = asked(ask, surface, "messages")
    assert (told.status, told.json["error"]["message"]) == (400, words)
    assert told.json["error"]["type"] == "invalid_request_error"
    assert told.json["error"].get("code") == (None if surface == "messages" else "context_length_exceeded")
    fake.status = 200
    fake.streams(*turn("messages")[:4], error)
    last = asked(ask, surface, "messages").events[-1]
    told_in_band = last["response"]["error"] if surface == "responses" else last["error"]
    assert told_in_band["message"] == words
    assert told_in_band.get("code") == (None if surface == "messages" else "context_length_exceeded")


def test_a_request_that_is_nested_too_deeply_is_a_400(ask: Asking, fake: Fake) -> None:
    """Also at a depth that can just be read: what goes upstream is written from further down the stack."""
    fake.says({"output": []})
    statuses = []
    for depth in range(100, 1100, 20):
        deep = b"[" * depth + b"]" * depth
        raw = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"metadata":{"a":' + deep + b"}}"
        statuses.append(ask.request("POST", PATHS["chat"], "responses", raw).status)
    assert statuses == sorted(statuses)
    assert {*statuses} == {200, 400}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
def test_beta_goes_along_where_nothing_is_translated(path: str, ask: Asking, fake: Fake) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    fake.says({"content": [], "input_tokens": 1, "output": []})
    assert ask.request("POST", f"{path}?beta=true&key=sesame", "messages", body).status == 200
    assert fake.requests[-1].url.query == b"beta=true"
    assert ask.request("POST", "/v1/messages?beta=true", "responses", body).status == 200
    assert fake.requests[-1].url.query == b""


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_of_a_key_has_no_case(scheme: str, ask: Asking, fake: Fake) -> None:
    fake.says({"data": []})
    told = ask.request("GET", "/v1/models", key="sesame", headers={"authorization": f"{scheme} sesame"})
    assert told.status == 200
    told = ask.request("GET", "/v1/models", key="sesame", headers={"authorization": f"{scheme} sesam"})
    assert (told.status, told.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize(("model", "patience"), [("m", 0.5), ("another", 300.0)])
def test_a_model_may_have_an_idle_timeout_of_its_own(model: str, patience: float, ask: Asking, fake: Fake) -> None:
    asked(ask, "chat", "chat", model=model, idle_timeout_for={"m": 0.5})
    assert fake.requests[-1].extensions["timeout"]["read"] == patience
