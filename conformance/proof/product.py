"""The full product as it was last measured: how many checks each mutant was asked, and which caught it."""

from __future__ import annotations

import fcntl
import json
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from whole_runs import Run

FILE = Path(__file__).with_name("product.json")


@cache
def read() -> dict[str, Any]:
    """Return what is committed: by mutant, `asked` is a number of checks, `caught` the number that failed by requirement."""
    return dict(json.loads(FILE.read_text("utf-8")))


def write(mutant: str, run: Run) -> None:
    """Put one mutant's run in the file; xdist's workers take turns."""
    caught = Counter(
        check["id"] for check in run.report["checks"] if check["id"] in run.caught and check["verdict"] != "pass"
    )
    with FILE.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        known = json.load(file)
        known[mutant] = {"asked": len(run.verdicts), "caught": dict(sorted(caught.items()))}
        lines = (f"{json.dumps(name)}: {json.dumps(told)}" for name, told in sorted(known.items()))
        file.seek(0)
        file.truncate()
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
