"""What a case is handed, by parameter name: `ask`, `upstream`, `check`, `claims`.

upstream.says(text("Hel"), failed("server_error", "it fell over"))
answer = ask("hi")
assert answer.outcome == "error"
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.checks import Check
from gateproof.client import GatewayClient, Reading, Request
from gateproof.coordinator import CoordinatorProxy, disconnect
from gateproof.exchange import Exchange
from gateproof.files import Gateway
from gateproof.pairs import Pair
from gateproof.questions import PATHS, question
from gateproof.verdicts import NotTestable
from gateproof_mock import RemoteMock, Script, Wire, marker, refused, script
from gateproof_mock.language.turns import Element, Hold, Interleaved, ToolCall

EXCHANGE_CEILING = 20.0
BARRIER_CEILING = 4.0


@dataclass(slots=True)
class Stagecraft:
    """What one worker has for all its checks. `patience` scales every ceiling."""

    gateway: Gateway
    client: GatewayClient
    mock: RemoteMock
    coordinator: CoordinatorProxy
    run: str
    worker: str
    patience: float = 1.0

    def close(self) -> None:
        """Close every connection."""
        self.client.close()
        self.mock.close()
        disconnect(self.coordinator)


class Upstream:
    """The provider behind the gateway, as the case scripts it. A script holds for every ask until the next one."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self.scripts: tuple[Script, ...] = (script(),)

    def says(self, *elements: Element, wire: Wire | None = None) -> None:
        """Every upstream call of the following questions gets this turn."""
        self.scripts = (script(*elements, wire=wire),)

    def refuses(self, status: int, kind: str, message: str) -> None:
        """Every upstream call of the following questions gets this HTTP error, in the dialect's own envelope."""
        if self._dialect == "messages":
            # What the others call a server_error is an api_error there.
            own = {"type": "api_error" if kind == "server_error" else kind, "message": message}
            self.says(refused(status, {"type": "error", "error": own}))
        else:
            self.says(refused(status, {"error": {"message": message, "type": kind, "param": None, "code": None}}))


class Live:
    """A question that is still being answered."""

    def __init__(self, ask: Ask, exchange: Exchange, reading: Reading) -> None:
        self._ask = ask
        self._exchange = exchange
        self._reading = reading

    @property
    def answer(self) -> Answer:
        return self._reading.answer

    def until(self, state: Callable[[Answer], bool]) -> bool:
        """Whether the client comes to hold this state of the answer before its end and within the barriers' ceiling."""
        return self._reading.until(state, BARRIER_CEILING * self._ask.craft.patience)

    def release(self, barrier: str) -> None:
        """Let the upstream's script go on."""
        self._ask.craft.mock.release(self._exchange.marker, barrier)

    def reached(self, barrier: str) -> bool:
        """Whether the upstream's script came to this barrier within the barriers' ceiling."""
        ceiling = BARRIER_CEILING * self._ask.craft.patience
        return self._ask.craft.mock.reached(self._exchange.marker, barrier, ceiling)

    def finish(self) -> Answer:
        """Read to the end; then the exchange is judged like any other."""
        return self._ask.finish(self._exchange, self._reading)


class Ask:
    """Questions to the gateway. Each has a marker of its own; all exchanges are kept in `exchanges`."""

    def __init__(self, craft: Stagecraft, check: Check, upstream: Upstream, judge: Callable[[Exchange], None]) -> None:
        self.craft = craft
        self.exchanges: list[Exchange] = []
        self._check = check
        self._upstream = upstream
        self._judge = judge

    @property
    def last(self) -> Exchange:
        return self.exchanges[-1]

    def __call__(self, words: str = "Please answer.", **how: Any) -> Answer:
        """Ask and read to the end. `how` is as for `begin`."""
        exchange, reading = self._open(words, live=False, **how)
        return self.finish(exchange, reading)

    def begin(self, words: str = "Please answer.", **how: Any) -> Live:
        """Ask, and read beside the case.

        `mode` and `surface` default to the check's; `path` and `method` to the surface's; `body` replaces the request
        body (`{marker}` and `{model}` in its strings are filled in); `turn=False` keeps the invariants of turns away;
        `include_usage` asks for token counts where a stream has none unasked; other words are added to the request's keys.
        """
        exchange, reading = self._open(words, live=True, **how)
        return Live(self, exchange, reading)

    def _open(
        self,
        words: str,
        *,
        live: bool,
        mode: str = "",
        surface: str = "",
        path: str = "",
        method: str = "POST",
        body: Any = None,
        turn: bool = True,
        include_usage: bool = False,
        **extra: Any,
    ) -> tuple[Exchange, Reading]:
        craft, check = self.craft, self._check
        mode = mode or ("json" if check.mode == "both" else check.mode)
        pair = Pair(surface or check.pair.surface, check.pair.dialect)
        mark = marker(craft.run)
        scripts = self._upstream.scripts
        model = craft.gateway.model_for(str(pair)).replace("{case}", mark)
        if include_usage and mode == "stream" and pair.surface != "messages":
            extra["stream_options"] = {"include_usage": True}
        if body is None:
            document = question(
                pair.surface, f"{words} [{mark}]", model=model, stream=mode == "stream", tools=_tools(scripts), **extra
            )
        else:
            document = json.loads(json.dumps(body).replace("{marker}", mark).replace("{model}", model))
        data = b"" if method == "GET" else json.dumps(document, ensure_ascii=False).encode()
        target = path or craft.gateway.path(pair.surface, PATHS[pair.surface])
        craft.mock.put(mark, scripts)
        reading = craft.client.open(pair.surface, Request(method, target, data), stream=mode == "stream", live=live)
        exchange = Exchange(
            pair=pair,
            mode=mode,
            marker=mark,
            scripts=scripts,
            method=method,
            path=target,
            request_headers=[],
            request_body=data,
            began=reading.began,
            answer=reading.answer,
            turn=turn,
        )
        self.exchanges.append(exchange)
        return exchange, reading

    def finish(self, exchange: Exchange, reading: Reading) -> Answer:
        """Read to the end, fetch the journal, and let the invariants look. Raises NotTestable for another dialect."""
        answer = reading.finish()
        exchange.request_headers = reading.sent_headers
        exchange.ended = reading.ended or time.time()
        exchange.leg, exchange.wire = reading.leg, bytes(reading.wire)
        exchange.clean, exchange.comments = reading.clean, reading.sse.comments
        exchange.calls = self.craft.mock.calls(exchange.marker)
        if any(isinstance(e, Hold) for s in exchange.scripts for e in s.turn):
            # Nobody waits at a barrier any more; scripts without one are forgotten when the mock has too many.
            self.craft.mock.drop(exchange.marker)
        strange = {c["dialect"] for c in exchange.calls} - {exchange.pair.dialect}
        if strange:
            raise NotTestable(f"called {', '.join(sorted(strange))}, where {exchange.pair.dialect} was to be called")
        self._judge(exchange)
        return answer


def _tools(scripts: Sequence[Script]) -> list[str]:
    names: list[str] = []
    for one in scripts:
        for element in one.turn:
            if isinstance(element, ToolCall):
                names.append(element.name)
            elif isinstance(element, Interleaved):
                names.extend(c.name for c in element.calls)
    return names


class CheckHand:
    """The check itself: where it stands, and which accepted alternative the gateway chose."""

    def __init__(self, craft: Stagecraft, check: Check) -> None:
        self.pair = check.pair
        self.mode = check.mode
        self.stream = check.mode == "stream"
        self.requirement = check.requirement
        self.alternatives: list[str] = []
        self._craft = craft

    @property
    def translated(self) -> bool:
        return self.pair.translated

    @property
    def surface(self) -> str:
        return self.pair.surface

    @property
    def dialect(self) -> str:
        return self.pair.dialect

    @property
    def on_chat(self) -> bool:
        return self.pair.surface == "chat"

    @property
    def has_messages(self) -> bool:
        """Whether either side speaks Messages, where arguments are no text and errors have no code."""
        return "messages" in (self.surface, self.dialect)

    def chose(self, alternative: str) -> None:
        """Record a documented alternative. Raises KeyError (a suite error) for one that the requirement does not name."""
        if alternative not in self.requirement.alternatives:
            raise KeyError(f"{self.requirement.id} names no alternative {alternative!r}")
        if alternative not in self.alternatives:
            self.alternatives.append(alternative)

    def is_buffering(self) -> bool:
        """Whether this pair and mode was already seen to hold deltas back."""
        return self._craft.coordinator.is_buffering(f"{self.pair}.{self.mode}")

    def mark_buffering(self) -> None:
        self._craft.coordinator.mark_buffering(f"{self.pair}.{self.mode}")
