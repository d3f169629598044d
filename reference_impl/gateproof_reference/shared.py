"""What the request readers of all APIs share: typed fields, parameters of one name, and the refusal of the rest."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from gateproof_reference.canonical import Image, Returned, Text
from gateproof_reference.failures import RefusedError, bad_request, unsupported

T = TypeVar("T")

SHARED = (
    *("temperature", "top_p", "metadata", "user", "parallel_tool_calls", "service_tier", "store"),
    *("safety_identifier", "prompt_cache_key", "prompt_cache_retention", "prompt_cache_options"),
)
"""Parameters with the same name, type and meaning in Chat Completions and in Responses (OpenAI API reference)."""

FAILED_CALL = "Error: "
"""What stands before the words of a call that failed, in the APIs that have no `is_error` beside them (any-llm#1401)."""

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


def words(value: object, where: str) -> tuple[str, ...]:
    """Return an optional array of strings. Raise RefusedError (400) if it is none."""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise bad_request(f"{where} must be an array of strings", where)
    return tuple(value)


def marked(returned: Returned) -> tuple[Text | Image, ...]:
    """Return what a call returned, for an API that can tell a failure in its words only."""
    if not returned.is_error:
        return returned.parts
    if returned.parts and isinstance(returned.parts[0], Text):
        return (Text(FAILED_CALL + returned.parts[0].text), *returned.parts[1:])
    return (Text(FAILED_CALL.strip()), *returned.parts)


def no_place(asked: Mapping[str, Any], *names: str, where: str = "") -> RefusedError:
    """Return the error to raise for a parameter that the upstream's API has no place for, under the client's name.

    `names` are what the surfaces call it, `where` is the path of the object that holds it.
    """
    name = next((name for name in names if asked.get(name) is not None), names[0])
    return unsupported(f"{where}.{name}" if where else name, "the upstream's API has no such parameter")


def reject_unknown(
    body: Mapping[Any, Any],
    read: Collection[str],
    harmless: Mapping[str, tuple[object, ...]] = MappingProxyType({}),
    hints: Collection[str] = (),
    where: str = "",
) -> None:
    """Raise RefusedError for the first parameter that would be lost in translation.

    `where` is the path of the object that holds them. To leave one out silently would answer another question than was
    asked (litellm#41913).
    """
    for name, value in body.items():
        if value is None or name in read or name in hints or value in harmless.get(name, ()):
            continue
        raise unsupported(f"{where}.{name}" if where else name, "the upstream's API has no such parameter")
