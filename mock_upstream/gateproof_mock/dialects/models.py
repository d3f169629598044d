"""The list of models, in OpenAI's form and in Anthropic's, and one model of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from gateproof_mock.dialects import messages
from gateproof_mock.dialects.steps import Step
from gateproof_mock.dialects.whole import whole_json

if TYPE_CHECKING:
    from gateproof_mock.serving.calls import Call

_EPOCH = "1970-01-01T00:00:00Z"


def render(call: Call, ids: Sequence[str]) -> Iterator[Step]:
    """The steps of the answer to a call of the list, or of one model, whose id the path has."""
    anthropic = wants_messages(call)
    wanted = call.at.name if call.at else ""
    if not wanted:
        return whole_json(listed(ids, anthropic=anthropic))
    if wanted in ids:
        return whole_json(one(wanted, anthropic=anthropic))
    return whole_json(unknown(wanted, anthropic=anthropic), 404)


def wants_messages(call: Call) -> bool:
    """Whether the caller is an Anthropic client: on a path that both kinds use, theirs say their version."""
    return call.path.startswith("/anthropic/") or bool(call.header("anthropic-version"))


def listed(ids: Sequence[str], *, anthropic: bool = False) -> dict[str, Any]:
    """The whole list in one page."""
    data = [one(id, anthropic=anthropic) for id in ids]
    if not anthropic:
        return {"object": "list", "data": data}
    first, last = (ids[0], ids[-1]) if ids else (None, None)
    return {"data": data, "has_more": False, "first_id": first, "last_id": last}


def one(id: str, *, anthropic: bool = False) -> dict[str, Any]:
    if anthropic:
        return {"type": "model", "id": id, "display_name": id, "created_at": _EPOCH}
    return {"id": id, "object": "model", "created": 0, "owned_by": "gateproof"}


def unknown(id: str, *, anthropic: bool = False) -> dict[str, Any]:
    """The error for an id that is not in the list."""
    if anthropic:
        return messages.error(f"model: {id}", 404)
    words = f"The model `{id}` does not exist or you do not have access to it."
    error = {"message": words, "type": "invalid_request_error", "param": "model", "code": "model_not_found"}
    return {"error": error}
