"""Whether the gateway still serves at all: what tells a check that fails, or holds, from one that asked nobody."""

from __future__ import annotations

from gateproof.answers.answer import HUNG, Answer
from gateproof.checks import Check
from gateproof.smoke import smoke
from gateproof.stagehands import Ask, Stagecraft, Upstream
from gateproof.verdicts import NotTestable

LOST = 3
"""So many plain turns in a row that hung, or found nobody, and the gateway is asked no more: each of them may take 20 s."""


ENDING_CEILING = 1.0


class Lockout:
    """What one worker knows of a gateway that serves no longer. A gateway that is locked out for seconds is asked again."""

    def __init__(self, craft: Stagecraft) -> None:
        self._craft = craft
        self._cause = ""
        self._lost = 0

    @property
    def final(self) -> bool:
        """Whether nobody needs to ask any more."""
        return self._lost >= LOST or bool(self._craft.coordinator.gateway_ending())

    def before(self, check: Check) -> str:
        """Why this check need not be asked; "" when it is to be."""
        if self.final:
            return self._cause or self._ended(self._craft.coordinator.gateway_ending())
        return self.cause(check) if self._cause else ""

    def cause(self, check: Check) -> str:
        """Ask a plain turn of the check's pair: why it is not served; "" when it is."""
        upstream = Upstream(check.pair.dialect)
        witness = Ask(self._craft, check, upstream, lambda exchange: None)
        try:
            answer = smoke(witness, upstream, "json" if check.mode == "both" else check.mode)
        except NotTestable:
            answer = None
        if answer is None or witness.last.calls:
            self._cause, self._lost = "", 0
            return ""
        gone = answer.outcome == HUNG or not answer.status
        self._lost = self._lost + 1 if gone else 0
        # Its connections are refused a moment before its process is gone.
        ending = self._craft.coordinator.gateway_ending(ENDING_CEILING if gone else 0.0)
        self._cause = self._ended(ending) if ending else self._told(answer, gone=gone)
        return self._cause

    def _ended(self, ending: str) -> str:
        return f"{ending}\nWhat was measured before is in the report; an exchange of these moments ended it."

    def _told(self, answer: Answer, *, gone: bool) -> str:
        if gone:
            return (
                f"the gateway serves no longer: a plain turn, which was served before, is answered with {answer!r}. "
                "It has ended, or it hangs: see what it printed."
            )
        return (
            f"the gateway no longer calls its upstream: a plain turn is answered with {answer!r} and no "
            "upstream call. It was served before, so an earlier failure locked the upstream out. Switch retries, "
            "cooldowns and circuit breakers off, or give each case a model of its own with --gateway-model '{case}'."
        )
