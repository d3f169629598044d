"""Deliberately wrong gateways: the reference with exactly one defect each, declared by area."""

from gateproof_reference.mutants import (  # noqa: F401  (importing declares)
    aggregate,
    answers,
    clock,
    content,
    door,
    ending,
    error,
    failure,
    forms,
    framing,
    history,
    isolation,
    lifecycle,
    limit,
    messages,
    mix,
    request,
    route,
    sse,
    tools,
    transport,
    usage,
    wire,
)
from gateproof_reference.mutants.registry import MUTANTS

__all__ = ["MUTANTS"]
