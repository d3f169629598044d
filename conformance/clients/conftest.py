"""Fixtures: the gateway, and for each client the way to ask it. What is not installed skips its tests; in CI it fails them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import codex_client
import pytest
from drivers import Absent, Driver, node_driver, python_driver
from scenes import Scene, scene
from told import Json

from gateproof_mock import MockUpstream

Ask = Callable[[Json], Json]


@pytest.fixture(scope="session")
def reference(mock_upstream_server: MockUpstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The reference as it is."""
    with scene(mock_upstream_server, tmp_path_factory.mktemp("reference") / "gateway.log") as running:
        yield running


@pytest.fixture
def wrong(mock_upstream_server: MockUpstream, tmp_path: Path) -> Callable[[str], AbstractContextManager[Scene]]:
    """Start the reference with a mutant."""
    return lambda mutant: scene(mock_upstream_server, tmp_path / "gateway.log", "--mutant", mutant)


@pytest.fixture(scope="session")
def asking() -> Iterator[Callable[[str], Ask]]:
    """How a client is asked, by the client's name. One process of each kind lives as long as the tests."""
    with _kept(python_driver) as python, _kept(node_driver) as node:

        def how(client: str) -> Ask:
            try:
                if client == "codex":
                    return partial(codex_client.ask, codex_client.binary())
                return (python if "-python" in client else node)().ask
            except Absent as absent:
                if os.environ.get("CI"):
                    pytest.fail(f"{absent}", pytrace=False)
                # A contributor without Node or Codex runs the rest; CI installs them, and may not pass without.
                pytest.skip(f"{absent}")

        yield how


@contextmanager
def _kept(start: Callable[[], Driver]) -> Iterator[Callable[[], Driver]]:
    """Gives a function that starts a driver when it is first called."""
    running: list[Driver] = []

    def driver() -> Driver:
        if not running:
            running.append(start())
        return running[0]

    try:
        yield driver
    finally:
        for one in running:
            one.stop()
