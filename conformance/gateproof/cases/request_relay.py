"""Where surface and dialect are one API: a relay changes nothing of what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.cases.contested import is_documented, is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")
CACHE = {"type": "ephemeral", "ttl": "1h"}
SCHEMA = {"type": "object", "properties": {"at": {"type": "string"}}}
CALLED = {"id": "call_1aB", "type": "function", "function": {"name": "look", "arguments": '{"at": "sea"}'}}

RICH: Mapping[str, dict[str, Any]] = {
    "chat": {
        "messages": [
            {"role": "system", "content": "Be brief.", "name": "rules"},
            {"role": "user", "content": [{"type": "text", "text": "Look. [{marker}]"}], "name": "ann"},
            {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALLED]},
            {"role": "tool", "tool_call_id": "call_1aB", "content": [{"type": "text", "text": "Waves."}]},
            {
                "role": "user",
                "content": [{"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}],
            },
        ],
        "tools": [{"type": "function", "function": {"name": "look", "parameters": SCHEMA, "strict": False}}],
        "metadata": {"label": "of-the-client"},
        "prediction": {"type": "content", "content": "Waves."},
        "web_search_options": {"search_context_size": "low"},
    },
    "responses": {
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Look. [{marker}]"}]},
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_68af",
                "status": "completed",
                "phase": "commentary",
                "content": [{"type": "output_text", "text": "I look.", "annotations": []}],
            },
            {"type": "local_shell_call_output", "id": "lsh_1", "output": "Waves."},
            {"type": "function_call", "id": "fc_68af", "call_id": "call_1aB", "name": "look", "arguments": "{}"},
            {
                "type": "function_call_output",
                "call_id": "call_1aB",
                "output": [{"type": "input_text", "text": "Waves."}],
            },
        ],
        "tools": [
            {"type": "function", "name": "look", "parameters": SCHEMA, "strict": False},
            {"type": "web_search", "search_context_size": "low"},
            {
                "type": "custom",
                "name": "apply_patch",
                "format": {"type": "grammar", "syntax": "regex", "definition": "."},
            },
        ],
        "reasoning": {"effort": "low", "summary": "auto"},
        "text": {"verbosity": "low", "format": {"type": "text"}},
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "cache-of-the-client",
        "metadata": {"label": "of-the-client"},
    },
    "messages": {
        "max_tokens": 4096,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": CACHE}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "Look. [{marker}]", "cache_control": CACHE}]},
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "toolu_1aB", "name": "look", "input": {"n": 1.0}}],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_1aB",
                        "is_error": True,
                        "content": [{"type": "text", "text": "Waves."}],
                        "cache_control": CACHE,
                    },
                    {
                        "type": "document",
                        "title": "Log",
                        "source": {"type": "text", "media_type": "text/plain", "data": "Waves."},
                        "citations": {"enabled": True},
                    },
                ],
            },
        ],
        "tools": [
            {"name": "look", "input_schema": SCHEMA, "cache_control": CACHE},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "metadata": {"user_id": "user-of-the-client"},
        "top_k": 37,
        "context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]},
    },
}


@case("request.relay-keeps-what-is-documented")
def relay_keeps_what_is_documented(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    rich = RICH[check.surface]

    answer = ask(body={"model": "{model}", "stream": check.stream, **rich})

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    came = ask.received_body
    for key, value in rich.items():
        if is_documented(check, claims, key):
            check.chose("left out")
            continue
        wanted = _without_marker(value, ask.last.marker)
        assert (fault := _lost(wanted, dig(came, key), key)) == "", fault
    check.chose("kept")


def _without_marker(value: Any, mark: str) -> Any:
    if isinstance(value, str):
        return value.replace("{marker}", mark)
    if isinstance(value, list):
        return [_without_marker(child, mark) for child in value]
    return {key: _without_marker(child, mark) for key, child in value.items()} if isinstance(value, dict) else value


def _lost(wanted: Any, came: Any, place: str) -> str:
    """Where something of a document is missing from what came of it, or differs; "" if it is all there.

    A relay may say more (a default), leave out what is null or empty, and write words as a string or as one part.
    """
    if isinstance(wanted, list) and isinstance(came, str):
        wanted = "".join(str(dig(part, "text")) for part in wanted)
    if isinstance(wanted, dict) and isinstance(came, dict):
        faults = (_lost(value, came.get(key), f"{place}.{key}") for key, value in wanted.items())
        return next(filter(None, faults), "")
    if isinstance(wanted, list) and isinstance(came, list) and len(wanted) == len(came):
        faults = (_lost(one, other, f"{place}[{at}]") for at, (one, other) in enumerate(zip(wanted, came, strict=True)))
        return next(filter(None, faults), "")
    if came is None and wanted in (None, [], {}):
        return ""
    return "" if wanted == came else f"{place}: {wanted!r:.120} became {came!r:.120}"


PROBE = "gateproof_probe"

UNKNOWN: Mapping[str, dict[str, Any]] = {
    "chat": {
        "messages": [{"role": "user", "content": "Go on. [{marker}]"}],
        "tools": [{"type": PROBE, PROBE: {"name": "of tomorrow"}}],
    },
    "responses": {
        "input": [
            {"type": "gateproof:probe", "id": "pr_1", "content": [{"deep": "of tomorrow"}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Go on. [{marker}]"}]},
        ],
        "tools": [{"type": PROBE, "name": "of tomorrow"}],
    },
    "messages": {
        "max_tokens": 4096,
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Go on. [{marker}]", PROBE: "of tomorrow"},
                    {"type": PROBE, "data": "of tomorrow"},
                ],
            }
        ],
        "tools": [{"type": f"{PROBE}_20991231", "name": "of_tomorrow"}],
    },
}


@case("request.relay-keeps-what-is-unknown")
def relay_keeps_what_is_unknown(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for key in ("tools", "messages" if check.surface != "responses" else "input"):
        body = {
            name: value
            for name, value in UNKNOWN[check.surface].items()
            if name in (key, "input", "messages", "max_tokens")
        }

        answer = ask(body={"model": "{model}", "stream": check.stream, **body})

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        wanted = _without_marker(body[key], ask.last.marker)
        assert (fault := _lost(wanted, dig(ask.received_body, key), key)) == "", fault
        check.chose("kept")
