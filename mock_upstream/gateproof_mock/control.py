"""The HTTP control API under `/_gateproof/`: scripts, barriers, journal, reset, health. JSON in, JSON out.

    GET    /_gateproof/health
    PUT    /_gateproof/scripts/MARKER            {"calls": [script, ...]}
    DELETE /_gateproof/scripts/MARKER
    POST   /_gateproof/barriers/MARKER/NAME      release it
    GET    /_gateproof/barriers/MARKER/NAME?within=S      wait until it is reached
    GET    /_gateproof/journal?marker=M&calls=N&within=S&ended=1
    GET    /_gateproof/journal?unmatched=1
    POST   /_gateproof/reset

A request without the token, where the mock has one, is a 403; health alone needs none. A wrong request is a 400 and an
unknown route, marker or barrier a 404, each with `{"error": {"message"}}`. Every wait is bounded by 60 s and ends when the
mock stops; a body may hold 16 MiB.
"""

from __future__ import annotations

import difflib
import hmac
import math
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote

from gateproof_mock.journal import Entry, Journal
from gateproof_mock.jsontext import DEPTH_LIMIT, parsed
from gateproof_mock.scripts import ScriptError, scripts_from_json
from gateproof_mock.stage import Barrier, Stage

PREFIX = "/_gateproof/"
TOKEN_HEADER = "X-Gateproof-Token"
BODY_LIMIT = 16 * 1024 * 1024
WAIT_LIMIT = 60.0
NAME = "gateproof mock"

# The routes as read by people: what a 404 offers.
_ROUTES = (
    "GET health, PUT or DELETE scripts/MARKER, POST or GET barriers/MARKER/NAME, GET journal, POST reset, all under "
    + PREFIX
)
_TICK = 0.02
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

Answer = tuple[int, dict[str, Any]]


class Control:
    """Answers control requests. `token` guards it; `enabled=False` answers 403 to everything but health.

    `stopping` ends the waits.
    """

    def __init__(
        self,
        stage: Stage,
        journal: Journal,
        token: str = "",
        *,
        enabled: bool = True,
        stopping: threading.Event | None = None,
    ) -> None:
        self._stage = stage
        self._journal = journal
        self._token = token
        self._stopping = stopping or threading.Event()
        self.enabled = enabled

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Status and JSON document for a request under PREFIX. Never raises for a wrong request.

        Header names are title-cased, values as http.client reads them (Latin-1).
        """
        path, _, search = target.partition("#")[0].partition("?")
        parts = [unquote(p) for p in path.removeprefix(PREFIX).strip("/").split("/")]
        if method in ("GET", "HEAD") and parts == ["health"]:
            return 200, {"status": "ok", "name": NAME, "unmatched_calls": len(self._journal.unmatched())}
        if not self.enabled:
            return _error(403, "The control API is off: the mock is not bound to a loopback address and has no token.")
        given = headers.get(TOKEN_HEADER, "").encode("latin-1", "replace")
        if self._token and not hmac.compare_digest(given, self._token.encode()):
            return _error(403, f"Wrong or missing {TOKEN_HEADER}.")
        try:
            return self._dispatch(method, parts, _Query(search), body)
        except ValueError as error:
            return _error(400, str(error))

    def _dispatch(self, method: str, parts: list[str], query: _Query, body: bytes) -> Answer:
        match method, parts:
            case "PUT", ["scripts", marker]:
                query.knows()
                self._stage.put(marker, scripts_from_json(_calls(body)))
                return 200, {"marker": marker}
            case "DELETE", ["scripts", marker]:
                query.knows()
                self._stage.drop(marker)
                return 200, {"marker": marker}
            case "POST" | "GET", ["barriers", marker, name]:
                query.knows(*(("within",) if method == "GET" else ()))
                return self._barrier(method, marker, name, query)
            case "GET", ["journal"]:
                return 200, {"calls": [e.to_json() for e in self._entries(query)]}
            case "POST", ["reset"]:
                query.knows()
                self._stage.clear()
                self._journal.clear()
                return 200, {}
            case _:
                return _error(404, f"No such control route: {method} {'/'.join(parts)[:100]}. There are: {_ROUTES}.")

    def _barrier(self, method: str, marker: str, name: str, query: _Query) -> Answer:
        barriers = self._stage.barriers(marker)
        if barriers is None:
            return _error(404, f"No script has the marker {marker[:60]!r}.")
        barrier = barriers.get(name)
        if barrier is None:
            there = ", ".join(barriers) or "none"
            return _error(404, f"The scripts of {marker} have no hold {name[:60]!r}; there are: {there}.")
        if method == "POST":
            barrier.released.set()
        else:
            self._await_reached(barrier, query.seconds("within"))
        return 200, {"reached": barrier.reached.is_set(), "released": barrier.released.is_set()}

    def _await_reached(self, barrier: Barrier, within: float) -> None:
        deadline = time.monotonic() + within
        while not barrier.gone and not self._stopping.is_set():
            left = deadline - time.monotonic()
            if barrier.reached.wait(max(0.0, min(left, _TICK))) or left <= 0:
                return

    def _entries(self, query: _Query) -> Sequence[Entry]:
        query.knows("marker", "calls", "within", "ended", "unmatched")
        if query.flag("unmatched"):
            return self._journal.unmatched()
        marker = query.word("marker")
        calls, within, ended = query.count("calls"), query.seconds("within"), query.flag("ended")
        if not marker:
            if calls or within or ended:
                raise ValueError("calls, within and ended wait for the calls of a marker: give `marker` too.")
            return self._journal.all()
        return self._journal.await_calls(marker, calls, within, ended=ended)


class _Query:
    """The words after the `?`. Every method raises ValueError with the sentence that the client is to read."""

    def __init__(self, search: str) -> None:
        self._words = {k: v[-1] for k, v in parse_qs(search, keep_blank_values=True).items()}

    def knows(self, *names: str) -> None:
        for name in self._words:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1)
                hint = f"did you mean `{near[0]}`?" if near else f"known here: {', '.join(names) or 'none'}."
                raise ValueError(f"Unknown query key `{name[:60]}`; {hint}")

    def word(self, name: str) -> str:
        return self._words.get(name, "")

    def flag(self, name: str) -> bool:
        word = self.word(name) or "0"
        if word.lower() not in _FLAGS:
            raise ValueError(f"{name}: expected 1 or 0, got {word[:60]!r}")
        return _FLAGS[word.lower()]

    def count(self, name: str) -> int:
        word = self.word(name) or "0"
        if not (word.isascii() and word.isdigit() and len(word) < 10):
            raise ValueError(f"{name}: expected a whole number, got {word[:60]!r}")
        return int(word)

    def seconds(self, name: str) -> float:
        word = self.word(name) or "0"
        try:
            seconds = float(word)
        except ValueError:
            seconds = math.nan
        if math.isnan(seconds) or seconds < 0:
            raise ValueError(f"{name}: expected a number of seconds, got {word[:60]!r}")
        return min(seconds, WAIT_LIMIT)


def _calls(body: bytes) -> object:
    document = parsed(body)
    if not isinstance(document, dict):
        raise ScriptError(f'Expected {{"calls": [script, ...]}} as JSON in UTF-8, at most {DEPTH_LIMIT} levels deep.')
    for key in document:
        if key != "calls":
            raise ScriptError(f"unknown key `{key[:60]}`; did you mean `calls`?")
    return document.get("calls")


def _error(status: int, message: str) -> Answer:
    return status, {"error": {"message": message}}
