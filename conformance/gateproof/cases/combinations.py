"""Turns that hold several things, in every order that the APIs allow: whole, truncated, failed and cut at every point."""

from __future__ import annotations

from typing import Any

from gateproof.answers.answer import Answer
from gateproof.cases.reading import assert_calls
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import (
    citation,
    cut,
    failed,
    incomplete,
    interleaved,
    next_message,
    next_part,
    reasoning,
    refusal,
    text,
    tool_call,
    usage,
    web_search,
)
from gateproof_mock.language.turns import Element, Interleaved, Refusal, Text, ToolCall

THINK, AGAIN = reasoning("First, ", "a thought. "), reasoning("Then, ", "another. ")
SEALED = reasoning(encrypted="c2VhbA==")
ONE, TWO, THREE = text("One", " 日本. "), text("Two", ". "), text("Three 🦄", ".")
CITED = text("As they ", "say. ", citations=[citation("https://example.org/a", title="A", start=0, end=6, cited="so")])
WEATHER = tool_call("get_weather", '{"city":', ' "Tromsø"}', id="call_weather")
TIME = tool_call("get_time", '{"zone": "Europe/Oslo"', ', "at": [1, 2.5, null, true]}', id="call_time")
NOTHING = tool_call("ping", "{}", id="call_ping")
AWKWARD = tool_call(
    "write_file", '{"path": "a\\\\b\\n", ', '"text": "{\\"x\\": [1}]", "deep": {"": {"e": "é"}}}', id="call_file"
)
COUNTS = usage(input=607, output=1024, cached=64, reasoning=112)

TURNS: dict[str, tuple[Element, ...]] = {
    "reasoning, text": (THINK, ONE),
    "reasoning, call": (THINK, WEATHER),
    "reasoning, text, call": (THINK, ONE, WEATHER),
    "reasoning, call, text": (THINK, WEATHER, ONE),
    "text, call, text": (ONE, WEATHER, TWO),
    "call, text, call": (WEATHER, ONE, TIME),
    "call, reasoning, call": (WEATHER, THINK, TIME),
    "text, reasoning, text": (ONE, THINK, TWO),
    "reasoning, text, reasoning, text, call": (THINK, ONE, AGAIN, TWO, WEATHER),
    "reasoning, call, reasoning, text, call, text": (THINK, WEATHER, AGAIN, ONE, TIME, TWO),
    "three messages with calls between": (ONE, next_message(), WEATHER, TWO, next_message(), TIME, THREE),
    "two parts, call": (ONE, next_part(), TWO, NOTHING),
    "four calls": (WEATHER, NOTHING, AWKWARD, TIME),
    "the same call twice": (tool_call("ping", "{}", id="call_1"), tool_call("ping", "{}", id="call_2")),
    "text, calls in turns, text": (ONE, interleaved(WEATHER, TIME, AWKWARD), TWO),
    "cited text, reasoning, text": (CITED, THINK, TWO),
    "sealed reasoning, text": (SEALED, ONE),
    "reasoning, refusal": (THINK, refusal("I will ", "not.")),
    "text, refusal": (ONE, refusal("I will ", "not.")),
    "search, cited text, call": (web_search("weather"), CITED, WEATHER),
}


def words(turn: tuple[Element, ...]) -> str:
    """The visible words of a turn, a refusal's included: on Messages they are text."""
    return "".join("".join(e.pieces) for e in turn if isinstance(e, Text | Refusal))


def calls(turn: tuple[Element, ...]) -> list[tuple[str, str]]:
    """Name and arguments of a turn's calls."""
    made: list[ToolCall] = []
    for element in turn:
        made += (
            [element] if isinstance(element, ToolCall) else element.calls if isinstance(element, Interleaved) else []
        )
    return [(call.name, "".join(call.arguments)) for call in made]


def said(answer: Answer) -> str:
    """The visible words of an answer."""
    return answer.text + answer.refusal


@case("mix.turns-arrive-whole")
def turns_arrive_whole(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for name, turn in TURNS.items():
        upstream.says(*turn, COUNTS)

        answer = ask(include_usage=True)

        _assert_whole(answer, check, name, turn)


def _assert_whole(answer: Answer, check: CheckHand, name: str, turn: tuple[Element, ...]) -> None:
    refuses = any(isinstance(e, Refusal) for e in turn)
    assert answer.outcome == "complete", f"{name}: {answer!r}"
    assert said(answer) == words(turn), f"{name}: text {answer.text!r}, refusal {answer.refusal!r}"
    assert_calls(answer, check, *calls(turn))
    ids = {str(call.id) for call in answer.tool_calls}
    assert len(ids) == len(answer.tool_calls), f"{name}: two calls have one id"
    if not refuses:
        # How a refusal is told is another requirement's business.
        wanted = "tool_calls" if calls(turn) else "stop"
        assert answer.finish == wanted, f"{name}: {answer!r}"
    assert answer.usage, f"{name}: no usage: {answer!r}"
    counts = (answer.usage.input, answer.usage.output, answer.usage.total)
    assert counts == (607, 1024, 1631), f"{name}: usage {counts}"


HALF = tool_call("write_file", '{"text": "half a ', id="call_half")
"""A call whose arguments were not said to their end."""

LONG = (THINK, ONE, AGAIN, WEATHER, next_message(), CITED, interleaved(TIME, AWKWARD))
POINTS = (
    *(LONG[:length] for length in range(1, len(LONG) + 1) if LONG[length - 1].KEY != "next_message"),
    (HALF,),
    (THINK, ONE, HALF),
    (WEATHER, THINK, HALF),
)
"""Where a turn may stop: after each thing that it says, and in the middle of a call's arguments."""


def _name(begun: tuple[Element, ...]) -> str:
    return "after " + ", ".join(e.KEY for e in begun) + (" in its midst" if begun[-1] is HALF else "")


@case("mix.truncated-turns-say-so-anywhere")
def truncated_turns_say_so_anywhere(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for begun in POINTS:
        name = _name(begun)
        upstream.says(*begun, COUNTS, incomplete("max_output_tokens"))

        answer = ask(include_usage=True)

        assert answer.outcome == "complete", f"{name}: {answer!r}"
        assert answer.finish == "length", f"{name}: {answer!r}"
        assert said(answer) == words(begun), f"{name}: {answer!r}"
        assert answer.usage, f"{name}: no usage: {answer!r}"
        assert (answer.usage.input, answer.usage.output) == (607, 1024), f"{name}: {answer.usage!r}"


@case("mix.cut-turns-never-complete-anywhere")
def cut_turns_never_complete_anywhere(ask: Ask, upstream: Upstream) -> None:
    for begun in POINTS:
        name = _name(begun)
        upstream.says(*begun, cut("eof"))

        answer = ask()

        assert answer.outcome != "complete", f"{name}: {answer!r}"
        assert not answer.finish, f"{name}: the reason {answer.finish!r} was made up"
        assert answer.failed or not answer.done, f"{name}: the stream's last event was made up"
        _assert_beginning(answer, begun, name)


def _assert_beginning(answer: Answer, begun: tuple[Element, ...], name: str) -> None:
    whole = words(begun)
    assert whole.startswith(said(answer)), f"{name}: {said(answer)!r} is no beginning of {whole!r}"
    told = {str(call.name) for call in answer.tool_calls}
    strange = told - {n for n, _ in calls(begun)}
    assert not strange, f"{name}: calls that nobody made: {strange!r}"


@case("mix.failed-turns-are-errors-anywhere")
def failed_turns_are_errors_anywhere(ask: Ask, upstream: Upstream) -> None:
    for begun in POINTS:
        for ending in (failed("server_error", "It fell over."), cut("fin")):
            name = f"{_name(begun)}, {ending.KEY}"
            upstream.says(*begun, ending)

            answer = ask()

            assert answer.failed, f"{name}: {answer!r}"
            assert not answer.finish, f"{name}: the reason {answer.finish!r} was made up"
            _assert_beginning(answer, begun, name)


COMPARED = (
    "reasoning, text, reasoning, text, call",
    "three messages with calls between",
    "cited text, reasoning, text",
    "reasoning, refusal",
    "text, refusal",
    "search, cited text, call",
)
"""Turns of which more can be compared than what the script says of them."""


@case("mix.both-modes-agree")
def both_modes_agree(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for name in COMPARED:
        turn = TURNS[name]
        upstream.says(*turn, COUNTS)

        streamed, at_once = ask(mode="stream", include_usage=True), ask(mode="json")

        _assert_equal(name, "outcome", streamed.outcome, at_once.outcome)
        _assert_equal(name, "text", streamed.text, at_once.text)
        _assert_equal(name, "refusal", streamed.refusal, at_once.refusal)
        _assert_equal(name, "finish", streamed.finish, at_once.finish)
        _assert_equal(name, "usage", streamed.usage, at_once.usage)
        assert_calls(streamed, check, *[(str(n), str(a)) for n, a in at_once.calls])


@case("mix.extras-agree-in-both-modes")
def extras_agree_in_both_modes(ask: Ask, upstream: Upstream) -> None:
    for name in COMPARED:
        upstream.says(*TURNS[name])

        streamed, at_once = ask(mode="stream"), ask(mode="json")

        _assert_equal(name, "reasoning", streamed.reasoning, at_once.reasoning)
        _assert_equal(name, "citations", streamed.cited, at_once.cited)


def _assert_equal(name: str, what: str, streamed: Any, at_once: Any) -> None:
    assert streamed == at_once, f"{name}: {what} streamed {streamed!r}, in JSON {at_once!r}"
