"""What is said about a document that breaks its schema: one line that a human understands.

Nothing here recurses over the document or copies much of it: it comes from the gateway under test, and may be huge,
nested without end or full of line breaks.
"""

import difflib
import json
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jsonschema.exceptions import ValidationError, best_match

LONGEST_VALUE = 80
LONGEST_CHOICE = 8
"""How many words are listed as expected; of more, the nearest is told."""

_TYPES = {
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "a boolean",
    "array": "an array",
    "object": "an object",
    "null": "null",
}


@dataclass(frozen=True)
class Violation:
    """One rule that one place of a document breaks.

    `path` is the place, as in `$.choices[0].delta.content`; `expected` and `got` are noun phrases. `got` is empty when
    the thing expected is a key that is not there.
    """

    path: str
    expected: str
    got: str

    def __str__(self) -> str:
        if not self.got:
            return f"{self.path}: expected {self.expected}, which is missing"
        return f"{self.path}: expected {self.expected}, got {self.got}"


def violations(
    error: ValidationError, known_keys: Callable[[dict[str, Any], dict[str, Any]], Collection[str]] | None = None
) -> Iterator[Violation]:
    """What one error of the validator says; several when it is about keys, one for each key.

    `known_keys` tells which keys a schema with `unevaluatedProperties` knows for an instance: they may stand in other files.
    """
    error = best_match([error]) or error
    path = path_of(error.absolute_path)
    rule: Any = error.validator_value
    schema: Any = error.schema
    instance: Any = error.instance
    match error.validator:
        case "required":
            for key in rule:
                if key not in instance:
                    yield Violation(path, f"the key {_json(key)}", "")
        case "type":
            types = [rule] if isinstance(rule, str) else rule
            yield Violation(path, _either(_TYPES[type_] for type_ in types), described(instance))
        case "const":
            yield Violation(path, _json(rule), described(instance))
        case "enum":
            yield Violation(path, _choice(rule, instance), described(instance))
        case "not" if "enum" in rule:
            yield Violation(path, f"anything but {_either(map(_json, rule['enum']))}", described(instance))
        case "minLength" if rule == 1:
            yield Violation(path, "a string that is not empty", described(instance))
        case "minItems":
            yield Violation(path, f"at least {rule} item{'s' if rule != 1 else ''}", described(instance))
        case "minimum":
            yield Violation(path, f"a number not below {rule}", described(instance))
        case "exclusiveMinimum":
            yield Violation(path, f"a number above {rule}", described(instance))
        case "maximum":
            yield Violation(path, f"a number not above {rule}", described(instance))
        case "additionalProperties" if rule is False:
            yield from _unknown_keys(path, instance, schema.get("properties", {}))
        case "unevaluatedProperties" if rule is False and known_keys:
            yield from _unknown_keys(path, instance, known_keys(schema, instance))
        case "pattern":
            yield Violation(path, f"a string that matches {rule}", described(instance))
        case keyword:
            yield Violation(path, f"what {_json({str(keyword): rule})} allows", described(instance))


def _unknown_keys(path: str, instance: dict[str, Any], known: Collection[str]) -> Iterator[Violation]:
    for key in instance:
        if key not in known:
            nearest = difflib.get_close_matches(str(key), known, n=1)
            like = f" like {_json(nearest[0])}" if nearest else ""
            yield Violation(path, f"a known key{like}", _json(key))


def _choice(words: list[Any], instance: object) -> str:
    if len(words) <= LONGEST_CHOICE:
        return _either(map(_json, words))
    got = instance[:LONGEST_VALUE] if isinstance(instance, str) else ""
    (nearest,) = difflib.get_close_matches(got, [word for word in words if isinstance(word, str)], n=1, cutoff=0.0)
    return f"one of {len(words)} known words, such as {_json(nearest)}"


def not_an_object(document: object) -> Violation:
    """For a document that no schema of a JSON object can say anything about."""
    return Violation("$", "an object", described(document))


def too_deep(document: object) -> Violation:
    """For a document nested more deeply than a validator can follow."""
    depth = f"{_depth(document):,} levels of nesting ({_kind(document)})"
    return Violation("$", "a document that is not nested this deeply", depth)


def path_of(steps: Iterable[str | int]) -> str:
    """`["choices", 0, "odd key"]` as `$.choices[0]["odd key"]`."""
    return "$" + "".join(
        f".{step}" if isinstance(step, str) and step.isidentifier() else f"[{_json(step)}]" for step in steps
    )


def described(value: object) -> str:
    """`"12" (a string)`, `null`, `[1, 2, 3, ... (an array)`: the value, cut, and what it is."""
    if value is None:
        return "null"
    return f"{_json(value)} ({_kind(value)})"


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"
    return f"a Python {type(value).__name__}"


def _either(alternatives: Iterable[str]) -> str:
    *others, last = alternatives
    return f"{', '.join(others)} or {last}" if others else last


def _json(value: object) -> str:
    # Lazy, so that stopping early bounds the work and the depth; that also makes circles harmless.
    encoder = json.JSONEncoder(ensure_ascii=False, skipkeys=True, check_circular=False, default=repr)
    text = ""
    for piece in encoder.iterencode(value):
        text += piece[: LONGEST_VALUE + 1]
        if len(text) > LONGEST_VALUE:
            text = text[: LONGEST_VALUE - 3] + "..."
            break
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def _depth(document: object) -> int:
    depth = 0
    level = [document]
    while level:
        depth += 1
        level = [child for parent in level for child in _children(parent)]
    return depth


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
