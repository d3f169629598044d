"""JSON as it may stand on a wire: strict on the way in, ASCII on the way out."""

import json
from typing import Any, NoReturn

# Wire objects are not modelled field by field: an unknown field must be able to pass through unread.
Object = dict[str, Any]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse(data: bytes) -> Any:
    """Return the value in `data` (UTF-8). Raise ValueError for anything that RFC 8259 does not allow.

    Python's reader takes NaN and Infinity, which we could then only pass on as invalid JSON; and a hostile nesting
    surfaces as RecursionError, which is the same fault to a caller.
    """
    return parse_text(data.decode("utf-8"))


def parse_text(words: str) -> Any:
    """Return the value in `words`; as parse(), for JSON that stands in a string and so may have lone surrogates."""
    try:
        return json.loads(words, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None


def parse_object(data: bytes) -> Object | None:
    """Return the JSON object in `data`, or None if it is not JSON or not an object."""
    try:
        value = parse(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def dump(value: object) -> bytes:
    """Return compact JSON in pure ASCII.

    Escaping everything else keeps lone surrogates intact (UTF-8 has no bytes for them) and keeps U+2028 and U+0085 away
    from clients that split lines at them.
    """
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def text(value: object) -> str:
    """Return `value` if it is a string, else ""."""
    return value if isinstance(value, str) else ""


def objects(value: object) -> list[Object]:
    """Return the objects in `value` if it is a list, else nothing: how optional arrays are walked."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def integer(value: object) -> int | None:
    """Return `value` if it is an integer and no boolean."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
