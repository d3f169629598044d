"""Take the picture of the matrix that the README shows.

python conformance/browser/picture.py    writes docs/images/matrix.png from conformance/results/matrix.html
"""

from __future__ import annotations

from pathlib import Path

from browsing import launched
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "conformance" / "results" / "matrix.html"
PICTURE = ROOT / "docs" / "images" / "matrix.png"
WIDTH, HEIGHT = 1280, 1440
VIEW = "#?rows=red&columns=fewest"
"""What most gateways get wrong is what a visitor wants to see first."""


def main() -> None:
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = launched(playwright.chromium)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(PAGE.as_uri() + VIEW)
        page.screenshot(path=PICTURE)
        browser.close()
    print(f"{PICTURE.relative_to(ROOT)}: {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
