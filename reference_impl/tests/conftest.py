"""Fixtures. The helpers beside this file have names of their own: other test folders have helpers too."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_bench import Asking, Fake


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def ask(fake: Fake) -> Asking:
    return Asking(fake)
