"""A first gateway.toml, with all that it can say: what was found out is stated, the rest is there to be uncommented."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import tomlkit

from gateproof.catalogue import catalogue
from gateproof.files.claims import Claim, claims_of
from gateproof.files.gateway import Gateway
from gateproof.pairs import SURFACES, Pair

KEY_VARIABLE = "GATEPROOF_GATEWAY_KEY"

_ABOUT_STARTING = """\
# To have it started and stopped for each run, on a port of its own, in place of `url`. {key}, {here} (this folder) and
# {python} are filled in too, and what it prints is kept in gateway.log.
# start = ["my-gateway", "--port", "{port}", "--upstream", "{upstream}"]
# ready = "/health"
# ready_within = 60
"""
_ABOUT_CLAIMS = """\
# What the gateway does beyond what every gateway owes its clients. A claim switches its requirements on; without it they are not
# judged, and not counted as passes. Uncomment what is true, and write `= false` for what is not: a run with --for-publication
# wants each claim stated.
[claims]
"""
_ABOUT_CONFIGURATIONS = """\
# Some requirements need a second configuration: one that streams every upstream call, for instance. What it says goes before the
# rest of this file. gateproof run --gateway FILE --gateway-configuration streaming
# [configurations.streaming]
# url = "http://127.0.0.1:4001"
# [configurations.streaming.claims]
# accepts_unrequested_sse = true
"""


def variable_of(header: str) -> str:
    """The environment variable that a first gateway.toml reads a header's value from."""
    return f"GATEPROOF_HEADER_{re.sub(r'[^0-9A-Z]', '_', header.upper())}"


def first_gateway(gateway: Gateway, pairs: Collection[Pair], *, model_named: bool) -> str:
    """The file's text. `pairs` are those that were found to be served; `model_named`: by the user, and not chosen for them.

    The key and the values of headers are never in it: they become variables of the environment.
    """
    lines = ["# How Gateproof reaches this gateway, and what it claims to do.", ""]
    lines += _gateway(gateway, model_named=model_named)
    lines += _paths(gateway.paths)
    lines += _models(gateway, pairs)
    lines += _claims(pairs)
    return "\n".join(lines) + "\n" + _ABOUT_CONFIGURATIONS


def _gateway(gateway: Gateway, *, model_named: bool) -> Iterator[str]:
    host = re.sub(r"^https?://", "", gateway.origin)
    yield "[gateway]"
    yield f"name = {_toml(host)} # what reports are to call it"
    yield '# version = "1.2.3"'
    yield f"url = {_toml(gateway.url)}"
    if gateway.key:
        yield f'key = "${KEY_VARIABLE}" # read from the environment'
    else:
        yield f'# key = "${KEY_VARIABLE}" # the client\'s key, read from the environment'
    chosen = "" if model_named else " # none was named: the first that it lists at /v1/models, if it lists any"
    yield f"model = {_toml(gateway.model)}{chosen}"
    yield from _ABOUT_STARTING.splitlines()
    yield ""
    if gateway.headers:
        yield "[gateway.headers]"
        yield from (f'{_toml_key(name)} = "${variable_of(name)}"' for name, _ in gateway.headers)
        yield ""
    yield "# [gateway.env]"
    yield '# UPSTREAM_BASE = "{upstream}"'
    yield ""


def _paths(paths: Mapping[str, str]) -> Iterator[str]:
    yield "# Paths, where they are not the usual ones."
    if paths:
        yield "[paths]"
        yield from (f"{surface} = {_toml(path)}" for surface, path in paths.items())
    else:
        yield "# [paths]"
        yield '# chat = "/openai/v1/chat/completions"'
    yield ""


def _models(gateway: Gateway, pairs: Collection[Pair]) -> Iterator[str]:
    yield "# A model for each pair, <client's API>.<upstream's API>. Naming a pair claims it: if its calls reach the upstream"
    yield "# in another API, its checks fail as not testable."
    yield "[models]" if gateway.models else "# [models]"
    yield from (f"{_toml_key(pair)} = {_toml(model)}" for pair, model in gateway.models.items())
    others = [pair for pair in sorted(pairs) if str(pair) not in gateway.models]
    yield from (f"# {_toml_key(str(pair))} = {_toml(gateway.model)}" for pair in others)
    yield ""


def _claims(pairs: Collection[Pair]) -> Iterator[str]:
    surfaces = [surface for surface in SURFACES if any(pair.surface == surface for pair in pairs)]
    yield from _ABOUT_CLAIMS.splitlines()
    for claim in claims_of(catalogue().values()):
        yield ""
        yield from claim.told("# ")
        if claim.name == "surfaces":
            yield f"surfaces = {_toml(surfaces)} # found"
        else:
            yield f"# {claim_line(claim)}"
    yield ""


def claim_line(claim: Claim) -> str:
    """A claim's line in gateway.toml, with the example of the schema as its value."""
    return f"{claim.name} = {_toml(claim.example)}"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table.as_string()
    text: str = tomlkit.item(value).as_string()
    return text


def _toml_key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else _toml(key)
