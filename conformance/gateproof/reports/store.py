"""`checks.jsonl`: one line a check, written as it ends, so that a kill loses nothing that was measured."""

from __future__ import annotations

import json
import platform
import time
from pathlib import Path
from typing import Any

from gateproof.reports.render import render_all

FILE = "checks.jsonl"
HEAD = "run.json"


class ReportError(ValueError):
    """A report folder that cannot be read; the message says why."""


class Store:
    """The report folder of a run that is going on. Old files of ours in it are replaced."""

    def __init__(self, folder: Path, about: dict[str, Any]) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.about = {**about, "began": round(time.time(), 3), "python": platform.python_version()}
        (folder / HEAD).write_text(json.dumps(self.about, indent=2) + "\n", "utf-8")
        self._file = (folder / FILE).open("w", encoding="utf-8")

    def add(self, record: dict[str, Any]) -> None:
        # ASCII, for a gateway may send half a surrogate pair, which UTF-8 has no place for.
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def finish(self, records: list[dict[str, Any]], not_claimed: int, *, complete: bool) -> None:
        """Close the file and render everything from what is in it."""
        self._file.close()
        self.about |= {"ended": round(time.time(), 3), "not_claimed": not_claimed, "complete": complete}
        (self.folder / HEAD).write_text(json.dumps(self.about, indent=2) + "\n", "utf-8")
        render_all(self.folder, self.about, records)


def load(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What a folder holds, also after a kill: the last line may be torn. Raises ReportError."""
    try:
        about = json.loads((folder / HEAD).read_text("utf-8"))
        lines = (folder / FILE).read_text("utf-8").split("\n")
    except OSError as error:
        raise ReportError(f"{folder} is no report folder: {error.strerror}: {error.filename}") from error
    except ValueError as error:
        raise ReportError(f"{folder / HEAD}: {error}") from error
    records = []
    for number, line in enumerate(lines, 1):
        if not line:
            continue
        try:
            records.append(json.loads(line))
        except ValueError as error:
            if number >= len(lines) - 1:
                break
            raise ReportError(f"{folder / FILE}, line {number}: {error}") from error
    return about, records
