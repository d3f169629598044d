"""The official SDKs over every lawful turn of the mock, on every pair: raw streams, their stream helpers and JSON bodies.

Processes and sockets are real: SDK, reference, mock.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from generated_turns import APIS, PAIRS
from sdk_calls import CALLS, Found, Sdks
from sdk_turns import flat, helped, status_of, wanted, with_zeros

from gateproof_mock import MockUpstream, Script, builtin
from gateproof_mock.language.turns import Refused
from gateproof_reference import Turn

HEAVY = ("deltas-1000-together", "deltas-10000", "line-8mib", "paced-100")
"""Turns for loads, which other tests carry: minutes of an SDK's work, and nothing in them that others have not."""

CANNOT = {
    ("chat-helper", "custom-tool-call"): "openai's helper for chat knows function calls alone",
    ("chat-helper", "custom-tool-call-empty"): "openai's helper for chat knows function calls alone",
    ("chat-helper", "tool-calls-mixed"): "openai's helper for chat knows function calls alone",
    ("responses-helper", "no-preamble"): "openai's helper for responses wants response.created first",
}
"""What is relayed as the upstream said it, and too much for an SDK, which raises an error of Python's."""

TURNS = [
    name
    for name in builtin.names()
    if builtin.script(name).lawful and not isinstance(builtin.script(name).ending, Refused) and name not in HEAVY
]
CEILING = 30.0
CLIENT_KEY, OPERATOR_KEY = "sk-client-key-0123456789", "sk-operator-key-0123456789"

# What the openai package dumps of items that it does not know is not to its serialiser's taste.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")


@pytest.fixture(scope="module")
def gateway() -> Iterator[str]:
    """The root URL of a reference that speaks, for each model, the dialect of that name to one mock."""
    with MockUpstream(barrier_ceiling=0.02) as mock:
        arguments = ["--upstream", mock.base_url, "--upstream-key", OPERATOR_KEY, "--key", CLIENT_KEY]
        arguments += [f"--dialect-for={api}={api}" for api in APIS]
        command = [sys.executable, "-m", "gateproof_reference", "--listen", "127.0.0.1:0", *arguments]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
            try:
                assert process.stdout is not None
                yield process.stdout.readline().split()[-1]
                process.send_signal(signal.SIGTERM)
                assert process.wait(CEILING) == 0
            finally:
                if process.poll() is None:
                    os.kill(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def sdks(gateway: str) -> Iterator[Sdks]:
    options: dict[str, Any] = {"api_key": CLIENT_KEY, "max_retries": 0, "timeout": CEILING}
    with (
        openai.OpenAI(base_url=f"{gateway}/v1", **options) as one,
        anthropic.Anthropic(base_url=gateway, **options) as other,
    ):
        yield Sdks(one, other)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@pytest.mark.parametrize("name", TURNS)
def test_turn(sdks: Sdks, name: str, source: str, target: str) -> None:
    script = builtin.script(name)
    for call, ask in CALLS.items():
        surface, _, mode = call.partition("-")
        if surface == target:
            found = ask(Sdks(sdks.openai, sdks.anthropic, source), f"Please say gp-play-{name}")
            if source == target and (call, name) in CANNOT:
                assert isinstance(found.error, AttributeError | RuntimeError), CANNOT[call, name]
                continue
            check(found, script, source, target, mode)


def check(found: Found, script: Script, source: str, target: str, mode: str) -> None:
    for document in (*found.events, found.document, found.helped):
        with_zeros(document or {})
    turn = wanted(script, source, target, stream=mode != "json")
    if turn.failure is not None:
        check_failure(found, turn, script, source, target, mode)
        return
    assert found.told is not None, found.error
    assert flat(found.told, target) == turn
    if mode == "helper":
        # The one for responses believes the terminal event, however empty its output is.
        empty = source == target == "responses" and script.wire.terminal_output == "empty"
        check_helper(found, Turn(usage=turn.usage) if empty else turn)
    else:
        assert found.error is None


def check_helper(found: Found, turn: Turn) -> None:
    """What a helper puts together is the same; that it raises for a turn that was cut short is its way to tell."""
    if turn.ending in ("length", "content_filter") and found.dialect != "messages":
        told = {"length": openai.LengthFinishReasonError, "content_filter": openai.ContentFilterFinishReasonError}
        kind = told[turn.ending] if found.dialect == "chat" else RuntimeError
        assert isinstance(found.error, kind)
    else:
        assert found.error is None
        assert found.final is not None
    if found.final is not None:
        assert flat(found.final, found.dialect) == (helped(turn) if found.dialect == "messages" else turn)


def check_failure(found: Found, turn: Turn, script: Script, source: str, target: str, mode: str) -> None:
    """A failure is an HTTP error if nothing was said before it, else it is told in the stream."""
    assert turn.failure is not None
    message = turn.failure.message
    if isinstance(found.error, openai.APIStatusError | anthropic.APIStatusError) and not found.events:
        assert message in str(found.error)
        assert found.error.status_code == status_of(script, source, stream=mode != "json")
        return
    # A Response that failed is an answer where Responses is relayed; everywhere else a JSON client gets an HTTP error.
    assert mode != "json" or source == target == "responses"
    assert found.told is not None
    told = flat(found.told, target)
    assert (told.text, told.refusal, told.reasoning) == (turn.text, turn.refusal, turn.reasoning)
