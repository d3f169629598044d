"""Responses, as surface and as dialect."""

from collections.abc import Iterable

from gateproof_reference.api import Api
from gateproof_reference.canonical import Event, Identity, Request
from gateproof_reference.failures import Failure
from gateproof_reference.responses import decode, encode, relay
from gateproof_reference.responses import request as requests
from gateproof_reference.streams import Decoder, Encoder, Gatherer, Pipe
from gateproof_reference.wirejson import Object


class ResponsesApi(Api):
    """Names the halves."""

    name = "responses"
    path = "/responses"

    def check_request(self, body: Object) -> None:
        requests.check(body)

    def decode_request(self, body: Object) -> Request:
        return requests.decode(body)

    def encoder(self, request: Request, identity: Identity) -> Encoder:
        return encode.ResponsesEncoder(request, identity)

    def encode_body(self, events: Iterable[Event], request: Request, identity: Identity) -> Object:
        return encode.encode_body(events, request, identity)

    def wants_usage(self, body: Object) -> bool:
        return True

    def encode_request(self, request: Request, *, stream: bool, usage: bool) -> Object:
        return requests.encode(request, stream=stream)

    def decoder(self) -> Decoder:
        return decode.ResponsesDecoder()

    def decode_body(self, body: Object) -> list[Event]:
        return decode.decode_body(body)

    def adapt(self, body: Object, *, stream: bool) -> Object:
        return {**body, "stream": stream}

    def fault_in(self, body: Object) -> Failure | None:
        return decode.body_fault(body)

    def relay(self, body: Object, identity: Identity) -> Pipe:
        return relay.ResponsesRelay(body["model"], identity)

    def gatherer(self, body: Object, identity: Identity) -> Gatherer:
        return relay.ResponsesGatherer(body["model"], identity)
