"""Starts a gateway by the command of its gateway.toml, and ends what it started."""

from __future__ import annotations

import ctypes
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import httpx

from gateproof.files import Gateway, Start

_PR_SET_PDEATHSIG = 1


class StartError(RuntimeError):
    """The gateway did not get ready; the message has its last output."""


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _told(code: int) -> str:
    """A process's return code in words: below 0 it is the signal that ended it."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {-code} ({signal.Signals(-code).name})"
    except ValueError:
        return f"signal {-code}"


def _die_with_parent() -> None:
    """Linux: end when the suite is killed outright, which leaves it no time to end us."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class GatewayProcess:
    """A gateway in a process group of its own. A context manager: entering waits until it is ready. Raises StartError."""

    def __init__(self, gateway: Gateway, upstream: str, log: Path, patience: float = 1.0) -> None:
        assert gateway.start is not None
        self._start: Start = gateway.start
        self._log = log
        self._patience = patience
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._words = {
            "port": str(self.port),
            "upstream": upstream,
            "upstream_origin": upstream.removesuffix("/v1"),
            "key": gateway.key,
            "here": str(self._start.folder),
            "python": sys.executable,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> GatewayProcess:
        command = [self._filled(word) for word in self._start.command]
        environment = {**os.environ, **{k: self._filled(v) for k, v in self._start.env.items()}}
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("wb") as output:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=environment,
                    cwd=self._start.folder,
                    start_new_session=True,
                    preexec_fn=_die_with_parent if sys.platform == "linux" else None,
                )
            except OSError as error:
                raise StartError(f"cannot start the gateway: {shlex.join(command)}: {error.strerror}") from error
        try:
            self._await_ready(command)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End the process group: politely, then not."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        for sign, ceiling in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            try:
                os.killpg(process.pid, sign)
            except ProcessLookupError:
                return
            try:
                process.wait(ceiling)
                return
            except subprocess.TimeoutExpired:
                continue

    def ending(self) -> str:
        """How the gateway ended by itself, with its last output; "" while it runs."""
        code = None if self._process is None else self._process.poll()
        return "" if code is None else f"the gateway ended with {_told(code)}. {self._last_output()}"

    def _filled(self, word: str) -> str:
        for name, value in self._words.items():
            word = word.replace("{" + name + "}", value)
        return word

    def _await_ready(self, command: list[str]) -> None:
        assert self._process is not None
        # Less patience with answers is none with a start, which a busy machine alone may delay.
        within = self._start.within * max(1.0, self._patience)
        deadline = time.monotonic() + within
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise StartError(
                    f"the gateway was not ready within {within:g} s: {shlex.join(command)}\n{self._last_output()}"
                )
            try:
                # Waiting for the process's end is the wait between two looks: a gateway that dies is noticed at once.
                code = self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise StartError(f"the gateway ended with {_told(code)}: {shlex.join(command)}\n{self._last_output()}")

    def _is_ready(self) -> bool:
        try:
            if not self._start.ready:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return True
            return httpx.get(self.url + self._start.ready, timeout=5.0, trust_env=False).status_code < 500
        except (OSError, httpx.HTTPError):
            return False

    def _last_output(self) -> str:
        tail = self._log.read_bytes()[-4000:].decode("utf-8", "replace").strip()
        return f"Its last output ({self._log}):\n{tail}" if tail else "It printed nothing."
