"""Each switch of Wire that is a dialect's business, as it shows on the wire of OpenAI's two."""

import json
from typing import Any

import pytest
from mock_bench import Json, body_of, document, frames, rendered

from gateproof_mock import (
    Wire,
    citation,
    comment,
    completed,
    custom_tool_call,
    cut,
    error_event,
    event,
    failed,
    hold,
    incomplete,
    interleaved,
    pause,
    ping,
    raw,
    reasoning,
    refusal,
    script,
    text,
    tool_call,
    unfinished,
    usage,
)
from gateproof_mock.dialects.steps import Break, Head, Rest, Wait

CALL = tool_call("f", '{"a"', ": 1}")
SHELL = custom_tool_call("shell", "ls ", "-l")
CITED = text("Hel", "lo", citations=[citation("https://a.invalid/")])
USED = usage(input=3, output=2, cached=1)
ALL = {"include_usage": True}


def kinds(wire: Wire, *turn: Any) -> list[str]:
    return [e["type"] for _, e in frames(script(*turn, wire=wire), "responses")]


def chunks(wire: Wire, *turn: Any, **body: Any) -> list[Json]:
    return [c for _, c in frames(script(*turn, wire=wire), "chat", **body)]


def deltas(found: list[Json]) -> list[Json]:
    return [choice["delta"] for c in found for choice in c.get("choices", [])]


def last_of(wire: Wire, *turn: Any) -> Json:
    return frames(script(*turn, wire=wire), "responses")[-1][1]


# --- which events there are -----------------------------------------------------------------------


def test_preamble() -> None:
    assert kinds(Wire(preamble=False), failed()) == ["response.failed"]
    assert deltas(chunks(Wire(preamble=False), text("a"))) == [{"content": "a"}, {}]


@pytest.mark.parametrize(
    ("call", "name", "key"),
    [(CALL, "function_call_arguments", "arguments"), (SHELL, "custom_tool_call_input", "input")],
)
@pytest.mark.parametrize(
    ("place", "deltas", "done", "in_item"),
    [("deltas", 2, 1, True), ("arguments_done", 0, 1, True), ("item_done", 0, 0, True), ("terminal", 0, 0, False)],
)
def test_arguments_in(call: Any, name: str, key: str, place: str, deltas: int, done: int, in_item: bool) -> None:
    turn = script(call, wire=Wire(arguments_in=place))
    whole = "".join(getattr(call, key))
    events = [e for _, e in frames(turn, "responses")]
    found = [e["type"] for e in events]
    assert found.count(f"response.{name}.delta") == deltas
    assert found.count(f"response.{name}.done") == done
    assert [e["item"][key] for e in events if "item" in e] == ["", whole if in_item else ""]
    assert events[-1]["response"]["output"][0][key] == whole
    assert document(turn, "responses")["output"][0][key] == whole


@pytest.mark.parametrize("place", ["arguments_done", "item_done", "terminal"])
def test_arguments_in_one_piece_on_chat(place: str) -> None:
    found = deltas(chunks(Wire(arguments_in=place), interleaved(CALL, CALL), SHELL))
    calls = [d["tool_calls"] for d in found if "tool_calls" in d]
    assert [[c["index"] for c in piece] for piece in calls] == [[0], [1], [2]]
    assert [c["function"] for piece in calls[:2] for c in piece] == [{"name": "f", "arguments": '{"a": 1}'}] * 2
    assert calls[2][0]["custom"] == {"name": "shell", "input": "ls -l"}


TEXT_IN: dict[str, list[str]] = {
    "text_done": ["Hello", "Hello", "Hello", "Hello"],
    "item_done": ["", "", "Hello", "Hello"],
    "terminal": ["", "", "", "Hello"],
}


@pytest.mark.parametrize(("place", "wanted"), TEXT_IN.items())
def test_text_in(place: str, wanted: list[str]) -> None:
    turn = script(CITED, refusal("no"), wire=Wire(text_in=place))
    events = [e for _, e in frames(turn, "responses")]
    found = [e["type"].removeprefix("response.") for e in events]
    assert "output_text.delta" not in found
    assert "output_text.annotation.added" not in found
    assert found.count("refusal.delta") == 1
    parts = [
        next(e["part"] for e in events if e["type"] == "response.content_part.done"),
        next(e["item"]["content"][0] for e in events if e["type"] == "response.output_item.done"),
        events[-1]["response"]["output"][0]["content"][0],
    ]
    assert [e["text"] for e in events if "text" in e] + [p["text"] for p in parts] == wanted
    assert [len(p["annotations"]) for p in parts] == [int(bool(p["text"])) for p in parts]
    assert document(turn, "responses")["output"][0]["content"] == events[-1]["response"]["output"][0]["content"]


@pytest.mark.parametrize("place", ["text_done", "item_done", "terminal"])
def test_text_in_on_chat_is_the_last_choices_message(place: str) -> None:
    found = chunks(Wire(text_in=place), CITED, CALL)
    *before, last = found
    assert not [d for d in deltas(before) if "annotations" in d or d.get("content")]
    (choice,) = last["choices"]
    (call,) = [d["tool_calls"][0] for d in deltas(before) if "id" in d.get("tool_calls", [{}])[0]]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "Hello"
    assert len(choice["message"]["annotations"]) == 1
    assert [c["id"] for c in choice["message"]["tool_calls"]] == [call["id"]]
    (unfinished_choice,) = chunks(Wire(text_in=place, no_finish=True), CITED)[-1]["choices"]
    assert (unfinished_choice["finish_reason"], unfinished_choice["message"]["content"]) == (None, "Hello")


def test_null_deltas() -> None:
    turn = script(reasoning("h", full=["i"]), text("a"), refusal("b"), CALL, SHELL, wire=Wire(null_deltas=True))
    found = [e["delta"] for _, e in frames(turn, "responses") if "delta" in e]
    pieces = ["h", "i", "a", "b", '{"a"', ": 1}", "ls ", "-l"]
    assert found == [d for piece in pieces for d in (None, piece)]


def test_null_deltas_on_chat() -> None:
    found = deltas(chunks(Wire(null_deltas=True), reasoning("h"), text("a"), refusal("b"), tool_call("f", "{}"), SHELL))
    assert [d for d in found if "tool_calls" not in d] == [
        {"role": "assistant", "content": "", "refusal": None},
        {"reasoning_content": None},
        {"reasoning_content": "h"},
        {"content": None},
        {"content": "a"},
        {"refusal": None},
        {"refusal": "b"},
        {},
    ]
    pieces = [p for d in found for p in d.get("tool_calls", []) if "id" not in p]
    assert pieces == [
        {"index": 0, "function": {"arguments": None}},
        {"index": 0, "function": {"arguments": "{}"}},
        {"index": 1, "custom": {"input": None}},
        {"index": 1, "custom": {"input": "ls "}},
        {"index": 1, "custom": {"input": None}},
        {"index": 1, "custom": {"input": "-l"}},
    ]


def test_reasoning_key() -> None:
    turn = script(reasoning("hm"), text("a"), wire=Wire(reasoning_key="reasoning"))
    assert {"reasoning": "hm"} in [c["choices"][0]["delta"] for _, c in frames(turn, "chat")]
    message = document(turn, "chat")["choices"][0]["message"]
    assert message["reasoning"] == "hm"
    assert "reasoning_content" not in message


def test_terminal() -> None:
    assert kinds(Wire(terminal="response.done"), text("a"))[-1] == "response.done"
    assert kinds(Wire(terminal="response.done"), text("a"), incomplete())[-1] == "response.incomplete"


@pytest.mark.parametrize("ending", [completed(), failed()])
def test_bare_terminal(ending: Any) -> None:
    assert set(last_of(Wire(bare_terminal=True), text("a"), ending)) == {"type", "sequence_number"}


@pytest.mark.parametrize(("shown", "items"), [("full", 2), ("partial", 1), ("empty", 0)])
@pytest.mark.parametrize("ending", [completed(), incomplete(), failed()])
def test_terminal_output(shown: str, items: int, ending: Any) -> None:
    turn = script(text("a"), CALL, ending, wire=Wire(terminal_output=shown))
    whole = document(turn, "responses")["output"]
    assert [i["type"] for i in whole] == ["message", "function_call"]
    output = frames(turn, "responses")[-1][1]["response"]["output"]
    assert [i["type"] for i in output] == [i["type"] for i in whole[:items]]


def test_repeat_terminal() -> None:
    wire = Wire(repeat_terminal=True, done=True)
    assert kinds(wire, text("a"))[-2:] == ["response.completed"] * 2
    body = body_of(rendered(script(text("a"), wire=wire), "responses", stream=True))
    assert body.endswith(b"data: [DONE]\n\ndata: [DONE]\n\n")
    assert kinds(wire, error_event(then_failed=True))[-3:] == ["error", "response.failed", "response.failed"]
    found = chunks(wire, text("a"), stream_options=ALL)
    assert [c["choices"][0]["finish_reason"] if c["choices"] else "usage" for c in found] == [
        *(None, None, "stop", "stop", "usage")
    ]


@pytest.mark.parametrize("place", ["documented", "finish", "every", "start"])
def test_usage_where_documented_on_responses(place: str) -> None:
    last = last_of(Wire(usage_in=place), text("a"), USED)
    assert last["response"]["usage"]["total_tokens"] == 5
    assert "usage" not in last


def test_usage_in_the_event() -> None:
    turn = script(text("a"), USED, wire=Wire(usage_in="event"))
    last = frames(turn, "responses")[-1][1]
    assert last["usage"]["total_tokens"] == 5
    assert last["response"]["usage"] is None
    assert document(turn, "responses")["usage"]["total_tokens"] == 5
    assert "usage" not in last_of(Wire(usage_in="event"), failed())
    assert last_of(Wire(usage_in="event", bare_terminal=True), USED)["usage"]["total_tokens"] == 5


FULL = document(script(USED), "chat")["usage"]


def so_far(output: int) -> Json:
    return {"prompt_tokens": 3, "completion_tokens": output, "total_tokens": 3 + output}


USAGES: dict[str, tuple[list[Any], list[Any]]] = {
    "documented": ([None] * 5, [*[None] * 5, FULL]),
    "event": ([None] * 5, [*[None] * 5, FULL]),
    "start": ([None] * 5, [*[None] * 5, FULL]),
    "finish": ([*[None] * 4, FULL], [*[None] * 4, FULL]),
    "every": (
        [so_far(0), so_far(1), so_far(2), so_far(2), FULL],
        [so_far(0), so_far(1), so_far(2), so_far(2), FULL, FULL],
    ),
}


@pytest.mark.parametrize(("place", "wanted"), USAGES.items())
def test_usage_on_chat(place: str, wanted: tuple[list[Any], list[Any]]) -> None:
    for body, found in zip(({}, {"stream_options": ALL}), wanted, strict=True):
        got = chunks(Wire(usage_in=place), text("a", "b", "c"), USED, **body)
        assert [c.get("usage") for c in got] == found
        if place != "every":
            assert all(("usage" in c) is bool(body) for c in got[:-1])


def test_no_finish() -> None:
    for place in ("documented", "finish"):
        found = chunks(Wire(no_finish=True, usage_in=place), text("a"), stream_options=ALL)
        assert not [c for c in found if c["choices"] and c["choices"][0]["finish_reason"]]
        assert found[-1]["choices"] == []
        assert found[-1]["usage"]["total_tokens"] == 18


def test_no_done() -> None:
    assert b"[DONE]" not in body_of(rendered(script(text("a"), wire=Wire(no_done=True)), "chat", stream=True))


@pytest.mark.parametrize("ending", [completed(), failed(), error_event(), unfinished("queued")])
def test_done(ending: Any) -> None:
    for on in (True, False):
        body = body_of(rendered(script(text("a"), ending, wire=Wire(done=on)), "responses", stream=True))
        assert body.endswith(b"}\n\ndata: [DONE]\n\n") is on
        assert body.count(b"[DONE]") == int(on)


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_unrequested_sse(dialect: str) -> None:
    steps = rendered(script(text("a"), wire=Wire(unrequested_sse=True)), dialect, stream=False)
    assert isinstance(steps[0], Head)
    assert steps[0].headers["Content-Type"].startswith("text/event-stream")


@pytest.mark.parametrize(
    ("sequence", "wanted"),
    [
        ("counted", [0, 1, 2, 3, 4]),
        ("missing", [None, None, None, None, None]),
        ("repeated", [0, 0, 1, 1, 2]),
        ("gaps", [0, 2, 4, 6, 8]),
    ],
)
def test_sequence(sequence: str, wanted: list[int | None]) -> None:
    turn = script(ping(), event(type="odd"), completed(), wire=Wire(sequence=sequence))
    assert [e.get("sequence_number") for _, e in frames(turn, "responses")] == wanted


def test_the_roles_by_which_order_is_changed() -> None:
    found = kinds(Wire(order="added_late"), text("a"))
    assert [k.removeprefix("response.") for k in found[2:5]] == [
        *("output_item.added", "output_text.delta", "content_part.added")
    ]
    found = kinds(Wire(order="done_early"), text("a", "b"))
    assert [k.removeprefix("response.") for k in found[4:7]] == [
        *("output_text.delta", "output_text.done", "output_text.delta")
    ]
    late = deltas(chunks(Wire(order="added_late"), CALL))
    assert [d["tool_calls"][0].get("id") is None for d in late if "tool_calls" in d] == [True, False, True]


def test_unnamed_events() -> None:
    turn = script(text("a"), event(type="keepalive"), wire=Wire(unnamed_events=True))
    assert [name for name, _ in frames(turn, "responses")] == [""] * 10


def test_typeless_events() -> None:
    turn = script(text("a"), wire=Wire(typeless_events=True))
    plain = frames(script(text("a")), "responses")
    typeless = frames(turn, "responses")
    assert [name for name, _ in typeless] == [e["type"] for _, e in plain]
    assert not [e for _, e in typeless if "type" in e]
    assert len(frames(turn, "chat")) == 3


# --- what is done between events, and after the end -----------------------------------------------


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ({"type": "keepalive"}, ("keepalive", {"type": "keepalive", "sequence_number": 2})),
        ({"type": "keepalive", "sequence_number": 99}, ("keepalive", {"type": "keepalive", "sequence_number": 99})),
        ({"odd": True}, ("", {"odd": True, "sequence_number": 2})),
    ],
)
def test_a_scripted_event_on_responses(data: Json, wanted: tuple[str, Json]) -> None:
    found = frames(script(event(**data), text("a")), "responses")
    assert found[2] == wanted
    assert found[3][1]["sequence_number"] == 3


def test_a_scripted_event_on_chat_is_given_whole() -> None:
    assert ("", {"type": "odd", "n": 1}) in frames(script(event(type="odd", n=1)), "chat")


def test_signs_of_life() -> None:
    turn = script(ping(), text("a"))
    assert frames(turn, "responses")[2] == ("keepalive", {"type": "keepalive", "sequence_number": 2})
    assert b"\n\n: ping\n\ndata: " in body_of(rendered(turn, "chat", stream=True))


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_raw_comments_and_waits_stand_where_they_are_said(dialect: str) -> None:
    turn = script(text("a"), raw("data: {\r"), comment("Ü"), hold("h"), pause(0.5), text("b"))
    steps = rendered(turn, dialect, stream=True)
    (first, second) = [i for i, s in enumerate(steps) if isinstance(s, Wait | Rest)]
    assert steps[first : second + 1] == [Wait("h"), Rest(0.5)]
    assert body_of(steps[:first]).endswith(b"\n\ndata: {\r: \xc3\x9c\n\n")
    assert b'"a"' in body_of(steps[:first])
    assert b'"b"' in body_of(steps[second:])
    plain = rendered(turn, dialect)
    assert plain[:2] == [Wait("h"), Rest(0.5)]
    assert isinstance(json.loads(body_of(plain)), dict)


AFTER = (hold("h"), pause(0.5), comment(), ping(), event(type="late"), raw("junk"))


@pytest.mark.parametrize("ending", [completed(), incomplete(), failed(), error_event(), unfinished("queued")])
def test_what_follows_the_ending_follows_done(ending: Any) -> None:
    def after(dialect: str) -> tuple[bytes, bytes]:
        steps = rendered(script(text("a"), ending, *AFTER, wire=Wire(done=True)), dialect, stream=True)
        (first, second) = [i for i, s in enumerate(steps) if isinstance(s, Wait | Rest)]
        return body_of(steps[:first]), body_of(steps[second:])

    before, late = after("chat")
    assert before.endswith(b"data: [DONE]\n\n")
    assert late == b': ping\n\n: ping\n\ndata: {"type":"late"}\n\njunk'
    before, late = after("responses")
    assert before.endswith(b"data: [DONE]\n\n")
    assert [line.split(b",")[0] for line in late.split(b"\n\n")] == [
        b": ping",
        b'event: keepalive\ndata: {"type":"keepalive"',
        b'event: late\ndata: {"sequence_number":%d' % (before.count(b"sequence_number") + 1),
        b"junk",
    ]


@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize("how", ["eof", "fin", "rst"])
def test_cuts(dialect: str, how: str) -> None:
    streamed = rendered(script(text("a"), cut(how), wire=Wire(done=True)), dialect, stream=True)
    assert b"completed" not in body_of(streamed).replace(b'"completed_at":null', b"")
    assert b"[DONE]" not in body_of(streamed)
    plain = rendered(script(text("a"), cut(how)), dialect)
    with pytest.raises(ValueError):
        json.loads(body_of(plain))
    for steps in (streamed, plain):
        assert [s.how for s in steps if isinstance(s, Break)] == ([] if how == "eof" else [how])


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_a_cut_inside_the_last_event(dialect: str) -> None:
    whole = body_of(rendered(script(text("ä"), cut()), dialect, stream=True))
    for where in ("event", "utf8"):
        body = body_of(rendered(script(text("ä"), cut("fin", where)), dialect, stream=True))
        assert len(body) < len(whole)
        assert not body.endswith(b"\n\n")
        with pytest.raises(UnicodeDecodeError) if where == "utf8" else pytest.raises(AssertionError):
            assert not body.decode()


# --- what is lawful -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wire", "lawful"),
    [
        (Wire(preamble=False), True),
        (Wire(terminal_output="empty"), True),
        (Wire(terminal_output="partial"), False),
        (Wire(arguments_in="item_done"), False),
        (Wire(text_in="terminal"), False),
        (Wire(null_deltas=True), False),
        (Wire(reasoning_key="reasoning"), True),
        (Wire(terminal="response.done"), False),
        (Wire(bare_terminal=True), False),
        (Wire(repeat_terminal=True), False),
        (Wire(usage_in="event"), False),
        (Wire(no_finish=True), False),
        (Wire(no_done=True), False),
        (Wire(done=True), True),
        (Wire(unrequested_sse=True), False),
        (Wire(sequence="gaps"), False),
        (Wire(order="added_late"), False),
        (Wire(unnamed_events=True), False),
        (Wire(typeless_events=True), False),
        (Wire(line_end="crlf", split_every=1, together=3), True),
    ],
)
def test_what_is_lawful(wire: Wire, lawful: bool) -> None:
    assert script(wire=wire).lawful is lawful


@pytest.mark.parametrize(
    "turn", [script(cut()), script(event(type="x")), script(raw("x")), script(incomplete("interrupted"))]
)
def test_what_no_document_allows(turn: Any) -> None:
    assert not turn.lawful
