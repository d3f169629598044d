"""What a case is handed, by parameter name: `ask`, `upstream`, `check`, `claims`.

upstream.says(text("Hel"), failed("server_error", "it fell over"))
answer = ask("hi")
assert answer.outcome == "error"
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gateproof.answers.answer import Answer
from gateproof.asking.apis import received, written
from gateproof.asking.question import Question
from gateproof.checks import Check
from gateproof.client import LEG_LIMIT, GatewayClient, Line, Reading, Request
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
        if isinstance(self.mock, RemoteMock):
            self.mock.close()
        else:
            # The controller's own, which others use; and an interruption may have torn a call to it.
            disconnect(self.mock)
        disconnect(self.coordinator)


class Upstream:
    """The provider behind the gateway, as the case scripts it. A script holds for every ask until the next one."""

    def __init__(self, dialect: str) -> None:
        self._dialect = dialect
        self.scripts: tuple[Script, ...] = (script(),)

    def says(self, *elements: Element, wire: Wire | None = None) -> None:
        """Every upstream call of the following questions gets this turn."""
        self.scripts = (script(*elements, wire=wire),)

    def plays(self, *scripts: Script) -> None:
        """The first, second, nth upstream call of each following question gets the first, second, nth of these."""
        self.scripts = scripts

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

    def ends(self, within: float = 0.0) -> bool:
        """Whether the answer's body ends within so many seconds and the barriers' ceiling."""
        self._reading.until(lambda answer: False, within + BARRIER_CEILING * self._ask.craft.patience)
        return self._reading.over

    def release(self, barrier: str) -> None:
        """Let the upstream's script go on."""
        self._ask.craft.mock.release(self._exchange.marker, barrier)

    def reached(self, barrier: str) -> bool:
        """Whether the upstream's script came to this barrier within the barriers' ceiling."""
        ceiling = BARRIER_CEILING * self._ask.craft.patience
        return self._ask.craft.mock.reached(self._exchange.marker, barrier, ceiling)

    def leave(self) -> None:
        """Hang up in the middle of the answer, as a client does that is stopped; `finish` it all the same."""
        self._reading.hang_up()

    def upstream_ended(self) -> str:
        """How the upstream call ended, once it has, within the barriers' ceiling (see the journal); `open` if it has not."""
        ceiling = BARRIER_CEILING * self._ask.craft.patience
        calls = self._ask.craft.mock.calls(self._exchange.marker, 1, ceiling, ended=True)
        return next((str(call["ended"]) for call in calls if call["ended"] != "open"), "open")

    def upstream_calls(self) -> int:
        """How many calls the upstream has got for this question so far."""
        return len(self._ask.craft.mock.calls(self._exchange.marker))

    def shows_life(self, within: float) -> bool:
        """Whether a comment or an event that is no content comes within so many seconds and the barriers' ceiling."""
        before = self._signs
        return self._reading.until(lambda _: self._signs > before, within + BARRIER_CEILING * self._ask.craft.patience)

    @property
    def _signs(self) -> int:
        events = [event for event in self.answer.events if isinstance(event, dict)]
        return self._reading.sse.comments + sum(event.get("type") in ("ping", "keepalive") for event in events)

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

    @property
    def path(self) -> str:
        """Where the check's surface is served."""
        return self.craft.gateway.path(self._check.pair.surface, PATHS[self._check.pair.surface])

    @property
    def client_key(self) -> str:
        """The key that the suite shows the gateway; "" for none."""
        return self.craft.gateway.key

    @property
    def received(self) -> Question:
        """What the upstream was last asked, in no dialect's words. Raises AssertionError if it was not asked at all."""
        return received(self.last.pair.dialect, self.received_body, self.last.marker)

    @property
    def received_body(self) -> Any:
        """The body of that request as it came. Raises AssertionError if there was none."""
        turns = [call for call in self.last.calls if call["kind"] == "turn"]
        assert turns, f"the gateway did not call its upstream: {self.last.answer!r}"
        return turns[-1]["json"]

    @contextmanager
    def kept_line(self) -> Iterator[Line]:
        """A connection that is kept from one question to the next, for `line`."""
        line = self.craft.client.line()
        try:
            yield line
        finally:
            line.close()

    def __call__(self, words: str | Question = "Please answer.", **how: Any) -> Answer:
        """Ask and read to the end. `how` is as for `begin`."""
        exchange, reading = self._open(words, live=False, **how)
        return self.finish(exchange, reading)

    def begin(self, words: str | Question = "Please answer.", **how: Any) -> Live:
        """Ask, and read beside the case. A question in words offers the tools that the script calls.

        `mode` and `surface` default to the check's; `path` and `method` to the surface's; `body` replaces the request
        body (`{marker}` and `{model}` in its strings are filled in); `turn=False` keeps the invariants of turns away;
        `include_usage` asks for token counts where a stream has none unasked; `headers` are sent beside the surface's own, and
        `limit` is the client's for the answer's bytes; `offers` names tools beside those that the script calls; `query`
        follows the path; `pack` makes other bytes of the body; `key` is sent in place of every credential ("": none), and
        `model` in place of the pair's (`{model}` in it); `key_in`, `chunked` and `line` are as for the client's Request.
        `routed=False`: nothing in the request says which upstream is meant,
        and whichever is called is no fault. Other words are added to the request's keys.
        """
        exchange, reading = self._open(words, live=True, **how)
        return Live(self, exchange, reading)

    def _open(
        self,
        words: str | Question,
        *,
        live: bool,
        mode: str = "",
        surface: str = "",
        path: str = "",
        method: str = "POST",
        body: Any = None,
        turn: bool = True,
        include_usage: bool = False,
        headers: tuple[tuple[str, str], ...] = (),
        limit: int = LEG_LIMIT,
        offers: tuple[str, ...] = (),
        query: str = "",
        key: str | None = None,
        model: str = "",
        routed: bool = True,
        pack: Callable[[bytes], bytes] = bytes,
        key_in: str = "",
        chunked: bool = False,
        line: Line | None = None,
        **extra: Any,
    ) -> tuple[Exchange, Reading]:
        craft, check = self.craft, self._check
        mode = mode or ("json" if check.mode == "both" else check.mode)
        pair = Pair(surface or check.pair.surface, check.pair.dialect)
        mark = marker(craft.run)
        scripts = self._upstream.scripts
        model = (model or "{model}").replace("{model}", craft.gateway.model_for(str(pair))).replace("{case}", mark)
        if include_usage and mode == "stream" and pair.surface != "messages":
            extra["stream_options"] = {"include_usage": True}
        stream = mode == "stream"
        if isinstance(words, Question):
            document: Any = {**written(pair.surface, words, model=model, stream=stream, mark=mark), **extra}
        elif body is None:
            document = question(
                pair.surface,
                f"{words} [{mark}]",
                model=model,
                stream=stream,
                tools=[*_tools(scripts), *offers],
                **extra,
            )
        else:
            document = json.loads(json.dumps(body).replace("{marker}", mark).replace("{model}", model))
        data = b"" if method == "GET" else pack(_encoded(document))
        target = (path or craft.gateway.path(pair.surface, PATHS[pair.surface])) + (f"?{query}" if query else "")
        craft.mock.put(mark, scripts)
        request = Request(method, target, data, headers, limit, key, key_in, chunked, line)
        reading = craft.client.open(pair.surface, request, stream=stream, live=live)
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
            routed=routed,
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
        if strange and exchange.routed:
            raise NotTestable(f"called {', '.join(sorted(strange))}, where {exchange.pair.dialect} was to be called")
        self._judge(exchange)
        return answer


def _encoded(document: Any) -> bytes:
    try:
        return json.dumps(document, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        # What the gateway said may hold half a character, which is sent back to it as the escape that it was.
        return json.dumps(document).encode()


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
