"""Lies about what an answer says beyond its words and calls: order, summaries, seals, sources, counts and ids."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from gateproof_reference import sse
from gateproof_reference.canonical import Cited, Event
from gateproof_reference.messages import calls
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame, Out
from gateproof_reference.wirejson import Object, dump, objects, parse_object, text

RESPONSES = "responses.encode:ResponsesEncoder"
RELAYED_BODY = "pairs:Exchange.translate_body"


@mutant("json-puts-text-first", seam="messages.encode:encode_body", caught_by="mix.order-is-kept")
def _(original: Any) -> Any:
    """In a JSON message the text comes first, then the thinking, then the calls."""
    order = ("text", "thinking", "redacted_thinking", "tool_use")

    def encode_body(events: Iterable[Event], *how: Any) -> Object:
        body: Object = original(events, *how)
        return {**body, "content": sorted(body["content"], key=lambda block: order.index(block["type"]))}

    return encode_body


@mutant("output-puts-messages-first", seam="responses.encode:encode_body", caught_by="mix.order-is-kept")
def _(original: Any) -> Any:
    """In a JSON Response messages come first, then reasoning, then the calls."""
    order = ("message", "reasoning", "function_call")

    def encode_body(events: Iterable[Event], *how: Any) -> Object:
        body: Object = original(events, *how)
        return {**body, "output": sorted(body["output"], key=lambda item: order.index(item["type"]))}

    return encode_body


@mutant(
    "summary-parts-are-not-announced",
    seam=f"{RESPONSES}.summary_frame",
    caught_by="grammar.responses-summary-parts-are-announced",
)
def _(original: Any) -> Any:
    """A summary is told in deltas of a part that nothing begins and nothing ends."""

    def summary_frame(self: Any, kind: str, item: Any, **members: object) -> Frame:
        if kind.startswith("response.reasoning_summary_part."):
            return Frame(b"")
        made: Frame = original(self, kind, item, **members)
        return made

    return summary_frame


@mutant(
    "items-are-done-without-citations",
    seam=f"{RESPONSES}.item_done",
    caught_by="grammar.responses-items-are-done-with-all",
)
def _(original: Any) -> Any:
    """output_item.done has no annotations, though events told them."""
    return lambda self, item, status: done_with(self, original, item, status, without_annotations)


@mutant("reasoning-is-done-empty", seam=f"{RESPONSES}.item_done", caught_by="grammar.responses-items-are-done-with-all")
def _(original: Any) -> Any:
    """output_item.done of reasoning has no summary, though deltas told one."""
    return lambda self, item, status: done_with(
        self, original, item, status, lambda whole: {**whole, "summary": []} if "summary" in whole else whole
    )


def without_annotations(item: Object) -> Object:
    """Return a message without its annotations, and any other item as it is."""
    if item["type"] != "message":
        return item
    return {
        **item,
        "content": [part | ({"annotations": []} if "annotations" in part else {}) for part in item["content"]],
    }


def done_with(self: Any, original: Any, item: Any, status: str, spoilt: Any) -> Frame:
    """Close an item as another than it is, and end the response with what it is."""
    sequence = self._sequence
    original(self, item, status)
    self._sequence = sequence
    made: Frame = self.frame("response.output_item.done", output_index=item.at, item=spoilt(self._done[item.at]))
    return made


@mutant(
    "items-stay-in-progress",
    seam="responses.encode:_Message.item",
    caught_by="grammar.responses-items-end-with-a-status",
)
def _(original: Any) -> Any:
    """A message is done and still in progress."""
    return lambda self, status: original(self, "in_progress" if status == "completed" else status)


@mutant(
    "annotations-are-all-the-first",
    seam=f"{RESPONSES}.part_frame",
    caught_by="grammar.responses-annotations-are-numbered",
)
def _(original: Any) -> Any:
    """Every annotation is at annotation_index 0."""

    def part_frame(self: Any, kind: str, message: Any, **members: object) -> Frame:
        numbered = {"annotation_index": 0} if "annotation_index" in members else {}
        made: Frame = original(self, kind, message, **members | numbered)
        return made

    return part_frame


@mutant("citations-have-no-place", seam="citations:_members", caught_by="content.citations-keep-place-and-title")
def _(original: Any) -> Any:
    """Where a citation belongs in the text is always 0 to 0."""

    def members(cited: Cited, base: int) -> Object:
        return {**original(cited, base), "start_index": 0, "end_index": 0}

    return members


@mutant("citations-have-no-title", seam="citations:_members", caught_by="content.citations-keep-place-and-title")
def _(original: Any) -> Any:
    """The title of a cited page is its address."""

    def members(cited: Cited, base: int) -> Object:
        return {**original(cited, base), "title": cited.url}

    return members


@mutant("refusal-follows-no-text", seam=f"{RESPONSES}.words", caught_by="content.refusals-stay-apart")
def _(original: Any) -> Any:
    """A refusal after text is written on in the part of the text."""

    def words(self: Any, kind: str, more: str) -> Iterable[Frame]:
        message = self._current
        open_kind = message.parts[-1].kind if getattr(message, "open_part", False) else kind
        return original(self, open_kind, more)  # type: ignore[no-any-return]

    return words


@mutant(
    "broken-arguments-are-empty",
    seam="messages.encode:MessagesEncoder.input_of",
    caught_by="tools.broken-arguments-are-not-run",
)
def _(original: Any) -> Any:
    """Arguments that are no JSON become {}, and the call is run without any."""
    return lambda self, block, reason: calls.to_input(block.arguments.getvalue()) or {}


def relayed(original: Any, surface: str, change: Callable[[Object], Object]) -> Any:
    """Change the JSON answers that are relayed in one API."""

    def translate_body(self: Any, raw: bytes) -> bytes:
        told: bytes = original(self, raw)
        body = parse_object(told)
        if self.request is not None or self.surface.name != surface or body is None:
            return told
        return dump(change(body))

    return translate_body


@mutant("json-relay-drops-server-tools", seam=RELAYED_BODY, caught_by="content.hosted-tools-are-relayed")
def _(original: Any) -> Any:
    """In a relayed message only text, thinking and calls pass: what the provider's own tools found is lost."""
    known = ("text", "thinking", "redacted_thinking", "tool_use")
    return relayed(
        original,
        "messages",
        lambda body: {**body, "content": [block for block in objects(body["content"]) if block.get("type") in known]},
    )


@mutant("json-relay-drops-hosted-calls", seam=RELAYED_BODY, caught_by="content.hosted-tools-are-relayed")
def _(original: Any) -> Any:
    """In a relayed Response the calls of hosted tools are taken for the provider's own business."""
    hosted = ("web_search_call", "file_search_call", "code_interpreter_call", "mcp_call")
    return relayed(
        original,
        "responses",
        lambda body: {**body, "output": [item for item in objects(body.get("output")) if item["type"] not in hosted]},
    )


@mutant(
    "relays-know-their-events",
    seam="responses.relay:ResponsesRelay.on_event",
    caught_by="content.hosted-tools-are-relayed",
)
def _(original: Any) -> Any:
    """A relay passes on the events of text, functions and reasoning; how a search goes on is none of them."""

    def on_event(self: Any, event: sse.Event) -> Iterator[Out]:
        payload = parse_object(event.data) or {}
        hosted = text(payload.get("type")).startswith("response.web_search_call.")
        return iter(()) if hosted else original(self, event)

    return on_event


@mutant("relays-count-four-things", seam=RELAYED_BODY, caught_by="usage.relays-keep-every-count")
def _(original: Any) -> Any:
    """The usage of a relayed message is written anew: cache writes by lifetime and searches are lost."""
    known = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")

    def change(body: Object) -> Object:
        counted = body.get("usage")
        kept = (*known, "output_tokens_details")
        told = {name: counted[name] for name in kept if name in counted} if isinstance(counted, dict) else counted
        return {**body, "usage": told}

    return relayed(original, "messages", change)


@mutant("relays-give-one-choice", seam=RELAYED_BODY, caught_by="content.relays-keep-each-choice")
def _(original: Any) -> Any:
    """Of n choices a relayed completion has the first."""
    return relayed(original, "chat", lambda body: {**body, "choices": objects(body.get("choices"))[:1]})


CALL = ("index", "id", "type", "function", "custom")
"""What OpenAI documents of a call."""


@mutant(
    "chat-relay-knows-its-members",
    seam="chat.relay:ChatRelay.on_event",
    caught_by="request.relay-keeps-members-of-calls",
)
def _(original: Any) -> Any:
    """A piece of a relayed call is written anew with what OpenAI documents: a thought signature is lost."""

    def on_event(self: Any, event: sse.Event) -> Iterator[Out]:
        payload = parse_object(event.data)
        deltas = [choice.get("delta") for choice in objects((payload or {}).get("choices"))]
        calling = [delta for delta in deltas if isinstance(delta, dict) and delta.get("tool_calls")]
        for delta in calling:
            delta["tool_calls"] = documented(delta["tool_calls"])
        return original(self, sse.Event(event.name, dump(payload)) if calling else event)  # type: ignore[no-any-return]

    return on_event


def documented(made: object) -> list[Object]:
    """Return calls without what OpenAI does not document of them."""
    return [{name: call[name] for name in CALL if name in call} for call in objects(made)]


def asking(original: Any, change: Callable[[Object], None]) -> Any:
    """Change each message of the history that a chat relay passes on."""

    def prepare(surface: Any, dialect: Any, raw: bytes, body: Object, *rest: Any, **how: Any) -> Any:
        if surface is dialect and surface.name == "chat":
            for message in objects(body.get("messages")):
                change(message)
            raw = dump(body)
        return original(surface, dialect, raw, body, *rest, **how)

    return prepare


@mutant("chat-relay-strips-history", seam="pairs:prepare", caught_by="request.relay-keeps-members-of-calls")
def _(original: Any) -> Any:
    """A relay writes the calls of the history anew: a thought signature does not go back."""

    def change(message: Object) -> None:
        if message.get("tool_calls"):
            message["tool_calls"] = documented(message["tool_calls"])

    return asking(original, change)


@mutant("second-seal-is-the-first", seam=f"{RESPONSES}.seal", caught_by="reasoning.seals-belong-to-their-thought")
def _(original: Any) -> Any:
    """Every thought of a turn has the seal of the first."""

    def seal(self: Any, encrypted: str) -> Iterator[Frame]:
        self.first_seal = getattr(self, "first_seal", encrypted)
        return original(self, self.first_seal)  # type: ignore[no-any-return]

    return seal


@mutant("item-ids-are-numbers", seam=f"{RESPONSES}.item_id", caught_by="identity.items-of-two-turns-have-own-ids")
def _(original: Any) -> Any:
    """Items are msg_0, fc_1 in each turn."""
    return lambda self, prefix: f"{prefix}_{self._items}"


@mutant(
    "responses-echo-nothing",
    seam="responses.resource:response",
    caught_by="identity.response-repeats-what-was-asked",
)
def _(original: Any) -> Any:
    """A Response has the defaults of what was asked, whatever was asked."""
    return lambda request, *rest, **more: original(replace(request, asked={}), *rest, **more)
