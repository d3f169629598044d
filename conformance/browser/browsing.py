"""Where Chromium is, and what the tests in it look at in a page."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserType, Locator, Page, expect

Open = Callable[..., Page]
"""`opened(path, hash="", **context)`: see the fixture."""

NAMES = ("chromium", "chromium-browser", "google-chrome")


class NoBrowser(Exception):
    """No Chromium was found; the message says where it was looked for."""


def launched(chromium: BrowserType) -> Browser:
    """$GATEPROOF_CHROMIUM, one on PATH, or Playwright's own. Raises NoBrowser."""
    found = os.environ.get("GATEPROOF_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if not found and not Path(chromium.executable_path).exists():
        raise NoBrowser(f"neither GATEPROOF_CHROMIUM, nor {', '.join(NAMES)} on PATH, nor Playwright's own")
    # As root, in a container, Chromium has no sandbox to offer.
    return chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])


def violations(page: Page) -> list[str]:
    """What axe-core finds wrong in the page as it is shown now, a line for each element."""
    found: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [f"{v['id']}: {node['html'][:120]} {node['failureSummary']}" for v in found for node in v["nodes"]]


def field(page: Page, key: str) -> Locator:
    """A field of the filter, by its key in the address."""
    return page.locator(f"#filter [data-key={key}]")


def address(page: Page) -> str:
    """What stands in the address from the # on; Playwright's `url` is told of it later."""
    return str(page.evaluate("location.hash"))


def opened_all(page: Page) -> None:
    """Open every fold, and wait until what was packed is there."""
    page.locator("details:not([open]) > summary").evaluate_all("all => all.forEach((summary) => summary.click())")
    expect(page.locator("details noscript")).to_have_count(0)


def shown(page: Page, selector: str) -> int:
    """How many elements of these are visible."""
    return page.locator(selector).filter(visible=True).count()


def walk(page: Page, most: int) -> Iterator[dict[str, Any]]:
    """What Tab comes to, one after the other: `{"id", "tag", "text", "outline"}`, until it leaves the page."""
    for _ in range(most):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
              const e = document.activeElement;
              if (!e || e === document.body) return null;
              const style = getComputedStyle(e);
              return { id: e.id, tag: e.localName, text: e.textContent.trim().slice(0, 80),
                       outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth) };
            }"""
        )
        if at is None:
            return
        yield at


def overflow(page: Page) -> int:
    """Pixels by which the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def paper(page: Page) -> int:
    """How light the background is, 0 to 255."""
    colour: str = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return int(colour.partition("(")[2].split(",")[0])


def written(folder: Path, text: str, name: str = "page.html") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder / name
