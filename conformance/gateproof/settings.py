"""A run's settings, from the options and the files they name."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateproof.catalogue import catalogue
from gateproof.checks import Selection, product
from gateproof.edition import DRAFT, edition, newest
from gateproof.files import (
    Baseline,
    FileError,
    Gateway,
    fault_of_header,
    fault_of_url,
    load_baseline,
    load_gateway,
)
from gateproof.files.claims import claims_of
from gateproof.pairs import MODES, Pair, matching

DEFAULT_LISTEN = "127.0.0.1:8089"


class SettingsError(ValueError):
    """An option that cannot be used; the message says which and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a run was asked to do. `assume` is None when dialects are to be detected."""

    edition: str
    gateway: Gateway
    listen: tuple[str, int]
    attach: str
    token: str
    assume: tuple[Pair, ...] | None
    baseline: Baseline
    selection: Selection
    strict: bool
    patience: float
    report_dir: Path


def read(option: Callable[[str], Any]) -> Settings:
    """Settings from options by name. Raises SettingsError."""
    try:
        return _read(option)
    except (FileError, ValueError) as error:
        raise SettingsError(str(error)) from error


def _read(option: Callable[[str], Any]) -> Settings:
    chosen = option("edition") or newest()
    try:
        edition(chosen)
    except ValueError as error:
        raise SettingsError(f"--edition: {error}") from error
    file = option("gateway")
    configuration = option("gateway_configuration") or ""
    if configuration and not file:
        raise SettingsError("--gateway-configuration: give --gateway FILE, whose [configurations] are meant")
    gateway = load_gateway(Path(file), configuration) if file else Gateway()
    if option("for_publication"):
        _states_every_claim(file, gateway, chosen)
    if option("gateway_url"):
        gateway = replace(gateway, url=_url("--gateway-url", option("gateway_url")), start=None)
    if not gateway.url and not gateway.start:
        raise SettingsError(f"{file or 'no gateway'}: no gateway.url and no gateway.start; give --gateway-url")
    if option("gateway_key"):
        _sendable("--gateway-key", "Authorization", option("gateway_key"))
        gateway = replace(gateway, key=option("gateway_key"))
    gateway = replace(gateway, headers=gateway.headers + tuple(_header(h) for h in option("gateway_header")))
    models = dict(gateway.models)
    for given in option("gateway_model"):
        name, equals, model = given.partition("=")
        if not (model if equals else given):
            raise SettingsError("--gateway-model: expected [PAIR=]MODEL")
        if equals:
            models[str(_pair("--gateway-model", name))] = model
        else:
            gateway = replace(gateway, model=given)
    gateway = replace(gateway, models=models)
    for mode in option("mode"):
        if mode not in MODES:
            raise SettingsError(f"--mode: {mode!r} is not a mode; modes are {', '.join(MODES)}")
    try:
        matching(tuple(option("pair")))
    except ValueError as error:
        raise SettingsError(f"--pair: {error}") from error
    assumed = [name for given in option("assume") for name in given.split(",")]
    report_dir = Path(option("report_dir") or "gateproof-report")
    if report_dir.exists() and not report_dir.is_dir():
        raise SettingsError(f"--report-dir: {report_dir} is a file")
    token = option("upstream_token") or ""
    _sendable("--upstream-token", "Authorization", token)
    return Settings(
        edition=chosen,
        gateway=gateway,
        listen=_listen("--upstream-listen", option("upstream_listen") or DEFAULT_LISTEN),
        attach=_url("--upstream-attach", option("upstream_attach")) if option("upstream_attach") else "",
        token=token,
        assume=tuple(_pair("--assume", name) for name in assumed) if assumed else None,
        baseline=_baseline(option("baseline"), chosen),
        selection=Selection(_ids(option("id"), chosen), tuple(option("pair")), tuple(option("mode"))),
        strict=bool(option("strict")),
        patience=_factor(option("patience") or "1"),
        report_dir=report_dir,
    )


def _states_every_claim(file: str | None, gateway: Gateway, chosen: str) -> None:
    if not file:
        raise SettingsError("--for-publication: give --gateway FILE, where each claim is stated")
    missing = [claim.name for claim in claims_of(edition(chosen)) if claim.name not in gateway.stated]
    if missing:
        raise SettingsError(
            f"{file}: for publication each claim of edition {chosen} is stated, and these are not: {', '.join(missing)}. "
            f"Write each below [claims], as `{missing[0]} = false` if the gateway does not do it; `gateproof list --claims` says "
            "what each means."
        )


def _baseline(file: str | None, chosen: str) -> Baseline:
    if not file:
        return Baseline()
    baseline = load_baseline(Path(file))
    if baseline.edition:
        try:
            edition(baseline.edition)
        except ValueError as error:
            raise SettingsError(f"{file}: edition: {error}") from error
    if wrong := baseline.fault_on(chosen):
        raise SettingsError(
            f"{file}: {wrong}; give --edition {baseline.edition}, or bring the baseline to {chosen} with "
            f"`gateproof baseline {file} --update` after a run without it"
        )
    return baseline


def _url(flag: str, value: str) -> str:
    if wrong := fault_of_url(value):
        raise SettingsError(f"{flag}: {wrong}")
    return value


def _sendable(flag: str, name: str, value: str) -> None:
    if wrong := fault_of_header(name, value):
        raise SettingsError(f"{flag}: {wrong}")


def _pair(flag: str, name: str) -> Pair:
    try:
        return Pair.parse(name.strip())
    except ValueError as error:
        raise SettingsError(f"{flag}: {error}") from error


def _header(given: str) -> tuple[str, str]:
    name, colon, value = given.partition(":")
    if not colon or not name.strip():
        raise SettingsError("--gateway-header: expected NAME:VALUE")
    _sendable("--gateway-header", name.strip(), value.strip())
    return name.strip(), value.strip()


def parse_listen(given: str) -> tuple[str, int]:
    """HOST:PORT. Raises SettingsError."""
    host, colon, port = given.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or len(port) > 5 or int(port) > 65535:
        raise SettingsError(f"{given!r} is not HOST:PORT, such as {DEFAULT_LISTEN}")
    if ":" in host:
        raise SettingsError(f"{given!r}: IPv6 addresses are not served; give an IPv4 one, such as {DEFAULT_LISTEN}")
    return host or "127.0.0.1", int(port)


def _listen(flag: str, given: str) -> tuple[str, int]:
    try:
        return parse_listen(given)
    except SettingsError as error:
        raise SettingsError(f"{flag}: {error}") from error


def _ids(globs: Iterable[str], chosen: str) -> tuple[str, ...]:
    for glob in globs:
        taken = Selection((glob,))
        if not any(taken.takes(check) for check in product()):
            near = difflib.get_close_matches(glob.partition("[")[0], list(catalogue()), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "; see `gateproof list`"
            raise SettingsError(f"--id: {glob!r} names no requirement{hint}")
        if not any(taken.takes(check) for check in product(edition(chosen))):
            raise SettingsError(f"--id: {glob!r} is not in edition {chosen}; give --edition {DRAFT}")
    return tuple(globs)


def _factor(given: str) -> float:
    try:
        factor = float(given)
    except ValueError:
        factor = 0
    if not 0 < factor < 1000:
        raise SettingsError(f"--patience: {given!r} is not a number above 0 and below 1000")
    return factor
