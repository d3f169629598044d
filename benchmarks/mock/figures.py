"""What mock_speed.py has measured: the figures, the table, and the targets with their verdicts."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from statistics import median

SERVERS = ("limit", "ours", "ours load", "aimock")
RATIOS = (("ours", "limit"), ("ours load", "limit"), ("ours", "aimock"), ("ours load", "aimock"))


@dataclass
class Figures:
    """Metric and server to the values of the rounds."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    marks: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, metric: str, server: str, value: float, mark: str = "") -> None:
        self.values.setdefault(metric, {}).setdefault(server, []).append(value)
        if mark:
            self.marks[metric, server] = mark

    def middle(self, metric: str, server: str) -> float | None:
        found = self.values.get(metric, {}).get(server)
        return median(found) if found else None

    def ratio(self, metric: str, server: str, other: str) -> float | None:
        return quotient(self.middle(metric, server), self.middle(metric, other))

    def cell(self, metric: str, server: str) -> str:
        found = self.values.get(metric, {}).get(server)
        if not found:
            return "-"
        spread = f" ({number(min(found))}-{number(max(found))})" if len(found) > 1 else ""
        return f"{self.marks.get((metric, server), '')}{number(median(found))}{spread}"

    def table(self) -> str:
        head = ["", *SERVERS, *(f"{a}/{b}" for a, b in RATIOS)]
        rows = [head]
        for metric in self.values:
            ratios = [self.ratio(metric, a, b) for a, b in RATIOS]
            cells = [self.cell(metric, server) for server in SERVERS]
            rows.append([metric, *cells, *("-" if r is None else f"{r:.2f}" for r in ratios)])
        return aligned(rows)


def quotient(value: float | None, other: float | None) -> float | None:
    return value / other if value is not None and other else None


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3f}"


def aligned(rows: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = [
        [cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(r, widths, strict=True))]
        for r in rows
    ]
    return "\n".join("  ".join(line).rstrip() for line in lines)


@dataclass(frozen=True)
class Target:
    engine: str
    what: str
    measured: float | None
    sign: str
    bound: float

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        kept = {">=": self.measured >= self.bound, "<=": self.measured <= self.bound, "<": self.measured < self.bound}
        return "met" if kept[self.sign] else "NOT met"

    def row(self) -> list[str]:
        measured = (
            "-"
            if self.measured is None
            else f"{self.measured:,.3f}"
            if self.measured < 100
            else f"{self.measured:,.0f}"
        )
        return [f"{self.engine}: {self.what}", measured, f"{self.sign} {self.bound:,g}", self.verdict]

    def json(self) -> dict[str, object]:
        return {**asdict(self), "verdict": self.verdict}


def targets(f: Figures) -> list[Target]:
    """The mock's targets, from this run's figures."""
    fixture, load = "ours", "ours load"
    found = [
        Target(fixture, "events/s c32 / limit, one write an event", f.ratio(EVENTS_32, fixture, "limit"), ">=", 0.8),
        Target(fixture, "requests/s c32, keep-alive", f.middle(REQUESTS_32, fixture), ">=", 5000),
        Target(fixture, "RSS with 1,000 streams held, MB", f.middle(RSS, fixture), "<", 120),
        Target(load, "requests/s c32 / aimock", f.ratio(REQUESTS_32, load, "aimock"), ">=", 8),
        Target(load, "events/s together c32 / aimock", f.ratio(TOGETHER_32, load, "aimock"), ">=", 4),
        Target(load, "TTFB p99 c32 / aimock, one write an event", f.ratio(TTFB_32, load, "aimock"), "<", 1),
        Target(load, "TTFB p99 c32 / aimock, together", f.ratio(TTFB_TOGETHER_32, load, "aimock"), "<", 1),
        Target(load, "1,000 paced streams, p99 / ideal", f.middle(PACED_1000, load), "<=", 1.02),
    ]
    found += [Target(e, "cold start, ms", f.middle(COLD, e), "<", 300) for e in (fixture, load)]
    return found + [Target(e, "stop with 200 streams open, ms", f.middle(STOP, e), "<", 100) for e in (fixture, load)]


# ---- the metrics; a target names one of them ----

COLD = "cold start, ms"
RSS = "1,000 streams held: RSS, MB"
STOP = "SIGTERM to exit, 200 streams open, ms"


def requests_metric(connections: int) -> str:
    return f"requests/s c{connections}"


def events_metric(connections: int, together: bool) -> str:
    return f"events/s c{connections}, {'together' if together else 'one a write'}"


def ttfb_metric(quantile: str, connections: int, together: bool) -> str:
    return f"TTFB {quantile} c{connections}, {'together' if together else 'one a write'}, ms"


def paced_metric(quantile: str, streams: int) -> str:
    return f"{streams:,} paced streams: {quantile} / ideal"


REQUESTS_32 = requests_metric(32)
EVENTS_32 = events_metric(32, together=False)
TOGETHER_32 = events_metric(32, together=True)
TTFB_32 = ttfb_metric("p99", 32, together=False)
TTFB_TOGETHER_32 = ttfb_metric("p99", 32, together=True)
PACED_1000 = paced_metric("p99", 1000)
