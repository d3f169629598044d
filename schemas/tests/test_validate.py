"""What `validate` promises: lines that a human understands, openness to the unknown, and no exception for any document."""

import doctest
import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import gateproof_schemas
from gateproof_schemas import Violation, validate
from gateproof_schemas.violation import violations

CHUNK: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion.chunk",
    "created": 1770000000,
    "model": "m-1",
    "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}],
}
USAGE = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}

CLOSED = {"properties": {"name": {"type": "string"}}, "additionalProperties": False}


def lines(document: object, name: str) -> list[str]:
    return [str(violation) for violation in validate(document, name)]


def nested(depth: int) -> Any:
    document: Any = []
    for _ in range(depth):
        document = [document]
    return document


@pytest.mark.parametrize(
    ("document", "name", "line"),
    [
        (USAGE | {"prompt_tokens": "12"}, "chat/usage", '$.prompt_tokens: expected an integer, got "12" (a string)'),
        (USAGE | {"prompt_tokens": True}, "chat/usage", "$.prompt_tokens: expected an integer, got true (a boolean)"),
        (USAGE | {"prompt_tokens": 1.5}, "chat/usage", "$.prompt_tokens: expected an integer, got 1.5 (a number)"),
        (USAGE | {"prompt_tokens": None}, "chat/usage", "$.prompt_tokens: expected an integer, got null"),
        (
            USAGE | {"prompt_tokens": -1},
            "chat/usage",
            "$.prompt_tokens: expected a number not below 0, got -1 (an integer)",
        ),
        (
            CHUNK | {"choices": [{"index": 0, "delta": {}}]},
            "chat/chunk",
            '$.choices[0]: expected the key "finish_reason", which is missing',
        ),
        (
            CHUNK | {"choices": [{"index": 0, "delta": {"content": ["Hi"]}, "finish_reason": None}]},
            "chat/chunk",
            '$.choices[0].delta.content: expected a string or null, got ["Hi"] (an array)',
        ),
        (
            {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tool_choice": "any"},
            "chat/request",
            '$.tool_choice: expected "none", "auto" or "required", got "any" (a string)',
        ),
        (
            CHUNK | {"object": "chat.completion"},
            "chat/chunk",
            '$.object: expected "chat.completion.chunk", got "chat.completion" (a string)',
        ),
        (CHUNK | {"id": ""}, "chat/chunk", '$.id: expected a string that is not empty, got "" (a string)'),
        ({"error": "boom"}, "chat/chunk", '$.error: expected an object, got "boom" (a string)'),
        (
            {"model": "m", "messages": []},
            "chat/request",
            "$.messages: expected at least 1 item, got [] (an array)",
        ),
        ([1], "chat/chunk", "$: expected an object, got [1] (an array)"),
        ("text", "responses/event", '$: expected an object, got "text" (a string)'),
        (None, "responses/event", "$: expected an object, got null"),
        ({1}, "chat/error", '$: expected an object, got "{1}" (a Python set)'),
    ],
)
def test_a_violation_reads_as_one_clear_line(document: object, name: str, line: str) -> None:
    assert lines(document, name) == [line]


def test_a_violation_is_its_path_what_was_expected_and_what_was_got() -> None:
    assert validate({"error": {"message": "no"}}, "chat/error") == [Violation("$.error", 'the key "type"', "")]


def test_everything_that_is_missing_is_listed_once() -> None:
    assert lines({}, "chat/usage") == [
        f'$: expected the key "{key}", which is missing'
        for key in ("prompt_tokens", "completion_tokens", "total_tokens")
    ]
    assert lines(
        {"type": "response.failed", "response": {"id": "r", "object": "response", "status": "failed"}},
        "responses/event",
    ) == [
        '$.response: expected the key "error", which is missing',
        '$.response: expected the key "output", which is missing',
    ]


def test_a_long_value_is_cut() -> None:
    (line,) = lines(CHUNK | {"created": "long " * 1000}, "chat/chunk")
    assert len(line) < 140
    assert line.endswith("... (a string)")


@pytest.mark.parametrize(
    "breaker", ["\n", "\r\n", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\ud800", "\x1b[2J"]
)
def test_a_line_stays_one_printable_line(breaker: str) -> None:
    (line,) = lines(CHUNK | {"created": f"a{breaker}b"}, "chat/chunk")
    assert line.isprintable()
    assert len(line.splitlines()) == 1


def test_other_scripts_stay_readable() -> None:
    assert lines(CHUNK | {"created": "größe 模型"}, "chat/chunk") == [
        '$.created: expected an integer, got "größe 模型" (a string)'
    ]


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (nested(10_000), "chat/chunk"),
        ({"error": nested(10_000)}, "chat/chunk"),
        (CHUNK | {"choices": nested(10_000)}, "chat/chunk"),
        (CHUNK | {"object": nested(10_000)}, "chat/chunk"),
        ({"type": nested(10_000)}, "responses/event"),
        ({"type": "response.completed", "response": nested(10_000)}, "responses/event"),
        ({"type": "message", "content": nested(10_000)}, "responses/items"),
    ],
)
def test_nesting_without_end_is_a_violation(document: object, name: str) -> None:
    found = lines(document, name)
    assert found
    assert all(len(line) < 200 for line in found)


def test_nesting_is_measured() -> None:
    assert lines({"type": nested(9_999)}, "responses/event") == [
        "$: expected a document that is not nested this deeply, got 10,001 levels of nesting (an object)"
    ]


def test_a_document_that_contains_itself_is_a_violation_too() -> None:
    document: list[Any] = []
    document.append(document)
    assert lines(document, "chat/chunk")


@pytest.mark.parametrize(
    "type_", ["acme:progress", "response.invented", "keepalive", "../response", "_shared", "response"]
)
def test_an_unknown_event_needs_its_type_only(type_: str) -> None:
    assert lines({"type": type_}, "responses/event") == []
    assert lines({"type": type_, "sequence_number": "1"}, "responses/event") == [
        '$.sequence_number: expected an integer, got "1" (a string)'
    ]


@pytest.mark.parametrize("type_", [None, 1, [], {}, ""])
def test_an_event_without_a_usable_type_is_a_violation(type_: object) -> None:
    (violation,) = validate({"type": type_}, "responses/event")
    assert violation.path == "$.type"


def test_an_unknown_item_needs_its_type_only() -> None:
    assert lines({"type": "acme:search"}, "responses/items") == []
    assert lines({}, "responses/items") == ['$: expected the key "type", which is missing']


@pytest.mark.parametrize("code", ["no_code_of_openai", 429, None])
def test_error_codes_are_open(code: object) -> None:
    assert lines({"error": {"message": "no", "type": "some_error", "code": code}}, "chat/error") == []


def test_a_request_in_the_words_of_the_other_dialect_is_found() -> None:
    chat_tool = {"type": "function", "function": {"name": "add"}}
    flat_tool = {"type": "function", "name": "add"}
    chat: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    responses: dict[str, Any] = {"model": "m", "input": "hi"}
    assert lines(chat | {"tools": [flat_tool]}, "chat/request") == [
        '$.tools[0]: expected the key "function", which is missing'
    ]
    assert lines(responses | {"tools": [chat_tool]}, "responses/request") == [
        '$.tools[0]: expected the key "name", which is missing'
    ]
    text = [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]
    input_text = [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}]
    assert lines(chat | {"messages": text}, "chat/request") == []
    assert lines(responses | {"input": input_text}, "responses/request") == []
    assert [violation.path for violation in validate(chat | {"messages": input_text}, "chat/request")] == [
        "$.messages[0].content[0].type"
    ]
    assert [violation.path for violation in validate(responses | {"input": text}, "responses/request")] == [
        "$.input[0].content[0].type"
    ]


def test_a_messages_request_in_the_words_of_openai_is_found() -> None:
    request: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "hi"}]}
    assert lines(request, "messages/request") == []
    image = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]
    (line,) = lines(request | {"messages": image}, "messages/request")
    assert line.startswith('$.messages[0].content[0].type: expected anything but "image_url", "input_audio", ')
    assert line.endswith(' or "refusal", got "image_url" (a string)')
    nested_in_result = [
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": image[0]["content"]}]}
    ]
    assert [violation.path for violation in validate(request | {"messages": nested_in_result}, "messages/request")] == [
        "$.messages[0].content[0].content[0].type"
    ]
    tool = {"type": "function", "function": {"name": "add"}}
    assert lines(request | {"tools": [tool]}, "messages/request") == [
        '$.tools[0].type: expected anything but "function", got "function" (a string)'
    ]
    flat_tool = {"name": "add", "parameters": {"type": "object"}}
    assert lines(request | {"tools": [flat_tool]}, "messages/request") == [
        '$.tools[0]: expected the key "input_schema", which is missing'
    ]
    assert lines(request | {"tool_choice": "required"}, "messages/request") == [
        '$.tool_choice: expected an object, got "required" (a string)'
    ]
    answer = [{"role": "tool", "tool_call_id": "c", "content": "2"}]
    assert [violation.path for violation in validate(request | {"messages": answer}, "messages/request")] == [
        "$.messages[0].role"
    ]


@pytest.mark.parametrize("reason", ["stop", "length", "tool_calls", "content_filter", "function_call"])
def test_a_finish_reason_is_no_stop_reason(reason: str) -> None:
    event = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 1}}
    words = '"stop", "length", "tool_calls", "content_filter" or "function_call"'
    assert lines(event, "messages/event") == [
        f'$.delta.stop_reason: expected anything but {words}, got "{reason}" (a string)'
    ]


def test_thinking_may_begin_without_its_signature_but_not_end_so() -> None:
    block = {"type": "thinking", "thinking": "hm"}
    event = {"type": "content_block_start", "index": 0, "content_block": block}
    assert lines(event, "messages/event") == []
    assert lines(block, "messages/blocks") == ['$: expected the key "signature", which is missing']


def test_a_failed_response_says_why() -> None:
    response = {"id": "r", "object": "response", "created_at": 1, "status": "failed", "model": "m", "output": []}
    assert lines(response, "responses/response") == ['$: expected the key "error", which is missing']
    assert lines(response | {"error": None}, "responses/response") == ["$.error: expected an object, got null"]
    assert lines(response | {"status": "incomplete"}, "responses/response") == [
        '$: expected the key "incomplete_details", which is missing'
    ]


@pytest.mark.parametrize("name", ["chat/chunks", "", "chat/_shared", "responses/events/../event"])
def test_an_unknown_name_is_answered_with_the_nearest(name: str) -> None:
    for ask in (lambda: validate({}, name), lambda: gateproof_schemas.schema(name)):
        with pytest.raises(KeyError, match=r"; the nearest names are [a-z]+/"):
            ask()


def test_an_unknown_name_is_an_error_whatever_the_document() -> None:
    with pytest.raises(KeyError, match="chat/chunk,"):
        validate(None, "chat/chunck")


def test_a_key_that_a_closed_schema_does_not_know_is_named() -> None:
    error = next(Draft202012Validator(CLOSED).iter_errors({"name": "x", "nmae": 1, "zzz": 2}))
    assert [str(violation) for violation in violations(error)] == [
        '$: expected a known key like "name", got "nmae"',
        '$: expected a known key, got "zzz"',
    ]


@pytest.mark.parametrize(
    ("rule", "value", "line"),
    [
        ({"pattern": "^a"}, "b", '$: expected a string that matches ^a, got "b" (a string)'),
        ({"exclusiveMinimum": 0}, 0, "$: expected a number above 0, got 0 (an integer)"),
        ({"maximum": 2}, 3, "$: expected a number not above 2, got 3 (an integer)"),
        ({"multipleOf": 2}, 3, '$: expected what {"multipleOf": 2} allows, got 3 (an integer)'),
        (
            {"anyOf": [{"type": "null"}, {"properties": {"a": {"type": "string"}}}]},
            {"a": 1},
            "$.a: expected a string, got 1 (an integer)",
        ),
    ],
)
def test_any_other_rule_is_named_too(rule: dict[str, Any], value: object, line: str) -> None:
    (error,) = Draft202012Validator(rule).iter_errors(value)
    assert [str(violation) for violation in violations(error)] == [line]


def test_a_violation_survives_a_json_report() -> None:
    violation = Violation("$.a", "a string", "1 (an integer)")
    assert json.loads(json.dumps(vars(violation))) == {"path": "$.a", "expected": "a string", "got": "1 (an integer)"}


def test_the_example_of_the_package_runs() -> None:
    results = doctest.testmod(gateproof_schemas)
    assert (results.failed, results.attempted) == (0, 2)
