"""Keys at the gateway's door: the client's, which goes no further, and wrong ones."""

from __future__ import annotations

from gateproof.cases.secret import credentials
from gateproof.registry import case
from gateproof.stagehands import Ask, Upstream
from gateproof.verdicts import NotTestable
from gateproof_mock import text


@case("auth.client-key-stays-home")
def client_key_stays_home(ask: Ask, upstream: Upstream) -> None:
    key = ask.client_key
    if not key:
        raise NotTestable("the suite was given no key for the gateway, so none could be passed on")
    upstream.says(text("Hel", "lo"))
    # The second client shows its key everywhere that clients of any provider do.
    everywhere = (("x-api-key", key), ("api-key", key), ("x-goog-api-key", key), ("Cookie", f"session={key}"))
    for headers in ((), everywhere):
        ask(headers=headers)

        for call in ask.last.calls:
            held = [name for name, value in call["headers"] if key in value]
            assert not held, f"the client's key went upstream in {', '.join(held)}"
            assert key not in call["path"], "the client's key went upstream in the URL"
            assert key not in call["body"], "the client's key went upstream in the body"
            assert credentials(call), "the call has no key at all"


@case("auth.wrong-key-is-refused")
def wrong_key_is_refused(ask: Ask, upstream: Upstream) -> None:
    key = ask.client_key
    if not key:
        raise NotTestable("the suite was given no key for the gateway: a wrong one could not be told from a right one")
    upstream.says(text("This turn must not be served."))
    for what, wrong in (
        ("no key", ""),
        ("another key", "sk-gateproof-another-0123456789"),
        ("the key and more", key + "0"),
        ("half of the key", key[: len(key) // 2]),
        ("the key in other letters", key.swapcase()),
    ):
        answer = ask(key=wrong)

        assert answer.status in (401, 403), f"{what}: {answer!r}"
        assert answer.error.message, f"{what}: no error envelope in {answer!r}"
        assert not ask.last.calls, f"{what} became a call of {ask.last.calls[0]['path']}"


@case("auth.each-form-of-key-is-taken")
def each_form_of_key_is_taken(ask: Ask, upstream: Upstream) -> None:
    if not ask.client_key:
        raise NotTestable("the suite was given no key for the gateway, so none could be shown")
    upstream.says(text("Hel", "lo"))
    for form in ("x-api-key", "authorization"):
        answer = ask(key_in=form)

        assert answer.outcome == "complete", f"the right key as {form} alone: {answer!r}"
        assert ask.last.calls, f"the right key as {form} alone: answered without an upstream call"
