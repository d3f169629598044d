"""Fixtures. The helpers beside this file have a name of their own: other test folders have helpers too."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateproof_mock import MockUpstream, RemoteMock


@pytest.fixture
def mock() -> Iterator[MockUpstream]:
    with MockUpstream() as running:
        yield running


@pytest.fixture
def remote(mock: MockUpstream) -> Iterator[RemoteMock]:
    with RemoteMock(mock.base_url) as client:
        yield client
