"""Fixtures. The helpers beside this file have a name of their own: other test folders have helpers too."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from mock_bench import ENGINES, Mock

from gateproof_mock import RemoteMock


@pytest.fixture(params=ENGINES)
def mock(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """A running mock, on each engine in turn; `engine` parametrized indirectly picks one."""
    with ENGINES[request.param]() as running:
        yield running


@pytest.fixture
def remote(mock: Mock) -> Iterator[RemoteMock]:
    with RemoteMock(mock.base_url) as client:
        yield client
