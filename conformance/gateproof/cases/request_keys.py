"""No key of one API in a request of another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.asking.question import (
    Called,
    Choice,
    Format,
    Picture,
    Question,
    Tool,
    assistant,
    developer,
    returned,
    system,
    user,
)
from gateproof.cases.contested import is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text
from gateproof_schemas import validate

ANSWER = text("Under", "stood.")
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"at": {"type": "string"}},
    "required": ["at"],
    "additionalProperties": False,
}
DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"
CALLS = (Called("call_look1", "look", '{"at": "sea"}'), Called("call_look2", "look", '{"at": "sky"}'))
TALK = (
    *(system("Be brief."), developer("Be polite."), user("Look at this:", Picture(DOT)), assistant("I look.")),
    *(*CALLS, returned("call_look1", "Waves.", "And wind."), returned("call_look2", "Clouds.", failed=True)),
    user("So?"),
)
TOOLS = (Tool("look", "Looks.", SCHEMA, strict=True), Tool("wait"))

QUESTIONS = (
    Question(TALK, TOOLS, Choice("named", ("look",)), parallel=False, limit=1234),
    Question((user("So?"),), format=Format("json_schema", "place", SCHEMA, strict=True)),
    Question((user("So?"),), effort="low"),
)
CACHE = {"type": "ephemeral"}

# What is common in requests of one API, asks for nothing that a turn would show, and is unknown to the others.
EXTRAS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "chat": ({"store": False, "user": "user-of-the-client"}, {"service_tier": "auto"}),
    "responses": (
        {"store": False, "include": ["reasoning.encrypted_content"], "prompt_cache_key": "cache-of-the-client"},
        {"reasoning": {"effort": "low", "summary": "auto"}, "client_metadata": {"x": "y"}, "truncation": "disabled"},
    ),
    "messages": (
        {"system": [{"type": "text", "text": "Be brief.", "cache_control": CACHE}], "metadata": {"user_id": "u1"}},
        {"tools": [{"name": "look", "input_schema": SCHEMA, "cache_control": CACHE, "eager_input_streaming": True}]},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}, "context_management": {"edits": []}},
    ),
}


KNOWN = {"chat": ("index",), "responses": (), "messages": ("output_format",)}
"""What no document of a request has, and is no other API's: the index of a call's own stream, which clients send back, and
the beta's name of output_config.format."""


@case("request.no-key-of-another-api")
def no_key_of_another_api(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    added = [f'"{key}"' for key in (*claims.get("adds_keys", ()), *KNOWN[check.dialect])]
    asked: list[tuple[Question, dict[str, Any]]] = [(question, {}) for question in QUESTIONS]
    asked += [(Question((user("So?"),)), extra) for extra in EXTRAS[check.surface]]
    for question, extra in asked:
        answer = ask(question, include_usage=True, **extra)

        if is_refusal(ask, answer):
            continue
        faults = [str(fault) for fault in validate(ask.received_body, f"{check.dialect}/request", strict=True)]
        unknown = [fault for fault in faults if not any(key in fault for key in added)]
        assert not unknown, f"{check.dialect} request: {'; '.join(unknown[:5])}"
