"""The arguments of calls: an object in Messages, a string of JSON everywhere else (Anthropic and OpenAI API references)."""

from gateproof_reference import wirejson
from gateproof_reference.wirejson import Object


def to_input(arguments: str) -> Object | None:
    """Return the `input` of a call, None if its arguments are no JSON object. No arguments at all are an empty one."""
    try:
        value = wirejson.parse_text(arguments.strip() or "{}")
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def to_arguments(value: object) -> str:
    """Return the arguments of a call with this `input`."""
    return wirejson.dump(value if isinstance(value, dict) else {}).decode()
