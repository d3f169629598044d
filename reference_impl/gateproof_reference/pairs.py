"""One request on one pair, without I/O: what goes to the upstream, and how each kind of answer becomes the client's."""

from dataclasses import dataclass

from gateproof_reference import wirejson
from gateproof_reference.api import Api
from gateproof_reference.canonical import Identity, Request
from gateproof_reference.failures import Failure, RefusedError, bad_request, unreadable, without_keys
from gateproof_reference.streams import Gatherer, Pipe
from gateproof_reference.turns import Translation, TurnGatherer
from gateproof_reference.wirejson import Object, text


@dataclass(frozen=True, slots=True)
class Exchange:
    """A client's request that is ready for its upstream. `request` is None where nothing is translated.

    `dropped` are the types of the tools that were left out, if the operator allowed that.
    """

    surface: Api
    dialect: Api
    identity: Identity
    body: Object
    request: Request | None
    payload: bytes
    client_streams: bool
    upstream_streams: bool
    dropped: tuple[str, ...] = ()

    def pipe(self) -> Pipe:
        """Return what turns the answer into the client's stream."""
        if self.request is None:
            return self.surface.relay(self.body, self.identity)
        encoder = self.surface.encoder(self.request, self.identity)
        return Translation(self.dialect.decoder(), encoder, self.dialect.decode_body)

    def gatherer(self) -> Gatherer:
        """Return what turns a streamed answer into the client's JSON."""
        request = self.request
        if request is None:
            return self.surface.gatherer(self.body, self.identity)
        return TurnGatherer(
            self.dialect.decoder(), lambda events: self.surface.encode_body(events, request, self.identity)
        )

    def translate_body(self, raw: bytes) -> bytes:
        """Return the client's JSON for a JSON answer with status 200; raise RefusedError if it is none."""
        body = json_answer(raw)
        if self.request is not None:
            events = self.dialect.decode_body(body)
            return wirejson.dump(self.surface.encode_body(events, self.request, self.identity))
        fault: Failure | None = self.dialect.fault_in(body)
        if fault is not None:
            raise RefusedError(fault)
        told = without_keys(body)
        return raw if told is body else wirejson.dump(told)


def prepare(
    surface: Api,
    dialect: Api,
    raw: bytes,
    body: Object,
    identity: Identity,
    *,
    force_stream: bool,
    drop_tools: bool = False,
) -> Exchange:
    """Return the exchange for a client's request. Raise RefusedError if it cannot be served.

    `drop_tools` leaves out the tools that another API does not have, which are refused otherwise.
    """
    surface.check_request(body)
    wants_stream = body.get("stream") is True
    streams = wants_stream or force_stream
    request: Request | None = None
    dropped: tuple[str, ...] = ()
    if surface is dialect:
        # The client's own bytes, unless something must be asked for that it did not ask.
        payload = raw if streams == wants_stream else written(dialect.adapt(body, stream=streams))
    else:
        if drop_tools:
            body, dropped = functions_only(surface, body)
        request = surface.decode_request(body)
        wants_usage = surface.wants_usage(body) or not wants_stream
        payload = written(dialect.encode_request(request, stream=streams, usage=wants_usage))
    return Exchange(surface, dialect, identity, body, request, payload, wants_stream, streams, dropped)


def functions_only(surface: Api, body: Object) -> tuple[Object, tuple[str, ...]]:
    """Return a request without the tools that are no functions, and their types.

    If no tool is left, neither is what may only stand beside one (OpenAI API reference). A choice that forces a call stays:
    it cannot be met, and must be refused.
    """
    tools = body.get("tools")
    if not isinstance(tools, list):
        return body, ()
    # What is no object stays, and is refused as what it is.
    kept = [tool for tool in tools if not isinstance(tool, dict) or tool.get("type") in surface.function_types]
    dropped = tuple(text(tool.get("type")) for tool in tools if tool not in kept)
    if kept or not dropped:
        return {**body, "tools": kept}, dropped
    choice = body.get("tool_choice")
    free = (choice.get("type") if isinstance(choice, dict) else choice) in (None, "auto", "none")
    beside = {"tools", "parallel_tool_calls", *(("tool_choice",) if free else ())}
    return {name: value for name, value in body.items() if name not in beside}, dropped


def written(question: Object) -> bytes:
    """Return a question as JSON. Raise RefusedError (400) for what was nested just so deep that it could be read."""
    try:
        return wirejson.dump(question)
    except RecursionError:
        raise bad_request("arrays and objects are nested too deeply", code="invalid_json") from None


def json_answer(raw: bytes) -> Object:
    """Return the object in an upstream's JSON answer; raise RefusedError if there is none (CLIProxyAPI#2921)."""
    body = wirejson.parse_object(raw)
    if body is None:
        raise RefusedError(unreadable("it is not a JSON object"))
    return body
