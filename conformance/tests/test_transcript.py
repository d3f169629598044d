"""The four legs on one time line, with nothing in it that must not be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateproof.answers.answer import Answer
from gateproof.exchange import Exchange
from gateproof.pairs import Pair
from gateproof.redact import Redactor
from gateproof.transcript import LEGS, render, transcript
from gateproof_mock.serving.journal import Leg

CLIENT_KEY = "client-key-4711-of-the-gateway"
UPSTREAM_KEY = "upstream-key-0815-of-the-provider"


def leg(*pieces: tuple[float, bytes]) -> Leg:
    held = Leg()
    for at, data in pieces:
        held.add(data, at)
    return held


def call(**more: Any) -> dict[str, Any]:
    entry = {
        "method": "POST",
        "path": "/v1/responses",
        "headers": [["Authorization", f"Bearer {UPSTREAM_KEY}"], ["Host", "mock"], ["X-Trace", f"t-{UPSTREAM_KEY}"]],
        "body": '{"model": "m"}',
        "began": 100.1,
        "finished": 100.4,
        "status": 200,
        "ended": "played",
        "sent": leg((100.2, b"data: 1\n\n"), (100.3, b"data: 2\n\n")).to_json(),
    }
    return entry | more


def exchange(**more: Any) -> Exchange:
    given: dict[str, Any] = {
        "pair": Pair("chat", "responses"),
        "mode": "stream",
        "marker": "gp-aaaaaa-bbbbbbbb",
        "scripts": (),
        "method": "POST",
        "path": "/v1/chat/completions",
        "request_headers": [("Authorization", f"Bearer {CLIENT_KEY}"), ("Accept", "text/event-stream")],
        "request_body": b'{"model": "m"}',
        "began": 100.0,
        "answer": Answer(outcome="complete", status=200, headers={"content-type": "text/event-stream"}, text="Hi"),
        "leg": leg((100.25, b"data: a\n\n"), (100.35, b"data: b\n\n")),
        "ended": 100.5,
        "calls": [call()],
    }
    return Exchange(**(given | more))


def lines(seen: Exchange, *secrets: str) -> list[list[Any]]:
    return transcript(seen, Redactor(secrets))["lines"]


def test_the_legs_stand_in_the_order_of_time() -> None:
    shown = lines(exchange())
    assert [(at, LEGS.index(leg)) for at, leg, _ in shown] == [
        (0.0, 0),
        (100.0, 1),
        (200.0, 2),
        (250.0, 3),
        (300.0, 2),
        (350.0, 3),
        (500.0, 3),
    ]
    assert shown[0][2] == 'POST /v1/chat/completions\nAuthorization: ***\n\n{"model": "m"}'
    assert shown[2][2].startswith("HTTP 200\ndata: 1")
    assert shown[3][2].startswith("HTTP 200\ncontent-type: text/event-stream\n\ndata: a")
    assert shown[-1][2].startswith("(end of the body) read as: <answer: complete, HTTP 200, text 'Hi'>")


def test_no_secret_is_in_any_leg() -> None:
    echo = f'{{"error": {{"message": "bad key {UPSTREAM_KEY} of {CLIENT_KEY}"}}}}'.encode()
    at = echo.index(b"0815")
    answer = Answer(outcome="broken", reason=f"not JSON: {UPSTREAM_KEY}", status=200, text=f"my key is {CLIENT_KEY}")
    seen = exchange(
        request_body=json.dumps({"user": CLIENT_KEY}).encode(),
        leg=leg((100.2, echo[:at]), (100.3, echo[at:])),
        calls=[
            call(
                body=f'{{"user": "{CLIENT_KEY}"}}', sent=leg((100.2, echo[: at + 2]), (100.3, echo[at + 2 :])).to_json()
            )
        ],
        answer=answer,
    )
    shown = transcript(seen, Redactor())
    text = json.dumps(shown) + render(shown)
    for secret in (CLIENT_KEY, UPSTREAM_KEY):
        assert secret not in text
        for held in (secret[:12], secret[-12:]):
            assert held not in text
    assert "0815" not in text


def test_a_secret_that_is_cut_by_a_short_form_is_hidden() -> None:
    answer = Answer(outcome="complete", status=200, text="x" * 40 + UPSTREAM_KEY)
    assert UPSTREAM_KEY[:20] in repr(answer)
    assert UPSTREAM_KEY[:12] not in json.dumps(lines(exchange(answer=answer)))


@pytest.mark.parametrize("data", [b"\xff\x00\xfe", "é".encode()[:1], b"\xed\xa0\x80"])
def test_bytes_that_are_no_text_are_shown_as_escapes(data: bytes) -> None:
    shown = lines(exchange(leg=leg((100.2, data)), calls=[call(sent=leg((100.2, data)).to_json())]))
    assert "\\x" in shown[2][2]
    json.dumps(shown, ensure_ascii=False).encode()


def test_a_flood_is_capped_and_its_rest_is_counted() -> None:
    flood = leg((100.2, b"x" * 100_000))
    shown = lines(exchange(leg=flood, calls=[call(sent=flood.to_json(), finished=0.0, ended="open")]))
    notes = [(at, text) for at, _, text in shown if "100000 bytes in all; sha256 of the rest" in text]
    assert [at for at, _ in notes] == [500.0, 500.0]
    assert sum(len(text) for _, _, text in shown) < 140_000


def test_an_answer_that_never_came_is_said() -> None:
    seen = exchange(
        leg=Leg(),
        answer=Answer(outcome="hung", reason="no answer"),
        clean=False,
        calls=[call(status=0, sent=Leg().to_json(), ended="client went away")],
    )
    text = render(transcript(seen, Redactor()))
    assert "(nothing)" in text
    assert "(client went away)" in text
    assert "(no answer)" in text
    assert "(the body did not come to its end) read as: <answer: hung (no answer), HTTP 0>" in text


def test_no_call_is_no_error() -> None:
    assert [leg for _, leg, _ in lines(exchange(calls=[]))] == [LEGS[0], LEGS[3], LEGS[3], LEGS[3]]


def test_the_text_obeys_no_escape_sequence_of_a_gateway() -> None:
    seen = exchange(leg=leg((100.2, "data: \x1b[32mPASS\x07\r\n\u202e\tend \u2028 é🦄".encode())))
    text = render(transcript(seen, Redactor()))
    assert "\\x1b[32mPASS\\x07\n" in text
    assert "\\u202e\tend \\u2028 é🦄" in text
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(text)


def test_long_lines_are_cut_to_the_width() -> None:
    text = render(transcript(exchange(leg=leg((100.2, b"x" * 500))), Redactor()), width=40)
    assert max(len(line) for line in text.splitlines()) == 35 + 40
    assert "x…" in text
