"""A shell that a page's commands are run in, one after the other, as a reader would."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from types import TracebackType

CEILING = 120.0
"""Seconds that one command may take."""
READY = 30.0
"""Seconds until a server has said that it is ready."""
GONE = 10.0
"""Seconds until what was started has ended, once it was asked to."""


class Console:
    """A bash in a folder of its own. A context manager: leaving it ends what its commands have started."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = environment
        self._mark = f"end-{secrets.token_hex(8)}"
        self._pieces: Queue[str | None] = Queue()
        self._code = 0

    def __enter__(self) -> Console:
        # A process group of its own, so that one signal reaches the servers of a page whose test has failed.
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=self._folder,
            env=dict(self._environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._signal(signal.SIGTERM)
        # The pipe ends with the last process that could still print: then all of them are gone.
        self._reader.join(GONE)
        self._signal(signal.SIGKILL)
        self._reader.join(GONE)
        self._bash.wait(GONE)
        self._bash.stdin.close()
        self._bash.stdout.close()

    def _signal(self, sign: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._bash.pid, sign)

    def _read(self) -> None:
        assert self._bash.stdout is not None
        for line in self._bash.stdout:
            self._pieces.put(line)
        self._pieces.put(None)

    def run(self, command: str) -> tuple[str, int]:
        """What it printed, on both streams, and its exit code; `$?` is that of the command before. Raises TimeoutError."""
        assert self._bash.stdin is not None
        self._bash.stdin.write(
            f"(exit {self._code})\n{{ {command}\n}} < /dev/null\nprintf '\\n%s %d\\n' {self._mark} $?\n"
        )
        self._bash.stdin.flush()
        deadline = time.monotonic() + CEILING
        printed: list[str] = []
        while True:
            line = self._next(deadline, command, printed)
            if line.startswith(self._mark):
                self._code = int(line.split()[1])
                return "".join(printed).removesuffix("\n"), self._code
            printed.append(line)

    def start(self, command: str, lines: int) -> str:
        """Run a command that goes on in the background; what it printed once it has printed so many lines."""
        said = self.run(command)[0]
        printed = said.splitlines(keepends=True)
        deadline = time.monotonic() + READY
        while len([line for line in printed if line.strip()]) < lines:
            printed.append(self._next(deadline, command, printed))
        return "".join(printed)

    def _next(self, deadline: float, command: str, printed: list[str]) -> str:
        try:
            line = self._pieces.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            raise TimeoutError(f"{command!r} did not end, or say that it is ready; it printed {printed}") from None
        if line is None:
            raise RuntimeError(f"{command!r} ended the shell; it printed {printed}")
        return line
