"""Run a gateway that keeps its configuration in the home directory, in a copy of a home that is thrown away afterwards.

python in_a_home.py HOME COMMAND [ARGUMENT ...]

HOME is copied, because such gateways write there too (logs, process ids, caches), and a second run would read that.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from types import FrameType


def main(home: str, *command: str) -> int:
    signal.signal(signal.SIGTERM, _leave)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = shutil.copytree(home, Path(folder) / "home")
        # XDG's folders would win over HOME.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
        with subprocess.Popen(command, env={**inherited, "HOME": str(copy)}) as gateway:
            try:
                return gateway.wait()
            finally:
                gateway.terminate()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
