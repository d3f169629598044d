"""The load generator of the benchmarks: compiles load.c, writes the requests, runs it, reads its line of JSON."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mock.servers import HERE, LOAD_CORE, SERVER_CORE, Failure, Server, core_seconds

SCRIPTS = ("text", "deltas-1000", "deltas-1000-together", "paced-100", "held")
Report = dict[str, Any]


def request(script: str) -> bytes:
    body = json.dumps({"model": "gpt-5", "stream": script != "text", "input": f"gp-play-{script}"})
    head = ["POST /v1/responses HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    head += ["Authorization: Bearer benchmark", f"Content-Length: {len(body)}"]
    return ("\r\n".join(head) + "\r\n\r\n" + body).encode()


class Clocks:
    """The CPU time of the server, of this program with its load generator, and of their two cores, from now on.

    `beside` are the servers that belong to the measurement too, on the load generator's core.
    """

    def __init__(self, server: Server, beside: Sequence[Server] = ()) -> None:
        self.server, self.beside = server, beside
        self.began = self.read()

    def read(self) -> tuple[float, float, float]:
        mine = sum(os.times()[:4]) + sum(server.cpu() for server in self.beside)
        on_server, on_load = core_seconds(SERVER_CORE), core_seconds(LOAD_CORE)
        return time.monotonic(), on_server - self.server.cpu(), on_load - mine

    def others(self) -> float:
        """The share that other programs had of the busier one of the two cores."""
        began, server, load = self.began
        now, server_now, load_now = self.read()
        return max(server_now - server, load_now - load) / (now - began)


class Load:
    def __init__(self, folder: Path) -> None:
        self.folder, self.program = folder, folder / "load"
        self.beside: list[Server] = []
        compiler = shutil.which("cc")
        if compiler is None:
            raise Failure("there is no C compiler (cc): the load generator is written in C")
        command = [compiler, "-O2", "-o", str(self.program), str(HERE / "load.c")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Failure(f"load.c does not compile: {done.stderr.strip()[:500]}")
        for script in SCRIPTS:
            (folder / f"{script}.request").write_bytes(request(script))

    def command(self, mode: str, server: Server, script: str, *numbers: float) -> list[str]:
        name = str(self.folder / f"{script}.request")
        return [str(self.program), mode, str(server.port), name, *(f"{number:g}" for number in numbers)]

    def run(self, mode: str, server: Server, script: str, *numbers: float) -> Report:
        """One measurement; every answer has to be whole and a 2xx."""
        command = self.command(mode, server, script, *numbers)
        what = f"{server.kind.name}, {mode} {script}"
        before = Clocks(server, self.beside)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        except subprocess.TimeoutExpired:
            raise Failure(f"{what}: no result in 120 s") from None
        if done.returncode != 0:
            raise Failure(f"{what}: {(done.stderr or done.stdout).strip()[:400]}")
        return sound({**json.loads(done.stdout), "others": before.others()}, what)

    def probe(self, server: Server, script: str, events: int) -> Report:
        """One answer: is it the script that was asked for? Its events, and its bytes an event."""
        report = self.run("pace", server, script, 1, 30, 0)
        seen = report["events_each"]["p50"]
        if seen < events:
            raise Failure(f"{server.kind.name}: gp-play-{script} has {seen:.0f} events, not {events}")
        return report

    @contextmanager
    def hold(self, server: Server, script: str, streams: int) -> Iterator[Report]:
        """That many streams, open while the block runs."""
        command = self.command("hold", server, script, streams, 30)
        pipe = subprocess.PIPE
        with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
            assert process.stdin
            assert process.stdout
            assert process.stderr
            try:
                line = process.stdout.readline()
                if not line:
                    raise Failure(f"{server.kind.name}, hold: {process.stderr.read().strip()[:400]}")
                yield sound(json.loads(line), f"{server.kind.name}, hold")
            finally:
                process.stdin.close()


def sound(report: Report, what: str) -> Report:
    wrong = {name: report[name] for name in ("errors", "missing", "over", "unfinished") if report.get(name)}
    if wrong:
        raise Failure(f"{what}: {', '.join(f'{count} {name}' for name, count in wrong.items())}")
    if report["mode"] in ("requests", "stream") and not report["answers"]:
        raise Failure(f"{what}: no answer in {report['seconds']:.1f} s")
    return report
