"""The strict form of a schema, derived from its file: what nobody knows is refused.

The files say what a gateway owes its clients, and are open where the world is open. The reference and the mock are ours, so
more is asked of them: no unknown key, no unknown word. Nothing is written twice for that. In a file,

- every object is closed in the strict form, unless it says `"additionalProperties": true`, as maps do whose keys are the
  user's (metadata, a tool's input, JSON Schemas);
- `examples` of a string are all the words that the provider documents, and become an `enum`.

Both are keywords of JSON Schema that refuse nothing, so that the files stay usable by any validator as they are. Keywords of
our own (`x-open`) were the alternative: validators that know no unknown keyword, ajv by default, refuse such files.
"""

from collections.abc import Iterable
from typing import Any

Schema = dict[str, Any]

BASE = "https://gateproof.invalid/schemas/"
STRICT_BASE = f"{BASE}strict/"

# By what they hold: schemas of other places of the document, of the same place, and conditions, which are no rules.
_ELSEWHERE = ("items",)
_ELSEWHERE_BY_KEY = ("properties",)
_HERE = ("then", "else")
_HERE_LISTED = ("allOf", "anyOf", "oneOf")


def strict(file: Schema, event_types: Iterable[str] = ()) -> Schema:
    """The strict form of a schema file, whose relative references then lead to strict forms.

    `event_types` are the types that files of their own describe: the general schema of events is left with no other.
    A file that begins with `_` holds parts of others and is not closed by itself.
    """
    is_part = file["$id"].rpartition("/")[2].startswith("_")
    closed: Schema = (_opened if is_part else _closed)(file)
    closed["$id"] = file["$id"].replace(BASE, STRICT_BASE, 1)
    if words := list(event_types):
        closed["properties"]["type"] = {"enum": words}
    return closed


def _closed(node: Any) -> Any:
    """The strict form of a schema at whose place no other one speaks: it alone can tell which keys are unknown.

    Parts that others refer to or combine (`$defs`, `allOf`, `then`) are not closed by themselves: the keys of the one
    would be unknown to the other.
    """
    if not isinstance(node, dict):
        return node
    result = _opened(node)
    if _knows_keys(node) and "additionalProperties" not in node:
        result["unevaluatedProperties"] = False
    return result


def _opened(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    result = dict(node)
    if known := result.pop("examples", None):
        nullable = "null" in result.pop("type", ())
        result["enum"] = [*known, None] if nullable else known
    for keyword, value in result.items():
        if keyword in _ELSEWHERE:
            result[keyword] = _closed(value)
        elif keyword in _ELSEWHERE_BY_KEY:
            result[keyword] = {key: _closed(child) for key, child in value.items()}
        elif keyword in _HERE:
            result[keyword] = _opened(value)
        elif keyword in _HERE_LISTED:
            result[keyword] = [_opened(child) for child in value]
        elif keyword == "$defs":
            result[keyword] = {key: _opened(child) for key, child in value.items()}
    return result


def _knows_keys(node: Schema) -> bool:
    """`{"type": "object"}` alone adds to what another schema says about the same place, and knows none."""
    return "object" in node.get("type", "object") and not node.keys().isdisjoint(
        {"$ref", "properties", *_HERE_LISTED, "if"}
    )
