"""Lies about text, reasoning and what else a model says."""

from collections.abc import Iterator
from typing import Any

from gateproof_reference import sse
from gateproof_reference.canonical import Event, ReasoningDelta, TextDelta
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.streams import Frame, Out
from gateproof_reference.wirejson import Object, dump, parse_object

DECODER = "responses.decode:ResponsesDecoder"


@mutant(
    "text-is-trimmed",
    seam=f"{DECODER}.tell",
    caught_by="""aggregate.unrequested-sse-is-read content.parts-stay-apart mix.truncated-turns-say-so-anywhere
    mix.turns-arrive-whole sse.unknown-events-change-nothing text.arrives-exactly-once
    text.several-messages-are-joined turn.plain-text-arrives""",
)
def _(original: Any) -> Any:
    """Each piece of the text loses its outer spaces, and the words run together."""
    return lambda self, item, channel, at, words: original(self, item, channel, at, words.strip())


@mutant(
    "chat-text-is-trimmed",
    seam="chat.decode:ChatDecoder.on_delta",
    caught_by="""aggregate.unrequested-sse-is-read mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    text.arrives-exactly-once turn.plain-text-arrives""",
)
def _(original: Any) -> Any:
    """The same from a chat upstream."""
    return lambda self, delta: original(self, {**delta, "content": (delta.get("content") or "").strip()})


@mutant("role-is-missing", seam="chat.encode:ChatEncoder.opening", caught_by="text.role-comes-first")
def _(original: Any) -> Any:
    """No chunk says whose words these are."""
    return lambda self: Frame(self.chunk([self.choice({"content": ""}, None)]), opening=True)


@mutant(
    "text-comes-twice", seam=f"{DECODER}.settle", caught_by="aggregate.unrequested-sse-is-read turn.plain-text-arrives"
)
def _(original: Any) -> Any:
    """The done events repeat what the deltas said (databricks#464)."""

    def settle(self: Any, item: Any, channel: str, at: int, whole: str) -> Iterator[Event]:
        yield from (
            self.tell(item, channel, at, whole) if channel == "text" else original(self, item, channel, at, whole)
        )

    return settle


@mutant(
    "only-the-first-message",
    seam=f"{DECODER}.tell",
    caught_by="""content.parts-stay-apart mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    sse.unknown-events-change-nothing text.several-messages-are-joined""",
)
def _(original: Any) -> Any:
    """Of several messages in one turn only the first is told (databricks#464)."""

    def tell(self: Any, item: Any, channel: str, at: int, words: str) -> Iterator[Event]:
        first = next((other for other in self._items if other.kind == item.kind), item)
        return original(self, item, channel, at, words if item is first else "")  # type: ignore[no-any-return]

    return tell


@mutant(
    "reasoning-is-text",
    seam="responses.decode:WORDS",
    caught_by="""content.parts-stay-apart ending.truncation-is-length mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    reasoning.arrives-once-as-reasoning-content reasoning.never-becomes-text
    wire.missing-sequence-numbers-do-no-harm""",
)
def _(original: Any) -> Any:
    """What the model thinks is told as what it says (litellm#32357)."""
    return {**original, "summary": TextDelta, "reasoning": TextDelta}


@mutant(
    "chat-reasoning-is-text",
    seam="chat.decode:ChatDecoder.on_delta",
    caught_by="""ending.truncation-is-length mix.both-modes-agree mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere mix.truncated-turns-say-so-anywhere mix.turns-arrive-whole
    reasoning.either-name-is-read reasoning.never-becomes-text""",
)
def _(original: Any) -> Any:
    """The same from a chat upstream (ranxi2001/sub2api#18)."""

    def on_delta(self: Any, delta: Object) -> Iterator[Event]:
        for event in original(self, delta):
            yield TextDelta(event.text) if isinstance(event, ReasoningDelta) else event

    return on_delta


@mutant(
    "reasoning-comes-twice",
    seam=f"{DECODER}.settle",
    caught_by="mix.extras-agree-in-both-modes reasoning.arrives-once-as-reasoning-content",
)
def _(original: Any) -> Any:
    """The done events repeat the reasoning."""

    def settle(self: Any, item: Any, channel: str, at: int, whole: str) -> Iterator[Event]:
        again = channel in ("summary", "reasoning")
        yield from self.tell(item, channel, at, whole) if again else original(self, item, channel, at, whole)

    return settle


@mutant("reasoning-is-lost", seam=f"{DECODER}.tell", caught_by="reasoning.arrives-once-as-reasoning-content")
def _(original: Any) -> Any:
    """Reasoning never reaches a chat client."""

    def tell(self: Any, item: Any, channel: str, at: int, words: str) -> Iterator[Event]:
        kept = words if channel in ("text", "refusal") else ""
        return original(self, item, channel, at, kept)  # type: ignore[no-any-return]

    return tell


@mutant(
    "web-search-is-told-as-text",
    seam=f"{DECODER}.on_item_added",
    caught_by="content.web-search-call-is-silent mix.both-modes-agree mix.turns-arrive-whole",
)
def _(original: Any) -> Any:
    """A hosted tool at work is announced in the assistant's own words (semantic-router#3063)."""

    def on_item_added(self: Any, event: Object) -> Iterator[Event]:
        if event.get("item", {}).get("type") == "web_search_call":
            yield TextDelta("Searching the web...\n")
        yield from original(self, event)

    return on_item_added


@mutant(
    "refusals-are-lost",
    seam="chat.decode:ChatDecoder.on_delta",
    caught_by="content.refusal-arrives content.refusal-is-told-as-one mix.turns-arrive-whole",
)
def _(original: Any) -> Any:
    """A refusal is no content, and what the model said in it is dropped (litellm#39723)."""
    return lambda self, delta: original(self, {**delta, "refusal": None})


@mutant(
    "refusals-end-the-turn",
    seam="messages.encode:MessagesEncoder.stop_reason",
    caught_by="content.refusal-is-told-as-one",
)
def _(original: Any) -> Any:
    """A refusal ends with end_turn, as any other answer."""
    return lambda self, reason: "end_turn" if reason == "stop" and not self._calls else original(self, reason)


@mutant("citations-are-dropped", seam="citations:read", caught_by="content.citations-survive")
def _(original: Any) -> Any:
    """No translated answer cites anything (llmgateway#2992)."""
    return lambda annotation, base=0: None


@mutant("choices-are-merged", seam="chat.decode:ChatDecoder.on_chunk", caught_by="content.other-choices-are-not-merged")
def _(original: Any) -> Any:
    """Every choice is the first one (openai-agents-python#3313)."""

    def on_chunk(self: Any, chunk: Object) -> Iterator[Event]:
        choices = [{**choice, "index": 0} for choice in chunk.get("choices") or []]
        return original(self, {**chunk, "choices": choices})  # type: ignore[no-any-return]

    return on_chunk


@mutant("one-choice-is-enough", seam="chat.request:HARMLESS", caught_by="content.several-choices-are-given-or-refused")
def _(original: Any) -> Any:
    """A request for two choices gets one, without a word."""
    return {**original, "n": (1, 2)}


@mutant(
    "messages-begin-with-nothing",
    seam="messages.encode:MessagesEncoder.begin",
    caught_by="content.no-empty-text-blocks content.parts-stay-apart",
)
def _(original: Any) -> Any:
    """An empty text block stands before a call or a thought that comes first (litellm#34692)."""

    def begin(self: Any, block: Any) -> Iterator[Frame]:
        if not self._blocks and block.kind != "text":
            yield from original(self, type(block)({"type": "text", "text": ""}))
        yield from original(self, block)

    return begin


@mutant("done-in-text-is-the-end", seam="chat.decode:ChatDecoder.on_event", caught_by="text.protocol-words-are-text")
def _(original: Any) -> Any:
    """A chunk whose text is [DONE] is taken for the sentinel."""
    return lambda self, event: self.on_done() if b'"[DONE]"' in event.data else original(self, event)


@mutant("blocks-run-together", seam="messages.encode:MessagesEncoder.part", caught_by="content.parts-stay-apart")
def _(original: Any) -> Any:
    """All text of a turn is one block, with the next message's words at the end of the last one's (laravel/ai#853)."""
    return lambda self: ()


@mutant("parts-run-together", seam="responses.encode:ResponsesEncoder.part", caught_by="content.parts-stay-apart")
def _(original: Any) -> Any:
    """The same on Responses (vercel/ai#15789)."""
    return lambda self: ()


@mutant("chat-relay-drops-logprobs", seam="chat.relay:ChatRelay.on_event", caught_by="content.logprobs-arrive")
def _(original: Any) -> Any:
    """Chunks are written anew, without what the gateway's own types do not know (mlx-lm#1630)."""

    def on_event(self: Any, event: sse.Event) -> Iterator[Out]:
        chunk = parse_object(event.data) or {}
        if any(choice.get("logprobs") for choice in chunk.get("choices") or ()):
            chunk["choices"] = [{**choice, "logprobs": None} for choice in chunk["choices"]]
            event = sse.Event(event.name, dump(chunk))
        return original(self, event)  # type: ignore[no-any-return]

    return on_event


@mutant("deltas-have-no-logprobs", seam="responses.relay:relayed", caught_by="content.logprobs-arrive")
def _(original: Any) -> Any:
    """The probabilities of a Response come with its items, when nobody can show them any more with their tokens."""

    def relayed(kind: str, event: sse.Event, payload: Object) -> bytes:
        if kind != "response.output_text.delta" or not payload.get("logprobs"):
            return original(kind, event, payload)  # type: ignore[no-any-return]
        bare = {**payload, "logprobs": []}
        return original(kind, sse.Event(event.name, dump(bare)), bare)  # type: ignore[no-any-return]

    return relayed


@mutant(
    "answers-begin-with-a-search",
    seam="messages.encode:MessagesEncoder.message",
    caught_by="content.nothing-is-made-up request.answers-come-back-as-they-were",
)
def _(original: Any) -> Any:
    """An empty list of annotations is taken for a search: blocks of one that nobody made are put first (claude-code-router)."""
    search = {"type": "server_tool_use", "id": "srvtoolu_01A", "name": "web_search", "input": {"query": ""}}
    result = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_01A", "content": []}

    def message(self: Any, **more: Any) -> Object:
        if more.get("content"):
            more = {**more, "content": [search, result, *more["content"]]}
        return original(self, **more)  # type: ignore[no-any-return]

    return message
