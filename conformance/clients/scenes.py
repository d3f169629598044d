"""The reference, right or wrong in one way, in front of a mock upstream; and clients that ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from behaviour import NO_RETRIES, Retries
from told import WEATHER, Json, Told
from whole_runs import reference_file

from gateproof.files import load_gateway
from gateproof.gateway_process import GatewayProcess
from gateproof_mock import MockUpstream, MockView, Script

CEILING = 30.0
"""Seconds that a client has for one turn, its retries included."""

CALM = ("--max-concurrency", "64", "--keepalive-interval", "15", "--drop-tools")
"""Over what gateway.toml says, which is for tests of limits and pings: many clients at once, and no ping that opens a stream
before a slow machine's upstream has refused it. Codex offers tools that only Responses has, which are a 400 otherwise."""


@dataclass(frozen=True)
class Scene:
    """A running gateway with its mock. `model` of a dialect is that which the gateway serves from there."""

    mock: MockUpstream
    url: str
    key: str

    def ask(
        self,
        ask: Callable[[Json], Json],
        client: str,
        dialect: str,
        *scripts: Script,
        retries: Retries = NO_RETRIES,
    ) -> Told:
        """What a client reads when the upstream says the first script to its first request, and so on."""
        with MockView(self.mock, client) as view:
            turn = view.marked()
            turn.plays(*scripts)
            result = ask(
                {
                    "client": client,
                    "base": self.url,
                    "key": self.key,
                    "model": f"over-{dialect}",
                    "prompt": f"What is the weather in Oslo? [{turn.marker}]",
                    "tools": [WEATHER],
                    "retries": retries,
                    "ceiling": CEILING,
                }
            )
            return Told.of(result, len(turn.calls))


@contextmanager
def scene(mock: MockUpstream, log: Path, *options: str) -> Iterator[Scene]:
    """The reference, with more options for its command line, on that mock. Raises StartError."""
    gateway = load_gateway(reference_file())
    assert gateway.start is not None
    start = replace(gateway.start, command=(*gateway.start.command, *CALM, *options))
    with GatewayProcess(replace(gateway, start=start), mock.base_url, log) as process:
        yield Scene(mock, process.url, gateway.key)
