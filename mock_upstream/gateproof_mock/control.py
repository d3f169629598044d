"""The HTTP control API under `/_gateproof/`: scripts, barriers, journal, reset, health. JSON in, JSON out.

    GET    /_gateproof/health
    PUT    /_gateproof/scripts/MARKER            {"calls": [script, ...]}
    DELETE /_gateproof/scripts/MARKER
    POST   /_gateproof/barriers/MARKER/NAME      release it
    GET    /_gateproof/barriers/MARKER/NAME?within=S      wait until it is reached
    GET    /_gateproof/journal?marker=M&calls=N&within=S&ended=1
    GET    /_gateproof/journal?unmatched=1
    POST   /_gateproof/reset

A request without the token, where the mock has one, is a 403. Every wait is bounded by 60 s.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from gateproof_mock.journal import Journal
from gateproof_mock.scripts import ScriptError, scripts_from_json
from gateproof_mock.stage import Stage

PREFIX = "/_gateproof/"
TOKEN_HEADER = "X-Gateproof-Token"
BODY_LIMIT = 64 * 1024 * 1024
WAIT_LIMIT = 60.0
_NAME = re.compile(r"[\w.:-]{1,100}")

Answer = tuple[int, dict[str, Any]]


class Control:
    """Answers control requests. `token` guards it; `enabled=False` answers 403 to everything but health."""

    def __init__(self, stage: Stage, journal: Journal, token: str = "", *, enabled: bool = True) -> None:
        self._stage = stage
        self._journal = journal
        self._token = token
        self.enabled = enabled

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Status and JSON document for a request under PREFIX. Never raises for a wrong request."""
        url = urlsplit(target)
        parts = [unquote(p) for p in url.path.removeprefix(PREFIX).strip("/").split("/")]
        query = {k: v[-1] for k, v in parse_qs(url.query).items()}
        if parts == ["health"]:
            return 200, {"status": "ok", "name": "gateproof mock", "unmatched_calls": len(self._journal.unmatched())}
        if not self.enabled:
            return _error(403, "The control API is off: the mock is not bound to a loopback address and has no token.")
        if self._token and not hmac.compare_digest(headers.get(TOKEN_HEADER, "").encode(), self._token.encode()):
            return _error(403, f"Wrong or missing {TOKEN_HEADER}.")
        try:
            return self._dispatch(method, parts, query, body)
        except ScriptError as error:
            return _error(400, str(error))
        except ValueError as error:
            return _error(400, f"Not understood: {error}")

    def _dispatch(self, method: str, parts: list[str], query: Mapping[str, str], body: bytes) -> Answer:
        match method, parts:
            case "PUT", ["scripts", marker] if _NAME.fullmatch(marker):
                document = json.loads(body)
                if not isinstance(document, dict):
                    return _error(400, 'Expected {"calls": [script, ...]}.')
                self._stage.put(marker, scripts_from_json(document.get("calls")))
                return 200, {"marker": marker}
            case "DELETE", ["scripts", marker]:
                self._stage.drop(marker)
                return 200, {"marker": marker}
            case "POST" | "GET", ["barriers", marker, name] if _NAME.fullmatch(name):
                barrier = self._stage.barrier(marker, name)
                if barrier is None:
                    return _error(404, f"No script has the marker {marker!r}.")
                if method == "POST":
                    barrier.released.set()
                else:
                    barrier.reached.wait(_within(query))
                return 200, {"reached": barrier.reached.is_set(), "released": barrier.released.is_set()}
            case "GET", ["journal"]:
                return 200, {"calls": [e.to_json() for e in self._entries(query)]}
            case "POST", ["reset"]:
                self._stage.clear()
                self._journal.clear()
                return 200, {}
            case _:
                return _error(404, f"No such control route: {method} {PREFIX}{'/'.join(parts)}")

    def _entries(self, query: Mapping[str, str]) -> list[Any]:
        if query.get("unmatched"):
            return self._journal.unmatched()
        if "marker" not in query:
            return self._journal.all()
        calls = int(query.get("calls", "0"))
        return self._journal.await_calls(query["marker"], calls, _within(query), ended=bool(query.get("ended")))


def _within(query: Mapping[str, str]) -> float:
    return max(0.0, min(float(query.get("within", "0")), WAIT_LIMIT))


def _error(status: int, message: str) -> Answer:
    return status, {"error": {"message": message}}
