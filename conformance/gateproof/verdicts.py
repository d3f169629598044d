"""Verdicts, and what they do to a run's exit code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PASS = "pass"
FAIL = "fail"
SHOULD = "should"
"""A SHOULD that fails: a warning, or a failure with `--strict`."""
NOT_TESTABLE = "not testable"
"""Claimed, but cannot be exercised: the calls arrive in another dialect, say. Fails."""
KNOWN = "known"
STALE = "stale"
"""The baseline expects a failure, and the check passes. Fails."""
BLOCKED = "blocked"
"""The plain text turn of this pair and mode fails, or the gateway locked us out. Its cause counts once as a failure."""
SUITE_ERROR = "suite error"

RAN = (PASS, FAIL, SHOULD, NOT_TESTABLE, KNOWN, STALE, BLOCKED, SUITE_ERROR)
FAILING = (FAIL, NOT_TESTABLE, STALE)

EXIT_OK, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_SUITE_ERROR, EXIT_USAGE, EXIT_NOTHING = 0, 1, 2, 3, 4, 5


class NotTestable(Exception):
    """Raised in a case: what is claimed could not be exercised."""


class Blocked(Exception):
    """Raised in a case: something else stands in the way. The message is the cause."""


def exit_code(records: Iterable[Mapping[str, Any]], *, strict: bool) -> int:
    """The exit code of a run that was not interrupted."""
    verdicts = [record["verdict"] for record in records]
    if not verdicts:
        return EXIT_NOTHING
    if SUITE_ERROR in verdicts:
        return EXIT_SUITE_ERROR
    failing = (*FAILING, BLOCKED, *([SHOULD] if strict else []))
    return EXIT_FAILED if any(v in failing for v in verdicts) else EXIT_OK


def arithmetic(records: Iterable[Mapping[str, Any]], not_claimed: int) -> str:
    """One line whose numbers add up: `264 checks = 250 pass + 12 fail + 2 should; 31 not claimed`."""
    verdicts = [record["verdict"] for record in records]
    parts = [f"{verdicts.count(v)} {v}" for v in RAN if v in verdicts]
    noun = "check" if len(verdicts) == 1 else "checks"
    total = f"{len(verdicts)} {noun} = {' + '.join(parts)}" if parts else "0 checks"
    return f"{total}; {not_claimed} not claimed" if not_claimed else total


def outcome(report: Mapping[str, Any]) -> str:
    """One word or two for a report document as a whole; "passed" is only said of a run that came to its end."""
    code = exit_code(report["checks"], strict=report["strict"])
    words = {EXIT_NOTHING: "nothing ran", EXIT_SUITE_ERROR: "suite error", EXIT_FAILED: "failed"}
    return words.get(code) or ("passed" if report["complete"] else "not finished")
