"""The fixtures that run the suite."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from reach import Reach
from whole_runs import Run, suite_in


@pytest.fixture
def suite(tmp_path: Path) -> Callable[..., Run]:
    """Run the suite on the reference: see `whole_runs.suite_in`."""
    return suite_in(tmp_path)


@pytest.fixture(scope="session")
def reach(tmp_path_factory: pytest.TempPathFactory) -> Reach:
    """What each check reaches in the reference: recorded once for all of xdist's workers, whose folders have one parent."""
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "reach"
    folder.mkdir(exist_ok=True)
    return Reach(folder, suite_in(tmp_path_factory.mktemp("recording")))
