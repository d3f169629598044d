"""The parts of `gateproof explore`, on gateways that are a function."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateproof.answers.answer import COMPLETE, CUT, ERROR, HUNG, Answer, ToolCall, Usage
from gateproof.exploring import exploration, hunting
from gateproof.exploring.asking import Asked, Asker, GatewayLost, SuiteFault
from gateproof.exploring.expectation import Breach, expect
from gateproof.exploring.exploration import LOST, Budget, Exploration
from gateproof.exploring.finds import Find, remove_old
from gateproof.exploring.hunting import nothing_kept
from gateproof.exploring.places import Place
from gateproof_mock import (
    Script,
    cut,
    failed,
    incomplete,
    interleaved,
    refusal,
    refused,
    script,
    text,
    tool_call,
    unfinished,
    usage,
)
from gateproof_mock.language.files import load
from gateproof_mock.language.turns import Text

STREAM = Place.parse("chat.responses.stream")
CLAUDE = Place.parse("messages.chat.json")
PLACES = [STREAM, CLAUDE]

Broken = Callable[[Script], list[str]]


@pytest.fixture(autouse=True)
def _no_folder() -> Iterator[None]:
    with nothing_kept():
        yield


def asked(place: Place, script: Script, *broken: str, **request: Any) -> Asked:
    told = tuple(Breach(what, f"expected {what}") for what in broken)
    return Asked(place, script, "gp-aaaaaa-aaaaaaaa", expect(script, place), told, **request)


def explored(ask: Asker, examples: int = 20, seed: int = 1, seconds: float = 3600) -> tuple[Exploration, list[Find]]:
    """An exploration that came to its end, and what it told."""
    told: list[Find] = []
    done = Exploration(ask, PLACES, Budget(seed, seconds, examples), told.append)
    done.run()
    return done, told


def words(script: Script) -> str:
    return "".join("".join(e.pieces) for e in script.turn if isinstance(e, Text))


def loses(character: str) -> Broken:
    return lambda script: ["text"] if character in words(script) else []


# --- finding --------------------------------------------------------------------------------------


def test_the_same_seed_asks_the_same_turns_in_the_same_order() -> None:
    def turns(seed: int) -> list[tuple[Place, Script]]:
        order: list[tuple[Place, Script]] = []

        def ask(place: Place, script: Script) -> Asked:
            order.append((place, script))
            return asked(place, script, *loses("é")(script))

        explored(ask, examples=20, seed=seed)
        return order

    first = turns(5)
    assert len(first) >= 2 * 20
    assert turns(5) == first
    assert turns(6) != first


def test_a_defect_is_shrunk_and_told_once_with_every_place() -> None:
    _, told = explored(lambda place, script: asked(place, script, *loses("é")(script)))

    (find,) = told
    assert find.what == "text"
    assert find.shrunk
    assert find.steady
    assert words(find.asked.script) == "é"
    assert [type(e).__name__ for e in find.asked.script.turn] == ["Text", "Completed"]
    assert {find.asked.place, *find.also} == set(PLACES)


def test_several_defects_are_several_finds() -> None:
    def ask(place: Place, script: Script) -> Asked:
        calls = any(e.KEY in ("tool_call", "interleaved") for e in script.turn)
        refuses = bool(script.ending) and script.ending.KEY == "refused"
        broken = ["tools"] * (calls and place == CLAUDE) + ["schema.errors-are-valid"] * refuses
        return asked(place, script, *broken)

    _, told = explored(ask)

    assert {find.what for find in told} == {"tools", "schema.errors-are-valid"}
    assert all(len(find.asked.script.turn) <= 2 for find in told)


def test_what_one_turn_breaks_is_one_find() -> None:
    _, told = explored(lambda place, script: asked(place, script, *(["ending", "text"] if words(script) else [])))

    (find,) = told
    assert [b.what for b in find.asked.breaches] == ["ending", "text"]


def test_what_does_not_break_every_time_says_so() -> None:
    times = itertools.count()

    _, told = explored(lambda place, script: asked(place, script, *(["text"] if next(times) == 7 else [])), examples=15)

    (find,) = told
    assert not find.steady
    assert "not every time" in find.render(1, Path("x"))


# --- ending ---------------------------------------------------------------------------------------


def test_nothing_is_asked_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    for module in (exploration, hunting):
        monkeypatch.setattr(module, "time", type("Clock", (), {"monotonic": staticmethod(lambda: now[0])}))

    def ask(place: Place, script: Script) -> Asked:
        now[0] += 1.0
        return asked(place, script, *loses("é")(script))

    done, told = explored(ask, examples=0, seconds=200)

    assert done.tried <= 200
    assert [find.what for find in told] == ["text"]


@pytest.mark.parametrize("end", [KeyboardInterrupt(), GatewayLost("nothing listens")], ids=["interrupted", "lost"])
def test_a_find_is_told_though_its_shrinking_is_ended(end: BaseException) -> None:
    seen = itertools.count()

    def ask(place: Place, script: Script) -> Asked:
        broken = loses("é")(script)
        if broken and next(seen) == 3:
            raise end
        return asked(place, script, *broken)

    told: list[Find] = []
    with pytest.raises(type(end)):
        Exploration(ask, PLACES, Budget(1, 3600.0, 60), told.append).run()

    (find,) = told
    assert find.what == "text"
    assert not find.shrunk
    assert "é" in words(find.asked.script)


def test_a_lost_gateway_is_a_find_with_the_last_turn() -> None:
    last: list[Script] = []

    def ask(place: Place, script: Script) -> Asked:
        if len(last) == 9:
            raise GatewayLost("nothing listens at http://127.0.0.1:1 any more")
        last.append(script)
        return asked(place, script)

    told: list[Find] = []
    with pytest.raises(GatewayLost):
        Exploration(ask, PLACES, Budget(1, 3600.0, 60), told.append).run()

    (find,) = told
    assert find.what == LOST
    assert find.asked.script == last[-1]
    assert "nothing listens" in find.sentence


def test_a_fault_of_ours_is_no_find() -> None:
    def ask(place: Place, script: Script) -> Asked:
        raise ZeroDivisionError

    told: list[Find] = []
    with pytest.raises(SuiteFault, match="ZeroDivisionError"):
        Exploration(ask, PLACES, Budget(1, 3600.0, 60), told.append).run()
    assert not told


# --- what is expected -----------------------------------------------------------------------------

COUNTED = Usage(11, 7, 18)


def complete(words: str = "", finish: str = "stop", **more: Any) -> Answer:
    return Answer(COMPLETE, status=200, text=words, finish=finish, **{"usage": COUNTED, **more})


def call(name: str, arguments: str, id: str = "call_1") -> ToolCall:
    return ToolCall(name, arguments, id)


LOOK = tool_call("look", '{"a": ', "1}", id="call_1")
RELAY = Place.parse("responses.responses.stream")
BOTH = interleaved(LOOK, tool_call("see", id="call_2"), reverse=True)

KEPT: list[tuple[Place, Script, Answer]] = [
    (STREAM, script(text("a", "b")), complete("ab")),
    (STREAM, script(LOOK), complete(finish="tool_calls", tool_calls=[call("look", '{"a": 1}')])),
    (CLAUDE, script(LOOK), complete(finish="tool_calls", tool_calls=[call("look", '{"a":1}')])),
    (
        STREAM,
        script(BOTH),
        complete(finish="tool_calls", tool_calls=[call("see", "{}", "2"), call("look", '{"a": 1}')]),
    ),
    (STREAM, script(text("a"), incomplete()), complete("a", "length")),
    (STREAM, script(refusal("no"), text("a")), complete("a", "content_filter", refusal="no")),
    (CLAUDE, script(refusal("no"), text("a")), complete("noa", "stop")),
    (STREAM, script(text("")), Answer(ERROR, status=502)),
    (STREAM, script(text("ab"), failed()), Answer(ERROR, status=200, text="a")),
    (STREAM, script(refusal("no"), text("a"), cut("rst")), Answer(ERROR, status=200, text="a", refusal="n")),
    (RELAY, script(text("ab"), cut("eof")), Answer(CUT, status=200, text="ab")),
    (RELAY, script(unfinished("queued")), Answer(CUT, status=200)),
    (STREAM, script(refused(500)), Answer(ERROR, status=502)),
    (CLAUDE, script(text("a"), incomplete("content_filter")), Answer(ERROR, status=502)),
]


@pytest.mark.parametrize(("place", "turn", "answer"), KEPT)
def test_an_answer_that_keeps_it(place: Place, turn: Script, answer: Answer) -> None:
    assert not list(expect(turn, place).breaches(answer))


BROKEN: list[tuple[Place, Script, Answer, str]] = [
    (STREAM, script(text("a", "b")), complete("a"), "text"),
    (
        STREAM,
        script(LOOK),
        complete(finish="stop", tool_calls=[call("look", '{"a": 1}')]),
        "ending: tool_calls told as stop",
    ),
    (STREAM, script(LOOK), complete(finish="tool_calls", tool_calls=[call("look", '{"a":1}')]), "tools"),
    (STREAM, script(LOOK), complete(finish="tool_calls"), "tools"),
    (STREAM, script(LOOK), complete(finish="tool_calls", tool_calls=[call("look", '{"a": 1}', "")]), "tools"),
    (STREAM, script(text("a")), complete("a", "eos"), "ending: stop told as another word"),
    (STREAM, script(text("a")), complete("a", usage=Answer("").usage), "usage"),
    (STREAM, script(text("a"), usage(11, 7, cached=3)), complete("a"), "usage details"),
    (STREAM, script(text("a")), Answer(ERROR, status=500), "ending: complete told as error"),
    (STREAM, script(text("a")), Answer(HUNG), "ending: complete told as hung"),
    (STREAM, script(text("a"), incomplete()), complete("a"), "ending: length told as stop"),
    (STREAM, script(incomplete()), Answer(ERROR, status=502), "ending: complete told as error"),
    (STREAM, script(text("a"), failed()), complete("a"), "ending: error told as complete"),
    (STREAM, script(text("a"), failed()), Answer(CUT, status=200), "ending: error told as cut"),
    (STREAM, script(text("a"), failed()), Answer(ERROR, status=200, text="b"), "text"),
    (STREAM, script(text("a"), cut("eof")), Answer(CUT, status=200), "ending: error told as cut"),
    (RELAY, script(text("a"), cut("eof")), complete("a"), "ending: unfinished told as complete"),
    (RELAY, script(text("a"), cut("eof")), Answer(HUNG, text="a"), "ending: unfinished told as hung"),
    (RELAY, script(text("a"), cut("eof")), Answer(CUT, text="a", done=True), "ending: unfinished told as cut"),
    (STREAM, script(LOOK, cut("fin")), Answer(ERROR, status=200, tool_calls=[call("see", "")]), "tools"),
    (STREAM, script(refused(429)), Answer(CUT, status=200), "ending: error told as cut"),
]


@pytest.mark.parametrize(("place", "turn", "answer", "what"), BROKEN)
def test_an_answer_that_breaks_it(place: Place, turn: Script, answer: Answer, what: str) -> None:
    assert [b.what for b in expect(turn, place).breaches(answer)] == [what]


def test_audio_and_predicted_tokens_are_looked_at_where_they_are_claimed() -> None:
    turn = script(text("a"), usage(11, 7, audio_input=2, accepted_prediction=3))

    assert not list(expect(turn, STREAM).breaches(complete("a")))
    assert [b.what for b in expect(turn, STREAM, extended_details=True).breaches(complete("a"))] == ["usage details"]
    assert not list(expect(turn, CLAUDE, extended_details=True).breaches(complete("a")))


# --- what is written ------------------------------------------------------------------------------


def test_a_find_is_files_that_the_mock_plays_and_a_command_without_secrets(tmp_path: Path) -> None:
    turn = script(text("it's \u202e", "\x00"), incomplete())
    headers = (("Authorization", "***"), ("x-api-key", "***"), ("Host", "here"), ("Accept", "text/event-stream"))
    find = Find(
        "text", asked(STREAM, turn, "text", path="/v1/chat/completions", headers=headers, body='{"it\'s": 1}'), True
    )

    find.write(3, tmp_path)

    (registration,) = load(tmp_path / "find-3.json")
    assert registration.name == find.asked.marker
    assert registration.calls == (turn,)
    command = shlex.split(find.curl())
    assert command[:3] == ["curl", "-sN", "$GATEWAY/v1/chat/completions"]
    assert command[3:] == [
        *("-H", "Authorization: Bearer $GATEWAY_KEY", "-H", "x-api-key: $GATEWAY_KEY"),
        *("-H", "Accept: text/event-stream", "-d", '{"it\'s": 1}'),
    ]
    remove_old(tmp_path)
    assert not list(tmp_path.iterdir())


def test_no_escape_sequence_of_a_turn_reaches_the_terminal() -> None:
    find = Find("text", asked(STREAM, script(text("\x1b[31m\u202e")), "text"), shrunk=True, note="lost\x1b[2J")

    assert "\\u001b[31m" in find.render(1, Path("x"))
    assert "lost\\x1b[2J" in find.render(1, Path("x"))
    assert find.render(1, Path("x")).replace("\n", "").isprintable()
