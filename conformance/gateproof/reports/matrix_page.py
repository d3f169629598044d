"""The matrix across gateways as a page (see `pages` for the walls around it)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from gateproof.pairs import PAIRS
from gateproof.reports.matrix import RED, Gateway, cells, editions, reds, requirements, share, worst
from gateproof.reports.pages import KINDS, Kind, fragment, said, template, when
from gateproof.transcript import LEGS
from gateproof.verdicts import PASS

EVIDENCE = 300_000
"""Characters of findings and answers in one page, shared out among its cells. The rest is in the reports."""

LEAST_EVIDENCE, MOST_EVIDENCE = 240, 2_000
"""Of one cell, however many there are: more than half for the finding, the rest for the answer."""

CLIENT_GOT = LEGS[-1]


@dataclass(frozen=True, slots=True)
class Column:
    """A gateway as the page shows it. `bar` is kinds with where each begins and how wide it is, in checks of the edition."""

    gateway: Gateway
    bar: list[tuple[Kind, int, int]]
    total: int
    began: str
    reds: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The first finding of a gateway on a requirement: the check, what was found, what the client got."""

    check: dict[str, Any]
    message: str
    answer: str


@dataclass(frozen=True, slots=True)
class Cell:
    """A gateway on a requirement that it was asked.

    `on` has the verdicts of each pair for the script, as `0:F2✓1;4:✓3`: pairs by their place in PAIRS. `href` is empty where
    nothing more is to be seen than that all checks pass.
    """

    column: Column
    kind: Kind
    share: str
    number: int
    on: str
    anchor: str
    href: str
    places: list[tuple[Kind, list[str]]]
    evidence: Evidence | None


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement: a cell for each column, None where it was not asked. `red` is how many gateways have a red check of it."""

    id: str
    requirement: dict[str, Any]
    cells: list[Cell | None]
    red: int
    asked: int

    @property
    def passing(self) -> list[Cell]:
        return [cell for cell in self.cells if cell and not cell.evidence]


def matrix_page(columns: Sequence[Gateway]) -> str:
    """The page. The same reports, beside the same files, give the same page."""
    shown = [_column(gateway) for gateway in columns]
    by_gateway = [cells(gateway) for gateway in columns]
    told = sum(1 for found in by_gateway for checks in found.values() if worst(checks).verdict != PASS)
    budget = max(LEAST_EVIDENCE, min(MOST_EVIDENCE, EVIDENCE // max(1, told)))
    rows = [
        _row(id, requirement, [(c, found.get(id, [])) for c, found in zip(shown, by_gateway, strict=True)], budget)
        for id, requirement in requirements(columns).items()
    ]
    areas: dict[str, list[Row]] = {}
    for row in rows:
        areas.setdefault(row.id.partition(".")[0], []).append(row)
    asked = {check["pair"] for gateway in columns for check in gateway.report["checks"]}
    return template("matrix.html.j2").render(
        columns=shown,
        areas=list(areas.items()),
        rows=rows,
        editions=editions(columns),
        area_choices=[(area, area) for area in areas],
        # A pair's number is its place in PAIRS, as in a cell's `on`.
        pair_choices=[(str(number), said(str(pair))) for number, pair in enumerate(PAIRS) if str(pair) in asked],
        row_choices=[("red", "most gateways red first")]
        + [(column.gateway.key, f"most red of {column.gateway.called} first") for column in shown],
        kinds=KINDS,
        reds=RED,
        # Ours alone, and nothing of a report: safe within a script.
        letters=Markup(json.dumps([_letter(kind) for kind in KINDS], ensure_ascii=False)),
        used={cell.kind.verdict for row in rows for cell in row.cells if cell} | {PASS},
    )


def _letter(kind: Kind) -> dict[str, Any]:
    return {"letter": kind.letter, "verdict": kind.verdict, "css": kind.css, "red": kind.verdict in RED}


def _column(gateway: Gateway) -> Column:
    report = gateway.report
    counts = Counter(check["verdict"] for check in report["checks"])
    bar, at = [], 0
    for kind in reversed(KINDS):
        if counts[kind.verdict]:
            bar.append((kind, at, counts[kind.verdict]))
            at += counts[kind.verdict]
    return Column(gateway, bar, max(1, at + report["not_claimed"]), when(report["began"]), reds(report["checks"]))


def _row(
    id: str, requirement: dict[str, Any], found: Iterable[tuple[Column, list[dict[str, Any]]]], budget: int
) -> Row:
    row = [_cell(id, column, checks, budget) if checks else None for column, checks in found]
    return Row(
        id,
        requirement,
        row,
        red=sum(1 for cell in row if cell and cell.number),
        asked=sum(1 for cell in row if cell),
    )


def _cell(id: str, column: Column, checks: list[dict[str, Any]], budget: int) -> Cell:
    kind = worst(checks)
    first = next(check for check in checks if check["verdict"] == kind.verdict)
    anchor = f"{id}@{column.gateway.key}"
    if column.gateway.page:
        href = column.gateway.page + fragment(first["name"])
    else:
        href = "" if kind.verdict == PASS else fragment(anchor)
    return Cell(
        column=column,
        kind=kind,
        share=share(checks),
        number=reds(checks),
        on=_on(checks),
        anchor=anchor,
        href=href,
        places=_places(checks),
        evidence=None if kind.verdict == PASS else _evidence(first, budget),
    )


def _on(checks: Iterable[dict[str, Any]]) -> str:
    pairs = [str(pair) for pair in PAIRS]
    by_pair: dict[int, Counter[str]] = {}
    for check in checks:
        if check["pair"] in pairs:
            by_pair.setdefault(pairs.index(check["pair"]), Counter())[check["verdict"]] += 1
    return ";".join(
        f"{number}:" + "".join(f"{kind.letter}{counts[kind.verdict]}" for kind in KINDS if counts[kind.verdict])
        for number, counts in sorted(by_pair.items())
    )


def _places(checks: Iterable[dict[str, Any]]) -> list[tuple[Kind, list[str]]]:
    """Where each verdict but a pass was given."""
    found: dict[str, list[str]] = {}
    for check in checks:
        found.setdefault(check["verdict"], []).append(said(f"{check['pair']}.{check['mode']}"))
    return [(kind, found[kind.verdict]) for kind in KINDS if kind.verdict in found and kind.verdict != PASS]


def _evidence(check: dict[str, Any], budget: int) -> Evidence:
    message = check["message"]
    limit = budget * 3 // 5
    if len(message) > limit:
        message = f"{message[:limit]}\n({len(message) - limit:,} more characters: see the report)"
    return Evidence(check, message, _ends(_answer(check), budget * 2 // 5))


def _answer(check: dict[str, Any]) -> str:
    """What the client got in the last exchange, as it is in the transcript."""
    if not check["transcripts"]:
        return ""
    return "".join(text for _, leg, text in check["transcripts"][-1]["lines"] if leg == CLIENT_GOT)


def _ends(text: str, limit: int) -> str:
    """How it began and how it ended: both matter."""
    if len(text) <= limit:
        return text
    head, tail = limit * 2 // 3, limit // 3
    return f"{text[:head]}\n({len(text) - head - tail:,} more characters: see the report)\n{text[-tail:]}"
