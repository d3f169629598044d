"""The full product as it was last measured: how many checks each mutant was asked, and which caught it."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from whole_runs import CAUGHT, Run

FILE = Path(__file__).with_name("full_product.json")


@cache
def read() -> dict[str, Any]:
    """Return what is committed. By mutant: `asked`, the checks of its last whole run, and `caught`, of them and of what joined
    the catalogue since, the number that failed by requirement."""
    return dict(json.loads(FILE.read_text("utf-8")))


def write(mutant: str, run: Run, only: set[str] | None = None) -> None:
    """Put one mutant's run in the file, or what it says about `only` these requirements; xdist's workers take turns."""
    failed = [check for check in run.report.get("checks", []) if check["verdict"] in CAUGHT]
    caught = dict(Counter(check["id"] for check in failed))
    with FILE.open("r+") as file:
        # Held for milliseconds.
        fcntl.flock(file, fcntl.LOCK_EX)
        known = json.load(file)
        asked = len(run.verdicts)
        if only is not None and mutant in known:
            asked = known[mutant]["asked"]
            caught |= {id: count for id, count in known[mutant]["caught"].items() if id not in only}
        known[mutant] = {"asked": asked, "caught": dict(sorted(caught.items()))}
        lines = (f"{json.dumps(name)}: {json.dumps(told)}" for name, told in sorted(known.items()))
        file.seek(0)
        file.truncate()
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
