"""The committed results of real gateways as pages: the matrix, and the notes on each gateway beside its report."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from gateproof_docs.readmes import ROOT, relinked

FOLDER = "results"
INDEX = f"{FOLDER}/README.md"
RESULTS = ROOT / "conformance" / FOLDER
MATRIX = "matrix.html"


def gateways() -> list[str]:
    """The gateways with notes on their result."""
    return sorted(path.parent.name for path in RESULTS.glob("*/README.md"))


def pages() -> dict[str, str]:
    """The Markdown of every page by its path."""
    known = {f"{name}/README.md": f"{name}/README.md" for name in gateways()} | {MATRIX: MATRIX}
    index = relinked((RESULTS / "README.md").read_text("utf-8"), known)
    if MATRIX not in index:
        index += f"\n[All of them beside one another]({MATRIX}), requirement by requirement.\n"
    notes = {
        f"{FOLDER}/{n}/README.md": relinked((RESULTS / n / "README.md").read_text("utf-8"), {}) for n in gateways()
    }
    return {INDEX: index} | notes


def matrix() -> str:
    """The matrix, its links leading to the notes as the site has them."""
    return (RESULTS / MATRIX).read_text("utf-8").replace('/README.md"', '/index.html"')


def reports() -> Iterator[tuple[str, Path]]:
    """The reports that the matrix leads to: where the site has each, and the file."""
    for file in sorted(RESULTS.glob("*/report.json")):
        yield f"{FOLDER}/{file.parent.name}/{file.name}", file
