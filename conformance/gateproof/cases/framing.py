"""HTTP around an answer: lengths, codings, headers. They are the gateway's own."""

from __future__ import annotations

from gateproof.cases import canned
from gateproof.cases.secret import error_body
from gateproof.exchange import Exchange
from gateproof.registry import case, invariant
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import refused, script, text

_MAGIC = {"gzip": b"\x1f\x8b", "x-gzip": b"\x1f\x8b", "zstd": b"\x28\xb5\x2f\xfd"}


@invariant("framing.body-is-as-its-headers-say")
def body_is_as_its_headers_say(exchange: Exchange) -> list[str] | None:
    headers = exchange.answer.headers
    if not exchange.answer.status:
        return None
    found = []
    if "content-length" in headers and "transfer-encoding" in headers:
        found.append(f"Content-Length {headers['content-length']!r} beside Transfer-Encoding")
    coding = headers.get("content-encoding", "").strip().lower()
    asked = {name.lower(): value for name, value in exchange.request_headers}.get("accept-encoding")
    # Where a coding was asked for, the body is unpacked already.
    if asked == "identity" and exchange.wire and not exchange.wire.startswith(_MAGIC.get(coding, b"")):
        found.append(f"Content-Encoding {coding!r}, but the body begins with {exchange.wire[:20]!r}")
    return found


@case("framing.upstream-framing-stays-upstream")
def upstream_framing_stays_upstream(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    modes, offered = _how_it_asks(ask, upstream)
    for gzip in (False, True) if offered else (False,):
        for words in (("Hel", "lo"), ("Long. " * 400, "The end.")):
            upstream.plays(*(script(canned.answered(check.dialect, m, text(*words), gzip=gzip)) for m in modes))

            answer = ask()

            assert answer.outcome == "complete", f"{'compressed' if gzip else 'with a length'}: {answer!r}"
            assert answer.text == "".join(words)
        message = "That is no request, and this is a sentence about it. " * 8 + "The end."
        upstream.says(refused(400, error_body(check.dialect, message, "invalid_request_error"), gzip=gzip))

        answer = ask()

        assert answer.outcome == "error", f"{'compressed' if gzip else 'with a length'}: {answer!r}"
        assert message in str(answer.error.message)
        assert ask.last.clean, f"the error's body did not end as HTTP wants it: {answer!r}"


def _how_it_asks(ask: Ask, upstream: Upstream) -> tuple[list[str], bool]:
    """In which mode the gateway calls its upstream, each time for one question, and whether it offers to read gzip."""
    upstream.says(text("Hello."))
    answer = ask()
    assert ask.last.calls, f"the gateway did not call its upstream: {answer!r}"
    call = ask.last.calls[-1]
    accepted = ",".join(value for name, value in call["headers"] if name.lower() == "accept-encoding")
    return canned.modes(ask.last), "gzip" in accepted.lower()
