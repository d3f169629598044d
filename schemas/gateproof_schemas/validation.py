"""Does a document satisfy a schema, and if not, where and why?"""

from functools import cache

from jsonschema import Draft202012Validator

from gateproof_schemas.library import find, names, registry
from gateproof_schemas.violation import Violation, not_an_object, too_deep, violations


def validate(document: object, name: str) -> list[Violation]:
    """Every rule of the schema that the document breaks, in the schema's order and each once; empty if it is valid.

    The document is parsed JSON of any shape: whatever is wrong with it is a Violation and never an exception.
    Raises KeyError, which lists the nearest names, for a schema that does not exist.
    """
    validator = _validator(name)
    if not isinstance(document, dict):
        return [not_an_object(document)]
    kind = document.get("type")
    if isinstance(kind, str) and (variant := _variants(name).get(kind)):
        validator = _validator(variant)
    try:
        found = [violation for error in validator.iter_errors(document) for violation in violations(error)]
    except RecursionError:
        # The validator writes the offending value into its messages, however deep it is.
        return [too_deep(document)]
    return list(dict.fromkeys(found))


@cache
def _variants(name: str) -> dict[str, str]:
    """By the document's `type`, the schema that stands for the general one: those of `x/event` are in `x/events/`.

    Looking the type up first takes a tenth of the time of a union of all event types, and the messages are about the
    event that was sent.
    """
    folder = f"{name}s/"
    return {variant.removeprefix(folder): variant for variant in names() if variant.startswith(folder)}


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(find(name), registry=registry())
