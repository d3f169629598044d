"""In which order an answer tells what the upstream said."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.reading import entries, text_of
from gateproof.cases.combinations import TURNS
from gateproof.cases.reading import events_of_type
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock.language.turns import Element, Reasoning, Text, ToolCall

ORDERED = (
    "reasoning, text, call",
    "text, call, text",
    "call, reasoning, call",
    "reasoning, call, reasoning, text, call, text",
)
FROM_CHAT = ORDERED[:1]
"""A chat message has no order among its members: only the order holds in which engines stream them."""


@case("mix.order-is-kept")
def order_is_kept(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for name in FROM_CHAT if check.dialect == "chat" else ORDERED:
        upstream.says(*TURNS[name])

        answer = ask()

        assert answer.outcome == "complete", f"{name}: {answer!r}"
        for where, told in _tellings(answer, check.surface).items():
            # What did not come at all is missed by others; here only the places count of what came.
            places = {mark: told.find(mark) for mark in map(_mark, TURNS[name]) if mark in told}
            order = sorted(places, key=lambda mark: places[mark])
            assert list(places) == order, f"{name}: in the {where} the order is {order!r}"


def _mark(said: Element) -> str:
    """The words by which a thing said is known, in the whole of a turn."""
    match said:
        case Text(pieces) | Reasoning(pieces):
            return pieces[0].strip()
        case ToolCall(name):
            return name
        case _:
            raise ValueError(f"nothing marks {said!r}")


def _tellings(answer: Answer, surface: str) -> dict[str, str]:
    """All that an answer says, one thing after the other, wherever it says so: thoughts, words and names of calls."""
    if surface == "messages":
        blocks = "\n".join(_block(block) for block in entries(dig(answer.body, "content")))
        return {"events": "".join(map(_block_event, answer.events))} if answer.events else {"content": blocks}
    if not answer.events:
        return {"output": _output(answer.body)}
    told = {"events": "".join(map(_item_event, answer.events))}
    # The Codex backend leaves its output out of response.completed, and a relay does so too: then nothing is told there.
    return told | {
        "response of the last event": _output(dig(events_of_type(answer, "response.completed"), -1, "response"))
    }


def _block(block: Any) -> str:
    return "".join(text_of(dig(block, member)) for member in ("thinking", "text", "name"))


def _block_event(event: Any) -> str:
    delta = dig(event, "delta")
    return (
        f"\n{text_of(dig(event, 'content_block', 'name'))}"
        + text_of(dig(delta, "thinking"))
        + text_of(dig(delta, "text"))
    )


def _output(response: Any) -> str:
    return "\n".join(_item(item) for item in entries(dig(response, "output")))


def _item(item: Any) -> str:
    parts = [part for member in ("summary", "content") for part in entries(dig(item, member))]
    return "".join(text_of(dig(part, "text")) for part in parts) + text_of(dig(item, "name"))


SAYING = (
    "response.output_text.delta",
    "response.reasoning_summary_text.delta",
    "response.reasoning_text.delta",
)


def _item_event(event: Any) -> str:
    kind = dig(event, "type")
    if kind == "response.output_item.added":
        return f"\n{text_of(dig(event, 'item', 'name'))}"
    return text_of(dig(event, "delta")) if kind in SAYING else ""
