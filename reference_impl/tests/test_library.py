"""The translators as functions, as a gateway's own tests call them."""

import doctest
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import gateway_scenes as scenes
import pytest
from gateway_bench import sse
from gateway_scenes import call, chunk, message, responses_turn, thought

import gateproof_reference
from gateproof_reference import (
    Call,
    Identity,
    StreamTranslator,
    TranslationError,
    gather_stream,
    read_turn,
    stream_response,
    translate_error,
    translate_request,
    translate_response,
    translate_stream,
)
from gateproof_reference.apis import APIS
from gateproof_reference.translation import IDENTITY, UNKNOWN_MODEL, ApiName
from gateproof_reference.usage import Usage

STREAM = b"".join(map(sse, responses_turn(thought("Hm."), message("Hello", 1), call(2))))
FAILED = b"".join(map(sse, responses_turn(end=scenes.failed("context_length_exceeded", "too long"))))
HALF = b"".join(map(sse, responses_turn(message("Hello"))[:-1]))
BODY: dict[str, Any] = {**scenes.RESPONSE, "status": "completed", "output": [message("Hello")], "usage": scenes.USAGE}


def chunks(data: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in data.decode().split("\n\n") if line and line != "data: [DONE]"]


def test_the_readme_is_true() -> None:
    failures, tried = doctest.testfile(str(Path(__file__).parent.parent / "README.md"), module_relative=False)
    assert tried
    assert not failures


def test_nothing_is_loaded_before_it_is_asked_for() -> None:
    script = (
        "import sys, gateproof_reference as g; before = [n for n in sys.modules if n.startswith('gateproof_reference.')];"
        "g.translate_stream; print(before, [n for n in ('starlette', 'uvicorn', 'httpx') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[] []"


def test_every_name_is_there() -> None:
    assert {name for name in dir(gateproof_reference) if name in gateproof_reference.__all__} == {
        name for name in gateproof_reference.__all__ if getattr(gateproof_reference, name)
    }
    with pytest.raises(AttributeError):
        _ = gateproof_reference.translate_poem


def test_every_api_has_a_name_in_the_types() -> None:
    assert set(get_args(ApiName)) == set(APIS)


@pytest.mark.parametrize("function", [translate_stream, gather_stream, translate_response, stream_response])
def test_an_unknown_api_is_a_value_error(function: Any) -> None:
    with pytest.raises(ValueError, match="responses, chat, messages"):
        function(b"", source="smoke", target="chat")
    with pytest.raises(ValueError, match="'smoke'"):
        function(b"", source="chat", target="smoke")


def test_ids_and_times_are_the_same_every_time_or_what_is_asked_for() -> None:
    first = translate_stream(STREAM, source="responses", target="chat")
    assert first == translate_stream(STREAM, source="responses", target="chat")
    assert {(c["id"], c["created"]) for c in chunks(first)} == {
        (f"chatcmpl-{'0' * 12}4{'0' * 3}8{'0' * 15}", IDENTITY.now)
    }
    ours = Identity("11111111-1111-4111-8111-111111111111", 7)
    told = chunks(translate_stream(STREAM, source="responses", target="chat", identity=ours))
    assert {(c["id"], c["created"]) for c in told} == {(f"chatcmpl-{ours.token}", 7)}


def test_usage_is_told_to_who_asked_or_where_nobody_knows() -> None:
    def counted(request: Any) -> bool:
        told = translate_stream(STREAM, source="responses", target="chat", request=request)
        return any(c.get("usage") for c in chunks(told))

    assert counted(None)
    assert counted({"stream_options": {"include_usage": True}})
    assert not counted({"model": "m"})


def test_the_request_is_what_a_response_repeats() -> None:
    asked = {"model": "mine", "temperature": 0.5}
    data = b"".join(map(sse, [chunk({"content": "Hi"}, "stop", model=None)]))
    told = gather_stream(data, source="chat", target="responses", request=asked)
    assert (told["model"], told["temperature"]) == ("mine", 0.5)
    assert gather_stream(data, source="chat", target="responses")["model"] == UNKNOWN_MODEL


def test_a_request_that_cannot_have_this_answer_is_an_error() -> None:
    with pytest.raises(TranslationError, match="top_k") as caught:
        translate_stream(STREAM, source="responses", target="messages", request={"top_k": 3})
    assert caught.value.status == 400
    assert caught.value.body["type"] == "error"


def test_a_failed_stream_ends_in_its_failure() -> None:
    *_, last = chunks(translate_stream(FAILED, source="responses", target="chat"))
    assert last["error"]["code"] == "context_length_exceeded"
    *_, last = chunks(translate_stream(HALF, source="responses", target="chat"))
    assert last["error"]["code"] == "server_error"


def test_a_failed_turn_in_json_is_an_http_error() -> None:
    for translate in (
        lambda: gather_stream(FAILED, source="responses", target="chat"),
        lambda: translate_response({"choices": [], "error": {"code": "context_length_exceeded", "message": "too long"}},
                                   source="chat", target="responses"),
    ):  # fmt: skip
        with pytest.raises(TranslationError, match="too long") as caught:
            translate()
        assert caught.value.status == 400
        assert caught.value.body["error"]["code"] == "context_length_exceeded"


def test_calls_that_messages_cannot_say_are_an_http_error() -> None:
    data = b"".join(map(sse, responses_turn(call(0, arguments="[1]"))))
    with pytest.raises(TranslationError, match="no JSON object") as caught:
        gather_stream(data, source="responses", target="messages")
    assert caught.value.body["error"]["type"] == "api_error"
    translator = StreamTranslator(source="responses", target="messages")
    assert translator.feed(data)
    assert translator.failure is not None
    assert translator.over


def test_frames_come_as_soon_as_they_can() -> None:
    translator = StreamTranslator(source="responses", target="chat")
    first, second = sse(responses_turn(message("Hello"))[0]), STREAM.partition(b"\n\n")[2]
    (opening,) = translator.feed(first)
    assert opening.opening
    assert translator.feed(second[:1]) == []
    assert not any(frame.opening for frame in translator.feed(second[1:]))
    assert translator.over
    assert translator.feed(STREAM) == translator.end() == []


def test_a_broken_connection_is_a_failure() -> None:
    translator = StreamTranslator(source="responses", target="chat")
    translator.feed(HALF)
    (last,) = translator.end(broken=True)
    assert translator.failure is not None
    assert translator.failure.status == 502
    assert "connection" in json.loads(last.data[6:])["error"]["message"]


def test_a_body_for_a_client_that_streams() -> None:
    told = chunks(stream_response(BODY, source="responses", target="chat"))
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in told if c["choices"]) == "Hello"
    (error,) = chunks(stream_response({"error": {"message": "no"}}, source="chat", target="chat"))
    assert error["error"]["message"] == "no"


def test_a_relayed_body_is_the_same() -> None:
    body = {**BODY, "unknown": [1, None], "text": "\ud800"}
    assert translate_response(body, source="responses", target="responses") == body


def test_requests() -> None:
    asked = {"model": "m", "input": "hi", "stream": True}
    assert translate_request(asked, source="responses", target="chat") == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert translate_request(asked, source="responses", target="responses") == asked
    with pytest.raises(TranslationError, match="conversation") as caught:
        translate_request({**asked, "conversation": "c"}, source="responses", target="chat")
    assert caught.value.body["error"]["param"] == "conversation"


def test_http_errors() -> None:
    error = translate_error(429, {"error": {"message": "slow down"}}, target="messages")
    assert (error.status, error.body["error"]["type"]) == (429, "rate_limit_error")
    assert translate_error(401, None, target="chat").status == 502


# --------------------------------------------------------------------------------------------------------- reading


def test_a_turn_is_the_same_whatever_api_it_came_in() -> None:
    turn = read_turn(STREAM, "responses")
    assert (turn.text, turn.reasoning, turn.ending, turn.model) == ("Hello", "Hm.", "tool_calls", "model-up")
    assert turn.calls == (Call("look", '{"at":1}', "call_2"),)
    assert read_turn(translate_stream(STREAM, source="responses", target="chat"), "chat") == turn
    assert read_turn(gather_stream(STREAM, source="responses", target="chat"), "chat") == turn


def test_arguments_are_compared_as_json() -> None:
    def arguments(words: str) -> str:
        (one,) = read_turn(b"".join(map(sse, responses_turn(call(0, arguments=words)))), "responses").calls
        return one.arguments

    assert arguments('{"b": "\\u00e9", "a": 1.50}') == arguments('{"a":1.5,"b":"é"}')
    assert arguments('{"a": true}') != arguments('{"a": 1}')
    assert arguments("{nonsense") == "{nonsense"


def test_zero_is_no_detail() -> None:
    body = {**BODY, "usage": {"input_tokens": 1, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 0}}}
    assert read_turn(body, "responses").usage == Usage(1, 2, 3)


@pytest.mark.parametrize(
    ("answer", "who"),
    [
        (b'{"error": {"code": "rate_limit_exceeded", "message": "m"}}', "limit"),
        (b"{nonsense", "server"),
        (b"", "server"),
        (FAILED, "request"),
        ({"error": "m"}, "server"),
    ],
)
def test_what_failed_says_who_must_act(answer: Any, who: str) -> None:
    turn = read_turn(answer, "responses")
    assert (turn.ending, turn.who) == ("failed", who)
    assert turn.failure is not None
