"""`gateproof list`."""

from __future__ import annotations

import argparse

from gateproof.catalogue import Requirement, catalogue
from gateproof.checks import Check, Selection, product
from gateproof.edition import edition, newest
from gateproof.pairs import matching
from gateproof.settings import SettingsError


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("glob", nargs="*", metavar="GLOB", help="only these ids")
    parser.add_argument("--pair", action="append", default=[], metavar="GLOB", help="only requirements of these pairs")
    parser.add_argument("--edition", default=newest(), metavar="NAME", help="of this edition (default: the newest)")
    parser.add_argument("--checks", action="store_true", help="the names of the checks instead")


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


def _is_taken(requirement: Requirement, selection: Selection) -> bool:
    return any(
        selection.takes(Check(requirement, pair, mode)) for pair in requirement.pairs for mode in requirement.modes
    )
