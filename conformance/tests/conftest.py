"""Runs of the command line in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

GATEPROOF = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())"]
CEILING = 120


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment without what an outer pytest put there."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "GATEPROOF", "COV"))}


@pytest.fixture
def gateproof(tmp_path: Path, environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run `gateproof ARGUMENTS` in an empty folder."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*GATEPROOF, *arguments],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=CEILING,
            check=False,
        )

    return run


@pytest.fixture
def processes() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes that are ended with the test."""
    started: list[subprocess.Popen[str]] = []

    def start(arguments: list[str], **how: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(arguments, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **how)  # type: ignore[call-overload]
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def reference_toml() -> Path:
    """The reference's own gateway.toml."""
    spec = find_spec("gateproof_reference")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "gateway.toml"
