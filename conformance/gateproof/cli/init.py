"""`gateproof init URL`: asks a running gateway what a run's preflight asks, and writes a first gateway.toml."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateproof.cli.run import add_suite_options
from gateproof.options import OPTIONS, REPEATABLE, dest, from_environment
from gateproof.verdicts import EXIT_NOTHING, EXIT_OK, EXIT_USAGE

if TYPE_CHECKING:
    from gateproof.house import House
    from gateproof.settings import Settings

_HERE = ("--gateway-key", "--gateway-header", "--gateway-model")
_HERE_AND_IN_A_RUN = ("--upstream-listen", "--upstream-attach", "--upstream-token", "--patience")
"""Options of a run that the file cannot hold: the next command has to repeat them."""

_OTHERS = [flag for flag, _, _ in OPTIONS if flag not in (*_HERE, *_HERE_AND_IN_A_RUN)]


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL", help="the gateway: an origin, or origin + /v1")
    add_suite_options(parser, without=_OTHERS)
    parser.add_argument(
        "--gateway-path",
        metavar="SURFACE=PATH",
        action="append",
        default=[],
        help="where chat, responses or messages is served, if not at the usual path (repeatable)",
    )
    parser.add_argument("-o", "--output", metavar="FILE", default="gateway.toml", help="(default ./gateway.toml)")
    parser.add_argument("--force", action="store_true", help="replace the file if it is there")


def run(arguments: argparse.Namespace) -> int:
    from gateproof.house import House
    from gateproof.preflight import Refused
    from gateproof.redact import Redactor

    file = Path(arguments.output)
    try:
        _can_be_written(file, force=arguments.force)
        settings = _settings(arguments)
    except ValueError as error:
        print(f"gateproof init: {error}")
        return EXIT_USAGE
    gateway = settings.gateway
    redactor = Redactor([gateway.key, *(value for _, value in gateway.headers if value)])
    house = House(settings)
    try:
        house.open()
    except Refused as refused:
        print(f"gateproof init: {redactor.text(str(refused))}\nNothing was written.")
        return EXIT_NOTHING
    finally:
        house.close()
    try:
        _write(file, house, model_named=bool(gateway.model))
    except (OSError, ValueError) as error:
        print(f"gateproof init: {file}: {error}")
        return EXIT_USAGE
    print(redactor.text(_found(house)))
    print(
        f"\n{file} is written: every claim that it can make is in there as a comment.\nNext:\n\n{_next(arguments, settings)}"
    )
    return EXIT_OK


def _can_be_written(file: Path, *, force: bool) -> None:
    """Known now, and not when the gateway has been asked. Raises ValueError."""
    if file.is_dir():
        raise ValueError(f"{file} is a folder")
    if not file.absolute().parent.is_dir():
        raise ValueError(f"{file}: there is no such folder")
    if file.exists() and not force:
        raise ValueError(f"{file} is there already; --force replaces it, -o FILE writes another")


def _settings(arguments: argparse.Namespace) -> Settings:
    """Raises ValueError."""
    from gateproof.settings import read

    def option(name: str) -> Any:
        if name == "gateway_url":
            return arguments.url
        if not hasattr(arguments, name):
            return [] if name in REPEATABLE else None
        given = getattr(arguments, name)
        return from_environment(name) if given is None else given

    settings = read(option)
    paths = dict(_path(given) for given in arguments.gateway_path)
    return replace(settings, gateway=replace(settings.gateway, paths=paths))


def _path(given: str) -> tuple[str, str]:
    from gateproof.pairs import SURFACES

    surface, _, path = given.partition("=")
    if surface not in SURFACES or not path.startswith("/"):
        raise ValueError(
            f"--gateway-path: expected SURFACE=/PATH, with a surface of {', '.join(SURFACES)}; got {given!r}"
        )
    return surface, path


def _write(file: Path, house: House, *, model_named: bool) -> None:
    from gateproof.files.first_gateway import first_gateway
    from gateproof.pairs import Pair
    from gateproof.reports.render import write_whole

    served = {Pair.parse(place.rpartition(".")[0]) for place in house.findings.served}
    write_whole(file, first_gateway(house.gateway, served, model_named=model_named))


def _found(house: House) -> str:
    findings, gateway = house.findings, house.gateway
    lines = [f"gateway: {gateway.origin}, model {gateway.model!r}", f"found: {findings.describe()}"]
    lines += [f"not served: {place} ({answer})" for place, answer in findings.unserved.items()]
    lines += [f"does not work yet: {cause}" for cause in findings.blocked.values()]
    return "\n".join(lines)


def _next(arguments: argparse.Namespace, settings: Settings) -> str:
    from gateproof.files.first_gateway import KEY_VARIABLE, variable_of

    variables = [variable_of(name) for name, _ in settings.gateway.headers]
    if arguments.gateway_key:
        variables.insert(0, KEY_VARIABLE)
    lines = [f"  export {name}=..." for name in variables]
    command = ["gateproof", "run", "--gateway", arguments.output]
    for flag in _HERE_AND_IN_A_RUN:
        given = getattr(arguments, dest(flag))
        if given is not None:
            command += [flag, "..." if flag == "--upstream-token" else given]
    return "\n".join([*lines, f"  {shlex.join(command)}"])
