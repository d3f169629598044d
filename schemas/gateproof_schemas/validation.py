"""Does a document satisfy a schema, and if not, where and why?"""

from functools import cache

from jsonschema import Draft202012Validator

from gateproof_schemas.known import known_keys
from gateproof_schemas.library import find, registry, variants
from gateproof_schemas.quick import quick
from gateproof_schemas.violation import Violation, not_an_object, too_deep, violations


def validate(document: object, name: str, *, strict: bool = False) -> list[Violation]:
    """Every rule of the schema that the document breaks, in the schema's order and each once; empty if it is valid.

    `strict` also refuses keys and words that no provider documents. The document is parsed JSON of any shape: whatever is
    wrong with it is a Violation and never an exception. Raises KeyError, which lists the nearest names, for a schema that
    does not exist.
    """
    accepts = quick(name, strict)
    if not isinstance(document, dict):
        return [not_an_object(document)]
    kind = document.get("type")
    if isinstance(kind, str) and (variant := variants(name).get(kind)):
        name, accepts = variant, quick(variant, strict)
    try:
        if accepts(document):
            return []
        errors = _validator(name, strict).iter_errors(document)
        found = [violation for error in errors for violation in violations(error, known_keys)]
    except RecursionError:
        # The validator writes the offending value into its messages, however deep it is.
        return [too_deep(document)]
    return list(dict.fromkeys(found))


@cache
def _validator(name: str, strict: bool) -> Draft202012Validator:
    schemas = registry(strict=strict)
    return Draft202012Validator(schemas.contents(find(name, strict=strict)["$id"]), registry=schemas)
