"""Markers, the stage and the journal, without a server."""

import gzip
import json
import sys
import zlib
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from mock_bench import CEILING, new_marker

from gateproof_mock import ScriptError, When, hold, script, text
from gateproof_mock.dialects.routes import route
from gateproof_mock.dialects.steps import Head, Write
from gateproof_mock.jsontext import parsed
from gateproof_mock.markers import decoded, markers_in
from gateproof_mock.serving.answers import Answer, Own, Transfer, answer
from gateproof_mock.serving.calls import BODY_KEPT, Call
from gateproof_mock.serving.journal import LEG_LIMIT, Entry, Journal, Leg
from gateproof_mock.serving.stage import RULE_LIMIT, SCRIPT_LIMIT, Barrier, Stage
from gateproof_schemas import validate

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

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
    assert decoded(zstd.compress(body), "zstd") == (body, "")
    assert decoded(zstd.compress(body) + zstd.compress(b"more"), "zstd") == (body + b"more", "")
    assert decoded(body, "identity") == (body, "")
    assert decoded(body, "") == (body, "")
    for coding, wrong in (
        ("gzip", body),
        ("gzip", gzip.compress(body)[:-12]),
        ("zstd", body),
        ("zstd", zstd.compress(body)[:-4]),
    ):
        same, problem = decoded(wrong, coding)
        assert same == wrong
        assert problem.startswith(f"The body is not the {coding}")
    assert "br" in decoded(body, "br")[1]


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("zstd", zstd.compress)])
def test_a_bomb_is_not_unpacked(coding: str, compress: Callable[[bytes, int], bytes]) -> None:
    bomb = compress(bytes(80 * 1024 * 1024), 1)
    same, problem = decoded(bomb, coding)
    assert same == bomb
    assert "too large" in problem


@pytest.mark.parametrize("body", [b"\xff", b"{", b"NaN", b'{"a": Infinity}', b"[" * 200 + b"]" * 200, b"[" * 100_000])
def test_what_is_not_parsed(body: bytes) -> None:
    assert parsed(body) is None


def test_wide_json_is_parsed() -> None:
    assert parsed(b"[" + b",".join([b"[]"] * 1000) + b"]") == [[]] * 1000


# --- the stage ------------------------------------------------------------------------------------


def call_of(*words: str, path: str = "/v1/responses", **body: Any) -> Call:
    data = json.dumps({"model": "m", **body, "input": " ".join(words)}).encode()
    return Call("POST", path, [], data, route(path))


def taken(stage: Stage, *words: str, **body: Any) -> str:
    """The name of what this call gets; "" for nothing."""
    cue = stage.take(call_of(*words, **body))
    return cue.name if cue else ""


def test_the_nth_call_gets_the_nth_script() -> None:
    stage = Stage()
    first, second = script(text("1")), script(text("2"))
    stage.put(A, [first, second])
    cues = [stage.take(call_of(A)) for _ in range(3)]
    assert [c.script for c in cues if c] == [first, second, second]
    assert stage.take(call_of(B)) is None
    assert stage.take(call_of()) is None


def test_the_newest_known_marker_counts() -> None:
    stage = Stage()
    stage.put(A, [script()])
    stage.put(B, [script()])
    for seen, name in (((A, B), B), ((B, A), A), ((A, new_marker()), A)):
        assert taken(stage, *seen) == name


def test_a_marker_goes_before_a_built_in_word_and_that_before_a_rule() -> None:
    stage = Stage()
    stage.put("all", [script()], When())
    stage.put(A, [script()])
    assert taken(stage, A, "gp-play-answer.3") == A
    assert taken(stage, B, "gp-play-answer.3") == "gp-play-answer.3"
    assert taken(stage, B) == "all"
    with pytest.raises(ScriptError, match="did you mean `answer`"):
        stage.take(call_of("gp-play-answwer"))


def test_rules_are_tried_in_the_order_of_their_first_registration() -> None:
    stage = Stage()
    stage.put("small", [script()], When(model="s*"))
    stage.put("all", [script()], When())
    stage.put("small", [script()], When(model="small"))
    assert stage.names() == ["small", "all"]
    assert [taken(stage, model=model) for model in ("small", "s", "m")] == ["small", "all", "all"]
    stage.drop("all")
    assert taken(stage, model="m") == ""


def test_a_name_is_registered_once() -> None:
    stage = Stage()
    stage.put(A, [script()])
    stage.put(A, [script()], When(model="s"))
    assert (stage.names(), taken(stage, A), taken(stage, model="s")) == ([A], "", A)
    stage.put(A, [script()])
    assert (stage.names(), taken(stage, A), taken(stage, model="s")) == ([A], A, "")


@pytest.mark.parametrize("word", ["", "hello", "gp-aaaaaa-aaaaaaa", "gp-AAAAAA-aaaaaaaa", "x" + A, A + "a", A + "\n"])
def test_a_word_that_no_prompt_is_searched_for_needs_a_when(word: str) -> None:
    with pytest.raises(ScriptError, match="is no marker: expected gp-xxxxxx-xxxxxxxx"):
        Stage().put(word, [script()])
    Stage().put(word, [script()], When())


def test_rules_are_bounded() -> None:
    stage = Stage()
    for n in range(RULE_LIMIT):
        stage.put(str(n), [script()], When())
    stage.put("0", [script()], When())
    with pytest.raises(ScriptError, match=f"there are {RULE_LIMIT}"):
        stage.put("more", [script()], When())


def test_who_cannot_block_is_told_of_a_release() -> None:
    stage, told = Stage(), []
    stage.put(A, [script(hold("a"))])
    barrier = stage.barriers(A)["a"]  # type: ignore[index]
    forgotten = lambda: told.append("forgotten")  # noqa: E731
    barrier.then(lambda: told.append("before"))
    barrier.then(forgotten)
    barrier.forget(forgotten)
    assert told == []
    stage.release(A, "a")
    stage.release(A, "a")
    barrier.then(lambda: told.append("after"))
    assert told == ["before", "after"]


def test_all_may_be_released() -> None:
    stage = Stage()
    stage.put(A, [script(hold("a"))])
    stage.put("all", [script(hold("a"))], When())
    stage.release_all()
    for name in (A, "all"):
        barrier = stage.barrier(name, "a")
        assert barrier is not None
        assert (barrier.released.is_set(), barrier.gone) == (True, False)


def test_no_scripts_are_refused() -> None:
    with pytest.raises(ScriptError, match="at least one"):
        Stage().put(A, [])


@pytest.mark.parametrize("end", ["drop", "put", "clear"])
def test_who_waits_in_an_old_script_is_released(end: str) -> None:
    stage = Stage()
    stage.put(A, [script(hold("a"))])
    cue = stage.take(call_of(A))
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
    assert taken(stage, word(0)) == ""
    assert taken(stage, word(1)) == word(1)


# --- the journal ----------------------------------------------------------------------------------


OWN = Own(b"", b"", b"")


def entry_of(journal: Journal, *words: str, body: bytes = b"", said: Answer | None = None, script: str = "") -> Entry:
    call = Call("POST", "/v1/responses", [], body or " ".join(words).encode(), route("/v1/responses"))
    entry = journal.open(call, said or Answer((), 0, 0, keeps=False), OWN, script)
    call.shrink()
    return entry


def sending(*pieces: bytes) -> Answer:
    return answer([Head(200, {}), *map(Write, pieces)], Transfer())


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
        entry_of(journal, body=A.encode() + bytes(2 * BODY_KEPT))
    assert 1 <= len(journal.all()) <= 5
    assert all(len(e.body) == BODY_KEPT for e in journal.all())
    assert journal.of(A) == journal.all()


def test_what_was_sent_counts_too_and_once_where_it_is_shared() -> None:
    journal = Journal(memory=4 * LEG_LIMIT)
    for _ in range(10):
        entry_of(journal, said=sending(bytes(LEG_LIMIT)))
    assert 1 <= len(journal.all()) < 4
    journal.clear()
    same = sending(bytes(LEG_LIMIT))
    for _ in range(10):
        entry_of(journal, said=same)
    assert len(journal.all()) == 10


def test_calls_are_found_by_marker_and_by_script() -> None:
    journal = Journal()
    entry_of(journal, A, B, script="gp-play-answer.0")
    entry_of(journal, A, script=A)
    entry_of(journal, script="rule")
    for name, numbers in ((A, [1, 2]), (B, [1]), ("gp-play-answer.0", [1]), ("rule", [3]), ("none", [])):
        assert [e.number for e in journal.of(name)] == numbers


def test_a_wait_ends_with_what_it_waits_for() -> None:
    journal = Journal()
    found: list[list[Entry]] = []
    waiting = [
        Thread(target=lambda: found.append(journal.await_calls(A, 1, CEILING))),
        Thread(target=lambda: found.append(journal.await_calls(A, 1, CEILING, ended=True))),
    ]
    for thread in waiting:
        thread.start()
    entry = entry_of(journal, A)
    waiting[0].join(CEILING)
    assert found == [[entry]]
    journal.close(entry, "played")
    waiting[1].join(CEILING)
    assert found == [[entry], [entry]]
    assert journal.await_calls(B, 1, 0) == []


def test_nobody_waits_when_the_mock_stops() -> None:
    journal = Journal()
    waiting = Thread(target=journal.await_calls, args=(A, 1, 60), daemon=True)
    waiting.start()
    journal.wake()
    waiting.join(CEILING)
    assert not waiting.is_alive()
    assert journal.await_calls(A, 1, 60) == []
    journal.wake(awake=False)
    assert journal.await_calls(A, 1, 0.01) == []


def test_what_belongs_to_no_script() -> None:
    journal = Journal()
    call = call_of(A)
    journal.open(call, Answer((), 0, 0, keeps=False), OWN, A, matched=True)
    stray = entry_of(journal, B)
    assert (journal.unmatched(), journal.unmatched_count()) == ([stray], 1)


def test_an_entry_as_json() -> None:
    journal = Journal()
    entry = entry_of(journal, body=b'{"a": 1}')
    assert (entry.to_json()["json"], entry.to_json()["body"]) == ({"a": 1}, '{"a": 1}')
    raw = entry_of(journal, body=b"\xff{").to_json()
    assert (raw["json"], raw["body"]) == (None, {"base64": "/3s="})
    long = entry_of(journal, body=b"a" + "ä".encode() * LEG_LIMIT).to_json()
    assert long["body"] == "a" + "ä" * (LEG_LIMIT // 2 - 1)
    assert long["body_bytes"] == 1 + 2 * LEG_LIMIT
    for one in (entry.to_json(), raw, long):
        assert validate(json.loads(json.dumps(one)), "own/control/entry") == []


def test_what_left_is_told_as_far_as_it_left() -> None:
    entry = entry_of(Journal(), said=sending(b"one", b"two"))
    assert (entry.status, entry.sent.to_json()) == (0, {"pieces": [], "bytes": 0})
    entry.writes, entry.first = 1, 5.0
    assert (entry.status, entry.sent.to_json()) == (200, {"pieces": [[5.0, "one"]], "bytes": 3})
    entry.writes, entry.times = 2, [5.0, 6.0]
    assert entry.sent.to_json() == {"pieces": [[5.0, "one"], [6.0, "two"]], "bytes": 6}
    assert entry.to_json()["writes_in_all"] == 2


def test_the_problems_of_a_request() -> None:
    journal = Journal()
    assert entry_of(journal, body=b'{"model": "m", "input": "Hi"}').problems() == []
    assert entry_of(journal, body=b'{"input": "Hi"}').problems() == ['$: expected the key "model", which is missing']
    assert entry_of(journal, body=b"[").problems() == ["$: expected an object, got null"]


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


@pytest.mark.parametrize("within", [float("nan"), -1.0])
def test_a_wait_of_no_number_of_seconds_is_refused_and_never_spins(within: float) -> None:
    for wait in (
        lambda: Journal().await_calls("a", 1, within),
        lambda: Journal().await_that(lambda: False, within),
        lambda: Barrier().await_reached(within, Event()),
    ):
        with pytest.raises(ValueError, match="number of seconds"):
            wait()
