"""Markers, the stage and the journal, without a server."""

import gzip
import json
import zlib
from typing import Any

import pytest
from mock_bench import new_marker

from gateproof_mock import ScriptError, hold, script, text
from gateproof_mock.journal import BODY_KEPT, LEG_LIMIT, Journal, Leg
from gateproof_mock.jsontext import parsed
from gateproof_mock.markers import decoded, markers_in
from gateproof_mock.stage import SCRIPT_LIMIT, Stage

A, B = "gp-aaaaaa-aaaaaaaa", "gp-bbbbbb-bbbbbbbb"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (f"{A}", (A,)),
        (f"{A} {B}", (A, B)),
        (f"{A} {B} {A}", (B, A)),
        (f'"\\n{A}\\n"', (A,)),
        (f"{A}a", ()),
        (f"{A}0", ()),
        (A.upper(), ()),
        ("gp-aaaaa1-aaaaaaaa", ()),
        ("", ()),
    ],
)
def test_markers(body: str, found: tuple[str, ...]) -> None:
    assert markers_in(b"\xff\x00" + body.encode() + b"\xfe") == found


def test_decoding() -> None:
    body = A.encode() * 3
    assert decoded(gzip.compress(body), "gzip") == (body, "")
    assert decoded(gzip.compress(body) + gzip.compress(b"more"), "GZIP") == (body + b"more", "")
    assert decoded(zlib.compress(body), " deflate ") == (body, "")
    assert decoded(gzip.compress(zlib.compress(body)), "deflate, gzip") == (body, "")
    assert decoded(body, "identity") == (body, "")
    assert decoded(body, "") == (body, "")
    for wrong in (body, gzip.compress(body)[:-12]):
        same, problem = decoded(wrong, "gzip")
        assert same == wrong
        assert problem.startswith("The body is not the gzip")
    assert "br" in decoded(body, "br")[1]


def test_a_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(bytes(80 * 1024 * 1024), 1)
    same, problem = decoded(bomb, "gzip")
    assert same == bomb
    assert "too large" in problem


@pytest.mark.parametrize("body", [b"\xff", b"{", b"NaN", b'{"a": Infinity}', b"[" * 200 + b"]" * 200, b"[" * 100_000])
def test_what_is_not_parsed(body: bytes) -> None:
    assert parsed(body) is None


def test_wide_json_is_parsed() -> None:
    assert parsed(b"[" + b",".join([b"[]"] * 1000) + b"]") == [[]] * 1000


def test_the_nth_call_gets_the_nth_script() -> None:
    stage = Stage()
    first, second = script(text("1")), script(text("2"))
    stage.put(A, [first, second])
    cues = [stage.take([A]) for _ in range(3)]
    assert [c.script for c in cues if c] == [first, second, second]
    assert stage.take([B]) is None
    assert stage.take([]) is None


def test_the_newest_known_marker_counts() -> None:
    stage = Stage()
    stage.put(A, [script()])
    stage.put(B, [script()])
    for seen, taken in (((A, B), B), ((B, A), A), ((A, new_marker()), A)):
        cue = stage.take(seen)
        assert cue is not None
        assert cue.marker == taken


@pytest.mark.parametrize("word", ["", "hello", "gp-aaaaaa-aaaaaaa", "gp-AAAAAA-aaaaaaaa", "x" + A, A + "a", A + "\n"])
def test_a_word_that_no_prompt_is_searched_for_is_refused(word: str) -> None:
    with pytest.raises(ScriptError, match="is no marker: expected gp-xxxxxx-xxxxxxxx"):
        Stage().put(word, [script()])


def test_no_scripts_are_refused() -> None:
    with pytest.raises(ScriptError, match="at least one"):
        Stage().put(A, [])


@pytest.mark.parametrize("end", ["drop", "put", "clear"])
def test_who_waits_in_an_old_script_is_released(end: str) -> None:
    stage = Stage()
    stage.put(A, [script(hold("a"))])
    cue = stage.take([A])
    assert cue is not None
    if end == "drop":
        stage.drop(A)
    elif end == "put":
        stage.put(A, [script(hold("a"))])
        fresh = stage.barrier(A, "a")
        assert fresh is not None
        assert not fresh.released.is_set()
    else:
        stage.clear()
    assert cue.barriers["a"].released.is_set()
    assert cue.barriers["a"].gone


def test_release_names_what_is_missing() -> None:
    stage = Stage()
    stage.put(A, [script(hold("a"))])
    stage.release(A, "a")
    with pytest.raises(KeyError, match="no barrier 'b'"):
        stage.release(A, "b")


def test_the_stage_is_bounded() -> None:
    stage = Stage()
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    one = [script()]

    def word(n: int) -> str:
        return "gp-aaaaaa-aaaa" + "".join(alphabet[n >> shift & 31] for shift in (15, 10, 5, 0))

    for n in range(SCRIPT_LIMIT + 1):
        stage.put(word(n), one)
    assert stage.take([word(0)]) is None
    assert stage.take([word(1)]) is not None


def entry_of(journal: Journal, mark: str = A, body: bytes = b"", path: str = "/") -> Any:
    return journal.open(markers=(mark,) if mark else (), method="POST", path=path, headers=[], body=body)


def test_the_journal_is_bounded_in_number() -> None:
    journal = Journal(limit=3)
    for n in range(5):
        entry_of(journal, A if n % 2 else B)
    assert [e.number for e in journal.all()] == [3, 4, 5]
    assert [e.number for e in journal.of(A)] == [4]
    assert [e.number for e in journal.of(B)] == [3, 5]


def test_the_journal_is_bounded_in_memory() -> None:
    journal = Journal(memory=5 * BODY_KEPT)
    for _ in range(20):
        entry_of(journal, body=bytes(2 * BODY_KEPT))
    assert 1 <= len(journal.all()) <= 5
    assert all(len(e.body) == BODY_KEPT for e in journal.all())
    assert journal.of(A) == journal.all()


def test_what_was_sent_counts_too() -> None:
    journal = Journal(memory=4 * LEG_LIMIT)
    for _ in range(10):
        entry = entry_of(journal)
        entry.sent.add(bytes(LEG_LIMIT))
        journal.close(entry, "played")
    assert len(journal.all()) <= 4


def test_an_entry_as_json() -> None:
    journal = Journal()
    entry = entry_of(journal, body=b'{"a": 1}')
    assert (entry.to_json()["json"], entry.to_json()["body"]) == ({"a": 1}, '{"a": 1}')
    raw = entry_of(journal, body=b"\xff{").to_json()
    assert (raw["json"], raw["body"]) == (None, {"base64": "/3s="})
    long = entry_of(journal, body=b"a" + "ä".encode() * LEG_LIMIT).to_json()
    assert long["body"] == "a" + "ä" * (LEG_LIMIT // 2 - 1)
    assert long["body_bytes"] == 1 + 2 * LEG_LIMIT
    json.dumps([raw, long])


def test_a_leg_is_capped() -> None:
    leg = Leg()
    leg.add(b"a" * (LEG_LIMIT - 1), at=1.0)
    leg.add("ä".encode(), at=2.0)
    leg.add(b"more", at=3.0)
    data = leg.to_json()
    assert data["bytes"] == LEG_LIMIT + 5
    assert data["pieces"][1] == [2.0, ""]
    assert len(data["pieces"]) == 2
    assert len(data["rest_sha256"]) == 64
