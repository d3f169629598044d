"""The translators as functions, for the tests of other gateways: what a stored answer is in another API.

An answer goes from the upstream's API (`source`) to the client's (`target`), a request the other way round: from the
client's (`source`) to the upstream's (`target`). With source and target the same nothing is translated, and the rules of
a relay hold. No function does any I/O, and the same arguments give the same bytes.
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from gateproof_reference import failures, pairs, wirejson
from gateproof_reference.api import Api
from gateproof_reference.apis import APIS
from gateproof_reference.canonical import Failed, Identity
from gateproof_reference.failures import Failure, RefusedError
from gateproof_reference.pairs import Exchange
from gateproof_reference.streams import Frame, Gatherer, Out, Pipe
from gateproof_reference.wirejson import Object

ApiName = Literal["responses", "chat", "messages"]

Body = Mapping[str, Any]
"""A JSON object of any API."""

IDENTITY = Identity("00000000-0000-4000-8000-000000000000", 1_767_225_600)
"""What ids and times are made of unless another is given: the same always, so that an expectation can be stored."""

UNKNOWN_MODEL = "unknown"
"""The model of an answer that names none, to a request that is not known."""

_REQUIRED: dict[str, Object] = {
    "responses": {"input": "?"},
    "chat": {"messages": [{"role": "user", "content": "?"}]},
    "messages": {"max_tokens": 8192, "messages": [{"role": "user", "content": "?"}]},
}
"""What a request cannot be without. No answer depends on it, so whoever has a stored answer need not say it."""


class TranslationError(Exception):
    """What a gateway answers with an HTTP error in place of a translation.

    `status` is the HTTP status, `body` the error body in the words of the client's API, `failure` both in no API's words.
    """

    def __init__(self, failure: Failure, client: Api, identity: Identity) -> None:
        super().__init__(failure.message)
        self.failure = failure
        self.status: int = failures.status_of(failure)
        self.body: Object = client.envelope(failure, identity.request_id)


class StreamTranslator:
    """Translates one stream as it comes. The frames' bytes in order are the client's stream.

    The frames of a gateway that has not sent its status yet may wait while they are `opening`: if the turn fails before
    any other frame, such a gateway answers with `failure.status` and `failure.body` and not with the frames. Here a
    failure is always told in-band too, as the last frame.
    """

    def __init__(
        self, *, source: ApiName, target: ApiName, request: Body | None = None, identity: Identity = IDENTITY
    ) -> None:
        """As translate_stream()."""
        self._client = api(target)
        self._identity = identity
        self._pipe: Pipe = _exchange(source, target, request, identity, stream=True).pipe()
        self.failure: TranslationError | None = None
        """Why the turn failed, as soon as it did."""

    @property
    def over(self) -> bool:
        """True when the turn is decided: what comes later is not read."""
        return self.failure is not None or self._pipe.over

    def feed(self, data: bytes) -> list[Frame]:
        """Return the client's frames for more bytes of the upstream's stream, split anywhere."""
        return self._frames(lambda: self._pipe.feed(data))

    def end(self, *, broken: bool = False) -> list[Frame]:
        """Return the last frames, at the end of the upstream's stream: a clean one, or a connection that broke."""
        return self._frames(lambda: self._pipe.end(failures.broken() if broken else None))

    def whole(self, body: Body) -> list[Frame]:
        """Return all frames for a JSON answer that the upstream gave in place of a stream."""
        return self._frames(lambda: self._pipe.whole(dict(body)))

    def _frames(self, step: Callable[[], list[Out]]) -> list[Frame]:
        if self.over:
            return []
        frames: list[Frame] = []
        for out in step():
            if isinstance(out, Failed):
                self.failure = TranslationError(out.failure, self._client, self._identity)
                frames.append(Frame(out.frame or self._pipe.failed(out.failure)))
                break
            frames.append(out)
        return frames


def translate_stream(
    data: bytes, *, source: ApiName, target: ApiName, request: Body | None = None, identity: Identity = IDENTITY
) -> bytes:
    """Return the client's stream for the bytes of an upstream's whole stream. A failed turn ends in its in-band failure.

    `request` is what the client asked, in the target's words; what it leaves out of the required is filled in. Without
    one, a Chat Completions client is taken for one that asked for usage. Raises TranslationError for a request that the
    source could not be asked, ValueError for an unknown API.
    """
    translator = StreamTranslator(source=source, target=target, request=request, identity=identity)
    return b"".join(frame.data for frame in [*translator.feed(data), *translator.end()])


def gather_stream(
    data: bytes, *, source: ApiName, target: ApiName, request: Body | None = None, identity: Identity = IDENTITY
) -> Object:
    """Return the client's JSON answer for the bytes of an upstream's whole stream.

    Raises TranslationError for a turn that failed; for the rest see translate_stream().
    """
    gatherer: Gatherer = _exchange(source, target, request, identity, stream=False).gatherer()
    for event in [*gatherer.feed(data), *gatherer.end()]:
        if isinstance(event, Failed):
            raise TranslationError(event.failure, api(target), identity)
    try:
        return gatherer.result()
    except RefusedError as refused:
        raise TranslationError(refused.failure, api(target), identity) from None


def translate_response(
    body: Body, *, source: ApiName, target: ApiName, request: Body | None = None, identity: Identity = IDENTITY
) -> Object:
    """Return the client's JSON answer for an upstream's JSON answer with status 200; for errors see gather_stream()."""
    exchange = _exchange(source, target, request, identity, stream=False)
    try:
        return pairs.json_answer(exchange.translate_body(wirejson.dump(dict(body))))
    except RefusedError as refused:
        raise TranslationError(refused.failure, api(target), identity) from None


def stream_response(
    body: Body, *, source: ApiName, target: ApiName, request: Body | None = None, identity: Identity = IDENTITY
) -> bytes:
    """Return the client's stream for an upstream's JSON answer in place of a stream; see translate_stream()."""
    translator = StreamTranslator(source=source, target=target, request=request, identity=identity)
    return b"".join(frame.data for frame in translator.whole(body))


def translate_request(body: Body, *, source: ApiName, target: ApiName) -> Object:
    """Return the body for an upstream that speaks `target`, for the request of a client that speaks `source`.

    Raises TranslationError for a request that is wrong or that the target cannot be asked, with the status 400 and the
    parameter's name; ValueError for an unknown API.
    """
    surface, asked = api(source), dict(body)
    try:
        exchange = pairs.prepare(surface, api(target), wirejson.dump(asked), asked, IDENTITY, force_stream=False)
    except RefusedError as refused:
        raise TranslationError(refused.failure, surface, IDENTITY) from None
    return pairs.json_answer(exchange.payload)


def translate_error(
    status: int, body: Body | None, *, target: ApiName, identity: Identity = IDENTITY
) -> TranslationError:
    """Return the HTTP error for the client of an upstream's HTTP error; `body` is None if it was no JSON object.

    It is returned and not raised. Errors have no source: all APIs' are read alike. Raises ValueError for an unknown API.
    """
    failure = failures.read_http(status, None if body is None else dict(body), None)
    return TranslationError(failure, api(target), identity)


def api(name: str) -> Api:
    """Return an API by its name. Raises ValueError for an unknown one."""
    if name not in APIS:
        raise ValueError(f"there is no API {name!r}; there are {', '.join(APIS)}")
    return APIS[name]


def _exchange(source: str, target: str, request: Body | None, identity: Identity, *, stream: bool) -> Exchange:
    surface, dialect = api(target), api(source)
    unasked: Object = {"stream_options": {"include_usage": True}} if target == "chat" and stream else {}
    asked = {"model": UNKNOWN_MODEL, **_REQUIRED[target], **(unasked if request is None else request), "stream": stream}
    try:
        return pairs.prepare(surface, dialect, wirejson.dump(asked), asked, identity, force_stream=False)
    except RefusedError as refused:
        raise TranslationError(refused.failure, surface, identity) from None
