"""The items of a Responses stream that a gateway makes: where they stand, and that each place tells the same of them."""

from __future__ import annotations

from typing import Any

from gateproof.answers.absent import dig
from gateproof.cases.reading import events_of_type, place
from gateproof.exchange import Exchange
from gateproof.registry import invariant

_ENDS = ("response.completed", "response.incomplete")
_WORDS = {"output_text": "text", "refusal": "refusal"}
"""Parts of a message by type, and the member that holds their words."""


def _events(exchange: Exchange) -> list[dict[str, Any]]:
    return [e for e in exchange.answer.events if isinstance(e, dict)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


@invariant("grammar.responses-indices-are-dense")
def responses_indices_are_dense(exchange: Exchange) -> list[str] | None:
    added = events_of_type(exchange.answer, "response.output_item.added")
    if not added:
        return None
    found: list[str] = []
    indices = [place(e.get("output_index")) for e in added]
    if indices != list(range(len(added))):
        found.append(f"items are added at output_index {indices[:10]}")
    ids = [dig(e, "item", "id") for e in added]
    if not all(ids):
        found.append("an item has no id")
    elif len({repr(id) for id in ids}) < len(ids):
        found.append(f"two items have one id: {repr(ids)[:120]}")
    parts: dict[Any, list[Any]] = {}
    for event in events_of_type(exchange.answer, "response.content_part.added"):
        parts.setdefault(place(event.get("output_index")), []).append(place(event.get("content_index")))
    for index, told in parts.items():
        if told != list(range(len(told))):
            found.append(f"parts of output_index {index} are added at content_index {told[:10]}")
    return found[:5]


@invariant("grammar.responses-items-are-told-whole")
def responses_items_are_told_whole(exchange: Exchange) -> list[str] | None:
    events = _events(exchange)
    ends = [e for e in events if e.get("type") in _ENDS]
    done = events_of_type(exchange.answer, "response.output_item.done")
    if not ends or not (done or events_of_type(exchange.answer, "response.output_item.added")):
        return None
    found = dict.fromkeys(_begun_full(events))
    truncated = ends[0]["type"] == "response.incomplete"
    for event in done:
        item, index = event.get("item"), place(event.get("output_index"))
        found.update(dict.fromkeys(_Item(index, events).breaches(item)))
        if dig(item, "status") == "incomplete" and not truncated:
            found[f"the item at output_index {index} is incomplete in a completed turn"] = None
    said = [dig(e, "item") for e in sorted(done, key=lambda e: str(place(e.get("output_index"))).zfill(9))]
    output = _list(dig(ends[0], "response", "output"))
    if [_essence(item) for item in said] != [_essence(item) for item in output]:
        told = [[dig(i, "type") for i in items] for items in (said, output)]
        found[f"the terminal's output is not what was done: {told[1]!r} against {told[0]!r}"[:300]] = None
    return list(found)[:5]


def _begun_full(events: list[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    for event in events:
        item, index = event.get("item"), place(event.get("output_index"))
        if event.get("type") != "response.output_item.added":
            continue
        if dig(item, "type") == "message" and dig(item, "content"):
            found.append(f"the message at output_index {index} begins with content that no delta says")
        if dig(item, "type") == "function_call" and dig(item, "arguments"):
            found.append(f"the call at output_index {index} begins with arguments that no delta says")
        if dig(item, "status") not in ("in_progress", None) and dig(item, "status"):
            found.append(f"the item at output_index {index} begins as {dig(item, 'status')!r}"[:120])
    return found


def _essence(item: Any) -> Any:
    """What has to be the same wherever an item is told."""
    kind = dig(item, "type")
    told = [str(kind), str(dig(item, "id"))]
    if kind == "message":
        return [*told, [_words(part) for part in _list(dig(item, "content"))]]
    return [*told, *(str(dig(item, key)) for key in ("call_id", "name", "arguments", "input"))]


def _words(part: Any) -> tuple[str, str]:
    kind = str(dig(part, "type"))
    return kind, str(dig(part, _WORDS.get(kind, "text")))


class _Item:
    """One item's events. What is done is compared with what was said before."""

    def __init__(self, index: Any, events: list[dict[str, Any]]) -> None:
        self._where = f"of output_index {index}"
        self._events = [e for e in events if place(e.get("output_index")) == index]

    def breaches(self, item: Any) -> list[str]:
        if dig(item, "type") == "function_call":
            return self._compare(
                "arguments", dig(item, "arguments"), "response.function_call_arguments", "arguments", None
            )
        if dig(item, "type") != "message":
            return []
        found: list[str] = []
        for at, part in enumerate(_list(dig(item, "content"))):
            kind = str(dig(part, "type"))
            if kind in _WORDS:
                found += self._compare(f"part {at}", dig(part, _WORDS[kind]), f"response.{kind}", _WORDS[kind], at)
                ended = [dig(e, "part") for e in self._of("response.content_part.done", at)]
                if [_words(e) for e in ended] != [_words(part)]:
                    found.append(f"part {at} {self._where} is another in content_part.done than in output_item.done")
        return found

    def _of(self, kind: str, at: int | None) -> list[dict[str, Any]]:
        # An event without its content_index is a breach of its schema, not of this.
        places = (at, None)
        return [e for e in self._events if e.get("type") == kind and (at is None or e.get("content_index") in places)]

    def _compare(self, what: str, whole: Any, stem: str, member: str, at: int | None) -> list[str]:
        deltas = "".join(str(e.get("delta")) for e in self._of(f"{stem}.delta", at))
        ends = [e.get(member) for e in self._of(f"{stem}.done", at)]
        found = []
        if deltas != whole:
            found.append(f"{what} {self._where}: the deltas are {deltas[:60]!r}, the item {str(whole)[:60]!r}")
        if ends != [whole]:
            found.append(f"{what} {self._where}: {stem}.done says {str(ends)[:60]}, the item {str(whole)[:60]!r}")
        return found
