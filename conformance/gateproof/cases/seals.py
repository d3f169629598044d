"""What only the provider can read of its thoughts, and must get back as it said it."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.reading import entries
from gateproof.cases.reading import events_of_type, place
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import reasoning, text

THOUGHTS = {
    "First, the sky.": "EqQBCgIYAhIM" + "A/b+C=" * 20 + "==",
    "Then, the sea.": "ErUBCkYIBRgC" + "d+E/f=" * 20 + "==",
}
"""Two thoughts, and the seal of each."""


@case("reasoning.seals-belong-to-their-thought")
def seals_belong_to_their_thought(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    (one, first), (two, second) = THOUGHTS.items()
    upstream.says(
        reasoning(one, signature=first, encrypted=first),
        text("Blue. "),
        reasoning(two, signature=second, encrypted=second),
        text("Salt."),
    )

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    told = dict(_on_messages(answer) if check.surface == "messages" else _on_responses(answer))
    sealed = {thought: told[thought] for thought in THOUGHTS if told.get(thought)}
    if not sealed:
        check.chose("not told")
        return
    for thought, seal in sealed.items():
        # A gateway may wrap a seal, to know its own again.
        others = [other for words, other in THOUGHTS.items() if words != thought and other in seal]
        assert not others, f"{thought!r} has the seal of another thought"
    assert len(set(sealed.values())) == len(sealed), f"two thoughts have one seal: {sealed!r:.300}"
    check.chose("told")


def _on_responses(answer: Answer) -> list[tuple[str, str]]:
    """The summary or the words of each reasoning item, and its encrypted_content."""
    done = [dig(e, "item") for e in events_of_type(answer, "response.output_item.done")]
    told = []
    for item in done if answer.events else entries(dig(answer.body, "output")):
        parts = [part for member in ("summary", "content") for part in entries(dig(item, member))]
        words = [thought for thought in THOUGHTS if any(thought == dig(part, "text") for part in parts)]
        told += [(thought, str(dig(item, "encrypted_content") or "")) for thought in words]
    return told


def _on_messages(answer: Answer) -> list[tuple[str, str]]:
    """The words of each thinking block, and its signature."""
    if not answer.events:
        blocks = entries(dig(answer.body, "content"))
        return [(str(dig(block, "thinking")), str(dig(block, "signature") or "")) for block in blocks]
    told: dict[Any, tuple[str, str]] = {}
    for event in events_of_type(answer, "content_block_delta"):
        words, seal = told.get(at := place(event.get("index")), ("", ""))
        delta = event.get("delta")
        told[at] = words + str(dig(delta, "thinking") or ""), seal + str(dig(delta, "signature") or "")
    return [*told.values()]
