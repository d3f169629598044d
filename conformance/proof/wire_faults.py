"""Faults on the wire between a client and a right gateway: what no mutant of the reference can show of the suite's own reading.

A fault sees one answer, frame by frame (a frame is an event with its blank line), and says what the client gets in its place.
It is named by its class, and its docstring is the lie. `caught_by`: requirements that must fail at least.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar


class Broken(Exception):
    """Raised by a fault: the transfer breaks here, and the connection is reset."""


class Fault:
    """One answer on its way. This one leaves it as it is."""

    caught_by: ClassVar[str] = ""

    def head(self, status: int, headers: dict[str, str]) -> int:
        """Change the headers (names in small letters); return the status."""
        return status

    def frame(self, frame: bytes) -> Iterator[bytes]:
        """What is sent in place of a frame."""
        yield frame

    def end(self) -> Iterator[bytes]:
        """What is sent behind the last frame."""
        return iter(())

    def stays_open(self) -> bool:
        """Whether the body of a stream never ends."""
        return False

    def body(self, data: bytes) -> bytes:
        """What is sent in place of a JSON body."""
        return data

    def __init__(self) -> None:
        self.seen = 0


def data_of(frame: bytes) -> dict[str, Any]:
    """The object in a frame; {} for none."""
    lines = [line[5:].strip() for line in frame.split(b"\n") if line.startswith(b"data:")]
    try:
        found = json.loads(b"\n".join(lines))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def says(frame: bytes) -> str:
    """`text` or `arguments` for a delta of these, on whatever surface; else ""."""
    data = data_of(frame)
    if data.get("type") == "response.output_text.delta":
        return "text"
    if data.get("type") == "response.function_call_arguments.delta":
        return "arguments"
    delta: Any = data.get("delta")
    if data.get("type") == "content_block_delta" and isinstance(delta, dict):
        return {"text_delta": "text", "input_json_delta": "arguments"}.get(str(delta.get("type")), "")
    choices = data.get("choices")
    delta = choices[0].get("delta") if isinstance(choices, list) and choices else None
    if not isinstance(delta, dict):
        return ""
    calls = delta.get("tool_calls")
    if isinstance(calls, list) and calls:
        return "arguments" if calls[0].get("function", {}).get("arguments") and not calls[0].get("id") else ""
    return "text" if delta.get("content") else ""


class OnTheNth(Fault):
    """What happens to one delta of an answer, counted from 1; the plain text turn has three, and is left alone."""

    kind = "text"
    nth = 4

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += says(frame) == self.kind
        if self.seen == self.nth and says(frame) == self.kind:
            yield from self.strike(frame)
        else:
            yield frame

    def strike(self, frame: bytes) -> Iterator[bytes]:
        yield frame


# --- frames that are lost, repeated, moved ---------------------------------------------------------------


class DeltaIsLost(OnTheNth):
    """One delta of a text never arrives."""

    caught_by = "text.arrives-exactly-once"

    def strike(self, frame: bytes) -> Iterator[bytes]:
        return iter(())


class DeltaComesTwice(OnTheNth):
    """One delta of a text arrives a second time."""

    caught_by = "text.arrives-exactly-once wire.sequence-numbers-increase"

    def strike(self, frame: bytes) -> Iterator[bytes]:
        yield frame
        yield frame


class DeltasChangePlaces(OnTheNth):
    """One delta of a text overtakes the one before it."""

    caught_by = "text.arrives-exactly-once wire.sequence-numbers-increase"

    def __init__(self) -> None:
        super().__init__()
        self._held = b""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += says(frame) == "text"
        if self.seen == self.nth and not self._held and says(frame) == "text":
            self._held = frame
            return
        yield frame
        if self.seen > self.nth or says(frame) != "text":
            yield from self.end()

    def end(self) -> Iterator[bytes]:
        held, self._held = self._held, b""
        if held:
            self.seen += 1
            yield held


class ArgumentsAreLost(OnTheNth):
    """One delta of a call's arguments never arrives."""

    kind, nth = "arguments", 2
    caught_by = "tools.several-calls-arrive-whole"

    def strike(self, frame: bytes) -> Iterator[bytes]:
        return iter(())


class FirstFrameIsLost(Fault):
    """A stream has no first frame."""

    caught_by = """grammar.responses-events-are-in-order grammar.messages-events-are-in-order text.role-comes-first"""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += 1
        if self.seen > 1:
            yield frame


class LastFrameIsLost(Fault):
    """A stream has no last frame."""

    caught_by = "grammar.chat-ends-once turn.plain-text-arrives"

    def __init__(self) -> None:
        super().__init__()
        self._held = b""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        held, self._held = self._held, frame
        if held:
            yield held


class LastFrameComesTwice(Fault):
    """The last frame of a stream comes twice."""

    caught_by = "grammar.chat-ends-once grammar.responses-events-are-in-order grammar.messages-events-are-in-order"

    def __init__(self) -> None:
        super().__init__()
        self._last = b""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self._last = frame
        yield frame

    def end(self) -> Iterator[bytes]:
        yield self._last


class TextComesAfterTheEnd(Fault):
    """A delta of the text comes once more behind the end."""

    caught_by = "grammar.chat-ends-once turn.plain-text-arrives"

    def __init__(self) -> None:
        super().__init__()
        self._delta = b""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self._delta = frame if says(frame) == "text" else self._delta
        yield frame

    def end(self) -> Iterator[bytes]:
        if self._delta:
            yield self._delta


class UsageIsLost(Fault):
    """What tells the token counts alone is lost."""

    caught_by = "usage.totals-survive"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        data = data_of(frame)
        if not (data.get("choices") == [] and data.get("usage")):
            yield frame


# --- frames that are written wrong -----------------------------------------------------------------------


class EventsAreMerged(OnTheNth):
    """The blank line between two events is lost."""

    caught_by = "text.arrives-exactly-once wire.sse-is-clean"

    def strike(self, frame: bytes) -> Iterator[bytes]:
        yield frame.removesuffix(b"\n")


class EventIsCutInTwo(OnTheNth):
    """A blank line stands in the middle of an event."""

    caught_by = "text.arrives-exactly-once wire.sse-is-clean"

    def strike(self, frame: bytes) -> Iterator[bytes]:
        half = len(frame) // 2
        yield frame[:half] + b"\n\n" + frame[half:]


class LastBlankLineIsLost(Fault):
    """The last event has no blank line after it."""

    caught_by = "wire.sse-is-clean"

    def __init__(self) -> None:
        super().__init__()
        self._held = b""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        held, self._held = self._held, frame
        if held:
            yield held

    def end(self) -> Iterator[bytes]:
        yield self._held.removesuffix(b"\n")


class LinesEndWithCarriageReturns(Fault):
    """Lines end with a lone carriage return."""

    caught_by = "wire.sse-is-clean"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        yield frame.replace(b"\n", b"\r")


class StreamBeginsWithAMark(Fault):
    """A stream begins with a byte order mark."""

    caught_by = "wire.sse-is-clean"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += 1
        yield (b"\xef\xbb\xbf" if self.seen == 1 else b"") + frame


class EmptyDataIsSent(Fault):
    """Between two events stands one whose data is empty."""

    caught_by = "wire.sse-is-clean"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += 1
        yield (b"data:\n\n" if self.seen == 2 else b"") + frame


class NamesAreLost(Fault):
    """No event has its event line."""

    caught_by = "wire.event-name-is-its-type"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        yield re.sub(rb"(?m)^event:.*\n", b"", frame)


class NumbersStandStill(Fault):
    """Every event has the number 7."""

    caught_by = "wire.sequence-numbers-increase"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        yield re.sub(rb'"sequence_number":\d+', b'"sequence_number":7', frame)


class CharactersAreLost(Fault):
    """What is not ASCII becomes a question mark."""

    caught_by = "text.arrives-exactly-once"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        yield re.sub(rb"[^\x00-\x7f]+", b"?", frame)

    def body(self, data: bytes) -> bytes:
        return re.sub(rb"[^\x00-\x7f]+", b"?", data)


class EveryChunkHasItsOwnId(Fault):
    """No two chunks have one id."""

    caught_by = "identity.one-id-per-chat-stream"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += 1
        yield frame.replace(b'"id":"chatcmpl', b'"id":"chatcmpl%d' % self.seen)


# --- when frames come ------------------------------------------------------------------------------------


class EverythingComesAtOnce(Fault):
    """A stream is held back until it is whole."""

    caught_by = "stream.first-delta-comes-before-the-end stream.each-delta-comes-before-the-next"

    def __init__(self) -> None:
        super().__init__()
        self._held: list[bytes] = []

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self._held.append(frame)
        return iter(())

    def end(self) -> Iterator[bytes]:
        yield from self._held


class EachFrameWaitsForTheNext(Fault):
    """A frame is sent when the next one comes."""

    caught_by = "stream.each-delta-comes-before-the-next"

    def __init__(self) -> None:
        super().__init__()
        self._held = b""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        if frame.startswith(b":"):
            yield frame  # A keepalive would push out what waits.
            return
        held, self._held = self._held, frame
        if held:
            yield held

    def end(self) -> Iterator[bytes]:
        yield self._held


class BodyNeverEnds(Fault):
    """The turn is over, and the body is not; but for the plain text turn of three deltas, without which no run begins."""

    caught_by = "stream.body-ends-with-the-turn"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += says(frame) == "text"
        yield frame

    def stays_open(self) -> bool:
        return self.seen == 2


class TransferBreaksInTheText(OnTheNth):
    """The connection breaks in the middle of a text."""

    caught_by = "text.arrives-exactly-once"

    def strike(self, frame: bytes) -> Iterator[bytes]:
        raise Broken


class StreamEndsInTheText(OnTheNth):
    """A stream ends in good order in the middle of a text."""

    caught_by = "text.arrives-exactly-once"

    def frame(self, frame: bytes) -> Iterator[bytes]:
        self.seen += says(frame) == "text"
        if self.seen < self.nth:
            yield frame


# --- failures --------------------------------------------------------------------------------------------


class FailuresAreLost(Fault):
    """The failure at the end of a stream never arrives, and the stream ends in good order."""

    caught_by = """failure.in-band-error-has-the-chat-shape failure.in-band-error-has-the-messages-shape
    failure.responses-stream-ends-with-failed failure.failed-is-never-success"""

    def frame(self, frame: bytes) -> Iterator[bytes]:
        data = data_of(frame)
        if not (data.get("type") in ("error", "response.failed") or ("choices" not in data and data.get("error"))):
            yield frame


class RefusalsAre200(Fault):
    """Every answer has the status 200."""

    caught_by = "error.status-class-is-kept failure.same-class-on-both-surfaces"

    def head(self, status: int, headers: dict[str, str]) -> int:
        return 200


class RefusalsAreWebPages(Fault):
    """An error is a web page."""

    caught_by = "error.status-class-is-kept schema.errors-are-valid wire.content-type-fits"

    def head(self, status: int, headers: dict[str, str]) -> int:
        self.seen = status
        if status >= 400:
            headers["content-type"] = "text/html"
        return status

    def body(self, data: bytes) -> bytes:
        return b"<!doctype html><title>Oh no</title>" if self.seen >= 400 else data


class AdviceIsLost(Fault):
    """No answer has a Retry-After."""

    caught_by = "error.retry-after-is-told error.retry-after-is-kept"

    def head(self, status: int, headers: dict[str, str]) -> int:
        headers.pop("retry-after", None)
        return status


class TypesAreLost(Fault):
    """No answer says what it is."""

    caught_by = "wire.content-type-fits"

    def head(self, status: int, headers: dict[str, str]) -> int:
        headers.pop("content-type", None)
        return status


class ErrorsAreCalledGzip(Fault):
    """Every error says that it is compressed, and is not."""

    caught_by = "framing.body-is-as-its-headers-say"

    def head(self, status: int, headers: dict[str, str]) -> int:
        if status >= 400:
            headers["content-encoding"] = "gzip"
        return status


# --- bodies and other answers ----------------------------------------------------------------------------


class CountsAreLost(Fault):
    """A JSON answer has no usage."""

    caught_by = "usage.totals-survive"

    def body(self, data: bytes) -> bytes:
        document = json.loads(data)
        return json.dumps({name: value for name, value in document.items() if name != "usage"}).encode()


class AnswersAreKept(Fault):
    """Every second answer of a kind is the one before it."""

    caught_by = "isolation.nothing-stays-of-an-earlier-turn text.arrives-exactly-once"
    kept: ClassVar[list[bytes]] = []

    def body(self, data: bytes) -> bytes:
        if self.kept:
            return self.kept.pop()
        self.kept.append(data)
        return data


class AnswersAreExchanged(Fault):
    """A text goes on with what another stream says."""

    caught_by = "isolation.concurrent-turns-keep-apart"
    waiting: ClassVar[list[bytes]] = []

    def frame(self, frame: bytes) -> Iterator[bytes]:
        if says(frame) == "text" and b"then-" in frame:
            self.waiting.append(frame)
            yield self.waiting[0]
        else:
            yield frame


def every() -> dict[str, type[Fault]]:
    """The faults by name, in kebab case: DeltaIsLost is delta-is-lost."""
    found: list[type[Fault]] = [kind for kind in _below(Fault) if kind.caught_by]
    return {re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "-", kind.__name__).lower(): kind for kind in found}


def _below(kind: type[Fault]) -> Iterator[type[Fault]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)
