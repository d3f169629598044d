"""The objects of the Responses API: the response, its usage, and the items of its output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateproof_mock.dialects.asked import Asked
from gateproof_mock.dialects.openai import laid_over
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import (
    Cancelled,
    Citation,
    Completed,
    CustomToolCall,
    Cut,
    Ending,
    ErrorEvent,
    Failed,
    Image,
    Incomplete,
    Text,
    ToolCall,
    Unfinished,
    Usage,
)

Object = dict[str, Any]

_DEFAULTS: Object = {
    "instructions": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "temperature": 1.0,
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "background": False,
    "frequency_penalty": 0.0,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "presence_penalty": 0.0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "top_logprobs": 0,
    "truncation": "disabled",
    "user": None,
}
"""What a response says of its request, and what it says where the request says nothing."""

READS: tuple[str, ...] = ("model", "stream", *_DEFAULTS)
"""The keys of a request that an answer depends on."""

COUNTED = ("completed", "incomplete")
"""The states in which there is a usage. Failed and cancelled turns have none, as in OpenAI's example."""

_BROKEN_OFF = (Incomplete, Failed, ErrorEvent, Cancelled)
_ENDED: dict[type[Ending], str] = {
    Completed: "completed",
    Incomplete: "incomplete",
    Failed: "failed",
    Cancelled: "cancelled",
}


# --- the response ---------------------------------------------------------------------------------


def response_object(asked: Asked, response_id: str) -> Object:
    """A Response that is in progress, with every key that OpenAI's schema requires."""
    return {
        "id": response_id,
        "object": "response",
        "created_at": asked.created,
        "status": "in_progress",
        "completed_at": None,
        "error": None,
        "incomplete_details": None,
        "model": asked.model,
        "output": [],
        **{key: _echoed(asked.body.get(key), default) for key, default in _DEFAULTS.items()},
        "usage": None,
    }


def _echoed(said: Any, default: Any) -> Any:
    if said is None:
        return default
    return {**default, **said} if isinstance(default, Mapping) and isinstance(said, Mapping) else said


def ended(response: Object, script: Script, output: list[Object]) -> Object:
    """The response as its ending leaves it. A cut turn would have been completed, had it been sent whole."""
    ending = script.ending or Completed()
    if isinstance(ending, Cut):
        ending = Completed()
    status = ending.status if isinstance(ending, Unfinished) else _ENDED.get(type(ending), "failed")
    out = {**response, "status": status, "output": output}
    if status in COUNTED:
        out["usage"] = usage_object(script)
    if status == "completed":
        out["completed_at"] = response["created_at"]
    if isinstance(ending, Incomplete):
        out["incomplete_details"] = {"reason": ending.reason}
    if isinstance(ending, Failed | ErrorEvent):
        out["error"] = {"code": ending.code, "message": ending.message}
    return out


def last_status(script: Script) -> str:
    """The status of the last item, if it is a message or a call: whatever broke the turn off broke that item off."""
    if isinstance(script.ending, Unfinished):
        return "in_progress"
    return "incomplete" if isinstance(script.ending, _BROKEN_OFF) else "completed"


def usage_object(script: Script) -> Object:
    """ResponseUsage. The audio and prediction counts stand in the details only when there are any."""
    usage = next((e for e in script.turn if isinstance(e, Usage)), Usage())
    output = {
        "audio_tokens": usage.audio_output,
        "accepted_prediction_tokens": usage.accepted_prediction,
        "rejected_prediction_tokens": usage.rejected_prediction,
    }
    counts = {
        "input_tokens": usage.input,
        "input_tokens_details": {
            "cached_tokens": usage.cached,
            "cache_write_tokens": usage.cache_write + usage.cache_write_1h,
            **({"audio_tokens": usage.audio_input} if usage.audio_input else {}),
        },
        "output_tokens": usage.output,
        "output_tokens_details": {
            "reasoning_tokens": usage.reasoning,
            **{key: count for key, count in output.items() if count},
        },
        "total_tokens": usage.total,
    }
    return laid_over(counts, usage.extra)


def compaction(script: Script, asked: Asked) -> Object:
    """The answer to a compaction: the turn's text stands for what was compacted."""
    words = "".join(p for e in script.turn if isinstance(e, Text) for p in e.deltas)
    return {
        "id": asked.new_id("resp"),
        "object": "response.compaction",
        "created_at": asked.created,
        "output": [{"id": asked.new_id("cmp"), "type": "compaction", "encrypted_content": words}],
        "usage": usage_object(script),
    }


# --- items and parts ------------------------------------------------------------------------------


def message_item(item_id: str, status: str, content: Sequence[Object]) -> Object:
    return {"id": item_id, "type": "message", "role": "assistant", "status": status, "content": list(content)}


def part(kind: str, words: str, annotations: Sequence[Object] = (), logprobs: Sequence[Object] = ()) -> Object:
    """A content part of this type; annotations and probabilities stand in `output_text` alone."""
    if kind == "output_text":
        return {"type": kind, "text": words, "annotations": list(annotations), "logprobs": list(logprobs)}
    return {"type": kind, "refusal" if kind == "refusal" else "text": words}


def url_citation(citation: Citation) -> Object:
    return {
        "type": "url_citation",
        "url": citation.url,
        "title": citation.title,
        "start_index": citation.start,
        "end_index": citation.end,
    }


def reasoning_item(item_id: str, summary: str | None = None, full: str | None = None, encrypted: str = "") -> Object:
    """What is None or empty was not given: there is no part, and no key, for it."""
    return {
        "id": item_id,
        "type": "reasoning",
        "summary": [] if summary is None else [part("summary_text", summary)],
        **({} if full is None else {"content": [part("reasoning_text", full)]}),
        **({"encrypted_content": encrypted} if encrypted else {}),
    }


def call_item(call: ToolCall | CustomToolCall, item_id: str, status: str, said: str) -> Object:
    custom = isinstance(call, CustomToolCall)
    return {
        "id": item_id,
        "type": "custom_tool_call" if custom else "function_call",
        "status": status,
        "call_id": call.id or f"call_{item_id.partition('_')[2]}",
        "name": call.name,
        "input" if custom else "arguments": said,
    }


def search_item(item_id: str, query: str, status: str) -> Object:
    return {"id": item_id, "type": "web_search_call", "status": status, "action": {"type": "search", "query": query}}


def image_item(item_id: str, image: Image, status: str) -> Object:
    return {
        "id": item_id,
        "type": "image_generation_call",
        "status": status,
        "output_format": image.media_type.partition("/")[2],
        "result": image.data if status == "completed" else None,
    }
