"""Whatever a model says: every pair tells it all, back again too, in both modes alike, however the bytes are split."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from expressible import LOSSES, Loss, as_a_body, expressed, waits_in_vain
from generated_turns import APIS, FAILURES, FOREIGN, PAIRS, meant, plain_turns, streamed, turns, whole_turns, written
from hypothesis import example, given
from hypothesis import strategies as st

from gateproof_mock import Script, failed, tool_call
from gateproof_mock import reasoning as reasoning_of
from gateproof_mock import refusal as refusal_of
from gateproof_mock import script as script_of
from gateproof_mock import text as text_of
from gateproof_mock.language.turns import Usage
from gateproof_reference import (
    StreamTranslator,
    TranslationError,
    Turn,
    gather_stream,
    read_turn,
    stream_response,
    translate_error,
    translate_response,
    translate_stream,
)

ASKED: dict[str, dict[str, Any]] = {
    "responses": {"model": "m"},
    "chat": {"model": "m", "stream_options": {"include_usage": True}},
    "messages": {"model": "m"},
}
RICH = script_of(
    reasoning_of("Hm.", encrypted="c2VhbA==", signature="c2ln"),
    text_of("Sure, "),
    refusal_of("no."),
    Usage(90, 80, 1, 2, 3, 4, 5, 6, 7),
)
"""Has whatever one of the APIs cannot say."""

FOUND: dict[str, Script] = {
    "the seal of redacted thinking came back from Responses as a signature": script_of(reasoning_of(encrypted="EqQB")),
    "a sealed block stayed open in Messages, so a failure lost its signature": script_of(
        reasoning_of("Hm.", encrypted="c2VhbA==", signature="c2VhbA=="), failed()
    ),
    "the two forms of reasoning changed places between stream and body of Responses": script_of(
        reasoning_of("Short.", full=("Long.",), signature="c2ln")
    ),
    "the input of a call in Messages was taken for ASCII": script_of(tool_call("look", '{"at": "終🙂"}', id="call_0")),
    "half a character in a delta is a whole one with the next": script_of(text_of("a\ud83d", "\ude42")),
    "a refusal before the text has no place before it in a chat body": script_of(refusal_of("No"), text_of(" way")),
}
"""Turns that were translated wrongly once, or for which an expectation was; each is tried on every pair."""


def found(test: Callable[..., None]) -> Callable[..., None]:
    """Try every turn of FOUND too."""
    for script in FOUND.values():
        test = example(script=script)(test)
    return test


def found_whole(test: Callable[..., None]) -> Callable[..., None]:
    """Try those that do not fail."""
    for script in FOUND.values():
        test = test if isinstance(script.ending, FAILURES) else example(script=script)(test)
    return test


def through(data: bytes, source: str, target: str) -> bytes:
    return translate_stream(data, source=source, target=target, request=ASKED[target])  # type: ignore[arg-type]


def read(data: bytes | dict[str, Any], api: str) -> Turn:
    return read_turn(data, api)  # type: ignore[arg-type]


def check_same(turn: Turn, wanted: Turn, script: Script, *apis: str) -> None:
    """Compare turns that came through these APIs."""
    assert (turn.failure is None) == (wanted.failure is None)
    if turn.failure is not None and wanted.failure is not None:
        assert turn.failure.message == wanted.failure.message
        assert turn.who == wanted.who
        if "messages" not in apis and wanted.failure.code:
            assert turn.failure.code == wanted.failure.code
        # A failure may come before the model was named.
        turn = replace(turn, failure=None, model=None)
        wanted = replace(wanted, failure=None, model=None)
    if "messages" in apis and waits_in_vain(script):
        for name in ("text", "refusal", "reasoning"):
            assert getattr(wanted, name).startswith(getattr(turn, name))
        assert wanted.calls[: len(turn.calls)] == turn.calls
        return
    assert turn == wanted


@pytest.mark.parametrize("api", APIS)
@found
@given(script=turns)
def test_a_turn_is_read_as_it_was_meant(api: str, script: Script) -> None:
    turn = read(streamed(script, api), api)
    wanted = meant(script, api)
    assert (turn.failure is not None) == isinstance(script.ending, FAILURES)
    assert replace(turn, failure=None, who="") == (replace(wanted, model=turn.model) if turn.failure else wanted)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@found
@given(script=turns)
def test_a_stream_tells_all_that_its_api_can_say(source: str, target: str, script: Script) -> None:
    data = streamed(script, source)
    turn = read(data, source)
    wanted = turn if source == target else expressed(turn, script, target)
    check_same(read(through(data, source, target), target), wanted, script, source, target)


@pytest.mark.parametrize(("source", "via"), FOREIGN)
@found
@given(script=turns)
def test_there_and_back_nothing_else_is_lost(source: str, via: str, script: Script) -> None:
    data = streamed(script, source)
    back = through(through(data, source, via), via, source)
    wanted = expressed(expressed(read(data, source), script, via), script, source)
    check_same(read(back, source), wanted, script, source, via)


@pytest.mark.parametrize(("source", "via"), FOREIGN)
@found_whole
@given(script=whole_turns)
def test_a_body_there_and_back_loses_nothing_else(source: str, via: str, script: Script) -> None:
    script = as_a_body(script, source)
    body = json.loads(written(script, source, stream=False)[1])
    there = translate_response(body, source=source, target=via, request=ASKED[via])  # type: ignore[arg-type]
    back = translate_response(there, source=via, target=source, request=ASKED[source])  # type: ignore[arg-type]
    wanted = expressed(expressed(read(body, source), script, via), script, source)
    check_same(read(back, source), wanted, script, source, via)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.api}: {loss.what}")
def test_every_loss_is_one(loss: Loss) -> None:
    for source in loss.sources:
        turn = meant(RICH, source)
        assert loss.apply(turn, RICH) != turn


# ----------------------------------------------------------------------------------------------------- both modes


@pytest.mark.parametrize(("source", "target"), PAIRS)
@found
@given(script=turns)
def test_stream_and_json_agree(source: str, target: str, script: Script) -> None:
    pair: Any = {"source": source, "target": target, "request": ASKED[target]}
    script = as_a_body(script, source)
    data = streamed(script, source)
    status, raw = written(script, source, stream=False)
    told = read(through(data, source, target), target)
    if told.failure is not None:
        with pytest.raises(TranslationError) as gathered:
            gather_stream(data, **pair)
        assert str(gathered.value) == told.failure.message
        check_failed_body(status, json.loads(raw), pair, told)
        return
    body = gather_stream(data, **pair)
    assert read(body, target) == told
    assert read(translate_response(json.loads(raw), **pair), target) == told
    assert read(stream_response(json.loads(raw), **pair), target) == told
    if source != target:
        again = gather_stream(through(data, source, target), source=target, target=target)  # type: ignore[arg-type]
        # As JSON, where a character in two deltas is one.
        assert json.dumps(again, sort_keys=True) == json.dumps(body, sort_keys=True)


def check_failed_body(status: int, body: dict[str, Any], pair: Any, told: Turn) -> None:
    """A turn that failed is an HTTP error, or a body that says so: translated, that is an HTTP error too."""
    if status != 200:
        assert translate_error(status, body, target=pair["target"]).status == status
    elif pair["source"] != pair["target"]:
        with pytest.raises(TranslationError):
            translate_response(body, **pair)
    else:
        assert read(body, pair["source"]).failure is not None


# ------------------------------------------------------------------------------------------------------ the bytes


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(script=turns, data=st.data())
def test_where_bytes_are_split_changes_nothing(source: str, target: str, script: Script, data: st.DataObject) -> None:
    stream = streamed(script, source)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    translator = StreamTranslator(source=source, target=target, request=ASKED[target])  # type: ignore[arg-type]
    frames = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        frames += translator.feed(stream[start:end])
    frames += translator.end()
    assert b"".join(frame.data for frame in frames) == through(stream, source, target)


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_every_single_split_changes_nothing(source: str, target: str) -> None:
    stream = streamed(RICH, source).replace(b"\n", b"\r\n")
    whole = through(stream, source, target)
    for cut in range(len(stream)):
        translator = StreamTranslator(source=source, target=target, request=ASKED[target])  # type: ignore[arg-type]
        frames = [*translator.feed(stream[:cut]), *translator.feed(stream[cut:]), *translator.end()]
        assert b"".join(frame.data for frame in frames) == whole


@pytest.mark.parametrize(("source", "target"), PAIRS)
@given(script=plain_turns, data=st.data())
def test_how_lines_are_written_changes_nothing(source: str, target: str, script: Script, data: st.DataObject) -> None:
    stream = streamed(script, source)
    lines = stream.split(b"\n")[:-1]
    otherwise = b"\xef\xbb\xbf" if data.draw(st.booleans()) else b""
    ends = data.draw(st.lists(st.sampled_from([b"\n", b"\r\n"]), min_size=1, max_size=5))
    if data.draw(st.booleans()):
        ends = [b"\r"]
    noise = data.draw(st.lists(st.sampled_from([b"", b": ping", b"id: 7", b"retry: 9", b"unknown", b":"]), min_size=1))
    for number, line in enumerate(lines):
        more = noise[number % len(noise)]
        end = ends[number % len(ends)]
        otherwise += (more + end if more else b"") + line + end
    assert through(otherwise, source, target) == through(stream, source, target)
