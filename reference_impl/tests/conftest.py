"""Fixtures. The helpers beside this file have names of their own: other test folders have helpers too."""

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gateway_bench import Asking, Fake

# `pytest --gateway-url URL` in a clone reads this file too, and the base install has no Hypothesis.
if find_spec("hypothesis"):
    from hypothesis import settings

    # The same examples every time, so that a verdict is the code's and not the dice's. For new ones:
    #   pytest reference_impl/tests -k generated --hypothesis-profile=long --hypothesis-seed=1
    settings.register_profile("same", derandomize=True, database=None, deadline=None, max_examples=40)
    settings.register_profile("long", database=None, deadline=None, max_examples=2000)
    settings.load_profile("same")


@pytest.fixture
def fake() -> Fake:
    return Fake()


@pytest.fixture
def ask(fake: Fake) -> Asking:
    return Asking(fake)
