"""Chat Completions, as surface and as dialect."""

from collections.abc import Iterable

from gateproof_reference.api import Api
from gateproof_reference.canonical import Event, Identity, Request
from gateproof_reference.chat import decode, encode, relay
from gateproof_reference.chat import request as requests
from gateproof_reference.failures import Failure, unsupported
from gateproof_reference.streams import Decoder, Encoder, Gatherer, Pipe
from gateproof_reference.turns import TurnGatherer
from gateproof_reference.wirejson import Object


class ChatApi(Api):
    """Names the halves."""

    name = "chat"
    path = "/chat/completions"

    def check_request(self, body: Object) -> None:
        requests.check(body)

    def decode_request(self, body: Object) -> Request:
        return requests.decode(body)

    def encoder(self, request: Request, identity: Identity) -> Encoder:
        return encode.ChatEncoder(request, identity)

    def encode_body(self, events: Iterable[Event], request: Request, identity: Identity) -> Object:
        return encode.encode_body(events, request, identity)

    def wants_usage(self, body: Object) -> bool:
        return requests.wants_usage(body)

    def encode_request(self, request: Request, *, stream: bool, usage: bool) -> Object:
        return requests.encode(request, stream=stream, usage=usage)

    def decoder(self) -> Decoder:
        return decode.ChatDecoder()

    def decode_body(self, body: Object) -> list[Event]:
        return decode.decode_body(body)

    def adapt(self, body: Object, *, stream: bool) -> Object:
        gathered = stream and not body.get("stream")
        if gathered and body.get("n") not in (None, 1):
            raise unsupported("n", "this gateway makes a JSON answer of a stream, of one choice only")
        return requests.ask(body, stream=stream, usage=gathered)

    def fault_in(self, body: Object) -> Failure | None:
        return decode.body_fault(body)

    def relay(self, body: Object, identity: Identity) -> Pipe:
        return relay.ChatRelay(_asked(body), identity)

    def gatherer(self, body: Object, identity: Identity) -> Gatherer:
        keeper = relay.Keeper()
        return TurnGatherer(keeper, lambda events: relay.gathered(events, _asked(body), identity, keeper))


def _asked(body: Object) -> Request:
    """Return the little that a relay must know of a request: the rest is between client and upstream."""
    return Request(body["model"], (), body.get("stream") is True, requests.wants_usage(body), asked=body)
