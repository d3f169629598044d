"""The lines that the operator reads: what stands in them, and what must not."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gateway_scenes as scenes
import httpx
import pytest
from gateway_bench import CUT, Asking, Fake
from gateway_scenes import message, responses_turn

from gateproof_reference import logs
from gateproof_reference.redaction import redactor

OPERATOR, GATEWAY = "operator-key-of-1", "gateway-key-0815"
FOREIGN = "sk-proj-4f1cAbCdEfGhIjKlMnOp"
PROMPT = "the secret of the prompt"

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def sink() -> Iterator[io.StringIO]:
    """Where lines go; after the test logging is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("gateproof_reference")
    before = root.handlers, root.level, ours.level, logging.raiseExceptions
    yield io.StringIO()
    root.handlers, root.level, level, logging.raiseExceptions = before
    ours.setLevel(level)


@pytest.fixture
def lines(sink: io.StringIO) -> Lines:
    """Write lines of every level as the command line would, and return those written since the last call."""
    logs.configure("debug", redactor(OPERATOR, GATEWAY), sink)

    def written() -> list[dict[str, Any]]:
        text = sink.getvalue()
        sink.seek(0)
        sink.truncate()
        assert not any(secret in text for secret in (OPERATOR, GATEWAY, FOREIGN, PROMPT))
        return [json.loads(line) for line in text.splitlines()]

    return written


def turn(ask: Asking, dialect: str = "responses", path: str = "/v1/chat/completions", **more: Any) -> Any:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": PROMPT}], **more}
    headers = {"authorization": f"Bearer {GATEWAY}"}
    return ask.request("POST", path, dialect, body, headers=headers, key=GATEWAY, upstream_key=OPERATOR)


def without_time(line: dict[str, Any]) -> dict[str, Any]:
    assert len(line.pop("time")) == len("2026-01-01T00:00:00.000+00:00")
    return line


def test_an_upstreams_refusal_is_one_line(ask: Asking, fake: Fake, lines: Lines) -> None:
    fake.says({"error": {"message": f"{PROMPT} {OPERATOR} {FOREIGN}", "code": "c"}}, 401)
    told = turn(ask, "messages")
    (line,) = lines()
    assert without_time(line) == {
        "level": "warning",
        "event": "failed",
        "request_id": told.headers["x-request-id"],
        "route": "turn",
        "surface": "chat",
        "dialect": "messages",
        "code": "c",
        "class": "server",
        "upstream_status": 401,
        "status": 502,
        "in_band": False,
    }


def test_a_failure_in_the_stream_is_one_line(ask: Asking, fake: Fake, lines: Lines) -> None:
    fake.streams(*responses_turn(message("Hi"), end=scenes.failed("rate_limit_exceeded", PROMPT)))
    assert turn(ask, path="/v1/messages", stream=True).status == 200
    (line,) = lines()
    expected = {"code": "rate_limit_exceeded", "class": "limit", "status": 200, "in_band": True, "surface": "messages"}
    assert expected.items() <= line.items()


@pytest.mark.parametrize("stream", [True, False])
def test_what_broke_is_told_here_only(stream: bool, ask: Asking, fake: Fake, lines: Lines) -> None:
    fake.streams(*responses_turn(message("Hi"))[:-1], CUT)
    told = turn(ask, stream=stream)
    (line,) = lines()
    assert (line["cause"], line["in_band"]) == ("ReadError: reset", stream)
    assert b"ReadError" not in told.raw

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"no route to host 10.0.0.1, {OPERATOR}")

    fake.handle = refuse  # type: ignore[method-assign]
    turn(ask, stream=stream)
    (line,) = lines()
    assert (line["cause"], line["status"]) == ("ConnectError: no route to host 10.0.0.1, ***", 502)


def test_the_clients_own_fault_is_only_noted(ask: Asking, fake: Fake, lines: Lines) -> None:
    for more, code in (({"n": 2}, "unsupported_parameter"), ({"messages": PROMPT}, "invalid_request")):
        turn(ask, **more)
        (line,) = lines()
        assert (line["level"], line["code"], line["status"]) == ("info", code, 400)
    ask.request("POST", "/v1/responses", body={"input": PROMPT}, key=GATEWAY, headers={"authorization": FOREIGN})
    (line,) = lines()
    assert (line["status"], line["code"], line["surface"]) == (401, "invalid_api_key", "responses")


@pytest.mark.parametrize("code", [PROMPT, FOREIGN, OPERATOR, "x" * 65])
def test_a_code_that_is_none_is_not_told(code: str, ask: Asking, fake: Fake, lines: Lines) -> None:
    fake.says({"error": {"message": "m", "code": code}}, 500)
    turn(ask)
    (line,) = lines()
    assert line["code"] in ("(not a word)", "***")


def test_an_answer_is_a_line_for_debugging(ask: Asking, fake: Fake, lines: Lines) -> None:
    fake.streams(*responses_turn(message(PROMPT)))
    told = turn(ask)
    (line,) = lines()
    assert without_time(line) == {
        "level": "debug",
        "event": "answered",
        "request_id": told.headers["x-request-id"],
        "route": "turn",
        "surface": "chat",
        "dialect": "responses",
        "status": 200,
        "seconds": line["seconds"],
    }
    assert line["seconds"] >= 0


@pytest.mark.parametrize("level", logs.LEVELS)
def test_a_level_hides_those_below_it(level: str, ask: Asking, fake: Fake, sink: io.StringIO, lines: Lines) -> None:
    logs.configure(level, redactor(OPERATOR, GATEWAY), sink)
    fake.streams(*responses_turn(message("Hi")))
    turn(ask)
    turn(ask, n=2)
    fake.says({}, 500)
    turn(ask)
    fake.steps = [RuntimeError()]
    turn(ask)
    expected = {"debug": "answered", "info": "failed", "warning": "failed", "error": "crashed"}
    assert lines()[0]["event"] == expected[level]


def test_a_fault_of_our_own_is_told_by_its_places(ask: Asking, fake: Fake, lines: Lines) -> None:
    fake.streams(RuntimeError(f"a bug with {PROMPT} and {FOREIGN}"))
    told = turn(ask, stream=True)
    crashed, failed = lines()
    assert (crashed["event"], crashed["level"], crashed["exception"]) == ("crashed", "error", "RuntimeError")
    assert crashed["request_id"] == told.headers["x-request-id"] == failed["request_id"]
    assert "gateway_bench.py" in crashed["traceback"][-1]
    assert (failed["event"], failed["status"]) == ("failed", 500)


def test_an_exception_tells_what_it_comes_from() -> None:
    try:
        try:
            raise KeyError(PROMPT)
        except KeyError as error:
            raise ValueError(PROMPT) from error
    except ValueError as error:
        told = logs.exception(error)
    assert (told["exception"], told["because_of"]["exception"]) == ("ValueError", "KeyError")
    assert PROMPT not in json.dumps(told)


def test_lines_of_others_have_the_same_form(lines: Lines) -> None:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\n", exc_info=ValueError(PROMPT))

    async def forgets() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": ValueError(PROMPT)})

    asyncio.run(forgets())
    logging.getLogger("httpx").info("HTTP Request: POST http://10.0.0.1")
    server, loop = lines()
    assert (server["event"], server["logger"], server["message"]) == (
        "noted",
        "uvicorn.error",
        "Exception in ASGI application",
    )
    assert (loop["logger"], loop["message"], loop["exception"]) == ("asyncio", "lost", "ValueError")
