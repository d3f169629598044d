"""The files that a user writes, gateway.toml and the baseline: read, checked, and refused with one clear message."""

from __future__ import annotations

import math
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from gateproof.catalogue import catalogue
from gateproof.checks import Check
from gateproof.pairs import matching
from gateproof_schemas import validate

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class FileError(ValueError):
    """A file that cannot be used. The message names the file, the key and what to do."""


def fault_of_url(value: str) -> str:
    """What is wrong with the URL of a gateway or a mock; "" when nothing is."""
    useless = f"{value!r} is not a URL such as http://127.0.0.1:4000"
    try:
        parts, known = urlsplit(value), httpx.URL(value)
        fine = parts.scheme in ("http", "https") and bool(known.host) and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        return useless
    if not fine or not value.isprintable() or " " in value:
        return useless
    if parts.username is not None or parts.password is not None:
        return "the URL holds a password; give it as a header instead"
    if parts.query or parts.fragment:
        return f"{value!r}: routes are built from the URL, so it can have no query and no fragment"
    return ""


def fault_of_header(name: str, value: str) -> str:
    """What is wrong with a header; "" when nothing is. The value is never quoted: it may be a secret."""
    if not _TOKEN.fullmatch(name):
        return f"{name!r} is no name of a header"
    if not value.isascii() or not value.isprintable() or value != value.strip():
        return f"the value of {name} has a character that a header cannot carry"
    return ""


def read_toml(path: Path, schema: str) -> dict[str, Any]:
    """A TOML file that fits its schema. Raises FileError."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{path}: not TOML: {error}") from error
    wrong = validate(data, schema)
    if wrong:
        raise FileError(f"{path}: {wrong[0]}")
    for key, value in _numbers(data):
        if not math.isfinite(value):
            raise FileError(f"{path}: {key}: expected a number that is finite, got {value}")
    return data


def _numbers(data: Any, key: str = "$") -> Iterator[tuple[str, float]]:
    if isinstance(data, dict):
        for name, value in data.items():
            yield from _numbers(value, f"{key}.{name}")
    elif isinstance(data, float):
        yield key, data


# --- gateway.toml ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a gateway. Words in braces are filled in by `gateway.py`."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    ready: str
    within: float
    folder: Path


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway as its implementer describes it. `claims` are as in the schema own/gateway."""

    name: str = ""
    version: str = ""
    url: str = ""
    key: str = ""
    model: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    start: Start | None = None

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        prefix = parts.path.rstrip("/").removesuffix("/v1")
        return f"{parts.scheme}://{parts.netloc}{prefix}"

    def path(self, surface: str, default: str) -> str:
        return self.paths.get(surface, default)

    def model_for(self, pair: str) -> str:
        return self.models.get(pair, self.model)

    def claimed(self, claim: str) -> bool:
        return bool(self.claims.get(claim))


def load_gateway(path: Path) -> Gateway:
    """Read a gateway.toml. Raises FileError."""
    data = read_toml(path, "own/gateway")
    table = data.get("gateway", {})
    start = None
    if "start" in table:
        start = Start(
            command=tuple(table["start"]),
            env=table.get("env", {}),
            ready=table.get("ready", ""),
            within=float(table.get("ready_within", 60)),
            folder=path.resolve().parent,
        )
    claims = data.get("claims", {})
    _queue_makes_sense(path, claims)
    _idle_timeout_makes_sense(path, claims)
    _losses_name_pairs(path, claims)
    url = table.get("url", "")
    if url and (wrong := fault_of_url(url)):
        raise FileError(f"{path}: gateway.url: {wrong}")
    key = _from_environment(path, "gateway.key", table.get("key", ""))
    if wrong := fault_of_header("Authorization", key):
        raise FileError(f"{path}: gateway.key: {wrong}")
    headers = []
    for name, given in table.get("headers", {}).items():
        value = _from_environment(path, f"gateway.headers.{name}", given)
        if wrong := fault_of_header(name, value):
            raise FileError(f"{path}: gateway.headers: {wrong}")
        headers.append((name, value))
    return Gateway(
        name=table.get("name", ""),
        version=table.get("version", ""),
        url=url,
        key=key,
        model=table.get("model", ""),
        headers=tuple(headers),
        paths=data.get("paths", {}),
        models=data.get("models", {}),
        claims=claims,
        start=start,
    )


def _losses_name_pairs(path: Path, claims: Mapping[str, Any]) -> None:
    """A claim that no pair fits would excuse nothing, and nobody would notice."""
    try:
        matching(tuple(claims.get("leaves_out", {})))
    except ValueError as error:
        raise FileError(f"{path}: claims.leaves_out: {error}") from error


def _queue_makes_sense(path: Path, claims: Mapping[str, Any]) -> None:
    if "concurrency_limit" not in claims:
        return
    timeout = claims.get("queue_timeout")
    if timeout is None:
        raise FileError(f"{path}: claims.concurrency_limit needs claims.queue_timeout beside it (seconds, at most 2)")
    if timeout > 2:
        raise FileError(f"{path}: claims.queue_timeout is {timeout}; configure at most 2 s for a conformance run")
    if claims.get("queue_keepalive", 0) >= timeout:
        raise FileError(f"{path}: claims.queue_keepalive must be below claims.queue_timeout")


def _idle_timeout_makes_sense(path: Path, claims: Mapping[str, Any]) -> None:
    if "idle_model" in claims and "idle_timeout" not in claims:
        raise FileError(f"{path}: claims.idle_model needs claims.idle_timeout beside it")
    # The limit's checks hold streams in silence while others wait in the queue.
    everywhere = "idle_timeout" in claims and "idle_model" not in claims
    if everywhere and claims["idle_timeout"] <= claims.get("queue_timeout", 0):
        raise FileError(
            f"{path}: claims.idle_timeout must be above claims.queue_timeout, or only for models named by claims.idle_model"
        )


def _from_environment(path: Path, key: str, value: str) -> str:
    if not value.startswith("$"):
        return value
    name = value[1:]
    found = os.environ.get(name) if name else None
    if not found:
        # An empty one is a secret that a CI run was not given.
        raise FileError(f"{path}: {key}: the environment has no {name or 'variable without a name'}")
    return found


# --- baseline ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """A known failure: a requirement on the pairs and modes of a glob."""

    id: str
    on: str
    reason: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Baseline:
    """A gateway's known failures."""

    known: tuple[Known, ...] = ()

    def entry(self, check: Check) -> Known | None:
        for known in self.known:
            if known.id == check.requirement.id and fnmatchcase(check.place, known.on):
                return known
        return None


def load_baseline(path: Path) -> Baseline:
    """Read a baseline. Raises FileError; an id that is not in the catalogue is always an error."""
    data = read_toml(path, "own/baseline")
    entries = []
    for number, table in enumerate(data.get("known", [])):
        if table["id"] not in catalogue():
            raise FileError(
                f"{path}: known[{number}].id: {table['id']!r} is not in the catalogue; see `gateproof list`"
            )
        on = table.get("on", "*")
        requirement = catalogue()[table["id"]]
        places = [f"{p}.{m}" for p in requirement.pairs for m in requirement.modes]
        if not any(fnmatchcase(place, on) for place in places):
            raise FileError(f"{path}: known[{number}].on: {on!r} matches none of {', '.join(places)}")
        entries.append(Known(table["id"], on, table["reason"], table.get("link", "")))
    return Baseline(tuple(entries))
