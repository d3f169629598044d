"""What one API must bring: the two halves of a translation, and the discipline of a relay to itself.

A new API is a new subclass and one line in `apis.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping

from gateproof_reference import failures
from gateproof_reference.canonical import Event, Identity, Request
from gateproof_reference.failures import Failure
from gateproof_reference.streams import Decoder, Encoder, Gatherer, Pipe
from gateproof_reference.wirejson import Object


def bearer(headers: Mapping[str, str]) -> str:
    """Return the bearer token in a request's headers, "" if there is none; the case of the scheme is free (RFC 9110)."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


class Api(ABC):
    """One of the APIs, as surface (towards the client) and as dialect (towards the upstream)."""

    name: str
    path: str
    """Where the dialect is called, after the upstream's base URL."""

    # -- as a surface

    function_types: tuple[str | None, ...] = ("function",)
    """`type` of the tools that every API has: functions of the client's own. Any other tool is the provider's."""

    @abstractmethod
    def check_request(self, body: Object) -> None:
        """Raise RefusedError if the essentials of a request are missing or have a wrong type. Used on every pair."""

    @abstractmethod
    def decode_request(self, body: Object) -> Request:
        """Return the question. Raise RefusedError for what no other API could be asked."""

    @abstractmethod
    def encoder(self, request: Request, identity: Identity) -> Encoder:
        """Return the writer of a stream."""

    @abstractmethod
    def encode_body(self, events: Iterable[Event], request: Request, identity: Identity) -> Object:
        """Return the JSON answer of a turn that ended in Finished."""

    @abstractmethod
    def wants_usage(self, body: Object) -> bool:
        """True if the client's stream is to tell its usage."""

    def envelope(self, failure: Failure, request_id: str) -> Object:
        """Return the body of an error with a status; most APIs share one shape, without the request id."""
        return failures.envelope(failure)

    def key_of(self, headers: Mapping[str, str]) -> str:
        """Return the gateway's key as a client of this API shows it, "" if it shows none."""
        return bearer(headers)

    # -- as a dialect

    def headers(self, key: str | None) -> dict[str, str]:
        """Return what every call must say beside its body; `key` is the operator's."""
        return {} if key is None else {"authorization": f"Bearer {key}"}

    @abstractmethod
    def encode_request(self, request: Request, *, stream: bool, usage: bool) -> Object:
        """Return the question in this API's words; `usage` asks a stream for its token counts."""

    @abstractmethod
    def decoder(self) -> Decoder:
        """Return the reader of a stream."""

    @abstractmethod
    def decode_body(self, body: Object) -> list[Event]:
        """Return the turn in a JSON answer; it ends in Finished or Failed."""

    # -- as both at once

    relayed_headers: tuple[str, ...] = ()
    """Headers of the client that are part of its question, and go along where nothing is translated."""

    relayed_query: tuple[str, ...] = ()
    """Parameters in the client's URL that are part of its question, as the headers are."""

    @abstractmethod
    def adapt(self, body: Object, *, stream: bool) -> Object:
        """Return the client's own request with `stream` set, and whatever must be asked for because of that."""

    @abstractmethod
    def fault_in(self, body: Object) -> Failure | None:
        """Return the failure that a JSON answer with status 200 really is, None if the client may have it."""

    @abstractmethod
    def relay(self, body: Object, identity: Identity) -> Pipe:
        """Return the pipe for a client that speaks the upstream's API."""

    @abstractmethod
    def gatherer(self, body: Object, identity: Identity) -> Gatherer:
        """Return what makes one JSON answer of an upstream's stream in the same API."""
