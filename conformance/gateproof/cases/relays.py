"""Where surface and dialect are one API: a relay passes on all that an answer holds."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.question import Question, user
from gateproof.asking.reading import entries
from gateproof.cases.canned import chunked, completion_id
from gateproof.cases.contested import is_other_mode, is_refusal
from gateproof.cases.reading import choices, events_of_type, place, value_of
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import refused, text, usage, web_search
from gateproof_mock.language.turns import Refused

QUERY = "weather in Oslo"
SEARCH = {"messages": {"type": "web_search_20250305", "name": "web_search"}, "responses": {"type": "web_search"}}


@case("content.hosted-tools-are-relayed")
def hosted_tools_are_relayed(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(web_search(QUERY), text("It ", "rains."))

    answer = ask(Question((user("Does it rain in Oslo?"),)), tools=[SEARCH[check.surface]])

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "It rains."
    if check.surface == "messages":
        _assert_searched_on_messages(answer)
    else:
        _assert_searched_on_responses(answer)
    check.chose("relayed")


def _assert_searched_on_messages(answer: Answer) -> None:
    starts = events_of_type(answer, "content_block_start")
    blocks = [dig(e, "content_block") for e in starts] if answer.events else entries(dig(answer.body, "content"))
    kinds = [dig(block, "type") for block in blocks]
    assert kinds == ["server_tool_use", "web_search_tool_result", "text"], f"the blocks are {kinds!r}"
    used, result = blocks[0], blocks[1]
    pieces = [str(dig(e, "delta", "partial_json") or "") for e in answer.events if dig(e, "index") == 0]
    asked = value_of("".join(pieces) or "{}") if answer.events else dig(used, "input")
    assert dig(asked, "query") == QUERY, f"the search was for {asked!r}"
    assert dig(result, "tool_use_id") == dig(used, "id"), "the result is not that of the search"
    assert dig(result, "content", 0, "encrypted_content"), f"nothing that could be sent back: {result!r:.200}"


def _assert_searched_on_responses(answer: Answer) -> None:
    done = [dig(e, "item") for e in events_of_type(answer, "response.output_item.done")]
    items = done if answer.events else entries(dig(answer.body, "output"))
    kinds = [dig(item, "type") for item in items]
    assert kinds == ["web_search_call", "message"], f"the items are {kinds!r}"
    assert dig(items[0], "action", "query") == QUERY, f"the search is {items[0]!r:.200}"
    if answer.events:
        stages = [str(dig(e, "type")).rpartition(".")[2] for e in answer.events if _is_search(e)]
        assert stages == ["in_progress", "searching", "completed"], f"of the search came {stages!r}"


def _is_search(event: Any) -> bool:
    return str(dig(event, "type")).startswith("response.web_search_call.")


COUNTED = usage(input=607, output=1024, cached=64, reasoning=112, cache_write=10, cache_write_1h=27, web_searches=3)

COUNTS: dict[str, dict[str, Any]] = {
    "chat": {
        "prompt_tokens": 607,
        "completion_tokens": 1024,
        "total_tokens": 1631,
        "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0, "cache_write_tokens": 37},
        "completion_tokens_details": {
            "reasoning_tokens": 112,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    },
    "responses": {
        "input_tokens": 607,
        "input_tokens_details": {"cached_tokens": 64, "cache_write_tokens": 37},
        "output_tokens": 1024,
        "output_tokens_details": {"reasoning_tokens": 112},
        "total_tokens": 1631,
    },
    "messages": {
        "input_tokens": 506,
        "cache_read_input_tokens": 64,
        "cache_creation_input_tokens": 37,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 27},
        "output_tokens": 1024,
        "server_tool_use": {"web_search_requests": 3},
    },
}
"""What an upstream of each API counts of that."""


@case("usage.relays-keep-every-count")
def relays_keep_every_count(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"), COUNTED)

    answer = ask(include_usage=True)

    assert answer.outcome == "complete", repr(answer)
    told = _counts(answer)
    if not told:
        # Usage that is missing altogether is usage.totals-survive.
        return
    for name, wanted in COUNTS[check.surface].items():
        found = dig(told, name)
        counts = wanted if isinstance(wanted, dict) else {"": wanted}
        for detail, count in counts.items():
            value = dig(found, detail) if detail else found
            # A count of nothing may be left out.
            assert value == count or (not count and not value), f"{name} {detail}".strip() + f": {value!r}, not {count}"


def _counts(answer: Answer) -> dict[str, Any]:
    """The usage object; of a stream all that it tells, each count as it was told last."""
    told: dict[str, Any] = {}
    for holder in answer.events or [answer.body]:
        for counts in (dig(holder, "message", "usage"), dig(holder, "response", "usage"), dig(holder, "usage")):
            if isinstance(counts, dict):
                told |= {name: value for name, value in counts.items() if value is not None}
    return told


WORDS = ("The first.", "The second.")


@case("content.relays-keep-each-choice")
def relays_keep_each_choice(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    messages = [{"role": "assistant", "content": words, "refusal": None} for words in WORDS]
    upstream.says(_chat(check, messages, "stop"))

    # A finish_reason for each choice: the invariants of turns know of one.
    answer = ask(n=2, turn=False)

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    if is_other_mode(ask, check):
        check.chose("another mode")
        return
    told = {index: dig(message, "content") for index, message in _messages(answer).items()}
    assert told == dict(enumerate(WORDS)), f"the choices are {told!r}"
    check.chose("given")


SIGNED = {"google": {"thought_signature": "EqQBCgIYAhIM+A/b=="}}
"""Gemini 3 refuses a call that comes back without it."""
CALLED = {"id": "call_1aB", "type": "function", "function": {"name": "look", "arguments": '{"at": "sea"}'}}
THOUGHT = "The sea, then."


@case("request.relay-keeps-members-of-calls")
def relay_keeps_members_of_calls(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    made = [{**CALLED, "extra_content": SIGNED}]
    said = {"role": "assistant", "content": None, "reasoning_content": THOUGHT, "tool_calls": made}
    upstream.says(text("Under", "stood."))

    answer = ask(
        body={
            "model": "{model}",
            "stream": check.stream,
            "messages": [
                {"role": "user", "content": "Look. [{marker}]"},
                said,
                {"role": "tool", "tool_call_id": CALLED["id"], "content": "Waves."},
            ],
        }
    )

    if is_refusal(ask, answer):
        check.chose("refused")
    else:
        came = dig(ask.received_body, "messages", 1)
        kept = dig(came, "tool_calls", 0, "extra_content")
        assert kept == SIGNED, f"extra_content of the call went upstream as {kept!r}"
        thought = dig(came, "reasoning_content")
        assert thought == THOUGHT, f"reasoning_content went upstream as {thought!r}"
        check.chose("kept")

    upstream.says(_chat(check, [said], "tool_calls"))

    answer = ask(offers=("look",))

    if is_other_mode(ask, check):
        check.chose("another mode")
        return
    told = dig(_messages(answer).get(0), "tool_calls", 0, "extra_content")
    assert told == SIGNED, f"extra_content of the call came back as {told!r}"
    check.chose("kept")


def _chat(check: CheckHand, messages: list[dict[str, Any]], finish: str) -> Refused:
    """A completion with a choice for each message, as no script can say it."""
    kind = "chat.completion.chunk" if check.stream else "chat.completion"
    whole = {"id": completion_id(), "object": kind, "created": 1700000000, "model": "two"}
    if not check.stream:
        held = [_choice(at, finish, message=message) for at, message in enumerate(messages)]
        return refused(200, {**whole, "choices": held})
    chunks: list[Any] = []
    for at, message in enumerate(messages):
        calls = [{**call, "index": number} for number, call in enumerate(message.get("tool_calls", ()))]
        delta = {**message, "tool_calls": calls} if calls else message
        chunks += [{**whole, "choices": [_choice(at, None, delta=delta)]}]
    return chunked(*chunks, *({**whole, "choices": [_choice(at, finish, delta={})]} for at in range(len(messages))))


def _choice(index: int, finish: str | None, **said: Any) -> dict[str, Any]:
    return {"index": index, **said, "logprobs": None, "finish_reason": finish}


def _messages(answer: Answer) -> dict[Any, dict[str, Any]]:
    """The message of each choice by its index; of a stream its words, and each call with the members that any chunk gave it."""
    if not answer.events:
        held = [choice for choice in entries(dig(answer.body, "choices")) if isinstance(choice, dict)]
        return {place(choice.get("index")): dig(choice, "message") for choice in held}
    messages: dict[Any, dict[str, Any]] = {}
    for choice in choices(answer):
        delta = choice.get("delta")
        message = messages.setdefault(place(choice.get("index")), {"content": "", "calls": {}})
        message["content"] += str(dig(delta, "content") or "")
        for call in entries(dig(delta, "tool_calls")):
            members = message["calls"].setdefault(place(dig(call, "index")), {})
            members |= call if isinstance(call, dict) else {}
    return {at: {"content": said["content"], "tool_calls": [*said["calls"].values()]} for at, said in messages.items()}
