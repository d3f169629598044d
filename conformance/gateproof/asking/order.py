"""What a provider refuses in a request though each of its parts has its form: calls and results that do not stand as they
must, and parameters that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateproof.answers.absent import dig
from gateproof.asking.reading import entries, text_of


def misplaced(dialect: str, body: Any) -> list[str]:
    """One sentence for each call or result that does not stand where a provider wants it. Never raises."""
    return list({"chat": _chat, "responses": _responses, "messages": _messages}[dialect](body))


def clashing(dialect: str, body: Any) -> list[str]:
    """One sentence for each parameter that a provider refuses beside another, or without it. Never raises."""
    rules = {"chat": _chat_clashes, "messages": _messages_clashes}
    return list(rules[dialect](body)) if dialect in rules else []


def _chat(body: Any) -> Iterator[str]:
    """OpenAI: an assistant message with tool_calls must be followed by tool messages responding to each tool_call_id."""
    waiting: list[str] = []
    since = 0
    for at, message in enumerate(entries(dig(body, "messages"))):
        if dig(message, "role") == "tool":
            id = text_of(dig(message, "tool_call_id"))
            if id in waiting:
                waiting.remove(id)
            else:
                yield f"messages[{at}] answers {id!r}, which the assistant's message before it did not call"
            continue
        if waiting:
            yield f"messages[{at}] stands between the calls of messages[{since}] and the results of {waiting}"
        since = at
        waiting = [text_of(dig(call, "id")) for call in entries(dig(message, "tool_calls"))]
        if len(set(waiting)) < len(waiting):
            yield f"messages[{at}] has one id for several calls: {waiting}"
    if waiting:
        yield f"the calls of messages[{since}] have no results: {waiting}"


def _responses(body: Any) -> Iterator[str]:
    """OpenAI: no tool output found for function call; no tool call found for function call output. Order is free, but an
    output does not come before its call."""
    if any(dig(body, key) for key in ("previous_response_id", "conversation", "prompt")):
        return
    called: list[str] = []
    answered: list[str] = []
    for at, item in enumerate(entries(dig(body, "input"))):
        id = text_of(dig(item, "call_id"))
        if dig(item, "type") == "function_call":
            if id in called:
                yield f"input[{at}] is a second call with the id {id!r}"
            called.append(id)
        elif dig(item, "type") == "function_call_output":
            if id not in called:
                yield f"input[{at}] is the output of {id!r}, which was not called before"
            answered.append(id)
        elif dig(item, "type") == "item_reference":
            return
    if waiting := [id for id in called if id not in answered]:
        yield f"calls without an output: {waiting}"


def _messages(body: Any) -> Iterator[str]:
    """Anthropic: each tool_use block must have a corresponding tool_result block in the next message, where the results come
    first. Messages of one role that follow each other are one."""
    waiting: list[str] = []
    for at, (role, blocks) in enumerate(_turns(body)):
        ids = [text_of(dig(b, "tool_use_id")) for b in blocks if dig(b, "type") == "tool_result"]
        if waiting and role == "user":
            if missing := [id for id in waiting if id not in ids]:
                yield f"the calls before turn {at} have no results in it: {missing}"
        elif waiting:
            yield f"turn {at} stands between the calls {waiting} and their results"
        if strange := [id for id in ids if id not in waiting]:
            yield f"turn {at} has results of what was not called in the turn before it: {strange}"
        first = [dig(b, "type") == "tool_result" for b in blocks]
        if ids and not all(first[: len(ids)]):
            yield f"in turn {at} the results do not come first"
        waiting = [text_of(dig(b, "id")) for b in blocks if dig(b, "type") == "tool_use"]
        if len(set(waiting)) < len(waiting):
            yield f"turn {at} has one id for several calls: {waiting}"
    if waiting:
        yield f"the last calls have no results: {waiting}"


def _turns(body: Any) -> list[tuple[str, list[Any]]]:
    turns: list[tuple[str, list[Any]]] = []
    for message in entries(dig(body, "messages")):
        role, content = text_of(dig(message, "role")), dig(message, "content")
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else entries(content)
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, list(blocks)))
    return turns


def _chat_clashes(body: Any) -> Iterator[str]:
    """OpenAI: stream_options only when stream is set; tool_choice and parallel_tool_calls only when tools are specified."""
    if dig(body, "stream_options") and dig(body, "stream") is not True:
        yield "stream_options without stream"
    if not entries(dig(body, "tools")) and not entries(dig(body, "functions")):
        for key in ("tool_choice", "parallel_tool_calls"):
            if isinstance(dig(body, key), str | dict | bool):
                yield f"{key} without tools"


def _messages_clashes(body: Any) -> Iterator[str]:
    """Anthropic, of thinking with a budget: max_tokens is greater; no forced tool; no temperature but 1, no top_k."""
    thinking = dig(body, "thinking")
    if dig(thinking, "type") != "enabled":
        return
    budget, limit = dig(thinking, "budget_tokens"), dig(body, "max_tokens")
    if isinstance(budget, int) and isinstance(limit, int) and budget >= limit:
        yield f"max_tokens {limit} leave no room beside a thinking budget of {budget}"
    if dig(body, "tool_choice", "type") in ("any", "tool"):
        yield "thinking beside a forced tool"
    if dig(body, "temperature") not in (None, 1) and isinstance(dig(body, "temperature"), int | float):
        yield f"thinking beside the temperature {dig(body, 'temperature')}"
    if isinstance(dig(body, "top_k"), int):
        yield "thinking beside top_k"
