"""How fast and how small the reference gateway is: `python benchmarks/gateway_speed.py [options]`.

Compares in one run, each on the same core, all others idle:
    direct       no gateway: the load generator asks the upstream, both on the second core. Proof that neither is the limit
    ours         python -m gateproof_reference
    litellm      its proxy, with conformance/gateways/litellm/litellm.yaml; --litellm names the Python that has it
    codex-relay  in Rust, Responses from Chat Completions only; --codex-relay names the program
The gateways are pinned to the first core; the load generator (benchmarks/mock/load.c, compiled here), the upstream
(benchmarks/gateway/upstream.py, bytes rendered in advance) and this program to the second. What is compared is measured
in turn, as often as there are --rounds, and every figure is the median with (minimum-maximum). A `~` marks one where other
programs took a tenth or more of a core. Sections, for --only:
    translate  in process: a stream of Responses to chunks of Chat Completions, parsing and writing included; CPU time
    streams    1,000 deltas, 8 connections: events a second at the client, and events per second of the gateway's own CPU
               time, which is what a core of its own would give, whatever else the machine does
    requests   p50 of a small JSON answer, one connection: what a gateway adds to `direct`; and its CPU time for one
    memory     resident memory: idle, with 1,000 streams held open, at most during 1,000 streams of 100 deltas at once;
               and what a line of 64 MiB without an end adds
--soak MINUTES is none of them: 8 connections without a pause, clients that leave in mid-stream among them, and the resident
memory in the course of that.
Linux only. The exit code says nothing about speed: 0 if all was measured, 2 if not.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from gateway import gateways, turns
from gateway.gateways import Gateway, Pair
from mock.figures import Target, aligned, number, quotient
from mock.loader import Clocks, Load
from mock.servers import LOAD_CORE, SERVER_CORE, Failure, Kind, Server, serving
from mock_speed import DISTURBED, allow_files

HERE = Path(__file__).resolve().parent
DIRECT = "direct"
NAMES = (DIRECT, "ours", "litellm", "codex-relay")
PAIRS: tuple[Pair, ...] = (("chat", "responses"), ("responses", "chat"), ("responses", "responses"), ("chat", "chat"))
MANY, CONNECTIONS, ANSWERS, WARM = 1000, 8, 400, 20
TRANSLATED = "us an event, Responses to Chat Completions"
HELD, PEAK, LINE = "RSS, 1,000 streams held, MB", "peak RSS, 1,000 streams at once, MB", "a line of 64 MiB adds, MB"
GROWTH = "RSS at the end of the soak / in its second tenth"


@dataclass
class Figures:
    """Metric and gateway to the values of the rounds."""

    values: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    disturbed: set[tuple[str, str]] = field(default_factory=set)

    def add(self, metric: str, name: str, value: float, others: float = 0.0) -> None:
        self.values.setdefault(metric, {}).setdefault(name, []).append(value)
        if others >= DISTURBED:
            self.disturbed.add((metric, name))

    def middle(self, metric: str, name: str) -> float | None:
        found = self.values.get(metric, {}).get(name)
        return median(found) if found else None

    def ratio(self, metric: str, name: str, other: str) -> float | None:
        return quotient(self.middle(metric, name), self.middle(metric, other))

    def cell(self, metric: str, name: str) -> str:
        found = self.values[metric].get(name)
        if not found:
            return "-"
        spread = f" ({number(min(found))}-{number(max(found))})" if len(found) > 1 else ""
        return f"{'~' if (metric, name) in self.disturbed else ''}{number(median(found))}{spread}"

    def table(self) -> str:
        others = NAMES[2:]
        rows = [["", *NAMES, *(f"ours/{other}" for other in others)]]
        for metric in self.values:
            ratios = [self.ratio(metric, "ours", other) for other in others]
            cells = [self.cell(metric, name) for name in NAMES]
            rows.append([metric, *cells, *("-" if ratio is None else f"{ratio:.2f}" for ratio in ratios)])
        return aligned(rows)


@dataclass
class Bench:
    load: Load
    folder: Path
    upstream: Server
    arguments: argparse.Namespace
    figures: Figures = field(default_factory=Figures)
    notes: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    @property
    def rounds(self) -> range:
        return range(self.arguments.rounds)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.upstream.port}/v1"

    def compared(self) -> list[Gateway]:
        found = [gateways.ours(self.base)]
        if self.arguments.litellm:
            found.append(gateways.litellm(self.arguments.litellm.absolute(), self.base))
        if self.arguments.codex_relay:
            found.append(gateways.codex_relay(self.arguments.codex_relay.absolute(), self.base))
        return found

    def question(self, gateway: Gateway | None, pair: Pair, script: str, *, stream: bool = True) -> str:
        """Write a question for the load generator; return the name by which it knows it."""
        model = gateway.models[pair] if gateway else turns.MODEL
        name = f"{gateway.name if gateway else DIRECT}-{pair[0]}-{pair[1]}-{script}-{stream}"
        (self.folder / f"{name}.request").write_bytes(gateways.request(pair, model, script, stream=stream))
        return name

    @contextmanager
    def noting(self) -> Iterator[None]:
        try:
            yield
        except Failure as failure:
            self.failures.append(str(failure))
            print(f"  cannot be measured: {failure}", file=sys.stderr)

    @contextmanager
    def all_running(self) -> Iterator[list[tuple[Gateway, Server]]]:
        """Every gateway that starts."""
        with ExitStack() as stack:
            running = []
            for gateway in self.compared():
                with self.noting():
                    running.append((gateway, stack.enter_context(serving(gateway.kind, self.folder))))
            yield running


# ---- the sections ----


def translate(bench: Bench) -> None:
    stream = bench.folder / "stream.sse"
    stream.write_bytes(b"".join(turns.stream("responses", 1000)))
    programs = {"ours": (Path(sys.executable), "translate_ours.py")}
    if bench.arguments.litellm:
        programs["litellm"] = (bench.arguments.litellm.absolute(), "translate_litellm.py")
    for _ in bench.rounds:
        for name, (python, program) in programs.items():
            command = [str(python), str(HERE / "gateway" / program), str(stream), "20"]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                bench.failures.append(f"{name}, translate: {done.stderr.strip()[-300:]}")
                return
            bench.figures.add(TRANSLATED, name, float(done.stdout.split()[-1]))


def rate_metric(pair: Pair) -> str:
    return f"events/s c{CONNECTIONS}, {pair[0]} from {pair[1]}"


def core_metric(pair: Pair) -> str:
    return f"events per CPU second, {pair[0]} from {pair[1]}"


def streams(bench: Bench) -> None:
    with bench.all_running() as running:
        for _ in bench.rounds:
            for pair in PAIRS:
                if pair[0] == pair[1]:
                    with bench.noting():
                        one_rate(bench, None, bench.upstream, pair)
                for gateway, server in running:
                    if pair in gateway.models:
                        with bench.noting():
                            one_rate(bench, gateway, server, pair)


def one_rate(bench: Bench, gateway: Gateway | None, server: Server, pair: Pair) -> None:
    name = gateway.name if gateway else DIRECT
    question = bench.question(gateway, pair, "whole")
    before = server.cpu()
    seconds = bench.arguments.seconds * (gateway.slowness if gateway else 1)
    report = bench.load.run("stream", server, question, CONNECTIONS, seconds, 0)
    spent = server.cpu() - before
    if not spent:
        raise Failure(f"{name}: {report['events']} events in no CPU time")
    bench.figures.add(rate_metric(pair), name, report["events"] / report["seconds"], report["others"])
    bench.figures.add(core_metric(pair), name, report["events"] / spent)


def latency_metric(pair: Pair) -> str:
    return f"p50 of a JSON answer above direct, ms, {pair[0]} from {pair[1]}"


def requests(bench: Bench) -> None:
    with bench.all_running() as running:
        for _ in bench.rounds:
            for pair in PAIRS[:3]:
                asked = gateways.request((pair[1], pair[1]), turns.MODEL, "text", stream=False)
                direct = latency(bench.upstream, asked)
                bench.figures.add(f"p50 of a JSON answer, ms, {pair[1]}", DIRECT, direct)
                for gateway, server in running:
                    if pair in gateway.models:
                        with bench.noting():
                            one_latency(bench, gateway, server, pair, direct)


def one_latency(bench: Bench, gateway: Gateway, server: Server, pair: Pair, direct: float) -> None:
    question = gateways.request(pair, gateway.models[pair], "text", stream=False)
    clocks, before = Clocks(server, [bench.upstream]), server.cpu()
    p50 = latency(server, question)
    spent = server.cpu() - before
    bench.figures.add(latency_metric(pair), gateway.name, p50 - direct, clocks.others())
    metric = f"CPU time of a JSON answer, ms, {pair[0]} from {pair[1]}"
    bench.figures.add(metric, gateway.name, 1000 * spent / (ANSWERS + WARM))


LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def latency(server: Server, question: bytes, times: int = ANSWERS, warm: int = WARM) -> float:
    """The median time of an answer, in ms, on one connection that stays; the client sleeps while it waits."""
    spent = []
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(times + warm):
            began = time.perf_counter()
            connection.sendall(question)
            answer = whole_answer(connection)
            spent.append(time.perf_counter() - began)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise Failure(f"{server.kind.name}, requests: {answer[:300].decode('latin-1')}")
    return 1000 * median(spent[warm:])


def whole_answer(connection: socket.socket) -> bytes:
    """Read one answer, which must have a content-length."""
    data = b""
    while True:
        more = connection.recv(1 << 16)
        data += more
        head, blank, body = data.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not more or (blank and (length is None or len(body) >= int(length[1]))):
            return data


def memory(bench: Bench) -> None:
    pair = PAIRS[0]
    for _ in bench.rounds:
        for gateway in bench.compared()[:1]:
            with bench.noting(), serving(gateway.kind, bench.folder) as server:
                bench.figures.add("RSS, idle, MB", gateway.name, server.rss_mb())
                with bench.load.hold(server, bench.question(gateway, pair, "held"), MANY):
                    bench.figures.add(HELD, gateway.name, server.rss_mb())
                bench.load.run("pace", server, bench.question(gateway, pair, "paced"), MANY, 60, 500)
                bench.figures.add(PEAK, gateway.name, peak_mb(server))
            with bench.noting(), serving(gateway.kind, bench.folder) as server:
                latency(server, gateways.request(pair, gateway.models[pair], "text", stream=False), 1, 1)
                before = peak_mb(server)
                refused(server, gateways.request(pair, gateway.models[pair], "long-line", stream=True))
                bench.figures.add(LINE, gateway.name, peak_mb(server) - before)


def peak_mb(server: Server) -> float:
    match = re.search(r"^VmHWM:\s+(\d+)", Path(f"/proc/{server.process.pid}/status").read_text(), re.MULTILINE)
    return int(match[1]) / 1024 if match else 0.0


def refused(server: Server, question: bytes) -> None:
    """Ask for a line that is too long; the answer must be an error."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(question)
        answer = whole_answer(connection)
    if not answer.startswith(b"HTTP/1.1 502"):
        raise Failure(f"{server.kind.name}: a line of 64 MiB was answered with {answer[:200].decode('latin-1')}")


def soak(bench: Bench, minutes: float) -> None:
    """Slices of a few seconds, each pair in turn. At the end of a slice its connections are cut, wherever they are."""
    gateway = bench.compared()[0]
    slices, seconds = max(10, round(minutes * 60 / 6)), 6.0
    sizes: list[float] = []
    events = 0
    with serving(gateway.kind, bench.folder) as server:
        for turn in range(slices):
            question = bench.question(gateway, PAIRS[turn % len(PAIRS)], "whole")
            events += bench.load.run("stream", server, question, CONNECTIONS, seconds, 0)["events"]
            sizes.append(server.rss_mb())
            if turn % 10 == 0:
                print(f"soak: slice {turn + 1} of {slices}, {sizes[-1]:.1f} MB", file=sys.stderr)
    tenth = max(1, slices // 10)
    early, late = median(sizes[tenth : 2 * tenth]), median(sizes[-tenth:])
    bench.figures.add(GROWTH, "ours", late / early)
    bench.notes.append(
        f"soak of {minutes:g} minutes, {events:,} events: {early:.1f} MB in its second tenth, {late:.1f} MB in its last,"
        f" {min(sizes):.1f}-{max(sizes):.1f} MB throughout"
    )


SECTIONS = {"translate": translate, "streams": streams, "requests": requests, "memory": memory}


# ---- the run ----


def targets(f: Figures) -> list[Target]:
    """The gateway's targets, from this run's figures; ratios of throughput are those of CPU time."""
    relay, chat = PAIRS[1], PAIRS[0]
    found = [
        Target("in process", "litellm's time an event / ours", f.ratio(TRANSLATED, "litellm", "ours"), ">=", 8),
        Target("streams", "events per CPU second / litellm's", f.ratio(core_metric(chat), "ours", "litellm"), ">=", 10),
        Target(
            "streams",
            "events per CPU second / codex-relay's",
            f.ratio(core_metric(relay), "ours", "codex-relay"),
            ">=",
            0.4,
        ),
        *(
            Target(
                "requests", f"p50 above direct, ms, {a} from {b}", f.middle(latency_metric((a, b)), "ours"), "<=", 1.5
            )
            for a, b in PAIRS[:3]
        ),
        Target("memory", "1,000 streams, peak RSS, MB", f.middle(PEAK, "ours"), "<", 300),
        Target("memory", LINE, f.middle(LINE, "ours"), "<", 80),
        Target("soak", GROWTH, f.middle(GROWTH, "ours"), "<=", 1.05),
    ]
    return [target for target in found if target.measured is not None]


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--litellm", type=Path, metavar="PYTHON", help="the Python of an environment with litellm[proxy]"
    )
    parser.add_argument("--codex-relay", type=Path, metavar="PROGRAM", help="the program codex-relay")
    parser.add_argument("--only", choices=list(SECTIONS), action="append", help="only this section (repeatable)")
    parser.add_argument("--rounds", type=int, default=5, help="how often each figure is measured (5)")
    parser.add_argument(
        "--seconds", type=float, default=3.0, help="how long a rate is measured each time (3; litellm five times that)"
    )
    parser.add_argument(
        "--soak", type=float, metavar="MINUTES", help="a soak of so many minutes, and no section but --only"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every value there too")
    return parser.parse_args()


def measured(arguments: argparse.Namespace, folder: Path) -> Bench:
    allow_files(4096)
    os.sched_setaffinity(0, {LOAD_CORE})
    kind: Kind = gateways.upstream()
    with serving(kind, folder, {LOAD_CORE}) as upstream:
        load = Load(folder)
        load.beside.append(upstream)
        bench = Bench(load, folder, upstream, arguments)
        for section in arguments.only or ([] if arguments.soak else SECTIONS):
            began = time.monotonic()
            SECTIONS[section](bench)
            print(f"{section}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        if arguments.soak:
            with bench.noting():
                soak(bench, arguments.soak)
    one_core = ", which is one and the same here" if SERVER_CORE == LOAD_CORE else ""
    bench.notes.append(f"{os.cpu_count()} cores{one_core}, Python {platform.python_version()}")
    return bench


def main() -> int:
    arguments = options()
    with tempfile.TemporaryDirectory() as name:
        bench = measured(arguments, Path(name))
    found = targets(bench.figures)
    print(bench.figures.table(), end="\n\n")
    print(aligned([["target", "measured", "bound", ""], *(target.row() for target in found)]), end="\n\n")
    for note in [*bench.notes, *(f"NOT MEASURED: {failure}" for failure in bench.failures)]:
        print(f"- {note}")
    if arguments.json:
        document = {
            "figures": bench.figures.values,
            "targets": [target.json() for target in found],
            "notes": bench.notes,
        }
        arguments.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return 2 if bench.failures else 0


if __name__ == "__main__":
    sys.exit(main())
