"""Every mutant installs at a seam that exists, and its lie shows."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from error_scenes import errors
from form_scenes import forms
from gateway_bench import Asking, Fake
from gateway_scenes import Scene, scenes
from history_scenes import histories
from request_scenes import questions

from gateproof_reference import cli, server
from gateproof_reference.mutants import MUTANTS
from gateproof_reference.mutants.registry import Mutant

SCENES = [*scenes(), *errors(), *questions(), *forms(), *histories()]
NAMES = list(MUTANTS)
ASKED_HEADERS = ("anthropic-version", "anthropic-beta", "x-api-key", "accept-encoding")


class _Told:
    """What the world outside sees of each scene; played once for the reference."""

    def __init__(self) -> None:
        self._honest: dict[int, Any] = {}

    def of(self, scene: Scene) -> Any:
        fake = Fake()
        told = scene.play(Asking(fake), fake)
        asked = [
            (request.method, request.url.path, request.content, [request.headers.get(name) for name in ASKED_HEADERS])
            for request in fake.requests
        ]
        return told.status, sorted(told.headers.items()), told.raw, asked

    def honest(self, at: int) -> Any:
        if at not in self._honest:
            self._honest[at] = self.of(SCENES[at])
        return self._honest[at]


TOLD = _Told()


@pytest.fixture(autouse=True)
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.uuid, "uuid4", lambda: uuid.UUID(int=0x12345))
    monkeypatch.setattr(server.time, "time", lambda: 1_700_000_000.0)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    def put(mutant: Mutant) -> None:
        holder, name = mutant.place()
        monkeypatch.setattr(holder, name, mutant.make(getattr(holder, name)))

    return put


# These lie about time, waiting, size, compression, clients that leave, how a request is sent, and turns beside or after each
# other, which no scene shows: test_delivery.py, test_limits.py and test_encodings.py do, and the proof on whole gateways.
ELSEWHERE = {
    "all-answers-are-one",
    "calls-go-to-the-latest-client",
    "cookies-are-kept",
    "errors-say-gzip",
    "idle-timeout-is-for-the-whole",
    "json-outlives-its-client",
    "nobody-is-tried-for-again",
    "one-call-at-a-time",
    "patience-has-no-end",
    "pings-are-events",
    "side-routes-trip-the-breaker",
    "silence-is-kept",
    "the-rest-is-for-the-next",
    "work-outlives-its-client",
    "everything-is-buffered",
    "one-delta-late",
    "full-is-503",
    "waiting-responses-stream-ends-with-error",
    "waiting-chat-stream-ends-with-response-failed",
    "waiting-messages-stream-ends-with-the-chat-error",
    "nothing-bounds-decompression",
    "bodies-end-with-the-upstreams",
    "compression-is-asked-for-only",
    "plain-bytes-are-called-gzip",
    "streams-wait-for-the-compressor",
    "a-wish-for-streams-is-one",
    "bearer-is-no-key",
    "bodies-have-a-mebibyte",
    "charset-is-no-json",
    "chunked-requests-are-empty",
    "connections-break-when-used-again",
    "connections-end-when-used-again",
    "connections-keep-their-form",
    "long-words-are-cut",
    "x-api-key-is-no-key",
}


def test_the_reference_is_steady() -> None:
    """Two plays of a scene agree, else a difference would prove nothing about a mutant."""
    assert [TOLD.of(scene) for scene in SCENES] == [TOLD.honest(at) for at in range(len(SCENES))]


@pytest.mark.parametrize("name", NAMES)
def test_the_declaration_is_whole(name: str) -> None:
    mutant = MUTANTS[name]
    holder, attribute = mutant.place()
    there = getattr(holder, attribute)
    assert mutant.make(there) is not there
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert mutant.lie.endswith(".")
    assert mutant.caught_by
    assert all(re.fullmatch(r"[a-z]+\.[a-z0-9-]+", requirement) for requirement in mutant.caught_by)
    assert len(set(mutant.caught_by)) == len(mutant.caught_by)
    cli.parser().parse_args(["--mutant", name, *mutant.options.split()])


def test_the_list_has_four_columns(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--list-mutants"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines] == NAMES
    assert {len(line) for line in lines} == {4}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ELSEWHERE])
def test_the_lie_shows(name: str, install: Any) -> None:
    honest = [TOLD.honest(at) for at in range(len(SCENES))]
    install(MUTANTS[name])
    assert any(TOLD.of(SCENES[at]) != honest[at] for at in likeliest_first(MUTANTS[name])), "no scene shows this lie"


def likeliest_first(mutant: Mutant) -> list[int]:
    """The scenes in the order in which to look: lies about requests, forms and histories show in those that come last."""
    order = list(range(len(SCENES)))
    return order[::-1] if mutant.make.__module__.endswith((".request", ".forms", ".history")) else order
