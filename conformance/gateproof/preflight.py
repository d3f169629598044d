"""Before any case: is the gateway there, does it reach the mock, and which dialect does each surface call?

The mock sees the dialect, so nobody has to configure it. What fails here ends the run with one message that says what to
do, not with three hundred failures.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.catalogue import catalogue
from gateproof.checks import Check
from gateproof.exchange import Exchange
from gateproof.files import Gateway
from gateproof.pairs import DIALECTS, PAIRS, SURFACES, Pair
from gateproof.smoke import SMOKE, is_whole, smoke
from gateproof.stagehands import Ask, Stagecraft, Upstream
from gateproof.verdicts import NotTestable


class Refused(Exception):
    """The run cannot begin. The message is what the user is to read."""


@dataclass(slots=True)
class Findings:
    """What the preflight found; travels to the workers as JSON.

    `served`: pairs and modes whose calls arrive in the pair's dialect. `upstream_streams`: by pair and mode, whether the
    gateway streams upstream. `blocked`: causes by pair and mode. `elsewhere`: claimed pairs and modes that call another
    dialect, and which.
    """

    served: list[str] = field(default_factory=list)
    upstream_streams: dict[str, bool] = field(default_factory=dict)
    blocked: dict[str, str] = field(default_factory=dict)
    elsewhere: dict[str, str] = field(default_factory=dict)
    unserved: dict[str, str] = field(default_factory=dict)

    def applies(self, check: Check, gateway: Gateway) -> bool:
        """Whether a check of the static product is to run."""
        requirement = check.requirement
        if any(not gateway.claimed(need) for need in requirement.needs):
            return False
        modes = ("stream", "json") if check.mode == "both" else (check.mode,)
        places = [f"{check.pair}.{m}" for m in modes]
        if requirement.beside:
            places += [f"{requirement.beside}.{check.pair.dialect}.{m}" for m in modes]
        if any(place not in self.served and place not in self.elsewhere for place in places):
            return False
        if requirement.when == "upstream-streams":
            return all(self.upstream_streams.get(place, False) for place in places)
        return True

    def describe(self) -> str:
        """For the run's header: `chat<responses (stream, json), ...`."""
        by_pair: dict[str, list[str]] = {}
        for place in self.served:
            pair, _, mode = place.rpartition(".")
            note = " from an upstream stream" if mode == "json" and self.upstream_streams.get(place) else ""
            by_pair.setdefault(pair, []).append(mode + note)
        return ", ".join(f"{p.replace('.', '<')} ({', '.join(m)})" for p, m in by_pair.items()) or "nothing"


def assume(pairs: tuple[Pair, ...]) -> Findings:
    """Skip detection: these pairs are taken as served in both modes. A pair and mode without its plain turn is blocked later."""
    return Findings(served=[f"{p}.{m}" for p in pairs for m in ("stream", "json")])


def run(craft: Stagecraft, upstream_url: str, pairs: tuple[Pair, ...] | None = None) -> Findings:
    """Ask each surface, mode and model a plain turn. Raises Refused. With `pairs`, only those are asked, and detection is off."""
    found = Findings() if pairs is None else assume(pairs)
    if pairs is not None:
        for pair in pairs:
            for mode in ("stream", "json"):
                exchange = _ask(craft, pair, mode)
                found.upstream_streams[f"{pair}.{mode}"] = any(c["stream"] for c in exchange.calls)
                elsewhere = {c["dialect"] for c in exchange.calls} - {pair.dialect}
                if elsewhere:
                    found.blocked[f"{pair}.{mode}"] = (
                        f"{pair} in mode {mode} was assumed, but it calls {min(elsewhere)}"
                    )
                elif not is_whole(exchange.answer):
                    found.blocked[f"{pair}.{mode}"] = _cause(exchange, str(pair))
        return found
    gateway = craft.gateway
    surfaces = [s for s in SURFACES if s in gateway.claims.get("surfaces", SURFACES)]
    reached = False
    failures: list[tuple[str, str, Exchange]] = []
    for surface in surfaces:
        for model in dict.fromkeys(gateway.model_for(f"{surface}.{d}") for d in DIALECTS):
            for mode in ("stream", "json"):
                pair = next(p for p in PAIRS if p.surface == surface and gateway.model_for(str(p)) == model)
                exchange = _ask(craft, pair, mode)
                if not exchange.calls:
                    failures.append((surface, mode, exchange))
                    _stop_at_once(craft, exchange, upstream_url, reached=reached)
                    continue
                reached = True
                _note(found, gateway, surface, model, mode, exchange)
    if not reached:
        raise Refused(_refusal(craft, failures, upstream_url))
    _leftovers(found, gateway, surfaces, failures)
    return found


def _ask(craft: Stagecraft, pair: Pair, mode: str) -> Exchange:
    check = Check(catalogue()[SMOKE], pair, mode)
    upstream = Upstream(pair.dialect)
    ask = Ask(craft, check, upstream, lambda exchange: None)
    # Another dialect may be called: which one is what we are here to learn.
    with contextlib.suppress(NotTestable):
        smoke(ask, upstream, mode)
    return ask.last


def _note(found: Findings, gateway: Gateway, surface: str, model: str, mode: str, exchange: Exchange) -> None:
    dialect = exchange.calls[-1]["dialect"]
    place = f"{surface}.{dialect}.{mode}"
    if gateway.model_for(f"{surface}.{dialect}") == model:
        found.served.append(place)
        found.upstream_streams[place] = bool(exchange.calls[-1]["stream"])
        if not is_whole(exchange.answer):
            found.blocked[place] = _cause(exchange, f"{surface}.{dialect}")
    for other in DIALECTS:
        claimed = f"{surface}.{other}"
        if other != dialect and gateway.models.get(claimed) == model:
            found.elsewhere[f"{claimed}.{mode}"] = dialect


def _cause(exchange: Exchange, pair: str) -> str:
    words = f"the plain text turn of {pair} in mode {exchange.mode} fails: {exchange.answer!r}"
    return words if exchange.calls else words + ", and the gateway did not call its upstream"


def _stop_at_once(craft: Stagecraft, exchange: Exchange, upstream_url: str, *, reached: bool) -> None:
    """Causes that are the same for every surface: no use asking on. A key with which one was `reached` is right."""
    answer = exchange.answer
    if answer.status == 0 or (answer.status == 401 and not reached):
        raise Refused(_refusal(craft, [(exchange.pair.surface, exchange.mode, exchange)], upstream_url))


def _leftovers(
    found: Findings, gateway: Gateway, surfaces: list[str], failures: list[tuple[str, str, Exchange]]
) -> None:
    for surface, mode, exchange in failures:
        status = exchange.answer.status
        if status in (404, 405, 501) and surface not in gateway.claims.get("surfaces", ()):
            found.unserved[f"{surface}.{mode}"] = f"HTTP {status}"
            continue
        # Served, but never with a call to us: blocked where a dialect is to be expected.
        known = [p.split(".")[1] for p in found.served if p.startswith(surface + ".")] or [
            p.split(".")[1] for p in found.served
        ]
        for dialect in dict.fromkeys(known or DIALECTS[:1]):
            place = f"{surface}.{dialect}.{mode}"
            if place not in found.served:
                found.served.append(place)
                found.blocked[place] = _cause(exchange, f"{surface}.{dialect}")


# --- the one message ---------------------------------------------------------------------------------


def _refusal(craft: Stagecraft, failures: list[tuple[str, str, Exchange]], upstream_url: str) -> str:
    gateway = craft.gateway
    if not failures:
        return "gateway.toml claims no surface: nothing to check."
    # A surface that answers 404 says less than one that answers anything else.
    _, _, exchange = min(failures, key=lambda f: f[2].answer.status in (404, 405))
    answer, path = exchange.answer, exchange.path
    target = f"POST {gateway.origin}{path}"
    if answer.status == 0 and "could not connect" in answer.reason:
        return f"Nothing listens at {gateway.origin} ({answer.reason}).\nStart the gateway, or correct --gateway-url."
    if answer.status == 0:
        return (
            f"{target}: {answer.reason}.\nThe gateway accepts connections but gives no HTTP answer the suite can read."
        )
    if answer.status in (401, 403):
        return (
            f"{target} answered {answer.status}: {_said(answer)}.\n"
            "The gateway refuses the key: give its client key with --gateway-key (or a header: --gateway-header 'NAME:VALUE')."
        )
    misdirected = [c for c in craft.mock.all_calls() if c["path"].startswith("/v1/v1/")]
    if misdirected:
        return (
            f"The gateway called {misdirected[0]['path']} on the mock: its upstream URL has /v1 once too often.\n"
            f"Set its upstream base URL to {upstream_url.removesuffix('/v1')}."
        )
    model = gateway.model_for(str(exchange.pair))
    if answer.status in (400, 404, 422) and "model" in _said(answer).lower():
        offered = _models(craft)
        listed = f"It offers: {', '.join(offered)}." if offered else "It lists no models at /v1/models."
        return (
            f"{target} answered {answer.status} for model {model!r}: {_said(answer)}.\n"
            f"{listed}\nChoose one with --gateway-model."
        )
    port = upstream_url.rsplit(":", 1)[-1].split("/")[0]
    # LiteLLM, for one, answers 400 or 500 to a request without its key, or with another.
    key = (
        "If the client's key is right:"
        if gateway.key
        else "No key was given: if the gateway wants one, give it with --gateway-key. If not:"
    )
    return (
        f"The gateway answered {target} without calling the mock upstream: HTTP {answer.status}, {_said(answer)}.\n"
        f"{key}\n"
        f"Set its OpenAI base URL to {upstream_url} (Anthropic's has no /v1; from a container: "
        f"http://host.docker.internal:{port}/v1, with the mock listening on 0.0.0.0), any key, model "
        f"{model!r} routed there; retries, cooldowns and response caches off.\n"
        "If it checks its upstream when it starts, start `gateproof mock` first, then the gateway, then this run with "
        "--upstream-attach."
    )


def _said(answer: Answer) -> str:
    if answer.error and answer.error.message:
        return f"{str(answer.error.message)[:300]!r}"
    return answer.reason or repr(answer)


def _models(craft: Stagecraft) -> list[str]:
    return model_names(craft.client.get_json("/v1/models"))


def model_names(document: Any) -> list[str]:
    """The ids of a models list, at most twenty."""
    data = document.get("data") if isinstance(document, dict) else None
    ids = [m.get("id") for m in data if isinstance(m, dict)] if isinstance(data, list) else []
    return [i for i in ids if isinstance(i, str)][:20]
