"""`gateproof reference` and `gateproof translate`: modules of the reference as processes, with the same options.

The reference is never imported here: suite and reference are two independent readings of the rules.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence


def start(arguments: Sequence[str], module: str = "gateproof_reference") -> int:
    """Become this module of the reference. Does not return where the system can replace a process."""
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])
    return 0
