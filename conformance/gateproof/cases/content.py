"""Text, reasoning, and what is neither."""

from __future__ import annotations

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.cases.canned import completion_id
from gateproof.cases.reading import assert_calls, choices, events_of_type, text_blocks
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import (
    Wire,
    citation,
    completed,
    event,
    next_message,
    reasoning,
    refusal,
    text,
    tool_call,
    web_search,
)

PIECES = (
    " Leading space,",
    " naïve 日本",
    " 🦄",
    ' "quotes" \\ and\n',
    "\n  two lines",
    " [DONE]",
    " data: x",
    # Lines to Python's splitlines, and not to SSE.
    " parted\u2028by\u2029others\x85",
    " end. ",
)
THOUGHTS = ("First I think. ", "Then I think again.")


@case("text.role-comes-first")
def role_comes_first(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"))

    answer = ask()

    assert choices(answer), f"no choice in any chunk: {answer!r}"
    delta = choices(answer)[0].get("delta")
    assert isinstance(delta, dict)
    assert delta.get("role") == "assistant", f"the first delta is {delta!r}"


@case("text.arrives-exactly-once")
def arrives_exactly_once(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text(*PIECES))

    answer = ask()

    assert answer.text == "".join(PIECES)


@case("text.several-messages-are-joined")
def several_messages_are_joined(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("One. "), next_message(), text("Two. "), next_message(), text("Three."))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "One. Two. Three."


@case("reasoning.never-becomes-text")
def reasoning_never_becomes_text(ask: Ask, upstream: Upstream) -> None:
    upstream.says(reasoning(*THOUGHTS), text("Hel", "lo"))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello"


@case("reasoning.either-name-is-read")
def either_name_is_read(ask: Ask, upstream: Upstream) -> None:
    told = []
    for key in ("reasoning_content", "reasoning"):
        upstream.says(reasoning(*THOUGHTS), text("Hel", "lo"), wire=Wire(reasoning_key=key))
        answer = ask()
        assert answer.text == "Hello", f"under {key}: {answer!r}"
        told.append(answer.reasoning)

    assert told[1] == told[0], f"of reasoning_content came {told[0]!r}, of reasoning {told[1]!r}"


@case("reasoning.arrives-once-as-reasoning-content")
def arrives_once_as_reasoning_content(ask: Ask, upstream: Upstream) -> None:
    upstream.says(reasoning(*THOUGHTS), text("Hel", "lo"))

    answer = ask()

    assert answer.reasoning == "".join(THOUGHTS)


@case("content.web-search-call-is-silent")
def web_search_call_is_silent(ask: Ask, upstream: Upstream) -> None:
    upstream.says(web_search("weather in Oslo"), text("It ", "rains."))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "It rains."
    assert not answer.tool_calls, f"calls that nobody made: {answer.calls!r}"
    assert answer.finish == "stop"


# Each a delta of its own.
PROTOCOL = (
    "[DONE]",
    "data: [DONE]\n\n",
    "event: error\ndata: {}\n\n",
    ": ping\n\n",
    '{"error": {"message": "No.", "type": "server_error"}}',
    '{"type": "response.completed"}',
    '"finish_reason": "stop"',
    "<|im_end|>",
    "</s>",
    "null",
    "undefined",
    "\r\n",
    "\n\n",
    " ",
    "\\u0000\\n",
    "end",
)


@case("text.protocol-words-are-text")
def protocol_words_are_text(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    arguments = '{"data: [DONE]": "event: error", "error": {"message": "[DONE]"}, "type": "message_stop"}'
    upstream.says(text(*PROTOCOL), tool_call("get_weather", arguments))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "".join(PROTOCOL)
    assert_calls(answer, check, ("get_weather", arguments))


WONT = ("I cannot ", "help with ", "that.")


@case("content.refusal-arrives")
def refusal_arrives(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(refusal(*WONT))

    answer = ask()

    words = "".join(WONT)
    assert answer.outcome == "complete", repr(answer)
    if answer.text + answer.refusal == words:
        check.chose("refusal" if answer.refusal else "text")
        return
    assert _explanation(answer) == words, f"text {answer.text!r}, refusal {answer.refusal!r}: {answer!r}"
    check.chose("explanation")


def _explanation(answer: Answer) -> object:
    """Of a Messages turn: why it was refused."""
    ends = [dig(answer.body, "stop_details", "explanation")]
    ends += [dig(e, "delta", "stop_details", "explanation") for e in events_of_type(answer, "message_delta")]
    return next((end for end in reversed(ends) if end), None)


@case("content.refusal-is-told-as-one")
def refusal_is_told_as_one(ask: Ask, upstream: Upstream) -> None:
    upstream.says(refusal(*WONT))

    answer = ask()

    assert answer.finish == "content_filter", repr(answer)


PAGES = ("https://example.org/one", "https://example.org/two?a=1&b=2")


@case("content.citations-survive")
def citations_survive(ask: Ask, upstream: Upstream) -> None:
    cited = [
        citation(url, title=f"Page {n}", start=5 * n, end=5 * n + 4, cited="as it says") for n, url in enumerate(PAGES)
    ]
    upstream.says(text("Rain ", "wind ", "sun.", citations=cited))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Rain wind sun."
    assert answer.cited == list(PAGES)


@case("content.other-choices-are-not-merged")
def other_choices_are_not_merged(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    choice = {"index": 1, "delta": {"role": "assistant", "content": "second"}, "finish_reason": None}
    other = {
        "id": completion_id(),
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "two",
        "choices": [choice],
    }
    upstream.says(event(**other), text("fir"), event(**other), text("st"))

    answer = ask()

    if answer.failed:
        check.chose("error")
        return
    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "first"
    check.chose("apart")


@case("content.several-choices-are-given-or-refused")
def several_choices_are_given_or_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"))

    answer = ask(n=2)

    if 400 <= answer.status < 500:
        check.chose("refused")
        return
    given = dig(answer.body, "choices")
    assert isinstance(given, list), repr(answer)
    assert len(given) == 2, f"{len(given)} choices of two that were asked for"
    check.chose("given")


@case("content.no-empty-text-blocks")
def no_empty_text_blocks(ask: Ask, upstream: Upstream) -> None:
    call = tool_call("get_weather", '{"city": "Oslo"}')
    for said in ((call,), (reasoning(*THOUGHTS), text("Hello")), (reasoning(*THOUGHTS), call), (call, text("Hello"))):
        upstream.says(*said, completed())

        answer = ask()

        told = [element.KEY for element in said]
        assert answer.outcome == "complete", f"{told}: {answer!r}"
        assert "" not in text_blocks(answer), f"{told}: a text block without text"


SAYABLE = {
    "messages": {"text", "tool_use", "thinking", "redacted_thinking"},
    "responses": {"message", "function_call", "reasoning"},
    "chat": {"content", "tool_calls", "reasoning", "reasoning_content", "role"},
}
"""Blocks, items and keys of a message that tell of words, calls and thoughts; each case says the first two alone."""


@case("content.nothing-is-made-up")
def nothing_is_made_up(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for said, calls in (((text("Hel", "lo"),), 0), ((text("Hel", "lo"), tool_call("get_weather", "{}")), 1)):
        upstream.says(*said)

        answer = ask()

        assert answer.outcome == "complete", repr(answer)
        strange = [kind for kind in _kinds(answer, check.surface) if kind not in SAYABLE[check.surface]]
        assert not strange, f"the upstream spoke of no {', '.join(strange)}: {answer!r}"
        assert len(answer.calls) <= calls, repr(answer)


def _kinds(answer: Answer, surface: str) -> list[str]:
    """The types of an answer's blocks or items; on Chat Completions the keys of its message that hold something."""
    if surface == "chat":
        held = [part for choice in choices(answer) for part in (choice.get("message"), choice.get("delta"))]
        return [key for part in held if isinstance(part, dict) for key, value in part.items() if value]
    whole = dig(answer.body, "content" if surface == "messages" else "output")
    blocks = [dig(event, "content_block") for event in events_of_type(answer, "content_block_start")]
    items = [dig(event, "item") for event in events_of_type(answer, "response.output_item.added")]
    return [str(dig(part, "type")) for part in [*(whole if isinstance(whole, list) else []), *blocks, *items]]
