"""The JSON form of scripts: there and back for every element, and the messages for wrong ones."""

import json
from typing import Any

import pytest

from gateproof_mock import Script, ScriptError, Wire, script, scripts_from_json, text
from gateproof_mock.turns import (
    ELEMENTS,
    Cancelled,
    Comment,
    Completed,
    Cut,
    Element,
    ErrorEvent,
    Event,
    Failed,
    Hold,
    Incomplete,
    Interleaved,
    NextMessage,
    Reasoning,
    Refusal,
    Refused,
    Text,
    ToolCall,
    Unfinished,
    Usage,
    WebSearch,
    refused,
    usage,
)

EXAMPLES: list[tuple[Element, dict[str, Any]]] = [
    (Text(("a", "b")), {"text": ["a", "b"]}),
    (Text(), {"text": []}),
    (Reasoning(("a",)), {"reasoning": ["a"]}),
    (Refusal(("no",)), {"refusal": ["no"]}),
    (NextMessage(), {"next_message": True}),
    (ToolCall("f"), {"tool_call": "f"}),
    (ToolCall("f", ("{", "}"), "call_1"), {"tool_call": {"name": "f", "arguments": ["{", "}"], "id": "call_1"}}),
    (
        Interleaved((ToolCall("f"), ToolCall("g", ("{}",)))),
        {"interleaved": [{"name": "f"}, {"name": "g", "arguments": ["{}"]}]},
    ),
    (Interleaved((ToolCall("f"),), True), {"interleaved": {"calls": [{"name": "f"}], "reverse": True}}),
    (WebSearch("q"), {"web_search": "q"}),
    (Usage(3), {"usage": 3}),
    (Usage(3, 4, cached=1), {"usage": {"input": 3, "output": 4, "cached": 1}}),
    (Hold("before.the-end:1"), {"hold": "before.the-end:1"}),
    (Comment("PROCESSING"), {"comment": "PROCESSING"}),
    (Event({"type": "keepalive"}), {"event": {"data": {"type": "keepalive"}}}),
    (Event({"data": {"a": 1}}), {"event": {"data": {"data": {"a": 1}}}}),
    (Completed(), {"completed": True}),
    (Incomplete(), {"incomplete": "max_output_tokens"}),
    (Failed("c"), {"failed": "c"}),
    (Failed("c", "m", "t", 429), {"failed": {"code": "c", "message": "m", "type": "t", "status": 429}}),
    (ErrorEvent(), {"error_event": "server_error"}),
    (ErrorEvent("c", nested=True), {"error_event": {"code": "c", "nested": True}}),
    (Cancelled(), {"cancelled": True}),
    (Unfinished(), {"unfinished": "queued"}),
    (Cut("rst"), {"cut": "rst"}),
    (Refused(429), {"refused": 429}),
    (Refused(503, "<html>", {"a": "b"}), {"refused": {"status": 503, "body": "<html>", "headers": {"a": "b"}}}),
    (Refused(400, {"error": None}), {"refused": {"status": 400, "body": {"error": None}}}),
]

SHORTHAND: list[tuple[dict[str, Any], Element]] = [
    ({"text": "a"}, Text(("a",))),
    ({"text": {}}, Text()),
    ({"text": {"pieces": "a"}}, Text(("a",))),
    ({"tool_call": {"name": "f", "arguments": "{}"}}, ToolCall("f", ("{}",))),
    ({"interleaved": ["f", {"name": "g"}]}, Interleaved((ToolCall("f"), ToolCall("g")))),
    ({"usage": {}}, Usage()),
    ({"usage": {"output": 3}}, Usage(output=3)),
    ({"comment": {}}, Comment()),
    ({"event": {"type": "x", "data": {"a": 1}}}, Event({"type": "x", "data": {"a": 1}})),
    ({"event": {"type": "keepalive"}}, Event({"type": "keepalive"})),
    ({"event": {"data": "word"}}, Event({"data": "word"})),
    ({"completed": {}}, Completed()),
    ({"failed": {"status": 400}}, Failed(status=400)),
    ({"cut": {}}, Cut()),
]


def test_there_is_an_example_of_every_element() -> None:
    assert {type(e) for e, _ in EXAMPLES} == set(ELEMENTS.values())


@pytest.mark.parametrize(("element", "data"), EXAMPLES, ids=[str(d) for _, d in EXAMPLES])
def test_there_and_back(element: Element, data: dict[str, Any]) -> None:
    whole = script(element)
    assert whole.to_json() == {"say": [data]}
    assert Script.from_json(json.loads(json.dumps(whole.to_json()))) == whole


@pytest.mark.parametrize(("data", "element"), SHORTHAND, ids=[str(d) for d, _ in SHORTHAND])
def test_shorthand(data: dict[str, Any], element: Element) -> None:
    assert Script.from_json({"say": [data]}).turn == (element,)


def test_wire_there_and_back() -> None:
    wire = Wire(preamble=False, arguments_in="item_done", terminal="response.done", no_done=True)
    data = script(wire=wire).to_json()
    assert data == {
        "say": [],
        "wire": {"preamble": False, "arguments_in": "item_done", "terminal": "response.done", "no_done": True},
    }
    assert Script.from_json(data).wire == wire


def test_header_names_are_given_with_underscores() -> None:
    assert refused(429, retry_after="7") == Refused(429, None, {"retry-after": "7"})


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


WRONG: list[tuple[Any, str]] = [
    (3, "script: expected an object with `say`, got 3"),
    ({"says": []}, "script: unknown key `says`; did you mean `say`?"),
    ({"say": "text"}, "script.say: expected a list of elements, got 'text'"),
    ({"say": ["text"]}, 'script.say[0]: expected one element such as {"text": "Hello"}, got \'text\''),
    ({"say": [{"txt": "a"}]}, "script.say[0]: unknown key `txt`; did you mean `text`?"),
    ({"say": [{"text": 3}]}, "script.say[0].text: expected a string or a list of strings, got 3"),
    ({"say": [{"text": ["a", None]}]}, "script.say[0].text: expected a string or a list of strings, got ['a', None]"),
    ({"say": [{"text": {"piece": "a"}}]}, "script.say[0].text: unknown key `piece`; did you mean `pieces`?"),
    ({"say": [{"tool_call": {"nam": "f"}}]}, "script.say[0].tool_call: unknown key `nam`; did you mean `name`?"),
    ({"say": [{"tool_call": {}}]}, "script.say[0].tool_call: `name` is missing"),
    ({"say": [{"tool_call": ""}]}, "script.say[0].tool_call: expected the function's name, got ''"),
    (
        {"say": [{"tool_call": {"name": "f", "arguments": {}}}]},
        "script.say[0].tool_call.arguments: expected a string or",
    ),
    ({"say": [{"interleaved": ["f", ""]}]}, "script.say[0].interleaved[1]: expected the function's name, got ''"),
    ({"say": [{"interleaved": []}]}, "script.say[0].interleaved: expected at least one call"),
    ({"say": [{"interleaved": "f"}]}, "script.say[0].interleaved: expected a list of calls, got 'f'"),
    ({"say": [{"hold": ""}]}, "script.say[0].hold: expected a name: 1 to 100 of"),
    ({"say": [{"hold": "a/b"}]}, "script.say[0].hold: expected a name"),
    ({"say": [{"hold": ".."}]}, "script.say[0].hold: expected a name"),
    ({"say": [{"hold": "a b"}]}, "script.say[0].hold: expected a name"),
    ({"say": [{"hold": "ä"}]}, "script.say[0].hold: expected a name"),
    ({"say": [{"hold": "a" * 101}]}, "script.say[0].hold: expected a name"),
    ({"say": [{"hold": {}}]}, "script.say[0].hold: `name` is missing"),
    ({"say": [{"comment": "a\n\ndata: b"}]}, "script.say[0].comment: expected one line"),
    ({"say": [{"event": {}}]}, "script.say[0].event: `data` is missing"),
    ({"say": [{"event": {"type": "a\nb"}}]}, "script.say[0].event: expected an event's data"),
    ({"say": [{"event": deep(3)}]}, "script.say[0].event: expected an object, got [[[1]]]"),
    ({"say": [{"event": {"a": deep(200)}}]}, "script.say[0].event: expected JSON of 128 levels at most"),
    ({"say": [{"usage": {"input": -1}}]}, "script.say[0].usage.input: expected a count of tokens, got -1"),
    ({"say": [{"usage": {"input": True}}]}, "script.say[0].usage.input: expected a whole number, got True"),
    ({"say": [{"usage": 1}, {"usage": 2}]}, "script.say[1]: a turn has one usage at most"),
    ({"say": [{"completed": False}]}, "script.say[0].completed: expected true, or no such element, got False"),
    ({"say": [{"completed": True}, {"text": "a"}]}, "script.say[0]: an ending is the last element"),
    ({"say": [{"cut": "fin"}, {"failed": {}}]}, "script.say[0]: an ending is the last element"),
    ({"say": [{"cut": "reset"}]}, "script.say[0].cut: expected one of eof, fin, rst"),
    ({"say": [{"unfinished": "in-progress"}]}, "expected one of queued, in_progress (did you mean `in_progress`?)"),
    ({"say": [{"incomplete": ""}]}, "script.say[0].incomplete: expected a reason such as max_output_tokens"),
    ({"say": [{"failed": {"status": 200}}]}, "script.say[0].failed.status: expected an HTTP error status"),
    ({"say": [{"failed": {"mesage": "m"}}]}, "script.say[0].failed: unknown key `mesage`; did you mean `message`?"),
    ({"say": [{"refused": 99}]}, "script.say[0].refused: expected an HTTP status, 200 to 599, got 99"),
    ({"say": [{"refused": "429"}]}, "script.say[0].refused: expected a whole number, got '429'"),
    ({"say": [{"refused": {"headers": {"a": "b\r\nc: d"}}}]}, "expected one line as the value of a"),
    ({"say": [{"refused": {"headers": {"a b": "c"}}}]}, "script.say[0].refused.headers: expected header names"),
    ({"say": [{"refused": {"headers": {"Content-Length": "3"}}}]}, "Content-Length is the mock's own to say"),
    ({"say": [{"refused": {"headers": {"a": 1}}}]}, "expected one line as the value of a"),
    ({"say": [{"refused": {"body": deep(200)}}]}, "script.say[0].refused.body: expected JSON of 128 levels"),
    ({"say": [], "wire": []}, "script.wire: expected an object, got []"),
    ({"say": [], "wire": {"no_dne": True}}, "script.wire: unknown key `no_dne`; did you mean `no_done`?"),
    ({"say": [], "wire": {"no_done": 1}}, "script.wire.no_done: expected true or false, got 1"),
    (
        {"say": [], "wire": {"arguments_in": "done"}},
        "script.wire.arguments_in: expected one of deltas, arguments_done, item",
    ),
    ({"say": [], "wire": {"arguments_in": "item_don"}}, "(did you mean `item_done`?)"),
    ({"say": [], "wire": {"terminal": "a\n\nb"}}, "script.wire.terminal: expected an event type such as response.done"),
    ({"say": [], "wire": {"terminal": None}}, "script.wire.terminal: expected a string, got None"),
]


@pytest.mark.parametrize(("data", "message"), WRONG, ids=[m for _, m in WRONG])
def test_wrong_scripts(data: Any, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        Script.from_json(data)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("data", [None, [], {}, "calls", 3])
def test_wrong_lists_of_scripts(data: Any) -> None:
    with pytest.raises(ScriptError, match="calls: expected a list of at least one script"):
        scripts_from_json(data)


def test_the_path_counts_the_calls() -> None:
    with pytest.raises(ScriptError, match=r"^calls\[1\]\.say\[0\]: unknown key `texd`"):
        scripts_from_json([{"say": []}, {"say": [{"texd": ""}]}])


def not_an_element() -> Any:
    return "text"


@pytest.mark.parametrize(
    ("elements", "message"),
    [
        ((Completed(), text("a")), "say[0]: an ending is the last element, and there is one at most"),
        ((text(3),), "say[0].text.pieces: expected a string or a list of strings"),  # type: ignore[arg-type]
        ((not_an_element(),), "say[0]: expected an element such as text('Hello'), got 'text'"),
        ((Hold("a b"),), "say[0].hold.name: expected a name"),
        ((ToolCall(),), "say[0].tool_call.name: expected the function's name"),
        (
            (Interleaved((ToolCall("f"), ToolCall(""))),),
            "say[0].interleaved.calls[1].name: expected the function's name",
        ),
        ((Refused(400, b"bytes"),), "say[0].refused.body: expected what JSON can say"),
        ((Refused(400, float("nan")),), "say[0].refused.body: expected what JSON can say"),
        ((usage(input=-1),), "say[0].usage.input: expected a count of tokens"),
        ((Cut("bang"),), "say[0].cut.how: expected one of eof, fin, rst"),
    ],
)
def test_the_same_rules_hold_in_python(elements: Any, message: str) -> None:
    with pytest.raises(ScriptError) as caught:
        script(*elements)
    assert message in str(caught.value)


def test_the_same_rules_hold_for_wire_in_python() -> None:
    with pytest.raises(ScriptError, match=r"^wire\.arguments_in: expected one of"):
        script(wire=Wire(arguments_in="done"))
