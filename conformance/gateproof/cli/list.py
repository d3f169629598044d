"""`gateproof list`: the requirements of an edition, its checks, or the claims that switch them on."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from fnmatch import fnmatchcase

from gateproof.catalogue import Requirement, catalogue
from gateproof.checks import Check, Selection, product
from gateproof.edition import edition, newest
from gateproof.files.claims import claims_of
from gateproof.pairs import matching
from gateproof.settings import SettingsError


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("glob", nargs="*", metavar="GLOB", help="only these ids; with --claims, only these claims")
    parser.add_argument("--pair", action="append", default=[], metavar="GLOB", help="only requirements of these pairs")
    parser.add_argument("--edition", default=newest(), metavar="NAME", help="of this edition (default: the newest)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--checks", action="store_true", help="the names of the checks instead")
    what.add_argument("--claims", action="store_true", help="the claims of gateway.toml instead, and what each changes")


def run(arguments: argparse.Namespace) -> int:
    try:
        matching(tuple(arguments.pair))
    except (ValueError, SettingsError) as error:
        print(f"gateproof list: --pair: {error}")
        return 4
    try:
        requirements = edition(arguments.edition)
    except ValueError as error:
        print(f"gateproof list: --edition: {error}")
        return 4
    if arguments.claims:
        return _claims(requirements, tuple(arguments.glob))
    selection = Selection(tuple(arguments.glob), tuple(arguments.pair))
    checks = [c for c in product(requirements) if selection.takes(c)]
    if not checks:
        print("gateproof list: nothing has such an id; `gateproof list` shows all")
        return 5
    if arguments.checks:
        for check in checks:
            print(check.name)
        return 0
    ids = list(dict.fromkeys(c.requirement.id for c in checks))
    untestable = [r for r in requirements if r.untestable and _is_taken(r, selection)]
    width = max(map(len, ids))
    for name in ids:
        requirement = catalogue()[name]
        claimed = f" (claimed: {', '.join(requirement.needs)})" if requirement.needs else ""
        print(f"{name:<{width}}  {requirement.level:<6}  {requirement.text}{claimed}")
    for requirement in untestable:
        print(
            f"{requirement.id:<{width}}  {requirement.level:<6}  {requirement.text} (not testable: {requirement.untestable})"
        )
    print(f"{len(ids)} requirements, {len(checks)} checks, {len(untestable)} not testable; edition {arguments.edition}")
    return 0


def _claims(requirements: Iterable[Requirement], globs: tuple[str, ...]) -> int:
    chosen = [c for c in claims_of(requirements) if not globs or any(fnmatchcase(c.name, glob) for glob in globs)]
    if not chosen:
        print("gateproof list: no claim has such a name; `gateproof list --claims` shows all")
        return 5
    for claim in chosen:
        print(claim.name)
        print("\n".join(claim.told("  ")))
    return 0


def _is_taken(requirement: Requirement, selection: Selection) -> bool:
    return any(
        selection.takes(Check(requirement, pair, mode)) for pair in requirement.pairs for mode in requirement.modes
    )
