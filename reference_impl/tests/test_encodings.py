"""Compressed requests: undone, bounded, and refused where they are not what they say."""

import gzip
import json
import sys
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from gateway_bench import Asking, Fake

from gateproof_reference import encodings

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}
QUESTION: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 9}
PATHS = ["/v1/chat/completions", "/v1/messages", "/v1/messages/count_tokens", "/v1/responses", "/v1/responses/compact"]


def question(path: str) -> bytes:
    return json.dumps({"model": "m", "input": "hi"} if "responses" in path else QUESTION).encode()


def post(ask: Asking, path: str, coding: str, body: bytes) -> Any:
    dialect = "messages" if "messages" in path else "responses" if "responses" in path else "chat"
    return ask.request("POST", path, dialect, body, headers={"content-encoding": coding})


@pytest.mark.parametrize("coding", CODERS)
@pytest.mark.parametrize("path", [*PATHS, "/v1/responses/else"])
def test_a_compressed_request_goes_upstream_plain(coding: str, path: str, ask: Asking, fake: Fake) -> None:
    fake.says({"choices": [{"message": {"content": "Hi"}}], "content": [], "output": []})
    assert post(ask, path, coding, CODERS[coding](question(path))).status == 200
    (request,) = fake.requests
    assert fake.asked == json.loads(question(path))
    assert "content-encoding" not in request.headers
    assert int(request.headers["content-length"]) == len(request.content)


def test_codings_are_undone_in_their_order(ask: Asking, fake: Fake) -> None:
    fake.says({"choices": [{"message": {"content": "Hi"}}]})
    body = zstd.compress(gzip.compress(question(PATHS[0])))
    assert post(ask, PATHS[0], "identity, GZIP , zstd", body).status == 200


@pytest.mark.parametrize("coding", CODERS)
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "damage", [lambda body: body[:-3], lambda body: body[:9], lambda body: b"{}", lambda body: body + b"x"]
)
def test_a_broken_body_is_a_400(
    coding: str, path: str, damage: Callable[[bytes], bytes], ask: Asking, fake: Fake
) -> None:
    told = post(ask, path, coding, damage(CODERS[coding](question(path))))
    assert (told.status, told.json["error"]["type"]) == (400, "invalid_request_error")
    assert told.json["error"]["message"] == f"the body is not the {coding} that it says it is"
    assert not fake.requests


@pytest.mark.parametrize("coding", ["br", "gzip, br", "snappy"])
@pytest.mark.parametrize("path", PATHS)
def test_an_unknown_coding_is_a_415_that_names_the_known(coding: str, path: str, ask: Asking, fake: Fake) -> None:
    told = post(ask, path, coding, question(path))
    assert (told.status, told.headers["accept-encoding"]) == (415, "gzip, deflate, zstd")
    assert told.json["error"]["type"] == "invalid_request_error"
    assert not fake.requests


@pytest.mark.parametrize("coding", CODERS)
def test_a_bomb_is_one_413(coding: str, ask: Asking, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = CODERS[coding](b" " * 64 * 1024 * 1024)
    monkeypatch.setattr("gateproof_reference.intake.REQUEST_LIMIT", 1024 * 1024)
    tracemalloc.start()
    try:
        told = post(ask, PATHS[0], coding, bomb)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (told.status, told.json["error"]["code"]) == (413, "too_large")
    assert peak < 16 * 1024 * 1024
    assert not fake.requests


@pytest.mark.parametrize("coding", CODERS)
def test_the_limit_itself_passes(coding: str) -> None:
    body = CODERS[coding](b"x" * 1000)
    assert encodings.decoded(body, [coding], 1000) == b"x" * 1000
    with pytest.raises(encodings.RefusedError) as refused:
        encodings.decoded(body, [coding], 999)
    assert refused.value.failure.status == 413


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_follow_each_other_but_not_for_ever(coding: str) -> None:
    member = CODERS[coding](b"x")
    assert encodings.decoded(member * encodings.MEMBERS, [coding], 100) == b"x" * encodings.MEMBERS
    with pytest.raises(encodings.RefusedError) as refused:
        encodings.decoded(member * (encodings.MEMBERS + 1), [coding], 100)
    assert refused.value.failure.status == 400


def test_a_frame_that_wants_much_memory_is_refused() -> None:
    """A window is memory that a client orders: RFC 9659 ends it at 8 MiB."""
    compressor = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: 27})
    greedy = compressor.compress(b"x" * 100) + compressor.flush()
    with pytest.raises(encodings.RefusedError) as refused:
        encodings.decoded(greedy, ["zstd"], 1000)
    assert refused.value.failure.status == 400


def test_the_key_is_asked_for_before_anything_is_undone(ask: Asking) -> None:
    told = ask.request("POST", PATHS[0], body=b"no gzip", headers={"content-encoding": "gzip"}, key="sesame-1234")
    assert told.status == 401
