"""Lies about what reaches the upstream."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gateproof_reference import wirejson
from gateproof_reference.canonical import Called, Image, Item, Request, Returned, Text, Tool
from gateproof_reference.failures import RefusedError
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.server import not_found
from gateproof_reference.sse import Event
from gateproof_reference.wirejson import Object

# -------------------------------------------------------------------------------------------------- the conversation


@mutant(
    "developer-messages-are-lost",
    seam="chat.request:_items",
    caught_by="request.instructions-arrive-as-instructions request.instructions-in-parts-arrive",
)
def _(original: Any) -> Any:
    """No branch knows the role developer, and its message vanishes (9router#2432)."""
    return lambda message, where: [] if message["role"] == "developer" else original(message, where)


@mutant(
    "instructions-are-lost",
    seam="responses.request:decode",
    caught_by="""identity.response-repeats-what-was-asked request.codex-is-served
    request.instructions-arrive-as-instructions request.instructions-in-parts-arrive
    request.late-instructions-stay-instructions""",
)
def _(original: Any) -> Any:
    """The instructions of Responses reach no other API (sub2api#3850)."""
    return lambda body: original({**body, "instructions": None})


@mutant(
    "system-in-the-midst-is-the-user",
    seam="messages.request:_items",
    caught_by="request.late-instructions-stay-instructions",
)
def _(original: Any) -> Any:
    """What is no assistant is the user: instructions among the messages are said by the user."""
    return lambda message, where: original(
        {**message, "role": "user"} if message["role"] == "system" else message, where
    )


@mutant(
    "words-are-trimmed",
    seam="chat.request:_parts",
    caught_by="request.results-keep-all-their-text request.words-arrive-exactly",
)
def _(original: Any) -> Any:
    """Each part of a question loses its outer spaces."""

    def parts(content: object, where: str) -> list[Any]:
        return [Text(part.text.strip()) if isinstance(part, Text) else part for part in original(content, where)]

    return parts


@mutant(
    "assistant-words-are-input",
    seam="responses.request:_part_out",
    caught_by="""request.answers-come-back-as-they-were request.calls-and-results-stay-paired
    request.each-form-of-words-is-read request.earlier-thoughts-do-no-harm
    request.prefill-arrives-or-is-refused request.words-arrive-exactly""",
)
def _(original: Any) -> Any:
    """What the assistant said goes to Responses as input_text, which is refused (sub2api#6247)."""
    return lambda part, role="tool": original(part, "user" if isinstance(part, Text) else role)


@mutant(
    "untyped-items-are-lost",
    seam="responses.request:_items",
    caught_by="error.wrong-request-stays-home request.each-form-of-words-is-read",
)
def _(original: Any) -> Any:
    """Items of the input without a type are passed over, as the SDKs' short form has none."""
    return lambda item, where: original(item, where) if item.get("type") else []


@mutant(
    "each-call-is-a-message",
    seam="chat.request:_messages",
    caught_by="""request.cache-marks-on-parts-stay-here request.call-ids-correlate
    request.calls-and-results-stay-paired request.results-are-read-as-strings
    request.upstream-request-is-valid request.words-before-results-go-behind-or-are-refused""",
)
def _(original: Any) -> Any:
    """Calls that were made together go to Chat Completions as a message each (CLIProxyAPI#3152)."""

    def messages(items: tuple[Item, ...]) -> list[Object]:
        found: list[Object] = []
        for message in original(items):
            calls = message.get("tool_calls") or [None]
            found += [message if call is None else {**message, "tool_calls": [call]} for call in calls]
        return found

    return messages


@mutant(
    "results-have-another-id",
    seam="responses.request:_item_out",
    caught_by="""request.answers-come-back-as-they-were request.cache-marks-on-parts-stay-here
    request.call-ids-correlate request.calls-and-results-stay-paired
    request.earlier-thoughts-do-no-harm request.results-are-read-as-strings
    request.upstream-request-is-valid request.words-before-results-go-behind-or-are-refused""",
)
def _(original: Any) -> Any:
    """A result goes to Responses under the item's id, and not under the call's (NyxID#200)."""

    def item_out(item: Item) -> Object:
        return original(replace(item, id=f"fc_{item.id}") if isinstance(item, Returned) else item)  # type: ignore[no-any-return]

    return item_out


@mutant(
    "words-go-before-results",
    seam="messages.request:_items",
    caught_by="""request.answers-come-back-as-they-were request.cache-marks-on-parts-stay-here
    request.calls-and-results-stay-paired request.earlier-thoughts-do-no-harm
    request.results-are-read-as-strings request.upstream-request-is-valid
    request.words-before-results-go-behind-or-are-refused""",
)
def _(original: Any) -> Any:
    """What the user says beside results comes between the calls and them (ogx#6367)."""

    def items(message: Object, where: str) -> list[Item]:
        return sorted(original(message, where), key=lambda item: isinstance(item, Returned))

    return items


@mutant("rounds-are-joined", seam="messages.asking:_messages", caught_by="request.calls-and-results-stay-paired")
def _(original: Any) -> Any:
    """All calls of the history go upstream at once, and then all results."""

    def messages(items: tuple[Item, ...]) -> list[Object]:
        def rank(item: Item) -> int:
            return 1 if isinstance(item, Called) else 2 if isinstance(item, Returned) else 0

        first = next((at for at, item in enumerate(items) if isinstance(item, Called)), len(items))
        return original((*items[:first], *sorted(items[first:], key=rank)))  # type: ignore[no-any-return]

    return messages


@mutant(
    "only-the-first-block-returns",
    seam="messages.request:_returned",
    caught_by="request.results-keep-all-their-text request.returned-images-arrive-or-are-refused",
)
def _(original: Any) -> Any:
    """Of a result's blocks the first is sent (any-llm#1401)."""

    def returned(call_id: str, rest: Any, where: str) -> Returned:
        found: Returned = original(call_id, rest, where)
        return replace(found, parts=found.parts[:1])

    return returned


@mutant(
    "results-are-quoted",
    seam="responses.request:_items",
    caught_by="""request.results-keep-all-their-text request.returned-files-arrive-or-are-refused
    request.returned-images-arrive-or-are-refused""",
)
def _(original: Any) -> Any:
    """A result of several parts goes on as their JSON."""

    def items(item: Object, where: str) -> Any:
        output = item.get("output")
        return original({**item, "output": wirejson.dump(output).decode()} if isinstance(output, list) else item, where)

    return items


@mutant("failed-results-look-fine", seam="chat.request:marked", caught_by="request.failed-results-say-so")
def _(original: Any) -> Any:
    """Chat Completions is not told that a tool failed (any-llm#1401)."""
    return lambda returned: returned.parts


# ------------------------------------------------------------------------------------------------- images and files


@mutant(
    "images-become-words",
    seam="chat.request:_part_out",
    caught_by="""request.image-detail-arrives request.images-arrive-or-are-refused""",
)
def _(original: Any) -> Any:
    """In place of an image go words about it (llmgateway#4149)."""
    return lambda part: {"type": "text", "text": "[image]"} if isinstance(part, Image) else original(part)


@mutant(
    "returned-images-are-dropped",
    seam="chat.request:_returned",
    caught_by="request.returned-images-arrive-or-are-refused",
)
def _(original: Any) -> Any:
    """An image that a tool returned is left out where results hold text only (weave#965)."""

    def returned(item: Returned) -> Any:
        return original(replace(item, parts=tuple(part for part in item.parts if isinstance(part, Text))))

    return returned


@mutant(
    "files-are-dropped",
    seam="messages.request:_block",
    caught_by="""request.files-arrive-or-are-refused request.other-parts-arrive-or-are-refused""",
)
def _(original: Any) -> Any:
    """A document is passed over."""
    return lambda block, role, where: None if block.get("type") == "document" else original(block, role, where)


# --------------------------------------------------------------------------------------------------------- the tools


@mutant("schemas-lose-what-is-closed", seam="chat.request:_tool_out", caught_by="request.tool-definitions-arrive-whole")
def _(original: Any) -> Any:
    """additionalProperties is taken out of the parameters, as another provider wants it."""

    def tool_out(tool: Tool) -> Object:
        kept = {name: value for name, value in (tool.parameters or {}).items() if name != "additionalProperties"}
        return original(replace(tool, parameters=kept))  # type: ignore[no-any-return]

    return tool_out


@mutant("tools-end-at-twenty", seam="messages.request:decode", caught_by="request.claude-code-is-served")
def _(original: Any) -> Any:
    """Tools beyond the twentieth are left out, for some upstream takes no more."""
    return lambda body: original({**body, "tools": (body.get("tools") or [])[:20]})


@mutant("strict-is-not-said", seam="responses.request:_tool_out", caught_by="request.strictness-is-kept")
def _(original: Any) -> Any:
    """Whether a function is strict is left to the upstream's default, which is another on Responses."""
    return lambda tool: {name: value for name, value in original(tool).items() if name != "strict"}


@mutant(
    "foreign-tools-are-empty-functions",
    seam="responses.request:_tool",
    caught_by="request.custom-tools-go-round-or-are-refused request.foreign-tools-are-mapped-or-refused",
)
def _(original: Any) -> Any:
    """Whatever the tool, it becomes a function (OmniRoute#4862)."""
    return lambda tool, where: original(
        tool if tool.get("type") == "function" else {"type": "function", "name": tool.get("name") or tool["type"]},
        where,
    )


@mutant(
    "foreign-tools-are-dropped",
    seam="responses.request:decode",
    caught_by="request.custom-tools-go-round-or-are-refused request.foreign-tools-are-mapped-or-refused",
)
def _(original: Any) -> Any:
    """Tools that are no functions are left out, and nobody is told (litellm#41913)."""

    def decode(body: Object) -> Request:
        tools = [tool for tool in body.get("tools") or [] if tool.get("type") == "function"]
        return original({**body, "tools": tools})  # type: ignore[no-any-return]

    return decode


@mutant(
    "foreign-tools-crash",
    seam="responses.request:_tool",
    caught_by="request.codex-is-served request.foreign-tools-are-mapped-or-refused",
)
def _(original: Any) -> Any:
    """A tool without a name is a server's error."""
    return lambda tool, where: original({**tool, "type": tool["type"], "name": tool["name"]}, where)


@mutant(
    "required-is-auto",
    seam="messages.asking:MODES",
    caught_by="""request.effort-stands-beside-the-rest request.one-call-at-a-time-is-mapped request.tool-choice-is-mapped""",
)
def _(original: Any) -> Any:
    """A call that is required may as well not be made (llmgateway#4149)."""
    return {**original, "required": "auto"}


@mutant(
    "choice-stays-nested",
    seam="responses.request:_choice_out",
    caught_by="""request.no-key-of-another-api request.one-call-at-a-time-is-mapped request.tool-choice-is-mapped
    request.upstream-request-is-valid""",
)
def _(original: Any) -> Any:
    """A named tool is chosen in the shape of Chat Completions (open-webui#30085)."""

    def choice_out(choice: Any) -> Any:
        said = original(choice)
        return {"type": "function", "function": {"name": said["name"]}} if isinstance(said, dict) else said

    return choice_out


@mutant(
    "one-call-at-a-time-is-forgotten", seam="messages.asking:_choice", caught_by="request.one-call-at-a-time-is-mapped"
)
def _(original: Any) -> Any:
    """Beside a choice there is no place for parallel_tool_calls (litellm#6456)."""

    def choice(request: Request) -> Object | None:
        said: Object | None = original(request)
        return said and {name: value for name, value in said.items() if name != "disable_parallel_tool_use"}

    return choice


@mutant(
    "allowed-tools-are-all-tools", seam="chat.request:_choice", caught_by="request.allowed-tools-are-kept-or-refused"
)
def _(original: Any) -> Any:
    """Which tools are allowed is not said upstream."""
    return lambda value: None if isinstance(value, dict) and value.get("type") == "allowed_tools" else original(value)


# ---------------------------------------------------------------------------------------------------- the parameters


@mutant(
    "limit-is-lost",
    seam="responses.request:encode",
    caught_by="request.effort-stands-beside-the-rest request.token-limit-arrives",
)
def _(original: Any) -> Any:
    """Responses is not told how long an answer may be (sub2api#831)."""
    return lambda request, *, stream: original(replace(request, max_output_tokens=None), stream=stream)


@mutant("no-limit-is-zero", seam="messages.asking:MAX_TOKENS", caught_by="request.messages-upstream-gets-a-limit")
def _(original: Any) -> Any:
    """Where the client named no limit, none is zero (envoyproxy/ai-gateway#893)."""
    return 0


@mutant("zero-is-nothing", seam="messages.asking:_shared", caught_by="request.sampling-arrives")
def _(original: Any) -> Any:
    """A temperature of 0 is taken for none."""
    return lambda request: {name: value for name, value in original(request).items() if value}


@mutant("only-the-first-stop", seam="messages.asking:encode", caught_by="request.stop-sequences-arrive")
def _(original: Any) -> Any:
    """Of several stops one is sent (agentgateway#3283)."""
    return lambda request, *, stream: original(replace(request, stop=request.stop[:1]), stream=stream)


@mutant(
    "format-is-lost",
    seam="chat.request:_format_out",
    caught_by="""request.format-and-effort-both-arrive request.format-arrives-whole
    request.json-mode-arrives-or-is-refused""",
)
def _(original: Any) -> Any:
    """text.format does not reach Chat Completions (CLIProxyAPI#4802)."""
    return lambda wanted: None


@mutant("json-mode-is-lost", seam="messages.asking:_format", caught_by="request.json-mode-arrives-or-is-refused")
def _(original: Any) -> Any:
    """JSON without a schema, which Messages does not have, is forgotten."""
    return lambda request: {} if request.format and request.format.kind == "json_object" else original(request)


@mutant(
    "effort-pushes-the-format-out", seam="messages.asking:_format", caught_by="request.format-and-effort-both-arrive"
)
def _(original: Any) -> Any:
    """Both are in output_config, and the one that is written last stays."""
    return lambda request: {} if request.effort else original(request)


@mutant(
    "effort-is-always-medium",
    seam="responses.request:_reasoning_out",
    caught_by="request.effort-arrives request.summaries-are-asked-for request.thinking-off-stays-off",
)
def _(original: Any) -> Any:
    """However hard the model shall think, it is told medium."""
    return lambda request: {"effort": "medium"} if request.effort else original(request)


@mutant("effort-is-a-budget", seam="messages.asking:_thinking", caught_by="request.upstream-request-is-valid")
def _(original: Any) -> Any:
    """Thinking gets a budget, whatever limit and choice stand beside it."""

    def thinking(request: Request) -> Object | None:
        said: Object | None = original(request)
        return {"type": "enabled", "budget_tokens": 16384} if said and said["type"] == "adaptive" else said

    return thinking


@mutant("effort-costs-the-choice", seam="messages.asking:_choice", caught_by="request.effort-stands-beside-the-rest")
def _(original: Any) -> Any:
    """Beside thinking no call is forced, and nobody is told."""
    return lambda request: original(replace(request, tool_choice=None) if request.effort else request)


@mutant("thinking-is-always-on", seam="messages.request:effort", caught_by="request.thinking-off-stays-off")
def _(original: Any) -> Any:
    """That thinking is there at all is taken for its being on."""
    return lambda thinking, named: "high" if thinking.get("type") == "disabled" else original(thinking, named)


@mutant(
    "unknown-names-are-ignored",
    seam="responses.request:reject_unknown",
    caught_by="""request.background-is-honoured-or-refused request.earlier-response-is-honoured-or-refused
    request.foreign-names-are-not-ignored request.parameters-are-kept-or-refused""",
)
def _(original: Any) -> Any:
    """What another API has no word for is dropped in silence (litellm#41913)."""
    return lambda *read, **how: None


@mutant("top-k-is-forgotten", seam="messages.request:decode", caught_by="request.parameters-are-kept-or-refused")
def _(original: Any) -> Any:
    """top_k, which no other API has, is dropped in silence."""
    return lambda body: original({name: value for name, value in body.items() if name != "top_k"})


@mutant("is-error-goes-to-chat", seam="chat.request:_messages", caught_by="request.no-key-of-another-api")
def _(original: Any) -> Any:
    """A key of Messages stands in a message of Chat Completions (any-llm#1401)."""

    def messages(items: tuple[Item, ...]) -> list[Object]:
        return [{**one, "is_error": False} if one["role"] == "tool" else one for one in original(items)]

    return messages


@mutant("stream-options-go-to-responses", seam="responses.request:encode", caught_by="request.no-key-of-another-api")
def _(original: Any) -> Any:
    """A stream of Responses is asked for its usage in the words of Chat Completions (sub2api#3304)."""

    def encode(request: Request, *, stream: bool) -> Object:
        body: Object = original(request, stream=stream)
        return {**body, "stream_options": {"include_usage": True}} if stream else body

    return encode


@mutant("stream-options-without-a-stream", seam="chat.request:encode", caught_by="request.upstream-request-is-valid")
def _(original: Any) -> Any:
    """Usage is asked for in every mode, which Chat Completions refuses but in a stream."""

    def encode(request: Request, *, stream: bool, usage: bool) -> Object:
        return {**original(request, stream=stream, usage=usage), "stream_options": {"include_usage": True}}

    return encode


# ------------------------------------------------------------------------------------------------------- two turns


@mutant(
    "ids-never-correlate",
    seam="messages.asking:_blocks",
    caught_by="""request.answers-come-back-as-they-were request.call-ids-correlate
    request.calls-and-results-stay-paired request.earlier-thoughts-do-no-harm
    request.empty-words-beside-calls-are-harmless request.upstream-request-is-valid""",
)
def _(original: Any) -> Any:
    """Each id is made anew from what it stands for, in calls and in results."""

    def blocks(item: Item) -> Any:
        if isinstance(item, Called | Returned):
            own = hashlib.sha256(repr(item).encode("utf-8", "replace")).hexdigest()[:24]
            return original(replace(item, id=f"toolu_{own}"))
        return original(item)

    return blocks


# ------------------------------------------------------------------------------------------------------ the relays


def relaying(api: str, change: Callable[[Object], Object]) -> Callable[[Any], Any]:
    """Return what makes `prepare` change the body where it would relay it."""

    def make(original: Any) -> Any:
        def prepare(surface: Any, dialect: Any, raw: bytes, body: Object, *rest: Any, **how: Any) -> Any:
            if surface is dialect and surface.name == api:
                body = change(body)
                raw = wirejson.dump(body)
            return original(surface, dialect, raw, body, *rest, **how)

        return prepare

    return make


def without(value: Any, dropped: Callable[[Any], bool]) -> Any:
    """Return JSON without the members and entries that are to be dropped, wherever they stand."""
    if isinstance(value, dict):
        return {name: without(child, dropped) for name, child in value.items() if not dropped((name, child))}
    if isinstance(value, list):
        return [without(child, dropped) for child in value if not dropped(child)]
    return value


def kind(entry: Any) -> Any:
    """Return the type that an entry says it has."""
    return entry.get("type") if isinstance(entry, dict) else None


def entries(*kinds: str) -> Callable[[Any], bool]:
    """Return what finds the entries of these types."""
    return lambda entry: kind(entry) in kinds


def members(name: str) -> Callable[[Any], bool]:
    """Return what finds the members of this name."""
    return lambda entry: isinstance(entry, tuple) and entry[0] == name


@mutant("thinking-is-not-sent-back", seam="pairs:prepare", caught_by="request.signed-thinking-goes-round")
def _(original: Any) -> Any:
    """Thinking is taken out of the history (Roo-Code#10351)."""
    return relaying("messages", lambda body: without(body, entries("thinking", "redacted_thinking")))(original)


@mutant("empty-thinking-is-dropped", seam="pairs:prepare", caught_by="request.signed-thinking-goes-round")
def _(original: Any) -> Any:
    """Thinking without text is taken for nothing, though it has its signature (litellm#38809)."""

    def empty(entry: Any) -> bool:
        return kind(entry) == "thinking" and not entry.get("thinking")

    return relaying("messages", lambda body: without(body, empty))(original)


@mutant("seals-are-lost", seam="pairs:prepare", caught_by="request.sealed-reasoning-arrives")
def _(original: Any) -> Any:
    """Reasoning goes on without its encrypted_content (bifrost#5410)."""
    return relaying("responses", lambda body: without(body, members("encrypted_content")))(original)


@mutant("ids-become-empty", seam="pairs:prepare", caught_by="request.sealed-reasoning-arrives")
def _(original: Any) -> Any:
    """Reasoning that came without an id, or with one, goes on with an empty one (mecatl#406)."""

    def change(body: Object) -> Object:
        items = body.get("input")
        if not isinstance(items, list):
            return body
        return {**body, "input": [{**item, "id": ""} if kind(item) == "reasoning" else item for item in items]}

    return relaying("responses", change)(original)


@mutant(
    "caching-is-lost",
    seam="pairs:prepare",
    caught_by="request.parameters-are-kept-or-refused request.relay-keeps-what-is-documented",
)
def _(original: Any) -> Any:
    """cache_control is taken out on the way to Messages itself (krouter#16)."""
    return relaying("messages", lambda body: without(body, members("cache_control")))(original)


@mutant(
    "unknown-items-are-dropped",
    seam="pairs:prepare",
    caught_by="""request.compaction-passes-both-ways request.custom-tools-go-round-or-are-refused
    request.relay-keeps-what-is-documented request.relay-keeps-what-is-unknown""",
)
def _(original: Any) -> Any:
    """A relay passes on the items that it knows (CLIProxyAPI#4848)."""
    known = ("message", "function_call", "function_call_output", "reasoning", None)

    def change(body: Object) -> Object:
        items = body.get("input")
        return {**body, "input": [i for i in items if kind(i) in known]} if isinstance(items, list) else body

    return relaying("responses", change)(original)


@mutant(
    "signatures-are-not-relayed",
    seam="messages.relay:MessagesRelay.on_event",
    caught_by="request.signed-thinking-goes-round",
)
def _(original: Any) -> Any:
    """The delta with the signature of thinking is no words, and is passed over (ccs#415)."""
    return lambda self, event: iter(()) if b"signature_delta" in event.data else original(self, event)


@mutant(
    "matched-stop-is-forgotten",
    seam="messages.relay:MessagesRelay.on_message_delta",
    caught_by="request.matched-stop-is-told",
)
def _(original: Any) -> Any:
    """Which stop sequence ended the text is not told (mlx-lm#1630)."""

    def on_message_delta(self: Any, event: Any, payload: Object) -> Any:
        delta = {**payload["delta"], "stop_sequence": None}
        plain = {**payload, "delta": delta}
        return original(self, Event(event.name, wirejson.dump(plain)), plain)

    return on_message_delta


# --------------------------------------------------------------------------------------------------- beside the body


@mutant("version-is-not-sent", seam="messages:MessagesApi.headers", caught_by="request.version-is-sent")
def _(original: Any) -> Any:
    """anthropic-version is sent only if the client sent it (agentgateway#1777)."""
    return lambda self, key: {name: value for name, value in original(self, key).items() if name != "anthropic-version"}


@mutant("betas-stay-here", seam="messages:MessagesApi.relayed_headers", caught_by="request.betas-are-passed-on")
def _(original: Any) -> Any:
    """The client's beta flags are not passed on (agentgateway#1777)."""
    return tuple(name for name in original if name != "anthropic-beta")


@mutant("query-makes-another-route", seam="server:Gateway._turn", caught_by="request.query-is-tolerated")
def _(original: Any) -> Any:
    """A path with a query is none that is known (CLIProxyAPI#3892)."""

    async def turn(self: Any, surface: Any, request: Any, *rest: Any) -> None:
        if request.url.query:
            raise RefusedError(not_found())
        await original(self, surface, request, *rest)

    return turn


@mutant(
    "compressed-bodies-crash",
    seam="intake:plain",
    caught_by="""request.compressed-bodies-are-read-or-refused request.compressed-bodies-do-no-harm
    request.decompression-has-a-limit""",
)
def _(original: Any) -> Any:
    """A body in a coding is a server's error (loreai#1049)."""

    async def plain(request: Any, raw: bytes) -> bytes:
        if request.headers.get("content-encoding"):
            raise UnicodeDecodeError("utf-8", raw, 0, 1, "invalid start byte")
        return raw

    return plain


@mutant("nothing-bounds-decompression", seam="intake:REQUEST_LIMIT", caught_by="request.decompression-has-a-limit")
def _(original: Any) -> Any:
    """A body may unfold to whatever it holds (codex-proxy-rs#66)."""
    return 1 << 40


# ------------------------------------------------------------------------------------------------- an earlier turn


@mutant(
    "earlier-responses-are-ignored",
    seam="responses.request:decode",
    caught_by="request.background-is-honoured-or-refused request.earlier-response-is-honoured-or-refused",
)
def _(original: Any) -> Any:
    """What the provider keeps is not asked for: previous_response_id is dropped (loreai#517)."""
    kept = ("previous_response_id", "conversation", "prompt", "background")
    return lambda body: original({name: value for name, value in body.items() if name not in kept})
