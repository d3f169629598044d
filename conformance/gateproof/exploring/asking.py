"""One generated turn through the gateway."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field

from gateproof.answers.answer import HUNG
from gateproof.catalogue import catalogue
from gateproof.checks import Check
from gateproof.exchange import Exchange
from gateproof.exploring.expectation import Breach, Expectation, expect
from gateproof.exploring.judging import breaches
from gateproof.exploring.places import Place
from gateproof.redact import Redactor, is_secret
from gateproof.smoke import SMOKE, smoke
from gateproof.stagehands import Ask, Stagecraft, Upstream
from gateproof.verdicts import NotTestable
from gateproof_mock import Script

EXTENDED = "extended_token_details"
"""The claim that audio and predicted tokens are told too (see `usage.audio-and-prediction-tokens-survive`)."""


class Halt(BaseException):
    """There is no use in going on. The message is what the user is to read.

    No Exception, which Hypothesis would take for one more defect, and shrink.
    """


class Interrupted(Halt):
    """The user wants it to end."""


class SuiteFault(Halt):
    """An exception of our own, which is no defect of the gateway. It is the `__cause__`."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn, what was to come of it, and what broke.

    `got` is the answer; `method`, `path`, `headers` and `body` are the request; all without secrets.
    """

    place: Place
    script: Script
    marker: str
    expectation: Expectation
    breaches: tuple[Breach, ...]
    got: str = ""
    method: str = "POST"
    path: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: str = ""


class GatewayLost(Halt):
    """Nothing listens any more, or the gateway no longer calls its upstream. `asked`: the turn that it was lost with, if it is
    not the one before."""

    def __init__(self, message: str, asked: Asked | None = None) -> None:
        super().__init__(message)
        self.asked = asked


Asker = Callable[[Place, Script], Asked]


class GatewayAsker:
    """Asks a gateway. `strict`: invariants that are a SHOULD count too. Calling it raises GatewayLost."""

    def __init__(self, craft: Stagecraft, redactor: Redactor, *, strict: bool = False) -> None:
        self._craft = craft
        self._redactor = redactor
        self._strict = strict

    def __call__(self, place: Place, script: Script) -> Asked:
        craft = self._craft
        check = Check(catalogue()[SMOKE], place.pair, place.mode)
        upstream = Upstream(place.pair.dialect)
        upstream.plays(script)
        ask = Ask(craft, check, upstream, lambda exchange: None)
        expectation = expect(script, place, extended_details=craft.gateway.claimed(EXTENDED))
        try:
            answer = ask(include_usage=True)
            found = breaches(ask.last, expectation, craft.gateway, strict=self._strict)
        except NotTestable as elsewhere:
            answer = ask.last.answer
            found = [Breach("route", f"the gateway {elsewhere}")]
        if answer.status == 0 and "could not connect" in answer.reason:
            raise GatewayLost(f"nothing listens at {craft.gateway.origin} any more: {answer.reason}")
        asked = self._asked(place, script, ask.last, expectation, found)
        if found and not ask.last.calls:
            self._check_served(check, upstream, asked)
        return asked

    def _check_served(self, check: Check, upstream: Upstream, asked: Asked) -> None:
        """No call reached the upstream. Raises GatewayLost if a plain turn does not either."""
        witness = Ask(self._craft, check, upstream, lambda exchange: None)
        with contextlib.suppress(NotTestable):
            smoke(witness, upstream, check.mode)
        if witness.last.calls:
            return
        if witness.last.answer.outcome == HUNG:
            raise GatewayLost(f"the gateway answers nothing any more: a plain turn gets {witness.last.answer!r}", asked)
        raise GatewayLost(
            f"the gateway no longer calls its upstream: a plain turn gets {witness.last.answer!r}. An earlier failure locked the "
            "upstream out: switch retries, cooldowns and circuit breakers off",
            asked,
        )

    def _asked(
        self, place: Place, script: Script, exchange: Exchange, expectation: Expectation, found: list[Breach]
    ) -> Asked:
        for call in exchange.calls:
            for name, value in call["headers"]:
                if is_secret(name):
                    self._redactor.learn(value)
        clean = self._redactor.text
        return Asked(
            place=place,
            script=script,
            marker=exchange.marker,
            expectation=expectation,
            breaches=tuple(Breach(what, clean(sentence)) for what, sentence in found),
            got=clean(repr(exchange.answer)),
            method=exchange.method,
            path=exchange.path,
            headers=tuple(self._redactor.headers(exchange.request_headers)),
            body=clean(exchange.request_body.decode("utf-8", "replace")),
        )
