"""The servers that mock_speed.py compares: how each one is started, asked, watched and stopped."""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
GATEPROOF = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())"]
PACKAGE, VERSION = "@copilotkit/aimock", "1.43.0"
URL = re.compile(r"http://127\.0\.0\.1:(\d+)/v1")
TICKS = os.sysconf("SC_CLK_TCK")
START_LIMIT, STOP_LIMIT = 20.0, 5.0


class Failure(Exception):
    """Something that should be measured cannot be."""


@dataclass(frozen=True)
class Kind:
    """One server of the comparison; `command` makes its command line for a port.

    `tells_url` if the first base URL in its log is its own; that of a gateway may be its upstream's.
    """

    name: str
    command: Callable[[int], list[str]]
    start_limit: float = START_LIMIT
    tells_url: bool = True


def cores() -> tuple[int, int]:
    """The server's core and the load generator's."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


SERVER_CORE, LOAD_CORE = cores()


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


class Server:
    """A running server, on its core; its output goes to a file."""

    def __init__(self, kind: Kind, log: Path, on: set[int], port: int) -> None:
        self.kind, self.log, self.port = kind, log, port
        self.began = time.perf_counter()
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                kind.command(port),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                preexec_fn=lambda: os.sched_setaffinity(0, on),
            )

    def check(self) -> None:
        """Fail when it has ended, or has taken too long."""
        code = self.process.poll()
        if code is not None:
            raise Failure(f"{self.kind.name} ended with {code}: {self.last_words()}")
        if time.perf_counter() - self.began > self.kind.start_limit:
            raise Failure(f"{self.kind.name} did not answer in {self.kind.start_limit:.0f} s: {self.last_words()}")

    def last_words(self) -> str:
        lines = self.log.read_text("utf-8", "replace").strip().splitlines()
        return " | ".join(lines[-2:])[:300] or "it said nothing"

    def rss_mb(self) -> float:
        """VmRSS of the process and of its children."""
        return sum(resident_kb(pid) for pid in family(self.process.pid)) / 1024

    def cpu(self) -> float:
        """CPU seconds of the process and of its children."""
        return sum(cpu_seconds(pid) for pid in family(self.process.pid))

    def stop(self) -> float | None:
        """Milliseconds from SIGTERM to its exit; None when it had to be killed."""
        if self.process.poll() is not None:
            return 0.0
        watch = os.pidfd_open(self.process.pid)
        began = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        ended = bool(select.select([watch], [], [], STOP_LIMIT)[0])
        took = 1000 * (time.perf_counter() - began)
        os.close(watch)
        if not ended:
            for pid in reversed(family(self.process.pid)):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        return took if ended else None


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    for parent in found:
        children = Path(f"/proc/{parent}/task/{parent}/children")
        if children.exists():
            found += [int(child) for child in children.read_text().split()]
    return found


def resident_kb(pid: int) -> int:
    match = re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    return int(match[1]) if match else 0


def cpu_seconds(pid: int) -> float:
    """User and system time, of all its threads."""
    numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(numbers[11]) + int(numbers[12])) / TICKS


def core_seconds(core: int) -> float:
    """How long the core has worked for anyone: user, nice, system, interrupts."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *numbers = line.split()
        if name == f"cpu{core}":
            return sum(int(n) for n in [*numbers[:3], *numbers[5:7]]) / TICKS
    return 0.0


@contextmanager
def serving(kind: Kind, folder: Path, on: set[int] | None = None) -> Iterator[Server]:
    """The server, once it listens."""
    server = Server(kind, folder / f"{kind.name.replace(' ', '-')}.log", on or {SERVER_CORE}, free_port())
    try:
        listens(server)
        yield server
    finally:
        server.stop()


def listens(server: Server) -> None:
    """Wait until it says its URL, or until its port answers."""
    while True:
        server.check()
        said = URL.search(server.log.read_text("utf-8", "replace")) if server.kind.tells_url else None
        if said:
            server.port = int(said[1])
            return
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.01)


def cold_start(kind: Kind, folder: Path, request: bytes) -> float:
    """Milliseconds from the start of the process to the first byte of an answer with status 200."""
    server = Server(kind, folder / "cold.log", {SERVER_CORE}, free_port())
    try:
        while not answers(server.port, request):
            server.check()
            time.sleep(0.0003)
        return 1000 * (time.perf_counter() - server.began)
    finally:
        server.stop()


def answers(port: int, request: bytes) -> bool:
    with socket.socket() as s:
        s.settimeout(START_LIMIT)
        if s.connect_ex(("127.0.0.1", port)) != 0:
            return False
        try:
            s.sendall(request)
            return s.recv(4096).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


# ---- the kinds ----


def limit() -> Kind:
    return Kind("limit", lambda port: [sys.executable, str(HERE / "limit.py"), str(port)])


def ours(name: str, *options: str) -> Kind:
    return Kind(name, lambda port: [*GATEPROOF, "mock", "--listen", f"127.0.0.1:{port}", *options])


def has_option(option: str) -> bool:
    done = subprocess.run([*GATEPROOF, "mock", "--help"], capture_output=True, text=True, check=False)
    return option in done.stdout


def aimock(cache: Path, folder: Path) -> Kind | str:
    """aimock with the same five scripts; or the reason why there is none."""
    node = shutil.which("node")
    if node is None:
        return "there is no node"
    program = cache / "node_modules" / PACKAGE / "dist" / "cli.js"
    reason = None if installed(cache) else install(cache)
    if reason:
        return reason
    fixtures = folder / "aimock.json"
    fixtures.write_text(json.dumps({"fixtures": aimock_fixtures()}), "utf-8")
    options = ["-f", str(fixtures), "--log-level", "silent"]
    return Kind("aimock", lambda port: [node, str(program), "-p", str(port), *options])


def installed(cache: Path) -> bool:
    about = cache / "node_modules" / PACKAGE / "package.json"
    return about.exists() and json.loads(about.read_text("utf-8"))["version"] == VERSION


def install(cache: Path) -> str | None:
    """Install it; the reason when that failed."""
    npm = shutil.which("npm")
    if npm is None:
        return "there is no npm"
    cache.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache), f"{PACKAGE}@{VERSION}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return None if done.returncode == 0 else f"npm install failed: {done.stderr.strip()[-200:]}"


def aimock_fixtures() -> list[dict[str, object]]:
    """Its Responses streams carry eight events besides the deltas; a delta is "word "."""

    def fixture(script: str, words: int, **more: object) -> dict[str, object]:
        match, response = {"userMessage": f"gp-play-{script}"}, {"content": "word " * words}
        return {"match": match, "response": response, "chunkSize": 5, "latency": 0, **more}

    return [
        fixture("text", 4),
        fixture("deltas-1000", 1000),
        fixture("paced-100", 92, streamingProfile={"ttft": 0, "tps": 50}),
        fixture("held", 100, streamingProfile={"ttft": 0, "tps": 0.01}),
    ]
