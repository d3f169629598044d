"""Everything that is rendered from a report document, and the files that a run leaves."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateproof.reports.badge import badge
from gateproof.reports.html import html
from gateproof.reports.junit import junit
from gateproof.reports.markdown import markdown
from gateproof.reports.reading import REPORT
from gateproof.reports.terminal import terminal

FORMATS: dict[str, Callable[[dict[str, Any]], str]] = {
    "html": html,
    "markdown": markdown,
    "junit": junit,
    "json": lambda report: _lines(report),
    "badge": badge,
    "terminal": terminal,
}
"""By the name that `gateproof report --format` takes."""

FILES = {
    REPORT: "json",
    "junit.xml": "junit",
    "summary.md": "markdown",
    "badge.json": "badge",
    "report.html": "html",
}
"""What a report folder holds beside the measurement. The one that people open comes last: when it is there, all are."""


def render_all(folder: Path, report: dict[str, Any]) -> None:
    """Write every file. A kill leaves each as it was or whole."""
    for name, form in FILES.items():
        write_whole(folder / name, FORMATS[form](report))


def remove_rendered(folder: Path) -> None:
    """Remove what an earlier run left here."""
    for name in FILES:
        (folder / name).unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write beside the name and rename: nobody ever reads half a file. Raises OSError with the name as it was given."""
    path = path.resolve()
    if path.exists() and not path.is_file():
        # /dev/stdout, a pipe: it is written through, and never replaced by a file.
        path.write_text(text, "utf-8")
        return
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_text(text, "utf-8")
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error


def _lines(report: dict[str, Any]) -> str:
    """A line for each key, and for each check: the standard library indents ten times as slowly as it writes plain JSON."""
    keys = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in report.items() if key != "checks"]
    checks = ",\n  ".join(json.dumps(check) for check in report["checks"])
    return "{\n " + ",\n ".join([*keys, f'"checks": [\n  {checks}\n ]']) + "\n}\n"
