"""What a path means, whose key a request has, and the lists of models."""

import json
from typing import Any

import pytest

from gateproof_mock.dialects import METHODS, Route, credential, models, route
from gateproof_mock.dialects.steps import Head, Write
from gateproof_mock.serving.calls import Call
from gateproof_schemas import validate

OPENAI = ("", "/v1", "/openai/v1", "/api/v1")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        *((f"{p}/chat/completions", Route("chat", "turn")) for p in OPENAI),
        *((f"{p}/responses", Route("responses", "turn")) for p in (*OPENAI, "/openai", "/backend-api/codex")),
        *((f"{p}/responses/compact", Route("responses", "compact")) for p in (*OPENAI, "/backend-api/codex")),
        *(
            (f"{p}/responses/resp_1/input_items", Route("responses", "subpath"))
            for p in (*OPENAI, "/backend-api/codex")
        ),
        *((f"{p}/messages", Route("messages", "turn")) for p in ("", "/v1", "/api/v1", "/anthropic", "/anthropic/v1")),
        *((f"{p}/messages/count_tokens", Route("messages", "count")) for p in ("/v1", "/anthropic/v1")),
        *((f"{p}/models", Route("models", "models")) for p in (*OPENAI, "/anthropic/v1")),
        *((f"{p}/models/m-1", Route("models", "model", "m-1")) for p in (*OPENAI, "/anthropic/v1")),
        ("/openai/deployments/my-gpt/chat/completions", Route("chat", "turn", "my-gpt")),
        ("/openai/deployments/a%20b/chat/completions", Route("chat", "turn", "a b")),
        ("/v1/messages/batches", Route("messages", "subpath")),
        ("/v1/messages/batches/b_1/results", Route("messages", "subpath")),
        ("/v1/models/org/model", Route("models", "model", "org/model")),
        ("/v1/models/org%2Fmodel", Route("models", "model", "org/model")),
        ("/v1/responses/compact/more", Route("responses", "subpath")),
    ],
)
def test_route(path: str, expected: Route) -> None:
    assert route(path) == expected
    assert route(path + "/") == expected


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v1",
        "/v1/v1/responses",
        "/v1/v1/chat/completions",
        "/v1/v1/messages",
        "/v1/v1/models",
        "/api/v1/v1/chat/completions",
        "/openai/v1/v1/responses",
        "/anthropic/v1/v1/messages",
        "/openai/v1/messages",
        "/openai/chat/completions",
        "/anthropic/chat/completions",
        "/backend-api/codex/chat/completions",
        "/backend-api/codex/v1/responses",
        "/backend-api/responses",
        "//v1/responses",
        "/v1//responses",
        "/v1/responses//",
        "/v1/responses//compact",
        "/v1/responses/../chat/completions",
        "/v1/responses/./x",
        "/v1/responsesx",
        "/v1/Responses",
        "/V1/responses",
        "/v1/chat",
        "/v1/chat/completions/x",
        "/v1/completions",
        "/v1/embeddings",
        "/openai/deployments/chat/completions",
        "/openai/deployments//chat/completions",
        "/openai/deployments/a/b/chat/completions",
        "/openai/deployments/a/responses",
        "/v1/openai/deployments/a/chat/completions",
        "v1/responses",
    ],
)
def test_anything_else_is_no_route(path: str) -> None:
    assert route(path) is None


def test_methods() -> None:
    assert METHODS["turn"] == METHODS["compact"] == METHODS["count"] == ("POST",)
    assert METHODS["models"] == METHODS["model"] == ("GET", "HEAD")
    assert "subpath" not in METHODS


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], ""),
        ([("Authorization", "Bearer sk-1")], "sk-1"),
        ([("authorization", "bearer   sk-1 ")], "sk-1"),
        ([("X-API-Key", "sk-2"), ("AUTHORIZATION", "Bearer sk-1")], "sk-1"),
        ([("Api-Key", "sk-3"), ("X-Api-Key", "sk-2")], "sk-2"),
        ([("api-key", " sk-3 ")], "sk-3"),
        ([("Authorization", "Basic abc"), ("x-api-key", "sk-2")], "sk-2"),
        ([("Authorization", "Bearer"), ("api-key", "sk-3")], "sk-3"),
        ([("Authorization", "Basic abc")], ""),
        ([("x-api-key", "first"), ("x-api-key", "second")], "first"),
        ([("Other", "x"), ("X-Other-Api-Key", "y")], ""),
    ],
)
def test_credential(headers: list[tuple[str, str]], expected: str) -> None:
    assert credential(headers) == expected


# --- models ---------------------------------------------------------------------------------------

IDS = ("a", "org/b")
VERSION = [("Anthropic-Version", "2023-06-01")]


def asked(path: str, headers: list[tuple[str, str]] | None = None, ids: tuple[str, ...] = IDS) -> tuple[int, Any]:
    steps = list(models.render(Call("GET", path, headers or [], b"", route(path.partition("?")[0])), ids))
    status = next(s.status for s in steps if isinstance(s, Head))
    return status, json.loads(b"".join(s.data for s in steps if isinstance(s, Write)))


def test_list_of_models_for_openai_clients() -> None:
    status, found = asked("/v1/models")
    assert (status, [m["id"] for m in found["data"]]) == (200, ["a", "org/b"])
    assert found["data"][0] == {"id": "a", "object": "model", "created": 0, "owned_by": "gateproof"}
    assert validate(found, "models/list") == []
    assert asked("/v1/models?limit=5", ids=()) == (200, {"object": "list", "data": []})


@pytest.mark.parametrize(("path", "headers"), [("/v1/models", VERSION), ("/anthropic/v1/models", [])])
def test_list_of_models_for_anthropic_clients(path: str, headers: list[tuple[str, str]]) -> None:
    status, found = asked(path, headers)
    assert (status, found["first_id"], found["last_id"], found["has_more"]) == (200, "a", "org/b", False)
    assert [m["type"] for m in found["data"]] == ["model", "model"]
    assert validate(found, "models/messages-list") == []
    assert validate(asked(path, headers, ids=())[1], "models/messages-list") == []


def test_one_model() -> None:
    assert asked("/v1/models/org/b") == (200, {"id": "org/b", "object": "model", "created": 0, "owned_by": "gateproof"})
    status, found = asked("/v1/models/a", VERSION)
    assert (status, found["type"], found["id"], found["display_name"]) == (200, "model", "a", "a")


def test_unknown_model() -> None:
    status, found = asked("/v1/models/nope")
    assert (status, found["error"]["code"], found["error"]["param"]) == (404, "model_not_found", "model")
    assert validate(found, "chat/error") == []
    status, found = asked("/v1/models/nope", VERSION)
    assert (status, found["error"]["type"]) == (404, "not_found_error")
    assert validate(found, "messages/error") == []
