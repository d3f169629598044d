"""What the readers and writers of all APIs share: values out of any JSON, and a schema in OpenAI's words."""

from __future__ import annotations

from typing import Any

from gateproof.asking.question import Format


def entries(value: Any) -> list[Any]:
    """The entries of an array; none where there is no array."""
    return value if isinstance(value, list) else []


def text_of(value: Any) -> str:
    """A string; "" where there is none."""
    return value if isinstance(value, str) else ""


def sampling_of(body: Any) -> dict[str, Any]:
    """The parameters that have one name in all APIs, as they came."""
    return {key: body[key] for key in ("temperature", "top_p") if isinstance(body, dict) and body.get(key) is not None}


def schema_of(wanted: Format) -> dict[str, Any]:
    """A named schema with the members that both of OpenAI's APIs give it."""
    members = {"name": wanted.name, "schema": wanted.schema, "strict": wanted.strict}
    return {key: value for key, value in members.items() if value is not None}


def inlined(schema: Any) -> Any:
    """A JSON Schema with its own definitions in the places that refer to them: some gateways send it so, and it means the
    same. A definition that leads to itself stays a reference."""
    definitions = schema.get("$defs") if isinstance(schema, dict) else None
    return _inlined(schema, definitions if isinstance(definitions, dict) else {}, ())


def _inlined(node: Any, definitions: dict[str, Any], within: tuple[str, ...]) -> Any:
    if isinstance(node, list):
        return [_inlined(child, definitions, within) for child in node]
    if not isinstance(node, dict):
        return node
    name = text_of(node.get("$ref")).removeprefix("#/$defs/")
    if name in definitions and name not in within:
        return _inlined(definitions[name], definitions, (*within, name))
    return {key: _inlined(child, definitions, within) for key, child in node.items() if key != "$defs"}
