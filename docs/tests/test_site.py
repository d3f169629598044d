"""The site is built without a warning, fetches nothing from anywhere, and has all of the catalogue."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gateproof.catalogue import catalogue
from gateproof_docs import catalogue_pages, gateway_keys, recording
from gateproof_docs.markdown import prose
from gateproof_docs.readmes import ROOT, NoSectionError, relinked, slug, with_heading
from gateproof_schemas import schema

CEILING = 300.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    pytest.importorskip("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    built = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=CEILING,
        check=False,
    )
    assert (built.returncode, built.stdout.strip()) == (0, "")
    return folder


def test_pages_fetch_nothing(site: Path) -> None:
    fetched = re.compile(
        r'<(?:script|img|iframe|source)[^>]*\bsrc="?(?:https?:)?//|<link[^>]*rel="?stylesheet[^>]*href="?(?:https?:)?//'
    )
    pages = list(site.rglob("*.html"))
    assert len(pages) > len(catalogue_pages.areas())
    assert [page.name for page in pages if fetched.search(page.read_text("utf-8"))] == []
    assert [
        css.name for css in site.rglob("*.css") if re.search(r"url\([\"']?(?:https?:)?//", css.read_text("utf-8"))
    ] == []


def test_every_requirement_has_its_place(site: Path) -> None:
    for area, requirements in catalogue_pages.areas().items():
        page = (site / catalogue_pages.FOLDER / f"{area}.html").read_text("utf-8")
        assert [r.id for r in requirements if f'id="{r.id}"' not in page] == []


def test_every_claim_has_its_place(site: Path) -> None:
    page = (site / "reference" / "gateway-file.html").read_text("utf-8")
    assert len(gateway_keys.all_claims()) == len(schema("own/gateway")["properties"]["claims"]["properties"])
    assert [c.name for c in gateway_keys.all_claims() if f'id="claims.{c.name}"' not in page] == []


def test_every_link_of_the_matrix_leads_somewhere(site: Path) -> None:
    page = (site / "results" / "matrix.html").read_text("utf-8")
    targets = {target.partition("#")[0] for target in re.findall(r'href="([^"]+)"', page)} - {""}
    assert targets
    assert [target for target in targets if not (site / "results" / target).is_file()] == []


def test_no_mark_is_left(site: Path) -> None:
    assert [page.name for page in site.rglob("*.html") if "<!-- generated" in page.read_text("utf-8")] == []


# --- the parts that are generated --------------------------------------------------------------------


def test_every_requirement_that_a_claim_switches_is_told() -> None:
    told = {id for claim in gateway_keys.all_claims() for id in claim.needed_by}
    assert told == {id for id, requirement in catalogue().items() if requirement.needs}


def test_every_mutant_stands_at_what_catches_it() -> None:
    shown = {m.name for mutants in catalogue_pages.mutants_by_requirement().values() for m in mutants}
    assert shown == {m.name for m in catalogue_pages.mutants() if m.caught_by}


def test_words_are_no_markup() -> None:
    assert prose("a *b* [c](d) `x*y` <e>") == r"a \*b\* \[c\](d) `x*y` &lt;e&gt;"
    assert prose("an odd ` tick") == "an odd ' tick"


def test_a_section_that_is_gone_is_an_error() -> None:
    with pytest.raises(NoSectionError, match="'Nothing'"):
        with_heading("README.md", "Nothing")


def test_links_of_a_readme_become_those_of_the_site() -> None:
    text = (
        "[a](#floor) [b](#gone) [c](examples/x.py) [examples/y](examples/y) [d](https://e.org)\n```\n[a](#floor)\n```"
    )
    assert relinked(text, {"#floor": "page.md#floor"}) == (
        "[a](page.md#floor) b c (`examples/x.py`) examples/y [d](https://e.org)\n```\n[a](#floor)\n```"
    )


def test_anchors_are_those_of_mkdocs() -> None:
    assert slug("The control API, v2") == "the-control-api-v2"


# --- the recording -----------------------------------------------------------------------------------


def test_every_case_is_recorded() -> None:
    recorded = {id: one["check"] for id, one in recording.load().items()}
    chosen = {id: check.name for id, check in recording.chosen().items()}
    assert recorded == chosen, "record them: PYTHONPATH=docs python -m gateproof_docs.recording"


def test_what_is_recorded_is_what_the_cases_say() -> None:
    """A few of them anew: one with barriers, one with a fault, one with a whole answer, one that streams upstream."""
    ids = (
        "failure.failed-is-never-success",
        "stream.first-delta-comes-before-the-end",
        "stream.json-answer-becomes-a-stream",
        "aggregate.output-is-rebuilt-in-order",
    )
    again = recording.record([recording.chosen()[id] for id in ids])
    committed = recording.load()
    assert again == {id: committed[id] for id in sorted(ids)}
