"""Every lawful turn in OpenAI's two dialects: valid by the schemas, right by the grammar, the same in both modes."""

import itertools
import json
from typing import Any

import pytest
from mock_bench import Json, body_of, document, frames, rendered, status_of

from gateproof_mock import (
    Script,
    Wire,
    cancelled,
    citation,
    comment,
    completed,
    custom_tool_call,
    error_event,
    failed,
    hold,
    image,
    incomplete,
    interleaved,
    item,
    next_message,
    next_part,
    pause,
    ping,
    reasoning,
    refusal,
    refused,
    script,
    text,
    tool_call,
    unfinished,
    usage,
    web_search,
)
from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects.steps import Head, Step
from gateproof_mock.language.turns import CustomToolCall, Interleaved, ToolCall
from gateproof_schemas import validate

OSLO = tool_call("get_weather", '{"city":', ' "Oslo"}')
ROME = tool_call("get_time", '{"zone": "Rome"}', id="call_rome")
SHELL = custom_tool_call("shell", "ls ", "-l")
SOURCES = (citation("https://a.invalid/", "A", start=0, end=3), citation("https://b.invalid/", start=3, end=5))
COUNTS = usage(
    input=607,
    output=1024,
    cached=500,
    reasoning=1000,
    audio_input=3,
    audio_output=4,
    accepted_prediction=5,
    rejected_prediction=6,
)

TURNS: dict[str, Script] = {
    "nothing": script(),
    "text": script(text("Hel", "lo"), completed()),
    "empty text": script(text("")),
    "no pieces": script(text()),
    "text in two elements": script(text("Hel"), text("lo")),
    "awkward text": script(text("\x00\x1b \u2028\x85", "日本 🦄", '"\\\n')),
    "half a surrogate pair": script(text("\ud83e", "\udd84")),
    "text many times over": script(text("ab", "c", times=3, stretch=2)),
    "cited text": script(text("Hel", "lo", citations=SOURCES), text(", you", citations=SOURCES[:1])),
    "two parts": script(text("One."), next_part(), next_part(), text("Two."), next_part()),
    "reasoning": script(reasoning("Let me ", "think."), text("42")),
    "reasoning in full": script(reasoning(full=["Let me ", "think."]), text("42")),
    "all of reasoning": script(reasoning("In short.", full=["At ", "length."], encrypted="gAAA="), text("42")),
    "encrypted reasoning": script(reasoning(encrypted="gAAA="), text("42")),
    "empty reasoning": script(reasoning(), text("42")),
    "refusal": script(refusal("I can", "not.")),
    "text then refusal": script(text("Well, "), refusal("no.")),
    "tool": script(OSLO),
    "tool without arguments": script(tool_call("now")),
    "text and tools": script(text("Looking."), OSLO, ROME),
    "tool then text": script(OSLO, text("Done.")),
    "custom tool": script(SHELL),
    "custom tool without input": script(custom_tool_call("now", id="call_now")),
    "both kinds of tools": script(text("Looking."), SHELL, OSLO),
    "interleaved": script(interleaved(OSLO, ROME)),
    "interleaved in reverse": script(interleaved(OSLO, ROME, reverse=True)),
    "web search": script(web_search("weather"), text("Rain.")),
    "image": script(text("Here:"), image("aGVsbG8=", "image/webp")),
    "item": script(item(type="mcp_call", name="f", status="completed", arguments="{}", server_label="s"), text("a")),
    "unknown item": script(item(type="acme:thing", id="thing_1", words=["a"]), text("a")),
    "two messages": script(text("One."), next_message(), text("Two.")),
    "next message twice and last": script(next_message(), text("One."), next_message(), next_message()),
    "usage": script(text("Hello"), COUNTS),
    "everything": script(
        reasoning("Hm.", full=["Hm, hm."]),
        text("A", citations=SOURCES),
        comment(),
        ping(),
        OSLO,
        SHELL,
        pause(0.01),
        hold("b"),
        refusal("no"),
        interleaved(ROME, OSLO),
        web_search("q"),
        image("aGVsbG8="),
        item(type="acme:thing"),
        COUNTS,
    ),
    "truncated": script(text("Hel"), incomplete()),
    "truncated call": script(text("Hel"), OSLO, incomplete()),
    "truncated custom call": script(OSLO, SHELL, incomplete()),
    "truncated part": script(text("Hel"), next_part(), text("lo"), next_part(), incomplete()),
    "same call twice, truncated": script(OSLO, text("and"), OSLO, incomplete()),
    "truncated after a search": script(text("Hel"), web_search("q"), incomplete()),
    "truncated after next_message": script(text("Hel"), next_message(), incomplete()),
    "filtered": script(text("Hel"), incomplete("content_filter")),
    "failed": script(text("Hel"), failed("rate_limit_exceeded", "Slow down.", type="rate_limit_error", status=429)),
    "failed at once": script(failed(), wire=Wire(preamble=False)),
    "error event": script(text("Hel"), error_event()),
    "nested error event": script(text("Hel"), error_event(nested=True)),
    "error event, then failed": script(text("Hel"), error_event(nested=True, then_failed=True)),
    "cancelled": script(text("Hel"), cancelled()),
    "held after the end": script(text("Hel"), completed(), hold("b"), comment(), pause(0.01)),
    "queued": script(unfinished("queued")),
    "in progress": script(text("Hel"), unfinished("in_progress")),
}
TEXT_DONE = ("response.output_text.done", "response.reasoning_text.done")
turns = pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS.keys())


def words(turn: Script, kind: str, *fields: str) -> str:
    """What the elements of this kind say: the first of these fields that says anything."""
    found = (next(filter(None, (getattr(e, f) for f in fields)), ()) for e in turn.turn if kind == e.KEY)
    return "".join(itertools.chain.from_iterable(found))


def calls(turn: Script) -> list[tuple[str, str]]:
    """Name and arguments (or input) of every call, in order."""
    found: list[tuple[str, str]] = []
    for element in turn.turn:
        match element:
            case ToolCall(name, arguments):
                found.append((name, "".join(arguments)))
            case CustomToolCall(name, input):
                found.append((name, "".join(input)))
            case Interleaved(several):
                found += [(call.name, "".join(call.arguments)) for call in several]
    return found


def joined(*halves: str) -> str:
    """Text whose surrogate pairs were split, as a JSON reader of the whole would have it."""
    whole: str = json.loads(json.dumps("".join(halves)))
    return whole


def shape(item: Json) -> Json:
    """An item without the ids that no two answers share."""
    return {k: v for k, v in item.items() if k not in ("id", "call_id")}


def ended_parts(item: Json) -> list[Json]:
    """The content parts of a message or of reasoning."""
    return item.get("content", []) if item["type"] in ("message", "reasoning") else []


@turns
def test_lawful(turn: Script) -> None:
    assert turn.lawful


@turns
@pytest.mark.parametrize("asked", [{}, {"tools": [{"type": "function", "name": "f"}], "metadata": {"a": "b"}}])
def test_every_responses_frame_is_valid(turn: Script, asked: Json) -> None:
    for name, event in frames(turn, "responses", model="m", **asked):
        assert name == event["type"]
        assert validate(event, "responses/event") == []


@turns
def test_the_responses_document_is_valid(turn: Script) -> None:
    found = document(turn, "responses", model="m")
    assert validate(found, "responses/response") == []
    assert isinstance(found["created_at"], int)


@turns
@pytest.mark.parametrize("include_usage", [False, True])
def test_every_chunk_is_valid(turn: Script, include_usage: bool) -> None:
    options = {"stream_options": {"include_usage": include_usage}}
    chunks = [chunk for _, chunk in frames(turn, "chat", model="m", **options)]
    for chunk in chunks:
        assert validate(chunk, "chat/chunk") == []
    assert len({c["id"] for c in chunks}) == 1
    assert len({c["created"] for c in chunks}) == 1


@turns
def test_the_chat_document_is_valid(turn: Script) -> None:
    steps = rendered(turn, "chat", model="m")
    found = json.loads(body_of(steps))
    if status_of(steps) == 200:
        assert validate(found, "chat/response") == []
    else:
        assert validate(found, "chat/error") == []
        assert set(found["error"]) == {"message", "type", "param", "code"}


@turns
def test_the_grammar_of_a_responses_stream(turn: Script) -> None:
    events = [event for _, event in frames(turn, "responses")]
    kinds = [e["type"] for e in events]
    if turn.wire.preamble:
        assert kinds[:2] == ["response.created", "response.in_progress"]
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    terminals = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")
    if getattr(turn.ending, "then_failed", False):
        assert kinds[-2:] == ["error", "response.failed"]
        kinds.remove("error")
    ends = [k for k in kinds if k in terminals]
    if turn.ending is not None and turn.ending.KEY == "unfinished":
        assert ends == []
        assert kinds[-1] == f"response.{turn.ending.status}"
    else:
        assert ends == [kinds[-1]]
    assert kinds.count("response.created") == int(turn.wire.preamble)
    added = [e for e in events if e["type"] == "response.output_item.added"]
    assert [e["output_index"] for e in added] == list(range(len(added)))
    items = {e["item"]["id"]: e["output_index"] for e in added}
    assert len(items) == len(added)
    done: set[str] = set()
    parts: dict[str, int] = {}
    for event in events:
        item_id = event.get("item_id") or event.get("item", {}).get("id")
        if item_id is None:
            continue
        assert event["output_index"] == items[item_id]
        assert item_id not in done, "an event after the item's end"
        if event["type"] == "response.content_part.added":
            assert event["content_index"] == parts.get(item_id, -1) + 1
            parts[item_id] = event["content_index"]
        elif "content_index" in event:
            assert event["content_index"] == parts[item_id]
        elif event["type"] == "response.output_item.done":
            done.add(item_id)
    if kinds[-1] in ("response.completed", "response.incomplete"):
        assert done == set(items)


@turns
def test_the_responses_stream_adds_up(turn: Script) -> None:
    """Deltas make the done texts, done items make the terminal's output, and that is the JSON mode's output."""
    events = [event for _, event in frames(turn, "responses")]

    def deltas(kind: str) -> str:
        return "".join(e["delta"] for e in events if e["type"] == f"response.{kind}.delta")

    assert deltas("output_text") == words(turn, "text", "deltas")
    assert deltas("refusal") == words(turn, "refusal", "pieces")
    assert deltas("reasoning_summary_text") == words(turn, "reasoning", "pieces")
    assert deltas("reasoning_text") == words(turn, "reasoning", "full")
    done = {e["output_index"]: e["item"] for e in events if e["type"] == "response.output_item.done"}
    kinds = {"function_call": "arguments", "custom_tool_call": "input"}
    got = [(i["name"], i[kinds[i["type"]]]) for _, i in sorted(done.items()) if i["type"] in kinds]
    assert got == calls(turn)
    for index, whole in done.items():
        here = [e for e in events if e.get("output_index") == index]
        if key := kinds.get(whole["type"]):
            assert "".join(e["delta"] for e in here if e["type"].endswith(f"{key}.delta")) == whole[key]
            assert [e[key] for e in here if e["type"].endswith(f"{key}.done")] == [whole[key]]
        texts = [joined(e["text"]) for e in here if e["type"] in TEXT_DONE]
        assert texts == [joined(p["text"]) for p in ended_parts(whole) if "text" in p]
        assert [e["part"] for e in here if e["type"] == "response.content_part.done"] == ended_parts(whole)
        annotations = [e["annotation"] for e in here if "annotation" in e]
        assert annotations == [a for p in ended_parts(whole) for a in p.get("annotations", [])]
    last = events[-1]
    plain = document(turn, "responses")
    if last["type"] == "error":
        assert plain["status"] == "failed"
        assert plain["error"]["message"] in json.dumps(last)
        return
    response = last["response"]
    if last["type"] in ("response.completed", "response.incomplete"):
        assert response["output"] == [item for _, item in sorted(done.items())]
    assert [shape(i) for i in response["output"]] == [shape(i) for i in plain["output"]]
    for key in ("status", "usage", "error", "incomplete_details"):
        assert response[key] == plain[key]
    assert response["completed_at"] == (response["created_at"] if response["status"] == "completed" else None)
    if turn.wire.preamble:
        assert events[0]["response"]["id"] == response["id"]


def called(call: Json) -> Json:
    """The name and the arguments (or input) of a call, or a piece of them."""
    found: Json = call["custom"] if "custom" in call else call["function"]
    return found


@turns
def test_the_chat_stream_adds_up(turn: Script) -> None:
    chunks = [chunk for _, chunk in frames(turn, "chat", stream_options={"include_usage": True})]
    choices = [c["choices"][0] for c in chunks if c["choices"]]

    def deltas(key: str) -> str:
        return "".join(c["delta"].get(key) or "" for c in choices)

    assert deltas("content") == words(turn, "text", "deltas")
    assert deltas("refusal") == words(turn, "refusal", "pieces")
    assert deltas("reasoning_content") == words(turn, "reasoning", "full", "pieces")
    tools: dict[int, list[str]] = {}
    for piece in (p for c in choices for p in c["delta"].get("tool_calls", [])):
        if "id" in piece:
            assert piece["index"] == len(tools)
            tools[piece["index"]] = [called(piece)["name"], ""]
        tools[piece["index"]][1] += called(piece).get("arguments") or called(piece).get("input", "")
    assert [(n, a) for n, a in tools.values()] == calls(turn)
    steps = rendered(turn, "chat")
    plain = json.loads(body_of(steps))
    finishes = [c["finish_reason"] for c in choices if c["finish_reason"]]
    if status_of(steps) != 200:
        assert finishes == []
        assert chunks[-1]["error"] == plain["error"]
        return
    message = plain["choices"][0]["message"]
    assert finishes == [plain["choices"][0]["finish_reason"]]
    assert chunks[-1]["usage"] == plain["usage"]
    assert joined(deltas("content")) == (message["content"] or "")
    assert deltas("refusal") == (message["refusal"] or "")
    assert deltas("reasoning_content") == message.get("reasoning_content", "")
    assert [tuple(called(c).values()) for c in message.get("tool_calls", [])] == calls(turn)
    for key in ("annotations", "images"):
        assert [a for c in choices for a in c["delta"].get(key, [])] == message.get(key, [])


@pytest.mark.parametrize(
    "turn", [TURNS["truncated call"], TURNS["same call twice, truncated"], TURNS["truncated custom call"]]
)
def test_only_the_last_item_of_a_truncated_turn_is_incomplete(turn: Script) -> None:
    output = document(turn, "responses")["output"]
    assert [i["status"] for i in output] == ["completed"] * (len(output) - 1) + ["incomplete"]


def test_reverse_ends_the_calls_in_reverse() -> None:
    events = [e for _, e in frames(TURNS["interleaved in reverse"], "responses")]
    assert [e["output_index"] for e in events if e["type"] == "response.output_item.done"] == [1, 0]
    deltas = [e["output_index"] for e in events if e["type"] == "response.function_call_arguments.delta"]
    assert deltas == [0, 1, 0]


def test_usage_in_both_dialects() -> None:
    turn = TURNS["usage"]
    assert document(turn, "responses")["usage"] == {
        "input_tokens": 607,
        "input_tokens_details": {"cached_tokens": 500, "cache_write_tokens": 0, "audio_tokens": 3},
        "output_tokens": 1024,
        "output_tokens_details": {
            "reasoning_tokens": 1000,
            "audio_tokens": 4,
            "accepted_prediction_tokens": 5,
            "rejected_prediction_tokens": 6,
        },
        "total_tokens": 1631,
    }
    assert document(turn, "chat")["usage"] == {
        "prompt_tokens": 607,
        "completion_tokens": 1024,
        "total_tokens": 1631,
        "prompt_tokens_details": {"cached_tokens": 500, "audio_tokens": 3},
        "completion_tokens_details": {
            "reasoning_tokens": 1000,
            "audio_tokens": 4,
            "accepted_prediction_tokens": 5,
            "rejected_prediction_tokens": 6,
        },
    }
    assert validate(document(turn, "responses")["usage"], "responses/usage") == []
    assert validate(document(turn, "chat")["usage"], "chat/usage") == []


def test_ids_are_unique_across_answers() -> None:
    turn = TURNS["everything"]
    ids: list[str] = []
    for _ in range(3):
        found = document(turn, "responses")
        events = [e for _, e in frames(turn, "responses")]
        ids += [found["id"], events[0]["response"]["id"], document(turn, "chat")["id"]]
        ids += [i["id"] for i in found["output"]]
        ids += [e["item"]["id"] for e in events if e["type"] == "response.output_item.added"]
    assert len(ids) == len(set(ids))


@turns
@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_an_answer_differs_from_call_to_call_in_its_ids_and_times_alone(
    turn: Script, dialect: str, stream: bool
) -> None:
    def answer(call: str, created: int) -> list[Step]:
        asked = Asked({"model": "m", "stream": stream}, call=call, created=created)
        return list(DIALECTS[dialect].render(turn, asked))

    one, same, other = answer("a" * 16, 5_000_000_001), answer("a" * 16, 5_000_000_001), answer("b" * 16, 5_000_000_002)
    assert one == same
    head = next(s for s in one if isinstance(s, Head))
    assert head.headers["x-request-id"] == f"req_{'a' * 16}"
    body = body_of(other).replace(b"b" * 16, b"a" * 16)
    for key in (b'"created":', b'"created_at":', b'"completed_at":'):
        body = body.replace(key + b"5000000002", key + b"5000000001")
    assert body == body_of(one)


@pytest.mark.parametrize("mode", [{"stream": True}, {"stream": True, "stream_options": {"include_usage": False}}])
def test_usage_is_streamed_on_chat_only_when_asked_for(mode: Json) -> None:
    mode = {k: v for k, v in mode.items() if k != "stream"}
    assert all("usage" not in c for _, c in frames(TURNS["usage"], "chat", **mode))


def test_include_usage_adds_a_last_chunk_and_nulls() -> None:
    chunks = [c for _, c in frames(TURNS["usage"], "chat", stream_options={"include_usage": True})]
    assert [c["usage"] for c in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 1631
    assert body_of(rendered(TURNS["usage"], "chat", stream=True)).endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize(
    ("stream", "kind"), [(True, "text/event-stream"), (False, "application/"), (None, "application/")]
)
def test_stream_is_honoured(dialect: str, stream: bool | None, kind: str) -> None:
    head: Any = rendered(TURNS["text"], dialect, stream=stream)[0]
    assert head.headers["Content-Type"].startswith(kind)


@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_a_refusal_is_http_in_both_modes(dialect: str, stream: bool) -> None:
    body = {"error": {"message": "No {credential}", "type": "t", "param": None, "code": None}}
    steps = rendered(script(text("unsaid"), refused(429, body, retry_after="7")), dialect, stream=stream)
    head: Any = steps[0]
    assert (head.status, head.headers["retry-after"]) == (429, "7")
    assert validate(json.loads(body_of(steps)), f"{dialect}/error") == []
    assert json.loads(body_of(steps))["error"]["message"] == "No "


def test_a_refusal_says_its_own_content_type_once() -> None:
    html: Any = rendered(script(refused(502, "<html>Ünavailable")), "chat")[0]
    assert html.headers == {"Content-Type": "text/html; charset=utf-8"}
    own: Any = rendered(script(refused(502, {"a": 1}, content_type="text/odd")), "chat")[0]
    assert own.headers == {"content-type": "text/odd"}
    assert body_of(rendered(script(refused(503)), "chat")) == b""


@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize("stream", [True, False])
def test_what_a_script_quotes_of_its_call(dialect: str, stream: bool) -> None:
    def body(turn: Script) -> bytes:
        asked = Asked({"stream": stream}, credential="sk-secret", marker="gp-aaaaaa-bbbbbbbb")
        return body_of(list(DIALECTS[dialect].render(turn, asked)))

    assert b'"You are gp-aaaaaa-bbbbbbbb."' in body(script(text("You are {marker}.")))
    assert b'"No sk-secret."' in body(script(failed(message="No {credential}.")))


def test_compaction() -> None:
    turn = script(text("So ", "far."))
    found = json.loads(body_of(rendered(turn, "responses", kind="compact", stream=True)))
    assert validate(found, "responses/compaction") == []
    assert found["output"][0]["encrypted_content"] == "So far."
    steps = rendered(script(failed(status=503)), "responses", kind="compact")
    assert status_of(steps) == 503
    assert validate(json.loads(body_of(steps)), "responses/error") == []
