"""Lies about failed turns."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from gateproof_reference import sse, wirejson
from gateproof_reference.canonical import Event, Finished
from gateproof_reference.failures import Failure
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.wirejson import Object

ON_FAILURE = "responses.decode:ResponsesDecoder.on_failure"


def _stop_when(
    original: Callable[..., Iterator[Event]], believes: Callable[..., bool]
) -> Callable[..., Iterator[Event]]:
    """Return an on_failure() that ends the turn as a success where it `believes` so."""

    def on_failure(self: Any, kind: str, event: Object) -> Iterator[Event]:
        if not believes(self, kind, event):
            yield from original(self, kind, event)
            return
        self.over = True
        yield Finished("stop", None)

    return on_failure


@mutant(
    "failed-after-text-is-a-stop",
    seam=ON_FAILURE,
    caught_by="""ending.bare-failed-is-an-error failure.code-and-message-survive failure.failed-is-never-success
    failure.in-band-error-has-the-chat-shape failure.in-band-error-has-the-messages-shape
    failure.message-survives-exactly mix.failed-turns-are-errors-anywhere""",
)
def _(original: Any) -> Any:
    """What was streamed before response.failed is told as a whole answer (litellm#36768)."""
    return _stop_when(original, lambda self, kind, event: kind == "response.failed" and bool(self._items))


@mutant(
    "failed-before-text-is-an-empty-stop",
    seam=ON_FAILURE,
    caught_by="""ending.unfinished-status-is-an-error failure.client-fault-is-4xx failure.code-and-message-survive
    failure.failed-before-output-is-an-error failure.failed-before-output-is-an-http-error
    failure.failed-is-never-success failure.message-survives-exactly failure.server-fault-is-5xx
    mix.failed-turns-are-errors-anywhere""",
)
def _(original: Any) -> Any:
    """A turn that failed at once is told as an empty answer with finish_reason stop (new-api#3142)."""
    return _stop_when(original, lambda self, kind, event: kind == "response.failed" and not self._items)


@mutant(
    "cancelled-is-a-stop",
    seam=ON_FAILURE,
    caught_by="ending.unfinished-status-is-an-error failure.cancelled-is-never-success",
)
def _(original: Any) -> Any:
    """response.cancelled is told as the normal end (sub2api#2972)."""
    return _stop_when(original, lambda self, kind, event: kind == "response.cancelled")


@mutant("error-event-is-a-stop", seam=ON_FAILURE, caught_by="failure.error-event-is-an-error")
def _(original: Any) -> Any:
    """A top-level error event is told as the normal end (litellm#39207)."""
    return _stop_when(original, lambda self, kind, event: kind == "error")


@mutant("flat-error-event-is-a-stop", seam=ON_FAILURE, caught_by="failure.error-event-is-an-error")
def _(original: Any) -> Any:
    """Only the nested form of the error event is known, the flat one ends the turn normally."""
    return _stop_when(original, lambda self, kind, event: kind == "error" and "error" not in event)


@mutant(
    "failed-body-is-a-stop",
    seam="responses.decode:decode_body",
    caught_by="""ending.unfinished-status-is-an-error failure.client-fault-is-4xx failure.code-and-message-survive
    failure.failed-is-never-success failure.message-survives-exactly failure.server-fault-is-5xx
    mix.failed-turns-are-errors-anywhere""",
)
def _(original: Any) -> Any:
    """A JSON answer with status failed becomes 200 and an empty message (litellm#39703)."""
    return lambda body: original({**body, "status": "completed"} if body.get("status") == "failed" else body)


@mutant(
    "cancelled-body-is-a-stop",
    seam="responses.decode:decode_body",
    caught_by="ending.unfinished-status-is-an-error failure.cancelled-is-never-success",
)
def _(original: Any) -> Any:
    """A JSON answer with status cancelled becomes 200 and whatever was there."""
    return lambda body: original({**body, "status": "completed"} if body.get("status") == "cancelled" else body)


@mutant(
    "error-chunk-beside-empty-choices-is-skipped",
    seam="chat.decode:error_in",
    caught_by="""failure.client-fault-is-4xx failure.code-and-message-survive failure.codes-are-translated
    failure.error-chunk-is-an-error failure.failed-before-output-is-an-error
    failure.failed-before-output-is-an-http-error failure.in-band-error-has-the-chat-shape
    failure.in-band-error-has-the-messages-shape failure.message-survives-exactly
    failure.quota-is-no-rate-limit failure.responses-stream-ends-with-failed failure.server-fault-is-5xx
    mix.failed-turns-are-errors-anywhere""",
)
def _(original: Any) -> Any:
    """A chunk with an error and empty choices says nothing (OmniRoute#8210)."""
    return lambda event, payload: None if payload and not payload.get("choices") else original(event, payload)


@mutant(
    "openings-are-not-held-back",
    seam="answers:StreamAnswer.put",
    caught_by="failure.failed-before-output-is-an-http-error",
)
def _(original: Any) -> Any:
    """The 200 goes out with the first event, so that an early failure cannot have a status (helm-api#381)."""
    return lambda self, frames: self.write(b"".join(frame.data for frame in frames))


@mutant(
    "chat-error-is-bare",
    seam="chat.encode:failed_frame",
    caught_by="""ending.bare-failed-is-an-error ending.broken-transfer-is-an-error
    ending.truncated-upstream-is-an-error failure.cancelled-is-never-success
    failure.code-and-message-survive failure.error-chunk-is-an-error failure.error-event-is-an-error
    failure.failed-is-never-success failure.in-band-error-has-the-chat-shape
    failure.message-survives-exactly identity.one-id-per-chat-stream
    limit.waiting-chat-stream-ends-with-the-chat-error mix.failed-turns-are-errors-anywhere
    schema.frames-are-valid time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """An in-band error is an event called error, without the `error` member that SDKs look for (llm-rosetta#454)."""
    return lambda failure: sse.encode(wirejson.dump({"message": failure.message, "type": "server_error"}), "error")


@mutant(
    "chat-failure-ends-with-a-finish-reason",
    seam="chat.encode:failed_frame",
    caught_by="""ending.bare-failed-is-an-error ending.broken-transfer-is-an-error
    ending.truncated-upstream-is-an-error ending.truncated-upstream-is-never-complete
    failure.cancelled-is-never-success failure.error-event-is-an-error
    failure.failed-is-never-success failure.in-band-error-has-the-chat-shape
    identity.one-id-per-chat-stream lifecycle.output-is-never-repeated
    limit.waiting-chat-stream-ends-with-the-chat-error mix.cut-turns-never-complete-anywhere
    mix.failed-turns-are-errors-anywhere time.silent-upstream-is-given-up""",
)
def _(original: Any) -> Any:
    """After the error come a chunk with finish_reason stop and [DONE] (litellm#39748)."""
    choice: Object = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": "stop"}
    chunk: Object = {"id": "chatcmpl-0", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    end = sse.encode(wirejson.dump({**chunk, "choices": [choice]})) + sse.encode(b"[DONE]")
    return lambda failure: original(failure) + end


@mutant(
    "code-is-always-upstream-error",
    seam="failures:envelope",
    caught_by="error.refusal-is-told-in-detail failure.code-and-message-survive",
)
def _(original: Any) -> Any:
    """Every error says upstream_error, so that nobody can tell a full quota from a long prompt (bifrost#6783)."""
    return lambda failure: original(replace(failure, code="upstream_error"))


@mutant(
    "message-is-generic",
    seam="failures:read",
    caught_by="""error.foreign-envelope-is-read error.refusal-is-told-in-detail failure.code-and-message-survive
    failure.error-chunk-is-an-error failure.error-event-is-an-error
    failure.error-in-a-200-is-an-error failure.failed-before-output-is-an-http-error
    failure.failed-event-is-whole failure.failed-is-never-success failure.message-survives-exactly
    failure.responses-stream-ends-with-failed framing.upstream-framing-stays-upstream""",
)
def _(original: Any) -> Any:
    """The upstream's reason is replaced by a polite one (litellm#39703)."""
    return lambda error, **how: replace(original(error, **how), message="the request could not be completed")


@mutant("client-faults-are-500", seam="failures:STATUS_OF_CODE", caught_by="failure.client-fault-is-4xx")
def _(original: Any) -> Any:
    """A context that is too long is the server's fault, so that SDKs try it again (openai-python retries 5xx)."""
    return {code: 500 if status == 400 else status for code, status in original.items()}


@mutant(
    "server-faults-are-400",
    seam="failures:status_of",
    caught_by="ending.broken-transfer-is-an-error failure.server-fault-is-5xx",
)
def _(original: Any) -> Any:
    """Every failure in a stream is blamed on the request."""
    return lambda failure: original(failure) if failure.status is not None else 400


@mutant(
    "refusals-are-502",
    seam="failures:client_status",
    caught_by="""error.odd-retry-after-is-no-fault error.status-class-is-kept error.status-is-kept
    error.unknown-model-is-refused error.unreadable-refusal-is-told error.wrong-request-is-refused
    failure.same-class-on-both-surfaces""",
)
def _(original: Any) -> Any:
    """Whatever the upstream refuses, it is a bad gateway (suna#5986)."""
    return lambda status: 502


@mutant(
    "responses-message-is-quoted-like-go",
    seam="responses.encode:frame",
    caught_by="failure.message-survives-exactly schema.frames-are-valid wire.sse-is-clean",
)
def _(original: Any) -> Any:
    """The error is formatted with %q: ESC, BEL and NUL become \\x escapes, which are no JSON (CLIProxyAPI#2089)."""

    def frame(event: Object) -> bytes:
        data: bytes = original(event)
        return data.replace(b"\\u001b", b"\\x1b") if event["type"] == "response.failed" else data

    return frame


@mutant("message-loses-its-lines", seam="failures:envelope", caught_by="failure.message-survives-exactly")
def _(original: Any) -> Any:
    """White space in messages is tidied up."""
    return lambda failure: original(replace(failure, message=" ".join(failure.message.split())))


@mutant(
    "responses-failure-is-an-error-event",
    seam="responses.encode:ResponsesEncoder.failed",
    caught_by="""failure.code-and-message-survive failure.codes-are-translated failure.error-events-are-nested
    failure.quota-is-no-rate-limit failure.responses-stream-ends-with-failed
    limit.failed-id-comes-from-the-request-id limit.waiting-responses-stream-ends-with-failed""",
)
def _(original: Any) -> Any:
    """A stream ends with a bare error event, which Codex does not know (sub2api#2972)."""

    def failed(self: Any, failure: Failure) -> bytes:
        event = {"type": "error", "code": failure.code, "message": failure.message, "param": None}
        return sse.encode(wirejson.dump({**event, "sequence_number": self._sequence}), "error")

    return failed


@mutant(
    "relayed-error-event-stays-one",
    seam="responses.relay:ResponsesRelay.failed",
    caught_by="""failure.responses-stream-ends-with-failed limit.failed-id-comes-from-the-request-id
    limit.waiting-responses-stream-ends-with-failed""",
)
def _(original: Any) -> Any:
    """On the same API a failure is a bare error event too."""

    def failed(self: Any, failure: Failure) -> bytes:
        event = {"type": "error", "code": failure.code, "message": failure.message, "param": None}
        return sse.encode(wirejson.dump({**event, "sequence_number": self._sequence}), "error")

    return failed


@mutant(
    "translated-failed-has-a-new-id",
    seam="responses.encode:ResponsesEncoder.failed",
    caught_by="""failure.failed-event-keeps-the-created-id identity.one-id-per-response
    limit.failed-id-comes-from-the-request-id""",
)
def _(original: Any) -> Any:
    """The same in a translated stream."""
    return lambda self, failure: original(self, failure).replace(b'"id":"resp_', b'"id":"resp_0')


@mutant(
    "failed-event-is-thin",
    seam="responses.resource:failed_event",
    caught_by="failure.failed-event-is-whole schema.errors-are-valid",
)
def _(original: Any) -> Any:
    """The response in response.failed has no object and no output."""

    def failed_event(*args: Any) -> Object:
        event: Object = original(*args)
        return {**event, "response": {k: v for k, v in event["response"].items() if k not in ("object", "output")}}

    return failed_event


@mutant(
    "failed-event-has-an-empty-model",
    seam="responses.resource:failed_event",
    caught_by="failure.failed-event-is-whole schema.errors-are-valid",
)
def _(original: Any) -> Any:
    """The model in response.failed is the empty string (CLIProxyAPI#2089)."""

    def failed_event(*args: Any) -> Object:
        event: Object = original(*args)
        return {**event, "response": {**event["response"], "model": ""}}

    return failed_event


@mutant("codes-are-not-translated", seam="failures:RESPONSES_CODES", caught_by="failure.codes-are-translated")
def _(original: Any) -> Any:
    """response.failed speaks of rate_limit_error, a word of another API (sub2api#2972)."""
    return {"": "server_error"}


@mutant("errors-in-a-200-are-empty", seam="chat.decode:body_fault", caught_by="failure.error-in-a-200-is-an-error")
def _(original: Any) -> Any:
    """A 200 without choices is an empty answer, whatever it says (genkit#6258)."""

    def body_fault(body: Object) -> Failure | None:
        body.setdefault("choices", [])
        if not body["choices"]:
            body["choices"] = [{"message": {}, "finish_reason": "stop"}]
        return None

    return body_fault


@mutant(
    "nothing-is-an-empty-turn",
    seam="messages.decode:MessagesDecoder.on_end",
    caught_by="failure.empty-200-is-an-error",
)
def _(original: Any) -> Any:
    """A stream in which nothing came was a turn in which nothing was said (9router#3051)."""
    return lambda self, cut: original(self, cut) if self._started or cut else self.on_stop()


@mutant(
    "error-events-are-flat",
    seam="responses.encode:ResponsesEncoder.failed",
    caught_by="failure.error-events-are-nested",
)
def _(original: Any) -> Any:
    """Before response.failed comes an error event whose code and message stand at its top (bifrost#6783)."""

    def failed(self: Any, failure: Failure) -> bytes:
        flat = self.event("error", code=failure.code, message=failure.message, param=None)
        last: bytes = flat + original(self, failure)
        return last

    return failed
