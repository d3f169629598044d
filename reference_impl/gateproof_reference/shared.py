"""What the request readers of all APIs share: typed fields, parameters of one name, and the refusal of the rest."""

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from gateproof_reference.failures import bad_request, unsupported
from gateproof_reference.wirejson import Object

T = TypeVar("T")

SHARED = (
    *("temperature", "top_p", "metadata", "user", "parallel_tool_calls", "service_tier", "store"),
    *("safety_identifier", "prompt_cache_key"),
)
"""Parameters with the same name, type and meaning in Chat Completions and in Responses (OpenAI API reference)."""

_NAMES: dict[type, str] = {bool: "a boolean", int: "an integer", str: "a string", list: "an array", dict: "an object"}


def field(body: Mapping[Any, Any], name: str, kind: type[T], where: str = "") -> T | None:
    """Return an optional member; null is absent. Raise RefusedError (400) if it has another type."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        path = f"{where}.{name}" if where else name
        raise bad_request(f"{path} must be {_NAMES[kind]}", path)
    return value


def reject_unknown(
    body: Object, read: Collection[str], harmless: Mapping[str, tuple[object, ...]], hints: Collection[str]
) -> None:
    """Raise RefusedError for the first parameter that would be lost in translation.

    To leave it out silently would answer another question than was asked (litellm#41913).
    """
    for name, value in body.items():
        if value is None or name in read or name in SHARED or name in hints or value in harmless.get(name, ()):
            continue
        raise unsupported(name, "the upstream's API has no such parameter")
