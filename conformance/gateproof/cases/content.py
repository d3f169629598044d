"""Text, reasoning, and what is neither."""

from __future__ import annotations

from gateproof.cases.reading import choices
from gateproof.registry import case
from gateproof.stagehands import Ask, Upstream
from gateproof_mock import next_message, reasoning, text, web_search

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
