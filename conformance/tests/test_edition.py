"""Editions: what is frozen, and what a run against one asks."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import gateproof.edition as module
from gateproof.catalogue import CatalogueError, catalogue
from gateproof.checks import product
from gateproof.edition import DRAFT, edition, names, newest, written

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Publish an edition (name, text of its file) beside no other."""

    class Folder:
        def files(self, package: str) -> Path:
            return tmp_path

    (tmp_path / "editions").mkdir()
    monkeypatch.setattr(module, "resources", Folder())
    edition.cache_clear()
    yield lambda name, text: void((tmp_path / "editions" / f"{name}.toml").write_text(text, "utf-8"))
    edition.cache_clear()


def void(_: Any) -> None:
    return


def test_the_draft_is_the_whole_catalogue() -> None:
    assert edition(DRAFT) == tuple(catalogue().values())


@pytest.mark.parametrize("name", names())
def test_a_published_edition_is_what_it_was(name: str) -> None:
    requirements = edition(name)

    assert requirements
    assert {requirement.id for requirement in requirements} <= set(catalogue())


def test_the_newest_edition_is_the_default(publish: Callable[[str, str], None]) -> None:
    assert newest() == DRAFT
    for name in ("2026.9", "2026.10", "2025.11"):
        publish(name, "")
    assert names() == ("2025.11", "2026.9", "2026.10")
    assert newest() == "2026.10"


def test_an_edition_has_what_was_written_and_nothing_of_later(publish: Callable[[str, str], None]) -> None:
    some = tuple(catalogue().values())[::7]
    publish("2026.1", written(some))

    assert edition("2026.1") == some
    assert 0 < len(product(edition("2026.1"))) < len(product())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("revision = 1", "revision = 2"), "'revision': 2"),
        (('level = "', 'level = "X'), "'level': 'X"),
        (("checks = ", "checks = 9"), "and the catalogue has"),
        (("musts = ", "musts = 9"), "and the catalogue has"),
        (('"' + next(iter(catalogue())) + '"', '"area.gone"'), "and the catalogue has no such requirement"),
    ],
)
def test_a_catalogue_that_went_another_way_is_a_fault_of_the_suite(
    change: tuple[str, str], words: str, publish: Callable[[str, str], None]
) -> None:
    publish("2026.1", written([next(iter(catalogue().values()))]).replace(*change))

    with pytest.raises(CatalogueError, match=r"^edition 2026\.1 pins ") as caught:
        edition("2026.1")
    assert words in str(caught.value)


def test_the_file_of_the_draft_is_printed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gateproof.edition"], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout == written(catalogue().values())


def test_an_unknown_edition_names_those_that_there_are(gateproof: Run) -> None:
    for command in (("run", "--gateway-url=http://127.0.0.1:9"), ("list",)):
        done = gateproof(*command, "--edition=1999.1")

        assert done.returncode == 4, done.stdout
        assert f"there is no edition '1999.1'; there is {', '.join((*names(), DRAFT))}" in done.stdout + done.stderr
