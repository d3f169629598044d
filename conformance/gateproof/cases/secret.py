"""Keys stay where they belong."""

from __future__ import annotations

from collections.abc import Iterable

from gateproof.registry import case
from gateproof.stagehands import Ask, Upstream
from gateproof.verdicts import NotTestable
from gateproof_mock import failed, text


@case("secret.upstream-key-stays-home")
def upstream_key_stays_home(ask: Ask, upstream: Upstream) -> None:
    message = "Incorrect API key provided: {credential}. Find your API key in the console."
    for refused in (True, False):
        if refused:
            upstream.refuses(401, "invalid_request_error", message)
        else:
            upstream.says(text("Hel"), failed("invalid_api_key", message, type="invalid_request_error", status=401))

        answer = ask()

        keys = _keys(ask.last.calls[-1]["headers"]) if ask.last.calls else []
        if not keys:
            raise NotTestable("the gateway sent no key to its upstream")
        shown = ask.last.wire.decode("utf-8", "replace") + "\n".join(answer.headers.values())
        assert not any(key in shown for key in keys), "the upstream key is in the client's answer"


def _keys(headers: Iterable[tuple[str, str]]) -> list[str]:
    """The credentials of a call: OpenAI's header and Anthropic's."""
    held = [v.removeprefix("Bearer ") for n, v in headers if n.lower() in ("authorization", "x-api-key")]
    return [key for key in held if key]
