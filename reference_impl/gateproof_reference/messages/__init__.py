"""Messages, as surface and as dialect."""

from collections.abc import Iterable, Mapping

from gateproof_reference import failures
from gateproof_reference.api import Api, bearer
from gateproof_reference.canonical import Event, Identity, Request
from gateproof_reference.failures import Failure
from gateproof_reference.messages import asking, decode, encode, relay
from gateproof_reference.messages import request as requests
from gateproof_reference.streams import Decoder, Encoder, Gatherer, Pipe
from gateproof_reference.wirejson import Object

VERSION = "2023-06-01"
"""The `anthropic-version` that we speak; a call without one is refused (Anthropic's page on versions)."""


class MessagesApi(Api):
    """Names the halves."""

    name = "messages"
    path = "/messages"
    function_types = (None, "custom")
    relayed_headers = ("anthropic-version", "anthropic-beta")
    relayed_query = ("beta",)

    def check_request(self, body: Object) -> None:
        requests.check(body)

    def decode_request(self, body: Object) -> Request:
        return requests.decode(body)

    def encoder(self, request: Request, identity: Identity) -> Encoder:
        return encode.MessagesEncoder(request, identity)

    def encode_body(self, events: Iterable[Event], request: Request, identity: Identity) -> Object:
        return encode.encode_body(events, request, identity)

    def wants_usage(self, body: Object) -> bool:
        return True

    def envelope(self, failure: Failure, request_id: str) -> Object:
        return failures.messages_envelope(failure, request_id)

    def key_of(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-api-key", "") or bearer(headers)

    def encode_request(self, request: Request, *, stream: bool, usage: bool) -> Object:
        return asking.encode(request, stream=stream)

    def headers(self, key: str | None) -> dict[str, str]:
        return {"anthropic-version": VERSION, **({} if key is None else {"x-api-key": key})}

    def decoder(self) -> Decoder:
        return decode.MessagesDecoder()

    def decode_body(self, body: Object) -> list[Event]:
        return decode.decode_body(body)

    def adapt(self, body: Object, *, stream: bool) -> Object:
        return {**body, "stream": stream}

    def fault_in(self, body: Object) -> Failure | None:
        return decode.body_fault(body)

    def relay(self, body: Object, identity: Identity) -> Pipe:
        return relay.MessagesRelay(identity)

    def gatherer(self, body: Object, identity: Identity) -> Gatherer:
        return relay.MessagesGatherer(body["model"], identity)
