"""Lies about forms: options that are said and ask for nothing, and answers in forms that are lawful and seldom."""

from dataclasses import replace
from typing import Any

from gateproof_reference.canonical import Image, Tool
from gateproof_reference.failures import bad_request
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.wirejson import Object

# --------------------------------------------------------------------------------------------------------- questions


@mutant(
    "defaults-are-refused",
    seam="chat.request:HARMLESS",
    caught_by="request.values-that-ask-for-nothing-are-taken",
)
def _(original: Any) -> Any:
    """What another API does not have is refused, whatever it says: n 1, penalties of 0, logprobs false."""
    return {name: values for name, values in original.items() if name == "top_logprobs"}


@mutant(
    "foreground-is-refused",
    seam="responses.request:HARMLESS",
    caught_by="request.values-that-ask-for-nothing-are-taken",
)
def _(original: Any) -> Any:
    """The same with Responses: background false is a wish that cannot be granted."""
    return {name: values for name, values in original.items() if name != "background"}


@mutant("nulls-are-wrong", seam="chat.request:field", caught_by="request.nulls-ask-for-nothing")
def _(original: Any) -> Any:
    """A parameter that is null is one of a wrong type: 400."""

    def field(body: Object, name: str, kind: type, where: str = "") -> Any:
        if not where and name in body and body[name] is None:
            raise bad_request(f"{name} must not be null", name)
        return original(body, name, kind, where)

    return field


@mutant("nulls-go-along", seam="responses.request:encode", caught_by="request.nulls-ask-for-nothing")
def _(original: Any) -> Any:
    """Parameters are copied without a look at their value, so that null arrives where it is no value: stop of Responses."""

    def encode(request: Any, *, stream: bool) -> Object:
        body: Object = original(request, stream=stream)
        return {**body, **{name: value for name, value in request.asked.items() if name == "stop" and value is None}}

    return encode


@mutant("parallel-is-never", seam="messages.asking:_choice", caught_by="request.parallel-calls-stay-allowed")
def _(original: Any) -> Any:
    """parallel_tool_calls is looked for and not at: true is a wish for one call at a time too."""

    def choice(request: Any) -> Any:
        if "parallel_tool_calls" in request.shared:
            request = replace(request, shared={**request.shared, "parallel_tool_calls": False})
        return original(request)

    return choice


@mutant(
    "parallel-allowed-is-forbidden", seam="messages.request:_shared", caught_by="request.parallel-calls-stay-allowed"
)
def _(original: Any) -> Any:
    """disable_parallel_tool_use false is taken for its being there."""

    def shared(body: Object, choice: Object) -> dict[str, Any]:
        found: dict[str, Any] = original(body, choice)
        return {**found, "parallel_tool_calls": False} if "disable_parallel_tool_use" in choice else found

    return shared


@mutant("custom-is-no-function", seam="messages.request:decode", caught_by="request.custom-typed-tools-are-functions")
def _(original: Any) -> Any:
    """A tool that says its type, custom, is taken for one of the server's and left out."""

    def decode(body: Object) -> Any:
        tools = body.get("tools")
        if isinstance(tools, list):
            body = {**body, "tools": [t for t in tools if not (isinstance(t, dict) and t.get("type") == "custom")]}
        return original(body)

    return decode


@mutant(
    "empty-schema-has-no-type",
    seam="messages.asking:_tool",
    caught_by="request.tools-without-parameters-are-taken request.upstream-request-is-valid",
)
def _(original: Any) -> Any:
    """parameters {} goes to Messages as it is, where a schema needs its type."""

    def tool(given: Tool) -> Object:
        out: Object = original(given)
        return {**out, "input_schema": {}} if given.parameters is not None and not given.parameters else out

    return tool


@mutant("descriptions-end-at-1024", seam="chat.request:_tool_out", caught_by="request.long-descriptions-arrive-whole")
def _(original: Any) -> Any:
    """A description longer than 1024 characters is cut."""
    return lambda tool: original(replace(tool, description=tool.description and tool.description[:1024]))


@mutant("detail-is-lost", seam="chat.request:_part", caught_by="request.image-detail-arrives")
def _(original: Any) -> Any:
    """How closely to look at an image is not said upstream."""

    def part(given: object, where: str) -> Any:
        found = original(given, where)
        return Image(found.url) if isinstance(found, Image) else found

    return part


@mutant("sounds-are-dropped", seam="chat.request:_parts", caught_by="request.other-parts-arrive-or-are-refused")
def _(original: Any) -> Any:
    """A recording is passed over, and the words beside it stay."""

    def parts(content: object, where: str) -> Any:
        if isinstance(content, list):
            content = [part for part in content if not (isinstance(part, dict) and part.get("type") == "input_audio")]
        return original(content, where)

    return parts


@mutant("names-end-at-64", seam="messages.request:_tool", caught_by="request.long-names-go-round-or-are-refused")
def _(original: Any) -> Any:
    """A tool's name is cut to what OpenAI takes, and the call comes back under the short one."""

    def tool(*args: Any) -> Any:
        found = original(*args)
        return replace(found, name=found.name[:64])

    return tool


@mutant("stops-end-at-four", seam="chat.request:encode", caught_by="request.every-stop-sequence-counts")
def _(original: Any) -> Any:
    """Of more than four stop sequences, which OpenAI takes, the first four are sent, without a word."""
    return lambda request, **how: original(replace(request, stop=request.stop[:4]), **how)


@mutant(
    "summaries-are-not-asked-for",
    seam="responses.request:_reasoning_out",
    caught_by="request.summaries-are-asked-for",
)
def _(original: Any) -> Any:
    """A client that wants to see the thinking gets none, for Responses tells summaries only if asked."""
    return lambda request: original(replace(request, shows_reasoning=False))


# ----------------------------------------------------------------------------------------------------------- answers


def _emptied(chunk: Object, is_done_with: Any) -> Object:
    """Return a chunk of a stream without the deltas of the choices that are done with."""
    if chunk.get("object") != "chat.completion.chunk":
        return chunk
    choices = chunk.get("choices")
    kept = [
        {**choice, "delta": {}} if isinstance(choice, dict) and is_done_with(choice) else choice
        for choice in (choices if isinstance(choices, list) else [])
    ]
    return {**chunk, "choices": kept}


@mutant("first-words-are-lost", seam="chat.decode:ChatDecoder.on_chunk", caught_by="text.each-member-of-a-chunk-counts")
def _(original: Any) -> Any:
    """A delta with a role opens the message and says nothing else."""

    def opens(choice: Object) -> bool:
        delta = choice.get("delta")
        return isinstance(delta, dict) and bool(delta.get("role"))

    return lambda self, chunk: original(self, _emptied(chunk, opens))


@mutant("last-words-are-lost", seam="chat.decode:ChatDecoder.on_chunk", caught_by="text.each-member-of-a-chunk-counts")
def _(original: Any) -> Any:
    """The chunk with the finish_reason is looked at for nothing else."""
    return lambda self, chunk: original(self, _emptied(chunk, lambda choice: choice.get("finish_reason")))


@mutant(
    "a-chunk-says-one-thing", seam="chat.decode:ChatDecoder.on_delta", caught_by="text.each-member-of-a-chunk-counts"
)
def _(original: Any) -> Any:
    """Where a delta has words and a call, the call is passed over: an elif."""

    def on_delta(self: Any, delta: Object) -> Any:
        # A whole message, which has its refusal, is read by the same method and is none.
        if delta.get("content") and "refusal" not in delta:
            delta = {name: value for name, value in delta.items() if name != "tool_calls"}
        return original(self, delta)

    return on_delta


@mutant("null-details-crash", seam="usage:read", caught_by="usage.null-details-are-harmless")
def _(original: Any) -> Any:
    """Details are looked into wherever their name is, also where they are null."""

    def read(value: Any, names: Any) -> Any:
        for name in (names.input_details, names.output_details):
            if isinstance(value, dict) and name in value:
                value[name].get("cached_tokens")
        return original(value, names)

    return read


@mutant("null-cache-counts-crash", seam="messages.decode:Counts.take", caught_by="usage.null-details-are-harmless")
def _(original: Any) -> Any:
    """Counts of the cache that are null are added up all the same."""

    def take(self: Any, value: object) -> None:
        if isinstance(value, dict):
            sum(value.get(name, 0) for name in ("cache_read_input_tokens", "cache_creation_input_tokens"))
        original(self, value)

    return take


@mutant("zero-output-is-no-usage", seam="usage:read", caught_by="usage.empty-turns-are-counted")
def _(original: Any) -> Any:
    """Counts with an output of 0 are no counts."""

    def read(value: object, names: Any) -> Any:
        found = original(value, names)
        return found if found and found.output_tokens else None

    return read


@mutant("written-cache-is-read-cache", seam="usage:read_messages", caught_by="usage.cache-reads-and-writes-stay-apart")
def _(original: Any) -> Any:
    """What was written to the cache is counted as read from it."""

    def read(value: object) -> Any:
        found = original(value)
        if found is None:
            return None
        both = sum(found.input_details.get(name, 0) for name in ("cached_tokens", "cache_write_tokens"))
        return replace(found, input_details={**found.input_details, "cached_tokens": both, "cache_write_tokens": 0})

    return read


@mutant("no-calls-are-calls", seam="chat.decode:decode_body", caught_by="tools.no-calls-are-none")
def _(original: Any) -> Any:
    """A list of calls, though it is empty, ends the turn as calls do."""

    def decode_body(body: Object) -> Any:
        choices = body.get("choices")
        return original({**body, "choices": [_called(choice) for choice in choices]} if choices else body)

    return decode_body


def _called(choice: Any) -> Any:
    message = choice.get("message") if isinstance(choice, dict) else None
    listed = isinstance(message, dict) and isinstance(message.get("tool_calls"), list)
    return {**choice, "finish_reason": "tool_calls"} if listed and choice.get("finish_reason") == "stop" else choice


@mutant("json-in-a-stream-is-whole", seam="turns:Translation.whole", caught_by="stream.json-answer-keeps-its-ending")
def _(original: Any) -> Any:
    """A JSON answer in place of a stream is told as whole, also where its limit cut it."""

    def whole(self: Any, body: Object) -> Any:
        choices = body.get("choices")
        kept = [
            {**choice, "finish_reason": "stop"} if choice.get("finish_reason") == "length" else choice
            for choice in (choices if isinstance(choices, list) else [])
        ]
        return original(self, {**body, "choices": kept} if kept else body)

    return whole


@mutant("integers-are-doubles", seam="messages.calls:to_input", caught_by="tools.long-numbers-keep-their-digits")
def _(original: Any) -> Any:
    """Arguments are read as JavaScript reads them: an integer beyond 2^53 loses its last digits."""

    def doubled(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: doubled(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [doubled(inner) for inner in value]
        return int(float(value)) if type(value) is int else value

    return lambda arguments: doubled(original(arguments))


@mutant(
    "only-reasoning-content-is-reasoning",
    seam="chat.decode:ChatDecoder.on_delta",
    caught_by="reasoning.either-name-is-read",
)
def _(original: Any) -> Any:
    """delta.reasoning, as OpenRouter and newer vLLM name it, is unknown."""
    return lambda self, delta: original(self, {key: said for key, said in delta.items() if key != "reasoning"})
