"""`gateproof reference`: `python -m gateproof_reference` with the same options."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def start(arguments: Sequence[str]) -> int:
    """Become the reference. Does not return where the system can replace a process."""
    os.execv(sys.executable, [sys.executable, "-m", "gateproof_reference", *arguments])
    return 0
