"""Each switch of Wire, as it shows on the wire."""

import json
from typing import Any

import pytest
from mock_bench import Json, body_of, document, frames, rendered

from gateproof_mock import Wire, completed, cut, event, failed, incomplete, script, text, tool_call, usage
from gateproof_mock.steps import Break, Head

CALL = tool_call("f", '{"a"', ": 1}")


def kinds(wire: Wire, *turn: Any) -> list[str]:
    return [e["type"] for _, e in frames(script(*turn, wire=wire), "responses")]


def test_preamble() -> None:
    assert kinds(Wire(preamble=False), failed()) == ["response.failed"]
    chunks = [c for _, c in frames(script(text("a"), wire=Wire(preamble=False)), "chat")]
    assert chunks[0]["choices"][0]["delta"] == {"content": "a"}


@pytest.mark.parametrize(("place", "deltas", "done"), [("deltas", 2, 1), ("arguments_done", 0, 1), ("item_done", 0, 0)])
def test_arguments_in(place: str, deltas: int, done: int) -> None:
    found = kinds(Wire(arguments_in=place), CALL)
    assert found.count("response.function_call_arguments.delta") == deltas
    assert found.count("response.function_call_arguments.done") == done
    items = [e["item"] for _, e in frames(script(CALL, wire=Wire(arguments_in=place)), "responses") if "item" in e]
    assert [i["arguments"] for i in items] == ["", '{"a": 1}']


def test_terminal() -> None:
    assert kinds(Wire(terminal="response.done"), text("a"))[-1] == "response.done"
    assert kinds(Wire(terminal="response.done"), text("a"), incomplete())[-1] == "response.incomplete"


@pytest.mark.parametrize("ending", [completed(), failed()])
def test_bare_terminal(ending: Any) -> None:
    _, last = frames(script(text("a"), ending, wire=Wire(bare_terminal=True)), "responses")[-1]
    assert set(last) == {"type", "sequence_number"}


def test_empty_output() -> None:
    turn = script(text("a"), wire=Wire(empty_output=True))
    assert frames(turn, "responses")[-1][1]["response"]["output"] == []
    assert len(document(turn, "responses")["output"]) == 1


def test_usage_at_event() -> None:
    turn = script(text("a"), usage(input=3, output=4), wire=Wire(usage_at_event=True))
    last = frames(turn, "responses")[-1][1]
    assert last["usage"]["total_tokens"] == 7
    assert last["response"]["usage"] is None
    assert document(turn, "responses")["usage"]["total_tokens"] == 7
    failing = frames(script(failed(), wire=Wire(usage_at_event=True)), "responses")[-1][1]
    assert "usage" not in failing


def test_no_finish() -> None:
    chunks = [c for _, c in frames(script(text("a"), wire=Wire(no_finish=True)), "chat")]
    assert not [c for c in chunks if c["choices"][0]["finish_reason"]]


def test_no_done() -> None:
    assert b"[DONE]" not in body_of(rendered(script(text("a"), wire=Wire(no_done=True)), "chat", stream=True))


@pytest.mark.parametrize("dialect", ["chat", "responses"])
def test_unrequested_sse(dialect: str) -> None:
    steps = rendered(script(text("a"), wire=Wire(unrequested_sse=True)), dialect, stream=False)
    assert isinstance(steps[0], Head)
    assert steps[0].headers["Content-Type"].startswith("text/event-stream")


def test_unnamed_events() -> None:
    turn = script(text("a"), event(type="keepalive"), wire=Wire(unnamed_events=True))
    assert [name for name, _ in frames(turn, "responses")] == [""] * 10


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


@pytest.mark.parametrize("dialect", ["chat", "responses"])
@pytest.mark.parametrize("how", ["eof", "fin", "rst"])
def test_cuts(dialect: str, how: str) -> None:
    streamed = rendered(script(text("a"), cut(how)), dialect, stream=True)
    assert b"completed" not in body_of(streamed)
    assert b"[DONE]" not in body_of(streamed)
    plain = rendered(script(text("a"), cut(how)), dialect)
    with pytest.raises(ValueError):
        json.loads(body_of(plain))
    for steps in (streamed, plain):
        assert [s.how for s in steps if isinstance(s, Break)] == ([] if how == "eof" else [how])


@pytest.mark.parametrize(
    ("wire", "lawful"),
    [
        (Wire(preamble=False), True),
        (Wire(empty_output=True), True),
        (Wire(arguments_in="item_done"), False),
        (Wire(terminal="response.done"), False),
        (Wire(bare_terminal=True), False),
        (Wire(usage_at_event=True), False),
        (Wire(no_finish=True), False),
        (Wire(no_done=True), False),
        (Wire(unrequested_sse=True), False),
        (Wire(unnamed_events=True), False),
    ],
)
def test_what_is_lawful(wire: Wire, lawful: bool) -> None:
    assert script(wire=wire).lawful is lawful


@pytest.mark.parametrize("turn", [script(cut()), script(event(type="x")), script(incomplete("interrupted"))])
def test_what_no_document_allows(turn: Any) -> None:
    assert not turn.lawful
