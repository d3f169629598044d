"""Every client reads from the reference what each turn says, over every dialect, and asks as often as it should."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from behaviour import CODEX, CODEX_RETRIES, DIALECTS, NODE, PYTHON, SDK_RETRIES, Client, Retries
from scenes import Scene
from told import WEATHER, Counts, Json, Told
from turns import Turn, after, turns

Asking = Callable[[str], Callable[[Json], Json]]

SDKS = (*PYTHON, *NODE)
ONE_RETRY = Retries(1, 1)

WEATHER_TURNS = turns(WEATHER["name"], {"city": "Oslo"}, {"city": 'São "Paulo"\u2028'}, retry_after="0.05")
COMMANDS = {"echo Oslo": "Oslo\n", "echo 'São \"Paulo\"'": 'São "Paulo"\n'}
SHELL_TURNS = turns("exec_command", *({"cmd": command} for command in COMMANDS), retry_after="1")
FAILURES = ("limited", "broken", "too-long", "filtered", "failed", "cut")
REFUSALS = ("limited", "broken")


@pytest.mark.parametrize("turn", WEATHER_TURNS.values(), ids=WEATHER_TURNS)
@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("client", SDKS, ids=lambda client: client.name)
def test_turn(client: Client, dialect: str, turn: Turn, reference: Scene, asking: Asking) -> None:
    told = reference.ask(asking(client.name), client.name, dialect, *turn.scripts)

    check_sdk(told, client, turn, requests=1)


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("client", SDKS, ids=lambda client: client.name)
def test_gives_up(client: Client, name: str, reference: Scene, asking: Asking) -> None:
    turn = WEATHER_TURNS[name]
    for told in over_each_dialect(reference, asking, client, turn, SDK_RETRIES):
        check_sdk(told, client, turn, requests=client.endings[turn.ending].requests(SDK_RETRIES))


@pytest.mark.parametrize("refusal", REFUSALS)
@pytest.mark.parametrize("client", SDKS, ids=lambda client: client.name)
def test_asks_again(client: Client, refusal: str, reference: Scene, asking: Asking) -> None:
    turn = after(WEATHER_TURNS[refusal], WEATHER_TURNS["text"])
    for told in over_each_dialect(reference, asking, client, turn, SDK_RETRIES):
        check_sdk(told, client, turn, requests=2)


@pytest.mark.parametrize("turn", SHELL_TURNS.values(), ids=SHELL_TURNS)
@pytest.mark.parametrize("dialect", DIALECTS)
def test_turn_of_codex(dialect: str, turn: Turn, reference: Scene, asking: Asking) -> None:
    told = reference.ask(asking("codex"), "codex", dialect, *turn.scripts)

    check_codex(told, turn, requests=len(turn.scripts))


@pytest.mark.parametrize("name", FAILURES)
def test_codex_gives_up(name: str, reference: Scene, asking: Asking) -> None:
    turn = SHELL_TURNS[name]
    for told in over_each_dialect(reference, asking, CODEX, turn, ONE_RETRY):
        check_codex(told, turn, requests=CODEX.endings[turn.ending].requests(ONE_RETRY))


def test_codex_gives_up_by_default(reference: Scene, asking: Asking) -> None:
    """The failures that cost seconds and not half a minute, all at once."""
    names = ("limited", "too-long", "failed")
    ask = partial(reference.ask, asking("codex"), "codex", "responses", retries=CODEX_RETRIES)
    with ThreadPoolExecutor() as pool:
        for name, told in zip(names, pool.map(lambda name: ask(*SHELL_TURNS[name].scripts), names), strict=True):
            check_codex(told, SHELL_TURNS[name], requests=CODEX.endings[name].requests(CODEX_RETRIES))


@pytest.mark.parametrize("refusal", REFUSALS)
def test_codex_asks_again(refusal: str, reference: Scene, asking: Asking) -> None:
    turn = after(SHELL_TURNS[refusal], SHELL_TURNS["text"])
    for told in over_each_dialect(reference, asking, CODEX, turn, ONE_RETRY):
        check_codex(told, turn, requests=2)


def over_each_dialect(scene: Scene, asking: Asking, client: Client, turn: Turn, retries: Retries) -> list[Told]:
    """All at once, for the clients wait between their requests."""
    ask = asking(client.name)
    with ThreadPoolExecutor() as pool:
        return list(pool.map(lambda d: scene.ask(ask, client.name, d, *turn.scripts, retries=retries), DIALECTS))


def check_sdk(told: Told, client: Client, turn: Turn, requests: int) -> None:
    assert told.text == turn.text
    assert told.calls == turn.calls
    assert told.reasoning == (turn.reasoning if client.reasoning else "")
    assert told.usage == (turn.counts if client.endings[turn.ending].counted else None)
    check_ending(told, client, turn, requests)


def check_codex(told: Told, turn: Turn, requests: int) -> None:
    check_ending(told, CODEX, turn, requests)
    assert told.reasoning == turn.reasoning
    if told.ending == "turn.failed":
        # Codex shows a message when its item is done, and again when it begins the turn anew: a gateway that ends in the
        # midst of an item shows nothing.
        assert told.text in ("", turn.text * requests)
        assert told.usage is None
        return
    assert told.text == turn.text + ("Done." if turn.calls else "")
    ran = sorted((call.arguments["output"], call.arguments["exit_code"]) for call in told.calls)
    assert ran == sorted((COMMANDS[call.arguments["cmd"]], 0) for call in turn.calls)
    assert turn.counts is not None
    # Codex adds up what its requests cost.
    assert told.usage == (times(2, turn.counts) if turn.calls else turn.counts)


def check_ending(told: Told, client: Client, turn: Turn, requests: int) -> None:
    end = client.endings[turn.ending]
    assert (told.ending, told.status) == (end.word, end.status), told.message
    assert told.requests == requests
    if end.tells:
        assert turn.message in told.message


def times(factor: int, counts: Counts) -> Counts:
    return Counts(*(factor * count for count in vars(counts).values() if count is not None))
