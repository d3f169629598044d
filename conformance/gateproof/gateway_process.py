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
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

import httpx

from gateproof.files import Gateway, Start
from gateproof.gateway_log import GatewayLog, secrets_of
from gateproof.redact import is_secret

_PR_SET_PDEATHSIG = 1


class StartError(RuntimeError):
    """The gateway did not get ready; the message has its last output."""


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text of gateway.toml, with each of its words in braces in place."""
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text


def words_of(gateway: Gateway, upstream: str) -> dict[str, str]:
    """The words of every gateway, one that is already running too."""
    return {"upstream": upstream, "upstream_origin": upstream.removesuffix("/v1"), "key": gateway.key}


def _secrets_in(command: Sequence[str]) -> Iterator[str]:
    """What is handed over by an option whose name says secret: `--master-key ...`, `--token=...`."""
    for word, following in pairwise([*command, ""]):
        option, _, value = word.partition("=")
        if option.startswith("-") and is_secret(option):
            yield value or following


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
        environment = {name: filled(value, {"key": gateway.key}) for name, value in gateway.start.env.items()}
        secrets = [gateway.key, *(value for name, value in gateway.headers if is_secret(name))]
        secrets += _secrets_in(self._start.command)
        self._log = GatewayLog(log, secrets_of({**os.environ, **environment}, filter(None, secrets)))
        self._patience = patience
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._words = {
            **words_of(gateway, upstream),
            "port": str(self.port),
            "here": str(self._start.folder),
            "python": sys.executable,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._last_look = ""

    def __enter__(self) -> GatewayProcess:
        command = [filled(word, self._words) for word in self._start.command]
        environment = {**os.environ, **{k: filled(v, self._words) for k, v in self._start.env.items()}}
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=self._start.folder,
                start_new_session=True,
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,
            )
        except OSError as error:
            raise StartError(f"cannot start the gateway: {self._shown(command)}: {error.strerror}") from error
        assert self._process.stdout is not None
        self._log.follow(cast(BinaryIO, self._process.stdout))
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
        if process is None:
            return
        self._end(process)
        self._log.drain()

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if process.poll() is not None:
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

    def ending(self, within: float = 0.0) -> str:
        """How the gateway ended by itself, with its last output; "" if it still runs after so many seconds."""
        if self._process is None:
            return ""
        try:
            code = self._process.wait(within)
        except subprocess.TimeoutExpired:
            return ""
        return f"the gateway ended with {_told(code)}. {self._last_output()}"

    def _await_ready(self, command: list[str]) -> None:
        assert self._process is not None
        # Less patience with answers is none with a start, which a busy machine alone may delay.
        within = self._start.within * max(1.0, self._patience)
        deadline = time.monotonic() + within
        while not self._is_ready():
            if time.monotonic() > deadline:
                raise StartError(
                    f"the gateway was not ready within {within:g} s ({self._last_look}): {self._shown(command)}\n"
                    f"{self._last_output()}"
                )
            try:
                # Waiting for the process's end is the wait between two looks: a gateway that dies is noticed at once.
                code = self._process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise StartError(f"the gateway ended with {_told(code)}: {self._shown(command)}\n{self._last_output()}")

    def _is_ready(self) -> bool:
        try:
            if not self._start.ready:
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                return True
            status = httpx.get(self.url + self._start.ready, timeout=5.0, trust_env=False).status_code
            self._last_look = f"{self._start.ready} answered HTTP {status}"
            return status < 500
        except (OSError, httpx.HTTPError) as error:
            self._last_look = f"{self._start.ready or 'a connection'}: {error}"
            return False

    def _shown(self, command: list[str]) -> str:
        return self._log.clean(shlex.join(command))

    def _last_output(self) -> str:
        if self._process is not None and self._process.poll() is not None:
            self._log.drain()
        return self._log.last()
