"""The claims that gateway.toml can make: what each says, and what it changes in a run.

A claim is stated with a value that says yes, or with `false`. Most claims switch requirements on (`needs` in the catalogue); the
others tell a case what to expect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from textwrap import TextWrapper
from typing import Any

from gateproof.catalogue import Requirement
from gateproof_schemas import schema

_WIDTH = 118

READ_BY: Mapping[str, tuple[str, ...]] = {
    "surfaces": (),
    "trailing_slash": (
        "route.compact-ignores-stream",
        "route.compact-is-unary",
        "route.compact-over-chat-is-refused",
    ),
    "concurrency_limit": ("isolation.concurrent-turns-keep-apart", "isolation.stalled-upstream-blocks-nobody"),
    "queue_timeout": (),
    "leaves_out": (
        "identity.response-repeats-what-was-asked",
        "request.allowed-tools-are-kept-or-refused",
        "request.effort-arrives",
        "request.effort-stands-beside-the-rest",
        "request.every-stop-sequence-counts",
        "request.foreign-tools-are-mapped-or-refused",
        "request.format-and-effort-both-arrive",
        "request.format-arrives-whole",
        "request.image-detail-arrives",
        "request.json-mode-arrives-or-is-refused",
        "request.parameters-are-kept-or-refused",
        "request.relay-keeps-what-is-documented",
        "request.stop-sequences-arrive",
        "request.strictness-is-kept",
        "request.summaries-are-asked-for",
    ),
    "adds_keys": ("request.cache-marks-on-parts-stay-here", "request.no-key-of-another-api"),
    "reasoning_content": ("aggregate.chat-turn-is-rebuilt", "aggregate.messages-turn-is-rebuilt"),
    "drains": ("lifecycle.disconnect-closes-the-upstream", "lifecycle.early-disconnect-closes-the-upstream"),
    "idle_model": ("time.busy-stream-outlives-the-idle-timeout", "time.silent-upstream-is-given-up"),
}
"""Claims that cases read without their requirement needing them. The two that none reads are part of every run: `surfaces` is for
the preflight, and `queue_timeout` goes with `concurrency_limit`."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the schema. `example` is a value that says yes; `needed_by` and `read_by` are ids of requirements."""

    name: str
    text: str
    example: Any
    needed_by: tuple[str, ...]
    read_by: tuple[str, ...]

    def told(self, indent: str) -> list[str]:
        """What it says, and then what it changes in a run, as lines that begin with this."""
        sentences = [self.text]
        sentences += [f"Switches on: {', '.join(self.needed_by)}."] if self.needed_by else []
        sentences += [f"Read by: {', '.join(self.read_by)}."] if self.read_by else []
        wrapper = TextWrapper(
            _WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        return [line for sentence in sentences for line in wrapper.wrap(sentence)]


def claims_of(requirements: Iterable[Requirement]) -> list[Claim]:
    """The claims that matter to these requirements, in the schema's order: they need or read them, or every run does."""
    chosen = list(requirements)
    ids = {requirement.id for requirement in chosen}
    found = []
    for name, rule in _rules().items():
        needed_by = tuple(r.id for r in chosen if name in r.needs)
        read_by = tuple(id for id in READ_BY.get(name, ()) if id in ids)
        part_of_every_run = not READ_BY.get(name, (name,))
        if needed_by or read_by or part_of_every_run:
            found.append(Claim(name, rule["description"], rule.get("examples", [True])[0], needed_by, read_by))
    return found


@cache
def _rules() -> Mapping[str, Any]:
    rules: Mapping[str, Any] = schema("own/gateway")["properties"]["claims"]["properties"]
    return rules
