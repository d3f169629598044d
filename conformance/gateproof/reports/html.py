"""The HTML report: one file that needs no network and no script to be read (see `pages` for the walls around it)."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from markupsafe import escape

from gateproof.pairs import MODES, PAIRS
from gateproof.reports.pages import KIND_OF, KINDS, STRANGE, Kind, said, spelt_out, template, when
from gateproof.transcript import LEGS
from gateproof.verdicts import BLOCKED, PASS, outcome

EVIDENCE = 1_800_000
"""Escaped characters of transcripts and curl lines in one page, shared out among its checks. The rest is in report.json."""

LEAST_EVIDENCE, MOST_EVIDENCE = 6_000, 200_000
"""Of one check, however many there are."""

FOLD = 12
"""Lines of a transcript's text that are shown unfolded."""

COLUMN = 64
"""Characters in a line of a transcript's text, about."""

FEW = 6
"""Up to so many checks that are not passes, their transcripts begin open."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a transcript. `leg` counts from 0, as in LEGS; `words` says it without the picture.

    `ends` stands for the line feeds at the end of the text: whether an event was ended by its blank line is evidence.
    `gap` is the time before it, if that is long.
    """

    at: str
    leg: int
    words: str
    text: str
    ends: str
    first: str
    height: int
    gap: str


@dataclass(frozen=True, slots=True)
class Diagram:
    """An exchange as a sequence. `lines` holds None where some were left out."""

    marker: str
    place: str
    lines: list[Line | None]
    left_out: int
    duration: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A check as the page shows it."""

    name: str
    anchor: str
    id: str
    place: str
    level: str
    kind: Kind
    message: str
    alternatives: list[tuple[str, str]]
    diagrams: list[Diagram]
    rerun: str
    replay: str
    curls: list[str]


@dataclass(frozen=True, slots=True)
class Row:
    """A requirement in the matrix: the checks at each place, none where it has no result."""

    id: str
    level: str
    cells: list[list[Shown]]


def html(report: dict[str, Any]) -> str:
    """The page for a report document."""
    # Commands are quoted from what was really sent, not from what is shown of it: scripts, most of a report, are not shown.
    shown = [{key: value for key, value in check.items() if key != "scripts"} for check in report["checks"]]
    plain: dict[str, Any] = spelt_out({**report, "checks": shown})
    records: list[dict[str, Any]] = plain["checks"]
    others = [r for r in records if r["verdict"] != PASS]
    budget = max(LEAST_EVIDENCE, min(MOST_EVIDENCE, EVIDENCE // max(1, len(others))))
    anchors = _anchors(r["name"] for r in records)
    checks = [
        _check(record, plain, real, report, anchor, budget)
        for record, real, anchor in zip(records, report["checks"], anchors, strict=True)
    ]
    places = _places(records)
    areas = _areas(checks, places, plain["requirements"])
    return template("report.html.j2").render(
        report=plain,
        configuration=plain["gateway"].get("configuration", ""),
        status=_status(plain),
        kinds=KINDS,
        totals=_totals(records),
        pairs=_headings(places),
        pair_choices=[(pair, said(pair)) for pair, _ in _headings(places)],
        areas=areas,
        area_choices=[(area, area) for area, _ in areas],
        groups=_groups(checks),
        passes=_passes(checks),
        causes=_causes(checks),
        requirements=plain["requirements"],
        began=when(plain["began"]),
        took=_took(plain["began"], plain["ended"]),
        claims=[(name, json.dumps(value, ensure_ascii=False)) for name, value in sorted(plain["claims"].items())],
        open=len(others) <= FEW,
        fold=FOLD,
    )


# --- the summary and the matrix -----------------------------------------------------------------------


def _status(report: dict[str, Any]) -> tuple[str, str]:
    """A class and a word for the run as a whole."""
    word = outcome(report)
    return {"passed": "pass", "failed": "fail", "not finished": "should"}.get(word, "error"), word.capitalize()


def _totals(records: Sequence[dict[str, Any]]) -> list[tuple[Kind, int, int, int]]:
    """Each verdict with its number of MUSTs, of SHOULDs and of both."""
    counts = Counter((r["verdict"], r["level"]) for r in records)
    rows = [(kind, counts[kind.verdict, "MUST"], counts[kind.verdict, "SHOULD"]) for kind in KINDS]
    return [(kind, must, should, must + should) for kind, must, should in rows if must + should]


def _places(records: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Pairs and modes that have a check; those that this version doesn't know come last."""
    pairs, modes = [str(p) for p in PAIRS], list(MODES)

    def order(place: tuple[str, str]) -> tuple[int, str, int, str]:
        pair, mode = place
        return (
            pairs.index(pair) if pair in pairs else len(pairs),
            pair,
            modes.index(mode) if mode in modes else len(modes),
            mode,
        )

    return sorted({(r["pair"], r["mode"]) for r in records}, key=order)


def _headings(places: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """The matrix's two rows of headings: each pair with its modes."""
    pairs: dict[str, list[str]] = {}
    for pair, mode in places:
        pairs.setdefault(pair, []).append(mode)
    return list(pairs.items())


def _areas(
    checks: Sequence[Shown], places: Sequence[tuple[str, str]], requirements: dict[str, Any]
) -> list[tuple[str, list[Row]]]:
    columns = {said(f"{pair}.{mode}"): number for number, (pair, mode) in enumerate(places)}
    areas: dict[str, dict[str, Row]] = {}
    for check in checks:
        rows = areas.setdefault(check.id.partition(".")[0], {})
        level = requirements[check.id]["level"]
        row = rows.setdefault(check.id, Row(check.id, level, [[] for _ in places]))
        row.cells[columns[check.place]].append(check)
    return [(area, list(rows.values())) for area, rows in sorted(areas.items())]


def _groups(checks: Sequence[Shown]) -> list[tuple[Kind, list[Shown]]]:
    """What has a section of its own, by verdict. What only repeats a cause has none: see `_causes`."""
    groups = [
        (kind, [c for c in checks if c.kind is kind and not _only_blocked(c)]) for kind in KINDS if kind.verdict != PASS
    ]
    return [(kind, found) for kind, found in groups if found or (kind.verdict == BLOCKED and _causes(checks))]


def _causes(checks: Iterable[Shown]) -> list[tuple[str, list[Shown]]]:
    """When one thing is down, its cause is said once, with the checks that it blocked."""
    causes: dict[str, list[Shown]] = {}
    for check in checks:
        if _only_blocked(check):
            causes.setdefault(check.message, []).append(check)
    return list(causes.items())


def _only_blocked(check: Shown) -> bool:
    return check.kind.verdict == BLOCKED and not check.diagrams


def _passes(checks: Iterable[Shown]) -> list[tuple[str, dict[str, str], list[Shown]]]:
    """By requirement: the alternatives that were chosen anywhere with their meaning, and the checks."""
    found: dict[str, list[Shown]] = {}
    for check in checks:
        if check.kind.verdict == PASS:
            found.setdefault(check.id, []).append(check)
    return [(name, dict(sorted(a for c in passed for a in c.alternatives)), passed) for name, passed in found.items()]


def _took(began: float, ended: float) -> str:
    if not began or ended < began:
        return ""
    seconds = round(ended - began)
    return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{ended - began:.1f} s"


# --- a check -----------------------------------------------------------------------------------------


def _anchors(names: Iterable[str]) -> list[str]:
    """An id for each check: its name, which has no white space; a name that came twice is told apart."""
    seen: Counter[str] = Counter()
    anchors = []
    for name in names:
        bare = re.sub(r"\s", "_", name)
        seen[bare] += 1
        anchors.append(bare if seen[bare] == 1 else f"{bare}~{seen[bare]}")
    return anchors


def _check(
    record: dict[str, Any],
    plain: dict[str, Any],
    real: dict[str, Any],
    report: dict[str, Any],
    anchor: str,
    budget: int,
) -> Shown:
    kind = KIND_OF[record["verdict"]]
    passed = kind.verdict == PASS
    alternatives = plain["requirements"][record["id"]]["alternatives"]
    url = report["gateway"].get("url", "")
    commands = [] if passed else [curl(url, s["request"]) for s in real["scripts"]]
    curls, used = _within(commands, budget // 3)
    share = (budget - used) // max(1, len(record["transcripts"]))
    return Shown(
        name=record["name"],
        anchor=anchor,
        id=record["id"],
        place=said(f"{record['pair']}.{record['mode']}"),
        level=record["level"],
        kind=kind,
        message=record["message"],
        alternatives=[(name, alternatives.get(name, "")) for name in record["alternatives"]],
        diagrams=[] if passed else [_diagram(t, share) for t in record["transcripts"]],
        rerun="" if passed else _rerun(url, real),
        replay="" if passed else shlex.quote(f"DIR#{record['name']}"),
        curls=curls,
    )


def _within(commands: Sequence[str], budget: int) -> tuple[list[str], int]:
    """A command is shown whole or not at all: half a command does something else."""
    used, kept = 0, []
    for command in commands:
        size = len(escape(command))
        if used + size > budget:
            kept.append("")
            continue
        used += size
        kept.append(command)
    return kept, used


def _rerun(url: str, record: dict[str, Any]) -> str:
    words = [
        "gateproof",
        "run",
        "--gateway-url",
        _quoted(url) if url else '"$GATEWAY_URL"',
        "--gateway-key",
        '"$GATEWAY_KEY"',
    ]
    model = _model(record["scripts"])
    if model:
        words += ["--gateway-model", _quoted(model)]
    return " ".join([*words, "--id", _quoted(record["name"])])


def _model(scripts: Sequence[dict[str, Any]]) -> str:
    """The model that was asked for, as --gateway-model takes it."""
    for script in scripts:
        body = _json(script["request"]["body"])
        model = body.get("model") if isinstance(body, dict) else None
        if isinstance(model, str):
            return model.replace(script["marker"], "{case}")
    return ""


def curl(url: str, request: dict[str, Any]) -> str:
    """A command for a POSIX shell that puts the same question. The key is $GATEWAY_KEY."""
    method, body = request["method"], request["body"]
    parsed = _json(body)
    streams = isinstance(parsed, dict) and parsed.get("stream") is True
    target = _quoted(url + request["path"]) if url else f'"$GATEWAY_URL"{_quoted(request["path"])}'
    lines = [
        " ".join(
            ["curl", "-sSiN", "--globoff", *([] if method == "POST" and body else ["-X", _quoted(method)]), target]
        )
    ]
    lines.append('-H "Authorization: Bearer $GATEWAY_KEY"')
    lines.append(f"-H 'Accept: {'text/event-stream' if streams else 'application/json'}'")
    if body:
        lines.append("-H 'Content-Type: application/json'")
    before = ""
    if STRANGE.search(body):
        # No argument holds a NUL, and nobody sees what the others do to a terminal.
        before = f"printf %b {shlex.quote(''.join(map(_octal, body)))} |\n"
        lines.append("--data-binary @-")
    elif body:
        # --data-raw: --data reads a file where the body begins with @.
        lines.append(f"--data-raw {shlex.quote(body)}")
    return before + " \\\n  ".join(lines)


def _octal(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if not STRANGE.match(character):
        return character
    return "".join(f"\\0{byte:03o}" for byte in character.encode("utf-8", "surrogatepass"))


def _quoted(word: str) -> str:
    return shlex.quote(str(spelt_out(word)))


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


# --- the sequence -------------------------------------------------------------------------------------

_MARKUP = 320
"""What the page spends on a line of a transcript beside its text."""


def _diagram(transcript: dict[str, Any], budget: int) -> Diagram:
    lines: list[tuple[float, str, str]] = [
        # One long text must not take the place of all others.
        (at, leg, _cut(text, max(1_500, budget // 6)))
        for at, leg, text in transcript["lines"]
    ]
    head, tail = _ends([len(escape(text)) + _MARKUP for _, _, text in lines], budget)
    shown: list[Line | None] = []
    before = lines[0][0] if lines else 0.0
    for number, (at, leg, text) in enumerate(lines):
        if head <= number < tail:
            if number == head:
                shown.append(None)
        else:
            shown.append(_line(at, leg, text, at - before))
        before = at
    return Diagram(
        marker=transcript["marker"],
        place=said(f"{transcript['pair']}.{transcript['mode']}"),
        lines=shown,
        left_out=tail - head,
        duration=_milliseconds(lines[-1][0]) if lines else "",
    )


def _line(at: float, leg: str, text: str, wait: float) -> Line:
    bare = text.rstrip("\n")
    feeds = len(text) - len(bare)
    rows = bare.split("\n")
    return Line(
        at=_milliseconds(at),
        leg=LEGS.index(leg) if leg in LEGS else 0,
        words=leg.replace("->", "to"),
        text=bare,
        ends="↵" * feeds if feeds <= 4 else f"↵×{feeds}",
        first=rows[0] if len(rows[0]) <= COLUMN else rows[0][: COLUMN - 1] + "…",
        height=sum(max(1, ceil(len(row) / COLUMN)) for row in rows),
        gap=_milliseconds(wait) if wait >= 1000 else "",
    )


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    return f"{text[:limit]}\n({len(text) - limit:,} more characters: see report.json)"


def _ends(sizes: Sequence[int], budget: int) -> tuple[int, int]:
    """The first `head` and the last from `tail` on that fit: how it began and how it ended both matter."""
    if sum(sizes) <= budget:
        return len(sizes), len(sizes)
    head = _fitting(sizes, budget * 3 // 5)
    return head, len(sizes) - _fitting(list(reversed(sizes[head:])), budget * 2 // 5)


def _fitting(sizes: Sequence[int], budget: int) -> int:
    return sum(1 for total in _sums(sizes) if total <= budget) or min(1, len(sizes))


def _sums(sizes: Iterable[int]) -> Iterator[int]:
    total = 0
    for size in sizes:
        total += size
        yield total


def _milliseconds(at: float) -> str:
    return f"{at / 1000:.2f} s" if at >= 10_000 else f"{at:.1f} ms"
