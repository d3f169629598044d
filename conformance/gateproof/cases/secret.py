"""Keys and places of the operator stay where they belong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof.verdicts import NotTestable
from gateproof_mock import Wire, cut, error_event, failed, refused, script, text
from gateproof_mock.language.scripts import Script
from gateproof_mock.language.turns import Refused

QUOTED = "Incorrect API key provided: {credential}. Find your API key in the console."
INSIDE = re.compile(
    r"Traceback \(most recent|File \"[^\"]+\", line \d|site-packages|node_modules|\.go:\d+|/usr/|/home/|/root/"
)


@case("secret.upstream-key-stays-home")
def upstream_key_stays_home(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hello"))
    ask()
    keys = credentials(ask.last.calls[-1]) if ask.last.calls else []
    if not keys:
        raise NotTestable("the gateway sent no key to its upstream")
    for where, echo in _echoes(keys[0], check.dialect):
        upstream.plays(echo)

        answer = ask(turn=check.translated)

        shown = ask.last.wire.decode("utf-8", "replace") + "\n".join(answer.headers.values())
        assert not any(key in shown for key in keys), f"the upstream key is in the client's answer: it stood in {where}"


def _echoes(key: str, dialect: str) -> Iterator[tuple[str, Script]]:
    """What an upstream says that quotes the key it was given, and where it stands."""
    for status in (401, 400, 500):
        body = error_body(dialect, QUOTED, "invalid_request_error")
        yield f"the message of a {status}", script(refused(status, body))
    body = error_body(dialect, "No.", "invalid_request_error", param=f"authorization: Bearer {key}", code=key)
    yield "the code and the param of a 401", script(refused(401, body))
    body = error_body(dialect, "No.", "invalid_request_error")
    echoed = {"x-echoed-key": key, "www-authenticate": f'Bearer realm="{key}"', "set-cookie": f"key={key}"}
    yield "the headers of a 401", script(Refused(401, body, echoed))
    yield "a 401 without an envelope", script(refused(401, f"No such key: {key}"))
    yield "a web page", script(refused(502, f"<!doctype html><title>{key}</title>"))
    yield "a 200 that is a web page", script(refused(200, f"<!doctype html><title>{key}</title>"))
    quoting = failed("invalid_api_key", QUOTED, type="invalid_request_error", status=401)
    yield "a turn that failed", script(text("Hel", "lo"), quoting)
    yield "a turn that failed at once", script(quoting, wire=Wire(preamble=False))
    yield "an error event", script(text("Hel", "lo"), error_event("invalid_api_key", QUOTED, nested=True))


@case("secret.internals-stay-home")
def internals_stay_home(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    body = error_body(check.dialect, "It fell over.", "server_error")
    for what, breaks in (
        ("a reset in mid-answer", script(text("Hel", "lo"), cut("rst"))),
        ("an answer cut short", script(text("Hel", "lo"), cut("fin"))),
        ("a web page", script(refused(502, "<!doctype html><title>Bad gateway</title>"))),
        ("JSON that is no turn", script(refused(200, "[1, 2]", content_type="application/json"))),
        ("a broken event", script(refused(200, "data: {\n\n", content_type="text/event-stream"))),
        ("a 500", script(refused(500, body))),
    ):
        upstream.plays(breaks)

        ask(turn=check.translated)

        # Not the headers: some gateways document one that names the upstream.
        shown = ask.last.wire.decode("utf-8", "replace")
        for call in ask.last.calls:
            host = {name.lower(): value for name, value in call["headers"]}.get("host", "")
            assert not host or host not in shown, f"{what}: the client is told of {host}"
        inside = INSIDE.search(shown)
        assert not inside, f"{what}: the client is told {shown[max(0, inside.start() - 40) : inside.end() + 40]!r}"


def error_body(dialect: str, message: str, type: str, **more: Any) -> dict[str, Any]:
    """An error in a dialect's envelope; on Messages, which has neither, without `param` and `code`."""
    if dialect == "messages":
        own = "api_error" if type == "server_error" else type
        return {"type": "error", "error": {"type": own, "message": message}}
    return {"error": {"message": message, "type": type, "param": None, "code": None, **more}}


def credentials(call: Mapping[str, Any]) -> list[str]:
    """The keys of an upstream call: OpenAI's header and Anthropic's."""
    held = [v.removeprefix("Bearer ") for n, v in call["headers"] if n.lower() in ("authorization", "x-api-key")]
    return [key for key in held if key]
