"""Which calls a rule matches."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateproof_mock.language.matching import When
from gateproof_mock.language.scripts import ScriptError


@dataclass
class Asked:
    dialect: str = "chat"
    method: str = "POST"
    path: str = "/v1/chat/completions?api-version=1"
    headers: list[tuple[str, str]] = field(default_factory=lambda: [("X-Tenant", "blue"), ("x-tenant", "green")])
    credential: str = "sk-secret-ä"
    body: Mapping[str, Any] = field(
        default_factory=lambda: {
            "model": "gpt-5-mini",
            "n": 1,
            "temperature": 1.0,
            "logprobs": True,
            "user": None,
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "What is the weather in Oslo?"}]},
            ],
            "tools": [{"type": "function", "function": {"name": "f"}}, {"type": "function", "function": {"name": "g"}}],
            "metadata": {"contains": "x", "deep": {"a": [[1, 2], [3]]}},
        }
    )
    stream: bool = True


MATCHES: list[dict[str, Any]] = [
    {},
    {"dialect": "chat"},
    {"model": "gpt-5-mini"},
    {"model": "gpt-*"},
    {"model": "gpt-?-mini"},
    {"model": "[gh]*"},
    {"path": "/v1/chat/completions"},
    {"path": "*/completions"},
    {"method": "post"},
    {"headers": {"X-TENANT": "blue"}},
    {"headers": {"x-tenant": "gr*", "X-Tenant": "blue"}},
    {"key": "sk-secret-ä"},
    {"stream": True},
    {"body": {}},
    {"body": {"model": "gpt-5-mini", "n": 1}},
    {"body": {"temperature": 1, "n": 1.0}},
    {"body": {"user": None}},
    {"body": {"messages": [{"role": "user"}]}},
    {"body": {"messages": [{"role": "user"}, {"content": {"contains": "brief"}}]}},
    {"body": {"messages": [{"content": [{"text": {"contains": "Oslo"}}]}]}},
    {"body": {"messages": []}},
    {"body": {"tools": [{"function": {"name": "g"}}]}},
    {"body": {"metadata": {"contains": "x"}}},
    {"body": {"metadata": {"deep": {"a": [[3], [2]]}}}},
    {"body": {"metadata": {"deep": {}}}},
    {"dialect": "chat", "model": "gpt*", "stream": True, "body": {"n": 1}, "headers": {"x-tenant": "*"}},
]


@pytest.mark.parametrize("data", MATCHES, ids=str)
def test_it_matches_and_has_a_json_form(data: dict[str, Any]) -> None:
    when = When.from_json(data)
    assert when.matches(Asked())
    assert When.from_json(when.to_json()) == when


@pytest.mark.parametrize(
    "data",
    [
        {"dialect": "responses"},
        {"model": "GPT-*"},
        {"model": "gpt"},
        {"path": "/v1/chat/completions?*"},
        {"method": "GET"},
        {"headers": {"x-tenant": "bl"}},
        {"headers": {"x-other": "*"}},
        {"headers": {"x-tenant": "blue", "x-other": "*"}},
        {"key": "sk-secret"},
        {"stream": False},
        {"body": {"nn": 1}},
        {"body": {"n": True}},
        {"body": {"n": "1"}},
        {"body": {"logprobs": 1}},
        {"body": {"logprobs": None}},
        {"body": {"absent": None}},
        {"body": {"model": {"contains": "gpt", "other": 1}}},
        {"body": {"model": {"contains": 5}}},
        {"body": {"model": {"contains": "claude"}}},
        {"body": {"model": ["gpt-5-mini"]}},
        {"body": {"messages": {"role": "user"}}},
        {"body": {"messages": [{"role": "user", "content": {"contains": "brief"}}]}},
        {"body": {"metadata": {"deep": {"a": [[1, 3]]}}}},
        {"dialect": "chat", "stream": False},
    ],
    ids=str,
)
def test_it_does_not_match(data: dict[str, Any]) -> None:
    assert not When.from_json(data).matches(Asked())


def test_an_empty_rule_matches_every_call() -> None:
    assert When().matches(Asked())
    assert When().matches(Asked(dialect="", path="", headers=[], credential="", body={}, stream=False))


def test_a_model_that_is_no_string_matches_no_pattern() -> None:
    assert not When(model="*").matches(Asked(body={"model": 3}))
    assert not When(model="*").matches(Asked(body={}))


def test_a_function_of_the_body() -> None:
    assert When(test=lambda body: body["n"] == 1).matches(Asked())
    assert not When(test=lambda body: len(body["messages"]) > 2).matches(Asked())
    with pytest.raises(ScriptError, match=r"when\.test: a function has no JSON form"):
        When(test=bool).to_json()


def test_a_function_is_asked_only_when_all_else_is_true() -> None:
    assert not When(dialect="messages", test=lambda body: bool(body["absent"])).matches(Asked())


def asks_too_much(body: Mapping[str, Any]) -> bool:
    return bool(body["absent"])


def test_a_function_that_raises_is_named() -> None:
    with pytest.raises(ScriptError, match=r"when\.test \(asks_too_much\) raised KeyError") as caught:
        When(test=asks_too_much).matches(Asked())
    assert isinstance(caught.value.__cause__, KeyError)


def test_the_key_is_in_no_repr_and_no_message() -> None:
    assert "secret" not in repr(When(key="secret"))
    with pytest.raises(ScriptError) as caught:
        When.from_json({"key": ["secret"]})
    assert "secret" not in str(caught.value)


WRONG: list[tuple[Any, str]] = [
    ([], 'when: expected an object such as {"model": "gpt-*"}, got []'),
    ({"modle": "a"}, "when: unknown key `modle`; did you mean `model`?"),
    ({"test": "a"}, "when: unknown key `test`; known: dialect, model,"),
    (
        {"dialect": "chats"},
        "when.dialect: expected one of chat, messages, responses (did you mean `chat`?), got 'chats'",
    ),
    ({"model": 3}, "when.model: expected a string, got 3"),
    ({"model": ""}, "when.model: expected a value, or no such key, got ''"),
    ({"stream": None}, "when.stream: expected a value, or no such key, got None"),
    ({"stream": 1}, "when.stream: expected true or false, got 1"),
    ({"headers": ["a"]}, "when.headers: expected an object of names and globs"),
    ({"headers": {"a": 1}}, "when.headers.a: expected a string, got 1"),
    ({"headers": {"": "a"}}, "when.headers: expected header names, not ''"),
    ({"body": "a"}, "when.body: expected an object that the request holds, got 'a'"),
]


@pytest.mark.parametrize(("data", "message"), WRONG, ids=[m for _, m in WRONG])
def test_wrong_rules(data: Any, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        When.from_json(data)
    assert message in str(caught.value)
    assert caught.value.path.startswith("when")


def test_wrong_rules_in_python() -> None:
    with pytest.raises(ScriptError, match=r"when\.test: expected a function"):
        When(test="a")  # type: ignore[arg-type]
    with pytest.raises(ScriptError, match=r"when\.dialect"):
        When(dialect="openai")


def test_a_rule_too_deep_is_refused() -> None:
    deep: Any = {}
    for _ in range(400):
        deep = {"a": deep}
    with pytest.raises(ScriptError, match=r"when\.body: expected JSON of 128 levels at most"):
        When.from_json({"body": deep})
