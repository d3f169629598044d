"""The list of models, in the form of either kind of client (OpenAI and Anthropic API references)."""

from collections.abc import Mapping
from datetime import UTC, datetime

from gateproof_reference.wirejson import Object, integer, objects, text


def wants_messages(headers: Mapping[str, str]) -> bool:
    """Return whether a client is Anthropic's: on a path that both kinds use, theirs say their version."""
    return "anthropic-version" in headers


def to_messages(listed: Object) -> Object:
    """Return OpenAI's list in Anthropic's form, on one page. A model has no other name to show than its id."""
    data = [
        {"type": "model", "id": model["id"], "display_name": model["id"], "created_at": _date(model.get("created"))}
        for model in _models(listed)
    ]
    ids = [model["id"] for model in data] or [None]
    return {"data": data, "has_more": False, "first_id": ids[0], "last_id": ids[-1]}


def to_openai(listed: Object) -> Object:
    """Return Anthropic's list in OpenAI's form."""
    data = [
        {"id": model["id"], "object": "model", "created": _seconds(model.get("created_at")), "owned_by": "upstream"}
        for model in _models(listed)
    ]
    return {"object": "list", "data": data}


def _models(listed: Object) -> list[Object]:
    return [model for model in objects(listed.get("data")) if text(model.get("id"))]


def _date(seconds: object) -> str:
    """Return a time in RFC 3339; the epoch stands for one that is not known."""
    try:
        return datetime.fromtimestamp(integer(seconds) or 0, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, OSError, ValueError):
        return _date(0)


def _seconds(date: object) -> int:
    try:
        return int(datetime.fromisoformat(text(date)).timestamp())
    except (OverflowError, ValueError):
        return 0
