"""Translated answers: a decoder of one API joined to an encoder of another."""

from collections.abc import Callable, Iterable

from gateproof_reference.canonical import Event, Failed
from gateproof_reference.failures import Failure, RefusedError
from gateproof_reference.streams import Decoder, Encoder, Out
from gateproof_reference.wirejson import Object


class Translation:
    """A pipe: decodes the dialect's stream, encodes the surface's."""

    def __init__(self, decoder: Decoder, encoder: Encoder, decode_body: Callable[[Object], list[Event]]) -> None:
        self._decoder = decoder
        self._encoder = encoder
        self._decode_body = decode_body
        self._over = False

    @property
    def over(self) -> bool:
        return self._over or self._decoder.over

    def feed(self, data: bytes) -> list[Out]:
        return self._encode(self._decoder.feed(data))

    def end(self, cut: Failure | None = None) -> list[Out]:
        return self._encode(self._decoder.end(cut))

    def whole(self, body: Object) -> list[Out]:
        self._over = True
        return self._encode(self._decode_body(body))

    def failed(self, failure: Failure) -> bytes:
        return self._encoder.failed(failure)

    def _encode(self, events: Iterable[Event]) -> list[Out]:
        outs: list[Out] = []
        try:
            for event in events:
                outs += [event] if isinstance(event, Failed) else self._encoder.encode(event)
        except RefusedError as refused:
            self._over = True
            outs.append(Failed(refused.failure))
        return outs


class TurnGatherer:
    """A gatherer: decodes the dialect's stream to its end, then encodes the surface's JSON."""

    def __init__(self, decoder: Decoder, encode_body: Callable[[Iterable[Event]], Object]) -> None:
        self._decoder = decoder
        self._encode_body = encode_body
        self._events: list[Event] = []

    @property
    def over(self) -> bool:
        return self._decoder.over

    def feed(self, data: bytes) -> list[Event]:
        return self._keep(self._decoder.feed(data))

    def end(self, cut: Failure | None = None) -> list[Event]:
        return self._keep(self._decoder.end(cut))

    def result(self) -> Object:
        return self._encode_body(self._events)

    def _keep(self, events: list[Event]) -> list[Event]:
        self._events += events
        return events
