"""Fixtures. The helpers beside this file have a name of their own: other test folders have helpers too."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mock_bench import ENGINES, Mock

from gateproof_mock import LocalMock, MockUpstream, RemoteMock


@pytest.fixture(params=ENGINES)
def mock(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A running mock, on each engine in turn; `engine` parametrized indirectly picks one."""
    with ENGINES[request.param]() as running:
        yield running


@pytest.fixture(params=["over HTTP", "by call"])
def remote(mock: Mock, request: pytest.FixtureRequest) -> Iterator[RemoteMock]:
    """The control API as methods, in both ways; the engine for load has one only."""
    local = request.param == "by call" and isinstance(mock, MockUpstream)
    with LocalMock(mock) if local else RemoteMock(mock.base_url) as client:
        yield client
