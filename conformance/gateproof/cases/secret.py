"""Keys stay where they belong."""

from __future__ import annotations

from gateproof.registry import case
from gateproof.stagehands import Ask, Upstream
from gateproof.verdicts import NotTestable
from gateproof_mock import failed, refused, text


@case("secret.upstream-key-stays-home")
def upstream_key_stays_home(ask: Ask, upstream: Upstream) -> None:
    message = "Incorrect API key provided: {credential}. Find your API key in the console."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    for script in (
        (refused(401, {"error": error}),),
        (text("Hel"), failed("invalid_api_key", message, type="invalid_request_error", status=401)),
    ):
        upstream.says(*script)

        answer = ask()

        headers = dict(ask.last.calls[-1]["headers"]) if ask.last.calls else {}
        key = next((v.removeprefix("Bearer ") for n, v in headers.items() if n.lower() == "authorization"), "")
        if not key:
            raise NotTestable("the gateway sent no Authorization to its upstream")
        shown = ask.last.wire.decode("utf-8", "replace") + "\n".join(answer.headers.values())
        assert key not in shown, "the upstream key is in the client's answer"
