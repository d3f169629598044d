"""Whatever an upstream sends in place of whatever value: an answer or a failure, never an exception."""

import copy
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import gateway_scenes as scenes
import pytest
from gateway_bench import sse
from gateway_scenes import call, chunk, message, responses_turn, terminal, thought
from test_turns import PAIRS, exchange

from gateproof_reference.canonical import Failed
from gateproof_reference.failures import RefusedError
from gateproof_reference.wirejson import dump

VALUES: list[Any] = [None, 5, -1, "x", "", True, [], {}, [[]], [{}]]
STREAMS: dict[str, list[list[Any]]] = {
    "responses": [
        responses_turn(thought("hm"), message("Hi", 1), call(2)),
        responses_turn(message("Hi"), end=scenes.failed()),
        responses_turn(end=terminal("response.incomplete", [], incomplete_details={"reason": "max_output_tokens"})),
        responses_turn(end={"type": "error", "error": {"code": "c", "message": "m"}}),
    ],
    "chat": [
        scenes.chat_turn(chunk({"content": "x", "refusal": "r", "reasoning_content": "q"}), *scenes.CHAT_CALLS),
        [scenes.ROLE, chunk({}, error={"message": "m", "code": "c"})],
    ],
    "messages": [
        scenes.messages_turn(scenes.thinking("hm"), scenes.text_block("Hi"), scenes.use(2), reason="tool_use"),
        [scenes.MESSAGE_START, scenes.block_start(0, {"type": "redacted_thinking", "data": "x"}), scenes.OVERLOADED],
    ],
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value inside a value."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*path, key)
        yield from places(entry, (*path, key))


def with_(value: Any, path: tuple[Any, ...], garbage: Any) -> Any:
    changed = holder = copy.deepcopy(value)
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = garbage
    return changed


def spoiled(dialect: str) -> Iterator[bytes]:
    """Yield streams with one wrong value each; the values take turns, so that every place meets some of them."""
    turn = 0
    for steps in STREAMS[dialect]:
        for at, step in enumerate(steps):
            for path in places(step) if isinstance(step, dict) else ():
                turn += 1
                for garbage in (VALUES[turn % len(VALUES)], VALUES[(turn * 7 + 3) % len(VALUES)]):
                    bad = [*steps[:at], with_(step, path, garbage), *steps[at + 1 :]]
                    yield b"".join(entry if isinstance(entry, bytes) else sse(entry) for entry in bad)


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_a_stream_with_a_wrong_value_ends(surface: str, dialect: str) -> None:
    for data in spoiled(dialect):
        pipe = exchange(surface, dialect).pipe()
        outs = [*pipe.feed(data), *pipe.end()]
        assert pipe.over
        assert outs
        for out in outs:
            if isinstance(out, Failed):
                assert pipe.failed(out.failure)
        gatherer = exchange(surface, dialect).gatherer()
        if not any(isinstance(event, Failed) for event in [*gatherer.feed(data), *gatherer.end()]):
            with suppress(RefusedError):
                assert dump(gatherer.result())


@pytest.mark.parametrize(("surface", "dialect"), PAIRS)
def test_a_body_with_a_wrong_value_is_an_answer_or_a_failure(surface: str, dialect: str) -> None:
    whole = {**scenes.RESPONSE, "status": "completed", "output": [thought("hm"), message("Hi", 1), call(2)]}
    calls = [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": "x", "tool_calls": calls},
        "finish_reason": "stop",
    }
    bodies = {"responses": {**whole, "usage": scenes.USAGE}, "chat": {"choices": [choice], "usage": scenes.CHAT_USAGE}}
    blocks = [scenes.thinking("hm"), scenes.text_block("Hi"), scenes.use(2)]
    bodies["messages"] = scenes.messages_body(*blocks, reason="tool_use")
    for path in places(bodies[dialect]):
        for garbage in VALUES:
            body = with_(bodies[dialect], path, garbage)
            assert exchange(surface, dialect).pipe().whole(body)
            with suppress(RefusedError):
                assert exchange(surface, dialect).translate_body(dump(body))
