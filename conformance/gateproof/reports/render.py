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
    _write(folder / "report.json", _lines(report))
    _write(folder / "junit.xml", junit(report))
    _write(folder / "report.html", html(report))


def _lines(report: dict[str, Any]) -> str:
    """A line for each key, and for each check: the standard library indents ten times as slowly as it writes plain JSON."""
    keys = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in report.items() if key != "checks"]
    checks = ",\n  ".join(json.dumps(check) for check in report["checks"])
    return "{\n " + ",\n ".join([*keys, f'"checks": [\n  {checks}\n ]']) + "\n}\n"


def _write(path: Path, text: str) -> None:
    beside = path.with_suffix(path.suffix + ".part")
    beside.write_text(text, "utf-8")
    beside.replace(path)
