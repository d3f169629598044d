"""Where in the text a citation belongs, and what the page is called."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.reading import entries
from gateproof.cases.reading import choices, events_of_type
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import citation, next_part, text

ONE = citation("https://example.org/one", title="The first page", start=3, end=7)
TWO = citation("https://example.org/two?a=1&b=2", title='Rain, "wind" and 日本', start=8, end=11)
THREE = citation("https://example.org/three", title="The third page", start=4, end=6)
FIRST = text("As they say.", citations=[ONE, TWO])
SECOND = text("And so it is.", citations=[THREE])
BEFORE = len("".join(FIRST.pieces))


@case("content.citations-keep-place-and-title")
def citations_keep_place_and_title(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    # A message of Chat Completions has one part.
    parts = (FIRST,) if check.dialect == "chat" else (FIRST, next_part(), SECOND)
    upstream.says(*parts)

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    # That they arrive at all is content.citations-survive.
    told = {dig(one, "url"): one for one in _annotations(answer, check) if isinstance(dig(one, "url"), str)}
    for cited in (ONE, TWO, THREE):
        if (found := told.get(cited.url)) is None:
            continue
        assert dig(found, "title") == cited.title, f"{cited.url} has the title {dig(found, 'title')!r}"
        place = dig(found, "start_index"), dig(found, "end_index")
        if cited is THREE and check.translated and place == (BEFORE + cited.start, BEFORE + cited.end):
            # OpenAI documents "in the message" for both APIs; its own Responses count from the part.
            check.chose("in the message")
            continue
        wanted = cited.start, cited.end
        assert place == wanted, f"{cited.url} stands at {place}, and the upstream said {wanted}"
        if cited is THREE:
            check.chose("in the part")


def _annotations(answer: Answer, check: CheckHand) -> list[Any]:
    """The citations of an answer, streamed or whole, as flat as Responses has them."""
    if check.on_chat:
        deltas = [dig(choice, "delta") for choice in choices(answer)]
        messages = deltas if answer.events else [dig(answer.body, "choices", 0, "message")]
        return [dig(one, "url_citation") for message in messages for one in entries(dig(message, "annotations"))]
    if answer.events:
        return [event.get("annotation") for event in events_of_type(answer, "response.output_text.annotation.added")]
    parts = [part for item in entries(dig(answer.body, "output")) for part in entries(dig(item, "content"))]
    return [one for part in parts for one in entries(dig(part, "annotations"))]
