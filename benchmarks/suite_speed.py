"""What the suite costs on the reference: `python benchmarks/suite_speed.py [ROUNDS]`. All ratios come from one run.

Each round measures, one after the other:
    bare  the same exchanges by bare httpx, with no judging: every script of the suite's report is put at a mock, its request
          is sent by one `httpx.Client` as it comes, and the body is read. The processes are the same: the gateway, and one
          that holds client and mock, and a connection serves one exchange. Holds are taken out of the scripts, for nobody
          releases them.
    -j N  the suite with 1, 2 and 4 workers; with one, client, judge and mock share a process.

End to end is the time from the first exchange or check to the end of the last. CPU is that of all processes, their start and
the report included. The suite's own CPU is what `-j 1` takes more than bare.

Left out: the checks that wait for claimed intervals (the areas of WAITING). Bodies are sent as the report shows them: cut at
64 KiB, and never packed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from gateproof.catalogue import catalogue
from gateproof.files import load_gateway
from gateproof.gateway_process import GatewayProcess
from gateproof.questions import headers
from gateproof_mock import LocalMock, MockUpstream
from gateproof_mock.language.files import registration_from_json

WAITING = ("limit", "time")
JOBS = ("1", "2", "4")
SUITE = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())", "run", "-q"]
BARE = "--bare"
CEILING = 20.0
ONE_EACH = httpx.Limits(max_keepalive_connections=0)


@dataclass(frozen=True)
class Cost:
    """Seconds from end to end, and CPU seconds of all processes."""

    wall: float
    cpu: float


@contextmanager
def clock() -> Iterator[list[float]]:
    """What the child processes that end inside take: one number, the CPU seconds."""
    taken: list[float] = []
    before = os.times()
    yield taken
    after = os.times()
    taken.append(after.children_user + after.children_system - before.children_user - before.children_system)


def suite(gateway: Path, jobs: str, folder: Path) -> tuple[list[dict[str, Any]], Cost]:
    """A run of the suite: its checks, and what it cost."""
    chosen = [f"--id={area}.*" for area in sorted({r.area for r in catalogue().values()} - set(WAITING))]
    where = [f"--gateway={gateway}", "--upstream-listen=127.0.0.1:0", f"--report-dir={folder}"]
    with clock() as cpu:
        done = subprocess.run([*SUITE, *where, *chosen, "-j", jobs], stdout=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        raise SystemExit(f"the reference did not pass (exit code {done.returncode}): nothing to measure")
    checks: list[dict[str, Any]] = json.loads((folder / "report.json").read_text("utf-8"))["checks"]
    wall = max(c["began"] + c["seconds"] for c in checks) - min(c["began"] for c in checks)
    return checks, Cost(wall, cpu[0])


def bare(gateway: Path, report: Path) -> Cost:
    """The exchanges of a report by bare httpx, in a process of their own."""
    with clock() as cpu:
        done = subprocess.run([sys.executable, __file__, BARE, gateway, report], stdout=subprocess.PIPE, check=True)
    return Cost(float(done.stdout), cpu[0])


def ask_bare(gateway_file: Path, report: Path) -> float:
    """What that process does; the seconds from the first exchange to the end of the last."""
    gateway = load_gateway(gateway_file)
    exchanges = [exchange for check in json.loads(report.read_text("utf-8"))["checks"] for exchange in check["scripts"]]
    scripts = [
        registration_from_json(e["marker"], {"calls": [_unheld(c) for c in e["calls"]]}).calls for e in exchanges
    ]
    sent = [
        ("content-type", "application/json"),
        ("authorization", f"Bearer {gateway.key}"),
        *headers("messages", gateway.key),
    ]
    log = report.with_name("bare.log")
    with (
        MockUpstream(token="bare") as mock,
        GatewayProcess(gateway, mock.base_url, log) as process,
        LocalMock(mock) as control,
        httpx.Client(base_url=process.url, headers=sent, timeout=CEILING, trust_env=False, limits=ONE_EACH) as client,
    ):
        began = time.perf_counter()
        for exchange, calls in zip(exchanges, scripts, strict=True):
            control.put(exchange["marker"], calls)
            request = exchange["request"]
            # Transfers that the script breaks.
            with suppress(httpx.TransportError):
                client.request(request["method"], request["path"], content=request["body"].encode())
        return time.perf_counter() - began


def _unheld(script: dict[str, Any]) -> dict[str, Any]:
    return {**script, "say": [element for element in script.get("say", []) if "hold" not in element]}


def main() -> None:
    if sys.argv[1:2] == [BARE]:
        print(ask_bare(Path(sys.argv[2]), Path(sys.argv[3])))
        return
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    rates: dict[str, list[float]] = {jobs: [] for jobs in JOBS}
    ends: list[float] = []
    totals: list[float] = []
    owns: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gateway = folder / "gateway.toml"
        gateway.write_text(files("gateproof_reference").joinpath("gateway.toml").read_text("utf-8"), "utf-8")
        for number in range(1, rounds + 1):
            checks, judged = suite(gateway, "1", folder)
            plain = bare(gateway, folder / "report.json")
            rates["1"].append(len(checks) / judged.wall)
            for jobs in JOBS[1:]:
                rates[jobs].append(len(checks) / suite(gateway, jobs, folder)[1].wall)
            ends.append(judged.wall / plain.wall)
            totals.append(judged.cpu / plain.cpu)
            owns.append(1000 * (judged.cpu - plain.cpu) / len(checks))
            if number == 1:
                exchanges = sum(check["exchanges"] for check in checks)
                print(
                    f"{len(checks)} checks, {exchanges} exchanges, {os.cpu_count()} cores; left out: {', '.join(WAITING)}"
                )
            shown = ", ".join(f"-j {jobs} {rates[jobs][-1]:.0f}" for jobs in JOBS)
            print(
                f"round {number}: bare {plain.wall:.1f} s ({plain.cpu:.1f} s CPU), -j 1 {judged.wall:.1f} s"
                f" ({judged.cpu:.1f} s CPU); checks a second: {shown}",
                flush=True,
            )
    print(f"end to end, -j 1 / bare: {median(ends):.2f}; CPU: {median(totals):.2f}")
    print(f"the suite's own CPU: {median(owns):.1f} ms a check")
    print("checks a second: " + ", ".join(f"-j {jobs} {median(rates[jobs]):.0f}" for jobs in JOBS))


if __name__ == "__main__":
    main()
