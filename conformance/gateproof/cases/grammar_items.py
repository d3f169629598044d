"""What the items of a Responses answer hold beside words: summaries, annotations, and how each of them ended."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.reading import entries
from gateproof.cases.reading import events_of_type, place
from gateproof.exchange import Exchange
from gateproof.registry import invariant

_ENDS = ("response.completed", "response.incomplete")
_OVER = ("completed", "incomplete")
_ENDING = ("message", "function_call", "custom_tool_call", "reasoning")
"""Items whose status is in_progress, completed or incomplete; those of hosted tools have words of their own."""
_SUMMARY = "response.reasoning_summary_"
_ANNOTATED = "response.output_text.annotation.added"


def _ended(exchange: Exchange) -> Any:
    """The response object of a stream that ended as a success, MISSING if none did."""
    ends = [e for e in exchange.answer.events if isinstance(e, dict) and e.get("type") in _ENDS]
    return dig(ends[0], "response") if ends else dig(None, "response")


def _has_items(exchange: Exchange) -> bool:
    """Whether a stream tells of an item. One without thoughts or sources is as it should be, and no gateway has to have any."""
    return bool(events_of_type(exchange.answer, "response.output_item.added"))


@invariant("grammar.responses-summary-parts-are-announced")
def responses_summary_parts_are_announced(exchange: Exchange) -> list[str] | None:
    events = [e for e in exchange.answer.events if isinstance(e, dict)]
    if not _has_items(exchange):
        return None
    found: dict[str, None] = {}
    states: dict[tuple[Any, Any], str] = {}
    for event in events:
        kind = str(event.get("type"))
        # An event without its index is a breach of its schema, not of this.
        at = place(event.get("output_index")), place(event.get("summary_index")) or 0
        where = f"summary part {at[1]} of output_index {at[0]}"
        if kind == f"{_SUMMARY}part.added":
            if at in states:
                found[f"{where} was added twice"] = None
            states[at] = "open"
        elif kind.startswith(_SUMMARY) and states.get(at) != "open":
            state = "was done already" if at in states else "was never added"
            found[f"{kind[:60]} for {where}, which {state}"] = None
        elif kind == f"{_SUMMARY}part.done":
            states[at] = "done"
    if _ended(exchange):
        found |= dict.fromkeys(
            f"summary part {part} of output_index {index} was never done"
            for (index, part), state in states.items()
            if state == "open"
        )
    return list(found)[:5]


@invariant("grammar.responses-items-are-done-with-all")
def responses_items_are_done_with_all(exchange: Exchange) -> list[str] | None:
    done = events_of_type(exchange.answer, "response.output_item.done")
    response = _ended(exchange)
    if not done or not response:
        return None
    found: list[str] = []
    output = {str(dig(item, "id")): item for item in entries(dig(response, "output"))}
    annotations, summaries = _annotations(exchange.answer), _summaries(exchange.answer)
    for event in done:
        item, index = event.get("item"), place(event.get("output_index"))
        found += _lost(item, index, annotations, summaries)
        # Another item, or none, in the terminal is a breach of grammar.responses-items-are-told-whole.
        last = output.get(str(dig(item, "id")))
        if last is not None and _alike(item, last) and _extras(item) != _extras(last):
            found.append(
                f"the item at output_index {index} is done with {_extras(item)!r:.80}, ends as {_extras(last)!r:.80}"
            )
    return found[:5]


# Gathered once for all items: an answer may have as many items as events.
Annotations = dict[Any, dict[Any, list[Any]]]
"""What was told, by output_index and content_index."""
Summaries = dict[Any, dict[Any, str]]
"""By output_index and summary_index."""


def _annotations(answer: Answer) -> Annotations:
    told: Annotations = {}
    for event in events_of_type(answer, _ANNOTATED):
        parts = told.setdefault(place(event.get("output_index")), {})
        parts.setdefault(place(event.get("content_index")), []).append(event.get("annotation"))
    return told


def _summaries(answer: Answer) -> Summaries:
    told: dict[Any, dict[Any, list[str]]] = {}
    for event in events_of_type(answer, f"{_SUMMARY}text.delta"):
        parts = told.setdefault(place(event.get("output_index")), {})
        parts.setdefault(place(event.get("summary_index")) or 0, []).append(str(event.get("delta")))
    return {index: {at: "".join(words) for at, words in parts.items()} for index, parts in told.items()}


def _lost(item: Any, index: Any, annotations: Annotations, summaries: Summaries) -> list[str]:
    """What the events told of an item, and the done item does not have."""
    found: list[str] = []
    # Whether an annotation is told before its item is done is not this requirement's.
    for at, told in annotations.get(index, {}).items():
        parts = entries(dig(item, "content"))
        if not isinstance(at, int) or not 0 <= at < len(parts):
            continue
        held = entries(dig(parts[at], "annotations"))
        if held != told:
            found.append(
                f"part {at} of output_index {index} was told {len(told)} annotations, its item has {held!r:.100}"
            )
    summed = [words for words in summaries.get(index, {}).values() if words]
    held = [str(dig(part, "text")) for part in entries(dig(item, "summary"))] if summed else []
    if held != summed:
        found.append(f"the summary of output_index {index} was {summed!r:.80}, its item has {held!r:.80}")
    return found


def _alike(item: Any, other: Any) -> bool:
    """Whether two items have as many parts of content, so that these can be compared."""
    return len(entries(dig(item, "content"))) == len(entries(dig(other, "content")))


def _extras(item: Any) -> list[Any]:
    """What of an item no other requirement compares. What is absent, null or empty is the same."""
    annotations = [entries(dig(part, "annotations")) for part in entries(dig(item, "content"))]
    if dig(item, "type") != "reasoning":
        return annotations
    parts = [str(dig(part, "text")) for key in ("summary", "content") for part in entries(dig(item, key))]
    return [*parts, dig(item, "encrypted_content") or ""]


@invariant("grammar.responses-items-end-with-a-status")
def responses_items_end_with_a_status(exchange: Exchange) -> list[str] | None:
    answer = exchange.answer
    if answer.events:
        over, response = any(events_of_type(answer, end) for end in _ENDS), _ended(exchange)
    else:
        response = answer.body
        # Some tell no status of the whole; a refusal has no output.
        over = (dig(response, "status") or "completed") in _OVER and isinstance(dig(response, "output"), list)
    if not over:
        return None
    done = [dig(e, "item") for e in events_of_type(answer, "response.output_item.done")]
    told = [("output_item.done", item) for item in done]
    told += [("the output", item) for item in entries(dig(response, "output"))]
    ended = [(where, item) for where, item in told if dig(item, "type") in _ENDING]
    found = dict.fromkeys(
        f"in {where} a {dig(item, 'type')} has the status {dig(item, 'status')!r}"[:160]
        for where, item in ended
        # No schema requires it of a call or of reasoning; of a message schema.bodies-are-valid does.
        if dig(item, "status") and dig(item, "status") not in _OVER
    )
    return list(found)[:5]


@invariant("grammar.responses-annotations-are-numbered")
def responses_annotations_are_numbered(exchange: Exchange) -> list[str] | None:
    if not _has_items(exchange):
        return None
    numbers: dict[tuple[Any, Any], list[Any]] = {}
    for event in events_of_type(exchange.answer, _ANNOTATED):
        at = place(event.get("output_index")), place(event.get("content_index"))
        numbers.setdefault(at, []).append(place(event.get("annotation_index")))
    return [
        f"the annotations of part {part} of output_index {index} have annotation_index {told[:10]}"
        for (index, part), told in numbers.items()
        if told != list(range(len(told)))
    ][:5]
