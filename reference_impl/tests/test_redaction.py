"""Keys that must not leave: the operator's wherever they stand, and what looks like one where a failure is told."""

import json
from typing import Any

import gateway_scenes as scenes
import pytest
from gateway_bench import Asking, Fake
from gateway_scenes import message, responses_turn

from gateproof_reference.redaction import masked

OPERATOR, GATEWAY = 'operator/key"of-1', "gateway-key-0815"
FOREIGN = "sk-proj-4f1cAbCdEfGhIjKlMnOp"
SURFACES = ("chat", "responses", "messages")
PAIRS = [(surface, dialect) for surface in SURFACES for dialect in SURFACES]
WORDS = f"Incorrect API key provided: {FOREIGN}. You can find yours."


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (WORDS, "Incorrect API key provided: ***. You can find yours."),
        (f"key '{FOREIGN}'", "key '***'"),
        ("Authorization: Bearer abc.DEF-123456789012", "Authorization: Bearer ***"),
        ("sk-ant-api03-0123456789abcdef_-x is wrong", "*** is wrong"),
        ("Bearer authentication-is-required-here", "Bearer authentication-is-required-here"),
        ("a task-1 and a sk-short1 and sk-learn-is-a-name-without-digits", None),
        ("sk-abc1****wxyz", None),
        ("", None),
    ],
)
def test_what_looks_like_a_key_is_cut_out(words: str, expected: str | None) -> None:
    assert masked(words) == (words if expected is None else expected)


def failed_turn(dialect: str, words: str) -> list[Any]:
    """Return the events of a turn that fails after output, in these words."""
    if dialect == "responses":
        return responses_turn(message("Hi"), end=scenes.failed(text=words))
    if dialect == "chat":
        return [scenes.ROLE, scenes.chunk({"content": "Hi"}), {"error": {"message": words, "code": "c"}}]
    return [
        *scenes.messages_turn(scenes.text_block("Hi"))[:4],
        {"type": "error", "error": {"type": "api_error", "message": words}},
    ]


def ask_for(ask: Asking, surface: str, dialect: str, **more: Any) -> Any:
    body: dict[str, Any] = {"model": "m", **more}
    if surface == "responses":
        body["input"] = "hi"
    else:
        body |= {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
    path = {"chat": "/v1/chat/completions", "responses": "/v1/responses", "messages": "/v1/messages"}[surface]
    headers = {"authorization": f"Bearer {GATEWAY}"}
    return ask.request("POST", path, dialect, body, headers=headers, key=GATEWAY, upstream_key=OPERATOR)


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize("planted", [OPERATOR, GATEWAY, FOREIGN])
def test_no_key_is_told_in_a_failure(surface: str, dialect: str, planted: str, ask: Asking, fake: Fake) -> None:
    words = f"Incorrect API key provided: {planted}. Ask your operator."
    fake.says({"error": {"message": words, "type": "t"}}, 401, **{"retry-after": "3", "x-debug": "none"})
    answers = [ask_for(ask, surface, dialect), ask_for(ask, surface, dialect, stream=True)]
    fake.status, fake.headers = 200, {}
    fake.streams(*failed_turn(dialect, words))
    answers += [ask_for(ask, surface, dialect), ask_for(ask, surface, dialect, stream=True)]
    for told in answers:
        assert b"Incorrect API key provided: ***. Ask your operator." in told.raw
        assert planted.encode() not in told.raw
        assert json.dumps(planted)[1:-1].encode() not in told.raw
    assert [told.status for told in answers] == [502, 502, 502, 200]


def test_a_failed_response_keeps_all_but_the_key(ask: Asking, fake: Fake) -> None:
    failed = {
        "id": "resp_1",
        "status": "failed",
        "output": [],
        "x": 1,
        "error": {"code": "c", "message": WORDS, "y": 2},
    }
    fake.says(failed)
    assert ask_for(ask, "responses", "responses").json == {
        **failed,
        "error": {**failed["error"], "message": masked(WORDS)},
    }  # type: ignore[dict-item]


def test_an_answer_may_be_about_keys(ask: Asking, fake: Fake) -> None:
    fake.streams(*responses_turn(message(f"A key looks like {FOREIGN}.")))
    assert ask_for(ask, "chat", "responses", stream=True).deltas("content") == f"A key looks like {FOREIGN}."


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_the_clients_key_goes_nowhere(surface: str, dialect: str, ask: Asking, fake: Fake) -> None:
    fake.says({"error": {"message": "no"}}, 400)
    ask_for(ask, surface, dialect)
    (request,) = fake.requests
    assert GATEWAY.encode() not in b"".join(value for _, value in request.headers.raw) + request.content
    assert GATEWAY not in str(request.url)
