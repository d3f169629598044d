"""Tools that only the provider could run, on their way to another API: refused, or left out if the operator says so."""

from typing import Any

import pytest
from gateway_bench import Asking, Fake

from gateproof_reference import pairs
from gateproof_reference.apis import APIS
from gateproof_reference.canonical import Identity
from gateproof_reference.failures import RefusedError
from gateproof_reference.wirejson import dump, parse

US = Identity("00000000-0000-4000-8000-000000000000", 0)
SAID: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
ASKED: dict[str, dict[str, Any]] = {
    "chat": SAID,
    "messages": SAID,
    "responses": {"model": "m", "input": "hi"},
}
OWN: dict[str, Any] = {
    "chat": {"type": "function", "function": {"name": "look"}},
    "messages": {"name": "look", "input_schema": {"type": "object"}},
    "responses": {"type": "function", "name": "look"},
}
FOREIGN: dict[str, list[Any]] = {
    "chat": [{"type": "custom", "custom": {"name": "patch"}}],
    "messages": [{"type": "web_search_20250305", "name": "web_search"}],
    "responses": [{"type": "web_search"}, {"type": "namespace", "name": "agents", "tools": []}],
}
PAIRS = [(surface, dialect) for surface in APIS for dialect in APIS if surface != dialect]


def translated(surface: str, dialect: str, **more: Any) -> Any:
    body = {**ASKED[surface], **more}
    ready = pairs.prepare(APIS[surface], APIS[dialect], dump(body), body, US, force_stream=False, drop_tools=True)
    return parse(ready.payload), ready.dropped


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_only_functions_are_left(surface: str, dialect: str) -> None:
    asked, dropped = translated(surface, dialect, tools=[*FOREIGN[surface], OWN[surface]], tool_choice=None)
    (tool,) = asked["tools"]
    assert (tool.get("function") or tool)["name"] == "look"
    assert dropped == tuple(tool["type"] for tool in FOREIGN[surface])


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_without_tools_there_is_nothing_to_choose(surface: str, dialect: str) -> None:
    choice = {"type": "auto"} if surface == "messages" else "auto"
    asked, _ = translated(surface, dialect, tools=FOREIGN[surface], tool_choice=choice)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & {*asked}


@pytest.mark.parametrize("surface", ["chat", "responses"])
def test_a_forced_choice_is_still_told(surface: str) -> None:
    dialect = "chat" if surface == "responses" else "responses"
    asked, _ = translated(surface, dialect, tools=FOREIGN[surface], tool_choice="required")
    assert asked["tool_choice"] == "required"


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
@pytest.mark.parametrize("tools", [["look"], [5], "look"])
def test_what_is_no_tool_is_refused_all_the_same(surface: str, dialect: str, tools: Any) -> None:
    with pytest.raises(RefusedError):
        translated(surface, dialect, tools=tools)


@pytest.mark.parametrize("drop", [True, False])
def test_the_operator_decides(drop: bool, ask: Asking, fake: Fake) -> None:
    """Codex sends these tools with every request."""
    fake.says({"choices": [{"message": {"content": "Hi"}}]})
    told = ask.responses("chat", stream=False, drop_tools=drop, tools=[*FOREIGN["responses"], OWN["responses"]])
    assert told.status == (200 if drop else 400)
    if drop:
        assert [tool["name"] for tool in told.json["tools"]] == ["look"]
    else:
        assert told.json["error"]["param"] == "tools[0]"


def test_the_same_api_gets_every_tool(ask: Asking, fake: Fake) -> None:
    fake.says({"output": []})
    assert ask.responses("responses", stream=False, drop_tools=True, tools=FOREIGN["responses"]).status == 200
    assert fake.asked["tools"] == FOREIGN["responses"]
