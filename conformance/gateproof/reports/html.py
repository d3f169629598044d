"""The HTML report."""

from __future__ import annotations

from typing import Any


def html(report: dict[str, Any]) -> str:
    return f"<!doctype html><title>{report['arithmetic']}</title>"
