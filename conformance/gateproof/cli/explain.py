"""`gateproof explain ID`."""

from __future__ import annotations

import argparse
import difflib
import inspect
import textwrap

from gateproof.catalogue import catalogue
from gateproof.checks import product
from gateproof.registry import cases, invariants

NEAR = 3
"""Ids that are offered for one that there is not."""


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="ID", help="a requirement's id, or a check's name")


def run(arguments: argparse.Namespace) -> int:
    wanted = arguments.id.partition("[")[0]
    requirement = catalogue().get(wanted)
    if requirement is None:
        # Half an id is as common a slip as a wrong letter.
        holds = [id for id in catalogue() if wanted and wanted in id][:NEAR]
        near = holds or difflib.get_close_matches(wanted, list(catalogue()), n=NEAR)
        hint = f"; did you mean {', '.join(near)}?" if near else "; see `gateproof list`"
        print(f"gateproof explain: there is no requirement {wanted!r}{hint}")
        return 4
    print(f"{requirement.id}  {requirement.level}  revision {requirement.revision}")
    print(textwrap.fill(requirement.text, 100, initial_indent="  ", subsequent_indent="  "))
    rows = [("source", "; ".join(requirement.source)), ("harm", requirement.harm)]
    rows += [("level on " + glob.replace(".", "<"), level) for glob, level in requirement.levels.items()]
    rows += [("accepted: " + name, words) for name, words in requirement.alternatives.items()]
    if requirement.needs:
        rows.append(("claimed by", ", ".join(requirement.needs) + " in gateway.toml"))
    if requirement.untestable:
        rows.append(("not testable", requirement.untestable))
    if requirement.when:
        rows.append(("only where", "the gateway streams upstream for a JSON client"))
    for label, words in rows:
        print(textwrap.fill(f"{label}: {words}", 100, subsequent_indent="    ", break_long_words=False))
    if requirement.untestable:
        return 0
    print("checks:")
    for check in product([requirement]):
        print(f"  {check.name}")
    function = invariants()[wanted] if requirement.invariant else cases()[wanted]
    print("watched on every exchange by:" if requirement.invariant else "case:")
    print(textwrap.indent(inspect.getsource(function).strip(), "  "))
    return 0
