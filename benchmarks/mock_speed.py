"""How fast the mock upstream is: `python benchmarks/mock_speed.py [--quick] [--only SECTION] [--rounds N] [--json FILE]`.

Compares in one run, each server alone and as a process of its own:
    limit      benchmarks/mock/limit.py: a bare asyncio.Protocol that writes bytes rendered in advance
    ours       gateproof mock
    ours load  gateproof mock --engine load
    aimock     the npm package @copilotkit/aimock, installed into a cache folder; left out if there is no node or npm

The server is pinned to one core, the load generator (benchmarks/mock/load.c, compiled here) and this program to another.
Every figure is the median of the rounds, with (minimum-maximum); a ratio is one of medians. A `*` marks a figure where
the load generator had no time left: the server may be faster; a `~` one where other programs took a tenth or more of a
core: measure again. Sections, for --only:
    cold       start of the process to the first byte of an answer
    requests   small JSON answers, keep-alive, 1 and 32 connections
    streams    streams of 1,000 text deltas: one write an event, and together; time to first body byte.
               aimock's stream is the same in both: Node puts its events together by itself
    held       resident memory with 1,000 open streams
    paced      100 deltas 20 ms apart, 50 to 1,000 streams at once: first to last body byte. The ideal is 20 ms times
               the gaps between the stream's events, the ones around the deltas counted in
    stop       SIGTERM to exit with 200 open streams; `>` marks a server that had to be killed
    processes  requests/s with `--processes 2`, if there is such an option: not pinned
Linux only. The exit code says nothing about speed: 0 if all was measured, 2 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from mock.figures import (
    COLD,
    RSS,
    STOP,
    Figures,
    Target,
    aligned,
    events_metric,
    paced_metric,
    requests_metric,
    targets,
    ttfb_metric,
)
from mock.loader import Load, Report, request
from mock.servers import (
    LOAD_CORE,
    SERVER_CORE,
    STOP_LIMIT,
    Failure,
    Kind,
    Server,
    aimock,
    cold_start,
    has_option,
    limit,
    ours,
    serving,
)

GAP_MS = 20.0
HELD, STOPPED = 1000, 200
GENERATOR_FULL, DISTURBED = 0.95, 0.1


@dataclass
class Bench:
    load: Load
    folder: Path
    kinds: list[Kind]
    seconds: float
    warm: float
    rounds: int
    figures: Figures = field(default_factory=Figures)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    others: list[float] = field(default_factory=list)

    def each(self, measure: Callable[[Kind], None]) -> None:
        """The servers in turn, as often as there are rounds; one that fails is not tried again."""
        failed: set[str] = set()
        for _ in range(self.rounds):
            for kind in self.kinds:
                if kind.name in failed:
                    continue
                with self.noting(failed, kind.name):
                    measure(kind)

    @contextmanager
    def noting(self, failed: set[str], name: str) -> Iterator[None]:
        try:
            yield
        except Failure as failure:
            failed.add(name)
            self.failures.append(str(failure))
            print(f"  cannot be measured: {failure}", file=sys.stderr)

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def mark(bench: Bench, report: Report) -> str:
    """What the table says about a figure; and how much of the cores other programs took."""
    bench.others.append(report["others"])
    return ("*" if report["busy"] >= GENERATOR_FULL else "") + ("~" if report["others"] >= DISTURBED else "")


# ---- the sections ----


def cold(bench: Bench) -> None:
    def measure(kind: Kind) -> None:
        for _ in range(3):
            bench.figures.add(COLD, kind.name, cold_start(kind, bench.folder, request("text")))

    bench.each(measure)


def requests(bench: Bench) -> None:
    def measure(kind: Kind) -> None:
        with serving(kind, bench.folder) as server:
            for connections in (1, 32):
                one_rate(bench, server, connections, requests_metric(connections))

    bench.each(measure)


def one_rate(bench: Bench, server: Server, connections: int, metric: str) -> None:
    report = bench.load.run("requests", server, "text", connections, bench.seconds, bench.warm)
    name = server.kind.name
    bench.note(f"{name}, text: an answer of {report['bytes'] / report['answers']:.0f} bytes on the wire")
    bench.figures.add(metric, name, report["answers"] / report["seconds"], mark(bench, report))
    if connections > 1:
        for quantile in ("p50", "p99"):
            bench.figures.add(f"latency {quantile}, {metric}, ms", name, report["latency"][quantile])


def streams(bench: Bench) -> None:
    def measure(kind: Kind) -> None:
        with serving(kind, bench.folder) as server:
            one_stream_rate(bench, server, "deltas-1000", [False, True] if kind.name == "aimock" else [False])
            if kind.name in ("limit", "ours load"):
                one_stream_rate(bench, server, "deltas-1000-together", [True])

    bench.each(measure)


def one_stream_rate(bench: Bench, server: Server, script: str, rows: list[bool]) -> None:
    name = server.kind.name
    probe = bench.load.probe(server, script, 1000)
    bench.note(
        f"{name}, {script}: {probe['events']} events of {probe['bytes'] / probe['events']:.0f} bytes on the wire"
    )
    for connections in (1, 8, 32):
        report = bench.load.run("stream", server, script, connections, bench.seconds, bench.warm)
        for together in rows:
            metric = events_metric(connections, together)
            bench.figures.add(metric, name, report["events"] / report["seconds"], mark(bench, report))
            for quantile in ("p50", "p99") if connections == 32 else ():
                bench.figures.add(ttfb_metric(quantile, connections, together), name, report["ttfb"][quantile])


def held(bench: Bench) -> None:
    def measure(kind: Kind) -> None:
        with serving(kind, bench.folder) as server:
            before = server.rss_mb()
            with bench.load.hold(server, "held", HELD) as report:
                time.sleep(0.5)
                bench.figures.add(RSS, kind.name, server.rss_mb())
            bench.figures.add("RSS before, MB", kind.name, before)
            bench.figures.add("1,000 streams asked for at once: first byte p99, ms", kind.name, report["ttfb"]["p99"])

    bench.each(measure)


def paced(bench: Bench) -> None:
    def measure(kind: Kind) -> None:
        with serving(kind, bench.folder) as server:
            bench.load.probe(server, "paced-100", 100)
            for count in (50, 200) if kind.name == "ours" else (50, 200, 1000):
                one_pace(bench, server, count)

    bench.each(measure)


def one_pace(bench: Bench, server: Server, count: int) -> None:
    report = bench.load.run("pace", server, "paced-100", count, 60, 0)
    signs = mark(bench, report)
    ideal = (report["events_each"]["p50"] - 1) * GAP_MS
    bench.note(
        f"{server.kind.name}, paced-100: {report['events_each']['p50']:.0f} events, the ideal is {ideal:,.0f} ms"
    )
    for quantile in ("p50", "p99"):
        metric = paced_metric(quantile, count)
        bench.figures.add(metric, server.kind.name, report["first_to_last"][quantile] / ideal, signs)


def stop(bench: Bench) -> None:
    def measure(kind: Kind) -> None:
        with serving(kind, bench.folder) as server, bench.load.hold(server, "held", STOPPED):
            took = server.stop()
            if took is None:
                bench.figures.add(STOP, kind.name, 1000 * STOP_LIMIT, ">")
            else:
                bench.figures.add(STOP, kind.name, took)

    bench.each(measure)


def processes(bench: Bench) -> None:
    if not has_option("--processes"):
        bench.note("gateproof mock has no --processes: not measured")
        return
    kind = ours("ours load", "--engine", "load", "--processes", "2")
    for _ in range(bench.rounds):
        with bench.noting(set(), kind.name), serving(kind, bench.folder, set(range(os.cpu_count() or 1))) as server:
            one_rate(bench, server, 32, "requests/s c32, two processes")


SECTIONS: dict[str, Callable[[Bench], None]] = {
    "cold": cold,
    "requests": requests,
    "streams": streams,
    "held": held,
    "paced": paced,
    "stop": stop,
    "processes": processes,
}


# ---- the run ----


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How fast the mock upstream is.")
    parser.add_argument("--quick", action="store_true", help="one round of short measurements: to see that all works")
    parser.add_argument("--only", choices=list(SECTIONS), action="append", help="only this section (repeatable)")
    parser.add_argument("--rounds", type=int, help="how often each figure is measured (3; with --quick 1)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there too")
    parser.add_argument(
        "--cache", type=Path, default=default_cache(), metavar="FOLDER", help="where aimock is installed"
    )
    return parser.parse_args()


def default_cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gateproof-benchmarks"


def ready(arguments: argparse.Namespace, folder: Path) -> Bench:
    """Everything that is not measured: compile, install, pin."""
    rounds = arguments.rounds or (1 if arguments.quick else 3)
    seconds, warm = (1.0, 0.3) if arguments.quick else (3.0, 1.0)
    kinds = [limit(), ours("ours"), ours("ours load", "--engine", "load")]
    bench = Bench(Load(folder), folder, kinds, seconds, warm, rounds)
    peer = aimock(arguments.cache.resolve(), folder)
    if isinstance(peer, Kind):
        kinds.append(peer)
    else:
        bench.note(f"aimock is left out: {peer}")
    allow_files(4096)
    pin(bench)
    return bench


def allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def pin(bench: Bench) -> None:
    """This program, and with it the generator, to the second core."""
    if SERVER_CORE == LOAD_CORE:
        bench.note("there is only one core: the load generator shares it with the server")
    os.sched_setaffinity(0, {LOAD_CORE})


def tell(bench: Bench, found: list[Target]) -> None:
    print(bench.figures.table())
    print()
    print(aligned([["target", "measured", "bound", ""], *(target.row() for target in found)]))
    print()
    for note in [*bench.notes, *(f"NOT MEASURED: {failure}" for failure in bench.failures)]:
        print(f"- {note}")


def machine(bench: Bench) -> str:
    others = (
        f"{100 * median(bench.others):.0f} % of a core (at most {100 * max(bench.others):.0f} %)"
        if bench.others
        else "-"
    )
    return f"{os.cpu_count()} cores, Python {platform.python_version()}; other programs took {others} while measuring"


def write(path: Path, bench: Bench, found: list[Target]) -> None:
    document = {
        "rounds": bench.rounds,
        "seconds": bench.seconds,
        "figures": bench.figures.values,
        "targets": [target.json() for target in found],
        "notes": bench.notes,
        "failures": bench.failures,
    }
    path.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


def measure_all(arguments: argparse.Namespace) -> Bench:
    with tempfile.TemporaryDirectory() as name:
        bench = ready(arguments, Path(name))
        for section in arguments.only or SECTIONS:
            began = time.monotonic()
            SECTIONS[section](bench)
            print(f"{section}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        bench.note(machine(bench))
        return bench


def main() -> int:
    if not sys.platform.startswith("linux"):
        print("the load generator needs Linux (epoll)", file=sys.stderr)
        return 2
    arguments = options()
    try:
        bench = measure_all(arguments)
    except Failure as failure:
        print(failure, file=sys.stderr)
        return 2
    found = targets(bench.figures)
    tell(bench, found)
    if arguments.json:
        write(arguments.json, bench, found)
    return 2 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
