"""The processes that clients live in: one takes many jobs at once, a line of JSON each, and gives a line of JSON back."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import Future
from pathlib import Path

from told import Json

HERE = Path(__file__).parent
GRACE = 10.0
"""Seconds that a driver has beyond a job's own ceiling, to start and to say that the ceiling was reached."""


class Absent(Exception):
    """A client is not installed; the message says what is missing and how to get it."""


class Driver:
    """A running driver process; `stop` ends it. Several threads may ask at once."""

    def __init__(self, command: list[str]) -> None:
        self._ids = itertools.count(1)
        self._open: dict[int, Future[Json]] = {}
        self._writing = threading.Lock()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=quiet()
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def ask(self, job: Json) -> Json:
        """The result of a job. Raises TimeoutError when none comes within the job's ceiling and GRACE, and EOFError or
        OSError when the driver has ended."""
        assert self._process.stdin is not None
        id = next(self._ids)
        future: Future[Json] = Future()
        self._open[id] = future
        with self._writing:
            self._process.stdin.write(json.dumps({"id": id, **job}) + "\n")
            self._process.stdin.flush()
        ceiling: float = job["ceiling"]
        return future.result(ceiling + GRACE)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            result = json.loads(line)
            self._open.pop(result["id"]).set_result(result)
        for future in self._open.values():
            future.set_exception(EOFError("the driver has ended"))


def quiet(**more: str) -> dict[str, str]:
    """An environment for a client: no proxy, no key and no setting of this machine reaches it."""
    kept = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR")
    return {name: os.environ[name] for name in kept if name in os.environ} | more


def python_driver() -> Driver:
    return Driver([sys.executable, str(HERE / "python" / "drive.py")])


def node_driver() -> Driver:
    """Raises Absent."""
    node = shutil.which("node")
    if node is None:
        raise Absent("node is not installed")
    return Driver([node, str(installed("node", "node_modules/openai") / "drive.mjs")])


def installed(client: str, part: str) -> Path:
    """The folder that install.py made for a client, which must hold `part`. Raises Absent."""
    place = os.environ.get("GATEPROOF_CLIENTS", "")
    if not place or not (Path(place) / client / part).exists():
        raise Absent(f"GATEPROOF_CLIENTS names no folder with {client}/{part}: run tox -e client-{client}")
    return Path(place) / client
