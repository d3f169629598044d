"""The JSON form of scripts: there and back for every element, and the messages for wrong ones."""

import json
from dataclasses import fields
from typing import Any

import pytest

from gateproof_mock.language.scripts import Script, ScriptError, script, scripts_from_json
from gateproof_mock.language.turns import (
    AFTER,
    ELEMENTS,
    Cancelled,
    Citation,
    Comment,
    Completed,
    CustomToolCall,
    Cut,
    Element,
    ErrorEvent,
    Event,
    Failed,
    Hold,
    Image,
    Incomplete,
    Interleaved,
    Item,
    NextMessage,
    NextPart,
    Pause,
    Ping,
    Raw,
    Reasoning,
    Refusal,
    Refused,
    Text,
    ToolCall,
    Unfinished,
    Usage,
    WebSearch,
    citation,
    completed,
    cut,
    event,
    failed,
    hold,
    incomplete,
    item,
    ping,
    raw,
    reasoning,
    refused,
    text,
    tool_call,
    usage,
)
from gateproof_mock.language.wire import CHOICES, Wire

EXAMPLES: list[tuple[Element, dict[str, Any]]] = [
    (Text(("a", "b")), {"text": ["a", "b"]}),
    (Text(), {"text": []}),
    (Text(("a",), times=3, stretch=2), {"text": {"pieces": ["a"], "times": 3, "stretch": 2}}),
    (Text(("a",), logprobs=True), {"text": {"pieces": ["a"], "logprobs": True}}),
    (
        Text(("a",), (Citation("https://a/"), Citation("https://b/", "B", 1, 2, "c"))),
        {
            "text": {
                "pieces": ["a"],
                "citations": [
                    {"url": "https://a/"},
                    {"url": "https://b/", "title": "B", "start": 1, "end": 2, "cited": "c"},
                ],
            }
        },
    ),
    (Reasoning(("a",)), {"reasoning": ["a"]}),
    (
        Reasoning(("a",), ("b", "c"), "e", "s"),
        {"reasoning": {"pieces": ["a"], "full": ["b", "c"], "encrypted": "e", "signature": "s"}},
    ),
    (Refusal(("no",)), {"refusal": ["no"]}),
    (NextMessage(), {"next_message": True}),
    (NextPart(), {"next_part": True}),
    (Ping(), {"ping": True}),
    (Raw("data: {"), {"raw": "data: {"}),
    (Pause(0.5), {"pause": 0.5}),
    (Pause(2), {"pause": 2}),
    (Image("aa=="), {"image": "aa=="}),
    (Image("aa==", "image/webp"), {"image": {"data": "aa==", "media_type": "image/webp"}}),
    (Item({"type": "mcp_call", "data": 1}), {"item": {"data": {"type": "mcp_call", "data": 1}}}),
    (CustomToolCall("f"), {"custom_tool_call": "f"}),
    (CustomToolCall("f", ("a",), "i"), {"custom_tool_call": {"name": "f", "input": ["a"], "id": "i"}}),
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
    (Usage(cache_write=1, extra={"cost": 0.1}), {"usage": {"input": 11, "cache_write": 1, "extra": {"cost": 0.1}}}),
    (Hold("before.the-end:1"), {"hold": "before.the-end:1"}),
    (Comment("PROCESSING"), {"comment": "PROCESSING"}),
    (Event({"type": "keepalive"}), {"event": {"data": {"type": "keepalive"}}}),
    (Event({"data": {"a": 1}}), {"event": {"data": {"data": {"a": 1}}}}),
    (Completed(), {"completed": True}),
    (Completed(stop_sequence="END"), {"completed": {"stop_sequence": "END"}}),
    (Completed(reason="pause_turn"), {"completed": {"reason": "pause_turn"}}),
    (Incomplete(), {"incomplete": "max_output_tokens"}),
    (Failed("c"), {"failed": "c"}),
    (Failed("c", "m", "t", 429), {"failed": {"code": "c", "message": "m", "type": "t", "status": 429}}),
    (ErrorEvent(), {"error_event": "server_error"}),
    (ErrorEvent("c", nested=True), {"error_event": {"code": "c", "nested": True}}),
    (ErrorEvent("c", then_failed=True), {"error_event": {"code": "c", "then_failed": True}}),
    (Cancelled(), {"cancelled": True}),
    (Unfinished(), {"unfinished": "queued"}),
    (Cut("rst"), {"cut": "rst"}),
    (Cut("rst", "chunk"), {"cut": {"how": "rst", "where": "chunk"}}),
    (Refused(429, gzip=True), {"refused": {"status": 429, "gzip": True}}),
    (Refused(429), {"refused": 429}),
    (Refused(503, "<html>", {"a": "b"}), {"refused": {"status": 503, "body": "<html>", "headers": {"a": "b"}}}),
    (Refused(400, {"error": None}), {"refused": {"status": 400, "body": {"error": None}}}),
]

SHORTHAND: list[tuple[dict[str, Any], Element]] = [
    ({"text": "a"}, Text(("a",))),
    ({"text": {}}, Text()),
    ({"text": {"pieces": "a"}}, Text(("a",))),
    ({"text": {"pieces": "a", "citations": ["https://a/"]}}, Text(("a",), (Citation("https://a/"),))),
    ({"reasoning": {"full": "a"}}, Reasoning(full=("a",))),
    ({"item": {"type": "x", "data": {"a": 1}}}, Item({"type": "x", "data": {"a": 1}})),
    ({"item": {"data": {"type": "x"}}}, Item({"type": "x"})),
    ({"ping": {}}, Ping()),
    ({"completed": {"on": True}}, Completed()),
    ({"pause": {"seconds": 1}}, Pause(1.0)),
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


def test_every_switch_there_and_back() -> None:
    for spec in fields(Wire):
        for value in other_values(spec.name, spec.default):
            whole = script(text("é"), wire=Wire(**{spec.name: value}))
            assert set(whole.to_json()["wire"]) == {spec.name}
            assert Script.from_json(json.loads(json.dumps(whole.to_json()))) == whole


def other_values(name: str, default: Any) -> list[Any]:
    if name in CHOICES:
        return list(CHOICES[name][1:])
    by_type: dict[type, list[Any]] = {
        bool: [not default],
        str: ["a.b"],
        int: [2, 7],
        float: [0.5, 600],
        tuple: [(1, 9)],
    }
    return by_type[type(default)]


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
    ({"say": [{"interleaved": "f"}]}, "script.say[0].interleaved: expected a list of tool_call, got 'f'"),
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
    ({"say": [{"completed": True}, {"text": "a"}]}, "script.say[1]: after an ending come only hold, pause, c"),
    (
        {"say": [{"failed": {}}, {"cut": "fin"}]},
        "script.say[1]: a turn has one ending at most, and script.say[0] (failed)",
    ),
    ({"say": [{"cut": "fin"}, {"hold": "a"}]}, "script.say[1]: nothing can follow `cut`, got hold"),
    ({"say": [{"refused": 400}, {"comment": "a"}]}, "script.say[1]: nothing can follow `refused`, got comment"),
    (
        {"say": [{"cut": {"where": "uft8"}}]},
        'say[0].cut.where: expected one of "", event, utf8, chunk (did you mean `utf8`?)',
    ),
    ({"say": [{"cut": {"where": "chunk"}}]}, "script.say[0].cut: a clean end (`eof`) cannot be inside a chunk"),
    (
        {"say": [{"text": "a"}, {"cut": {"where": "utf8"}}]},
        "script.say[1].cut: what is said last has to end in a piece",
    ),
    ({"say": [{"text": ["é", "a"]}, {"cut": {"where": "utf8"}}]}, "script.say[1].cut: what is said last has to end in"),
    ({"say": [{"text": "é"}, {"web_search": "a"}, {"cut": {"where": "utf8"}}]}, "script.say[2].cut: what is said last"),
    (
        {"say": [{"text": "é"}, {"cut": {"where": "utf8"}}], "wire": {"ascii": True}},
        "script.say[1].cut: with wire.ascii",
    ),
    (
        {"say": [{"text": {"pieces": "a", "times": 0}}]},
        "script.say[0].text.times: expected a number not below 1, got 0",
    ),
    ({"say": [{"text": {"pieces": "a", "stretch": 10**9}}]}, "script.say[0].text.stretch: expected 67108864 at most"),
    ({"say": [{"text": {"citations": [{"ulr": "a"}]}}]}, "text.citations[0]: unknown key `ulr`; did you mean `url`?"),
    ({"say": [{"text": {"citations": [{}]}}]}, "script.say[0].text.citations[0]: `url` is missing"),
    (
        {"say": [{"text": {"citations": [{"url": "a", "start": -1}]}}]},
        "citations[0].start: expected a number not below 0",
    ),
    (
        {"say": [{"text": {"citations": {"url": "a"}}}]},
        "script.say[0].text.citations: expected a list of citation, got {",
    ),
    ({"say": [{"text": {"citations": [""]}}]}, "script.say[0].text.citations[0]: expected the address of the source"),
    ({"say": [{"item": {}}]}, "script.say[0].item: `data` is missing"),
    ({"say": [{"item": {"a": 1}}]}, "script.say[0].item: expected an item, whose `type` is a word such as mcp_call"),
    ({"say": [{"item": {"type": 3}}]}, "script.say[0].item: expected an item, whose `type` is a word"),
    ({"say": [{"image": {}}]}, "script.say[0].image: `data` is missing"),
    ({"say": [{"custom_tool_call": ""}]}, "script.say[0].custom_tool_call: expected the tool's name"),
    (
        {"say": [{"custom_tool_call": {"name": "f", "arguments": ""}}]},
        "unknown key `arguments`; known: name, input, id",
    ),
    ({"say": [{"next_part": False}]}, "script.say[0].next_part: expected true, or no such element"),
    ({"say": [{"ping": 1}]}, "script.say[0].ping: expected true or false, got 1"),
    ({"say": [{"raw": ""}]}, "script.say[0].raw: expected characters, got ''"),
    ({"say": [{"raw": "\ud800"}]}, "script.say[0].raw: expected characters that UTF-8 has"),
    ({"say": [{"pause": -1}]}, "script.say[0].pause: expected 0 to 600 seconds, got -1"),
    ({"say": [{"pause": 601}]}, "script.say[0].pause: expected 0 to 600 seconds, got 601"),
    ({"say": [{"pause": float("nan")}]}, "script.say[0].pause: expected 0 to 600 seconds, got nan"),
    ({"say": [{"pause": float("inf")}]}, "script.say[0].pause: expected 0 to 600 seconds, got inf"),
    ({"say": [{"pause": 10**400}]}, "script.say[0].pause: expected 0 to 600 seconds, got 1000"),
    ({"say": [{"pause": True}]}, "script.say[0].pause: expected a number of seconds, got True"),
    ({"say": [{"pause": "1"}]}, "script.say[0].pause: expected a number of seconds, got '1'"),
    ({"say": [{"pause": {}}]}, "script.say[0].pause: `seconds` is missing"),
    ({"say": [{"usage": {"extra": []}}]}, "script.say[0].usage.extra: expected an object, got []"),
    ({"say": [{"usage": 10**19}]}, "script.say[0].usage: expected a count of tokens"),
    ({"say": [{"usage": 10**5000}]}, "expected a count of tokens, got a number of too many digits to show"),
    ({"say": [{"refused": {"gzip": "yes"}}]}, "script.say[0].refused.gzip: expected true or false, got 'yes'"),
    ({"say": [{"completed": {"stop_seq": ""}}]}, "completed: unknown key `stop_seq`; did you mean `stop_sequence`?"),
    ({"say": [{"cut": "reset"}]}, "script.say[0].cut: expected one of eof, fin, rst"),
    ({"say": [{"unfinished": "in-progress"}]}, "expected one of queued, in_progress (did you mean `in_progress`?)"),
    ({"say": [{"incomplete": ""}]}, "script.say[0].incomplete: expected a reason such as max_output_tokens"),
    ({"say": [{"failed": {"status": 200}}]}, "script.say[0].failed.status: expected an HTTP error status"),
    ({"say": [{"failed": {"mesage": "m"}}]}, "script.say[0].failed: unknown key `mesage`; did you mean `message`?"),
    ({"say": [{"refused": 99}]}, "script.say[0].refused: expected an HTTP status, 200 to 599, got 99"),
    ({"say": [{"refused": "429"}]}, "script.say[0].refused: expected a whole number, got '429'"),
    ({"say": [{"refused": {"headers": {"a": "b\r\nc: d"}}}]}, "Latin-1 characters as the value of a"),
    ({"say": [{"refused": {"headers": {"a b": "c"}}}]}, "script.say[0].refused.headers: expected header names"),
    ({"say": [{"refused": {"headers": {"Content-Length": "3"}}}]}, "Content-Length is the mock's own to say"),
    ({"say": [{"refused": {"headers": {"a": 1}}}]}, "Latin-1 characters as the value of a"),
    ({"say": [{"refused": {"body": deep(200)}}]}, "script.say[0].refused.body: expected JSON of 128 levels"),
    ({"say": [], "wire": []}, "script.wire: expected an object, got []"),
    ({"say": [], "wire": {"no_dne": True}}, "script.wire: unknown key `no_dne`; did you mean `no_done`?"),
    ({"say": [], "wire": {"no_done": 1}}, "script.wire.no_done: expected true or false, got 1"),
    (
        {"say": [], "wire": {"arguments_in": "done"}},
        "script.wire.arguments_in: expected one of deltas, arguments_done, item",
    ),
    ({"say": [], "wire": {"arguments_in": "item_don"}}, "(did you mean `item_done`?)"),
    (
        {"say": [], "wire": {"line_end": "crfl"}},
        "script.wire.line_end: expected one of lf, crlf, cr, mixed (did you mean `crlf`?)",
    ),
    ({"say": [], "wire": {"sequence": None}}, "script.wire.sequence: expected a string, got None"),
    ({"say": [], "wire": {"split_at": 3}}, "script.wire.split_at: expected a list of whole numbers, got 3"),
    ({"say": [], "wire": {"split_at": [1, True]}}, "script.wire.split_at: expected a list of whole numbers"),
    ({"say": [], "wire": {"split_at": [0]}}, "script.wire.split_at: expected offsets above 0, got [0]"),
    ({"say": [], "wire": {"split_at": list(range(1, 1002))}}, "script.wire.split_at: expected 1000 offsets at most"),
    ({"say": [], "wire": {"split_every": -1}}, "script.wire.split_every: expected a number not below 0, got -1"),
    ({"say": [], "wire": {"data_lines": 0}}, "script.wire.data_lines: expected a number not below 1, got 0"),
    ({"say": [], "wire": {"together": -1}}, "script.wire.together: expected a number not below 0, got -1"),
    ({"say": [], "wire": {"retry": 1.5}}, "script.wire.retry: expected a whole number, got 1.5"),
    ({"say": [], "wire": {"pace": 700}}, "script.wire.pace: expected 0 to 600 seconds, got 700"),
    ({"say": [], "wire": {"head_delay": float("nan")}}, "script.wire.head_delay: expected 0 to 600 seconds, got nan"),
    ({"say": [], "wire": {"comments": "a\nb"}}, "script.wire.comments: expected one line"),
    ({"say": [], "wire": {"opening_comment": "a\rb"}}, "script.wire.opening_comment: expected one line"),
    (
        {"say": [{"text": {"pieces": "a" * 1024, "times": 200, "stretch": 400}}]},
        "script.say: a script may say 64 MiB (67108864 ",
    ),
    (
        {"say": [{"text": {"pieces": "a" * 1024, "times": 200, "stretch": 80, "logprobs": True}}]},
        "script.say: a script may say 64 MiB (67108864 ",
    ),
    (
        {"say": [{"text": {"pieces": "a", "logprobs": 1}}]},
        "script.say[0].text.logprobs: expected true or false, got 1",
    ),
    (
        {"say": [{"text": ["a", "b"]}, {"text": {"pieces": "", "times": 200_000}}]},
        "may say 200000 deltas at most, got 200002",
    ),
    (
        {"say": [{"text": {"pieces": "abcdefgh", "stretch": 1024 * 1024}}], "wire": {"split_every": 8}},
        "script.wire.split_every: a script may have 2000000 writes at most, got about 5242905",
    ),
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
        ((Completed(), text("a")), "say[1]: after an ending come only hold"),
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


WRONG_VALUES: list[Any] = [
    None,
    -1,
    1.5,
    "",
    "\ud800",
    [],
    [[]],
    {},
    {"x": 1},
    [None],
    [{"x": 1}],
    deep(400),
    10**5000,
    True,
]


@pytest.mark.parametrize("key", ELEMENTS)
def test_whatever_is_wrong_it_is_a_script_error_that_says_where(key: str) -> None:
    for value in WRONG_VALUES:
        for data in (value, *({spec.name: value} for spec in fields(ELEMENTS[key]))):
            found = problem_of({"say": [{key: data}]})
            assert found is None or (found.path.startswith(f"script.say[0].{key}") and len(str(found)) < 400)


def problem_of(data: Any) -> ScriptError | None:
    try:
        whole = Script.from_json(data)
    except ScriptError as error:
        return error
    assert Script.from_json(whole.to_json()) == whole
    return None


def test_an_error_knows_its_path_and_key() -> None:
    with pytest.raises(ScriptError) as caught:
        Script.from_json({"say": [{"text": {"piece": "a"}}]})
    assert (caught.value.path, caught.value.key) == ("script.say[0].text", "piece")


@pytest.mark.parametrize("after", [Hold("a"), Pause(1), Comment(), Ping(), Event({"a": 1}), Raw("a")])
def test_what_may_follow_an_ending(after: Element) -> None:
    assert isinstance(after, AFTER)
    whole = script(text("a"), completed(), after)
    assert whole.ending == Completed()
    assert Script.from_json(whole.to_json()) == whole


@pytest.mark.parametrize(
    "last",
    [
        (text("a", "é"),),
        (text("é"), hold("a"), usage(1), Pause(0.1)),
        (reasoning("a", full=["b", "é"]),),
        (Refusal(("é",)),),
        (tool_call("f", "é"),),
        (CustomToolCall("f", ("é",)),),
        (Interleaved((ToolCall("f", ("é",)), ToolCall("g", ("a",)))),),
        (item(type="a", b="é"),),
    ],
)
def test_a_cut_inside_a_character_needs_one(last: tuple[Element, ...]) -> None:
    assert script(*last, cut("fin", "utf8")).ending == Cut("fin", "utf8")


@pytest.mark.parametrize(
    "whole",
    [
        script(),
        script(text("a", citations=[citation("https://a/")]), hold("a"), ping(), Comment(), Pause(1.0), usage(1)),
        script(text("a"), completed(), Comment(), hold("a"), Pause(1.0)),
        script(incomplete("content_filter")),
        script(completed(reason="pause_turn")),
        script(refused(418)),
        script(failed()),
        script(item(type="a")),
        script(wire=Wire(line_end="cr", split_every=1, comments="a", together=0, terminal_output="empty")),
    ],
)
def test_what_is_lawful(whole: Script) -> None:
    assert whole.lawful


@pytest.mark.parametrize(
    "whole",
    [
        script(text("a"), completed(), ping()),
        script(event(type="a")),
        script(raw("a")),
        script(cut()),
        script(completed(), raw("a")),
        script(incomplete("bored")),
        script(completed(reason="eos")),
        script(usage(extra={"a": 1})),
        script(wire=Wire(no_done=True)),
        script(wire=Wire(terminal_output="partial")),
    ],
)
def test_what_is_not(whole: Script) -> None:
    assert not whole.lawful


def test_the_largest_that_is_played() -> None:
    assert script(text("a" * 64, stretch=1024 * 1024)).turn
    assert script(text(*"ab", times=100_000)).turn
    assert script(text("a" * 32, stretch=1024), wire=Wire(split_every=1)).turn
