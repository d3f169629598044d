"""JSON Schemas (draft 2020-12) of what LLM APIs put on the wire, and the means to hold a document against one.

    >>> from gateproof_schemas import validate
    >>> for violation in validate({"error": {"message": "no such model", "type": None}}, "chat/error"):
    ...     print(violation)
    $.error.type: expected a string, got null

The schemas are plain files, for use from any language; the README beside this package tells how, and where they differ
from the APIs' own descriptions. They hold what a gateway owes its clients; `strict=True` holds what its own makers should
send, which has no key and no word that no provider documents.
"""

from gateproof_schemas.library import names, schema
from gateproof_schemas.validation import validate
from gateproof_schemas.violation import Violation

__all__ = ["Violation", "names", "schema", "validate"]
