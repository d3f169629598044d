"""Paths."""

import pytest
from gateway_bench import Asking, Fake
from gateway_scenes import failed, message, responses_turn

from gateproof_reference import routes

RESPONSES = [base + slash for base in routes.RESPONSES for slash in ("", "/")]
CHAT = [base + slash for base in routes.CHAT for slash in ("", "/")]


@pytest.mark.parametrize("path", RESPONSES)
def test_responses_has_many_names(path: str, ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(message("Hi")))
    assert ask.responses("responses", path=path).events[-1]["type"] == "response.completed"
    fake.streams(*responses_turn(end=failed("context_length_exceeded")))
    told = ask.responses("responses", path=path)
    assert (told.status, told.json["error"]["code"]) == (400, "context_length_exceeded")
    assert {request.url.path for request in fake.requests} == {"/v1/responses"}


@pytest.mark.parametrize("path", CHAT)
def test_chat_has_many_names(path: str, ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(message("Hi")))
    assert ask.chat("responses", path=path).deltas("content") == "Hi"


@pytest.mark.parametrize("path", [base + "/compact" + slash for base in routes.RESPONSES for slash in ("", "/")])
def test_compact_is_unary(path: str, ask: Asking, fake: Fake) -> None:
    compacted = {"id": "c", "object": "response.compaction", "output": [], "created_at": 1}
    fake.says(compacted)
    told = ask.responses("responses", path=path)
    assert (told.status, told.json) == (200, compacted)
    assert fake.requests[0].url.path == "/v1/responses/compact"
    assert fake.asked == {"model": "m", "input": "hi"}
    told = ask.responses("chat", path=path)
    assert (told.status, told.json["error"]["code"]) == (400, "unsupported_endpoint")
    assert len(fake.requests) == 1


def test_compact_keeps_the_shapes_of_failure(ask: Asking, fake: Fake) -> None:
    fake.says({"error": {"message": "m", "code": "c"}}, 429, **{"retry-after": "3"})
    told = ask.responses("responses", path="/v1/responses/compact")
    assert (told.status, told.json["error"]["code"], told.headers["retry-after"]) == (429, "c", "3")
    fake.says({"error": {"message": "m", "code": "c"}})
    assert ask.responses("responses", path="/v1/responses/compact").status == 502
    told = ask.request("POST", "/v1/responses/compact", body={"input": "hi"})
    assert (told.status, told.json["error"]["param"]) == (400, "model")


@pytest.mark.parametrize("base", routes.RESPONSES)
def test_subpaths_are_relayed_or_unknown(base: str, ask: Asking, fake: Fake) -> None:
    fake.says({"deleted": True})
    told = ask.request("DELETE", f"{base}/resp_1?a=b")
    assert (told.status, told.json) == (200, {"deleted": True})
    assert (fake.requests[0].method, str(fake.requests[0].url)) == (
        "DELETE",
        "http://upstream.invalid/v1/responses/resp_1?a=b",
    )
    assert ask.request("DELETE", f"{base}/resp_1", "chat").status == 404
    told = ask.request("POST", f"{base}/resp_1/cancel", "responses", {"model": "c"}, dialect_for={"c": "chat"})
    assert (told.status, told.json["error"]["code"]) == (404, "not_found")
    assert len(fake.requests) == 1


@pytest.mark.parametrize(
    "path",
    ["/v1/responsesfoo", "/responsesfoo", "/v1/chat/completionsx", "/v1/chat", "/", "/v1", "/v2/responses", "/v1/responses/a//b",
     "/v1/responses/%2e%2e/models", "/v1/responses//", "/v1/chat/completions/x"],
)  # fmt: skip
def test_everything_else_is_404(path: str, ask: Asking, fake: Fake) -> None:
    told = ask.request("POST", path, body={"model": "m", "input": "hi"})
    assert (told.status, told.json["error"]["code"]) == (404, "not_found")
    assert told.headers["content-type"] == "application/json"
    assert not fake.requests


@pytest.mark.parametrize("path", ["/v1/responses", "/v1/chat/completions/", "/v1/responses/compact"])
def test_a_wrong_method_is_405(path: str, ask: Asking) -> None:
    told = ask.request("GET", path)
    assert (told.status, told.json["error"]["code"], told.headers["allow"]) == (405, "method_not_allowed", "POST")


def test_models_are_relayed_and_health_is_ours(ask: Asking, fake: Fake) -> None:
    fake.says({"object": "list", "data": []})
    assert ask.request("GET", "/v1/models").json == {"object": "list", "data": []}
    assert fake.requests[0].url.path == "/v1/models"
    assert ask.request("GET", "/health", key="k").json == {"status": "ok"}
    assert ask.request("GET", "/v1/models", key="k").status == 401
    assert len(fake.requests) == 1


def test_a_subpath_is_relayed_as_it_is_spelt(ask: Asking, fake: Fake) -> None:
    fake.says({})
    assert ask.request("GET", "/v1/responses/a%3Fb%23c?include=x").status == 200
    assert fake.requests[0].url.raw_path == b"/v1/responses/a%3Fb%23c?include=x"
