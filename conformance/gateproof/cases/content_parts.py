"""The parts of a text, and the probabilities of its tokens."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.cases.contested import is_refusal
from gateproof.cases.reading import choices, events_of_type, text_blocks
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import citation, next_message, next_part, reasoning, text, tool_call
from gateproof_mock.dialects.openai import logprobs
from gateproof_mock.language.turns import Text

CITED = citation("https://example.org/one", title="Page", start=0, end=6, cited="as it says")


@case("content.parts-stay-apart")
def parts_stay_apart(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for apart in (next_message(), next_part()):
        for said in (
            (text("One", ". "), apart, text("Two", ".")),
            (text("One", ". "), apart, text("Two", ". "), apart, text("Three.", citations=[CITED])),
            (reasoning("Hm."), text("One. "), apart, text("Two."), tool_call("get_weather", '{"city": "Oslo"}')),
        ):
            upstream.says(*said)

            answer = ask()

            told = ", ".join(element.KEY for element in said)
            assert answer.outcome == "complete", f"{told}: {answer!r}"
            wanted = ["".join(element.pieces) for element in said if isinstance(element, Text)]
            parts = text_blocks(answer) if check.surface == "messages" else _text_parts(answer)
            assert parts == wanted, f"{told}: the parts of the text are {parts!r}"


def _text_parts(answer: Answer) -> list[str]:
    """The text of each part of a Responses answer, of whatever message."""
    pieces: dict[tuple[str, str], str] = {}
    for delta in events_of_type(answer, "response.output_text.delta"):
        at = repr(delta.get("output_index")), repr(delta.get("content_index"))
        pieces[at] = pieces.get(at, "") + str(dig(delta, "delta") or "")
    return [*(str(dig(part, "text")) for part in _parts(dig(answer.body, "output"))), *pieces.values()]


def _parts(output: Any) -> list[Any]:
    """The parts of text of some output items."""
    held = [dig(item, "content") for item in (output if isinstance(output, list) else [])]
    parts = [part for content in held if isinstance(content, list) for part in content]
    return [part for part in parts if dig(part, "type") == "output_text"]


TOKENS = ("The", " weather", " in", " Tromsø", ":", " 🦄", "\n")


@case("content.logprobs-arrive")
def logprobs_arrive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text(*TOKENS, logprobs=True))
    wanted = [_entry(entry) for entry in logprobs(TOKENS)]
    asked: dict[str, Any] = (
        {"logprobs": True, "top_logprobs": 0} if check.on_chat else {"include": ["message.output_text.logprobs"]}
    )

    answer = ask(**asked)

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    assert answer.outcome == "complete", repr(answer)
    told = _in_choices(answer) if check.on_chat else _in_output(answer)
    for where, entries in told.items():
        probable = [_entry(entry) for entry in entries]
        assert probable == wanted, f"{where}: tokens and probabilities are {probable!r}"
    check.chose("told")


def _entry(entry: Any) -> tuple[Any, Any]:
    return dig(entry, "token"), dig(entry, "logprob")


def _in_choices(answer: Answer) -> dict[str, list[Any]]:
    """The entries of a chat answer, streamed or whole."""
    whole = dig(answer.body, "choices", 0)
    held = [dig(c, "logprobs", "content") for c in (choices(answer) if answer.events else [whole])]
    return {"choices[].logprobs.content": [e for entries in held if isinstance(entries, list) for e in entries]}


def _in_output(answer: Answer) -> dict[str, list[Any]]:
    """The entries of a Responses answer: of its items, and of its deltas where it was streamed."""
    if not answer.events:
        return {"output": _entries(_parts(dig(answer.body, "output")))}
    items = [dig(event, "item") for event in events_of_type(answer, "response.output_item.done")]
    return {
        "response.output_text.delta": _entries(events_of_type(answer, "response.output_text.delta")),
        "response.output_item.done": _entries(_parts(items)),
    }


def _entries(holders: list[Any]) -> list[Any]:
    held = [dig(holder, "logprobs") for holder in holders]
    return [entry for entries in held if isinstance(entries, list) for entry in entries]
