"""Every built-in script in every dialect and mode: the lawful ones are valid, in order, and say what their turn says; each
unlawful one differs from its lawful twin, and nearly every one is caught by the same checks."""

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sdk_readers import DOCUMENTS, EVENTS, FAILURES, KEY, Json, calls_of, expected, read_sse, words_of

from gateproof_mock import Script, builtin
from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects.steps import Break, Head, Step, Wait, Write
from gateproof_mock.language.turns import (
    Completed,
    Cut,
    Element,
    Ending,
    ErrorEvent,
    Event,
    Failed,
    Incomplete,
    Ping,
    Raw,
    Refused,
    Text,
    Unfinished,
    Usage,
)
from gateproof_mock.language.wire import UNLAWFUL, Wire
from gateproof_schemas import validate

NAMES = builtin.names()
LAWFUL = [name for name in NAMES if builtin.script(name).lawful]
REFUSED = [name for name in LAWFUL if isinstance(builtin.script(name).ending, Refused)]
TURNS = [name for name in LAWFUL if name not in REFUSED]
UNLAWFUL_NAMES = [name for name in NAMES if name not in LAWFUL]

HUGE = ("deltas-1000", "line-")
SEEDED = [(name, seed) for name in TURNS for seed in ((0,) if name.startswith(HUGE) else (0, 41))]

EVENT_SCHEMAS = {"responses": "responses/event", "chat": "chat/chunk", "messages": "messages/event"}


# --- rendering ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    ends: tuple[Step, ...]

    @property
    def streams(self) -> bool:
        return self.headers["Content-Type"].startswith("text/event-stream")


def answer(
    script: Script, dialect: str, *, stream: bool = False, include_usage: bool = False, kind: str = "turn"
) -> Answer:
    body: Json = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": "Hi."}]}
    if include_usage:
        body["stream_options"] = {"include_usage": True}
    # The same call every time, so that bytes can be compared.
    steps = list(DIALECTS[dialect].render(script, Asked(body, kind, KEY, call="0" * 16, created=1_700_000_000)))
    (head,) = (step for step in steps if isinstance(step, Head))
    written = b"".join(step.data for step in steps if isinstance(step, Write))
    assert head.length in (None, len(written)) or any(isinstance(step, Break) for step in steps)
    return Answer(head.status, head.headers, written, tuple(s for s in steps if isinstance(s, Break | Wait)))


# --- what is valid --------------------------------------------------------------------------------


def check_stream(script: Script, dialect: str, found: Answer, *, counted: bool) -> None:
    """Schema, grammar, and the turn read back."""
    assert (found.status, found.streams) == (200, True)
    assert found.headers["x-request-id" if dialect != "messages" else "request-id"]
    frames = read_sse(found.body)
    done = [data for _, data in frames].count("[DONE]")
    if done:
        assert frames.pop() == ("", "[DONE]"), "[DONE] is last"
    assert done == (1 if dialect == "chat" or script.wire.done else 0)
    events = [json.loads(data) for _, data in frames]
    for event in events:
        assert validate(event, EVENT_SCHEMAS[dialect]) == [], event
    names = [name for name, _ in frames]
    assert names == ([""] * len(events) if dialect == "chat" else [event["type"] for event in events])
    GRAMMARS[dialect](script, events)
    if dialect == "chat":
        told_in = [chunk for chunk in events if chunk.get("usage")]
        assert all(("usage" in chunk) is counted for chunk in events), "usage is null until it is told"
        assert told_in == (events[-1:] if counted and not isinstance(script.ending, FAILURES) else [])
    assert EVENTS[dialect](events) == expected(script, dialect, stream=True, counted=counted)


def check_document(script: Script, dialect: str, found: Answer) -> None:
    assert not found.streams
    document = json.loads(found.body)
    fails = isinstance(script.ending, FAILURES) and dialect != "responses"
    status = script.ending.status if isinstance(script.ending, Failed) else 500
    assert found.status == (status if fails else 200)
    assert validate(document, f"{dialect}/{'error' if fails else 'response'}") == []
    assert DOCUMENTS[dialect](document) == expected(script, dialect, stream=False)


# --- grammar: Responses ---------------------------------------------------------------------------

_ENDS = ("response.completed", "response.failed", "response.incomplete", "response.cancelled", "error")
_PARTS = {"content_part": "content_index", "reasoning_summary_part": "summary_index"}
_WORDS = {
    "output_text": "text",
    "refusal": "refusal",
    "reasoning_text": "text",
    "reasoning_summary_text": "text",
    "function_call_arguments": "arguments",
    "custom_tool_call_input": "input",
}


def check_responses(script: Script, events: list[Json]) -> None:
    assert [e["sequence_number"] for e in events] == list(range(len(events)))
    types = [e["type"] for e in events]
    if script.wire.preamble:
        assert types[:2] == ["response.created", "response.in_progress"]
    assert types.count("response.created") == int(script.wire.preamble)
    responses = [e["response"] for e in events if "response" in e]
    assert len({response["id"] for response in responses}) <= 1
    _check_terminal(script, types)
    output = _Output()
    for event in events:
        output.see(event)
    if types[-1] == "response.completed":
        assert not output.open, "every item is done before a completed terminal"
    if types[-1] != "error" and script.wire.terminal_output == "full":
        last = responses[-1]["output"]
        assert [_shown(item) for item in last] == [_shown(output.items[i]) for i in range(len(last))]
        assert len(last) == len(output.items)
        assert all(output.done[i] == last[i] for i in output.done)


def _check_terminal(script: Script, types: list[str]) -> None:
    if isinstance(script.ending, Unfinished):
        assert types[-1] == f"response.{script.ending.status}"
        assert not set(types) & set(_ENDS)
        return
    ends = [type for type in types if type in _ENDS]
    if isinstance(script.ending, ErrorEvent) and script.ending.then_failed:
        assert types[-2:] == ends == ["error", "response.failed"]
    else:
        assert types[-1:] == ends


class _Output:
    """The items as their deltas make them; `done` as their done events say them."""

    def __init__(self) -> None:
        self.items: dict[int, Json] = {}
        self.done: dict[int, Json] = {}
        self.open: set[int] = set()
        self._parts: set[tuple[int, str, int]] = set()
        self._whole: set[tuple[int, str, int]] = set()

    def see(self, event: Json) -> None:
        *kind, step = event["type"].removeprefix("response.").split(".")
        if "output_index" not in event:
            return
        index = event["output_index"]
        if kind == ["output_item"]:
            getattr(self, f"_{step}_item")(index, event["item"])
            return
        assert index in self.open
        assert event.get("item_id", self.items[index]["id"]) == self.items[index]["id"]
        if kind[0] in _PARTS:
            self._part(event, kind[0], step)
        elif kind == ["output_text", "annotation"]:
            found = self._place(event, "output_text")["annotations"]
            assert event["annotation_index"] == len(found)
            found.append(event["annotation"])
        elif kind[0] in _WORDS:
            self._words(event, kind[0], step)

    def _added_item(self, index: int, item: Json) -> None:
        assert index == len(self.items), "output_index is dense, and each item is added once"
        assert item["id"] not in {i["id"] for i in self.items.values()}
        self.items[index] = json.loads(json.dumps(item))
        self.open.add(index)

    def _done_item(self, index: int, item: Json) -> None:
        self.open.remove(index)
        assert not any(at == index for at, _, _ in self._parts), "its parts are closed"
        assert _shown(item) == _shown(self.items[index])
        assert item["id"] == self.items[index]["id"]
        self.done[index] = item

    def _part(self, event: Json, kind: str, step: str) -> None:
        number = event[_PARTS[kind]]
        at = (event["output_index"], kind, number)
        item = self.items[event["output_index"]]
        parts = item.setdefault("summary" if kind == "reasoning_summary_part" else "content", [])
        if step == "added":
            assert number == len(parts)
            self._parts.add(at)
            parts.append(json.loads(json.dumps(event["part"])))
        else:
            self._parts.remove(at)
            assert event["part"] == parts[number]

    def _words(self, event: Json, kind: str, step: str) -> None:
        place, key = self._place(event, kind), _WORDS[kind]
        at = (event["output_index"], kind, event.get("content_index", event.get("summary_index", 0)))
        assert at not in self._whole, "nothing is said after it is done"
        if step == "delta":
            place[key] += event["delta"]
            for entry in event.get("logprobs", ()):
                # Only a part tells the bytes of its tokens.
                place["logprobs"].append({**entry, "bytes": list(entry["token"].encode())})
        else:
            self._whole.add(at)
            assert event[key] == place[key], "the deltas make the whole"
            assert event.get("name", place.get("name")) == place.get("name")
            probable = [(entry["token"], entry["logprob"]) for entry in event.get("logprobs", ())]
            assert probable == [(entry["token"], entry["logprob"]) for entry in place.get("logprobs", ())]

    def _place(self, event: Json, kind: str) -> Json:
        """What a delta is added to: an open part, or the item itself."""
        item = self.items[event["output_index"]]
        for part, number in _PARTS.items():
            if number in event:
                assert (event["output_index"], part, event[number]) in self._parts
                found: Json = item["summary" if part == "reasoning_summary_part" else "content"][event[number]]
                assert found["type"] == {"reasoning_summary_text": "summary_text"}.get(kind, kind)
                return found
        return item


def _shown(item: Json) -> Json:
    """What deltas make of an item; hosted tools and what is encrypted are whole in the done event only."""
    told = {"message": ["content"], "reasoning": ["summary"], "function_call": ["arguments", "name", "call_id"]}
    told["custom_tool_call"] = ["input", "name", "call_id"]
    keys = ["type", "id", *told.get(item["type"], [])]
    shown = {key: item[key] for key in keys}
    return shown | ({"content": item.get("content", [])} if item["type"] == "reasoning" else {})


# --- grammar: Chat Completions --------------------------------------------------------------------


def check_chat(script: Script, chunks: list[Json]) -> None:
    assert len({(c["id"], c["created"], c["model"]) for c in chunks}) == 1
    choices = [chunk["choices"] for chunk in chunks]
    assert all(choice["index"] == 0 for found in choices for choice in found)
    deltas = [found[0]["delta"] for found in choices if found]
    if script.wire.preamble:
        assert deltas[0]["role"] == "assistant"
    assert not any("role" in delta for delta in deltas[1:])
    finishes = [found[0]["finish_reason"] for found in choices if found]
    if isinstance(script.ending, FAILURES):
        assert [chunk for chunk in chunks if "error" in chunk] == chunks[-1:]
        assert chunks[-1]["choices"] == []
        assert set(finishes) <= {None}
    else:
        assert not any("error" in chunk for chunk in chunks)
        assert finishes[-1]
        assert set(finishes[:-1]) <= {None}
        assert deltas[-1] == {}
        assert [bool(found) for found in choices] == [True] * len(deltas) + [False] * (len(chunks) - len(deltas))
        assert len(chunks) - len(deltas) <= 1, "one usage chunk at most, and it is last"
    _check_chat_calls(script, deltas)


def _check_chat_calls(script: Script, deltas: list[Json]) -> None:
    begun: list[str] = []
    for delta in deltas:
        for call in delta.get("tool_calls") or ():
            if "id" in call:
                assert call["index"] == len(begun), "indexes are dense, in the order in which calls begin"
                assert call[call["type"]]["name"]
                begun.append(call["id"])
            else:
                assert call["index"] < len(begun)
                assert not {"type", "name"} & {*call, *call.get("function", {}), *call.get("custom", {})}
    assert len(set(begun)) == len(begun) == len(list(calls_of(script)))


# --- grammar: Messages ----------------------------------------------------------------------------

_DELTAS_OF = {
    "text": ["text_delta", "citations_delta"],
    "thinking": ["thinking_delta", "signature_delta"],
    "tool_use": ["input_json_delta"],
    "server_tool_use": ["input_json_delta"],
}


def check_messages(script: Script, events: list[Json]) -> None:
    events = [event for event in events if event["type"] != "ping"]
    types = [event["type"] for event in events]
    fails = isinstance(script.ending, FAILURES)
    if not (fails and not script.wire.preamble):
        assert types.pop(0) == "message_start"
        start = events.pop(0)["message"]
        assert (start["content"], start["stop_reason"], start["stop_sequence"]) == ([], None, None)
    ends = ["error"] if fails else ["message_delta", "message_stop"]
    assert types[-len(ends) :] == ends
    index, open_block = -1, ""
    for event in events[: -len(ends)]:
        match event["type"]:
            case "content_block_start":
                assert not open_block, "one block after the other"
                index, open_block = index + 1, event["content_block"]["type"]
                assert not any(event["content_block"].get(key) for key in ("text", "thinking", "input"))
            case "content_block_delta":
                assert event["delta"]["type"] in _DELTAS_OF.get(open_block, [])
            case "content_block_stop":
                assert open_block
                open_block = ""
            case other:
                raise AssertionError(other)
        assert event["index"] == index, "indexes are dense"
    assert fails or not open_block


GRAMMARS = {"responses": check_responses, "chat": check_chat, "messages": check_messages}


# --- lawful ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("include_usage", [True, False])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("name", "seed"), SEEDED)
def test_lawful_stream(name: str, seed: int, dialect: str, include_usage: bool) -> None:
    script = builtin.script(name, seed)
    found = answer(script, dialect, stream=True, include_usage=include_usage)
    if dialect == "chat" or include_usage:
        check_stream(script, dialect, found, counted=include_usage)
    else:
        assert found == answer(script, dialect, stream=True, include_usage=True), "only Chat Completions has the option"


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("name", "seed"), SEEDED)
def test_lawful_document(name: str, seed: int, dialect: str) -> None:
    script = builtin.script(name, seed)
    check_document(script, dialect, answer(script, dialect))


@pytest.mark.parametrize("name", TURNS)
def test_lawful_compaction(name: str) -> None:
    script = builtin.script(name)
    found = answer(script, "responses", kind="compact")
    document = json.loads(found.body)
    if isinstance(script.ending, Failed | ErrorEvent):
        assert found.status >= 400
        assert validate(document, "responses/error") == []
        return
    assert found.status == 200
    assert validate(document, "responses/compaction") == []
    (item,) = document["output"]
    assert item["encrypted_content"] == "".join(words_of(e) for e in script.turn if isinstance(e, Text))


@pytest.mark.parametrize("name", TURNS)
def test_lawful_count(name: str) -> None:
    script = builtin.script(name)
    found = answer(script, "messages", kind="count")
    document = json.loads(found.body)
    if isinstance(script.ending, FAILURES):
        assert found.status >= 400
        assert validate(document, "messages/error") == []
        return
    assert validate(document, "messages/count-response") == []
    said = [e.input for e in script.turn if isinstance(e, Usage)]
    assert document["input_tokens"] == (said[0] if said else 1)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", REFUSED)
def test_refusal(name: str, dialect: str, stream: bool) -> None:
    refused = builtin.script(name).ending
    assert isinstance(refused, Refused)
    found = answer(builtin.script(name), dialect, stream=stream)
    assert found.status == refused.status
    assert found.headers.items() >= refused.headers.items()
    body = gzip.decompress(found.body) if refused.gzip else found.body
    if isinstance(refused.body, str) or refused.body is None:
        assert body.decode() == (refused.body or "")
        return
    document = json.loads(body)
    assert document == json.loads(json.dumps(refused.body).replace("{credential}", KEY))
    error = document.get("error") if isinstance(document, dict) else None
    if isinstance(error, dict):
        # Whatever has an error object means to be in an envelope: Anthropic's if it says so, else OpenAI's.
        for of in ("messages",) if "type" in document else ("responses", "chat"):
            assert validate(document, f"{of}/error") == []


# --- unlawful -------------------------------------------------------------------------------------

MODES = [
    (dialect, stream, usage) for dialect in DIALECTS for stream, usage in ((True, False), (True, True), (False, False))
]

TOLERATED = {
    "usage-extra": "the schemas are open for more keys",
    "raw-blank-lines": "blank lines dispatch nothing",
    "keep-open": "the events are in order; only the connection does not end",
    "failed-keep-open": "the events are in order; only the connection does not end",
}
"""Unlawful, but nothing that a reader of events could object to."""


def lawful_twin(name: str) -> Script:
    """The nearest lawful script."""
    script = builtin.script(name)
    default = Wire()
    wire = replace(script.wire, **{name: getattr(default, name) for name in UNLAWFUL})
    ends = next((i for i, e in enumerate(script.turn) if isinstance(e, Ending)), len(script.turn))
    after = (e for e in script.turn[ends:] if not isinstance(e, Ping))
    twin = Script(tuple(e for element in (*script.turn[:ends], *after) for e in _lawful_element(element)), wire)
    assert (script.lawful, twin.lawful) == (False, True)
    return twin


def _lawful_element(element: Element) -> tuple[Element, ...]:
    match element:
        case Event() | Raw() | Cut():
            return ()
        case Incomplete():
            return (Incomplete(),)
        case Completed():
            return (Completed(stop_sequence=element.stop_sequence),)
        case Usage():
            return (replace(element, extra={}),)
        case _:
            return (element,)


def breaches(script: Script, twin: Script) -> list[Any]:
    """Where an answer is not what it would be if it were the lawful twin's."""
    found: list[Any] = []
    for dialect, stream, include_usage in MODES:
        played = answer(script, dialect, stream=stream, include_usage=include_usage)
        try:
            if stream:
                check_stream(twin, dialect, played, counted=include_usage)
            else:
                check_document(twin, dialect, played)
        except (AssertionError, LookupError, TypeError, ValueError) as error:
            found.append((dialect, stream, include_usage, error))
    return found


@pytest.mark.parametrize("name", UNLAWFUL_NAMES)
def test_unlawful_differs(name: str) -> None:
    script = builtin.script(name)
    twin = lawful_twin(name)
    assert any(
        answer(script, dialect, stream=stream, include_usage=usage)
        != answer(twin, dialect, stream=stream, include_usage=usage)
        for dialect, stream, usage in MODES
    )


@pytest.mark.parametrize("name", UNLAWFUL_NAMES)
def test_unlawful_is_caught(name: str) -> None:
    twin = lawful_twin(name)
    assert breaches(twin, twin) == []
    assert bool(breaches(builtin.script(name), twin)) is (name not in TOLERATED), TOLERATED.get(name, "not caught")
