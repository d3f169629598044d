"""Streams without I/O: upstream bytes in, client frames out, and the two rules that hold for every pair.

A frame may be an *opening* (response.created, a chunk with only a role): it says nothing yet, so the server holds it back
until a real one comes, and a failure before that is an honest HTTP status. And after Finished or Failed nothing follows.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from msgspec import Struct

from gateproof_reference import failures, sse
from gateproof_reference.canonical import Event, Failed
from gateproof_reference.failures import Failure
from gateproof_reference.wirejson import Object

T = TypeVar("T")


class Frame(Struct, frozen=True):
    """Bytes for the client, whole events only; `opening` ones may wait."""

    data: bytes
    opening: bool = False


Out = Frame | Failed


class Reader(ABC, Generic[T]):
    """Reads one upstream stream. `over` is set as soon as its turn is decided; what comes later is not read."""

    def __init__(self) -> None:
        self._sse = sse.Decoder()
        self.over = False

    def feed(self, data: bytes) -> list[T]:
        """Return what these bytes of the upstream's stream mean."""
        results: list[T] = []
        if self.over:
            return results
        try:
            events = self._sse.feed(data)
        except sse.TooLongError:
            return self.end(failures.too_long())
        for event in events:
            results += self.on_event(event)
            if self.over:
                break
        return results

    def end(self, cut: Failure | None = None) -> list[T]:
        """Return what the end of the stream means: a clean end (None), or `cut` off."""
        if self.over:
            return []
        results = list(self.on_end(cut))
        self.over = True
        return results

    @abstractmethod
    def on_event(self, event: sse.Event) -> Iterable[T]:
        """Read one event; set `over` when it decides the turn."""

    @abstractmethod
    def on_end(self, cut: Failure | None) -> Iterable[T]:
        """Decide the turn now."""


class Decoder(Reader[Event]):
    """Reads an API's stream into canonical events."""


class Encoder(ABC):
    """Writes canonical events as an API's stream."""

    @abstractmethod
    def encode(self, event: Event) -> Iterable[Frame]:
        """Return the frames of an event that is no Failed. Raise RefusedError if this API cannot say it."""

    @abstractmethod
    def failed(self, failure: Failure) -> bytes:
        """Return the end of a stream in which something was sent already."""


class Pipe(Protocol):
    """One upstream answer on its way to a client that streams."""

    @property
    def over(self) -> bool:
        """True when the turn is decided and nothing more is read."""
        ...

    def feed(self, data: bytes) -> list[Out]:
        """Take bytes of the upstream's stream."""
        ...

    def end(self, cut: Failure | None = None) -> list[Out]:
        """Take the end of the upstream's stream: clean (None) or `cut`."""
        ...

    def whole(self, body: Object) -> list[Out]:
        """Take a JSON answer in place of a stream (litellm#33154)."""
        ...

    def failed(self, failure: Failure) -> bytes:
        """Return the in-band failure in the surface's words."""
        ...


class Gatherer(Protocol):
    """Reads a stream to its end for a client that wants one JSON answer."""

    @property
    def over(self) -> bool:
        """True when the turn is decided."""
        ...

    def feed(self, data: bytes) -> list[Event]:
        """Take bytes of the upstream's stream."""
        ...

    def end(self, cut: Failure | None = None) -> list[Event]:
        """Take the end of the upstream's stream: clean (None) or `cut`."""
        ...

    def result(self) -> Object:
        """Return the JSON answer; only if no Failed came. Raise RefusedError if the surface cannot say it."""
        ...
