"""`checks.jsonl`: one line a check, written as it ends, so that a kill loses nothing that was measured."""

from __future__ import annotations

import json
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, TextIO

from gateproof.reports.document import VERSION, document
from gateproof.reports.reading import CHECKS, RUN
from gateproof.reports.render import remove_rendered, render_all, write_whole


class StoreError(ValueError):
    """A report folder that this run cannot have; the message says why."""


class Store:
    """The report folder of a run that is going on. Raises StoreError for one that cannot be written, or that another run has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about: dict[str, Any] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = (folder / CHECKS).open("a", encoding="utf-8")
        except OSError as error:
            raise StoreError(f"the report folder {folder} cannot be written: {error.strerror}") from error
        if not _locked(self._file):
            raise StoreError(
                f"another run is writing into the report folder {folder}: give this one another --report-dir"
            )

    def begin(self, about: dict[str, Any]) -> None:
        """Old files of ours are replaced. Raises StoreError."""
        try:
            # First of all: a run that is killed must not leave the verdict of the one before it.
            remove_rendered(self.folder)
            (self.folder / RUN).unlink(missing_ok=True)
            self._file.truncate(0)
            self._begin(about)
        except OSError as error:
            raise StoreError(
                f"the report folder {self.folder} cannot be written: {error.strerror}: {error.filename}"
            ) from error

    def _begin(self, about: dict[str, Any]) -> None:
        self.about = {
            **about,
            "version": VERSION,
            "gateproof": version("gateproof"),
            "python": platform.python_version(),
            "began": round(time.time(), 3),
        }
        self._write_about()

    def add(self, record: dict[str, Any]) -> None:
        # ASCII, for a gateway may send half a surrogate pair, which UTF-8 has no place for.
        self._file.write(json.dumps(record) + "\n")
        self._file.flush()

    def finish(self, records: list[dict[str, Any]], not_claimed: int, *, complete: bool) -> None:
        """Close the file and render everything from what is in it."""
        self.close()
        self.about |= {"ended": round(time.time(), 3), "not_claimed": not_claimed, "complete": complete}
        self._write_about()
        render_all(self.folder, document(self.about, records))

    def close(self) -> None:
        """Leave it as a kill would: what was measured is there, and nothing is rendered from it."""
        self._file.close()

    def _write_about(self) -> None:
        write_whole(self.folder / RUN, json.dumps(self.about, indent=2) + "\n")


def _locked(file: TextIO) -> bool:
    """Whether the file is ours until it is closed; always where there are no such locks (Windows)."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
