"""Runs one check and settles its verdict."""

from __future__ import annotations

import time
import traceback
from collections.abc import Mapping
from typing import Any

from gateproof.checks import Check
from gateproof.coordinator import CeilingError, Watch
from gateproof.exchange import Exchange
from gateproof.files import Baseline
from gateproof.lockout import Lockout
from gateproof.redact import Redactor
from gateproof.registry import alone, play, watching
from gateproof.smoke import SMOKE, smoke
from gateproof.stagehands import Ask, CheckHand, Stagecraft, Upstream
from gateproof.transcript import transcript
from gateproof.verdicts import (
    BLOCKED,
    FAIL,
    KNOWN,
    NOT_TESTABLE,
    PASS,
    SHOULD,
    STALE,
    SUITE_ERROR,
    Blocked,
    NotTestable,
)

LEASE_CEILING = 300.0


class Runner:
    """Runs checks on one worker. `blocked` gives the preflight's cause by pair and mode."""

    def __init__(
        self,
        craft: Stagecraft,
        redactor: Redactor,
        baseline: Baseline,
        blocked: Mapping[str, str],
        all_checks: list[Check],
    ) -> None:
        self._craft = craft
        self._redactor = redactor
        self._baseline = baseline
        self._blocked = blocked
        self._all = all_checks
        self._all_settled = False
        self._lockout = Lockout(craft)

    def run(self, check: Check) -> dict[str, Any]:
        """Run a check; the record says everything about it (schema own/check). Never raises for the gateway's sake."""
        began = time.time()
        hand = CheckHand(self._craft, check)
        upstream = Upstream(check.pair.dialect)
        ask = Ask(self._craft, check, upstream, lambda exchange: self._judge(check, exchange))
        first: list[Any] = []
        message = ""
        holder = f"{check.name} on {self._craft.worker}"
        try:
            self._stand_in_the_way(check)
            if check.requirement.invariant:
                watch = self._watch(check, ask, upstream)
                message, first = self._invariant_verdict(check, watch)
                verdict = FAIL if message else PASS
            else:
                self._craft.coordinator.lease(
                    holder, self._craft.worker, alone(check.requirement.id), LEASE_CEILING * self._craft.patience
                )
                try:
                    self._act(check, ask, upstream, hand)
                except Exception:
                    self._craft.coordinator.release(holder)
                    raise
                self._craft.coordinator.release(holder)
                # An answer that need not be a success proves nothing if nobody is there to give another.
                if _may_be_locked_out(check) and not ask.last.calls and (cause := self._lockout.cause(check)):
                    raise Blocked(cause)
                verdict = PASS
        except AssertionError as error:
            verdict, message = self._failed(check, ask, error)
        except NotTestable as error:
            verdict, message = NOT_TESTABLE, str(error)
        except Blocked as error:
            verdict, message = BLOCKED, str(error)
        except CeilingError as error:
            verdict, message = SUITE_ERROR, str(error)
        except Exception:
            verdict, message = SUITE_ERROR, traceback.format_exc()
        # Not in a `finally`: an interruption may have torn a call to the coordinator, and the next one would wait for ever.
        if not check.requirement.invariant:
            self._craft.coordinator.settle(check.place, check.name)
        return self._record(check, verdict, message, began, ask, hand, first)

    # -- the acts

    def _stand_in_the_way(self, check: Check) -> None:
        if check.requirement.id == SMOKE:
            return
        for mode in ("stream", "json") if check.mode == "both" else (check.mode,):
            cause = self._blocked.get(f"{check.pair}.{mode}")
            if cause:
                raise Blocked(cause)
        if not check.requirement.invariant and (cause := self._lockout.before(check)):
            raise Blocked(cause)

    def _act(self, check: Check, ask: Ask, upstream: Upstream, hand: CheckHand) -> None:
        hands = {"ask": ask, "upstream": upstream, "check": hand, "claims": self._craft.gateway.claims}
        play(check.requirement.id, hands)

    def _watch(self, check: Check, ask: Ask, upstream: Upstream) -> Watch:
        # Exchanges of its own, so that an invariant that is run alone has something to watch: a success and a refusal.
        if not self._lockout.final:
            smoke(ask, upstream, check.mode)
            upstream.refuses(400, "invalid_request_error", "No.")
            ask()
        self._await_cases()
        return self._craft.coordinator.watch(check.requirement.id, check.place)

    def _await_cases(self) -> None:
        """Of all places, not only of an invariant's own: some cases ask on a second surface, or in both modes."""
        if self._all_settled:
            return
        cases: dict[str, list[str]] = {}
        for check in self._all:
            if not check.requirement.invariant:
                cases.setdefault(check.place, []).append(check.name)
        for place, names in cases.items():
            self._craft.coordinator.await_settled(place, names, LEASE_CEILING * self._craft.patience)
        self._all_settled = True

    def _invariant_verdict(self, check: Check, watch: Watch) -> tuple[str, list[Any]]:
        if not watch.seen:
            raise NotTestable("no exchange had anything to watch")
        if not watch.broken:
            return "", []
        where = f"{watch.broken} of {watch.seen} exchanges, first in {watch.first_in}"
        return f"{watch.first}\nseen in {where}", watch.first_transcript

    def _judge(self, check: Check, exchange: Exchange) -> None:
        place = f"{exchange.pair}.{exchange.mode}"
        findings: dict[str, list[str]] = {}
        if exchange.excused:
            return
        for requirement, watch in watching(exchange.pair, exchange.mode):
            found = watch(exchange)
            if found is not None:
                findings[requirement.id] = [self._redactor.text(s) for s in found]
        if findings:
            broken = any(findings.values())
            # The coordinator keeps one transcript for each first breach only.
            shown = [transcript(exchange, self._redactor)] if broken else []
            self._craft.coordinator.observe(place, check.name, findings, shown)

    def _failed(self, check: Check, ask: Ask, error: AssertionError) -> tuple[str, str]:
        message = _explained(error)
        called = any(e.calls for e in ask.exchanges)
        if _may_be_locked_out(check) and ask.exchanges and not called and (cause := self._lockout.cause(check)):
            return BLOCKED, cause
        return FAIL, message

    # -- the record

    def _record(
        self, check: Check, verdict: str, message: str, began: float, ask: Ask, hand: CheckHand, first: list[Any]
    ) -> dict[str, Any]:
        known = self._baseline.entry(check)
        if known and verdict == FAIL:
            verdict, message = KNOWN, f"{known.reason}{f' ({known.link})' if known.link else ''}\n{message}"
        elif known and verdict == PASS:
            verdict, message = (
                STALE,
                f"the baseline expects a failure ({known.reason}), and the check passes: remove the entry",
            )
        elif verdict == FAIL and check.level == "SHOULD":
            verdict = SHOULD
        shown = first
        if not first and verdict != PASS:
            shown = [transcript(e, self._redactor) for e in ask.exchanges]
        return {
            "name": check.name,
            "id": check.requirement.id,
            "revision": check.requirement.revision,
            "pair": str(check.pair),
            "mode": check.mode,
            "level": check.level,
            "verdict": verdict,
            "message": self._redactor.text(message),
            "alternatives": hand.alternatives,
            "began": round(began, 3),
            "seconds": round(time.time() - began, 4),
            "exchanges": len(ask.exchanges),
            "scripts": [
                {"marker": e.marker, "calls": [s.to_json() for s in e.scripts], "request": self._request(e)}
                for e in ask.exchanges
            ],
            "transcripts": shown,
        }

    def _request(self, exchange: Exchange) -> dict[str, Any]:
        body = exchange.request_body[: 64 * 1024].decode("utf-8", "replace")
        return {"method": exchange.method, "path": exchange.path, "body": self._redactor.text(body)}


def _may_be_locked_out(check: Check) -> bool:
    return check.requirement.id != SMOKE and not check.requirement.invariant


def _explained(error: AssertionError) -> str:
    """The assertion as pytest explains it, without the lines that only repeat the answer's parts."""
    text = str(error).strip() or "the assertion did not hold"
    lines = [
        line for line in text.splitlines() if not line.strip().startswith(("+  where", "+    where", "+      where"))
    ]
    return "\n".join(lines)
