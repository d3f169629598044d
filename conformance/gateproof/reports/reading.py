"""Reading a report back: from its report.json, or from the folder of a run, also of one that was killed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

from gateproof.reports.document import FORMAT, NAMELESS, VERSION, document
from gateproof_schemas import validate

CHECKS = "checks.jsonl"
RUN = "run.json"
REPORT = "report.json"


class ReportError(ValueError):
    """A report that cannot be read; the message names the file and says why."""


def read_report(path: Path) -> dict[str, Any]:
    """The report document (schema own/report) of a report.json, or of a folder that has one or that a run left behind.

    In a folder, `checks.jsonl` comes first: it is what was measured, and report.json is rendered from it. What a report may
    leave out, for it is older than the key, is filled in empty.

    Raises ReportError: for what cannot be read, is no report, is of a newer version, or does not fit its schema, so that
    nothing which takes a report need look at its form again.
    """
    if not path.is_dir():
        return _report(path)
    if (path / CHECKS).exists():
        return _run(path)
    if (path / REPORT).exists():
        return _report(path / REPORT)
    raise ReportError(f"{path} is no report folder: it has neither {CHECKS} nor {REPORT}")


def _report(file: Path) -> dict[str, Any]:
    found = _parsed(_text(file), str(file))
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise ReportError(f"{file} is no report: expected an object whose format is {FORMAT!r}")
    _known(found.get("version"), str(file))
    _fits(found, "own/report", str(file))
    return found | {"gateproof": found.get("gateproof", ""), "gateway": NAMELESS | found["gateway"]}


def _run(folder: Path) -> dict[str, Any]:
    """Of the last line, which a kill may have torn, nothing is kept; any other has to be whole."""
    about = _parsed(_text(folder / RUN), str(folder / RUN))
    if not isinstance(about, dict):
        raise ReportError(f"{folder / RUN}: expected an object")
    # The first Gateproof wrote no version here.
    _known(about.get("version", 1), str(folder / RUN))
    lines = _text(folder / CHECKS).split("\n")
    records = []
    for number, line in enumerate(lines, 1):
        where = f"{folder / CHECKS}, line {number}"
        if not line:
            continue
        try:
            record = _parsed(line, where)
        except ReportError:
            if number >= len(lines) - 1:
                break
            raise
        _fits(record, "own/check", where)
        records.append(record)
    report = document(about, records)
    # The checks are known to fit.
    _fits(report | {"checks": []}, "own/report", str(folder / RUN))
    return report


def _known(version: object, where: str) -> None:
    if type(version) is not int or version < 1:
        raise ReportError(f"{where}: version {version!r} is none; expected a whole number, {VERSION} at most")
    if version > VERSION:
        raise ReportError(f"{where} is version {version}; this Gateproof reads up to {VERSION}: upgrade it")


def _fits(value: object, schema: str, where: str) -> None:
    wrong = validate(value, schema)
    if wrong:
        raise ReportError(f"{where}: {wrong[0]}")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except OSError as error:
        raise ReportError(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise ReportError(f"{file}: not UTF-8: {error}") from error


def _parsed(text: str, where: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ReportError(f"{where}: not JSON: {error}") from error


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")
