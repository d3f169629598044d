"""Token counts, which Chat Completions and Responses write alike but for two words."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import Missing, dig
from gateproof.answers.answer import Usage


def read(document: Any, asked: str, said: str) -> Any:
    """A usage object whose totals are called `asked` and `said` (`prompt_tokens`, `completion_tokens`), or MISSING."""
    if not isinstance(document, dict):
        return Missing("usage")
    inputs, outputs = document.get(f"{asked}_details"), document.get(f"{said}_details")
    return Usage(
        input=dig(document, asked, path=f"usage.{asked}"),
        output=dig(document, said, path=f"usage.{said}"),
        total=dig(document, "total_tokens", path="usage.total_tokens"),
        cached=_count(inputs, "cached_tokens"),
        reasoning=_count(outputs, "reasoning_tokens"),
        audio_input=_count(inputs, "audio_tokens"),
        audio_output=_count(outputs, "audio_tokens"),
        accepted_prediction=_count(outputs, "accepted_prediction_tokens"),
        rejected_prediction=_count(outputs, "rejected_prediction_tokens"),
    )


def _count(details: Any, key: str) -> Any:
    value = details.get(key) if isinstance(details, dict) else None
    return 0 if value is None else value
