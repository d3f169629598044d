"""What Gateproof's pytest plugins cost a run that has nothing to do with it: `python benchmarks/plugin_cost.py [ROUNDS]`.

One empty test, in a pytest with no plugin but pytest's own, and with ours; and with those that our dependencies bring, which
pytest loads by itself. Medians, in turns, so that whatever else the machine does falls on all.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

KINDS: dict[str, tuple[str, ...]] = {
    "pytest alone": (),
    "with Gateproof's plugins": ("-p", "gateproof.plugin", "-p", "gateproof_mock.fixtures"),
    "with pytest-httpserver's": ("-p", "pytest_httpserver.pytest_plugin"),
    "with pytest-xdist's": ("-p", "xdist.plugin"),
}


def once(folder: Path, plugins: tuple[str, ...]) -> float:
    """Milliseconds of CPU, for the machine may be busy."""
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    before = os.times()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugins, "test_empty.py"]
    subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, check=True)
    after = os.times()
    return 1000 * (after.children_user + after.children_system - before.children_user - before.children_system)


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    taken: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "test_empty.py").write_text("def test_empty():\n    pass\n", "utf-8")
        for plugins in KINDS.values():
            once(folder, plugins)
        for _ in range(rounds):
            for kind, plugins in KINDS.items():
                taken[kind].append(once(folder, plugins))
    alone = median(taken["pytest alone"])
    print(f"{rounds} rounds of one empty test, CPU; {time.strftime('%Y-%m-%d')}, Python {sys.version.split()[0]}")
    for kind, each in taken.items():
        more = f", {median(each) - alone:+.0f} ms" if each is not taken["pytest alone"] else ""
        print(f"{kind}: {median(each):.0f} ms{more}")


if __name__ == "__main__":
    main()
