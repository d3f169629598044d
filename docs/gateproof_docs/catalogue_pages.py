"""The catalogue as pages: one for each area, and one that lists them."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from gateproof.catalogue import Requirement, catalogue
from gateproof.checks import product
from gateproof.edition import edition, newest
from gateproof.pairs import DIALECTS, MODES, SURFACES, Pair
from gateproof.registry import alone, cases, invariants
from gateproof_docs.diagrams import diagram
from gateproof_docs.markdown import cell, prose
from gateproof_docs.recording import Recorded, load

FOLDER = "catalogue"
INDEX = f"{FOLDER}/index.md"


def areas() -> dict[str, list[Requirement]]:
    """The requirements of each area, in the catalogue's order."""
    found: dict[str, list[Requirement]] = {}
    for requirement in catalogue().values():
        found.setdefault(requirement.area, []).append(requirement)
    return found


def pages() -> dict[str, str]:
    """The Markdown of every page by its path."""
    recorded, catchers = load(), mutants_by_requirement()
    made = {f"{FOLDER}/{area}.md": _area(area, rs, recorded, catchers) for area, rs in areas().items()}
    return {INDEX: _index()} | made


# --- the mutants -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mutant:
    """A line of `gateproof reference --list-mutants`."""

    name: str
    options: str
    caught_by: tuple[str, ...]


@cache
def mutants() -> tuple[Mutant, ...]:
    """Asked of the reference as a process, as `gateproof demo` does: nobody imports the reference."""
    command = [sys.executable, "-m", "gateproof_reference", "--list-mutants"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    rows = (line.split("\t") for line in listed.stdout.splitlines())
    return tuple(Mutant(name, options, tuple(ids.split())) for name, options, _, ids in rows)


def mutants_by_requirement() -> dict[str, list[Mutant]]:
    """Which mutants each requirement catches."""
    found: dict[str, list[Mutant]] = {}
    for mutant in mutants():
        for id in mutant.caught_by:
            found.setdefault(id, []).append(mutant)
    return found


# --- the pages ---------------------------------------------------------------------------------------


_INTRODUCTION = """\
# The catalogue

{requirements} requirements, {checks} checks: each requirement is asked on each of its pairs, in each of its modes. The newest
edition is {edition}; it holds {pinned} of them. A pair such as `chat.responses`, said chat<responses, is Chat Completions served
to the client from an upstream that speaks Responses.

These pages are made from the catalogue itself, from the code of the cases, from what `gateproof reference --list-mutants` says,
and from a recording of the reference. A mutant is the reference with one defect: `gateproof demo --mutant NAME` shows what it
looks like. `gateproof list` and `gateproof explain ID` say the same in a terminal.

| area | requirements | MUST | checks |
|---|--:|--:|--:|"""


def _index() -> str:
    figures = {
        "requirements": len(catalogue()),
        "checks": len(product()),
        "edition": newest(),
        "pinned": len(edition(newest())),
    }
    lines = [_INTRODUCTION.format(**figures)]
    for area, requirements in areas().items():
        musts = sum(r.level == "MUST" for r in requirements)
        lines.append(f"| [{area}]({area}.md) | {len(requirements)} | {musts} | {len(product(requirements))} |")
    lines += ["", "## All of them", "", "| requirement | level | |", "|---|---|---|"]
    for requirement in catalogue().values():
        lines.append(f"| {link(requirement.id, '')} | {requirement.level} | {cell(requirement.text)} |")
    return "\n".join(lines) + "\n"


def link(id: str, to_folder: str = f"{FOLDER}/") -> str:
    """A Markdown link to a requirement; `to_folder` leads from the page to the catalogue's folder."""
    return f"[`{id}`]({to_folder}{id.partition('.')[0]}.md#{id})"


def _area(
    area: str, requirements: list[Requirement], recorded: Mapping[str, Recorded], catchers: Mapping[str, list[Mutant]]
) -> str:
    musts = sum(r.level == "MUST" for r in requirements)
    checks = len(product(requirements))
    told = f"{len(requirements)} requirements, {musts} of them a MUST; {checks} checks. Run them: `--id '{area}.*'`.\n"
    return "\n".join(
        [f"# {area}\n", told, *(_requirement(r, recorded.get(r.id), catchers.get(r.id, [])) for r in requirements)]
    )


def _requirement(requirement: Requirement, recorded: Recorded | None, catchers: list[Mutant]) -> str:
    name = requirement.id.partition(".")[2]
    level = f"<span class='gp-level gp-{requirement.level.lower()}'>{requirement.level}</span>"
    parts = [
        f"## {name} {{ #{requirement.id} }}",
        f"`{requirement.id}` {level} {_standing(requirement)}",
        prose(requirement.text),
        f"**Harm.** {prose(requirement.harm)}",
        f"**Source.** {prose('; '.join(requirement.source))}.",
        _conditions(requirement),
        _places(requirement),
    ]
    if requirement.untestable:
        parts.append(f"**No run can show it:** {prose(requirement.untestable)}.")
    else:
        parts += [_mutants(catchers), _script(requirement, recorded), _oracle(requirement)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _standing(requirement: Requirement) -> str:
    counts = f"edition {newest()}" if requirement in edition(newest()) else "not in the newest edition"
    return f"revision {requirement.revision}, {counts}"


def _conditions(requirement: Requirement) -> str:
    lines = [f"- {level} on `{glob}`" for glob, level in requirement.levels.items()]
    lines += [f"- accepted, **{name}**: {prose(words)}" for name, words in requirement.alternatives.items()]
    lines += [f"- only with the claim [`{n}`](../reference/gateway-file.md#claims.{n})" for n in requirement.needs]
    if requirement.when:
        lines.append("- only where the gateway streams upstream for a JSON client")
    if requirement.beside:
        lines.append(f"- asked on the surface `{requirement.beside}` too, to compare")
    if alone(requirement.id):
        lines.append("- runs alone: no other case is in flight")
    return "\n".join(lines)


_TICKS = {"stream": "stream", "json": "JSON", "both": "both, compared"}


def _places(requirement: Requirement) -> str:
    """A small matrix: surfaces down, dialects across, modes in the cells."""
    words = ", ".join(_TICKS[mode] for mode in MODES if mode in requirement.modes)
    lines = ["| client speaks | " + " | ".join(f"from {d}" for d in DIALECTS) + " |", "|---|" + "---|" * len(DIALECTS)]
    for surface in SURFACES:
        if any(pair.surface == surface for pair in requirement.pairs):
            cells = (words if Pair(surface, d) in requirement.pairs else "" for d in DIALECTS)
            lines.append(f"| {surface} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _mutants(catchers: list[Mutant]) -> str:
    if not catchers:
        return (
            "**Caught by it:** no mutant of the reference; null gateways or faults of the wire show that it can fail."
        )
    names = ", ".join(f"`{m.name}`" + (f" (started with `{m.options}`)" if m.options else "") for m in catchers)
    noun = "mutant" if len(catchers) == 1 else "mutants"
    return f"**Catches** {len(catchers)} {noun}: {names}."


def _script(requirement: Requirement, recorded: Recorded | None) -> str:
    if requirement.invariant:
        return "**Watched on every exchange** of a run, whatever case it belongs to."
    if recorded is None or not recorded["scripts"]:
        return ""
    title = f"What the upstream says, on {recorded['check'].partition('[')[2].removesuffix(']')}"
    return _folded(title, diagram(recorded))


def _oracle(requirement: Requirement) -> str:
    function = invariants()[requirement.id] if requirement.invariant else cases()[requirement.id]
    return _folded("The oracle", f"```python\n{inspect.getsource(function).strip()}\n```")


def _folded(title: str, body: str) -> str:
    """A closed `details` block of pymdown."""
    indented = re.sub(r"^(?=.)", "    ", body, flags=re.MULTILINE)
    return f'??? note "{title}"\n\n{indented}'
