"""`gateproof mock`: the mock upstream as a process; beside its own options, the scripts of a report can be played again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateproof_mock.language.files import Registration


def start(arguments: Sequence[str]) -> int:
    """The exit code. What a report needs is imported when one is replayed: a mock has to be there at once."""
    from gateproof_mock.cli import start as start_mock

    return start_mock(arguments, _from_report)


def _from_report(given: str) -> Iterable[Registration]:
    from pathlib import Path

    from gateproof.reports.reading import ReportError, read_report
    from gateproof_mock.language.files import registration_from_json
    from gateproof_mock.language.scripts import ScriptError

    folder, found, name = given.partition("#")
    if not found:
        raise ScriptError(f"--replay: expected DIR#CHECK, got {given!r}")
    try:
        records = read_report(Path(folder))["checks"]
    except ReportError as error:
        raise ScriptError(f"--replay: {error}") from error
    record = next((r for r in records if r["name"] == name), None)
    if record is None:
        raise ScriptError(f"--replay: {folder} has no check {name!r}")
    return [registration_from_json(s["marker"], {"calls": s["calls"]}) for s in record["scripts"]]
