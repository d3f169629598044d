"""The suite runs in a clone of the project too, though pytest reads the conftests of the project's own tests there.

Here, for this environment has what the README's first command installs and, but for pytest-randomly, no more.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from whole_runs import CEILING

CLONE = Path(__file__).resolve().parents[2]
NOBODY = "http://127.0.0.1:9"


def test_the_suite_gets_as_far_as_the_gateway(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", f"--gateway-url={NOBODY}", "--gateway-model=m"),
            *("--upstream-listen=127.0.0.1:0", f"--report-dir={tmp_path}"),
        ],
        cwd=CLONE,
        capture_output=True,
        text=True,
        timeout=CEILING,
        check=False,
    )

    assert f"Nothing listens at {NOBODY}" in done.stdout + done.stderr, done.stdout + done.stderr
