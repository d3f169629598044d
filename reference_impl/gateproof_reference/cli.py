"""The command line: `python -m gateproof_reference --upstream http://127.0.0.1:8089/v1 --dialect responses`."""

import argparse
import asyncio
import logging
import math
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import SplitResult, urlsplit

import uvicorn
from starlette.types import ASGIApp

from gateproof_reference import logs, nulls
from gateproof_reference.apis import APIS
from gateproof_reference.redaction import redactor
from gateproof_reference.server import Gateway, Settings

if TYPE_CHECKING:
    from gateproof_reference.mutants.registry import Mutant

BAD_OPTIONS = 4
"""Exit status for options that cannot work, a port in use among them."""

GRACE = 3.0
"""Seconds that open answers have after SIGTERM, unless --grace says otherwise."""

GOODBYE = 1
"""Seconds that they have on top of that to tell their clients; then they are cut."""


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
    options.add_argument(
        "--keepalive-interval", metavar="S", type=seconds, default=15.0, help="silence before a stream gets a ping (15)"
    )
    options.add_argument(
        "--idle-timeout", metavar="S", type=seconds, default=300.0, help="silence before the upstream is given up (300)"
    )
    options.add_argument(
        "--idle-timeout-for",
        metavar="MODEL=S",
        type=seconds_of_a_model,
        action="append",
        default=[],
        help="the same for one model",
    )
    options.add_argument("--max-concurrency", metavar="N", type=count, help="upstream calls at once (no limit)")
    options.add_argument(
        "--queue-timeout", metavar="S", type=seconds, default=30.0, help="how long a request waits for one of them (30)"
    )
    options.add_argument("--force-upstream-stream", action="store_true", help="stream upstream for JSON clients too")
    options.add_argument(
        "--drop-tools",
        action="store_true",
        help="leave out the tools that the upstream's API does not have (else: 400)",
    )
    options.add_argument(
        "--grace", metavar="S", type=seconds, default=GRACE, help="what open answers have left when SIGTERM says stop"
    )
    options.add_argument(
        "--log-level", choices=logs.LEVELS, default="info", help="lines of JSON on stderr; debug: one for every answer"
    )
    wrong = options.add_mutually_exclusive_group()
    wrong.add_argument("--mutant", metavar="NAME", help="be wrong in one way (see --list-mutants)")
    wrong.add_argument(
        "--null", metavar="NAME", choices=list(nulls.NULLS), help=f"be no gateway: {', '.join(nulls.NULLS)}"
    )
    options.add_argument("--list-mutants", action="store_true")
    return options


def seconds(value: str) -> float:
    """Return a positive number of seconds."""
    number = _number(float, value)
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a positive number of seconds, not {value!r}")
    return number


def seconds_of_a_model(value: str) -> tuple[str, float]:
    """Return the model and the seconds of `MODEL=S`."""
    model, _, number = value.rpartition("=")
    if not model:
        raise argparse.ArgumentTypeError(f"must be MODEL=S, not {value!r}")
    return model, seconds(number)


def count(value: str) -> int:
    """Return a positive number."""
    number = _number(int, value)
    if not 1 <= number < math.inf:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, not {value!r}")
    return int(number)


def _number(kind: Callable[[str], float], value: str) -> float:
    """Return the number in `value`; what is none is not a number (nan), which is in no range."""
    try:
        return kind(value)
    except ValueError:
        return math.nan


def settings(options: argparse.Namespace) -> Settings:
    """Return the settings that the options say; exit with one line if they cannot work."""
    if not options.upstream:
        give_up("--upstream is missing (the API base of the upstream, such as http://127.0.0.1:8089/v1)")
    parts = urlsplit(options.upstream)
    if parts.query or parts.fragment or "@" in parts.netloc:
        give_up("--upstream must end with its path and hold no name or password: the key is --upstream-key")
    if parts.scheme not in ("http", "https") or not parts.hostname or not _port_is_one(parts):
        give_up(f"--upstream must be an http or https URL, not {options.upstream!r}")
    if path := next((api.path for api in APIS.values() if parts.path.rstrip("/").endswith(api.path)), None):
        give_up(f"--upstream must end before {path}, which is appended: it is the API base, such as .../v1")
    for name, key in (("--key", options.key), ("--upstream-key", options.upstream_key)):
        if key is not None and not (key and key.isascii() and key.isprintable() and " " not in key):
            give_up(f"{name} must be printable ASCII without spaces, as a header needs it, and not be empty")
    dialects: dict[str, str] = {}
    for entry in options.dialect_for:
        model, _, dialect = entry.rpartition("=")
        if not model or dialect not in APIS:
            give_up(f"--dialect-for must be MODEL=DIALECT with a dialect of {', '.join(APIS)}, not {entry!r}")
        if dialects.setdefault(model, dialect) != dialect:
            give_up(f"--dialect-for names two dialects for the model {model!r}")
    return Settings(
        upstream=options.upstream,
        dialect=options.dialect,
        dialect_for=dialects,
        key=options.key,
        upstream_key=options.upstream_key,
        keepalive_interval=options.keepalive_interval,
        idle_timeout=options.idle_timeout,
        idle_timeout_for=dict(options.idle_timeout_for),
        max_concurrency=options.max_concurrency,
        queue_timeout=options.queue_timeout,
        force_upstream_stream=options.force_upstream_stream,
        drop_tools=options.drop_tools,
    )


def _port_is_one(parts: SplitResult) -> bool:
    try:
        return parts.port != 0
    except ValueError:
        return False


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
    """Says when it is ready, on stdout and once; and tells the gateway when it shall stop."""

    def __init__(self, app: ASGIApp, chosen: Settings, grace: float) -> None:
        config = uvicorn.Config(
            app,
            http="h11",  # And not httptools, which takes a head of any length.
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=math.ceil(grace) + GOODBYE,
        )
        super().__init__(config)
        logging.getLogger("uvicorn").setLevel(logging.ERROR)
        self._app = app
        self._settings = chosen
        self._grace = grace

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = (sockets or [])[0].getsockname()[:2]
        host = f"[{host}]" if ":" in host else host
        print(f"gateproof reference listening on http://{host}:{port}", flush=True)
        dialects = {"dialect": self._settings.dialect, "dialect_for": dict(self._settings.dialect_for)}
        logs.note("started", {"listen": f"{host}:{port}", "upstream": self._settings.upstream, **dialects})

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if isinstance(self._app, Gateway):
            logs.note("stopping", {"open": self._app.stop_in(self._grace), "grace": self._grace})
        await super().shutdown(sockets)
        logs.note("stopped")


def _mutants() -> "dict[str, Mutant]":
    # Imported here: they are a tenth of a start, and the correct gateway has no use for them.
    from gateproof_reference.mutants import MUTANTS

    return MUTANTS


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status."""
    options = parser().parse_args(arguments)
    if options.list_mutants:
        try:
            print("\n".join(mutant.line() for mutant in _mutants().values()), flush=True)
        except BrokenPipeError:
            # `--list-mutants | head` closes our output early; that is no error.
            sys.stderr.close()
        return 0
    chosen = settings(options)
    logs.configure(options.log_level, redactor(chosen.upstream_key, chosen.key), sys.stderr)
    if options.mutant:
        if options.mutant not in (mutants := _mutants()):
            give_up(f"there is no mutant {options.mutant!r}; --list-mutants names them")
        mutants[options.mutant].install()
    app: ASGIApp = nulls.NULLS[options.null](chosen) if options.null else Gateway(chosen)
    bound = bind(options.listen)
    # uvicorn raises the signal again when it is done; a stop that was asked for is no failure.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        asyncio.run(_Server(app, chosen, options.grace).serve([bound]))
    except KeyboardInterrupt:
        pass
    finally:
        bound.close()
    return 0
