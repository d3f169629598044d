"""Lies about the concurrency limit."""

from dataclasses import replace
from typing import Any

from gateproof_reference import sse, wirejson
from gateproof_reference.failures import Failure
from gateproof_reference.mutants.registry import mutant
from gateproof_reference.responses.encode import frame
from gateproof_reference.responses.resource import failed_event

WAITING = "--max-concurrency 2 --queue-timeout 0.4 --keepalive-interval 0.1"


def _bare(self: Any, failure: Failure) -> bytes:
    event = {"type": "error", "code": failure.code, "message": failure.message, "param": None}
    return sse.encode(wirejson.dump({**event, "sequence_number": 0}), "error")


@mutant(
    "waiting-responses-stream-ends-with-error",
    seam="responses.relay:ResponsesRelay.failed",
    options=WAITING,
    caught_by="""limit.failed-id-comes-from-the-request-id limit.waiting-responses-stream-ends-with-failed""",
)
def _(original: Any) -> Any:
    """A stream that waited in vain ends with a bare error event (sub2api#2972)."""
    return lambda self, failure: (_bare if failure.status == 429 else original)(self, failure)


@mutant(
    "waiting-chat-stream-ends-with-response-failed",
    seam="chat.encode:failed_frame",
    options=WAITING,
    caught_by="limit.waiting-chat-stream-ends-with-the-chat-error schema.frames-are-valid",
)
def _(original: Any) -> Any:
    """The failure of the one API is written into the stream of the other (sub2api#2972)."""
    wrong = lambda failure: frame(failed_event(failure, "resp_0", None, 0))  # noqa: E731
    return lambda failure: (wrong if failure.status == 429 else original)(failure)


@mutant(
    "full-is-503",
    seam="failures:full",
    options="--max-concurrency 2 --queue-timeout 0.4",
    caught_by="limit.full-is-429",
)
def _(original: Any) -> Any:
    """Too many requests are the server's fault."""
    return lambda: replace(original(), status=503)


@mutant(
    "failed-id-is-made-up",
    seam="responses.resource:response_id",
    options=WAITING,
    caught_by="limit.failed-id-comes-from-the-request-id",
)
def _(original: Any) -> Any:
    """The id of a response that never began has nothing to do with the request id (sub2api#2972)."""
    return lambda identity: f"resp_{identity.token[::-1]}"
