"""The keys of gateway.toml and of a baseline as tables, from their schemas; and what each claim switches."""

from __future__ import annotations

import json
from typing import Any

from gateproof.edition import DRAFT, edition
from gateproof.files.claims import Claim, claims_of
from gateproof_docs.catalogue_pages import link
from gateproof_docs.markdown import cell, prose
from gateproof_schemas import schema

TO_CATALOGUE = "../catalogue/"


def gateway_tables() -> str:
    """Every table of gateway.toml but the claims, each with a heading."""
    tables = schema("own/gateway")["properties"]
    parts = []
    for name, table in tables.items():
        if name == "claims":
            continue
        parts.append(f"## \\[{name}\\] {{ #{name} }}")
        parts += [prose(table["description"])] if "description" in table else []
        keys = table.get("properties") or table.get("additionalProperties", {}).get("properties")
        parts += [_rows(keys)] if keys else []
    return "\n\n".join(parts)


def baseline_table() -> str:
    """The keys of a baseline, and of an entry of it."""
    keys = schema("own/baseline")["properties"]
    own = {name: value for name, value in keys.items() if name != "known"}
    return f"{_rows(own)}\n\nOf an entry, `[[known]]`:\n\n{_rows(keys['known']['items']['properties'])}"


def all_claims() -> list[Claim]:
    """Every claim of the catalogue as it stands."""
    return claims_of(edition(DRAFT))


def claims() -> str:
    """Each claim with its meaning, and the requirements that it switches on or whose case reads it."""
    return "\n\n".join(_claim(claim) for claim in all_claims())


def _claim(claim: Claim) -> str:
    value = schema("own/gateway")["properties"]["claims"]["properties"][claim.name]
    parts = [f"### {claim.name} {{ #claims.{claim.name} }}", prose(claim.text)]
    parts.append(
        f"{_kind(value).capitalize()}, or `false`. For example `{json.dumps(claim.example)}`."
        if "else" in value
        else "True or false."
    )
    for words, ids in (("Switches on", claim.needed_by), ("Read by the cases of", claim.read_by)):
        parts += [f"{words} " + ", ".join(link(id, TO_CATALOGUE) for id in ids) + "."] if ids else []
    return "\n\n".join(parts)


# --- a schema as rows --------------------------------------------------------------------------------


def _rows(properties: dict[str, Any]) -> str:
    lines = ["| key | | |", "|---|---|---|"]
    lines += [
        f"| `{name}` | {_kind(value)} | {cell(_followed(value).get('description', ''))} |"
        for name, value in properties.items()
    ]
    return "\n".join(lines)


def _followed(value: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema of gateway.toml, or what it refers to."""
    if "$ref" not in value:
        return value
    found: Any = schema("own/gateway")
    for part in value["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _kind(value: dict[str, Any]) -> str:
    value = _followed(value)
    value = value.get("else", value)
    if "enum" in value:
        return "one of " + ", ".join(f"`{one}`" for one in value["enum"])
    match value.get("type"):
        case "array":
            return f"list of {_kind(value['items'])}"
        case "object":
            return "table"
        case "boolean":
            return "true or false"
        case "number" | "integer" as kind:
            bounds = [f"above {value['exclusiveMinimum']}"] if "exclusiveMinimum" in value else []
            bounds += [f"from {value['minimum']}"] if "minimum" in value else []
            bounds += [f"at most {value['maximum']}"] if "maximum" in value else []
            return ", ".join(["whole number" if kind == "integer" else "number", *bounds])
        case "string":
            return "text"
    return ""
