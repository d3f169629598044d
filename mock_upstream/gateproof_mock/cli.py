"""`gateproof mock`, and `python -m gateproof_mock`: the mock upstream as a process, scripted over HTTP."""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from gateproof_mock.serving.limits import BARRIER_CEILING

if TYPE_CHECKING:
    from gateproof_mock.language.files import Registration
    from gateproof_mock.serving.load_server import LoadUpstream
    from gateproof_mock.serving.server import MockUpstream

DEFAULT_LISTEN = "127.0.0.1:8089"
EXIT_USAGE = 4
ENGINES = ("threads", "load")
_READY = "gateproof mock listening: "
_STOP_CEILING = 5.0

Replay = Callable[[str], Iterable["Registration"]]


class _Wrong(Exception):
    """An option that cannot be followed; the message says what to do."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_USAGE, f"{self.prog}: {message}\n")


def parser(*, replay: bool = False) -> argparse.ArgumentParser:
    """The options. `replay`: whether who calls can play the scripts of a report."""
    options = _Parser(prog="gateproof mock", description="Start the mock upstream as a server.")
    options.add_argument(
        "--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN, help=f"default {DEFAULT_LISTEN}; port 0: any"
    )
    options.add_argument(
        "--token", metavar="TOKEN", default="", help="what control requests must send; needed off loopback"
    )
    options.add_argument("--script", metavar="FILE", help="YAML or JSON: {NAME: [script, ...] or {when, calls}, ...}")
    if replay:
        options.add_argument("--replay", metavar="DIR#CHECK", help="play the scripts of a check of a report")
    options.add_argument(
        "--engine",
        choices=ENGINES,
        default=ENGINES[0],
        help="threads (default): a thread a connection; load: an event loop, for thousands of streams and exact pacing",
    )
    options.add_argument(
        "--processes", metavar="N", type=int, default=1, help="so many load engines on one port, for built-in scripts"
    )
    options.add_argument("--model", metavar="NAME", action="append", help="what /v1/models lists; repeatable")
    options.add_argument(
        "--barrier-ceiling",
        metavar="S",
        type=float,
        default=BARRIER_CEILING,
        help=f"seconds until an unreleased barrier lets go, default {BARRIER_CEILING:g}",
    )
    options.add_argument("--list", action="store_true", help="list the built-in scripts and end")
    options.add_argument("--show", metavar="NAME[.SEED]", help="print one built-in script as JSON and end")
    options.add_argument("--shared", action="store_true", help=argparse.SUPPRESS)
    return options


def start(arguments: Sequence[str], replay: Replay | None = None) -> int:
    """Run until SIGTERM or SIGINT; the exit code."""
    given = parser(replay=replay is not None).parse_args(arguments)
    try:
        if given.list or given.show is not None:
            return _tell(given.show)
        if not (given.token.isascii() and given.token.isprintable() and " " not in given.token):
            raise _Wrong("--token: expected visible ASCII characters: it is sent in a header")
        host, port = parse_listen(given.listen)
        if given.processes != 1:
            return _several(given, host, port)
        mock = _mock(given, host, port)
        names = _register(mock, given, replay)
    except BrokenPipeError:
        # `gateproof mock --list | head` closes our output early; that is no error.
        sys.stderr.close()
        return 0
    except (_Wrong, ValueError, OSError) as error:
        print(f"gateproof mock: {error}", file=sys.stderr)
        return EXIT_USAGE
    return _serve(mock, names, f"{host}:{port}", shared=given.shared)


def parse_listen(given: str) -> tuple[str, int]:
    """HOST:PORT, with IPv6 addresses in brackets. Raises ValueError."""
    host, colon, port = given.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65535:
        raise ValueError(f"{given!r} is not HOST:PORT, such as {DEFAULT_LISTEN}")
    if ":" in host and not (host.startswith("[") and host.endswith("]")):
        raise ValueError(f"{given!r}: an IPv6 address stands in brackets, such as [::1]:8089")
    return host.strip("[]") or "127.0.0.1", int(port)


def _tell(show: str | None) -> int:
    import json

    from gateproof_mock import builtin

    if show is not None:
        name, _, seed = show.removeprefix("gp-play-").partition(".")
        if seed and not (seed.isascii() and seed.isdigit()):
            raise _Wrong(f"--show: {seed!r} is no seed: expected digits")
        print(json.dumps(builtin.script(name, int(seed or 0)).to_json(), indent=2, ensure_ascii=False))
        return 0
    width = max(map(len, builtin.names()))
    for name in builtin.names():
        print(f"gp-play-{name:<{width}}  {builtin.describe(name)}")
    return 0


def _mock(given: argparse.Namespace, host: str, port: int) -> MockUpstream | LoadUpstream:
    if not 0 < given.barrier_ceiling <= 86_400:
        raise _Wrong("--barrier-ceiling: expected a number of seconds above 0, 86400 at most")
    models = tuple(given.model or ("gateproof",))
    if given.engine == "load":
        from gateproof_mock.serving.load_server import LoadUpstream

        return LoadUpstream(
            host,
            port,
            token=given.token,
            models=models,
            barrier_ceiling=given.barrier_ceiling,
            reuse_port=given.shared,
        )
    from gateproof_mock.serving.server import MockUpstream

    return MockUpstream(host, port, token=given.token, models=models, barrier_ceiling=given.barrier_ceiling)


def _register(mock: MockUpstream | LoadUpstream, given: argparse.Namespace, replay: Replay | None) -> list[str]:
    if given.script is None and not (replay and given.replay):
        return []
    from gateproof_mock.language.files import load

    found = list(load(given.script)) if given.script is not None else []
    if replay and given.replay:
        found.extend(replay(given.replay))
    mock.stage.put_all([(one.name, one.calls, one.when) for one in found])
    return [one.name for one in found]


def _serve(mock: MockUpstream | LoadUpstream, names: list[str], listen: str, *, shared: bool) -> int:
    stop = threading.Event()
    _on_signals(stop)
    try:
        mock.start()
    except OSError as error:
        print(
            f"gateproof mock: cannot listen at {listen}: {error}; choose another with --listen HOST:PORT",
            file=sys.stderr,
        )
        return EXIT_USAGE
    off = "" if mock.control.enabled else f" (control API off: {mock.control.why_off})"
    if shared:
        threading.Thread(target=_end_with_parent, args=(stop,), daemon=True).start()
    # Nobody may be there to read it.
    with contextlib.suppress(OSError):
        print(f"{_READY}set your gateway's OpenAI base URL to {mock.base_url}{off}", flush=True)
        for name in names:
            print(f"plays a script for {name}", flush=True)
    stop.wait()
    mock.stop()
    return 0


def _end_with_parent(stop: threading.Event) -> None:
    """One of several processes ends when the one that started it does, however that ends: its end of the pipe closes."""
    sys.stdin.buffer.read()
    stop.set()


def _on_signals(stop: threading.Event) -> None:
    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)


# --- several processes ----------------------------------------------------------------------------


def _several(given: argparse.Namespace, host: str, port: int) -> int:
    if not 1 <= given.processes <= 64:
        raise _Wrong("--processes: expected 1 to 64")
    if given.engine != "load":
        raise _Wrong("--processes: several processes need --engine load")
    if given.token:
        raise _Wrong("--processes: there is no control API that a --token could guard")
    if given.script is not None or getattr(given, "replay", None):
        raise _Wrong(
            "--processes: scripts from files have state that processes do not share; use built-in ones (--list)"
        )
    stop = threading.Event()
    _on_signals(stop)
    # Bound and not listening: it keeps the port, and gets no connection.
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as held:
        _check_free(host, port)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((host, port))
        shown = f"[{host}]" if ":" in host else host
        listen = f"{shown}:{held.getsockname()[1]}"
        options = ["--engine", "load", "--shared", "--listen", listen, "--barrier-ceiling", str(given.barrier_ceiling)]
        for model in given.model or ():
            options += ["--model", model]
        children = [
            subprocess.Popen(
                [sys.executable, "-m", "gateproof_mock", *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(given.processes)
        ]
        try:
            return _watch(children, stop, listen)
        finally:
            _end(children)


def _check_free(host: str, port: int) -> None:
    """Raises OSError where somebody listens already: whoever shares a port by chance gets half of another's calls."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise _Wrong(f"cannot listen at {host}:{port}: {error}; choose another with --listen HOST:PORT") from error


def _watch(children: list[subprocess.Popen[str]], stop: threading.Event, listen: str) -> int:
    for child in children:
        assert child.stdout is not None
        if not child.stdout.readline().startswith(_READY):
            print("gateproof mock: a process did not start", file=sys.stderr)
            return 1
    print(
        f"{_READY}set your gateway's OpenAI base URL to http://{listen}/v1 ({len(children)} processes, built-in scripts"
        " only, control API off)",
        flush=True,
    )
    died: list[int] = []

    def watch(child: subprocess.Popen[str]) -> None:
        code = child.wait()
        if not stop.is_set():
            died.append(code)
            stop.set()

    for child in children:
        threading.Thread(target=watch, args=(child,), daemon=True).start()
    stop.wait()
    if died:
        print(f"gateproof mock: one of the processes ended with exit code {died[0]}", file=sys.stderr)
    return 1 if died else 0


def _end(children: list[subprocess.Popen[str]]) -> None:
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(_STOP_CEILING)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
