"""Requests as real agents send them: in shape and size those of Claude Code 2.1.197 and Codex 0.169.0, in words our own."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.question import Question
from gateproof.asking.reading import entries
from gateproof.cases.contested import is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")
RULES = "\n".join(
    f"{number}. Rule {number} says: keep to the work, and tell what was done." for number in range(1, 700)
)
"""About 45 KB, as long as such an agent's instructions are."""

CACHE = {"type": "ephemeral"}
MORE = "Tools may be used without asking."


def _parameters(number: int) -> dict[str, Any]:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "path": {"type": "string", "description": f"The path that tool {number} reads."},
            "limit": {"type": "integer", "exclusiveMinimum": 0, "maximum": 9007199254740991},
            "how": {"anyOf": [{"type": "string", "enum": ["fast", "whole"]}, {"type": "null"}]},
            "edits": {"type": "array", "items": {"type": "object", "properties": {"old": {"type": "string"}}}},
        },
        "required": ["path"],
        "additionalProperties": False,
    }


NAMES = [f"Tool{number}" for number in range(1, 23)] + ["mcp__files__read_text", "Bash"]
DESCRIPTION = "Reads what it is told.\n\nUsage:\n- give the path\n- expect text, `cat -n` style\n" * 8

CLAUDE_CODE: dict[str, Any] = {
    "model": "{model}",
    "max_tokens": 32000,
    "stream": True,
    "temperature": 1,
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "medium"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "metadata": {
        "user_id": '{"device_id":"' + "0a1b" * 16 + '","account_uuid":"","session_id":"5f0c7d9e-1111-4222-8333"}'
    },
    "system": [
        {"type": "text", "text": "An agent that works on code, for tests."},
        {"type": "text", "text": RULES, "cache_control": CACHE},
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system-reminder>\nThe date is 2026-11-21.\n</system-reminder>"},
                {"type": "text", "text": "List the files. [{marker}]", "cache_control": CACHE},
            ],
        },
        {"role": "system", "content": MORE},
    ],
    "tools": [
        {"name": name, "description": DESCRIPTION, "input_schema": _parameters(at)} for at, name in enumerate(NAMES)
    ],
}
BETAS = (
    "claude-code-20250219",
    "interleaved-thinking-2025-05-14",
    "context-management-2025-06-27",
    "prompt-caching-scope-2026-01-05",
    "effort-2025-11-24",
)

CODEX: dict[str, Any] = {
    "model": "{model}",
    "stream": True,
    "store": False,
    "instructions": RULES,
    "input": [
        {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": MORE}]},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "<environment_context>\n  <cwd>/work</cwd>\n</environment_context>"},
                {"type": "input_text", "text": "List the files. [{marker}]"},
            ],
        },
    ],
    "tools": [
        {
            "type": "function",
            "name": "exec_command",
            "description": DESCRIPTION,
            "strict": False,
            "parameters": _parameters(0),
        },
        {
            "type": "function",
            "name": "update_plan",
            "description": "Plans.",
            "strict": False,
            "parameters": _parameters(1),
        },
    ],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
    "reasoning": {"effort": "medium", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "019ab3c4-0000-7000-8000-00000000cafe",
    "client_metadata": {"x-codex-installation-id": "2f6a1b1e-0000-4000-8000-00000000beef"},
}
OWN_TOOLS = [
    {"type": "web_search", "external_web_access": False},
    {
        "type": "namespace",
        "name": "multi_agent_v1",
        "description": "Other agents.",
        "tools": [{"type": "function", "name": "spawn_agent", "strict": False, "parameters": _parameters(2)}],
    },
]


@case("request.claude-code-is-served")
def claude_code_is_served(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)

    answer = ask(body=CLAUDE_CODE, headers=(("anthropic-beta", ",".join(BETAS)),), query="beta=true")

    if _is_explained(ask, answer):
        check.chose("refused")
        return
    assert answer.status == 200, repr(answer)
    _assert_whole(ask.received, ["An agent that works on code, for tests.", RULES], NAMES)
    check.chose("served")


@case("request.codex-is-served")
def codex_is_served(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for own in ([], OWN_TOOLS):
        answer = ask(body={**CODEX, "tools": [*CODEX["tools"], *own]})

        if _is_explained(ask, answer):
            check.chose("refused")
            continue
        assert answer.status == 200, repr(answer)
        _assert_whole(ask.received, [RULES, MORE], ["exec_command", "update_plan"])
        if not check.translated:
            assert entries(dig(ask.received_body, "tools"))[2:] == own, "its own tools did not pass unchanged"
        check.chose("served")


def _is_explained(ask: Ask, answer: Answer) -> bool:
    """Whether it was refused with a word of why: some models have no reasoning, some upstreams no such tools."""
    return is_refusal(ask, answer) and bool(answer.error.message)


def _assert_whole(found: Question, rules: list[str], names: list[str]) -> None:
    given = "\n".join(found.said("system"))
    assert not [rule[:60] for rule in rules if rule not in given], f"of the instructions came {len(given)} characters"
    assert "List the files." in "\n".join(found.said("user"))
    offered = [tool.name for tool in found.tools]
    assert not [name for name in names if name not in offered], f"of {len(names)} functions came {offered}"
