"""Lies about keys: who may come in, and what is told to whom."""

import traceback
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx

from gateproof_reference.failures import Failure
from gateproof_reference.mutants.registry import mutant


@mutant("client-key-goes-along", seam="api:Api.relayed_headers", caught_by="auth.client-key-stays-home")
def _(original: Any) -> Any:
    """A client's `x-api-key` goes upstream beside the operator's (litellm#32202)."""
    return ("x-api-key",)


@mutant("any-key-will-do", seam="server:Gateway.check_key", caught_by="auth.wrong-key-is-refused")
def _(original: Any) -> Any:
    """Nobody looks at the key."""
    return lambda self, request, surface: None


@mutant("half-a-key-will-do", seam="server:hmac", caught_by="auth.wrong-key-is-refused")
def _(original: Any) -> Any:
    """A key is right if the gateway's begins like it."""
    return SimpleNamespace(compare_digest=lambda given, expected: bool(given) and expected.startswith(given))


@mutant("errors-hold-tracebacks", seam="upstream:failure_of", caught_by="secret.internals-stay-home")
def _(original: Any) -> Any:
    """The client is told where the code broke (litellm#39380)."""

    def failure_of(error: httpx.HTTPError) -> Failure:
        failure: Failure = original(error)
        return replace(failure, message="".join(traceback.format_exception(error)))

    return failure_of
