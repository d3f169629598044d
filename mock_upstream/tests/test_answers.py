"""Rendered once, and filled in for each call."""

import itertools
import json

import pytest
from mock_bench import Client, Mock, new_marker, read_frames

from gateproof_mock import Wire, dialects, failed, refused, script, text
from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects.routes import route
from gateproof_mock.dialects.steps import Head, Write
from gateproof_mock.language.scripts import Script
from gateproof_mock.serving.answers import CALL, CREATED, MARKER, Answer, AnswerCache, Own, Sends, Transfer, answer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.reception import Reception

OWN = Own(b"0123456789abcdef", b"1234567890", b"gp-aaaaaa-bbbbbbbb")


def sent(rendered: Answer, own: Own = OWN) -> bytes:
    return b"".join(part.filled(own) for part in rendered.parts if isinstance(part, Sends))


def responses(one: Script, asked: Asked) -> Answer:
    return answer(DIALECTS["responses"].render(one, asked), Transfer())


@pytest.mark.parametrize(
    "wire", [Wire(), Wire(split_every=1), Wire(split_every=7), Wire(together=3), Wire(data_lines=4)]
)
@pytest.mark.parametrize("stream", [True, False])
def test_filling_in_gives_what_rendering_for_the_call_gives(wire: Wire, stream: bool) -> None:
    one = script(text("Hel", "lo {marker}"), wire=wire)
    body = {"model": "m", "stream": stream}
    filled = sent(responses(one, Asked(body, call=CALL, created=CREATED, marker=MARKER)))
    own = Asked(body, call=OWN.call.decode(), created=1234567890, marker=OWN.marker.decode())
    assert filled == sent(responses(one, own))


def test_a_text_that_looks_like_the_time_is_left_alone() -> None:
    words = f'{CREATED} "created":{CREATED}, "created_at": {CREATED}'
    said = sent(responses(script(text(words)), Asked({}, call=CALL, created=CREATED, marker=MARKER)))
    document = json.loads(said.partition(b"\r\n\r\n")[2])
    assert document["output"][0]["content"][0]["text"] == words
    assert document["created_at"] == 1234567890


def test_each_write_is_one_chunk_and_the_edges_are_those_of_the_bytes() -> None:
    steps = [Head(200, {}), Write(b"one"), Write(b"three")]
    (part,) = answer(steps, Transfer()).parts
    assert isinstance(part, Sends)
    data, edges = part.filled(OWN), list(part.edges)
    assert [data[a:b] for a, b in itertools.pairwise(edges)] == [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n",
        b"5\r\nthree\r\n0\r\n\r\n",
    ]
    assert list(part.bodies(OWN, 2)) == [b"one", b"three"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_turn_is_rendered_once(monkeypatch: pytest.MonkeyPatch, stream: bool) -> None:
    rendered: list[Script] = []
    real = dialects.responses.render

    def counting(one: Script, asked: Asked) -> object:
        rendered.append(one)
        return real(one, asked)

    monkeypatch.setitem(
        DIALECTS, "responses", dialects.Dialect(counting, dialects.responses.error, ("model", "stream"))
    )
    reception, mark = Reception(), new_marker()
    reception.stage.put(mark, [script(text("Hello"))])
    said = [sent(p.answer, p.own) for p in (ask(reception, mark, model="m", stream=stream) for _ in range(3))]
    assert len(rendered) == 1
    assert len(set(said)) == 3
    ask(reception, mark, model="another", stream=stream)
    assert len(rendered) == 2


def ask(reception: Reception, mark: str, **body: object):
    raw = json.dumps({"input": mark, **body}).encode()
    return reception.receive(Call("POST", "/v1/responses", [], raw, route("/v1/responses")), Transfer())


def test_ids_differ_between_calls_and_agree_within_one() -> None:
    reception, mark = Reception(), new_marker()
    reception.stage.put(mark, [script(text("Hel", "lo"))])
    ids = []
    for _ in range(2):
        play = ask(reception, mark, stream=True)
        body = b"".join(b for part in play.answer.parts for b in part.bodies(play.own, 99))
        ids.append({e["response"]["id"] for _, e in read_frames(body) if "response" in e})
    assert [len(found) for found in ids] == [1, 1]
    assert ids[0] != ids[1]


@pytest.mark.parametrize("ending", [failed("a", "key {credential}"), refused(401, {"error": "key {credential}"})])
def test_one_callers_key_is_never_in_anothers_answer(ending: object) -> None:
    reception, mark = Reception(), new_marker()
    reception.stage.put(mark, [script(ending)])
    for key in ("sk-one", "sk-two"):
        raw = json.dumps({"input": mark}).encode()
        call = Call("POST", "/v1/responses", [("Authorization", f"Bearer {key}")], raw, route("/v1/responses"))
        play = reception.receive(call, Transfer())
        assert f"key {key}".encode() in sent(play.answer, play.own)


def test_the_cache_forgets_what_was_used_longest_ago() -> None:
    cache, made = AnswerCache(limit=1000), []

    def make() -> Answer:
        made.append(Answer((), 200, 400, keeps=True))
        return made[-1]

    for name in "aabaca":
        cache.get(name, make)
    assert len(made) == 3
    cache.get("b", make)
    assert len(made) == 4


def test_the_floor_is_told(mock: Mock) -> None:
    mark = new_marker()
    mock.stage.put(mark, [script(text("a", "b", "c"), wire=Wire(pace=0.01))])
    with Client(mock) as client:
        client.ask(mark, stream=True).answer()
        client.ask("gp-play-text").answer()
        # On one connection: when this is answered, the others are done with.
        client.send(b"GET /_gateproof/health HTTP/1.1\r\nHost: localhost\r\n\r\n").answer()
    told = mock.floor.to_json()
    assert [told[key]["samples"] for key in ("first_byte_ms", "pace_error_ms")] == [2, 10]
    mock.floor.clear()
    assert mock.floor.to_json()["first_byte_ms"] == {"samples": 0, "p50": None, "p99": None}
