"""Which keys a closed object may have, by everything that a strict schema says about its place."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from gateproof_schemas.library import Schema, registry

Resolver = Any
"""What `Registry.resolver()` gives; its class has no public name."""


def known_keys(schema: Schema, instance: dict[str, Any]) -> frozenset[str]:
    """The keys that a closed schema of the strict library knows for an instance, which may be wrong in other ways.

    The validator's own complaint about `unevaluatedProperties` is of no use where a part of the schema is broken: to it,
    every key of that part is then unknown, beside the one that is wrong.
    """
    url = _homes().get(id(schema))
    return frozenset(_keys(schema, instance, registry(strict=True).resolver(url or "")))


def _keys(schema: Schema, instance: dict[str, Any], resolver: Resolver) -> Iterator[str]:
    yield from schema.get("properties", ())
    if "$ref" in schema:
        target = resolver.lookup(schema["$ref"])
        yield from _keys(target.contents, instance, target.resolver)
    for part in schema.get("allOf", ()):
        yield from _keys(part, instance, resolver)
    if "if" in schema:
        branch = "then" if Draft202012Validator(schema["if"]).is_valid(instance) else "else"
        yield from _keys(schema.get(branch, {}), instance, resolver)


@cache
def _homes() -> dict[int, str]:
    """By the identity of each closed schema of the library, the address of its file: an error names the schema alone."""
    homes: dict[int, str] = {}
    schemas = registry(strict=True)
    for address in schemas:
        pending: list[Any] = [schemas.contents(address)]
        while pending:
            node = pending.pop()
            if isinstance(node, dict):
                if node.get("unevaluatedProperties") is False:
                    homes[id(node)] = address
                pending.extend(node.values())
            elif isinstance(node, list):
                pending.extend(node)
    return homes
