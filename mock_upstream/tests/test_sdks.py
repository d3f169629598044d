"""The official SDKs over every lawful built-in script: what they put together is what the turn says, and failures show."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import anthropic
import openai
import pytest
from jiter import from_json
from mock_bench import new_marker
from sdk_calls import CALLS, Found, Sdks, plain, user
from sdk_readers import FAILURES, KEY, Json, Thing, Told, chat_error, expected, responses_usage, words_of

from gateproof_mock import MockUpstream, Script, builtin, refused, script, text
from gateproof_mock.language.turns import Completed, ErrorEvent, Failed, Refused, Text, Usage

LAWFUL = [name for name in builtin.names() if builtin.script(name).lawful]
REFUSED = [name for name in LAWFUL if isinstance(builtin.script(name).ending, Refused)]
TURNS = [name for name in LAWFUL if name not in REFUSED]

CEILING = 30.0
BARRIERS = 0.05
MODELS = ("gateproof", "vendor/other")

# What the openai package dumps of items that it does not know is not to its serialiser's taste.
pytestmark = pytest.mark.filterwarnings("ignore:Pydantic serializer warnings:UserWarning")


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockUpstream]:
    with MockUpstream(barrier_ceiling=BARRIERS, models=MODELS) as mock:
        yield mock


@pytest.fixture(scope="module")
def sdks(upstream: MockUpstream) -> Iterator[Sdks]:
    root = upstream.base_url.removesuffix("/v1")
    with (
        openai.OpenAI(base_url=upstream.base_url, api_key=KEY, max_retries=0, timeout=CEILING) as one,
        anthropic.Anthropic(base_url=root, api_key=KEY, max_retries=0, timeout=CEILING) as other,
    ):
        yield Sdks(one, other)


# --- what an SDK cannot take ----------------------------------------------------------------------

_RETRY = (json.JSONDecodeError, "openai reads a `retry:` line alone as an event, whose data is no JSON")
_BOM = (
    AssertionError,
    "anthropic takes the byte order mark as part of the first event's name, and drops message_start",
)
_CUSTOM = (AttributeError, "openai's helper for chat knows function calls alone")
_CREATED = (RuntimeError, "openai's helper for responses wants response.created first")

CANNOT: dict[tuple[str, str], tuple[type[Exception], str]] = {
    **{(call, "retry"): _RETRY for call in CALLS if call.startswith(("responses", "chat")) and "json" not in call},
    **{("messages-helper", name): _BOM for name in ("bom", "dotnet")},
    **{("chat-helper", name): _CUSTOM for name in ("custom-tool-call", "custom-tool-call-empty", "tool-calls-mixed")},
    **{("responses-helper", name): _CREATED for name in ("no-preamble", "failed-instant")},
}
"""Lawful, and too much for one SDK: how it fails, and why. A test fails when an SDK no longer does."""


# --- turns ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", TURNS)
def test_turn(sdks: Sdks, name: str, call: str) -> None:
    played = builtin.script(name)
    found = CALLS[call](sdks, f"Please say gp-play-{name}")
    if (call, name) in CANNOT:
        kind, why = CANNOT[call, name]
        assert isinstance(found.error, kind), why
        return
    dialect, _, mode = call.partition("-")
    turn = expected(played, dialect, stream=mode != "json")
    {"responses": check_responses, "chat": check_chat, "messages": check_messages}[dialect](played, mode, turn, found)


def check_responses(played: Script, mode: str, turn: Told, found: Found) -> None:
    ending = played.ending or Completed()
    assert found.told is not None
    assert found.told.said == turn.said
    if mode != "json" and isinstance(ending, ErrorEvent) and ending.nested:
        assert type(found.error) is openai.APIError
        assert turn.ending[1:] == (found.error.message, found.error.code)
        return
    assert found.told == turn
    if mode != "helper":
        assert found.error is None
    elif isinstance(ending, Completed):
        # The helper believes the terminal event, however empty its output is.
        assert found.error is None
        assert found.final == (replace(turn, said=()) if played.wire.terminal_output == "empty" else turn)
    else:
        assert isinstance(found.error, RuntimeError)
        assert "response.completed" in str(found.error)


def check_chat(played: Script, mode: str, turn: Told, found: Found) -> None:
    if isinstance(played.ending, FAILURES):
        assert isinstance(found.error, openai.APIError)
        assert chat_error({"message": "", **_dict(found.error.body)}) == turn.ending
        if mode == "json":
            check_status(openai, found.error, _status(played))
        else:
            assert type(found.error) is openai.APIError
            assert (found.told.said if found.told else ()) == turn.said
        return
    assert found.told == turn
    if mode != "helper":
        assert found.error is None
    elif turn.ending == ("length",):
        assert isinstance(found.error, openai.LengthFinishReasonError)
        assert found.final == turn
    elif turn.ending == ("content_filter",):
        assert isinstance(found.error, openai.ContentFilterFinishReasonError)
    else:
        assert found.error is None
        assert found.final == turn


def check_messages(played: Script, mode: str, turn: Told, found: Found) -> None:
    if isinstance(played.ending, FAILURES):
        assert isinstance(found.error, anthropic.APIStatusError)
        assert _dict(found.error.body)["error"]["message"] == turn.ending[1]
        check_status(anthropic, found.error, _status(played) if mode == "json" else 200)
        assert (found.told.said if found.told else ()) == turn.said
        return
    assert found.error is None
    assert found.told == turn
    if mode == "helper":
        assert found.final == replace(turn, said=tuple(_as_helped(thing) for thing in turn.said))


def _as_helped(thing: Thing) -> Thing:
    """The helper makes an object of arguments that are broken off."""
    if thing[0] == "call" and isinstance(thing[2], str):
        return (*thing[:2], from_json(thing[2].encode(), partial_mode=True), *thing[3:])
    return thing


def _dict(body: object) -> Json:
    assert isinstance(body, dict)
    return body


def _status(played: Script) -> int:
    return played.ending.status if isinstance(played.ending, Failed) else 500


ERRORS = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}


def check_status(package: Any, error: Exception, status: int) -> None:
    name = ERRORS.get(status, "InternalServerError" if status >= 500 else "APIStatusError")
    assert isinstance(error, getattr(package, name))
    assert isinstance(error, package.APIStatusError)
    assert error.status_code == status


# --- HTTP answers in place of a turn --------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", REFUSED)
def test_refusal(sdks: Sdks, name: str, call: str) -> None:
    ending = builtin.script(name).ending
    assert isinstance(ending, Refused)
    found = CALLS[call](sdks, f"gp-play-{name}")
    package = anthropic if call.startswith("messages") else openai
    if ending.status < 300:
        check_no_turn(found, call, ending)
    elif ending.status < 400:
        # The SDKs follow, to where nobody is.
        assert found.error is not None
        check_status(package, found.error, 404)
    else:
        assert found.error is not None
        check_status(package, found.error, ending.status)
        if isinstance(ending.body, dict):
            body = json.loads(json.dumps(ending.body).replace("{credential}", KEY))
            # openai shows what is in the envelope, anthropic all of it.
            assert getattr(found.error, "body", None) == (body if package is anthropic else body.get("error", body))
    assert found.told is None


def check_no_turn(found: Found, call: str, ending: Refused) -> None:
    """Status 200 and no document: no SDK says so of a body, and its helpers miss the end of the stream."""
    if call.endswith("json"):
        assert found.value == (ending.body or "")
    elif str(ending.body).startswith("data:") and not call.startswith("messages"):
        assert type(found.error) is openai.APIError
    elif call.endswith("stream"):
        assert found.error is None
    else:
        assert isinstance(found.error, RuntimeError if call.startswith("responses") else AssertionError)


# --- the other routes -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", TURNS)
def test_compact(sdks: Sdks, name: str) -> None:
    played = builtin.script(name)
    prompt = f"gp-play-{name}"
    if isinstance(played.ending, Failed | ErrorEvent):
        with pytest.raises(openai.APIStatusError, match=played.ending.message.replace("{credential}", KEY)) as caught:
            sdks.openai.responses.compact(model="m", input=prompt)
        check_status(openai, caught.value, _status(played))
        return
    found = sdks.openai.responses.compact(model="m", input=prompt)
    (item,) = found.output
    assert item.type == "compaction"
    assert item.encrypted_content == "".join(words_of(e) for e in played.turn if isinstance(e, Text))
    counted = expected(
        replace(played, turn=tuple(e for e in played.turn if isinstance(e, Usage))), "responses", stream=False
    )
    assert responses_usage(plain(found.usage)) == counted.usage


@pytest.mark.parametrize("name", TURNS)
def test_count_tokens(sdks: Sdks, name: str) -> None:
    played = builtin.script(name)
    prompt = f"gp-play-{name}"
    if isinstance(played.ending, FAILURES):
        with pytest.raises(anthropic.APIStatusError) as caught:
            sdks.anthropic.messages.count_tokens(model="m", messages=[user(prompt)])
        check_status(anthropic, caught.value, _status(played))
        return
    found = sdks.anthropic.messages.count_tokens(model="m", messages=[user(prompt)])
    counts = [e.input for e in played.turn if isinstance(e, Usage)]
    assert found.input_tokens == (counts[0] if counts else -(-len(prompt) // 4))


@pytest.mark.parametrize("package", ["openai", "anthropic"])
def test_models(sdks: Sdks, package: str) -> None:
    client = getattr(sdks, package)
    assert [model.id for model in client.models.list()] == list(MODELS)
    assert [client.models.retrieve(id).id for id in MODELS] == list(MODELS)
    with pytest.raises(openai.NotFoundError if package == "openai" else anthropic.NotFoundError):
        client.models.retrieve("nobody")


# --- asking again ---------------------------------------------------------------------------------

ONCE: dict[str, Refused] = {
    "429": refused(429, {"error": {"message": "Slow down.", "type": "requests"}}, retry_after="0"),
    "500": refused(500, {"error": {"message": "The server had an error.", "type": "server_error"}}),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("first", ONCE)
def test_asks_again(upstream: MockUpstream, sdks: Sdks, first: str, call: str) -> None:
    mark = new_marker()
    upstream.stage.put(mark, [script(ONCE[first]), script(text("At ", "last."))])
    patient = Sdks(sdks.openai.with_options(max_retries=1), sdks.anthropic.with_options(max_retries=1))
    found = CALLS[call](patient, f"Please answer. [{mark}]")
    assert found.error is None
    assert found.told is not None
    assert ("text", "At last.") in found.told.said
    calls = upstream.journal.await_calls(mark, 2, within=CEILING, ended=True)
    assert [entry.status for entry in calls] == [int(first), 200]


@pytest.mark.parametrize("call", CALLS)
def test_gives_up(upstream: MockUpstream, sdks: Sdks, call: str) -> None:
    mark = new_marker()
    upstream.stage.put(mark, [script(ONCE["429"])])
    found = CALLS[call](sdks, f"Please answer. [{mark}]")
    assert found.error is not None
    check_status(anthropic if call.startswith("messages") else openai, found.error, 429)
    assert len(upstream.journal.await_calls(mark, 1, within=CEILING, ended=True)) == 1
