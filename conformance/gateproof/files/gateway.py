"""gateway.toml: how a gateway is reached or started, and what it claims, in the configuration that is asked for."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateproof.files.faults import Fault, fault_of_header, fault_of_url, faulty
from gateproof.files.reading import TomlFile, read_toml
from gateproof.files.toml_lines import KeyPath, dotted
from gateproof.pairs import matching

_OF_GATEWAY = ("url", "model", "start", "ready", "ready_within")
"""What a configuration says instead of the same key of [gateway]."""

_LONGEST_QUEUE = 2.0
"""Seconds: a case waits for the queue's end as often as it runs."""


WORDS = frozenset({"port", "upstream", "upstream_origin", "key", "here", "python"})
"""The words in braces of a start command and its environment."""
_WORD = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Start:
    """How to start a gateway. Words in braces are filled in by `gateway_process.py`."""

    command: tuple[str, ...]
    env: Mapping[str, str]
    ready: str
    within: float
    folder: Path


@dataclass(frozen=True, slots=True)
class Gateway:
    """A gateway as its implementer describes it.

    `claims` are as in the schema own/gateway, without those that say `false`: these are `denied`. `configuration` is the name
    of the one that was asked for, "" for the file as it stands.
    """

    name: str = ""
    version: str = ""
    url: str = ""
    key: str = ""
    model: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    models: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Any] = field(default_factory=dict)
    denied: tuple[str, ...] = ()
    start: Start | None = None
    configuration: str = ""

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        prefix = parts.path.rstrip("/").removesuffix("/v1")
        return f"{parts.scheme}://{parts.netloc}{prefix}"

    @property
    def stated(self) -> dict[str, Any]:
        """Every claim that is stated, yes or no: for reports."""
        return {**self.claims, **dict.fromkeys(self.denied, False)}

    def path(self, surface: str, default: str) -> str:
        return self.paths.get(surface, default)

    def model_for(self, pair: str) -> str:
        return self.models.get(pair, self.model)

    def claimed(self, claim: str) -> bool:
        return bool(self.claims.get(claim))


def load_gateway(path: Path, configuration: str = "") -> Gateway:
    """Read a gateway.toml, with what one of its `[configurations.NAME]` says instead. Raises FileError."""
    file = read_toml(path, "own/gateway")
    names = list(file.data.get("configurations", {}))
    if configuration and configuration not in names:
        raise faulty([file.fault(("configurations",), _no_such(configuration, names))])
    usual, *others = (_View(file, name) for name in ("", *names))
    # Of the configurations that are not asked for too: a mistake in them is not to wait for the day they are. What is wrong with
    # the file as it stands would be wrong in each of them.
    faults = list(usual.faults()) or [fault for view in others for fault in view.faults()]
    if faults:
        raise faulty(faults)
    return next(view for view in (usual, *others) if view.name == configuration).read()


def _no_such(name: str, names: list[str]) -> str:
    words = f"there is no configuration {name!r}"
    if not names:
        return f"{words}: the file has no [configurations.{name}]"
    near = difflib.get_close_matches(name, names, n=1)
    return f"{words}; did you mean {near[0]!r}?" if near else f"{words}; there is {', '.join(names)}"


class _View:
    """The file as one configuration sees it: what that says goes before the rest."""

    def __init__(self, file: TomlFile, name: str) -> None:
        self._file = file
        self.name = name
        self._own: Mapping[str, Any] = file.data["configurations"][name] if name else {}
        self._gateway = self._gateway_table()
        self._paths, self._models, self._stated = (
            self._laid(table, file.data) for table in ("paths", "models", "claims")
        )
        self._claims = {claim: value for claim, value in self._stated.items() if value is not False}

    def _gateway_table(self) -> dict[str, Any]:
        below = self._file.data.get("gateway", {})
        table = {**below, **{key: value for key, value in self._own.items() if key in _OF_GATEWAY}}
        if "url" in self._own and "start" not in self._own:
            table.pop("start", None)
        return table | {key: self._laid(key, below) for key in ("env", "headers")}

    def _laid(self, key: str, below: Mapping[str, Any]) -> dict[str, Any]:
        """A table with the configuration's own laid over it, key by key."""
        return {**below.get(key, {}), **self._own.get(key, {})}

    # -- what is wrong

    def faults(self) -> Iterator[Fault]:
        """What a schema cannot say. Nothing is read from the environment: it may be set for one configuration alone."""
        url = self._gateway.get("url", "")
        if url and (wrong := fault_of_url(url)):
            yield self._fault(("gateway", "url"), f": {wrong}")
        if url and "start" in self._gateway:
            words = (
                ": the file has gateway.start too, which starts the gateway at an address of its own: give one of them"
            )
            yield self._fault(("gateway", "url"), words)
        yield from self._words_are_known()
        yield from self._queue_makes_sense()
        yield from self._idle_timeout_makes_sense()
        yield from self._losses_name_pairs()

    def _words_are_known(self) -> Iterator[Fault]:
        """A word in braces that nearly is one of ours would go to the gateway as it stands. Others may be the gateway's own."""
        texts: list[tuple[KeyPath, str]] = [(("gateway", "start"), text) for text in self._gateway.get("start", [])]
        texts += [(("gateway", "env", name), text) for name, text in self._gateway["env"].items()]
        for key, text in texts:
            for word in set(_WORD.findall(text)) - WORDS:
                if near := difflib.get_close_matches(word, sorted(WORDS), n=1, cutoff=0.7):
                    yield self._fault(key, f": {{{word}}} is not filled in; did you mean {{{near[0]}}}?")

    def _queue_makes_sense(self) -> Iterator[Fault]:
        timeout = self._claims.get("queue_timeout")
        if timeout is not None and timeout > _LONGEST_QUEUE:
            words = f" is {timeout}; configure at most {_LONGEST_QUEUE:g} s for a conformance run"
            yield self._fault(("claims", "queue_timeout"), words)
        if "concurrency_limit" not in self._claims:
            return
        if timeout is None:
            words = f" needs claims.queue_timeout beside it (seconds, at most {_LONGEST_QUEUE:g})"
            yield self._fault(("claims", "concurrency_limit"), words)
            return
        if self._claims.get("queue_keepalive", 0) >= timeout:
            yield self._fault(("claims", "queue_keepalive"), " must be below claims.queue_timeout")

    def _idle_timeout_makes_sense(self) -> Iterator[Fault]:
        claims = self._claims
        if "idle_model" in claims and "idle_timeout" not in claims:
            yield self._fault(("claims", "idle_model"), " needs claims.idle_timeout beside it")
        # The limit's checks hold streams in silence while others wait in the queue.
        everywhere = "idle_timeout" in claims and "idle_model" not in claims
        if everywhere and claims["idle_timeout"] <= claims.get("queue_timeout", 0):
            words = " must be above claims.queue_timeout, or only for models named by claims.idle_model"
            yield self._fault(("claims", "idle_timeout"), words)

    def _losses_name_pairs(self) -> Iterator[Fault]:
        """A claim that no pair fits would excuse nothing, and nobody would notice."""
        for glob in self._claims.get("leaves_out", {}):
            try:
                matching((glob,))
            except ValueError as error:
                yield self._fault(("claims", "leaves_out", glob), f": {error}", ("claims", "leaves_out"))

    def _fault(self, key: KeyPath, words: str, shown: KeyPath = ()) -> Fault:
        """A fault of `key`, wherever it stands: in the configuration or in the rest of the file. `shown` is told in its place."""
        shown = shown or key
        if self.name:
            own = self._in_configuration(key)
            if own in self._file.lines:
                key, shown = own, self._in_configuration(shown)
            else:
                words += f" (in configuration {self.name!r})"
        return self._file.fault(key, f"{dotted(shown)}{words}")

    def _in_configuration(self, key: KeyPath) -> KeyPath:
        """Where a configuration says what the rest of the file says by this key: it has no table `gateway`."""
        return ("configurations", self.name, *(key[1:] if key[0] == "gateway" else key))

    # -- what is right

    def read(self) -> Gateway:
        """The gateway, with its secrets from the environment. Raises FileError."""
        faults: list[Fault] = []
        table = self._gateway
        key = self._from_environment(("gateway", "key"), table.get("key", ""), faults)
        if wrong := fault_of_header("Authorization", key):
            faults.append(self._fault(("gateway", "key"), f": {wrong}"))
        headers = []
        for name, given in table["headers"].items():
            where = ("gateway", "headers", name)
            value = self._from_environment(where, given, faults)
            if wrong := fault_of_header(name, value):
                faults.append(self._fault(where, f": {wrong}", ("gateway", "headers")))
            headers.append((name, value))
        if faults:
            raise faulty(faults)
        return Gateway(
            name=table.get("name", ""),
            version=table.get("version", ""),
            url=table.get("url", ""),
            key=key,
            model=table.get("model", ""),
            headers=tuple(headers),
            paths=self._paths,
            models=self._models,
            claims=self._claims,
            denied=tuple(claim for claim in self._stated if claim not in self._claims),
            start=self._start(),
            configuration=self.name,
        )

    def _start(self) -> Start | None:
        table = self._gateway
        if "start" not in table:
            return None
        return Start(
            command=tuple(table["start"]),
            env=table["env"],
            ready=table.get("ready", ""),
            within=float(table.get("ready_within", 60)),
            folder=self._file.path.resolve().parent,
        )

    def _from_environment(self, key: KeyPath, value: str, faults: list[Fault]) -> str:
        if not value.startswith("$"):
            return value
        name = value[1:]
        found = os.environ.get(name) if name else None
        if found:
            return found
        # An empty one is a secret that a CI run was not given.
        faults.append(self._fault(key, f": the environment has no {name or 'variable without a name'}"))
        return ""
