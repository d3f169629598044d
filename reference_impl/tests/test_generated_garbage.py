"""The contract of `canonical.py`, kept by every decoder whatever its upstream sends, and by every pair."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from generated_turns import APIS, FAILURES, PAIRS, json_values, plain_turns, streamed, turns, whole_turns, written
from hypothesis import assume, given
from hypothesis import strategies as st

from gateproof_mock import Script
from gateproof_reference import StreamTranslator, TranslationError, gather_stream, read_turn, translate_response
from gateproof_reference.apis import APIS as BY_NAME
from gateproof_reference.canonical import (
    CallArguments,
    CallStarted,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    RefusalDelta,
    Started,
    TextDelta,
)
from gateproof_reference.failures import broken

# ------------------------------------------------------------------------------------------------- bytes, spoiled

TERMINAL = {
    "responses": b'"type":"response.completed"|"type":"response.incomplete"',
    "chat": b'"finish_reason":"',
    "messages": b'"stop_reason":"',
}
"""By what the event is known that decides a turn without failure; a text cannot hold it, for its quotes are escaped."""


@st.composite
def mangled(draw: st.DrawFn, api: str) -> bytes:
    """A stream with events dropped, repeated, moved, changed in one place or made of nothing, or cut off in its midst."""
    blocks = [block + b"\n\n" for block in streamed(draw(plain_turns), api).split(b"\n\n")[:-1]]
    for kind in draw(st.lists(st.sampled_from(["drop", "repeat", "move", "change", "noise"]), min_size=1, max_size=4)):
        at = draw(st.integers(0, len(blocks) - 1)) if blocks else 0
        match kind:
            case "drop":
                del blocks[at : at + 1]
            case "repeat":
                blocks.insert(draw(st.integers(0, len(blocks))), blocks[at] if blocks else b"")
            case "move":
                blocks.insert(draw(st.integers(0, len(blocks))), blocks.pop(at) if blocks else b"")
            case "change":
                blocks[at : at + 1] = [_changed(draw, block) for block in blocks[at : at + 1]]
            case _:
                blocks.insert(
                    at, draw(st.binary(max_size=20) | st.sampled_from([b"data: {}\n\n", b"data: [DONE]\n\n"]))
                )
    data = b"".join(blocks)
    return data[: draw(st.integers(0, len(data)))] if draw(st.booleans()) else data


def _changed(draw: st.DrawFn, block: bytes) -> bytes:
    """The event with another value in one place, as far as it is JSON."""
    head, _, data = block.rpartition(b"data: ")
    try:
        value = json.loads(data)
    except ValueError:
        return block
    holder, key = value, None
    while isinstance(holder, dict | list) and holder:
        key = draw(st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder))))
        if not isinstance(holder[key], dict | list) or not holder[key] or draw(st.integers(0, 3)) == 0:
            break
        holder = holder[key]
    if key is not None:
        holder[key] = draw(json_values | st.sampled_from([-1, 0, 1, 2, True, [], {}, "response.completed", "error"]))
    return head + b"data: " + json.dumps(value).encode() + b"\n\n"


# ---------------------------------------------------------------------------------------------------- the contract


def decoded(api: str, data: bytes) -> list[Event]:
    decoder = BY_NAME[api].decoder()
    events = [*decoder.feed(data), *decoder.end()]
    assert decoder.over
    assert decoder.feed(data) == decoder.end() == []
    return events


def check_contract(events: list[Event]) -> None:
    *before, last = events
    assert isinstance(last, Finished | Failed)
    assert not any(isinstance(event, Finished | Failed) for event in before)
    assert sum(isinstance(event, Started) for event in before) <= 1
    arguments: list[str] = []
    for event in before:
        match event:
            case CallStarted(index, call_id, name):
                assert index == len(arguments)
                assert call_id
                assert name
                arguments.append("")
            case CallArguments(index, more):
                assert more
                arguments[index] += more
            case TextDelta(words) | RefusalDelta(words) | ReasoningDelta(words):
                assert words
    if isinstance(last, Finished):
        assert all(told.strip() for told in arguments)


@pytest.mark.parametrize("api", APIS)
@given(script=turns)
def test_the_contract_is_kept(api: str, script: Script) -> None:
    events = decoded(api, streamed(script, api))
    check_contract(events)
    assert isinstance(events[-1], Failed) == isinstance(script.ending, FAILURES)


@pytest.mark.parametrize("api", APIS)
@given(data=st.data())
def test_the_contract_is_kept_for_garbage(api: str, data: st.DataObject) -> None:
    check_contract(decoded(api, data.draw(mangled(api))))


@pytest.mark.parametrize("api", APIS)
@given(noise=st.binary(max_size=200))
def test_random_bytes_are_a_failed_turn(api: str, noise: bytes) -> None:
    events = decoded(api, noise)
    check_contract(events)
    assert isinstance(events[-1], Failed)


@pytest.mark.parametrize("api", APIS)
@given(script=whole_turns, data=st.data())
def test_a_turn_that_is_cut_off_is_never_finished(api: str, script: Script, data: st.DataObject) -> None:
    stream = streamed(script, api)
    ends = [at for at in (stream.find(mark) for mark in TERMINAL[api].split(b"|")) if at >= 0]
    assume(ends)
    cut = data.draw(st.integers(0, min(ends)))
    decoder = BY_NAME[api].decoder()
    events = [*decoder.feed(stream[:cut]), *decoder.end(data.draw(st.sampled_from([None, broken()])))]
    check_contract(events)
    assert isinstance(events[-1], Failed)


# -------------------------------------------------------------------------------------------------------- the pairs


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(data=st.data())
def test_a_pair_makes_a_stream_or_an_error_of_anything(source: str, target: str, data: st.DataObject) -> None:
    stream = data.draw(mangled(source))
    translator = StreamTranslator(source=source, target=target)  # type: ignore[arg-type]
    frames = [*translator.feed(stream), *translator.end()]
    assert translator.over
    assert translator.feed(stream) == translator.end() == []
    told = read_turn(b"".join(frame.data for frame in frames), target)  # type: ignore[arg-type]
    assert (told.failure is None) == (translator.failure is None)
    answer = body_or_error(lambda: gather_stream(stream, source=source, target=target))  # type: ignore[arg-type]
    assert answer is None or read_turn(answer, target).failure is None  # type: ignore[arg-type]


def body_or_error(translate: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
    """Return the body, None where there is an HTTP error in its place."""
    try:
        return translate()
    except TranslationError as caught:
        error = caught
    assert 400 <= error.status <= 599
    assert error.body["error"]["message"] == str(error)
    return None


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(data=st.data(), script=turns)
def test_a_pair_makes_a_body_or_an_error_of_any_body(
    source: str, target: str, data: st.DataObject, script: Script
) -> None:
    raw = written(script, source, stream=False)[1]
    body: dict[str, Any] = json.loads(_changed(data.draw, b"data: " + raw).removeprefix(b"data: "))
    answer = body_or_error(lambda: translate_response(body, source=source, target=target))  # type: ignore[arg-type]
    assert answer is None or source == target or read_turn(answer, target).failure is None  # type: ignore[arg-type]
