"""Install a client of npm's: `python install.py node|codex FOLDER` makes FOLDER/node or FOLDER/codex, as the lock file says.

The registry is the one that npm is configured with. A folder that was made from the same lock file stays, with the drivers
of today. Without npm there is nothing to install: the tests then skip and say so; where CI is set, that is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
CEILING = 300.0
LOCK = "package-lock.json"


def install(client: str, folder: Path) -> None:
    """Raises SystemExit with the reason when nothing can be installed and CI is set."""
    source, target = HERE / client, folder / client
    if (target / LOCK).exists() and (target / LOCK).read_bytes() == (source / LOCK).read_bytes():
        for driver in source.glob("*.mjs"):
            shutil.copy(driver, target)
        return
    npm = shutil.which("npm")
    if npm is None:
        reason = f"npm is not installed, from which {client} comes"
        if os.environ.get("CI"):
            raise SystemExit(reason)
        print(f"skipped: {reason}")
        return
    # Beside its place until it is whole: what was broken off is never taken for an installation.
    unfinished = folder / f"{client}-unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
    subprocess.run(command, cwd=unfinished, timeout=CEILING, check=True)
    shutil.rmtree(target, ignore_errors=True)
    unfinished.rename(target)


if __name__ == "__main__":
    install(sys.argv[1], Path(sys.argv[2]))
