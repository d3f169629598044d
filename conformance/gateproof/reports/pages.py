"""What the report and the matrix across gateways have in common as pages: one file each, that needs no network.

Whatever stands in a report may come from a hostile gateway. Three walls: characters that are invisible, reorder text or are
no text at all are spelt out (`spelt_out`), the templates escape everything (autoescape; nothing is ever marked safe but a
page's own style and script), and a Content-Security-Policy lets only that style and that script run, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR


@dataclass(frozen=True, slots=True)
class Kind:
    """A verdict as a page shows it."""

    verdict: str
    letter: str
    css: str
    heading: str
    meaning: str


KINDS = (
    Kind(FAIL, "F", "fail", "Failures", "The gateway did something else than the requirement says."),
    Kind(
        NOT_TESTABLE,
        "T",
        "untestable",
        "Not testable",
        "Claimed, but it could not be exercised: the calls reach the upstream in another dialect, say. Counts as a failure.",
    ),
    Kind(
        STALE,
        "S",
        "stale",
        "Stale baseline entries",
        "The baseline expects a failure and the check passes: remove the entry. Counts as a failure.",
    ),
    Kind(
        SUITE_ERROR,
        "E",
        "error",
        "Suite errors",
        "A fault of the suite, not of the gateway: it tells nothing about it.",
    ),
    Kind(
        BLOCKED,
        "B",
        "blocked",
        "Blocked",
        "Something else stood in the way: the plain turn of this pair and mode fails, or the gateway locked its upstream out.",
    ),
    Kind(SHOULD, "W", "should", "Warnings", "A SHOULD that does not hold. Fails the run only with --strict."),
    Kind(KNOWN, "K", "known", "Known failures", "Failures that the baseline gives a reason for."),
    Kind(PASS, "✓", "pass", "Passed", "The requirement held."),
)
"""In the order of a page, which is from the worst on."""

KIND_OF = {kind.verdict: kind for kind in KINDS}


@cache
def template(name: str) -> Template:
    """One of the templates beside this file."""
    environment = Environment(
        loader=PackageLoader("gateproof", "reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["hash"] = _hash
    environment.filters["said"] = said
    environment.filters["fragment"] = fragment
    return environment.get_template(name)


def _hash(source: str) -> str:
    """A Content-Security-Policy's name for an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def said(place: str) -> str:
    """`chat.responses.stream` as people say it: chat<responses stream."""
    surface, _, rest = place.partition(".")
    dialect, _, mode = rest.partition(".")
    return f"{surface}<{dialect} {mode}".strip()


def fragment(anchor: str) -> str:
    """A link to an id of a page."""
    return "#" + quote(anchor, safe="")


def when(at: float) -> str:
    """Unix time as a date and minute."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC") if at else "unknown"


# --- text that is safe to look at ---------------------------------------------------------------------

# Controls but for tab and line feed, what reorders or hides text, surrogates without their other half, and noncharacters.
STRANGE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\uffff"
    "\U000e0000-\U000e0fff]"
)


def spelt_out(value: Any) -> Any:
    """A copy of a JSON document in which strange characters are spelt out."""
    if isinstance(value, str):
        return STRANGE.sub(_spelt, value)
    if isinstance(value, dict):
        return {spelt_out(key): spelt_out(item) for key, item in value.items()}
    if isinstance(value, list):
        return [spelt_out(item) for item in value]
    return value


def _spelt(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x20:
        # Unicode has a picture of each, and ends of lines are evidence that shouldn't drown the text.
        return chr(0x2400 + code)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
