"""The command line: `python -m gateproof_reference --upstream http://127.0.0.1:8089/v1 --dialect responses`."""

import argparse
import asyncio
import signal
import socket
import sys
from collections.abc import Sequence
from typing import NoReturn
from urllib.parse import urlsplit

import uvicorn
from starlette.types import ASGIApp

from gateproof_reference import mutants, nulls
from gateproof_reference.apis import APIS
from gateproof_reference.server import Gateway, Settings

BAD_OPTIONS = 4
"""Exit status for options that cannot work, a port in use among them."""

GRACE = 3
"""Seconds that open answers have after SIGTERM."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        give_up(message)


def give_up(message: str) -> NoReturn:
    """Say in one line why nothing was started, and exit."""
    print(f"gateproof reference: {message}", file=sys.stderr)
    raise SystemExit(BAD_OPTIONS)


def parser() -> argparse.ArgumentParser:
    """Return the options."""
    options = _Parser(prog="gateproof reference", description="A correct, small translating gateway.")
    options.add_argument("--upstream", metavar="BASE", help="the upstream's API base, /v1 included")
    options.add_argument("--dialect", choices=list(APIS), default="responses", help="what the upstream speaks")
    options.add_argument(
        "--dialect-for", metavar="MODEL=DIALECT", action="append", default=[], help="what it speaks for one model"
    )
    options.add_argument("--listen", metavar="HOST:PORT", default="127.0.0.1:8090", help="port 0: any")
    options.add_argument("--key", help="what clients must send as their key")
    options.add_argument("--upstream-key", metavar="K", help="what the upstream gets as its key")
    options.add_argument("--keepalive-interval", metavar="S", type=seconds, default=15.0)
    options.add_argument("--idle-timeout", metavar="S", type=seconds, default=300.0)
    options.add_argument("--max-concurrency", metavar="N", type=count)
    options.add_argument("--queue-timeout", metavar="S", type=seconds, default=30.0)
    options.add_argument("--force-upstream-stream", action="store_true", help="stream upstream for JSON clients too")
    wrong = options.add_mutually_exclusive_group()
    wrong.add_argument("--mutant", metavar="NAME", help="be wrong in one way (see --list-mutants)")
    wrong.add_argument(
        "--null", metavar="NAME", choices=list(nulls.NULLS), help=f"be no gateway: {', '.join(nulls.NULLS)}"
    )
    options.add_argument("--list-mutants", action="store_true")
    return options


def seconds(value: str) -> float:
    """Return a positive number of seconds."""
    number = float(value)
    if not 0 < number < float("inf"):
        raise ValueError
    return number


def count(value: str) -> int:
    """Return a positive number."""
    number = int(value)
    if number < 1:
        raise ValueError
    return number


def settings(options: argparse.Namespace) -> Settings:
    """Return the settings that the options say; exit with one line if they cannot work."""
    if not options.upstream:
        give_up("--upstream is missing (the API base of the upstream, such as http://127.0.0.1:8089/v1)")
    parts = urlsplit(options.upstream)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        give_up(f"--upstream must be an http or https URL, not {options.upstream!r}")
    dialects: dict[str, str] = {}
    for entry in options.dialect_for:
        model, _, dialect = entry.rpartition("=")
        if not model or dialect not in APIS:
            give_up(f"--dialect-for must be MODEL=DIALECT with a dialect of {', '.join(APIS)}, not {entry!r}")
        dialects[model] = dialect
    return Settings(
        upstream=options.upstream,
        dialect=options.dialect,
        dialect_for=dialects,
        key=options.key,
        upstream_key=options.upstream_key,
        keepalive_interval=options.keepalive_interval,
        idle_timeout=options.idle_timeout,
        max_concurrency=options.max_concurrency,
        queue_timeout=options.queue_timeout,
        force_upstream_stream=options.force_upstream_stream,
    )


def bind(listen: str) -> socket.socket:
    """Return a socket that is bound to HOST:PORT; exit with one line if it cannot be."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or int(port) > 65535:
        give_up(f"--listen must be HOST:PORT, not {listen!r}")
    # The protocol is named because asyncio sets TCP_NODELAY only on sockets that name it: without it each answer waits for
    # the client's delayed acknowledgement, 40 ms.
    bound = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, int(port)))
        bound.listen(2048)
    except OSError as error:
        bound.close()
        give_up(f"cannot listen on {listen}: {error.strerror or error}")
    return bound


class _Server(uvicorn.Server):
    """Says when it is ready, on stdout and once."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        print(f"gateproof reference listening on http://{host}:{port}", flush=True)


async def serve(app: ASGIApp, bound: socket.socket) -> None:
    """Serve until a signal says stop."""
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )
    await _Server(config).serve([bound])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = parser().parse_args(arguments)
    if options.list_mutants:
        for mutant in mutants.MUTANTS.values():
            print(mutant.line())
        return 0
    chosen = settings(options)
    if options.mutant:
        if options.mutant not in mutants.MUTANTS:
            give_up(f"there is no mutant {options.mutant!r}; --list-mutants names them")
        mutants.MUTANTS[options.mutant].install()
    app: ASGIApp = nulls.NULLS[options.null](chosen) if options.null else Gateway(chosen)
    bound = bind(options.listen)
    # uvicorn raises the signal again when it is done; a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        asyncio.run(serve(app, bound))
    except KeyboardInterrupt:
        pass
    finally:
        bound.close()
    return 0
