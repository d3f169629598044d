"""How many checks a second the suite does on the reference, and what each costs: `python benchmarks/suite_speed.py [ROUNDS]`.

Ratios in one run: with one worker, with two. The checks of the concurrency limit are left out: they wait for a time-out.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import median

COMMAND = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())", "run", "-q"]


def measure(gateway: Path, jobs: str, folder: Path) -> tuple[int, float, float]:
    """Checks, seconds from the first check's begin to the last one's end, and CPU seconds of all processes."""
    before = os.times()
    done = subprocess.run(
        [*COMMAND, f"--gateway={gateway}", "--upstream-listen=127.0.0.1:0", f"--report-dir={folder}", "-j", jobs],
        stdout=subprocess.DEVNULL,
        check=False,
    )
    after = os.times()
    if done.returncode != 0:
        raise SystemExit(f"the reference did not pass (exit code {done.returncode}): nothing to measure")
    checks = json.loads((folder / "report.json").read_text("utf-8"))["checks"]
    wall = max(c["began"] + c["seconds"] for c in checks) - min(c["began"] for c in checks)
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return len(checks), wall, cpu


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    spec = find_spec("gateproof_reference")
    assert spec is not None
    assert spec.submodule_search_locations
    text = (Path(spec.submodule_search_locations[0]) / "gateway.toml").read_text("utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        gateway = folder / "gateway.toml"
        gateway.write_text(text.replace("concurrency_limit = 8\n", ""), "utf-8")
        rates: dict[str, list[float]] = {}
        began = time.monotonic()
        for _ in range(rounds):
            for jobs in ("1", "2"):
                checks, wall, cpu = measure(gateway, jobs, folder / f"report-{jobs}")
                rates.setdefault(jobs, []).append(checks / wall)
                rate, cost = checks / wall, 1000 * cpu / checks
                print(f"-j {jobs}: {checks} checks in {wall:.2f} s = {rate:.0f} a second; CPU {cost:.1f} ms a check")
        one, two = median(rates["1"]), median(rates["2"])
        print(f"median: {one:.0f} checks a second with one worker, {two:.0f} with two: {two / one:.2f} times")
        print(f"{rounds} rounds in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
