"""A badge, as the JSON of shields.io's endpoint badges (https://shields.io/badges/endpoint-badge)."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from gateproof.transcript import harmless
from gateproof.verdicts import EXIT_NOTHING, EXIT_OK, EXIT_SUITE_ERROR, FAIL, PASS, exit_code

_ENDED = {EXIT_OK: "brightgreen", EXIT_NOTHING: "lightgrey", EXIT_SUITE_ERROR: "lightgrey"}


def badge(report: dict[str, Any]) -> str:
    """`1984 pass`, or `1504 pass, 217 fail`: green only for a whole run that passed."""
    counts = Counter(check["verdict"] for check in report["checks"])
    code = exit_code(report["checks"], strict=report["strict"])
    if not report["checks"]:
        message = "nothing ran"
    elif code == EXIT_SUITE_ERROR:
        message = "suite error"
    else:
        # What fails the run beside a plain failure is counted with it: a badge has room for one number.
        failing = sum(counts.values()) - counts[PASS] - counts["should"] - counts["known"]
        failing += counts["should"] if report["strict"] else 0
        message = f"{counts[PASS]} pass" + (f", {failing} {FAIL}" if failing else "")
    if not report["complete"]:
        message += ", not finished"
    colour = _ENDED.get(code, "red")
    if colour == "brightgreen" and not report["complete"]:
        colour = "yellow"
    content = {
        "schemaVersion": 1,
        "label": f"gateproof {harmless(report['edition'])}",
        "message": message,
        "color": colour,
    }
    return json.dumps(content) + "\n"
