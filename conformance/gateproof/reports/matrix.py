"""Several reports beside one another: gateways by requirements, as one JSON document (schema own/matrix) and as Markdown."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gateproof.reports.pages import KIND_OF, KINDS, Kind, spelt_out
from gateproof.reports.plain_markdown import code, escaped
from gateproof.reports.reading import REPORT, read_report
from gateproof.verdicts import BLOCKED, FAILING, SUITE_ERROR

FORMAT = "gateproof-matrix"
VERSION = 1

RED = (*FAILING, BLOCKED, SUITE_ERROR)
"""What fails a run: the failures by which rows and columns are sorted."""

NOTES = "README.md"
PAGE = "report.html"


@dataclass(frozen=True, slots=True)
class Gateway:
    """A column. `key` tells it apart from the others in anchors and in JSON; links are empty where there is no such file."""

    key: str
    name: str
    report: dict[str, Any]
    json: str
    page: str
    notes: str

    @property
    def release(self) -> str:
        """Its version, and its configuration where that is not the usual one."""
        about = self.report["gateway"]
        configuration = about.get("configuration", "")
        return f"{about['version']} ({configuration})".strip() if configuration else about["version"]

    @property
    def called(self) -> str:
        return f"{self.name} {self.release}".strip()


def gateways(paths: Iterable[Path], beside: Path) -> list[Gateway]:
    """The reports at these paths (folders, or report.json files), by name and version; links are relative to `beside`.

    A gateway without a name is called by its folder. Raises ReportError.
    """
    found = sorted((_read(path, beside) for path in paths), key=_order)
    return [replace(gateway, key=key) for gateway, key in zip(found, _keys(g.name for g in found), strict=True)]


def _read(path: Path, beside: Path) -> Gateway:
    report = spelt_out(read_report(path))
    folder, file = (path, path / REPORT) if path.is_dir() else (path.parent, path)
    name = report["gateway"]["name"] or spelt_out(folder.resolve().name)
    return Gateway("", name, report, *(_link(f, beside) for f in (file, folder / PAGE, folder / NOTES)))


def _order(gateway: Gateway) -> tuple[str, str, float]:
    return gateway.name.casefold(), gateway.release, gateway.report["began"]


def _link(file: Path, beside: Path) -> str:
    if not file.is_file():
        return ""
    return quote(Path(os.path.relpath(file.resolve(), beside.resolve())).as_posix())


def _keys(names: Iterable[str]) -> list[str]:
    """Names as words of an anchor; a name that came twice is told apart."""
    seen: Counter[str] = Counter()
    keys = []
    for name in names:
        bare = re.sub(r"[^a-z0-9.]+", "-", name.casefold()).strip("-") or "gateway"
        seen[bare] += 1
        keys.append(bare if seen[bare] == 1 else f"{bare}~{seen[bare]}")
    return keys


def requirements(columns: Sequence[Gateway]) -> dict[str, dict[str, Any]]:
    """Every requirement of any of them by id, in the words of the newest report that has it."""
    found: dict[str, dict[str, Any]] = {}
    for column in sorted(columns, key=lambda c: c.report["began"]):
        found |= column.report["requirements"]
    return dict(sorted(found.items()))


def cells(column: Gateway) -> dict[str, list[dict[str, Any]]]:
    """The checks of a gateway, by requirement. What is not claimed has none."""
    found: dict[str, list[dict[str, Any]]] = {}
    for check in column.report["checks"]:
        found.setdefault(check["id"], []).append(check)
    return found


def worst(checks: Iterable[dict[str, Any]]) -> Kind:
    """The first verdict, in the order of a page, that any of these has; there is one at least."""
    return min((KIND_OF[check["verdict"]] for check in checks), key=KINDS.index)


def share(checks: Sequence[dict[str, Any]]) -> str:
    """`3/18`: so many of so many have the worst verdict; `18` if all have it."""
    kind = worst(checks)
    number = sum(1 for check in checks if check["verdict"] == kind.verdict)
    return f"{number}" if number == len(checks) else f"{number}/{len(checks)}"


def reds(checks: Iterable[dict[str, Any]]) -> int:
    return sum(1 for check in checks if check["verdict"] in RED)


def editions(columns: Iterable[Gateway]) -> list[str]:
    return sorted({column.report["edition"] for column in columns})


def document(columns: Sequence[Gateway]) -> dict[str, Any]:
    """The matrix as JSON: the gateways, the requirements, and the verdict of each check. Evidence is in the reports."""
    by_gateway = {column.key: cells(column) for column in columns}
    wanted = requirements(columns)
    return {
        "format": FORMAT,
        "version": VERSION,
        "gateways": [_about(column) for column in columns],
        "requirements": {
            id: {key: requirement[key] for key in ("level", "text", "source", "harm")}
            for id, requirement in wanted.items()
        },
        "verdicts": {
            id: {
                key: {f"{check['pair']}.{check['mode']}": check["verdict"] for check in found[id]}
                for key, found in by_gateway.items()
                if id in found
            }
            for id in wanted
        },
    }


def _about(column: Gateway) -> dict[str, Any]:
    report = column.report
    return {
        "key": column.key,
        "name": column.name,
        "version": report["gateway"]["version"],
        "configuration": report["gateway"].get("configuration", ""),
        **{key: report[key] for key in ("edition", "complete", "began", "counts", "not_claimed", "arithmetic")},
        "report": column.json,
        "notes": column.notes,
    }


# --- Markdown -----------------------------------------------------------------------------------------


def markdown(columns: Sequence[Gateway]) -> str:
    """Two tables: what each gateway comes to, and each requirement's worst verdict with the number of checks that have it."""
    several = len(editions(columns)) > 1
    lines = ["# Gateways by requirements", ""]
    if several:
        lines += [
            "**The reports are against different editions:** a blank may be a requirement that its edition has not.",
            "",
        ]
    lines += ["| gateway | edition | result |", "|---|---|---|"]
    for column in columns:
        unfinished = "" if column.report["complete"] else " (the run did not end)"
        name = escaped(column.called)
        named = f"[{name}]({column.notes})" if column.notes else name
        lines.append(
            f"| {named} | {escaped(column.report['edition'])} | {escaped(column.report['arithmetic'])}{unfinished} |"
        )
    heads = [
        escaped(column.name) + (f" ({escaped(column.report['edition'])})" if several else "") for column in columns
    ]
    lines += ["", "| requirement | level | " + " | ".join(heads) + " |", "|---|---|" + "---|" * len(columns)]
    by_gateway = [cells(column) for column in columns]
    for id, requirement in requirements(columns).items():
        row = [_said(found.get(id, [])) for found in by_gateway]
        lines.append(f"| {code(id)} | {requirement['level']} | " + " | ".join(row) + " |")
    key = ", ".join(f"{kind.letter} {kind.verdict}" for kind in KINDS)
    lines += ["", f"{key}; 3/18: of 18 checks, 3 have this verdict. Blank: not claimed, or not asked."]
    return "\n".join(lines) + "\n"


def _said(checks: Sequence[dict[str, Any]]) -> str:
    return f"{worst(checks).letter} {share(checks)}" if checks else ""
