"""Everything that is rendered from a run: report.json, junit.xml, report.html."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from gateproof.reports.document import document
from gateproof.reports.html import html
from gateproof.reports.junit import junit


def render_all(folder: Path, about: dict[str, Any], records: list[dict[str, Any]]) -> None:
    """Write the three files. Each is written beside its name and then renamed: a kill leaves the old or the new one."""
    report = document(about, records)
    _write(folder / "report.json", json.dumps(report, indent=1) + "\n")
    _write(folder / "junit.xml", junit(report))
    _write(folder / "report.html", html(report))


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(path.suffix + ".part")
    beside.write_text(text, "utf-8")
    beside.replace(path)
