"""A Chromium for the tests of this folder, and pages in it that may neither load anything nor complain.

The browser is $GATEPROOF_CHROMIUM, one on PATH, or Playwright's own; without one the tests are skipped, or with
GATEPROOF_REQUIRE_BROWSER=1 fail. What a failed test saw is kept as a picture in $GATEPROOF_SCREENSHOTS.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import NoBrowser, Open, launched
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

CEILING = 60_000.0
"""Milliseconds for any one step."""

expect.set_options(timeout=CEILING)

_failed = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        try:
            started = launched(playwright.chromium)
        except NoBrowser as error:
            if os.environ.get("GATEPROOF_REQUIRE_BROWSER") == "1":
                pytest.fail(f"no browser: {error}")
            pytest.skip(f"no browser: {error}")
        yield started
        started.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call":
        item.stash[_failed] = report.failed
    return report


@pytest.fixture
def opened(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Open]:
    """Open a file: `opened(path, hash="", **context)`, the latter as Playwright's new_context takes it.

    When the test is over, no page may have asked for anything but files beside it, written to the console, or raised.
    """
    pages: list[Page] = []
    asked: list[str] = []
    complaints: list[str] = []

    def ask(sent: Request) -> None:
        asked.append(sent.url)

    def open_it(path: Path, hash: str = "", **context: Any) -> Page:
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(CEILING)
        page.on("request", ask)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"a dialog: {dialog.message}"))
        page.goto(path.as_uri() + hash, timeout=CEILING)
        pages.append(page)
        return page

    yield open_it
    if request.node.stash.get(_failed, False):
        folder = Path(os.environ.get("GATEPROOF_SCREENSHOTS", tmp_path))
        folder.mkdir(parents=True, exist_ok=True)
        for number, page in enumerate(pages):
            name = re.sub(r"\W+", "-", request.node.name).strip("-")
            page.screenshot(path=folder / f"{name}-{number}.png")
    for page in pages:
        page.context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith("file:")] == []
