"""The mock from pytest: its fixture is there as soon as the package is installed.

    pytest test_client.py

In your tests the client below is your gateway or your app, configured with `mock_upstream.base_url`. A gateway that is
started once a session is told `mock_upstream_server.base_url`.
"""

import httpx
import pytest

from gateproof_mock import MockView, When, failed, hold, refused, script, text, tool_call


def ask(mock: MockView, **body: object) -> httpx.Response:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi."}], **body}
    return httpx.post(f"{mock.base_url}/chat/completions", json=asked, timeout=20)


def test_a_turn_that_fails_in_mid_stream(mock_upstream: MockView) -> None:
    mock_upstream.says(text("Hel", "lo"), failed("server_error", "The model fell over."))

    answer = ask(mock_upstream, stream=True)

    assert answer.status_code == 200
    assert '"error":{"message":"The model fell over."' in answer.text
    call = mock_upstream.ended()
    assert (call.dialect, call.stream, call.ended) == ("chat", True, "played")
    assert call.problems() == []


def test_a_second_try(mock_upstream: MockView) -> None:
    mock_upstream.plays(
        script(refused(429, {"error": {"message": "Slow down."}}, retry_after="1")), script(text("Now."))
    )

    assert [ask(mock_upstream).status_code for _ in range(2)] == [429, 200]
    assert len(mock_upstream.calls) == 2


def test_an_answer_by_what_is_asked(mock_upstream: MockView) -> None:
    mock_upstream.says(text("Anybody else."))
    mock_upstream.says(tool_call("get_weather", '{"city": ', '"Oslo"}'), when=When(model="gpt-*"))

    with_tools = ask(mock_upstream, model="gpt-5").json()["choices"][0]

    assert with_tools["finish_reason"] == "tool_calls"
    assert with_tools["message"]["tool_calls"][0]["function"]["arguments"] == '{"city": "Oslo"}'
    assert "Anybody else." in ask(mock_upstream, model="claude").text


def test_a_stream_that_is_held_and_released(mock_upstream: MockView) -> None:
    mock_upstream.says(text("one"), hold("seen"), text("two"))
    body = {"model": "m", "stream": True, "messages": []}

    with httpx.stream("POST", f"{mock_upstream.base_url}/chat/completions", json=body, timeout=20) as answer:
        lines = answer.iter_lines()
        assert any('"content":"one"' in line for line in lines)
        assert mock_upstream.reached("seen")
        assert mock_upstream.call().ended == "open"
        mock_upstream.release("seen")
        assert any('"content":"two"' in line for line in lines)


def test_a_client_that_goes_away_is_seen(mock_upstream: MockView) -> None:
    mock_upstream.says(text("one"), hold("never"), text("two"))
    body = {"model": "m", "stream": True, "messages": []}

    with httpx.stream("POST", f"{mock_upstream.base_url}/chat/completions", json=body, timeout=20) as answer:
        assert any('"content":"one"' in line for line in answer.iter_lines())

    assert mock_upstream.ended().ended == "client went away"


def test_the_openai_sdk(mock_upstream: MockView) -> None:
    """Any key will do. The SDK tries again by itself: off here, so that the mock gets one call."""
    openai = pytest.importorskip("openai")
    mock_upstream.says(text("Hel", "lo"), failed("server_error", "The model fell over."))

    with (
        openai.OpenAI(base_url=mock_upstream.base_url, api_key="any", max_retries=0) as client,
        client.responses.create(model="m", input="Hi.", stream=True) as stream,
    ):
        types = [event.type for event in stream]

    assert types[-1] == "response.failed"
    assert mock_upstream.call().json["input"] == "Hi."
