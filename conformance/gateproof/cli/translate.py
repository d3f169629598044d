"""`gateproof translate`: `python -m gateproof_reference.translate` with the same options."""

from __future__ import annotations

from collections.abc import Sequence

from gateproof.cli import reference


def start(arguments: Sequence[str]) -> int:
    """Become the command of the reference. Does not return where the system can replace a process."""
    return reference.start(arguments, "gateproof_reference.translate")
