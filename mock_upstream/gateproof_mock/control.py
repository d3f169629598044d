"""The HTTP control API under `/_gateproof/`: scripts, barriers, journal, built-in scripts, reset, health. JSON in, JSON out.

    GET    /_gateproof/health
    PUT    /_gateproof/scripts/NAME              {"calls": [script, ...], "when": {...}}
    DELETE /_gateproof/scripts/NAME
    POST   /_gateproof/scripts                   a script file: all of it is registered, or nothing
    GET    /_gateproof/scripts
    POST   /_gateproof/barriers/NAME/BARRIER     release it; without BARRIER all of this script
    GET    /_gateproof/barriers/NAME/BARRIER?within=S     wait until it is reached
    GET    /_gateproof/journal?script=NAME&calls=N&within=S&ended=1
    GET    /_gateproof/journal?unmatched=1&problems=1&after=N&limit=N
    GET    /_gateproof/builtin
    GET    /_gateproof/builtin/NAME?seed=N
    GET    /_gateproof/schema
    POST   /_gateproof/reset

NAME is a marker, or any name of a script that has a `when`. A request without the token, where the mock has one, is a 403;
health alone needs none. A wrong request is a 400 and an unknown route, script or barrier a 404, each with
`{"error": {"message"}}`. Every wait is bounded by 60 s and ends when the mock stops; a body may hold 16 MiB. Every answer
has a schema, `own/control/...`.
"""

from __future__ import annotations

import difflib
import hmac
import math
import re
import threading
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, unquote

from gateproof_mock import builtin
from gateproof_mock.jsontext import DEPTH_LIMIT, parsed
from gateproof_mock.language.files import Registration, registration_from_json, registrations_from_text
from gateproof_mock.language.scripts import ScriptError
from gateproof_mock.serving.addresses import is_loopback
from gateproof_mock.serving.journal import Entry
from gateproof_mock.serving.reception import Reception

PREFIX = "/_gateproof/"
TOKEN_HEADER = "X-Gateproof-Token"
BODY_LIMIT = 16 * 1024 * 1024
WAIT_LIMIT = 60.0
NAME = "gateproof mock"
_HINT = "Call it by 127.0.0.1, localhost or [::1], or start the mock with a token."
NOT_LOCAL = "the mock is not bound to a loopback address and has no token"

# The routes as read by people: what a 404 offers.
_ROUTES = (
    "GET health, PUT or DELETE scripts/NAME, GET or POST scripts, POST or GET barriers/NAME/BARRIER, POST barriers/NAME,"
    f" GET journal, GET builtin, GET builtin/NAME, GET schema, POST reset, all under {PREFIX}"
)
_ONE_SHAPE = '{"calls": [script, ...]}'
_OWN = "own/"
_SCHEMAS = ("control/", "script")
# A barrier tells nobody that it was reached, or dropped before that.
_FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}

Answer = tuple[int, dict[str, Any]]


class Control:
    """Answers control requests. `token` guards it; `enabled=False` answers 403 to everything but health, with `why_off`.

    `stopping` ends the waits.
    """

    def __init__(
        self,
        reception: Reception,
        token: str = "",
        *,
        enabled: bool = True,
        why_off: str = NOT_LOCAL,
        stopping: threading.Event | None = None,
    ) -> None:
        self._reception = reception
        self._stage = reception.stage
        self._journal = reception.journal
        self._token = token
        self._stopping = stopping or threading.Event()
        self.enabled = enabled
        self.why_off = why_off

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Status and JSON document for a request under PREFIX. Never raises for a wrong request.

        Header names are title-cased, values as http.client reads them (Latin-1).
        """
        path, _, search = target.partition("#")[0].partition("?")
        parts = [unquote(p) for p in path.removeprefix(PREFIX).strip("/").split("/")]
        if method in ("GET", "HEAD") and parts == ["health"]:
            return 200, self._health()
        if not self.enabled:
            return _error(403, f"The control API is off: {self.why_off}.")
        if not self._token and not _from_here(headers):
            # A page in a browser can send requests to loopback, and by DNS rebinding read their answers.
            return _error(
                403, f"Without a token the control API is for this machine: Host and Origin have to be local. {_HINT}"
            )
        given = headers.get(TOKEN_HEADER, "").encode("latin-1", "replace")
        if self._token and not hmac.compare_digest(given, self._token.encode()):
            return _error(403, f"Wrong or missing {TOKEN_HEADER}.")
        try:
            yaml = "yaml" in headers.get("Content-Type", "").lower()
            return self._dispatch(method, parts, _Query(search), body, yaml=yaml)
        except ValueError as error:
            return _error(400, str(error))

    def _dispatch(self, method: str, parts: list[str], query: _Query, body: bytes, *, yaml: bool) -> Answer:
        match parts:
            case ["scripts", *_]:
                found = self._scripts(method, parts[1:], query, body, yaml=yaml)
            case ["barriers", *_]:
                found = self._barriers(method, parts[1:], query)
            case _:
                found = self._others(method, parts, query)
        if found is None:
            return _error(404, f"No such control route: {method} {'/'.join(parts)[:100]}. There are: {_ROUTES}.")
        return found

    def _health(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "name": NAME,
            "calls": len(self._journal.all()),
            "unmatched_calls": self._journal.unmatched_count(),
            "floor": self._reception.floor.to_json(),
        }

    # --- scripts ----------------------------------------------------------------------------------

    def _scripts(self, method: str, parts: list[str], query: _Query, body: bytes, *, yaml: bool) -> Answer | None:
        query.knows()
        match method, parts:
            case "PUT", [name]:
                document = parsed(body)
                if not isinstance(document, list):
                    document = _object(body, _ONE_SHAPE)
                self._put([registration_from_json(name, document)])
                return 200, {"name": name}
            case "DELETE", [name]:
                self._stage.drop(name)
                return 200, {"name": name}
            case "GET", []:
                return 200, {"scripts": self._stage.names()}
            case "POST", []:
                found = registrations_from_text(body, yaml=yaml)
                self._put(found)
                return 200, {"registered": [one.name for one in found]}
            case _:
                return None

    def _put(self, found: Sequence[Registration]) -> None:
        self._stage.put_all([(one.name, one.calls, one.when) for one in found])

    # --- barriers ---------------------------------------------------------------------------------

    def _barriers(self, method: str, parts: list[str], query: _Query) -> Answer | None:
        match method, parts:
            case "POST", [name]:
                query.knows()
                barriers = self._stage.barriers(name)
                if barriers is None:
                    return _no_script(name)
                for barrier in barriers.values():
                    barrier.release()
                return 200, {"released": list(barriers)}
            case "POST" | "GET", [name, wanted]:
                query.knows(*(("within",) if method == "GET" else ()))
                return self._barrier(method, name, wanted, query)
            case _:
                return None

    def _barrier(self, method: str, name: str, wanted: str, query: _Query) -> Answer:
        barriers = self._stage.barriers(name)
        if barriers is None:
            return _no_script(name)
        barrier = barriers.get(wanted)
        if barrier is None:
            there = ", ".join(barriers) or "none"
            return _error(404, f"The scripts of {name} have no hold {wanted[:60]!r}; there are: {there}.")
        told: dict[str, Any] = {}
        if method == "POST":
            barrier.release()
        elif not barrier.await_reached(within := query.seconds("within"), self._stopping) and within:
            told = {"problem": f"No play of {name} came to the barrier {wanted!r} within {within:g} s."}
        return 200, {"reached": barrier.reached.is_set(), "released": barrier.released.is_set(), **told}

    # --- what was seen, and the rest --------------------------------------------------------------

    def _others(self, method: str, parts: list[str], query: _Query) -> Answer | None:
        match method, parts:
            case "GET", ["journal"]:
                entries = self._entries(query)
                problems = query.flag("problems")
                return 200, {"calls": [e.to_json(problems=problems) for e in entries]}
            case "GET", ["builtin"]:
                query.knows()
                return 200, {"builtin": [{"name": n, "about": builtin.describe(n)} for n in builtin.names()]}
            case "GET", ["builtin", name]:
                query.knows("seed")
                return _builtin(name, query.count("seed"))
            case "GET", ["schema"]:
                query.knows()
                return 200, _schemas()
            case "POST", ["reset"]:
                query.knows()
                self._stage.clear()
                self._journal.clear()
                self._reception.floor.clear()
                return 200, {}
            case _:
                return None

    def _entries(self, query: _Query) -> Sequence[Entry]:
        query.knows("marker", "script", "calls", "within", "ended", "unmatched", "problems", "after", "limit")
        unmatched, after, limit = query.flag("unmatched"), query.count("after"), query.count("limit")
        found = [e for e in self._awaited(query) if e.number > after and not (unmatched and e.matched)]
        return found[-limit:] if limit else found

    def _awaited(self, query: _Query) -> Sequence[Entry]:
        if query.word("marker") and query.word("script"):
            raise ValueError("marker and script are two words for the same: give one of them.")
        name = query.word("marker") or query.word("script")
        calls, within, ended = query.count("calls"), query.seconds("within"), query.flag("ended")
        if name:
            return self._journal.await_calls(name, calls, within, ended=ended)
        after = query.count("after")

        def enough() -> bool:
            return sum(e.number > after and (not ended or e.ended != "open") for e in self._journal.all()) >= calls

        self._journal.await_that(enough, within)
        return self._journal.all()


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


def _object(body: bytes, shape: str) -> Mapping[str, Any]:
    document = parsed(body)
    if not isinstance(document, dict):
        raise ScriptError(f"Expected {shape} as JSON in UTF-8, at most {DEPTH_LIMIT} levels deep.")
    return document


def _builtin(name: str, seed: int) -> Answer:
    try:
        builtin.describe(name)
    except ScriptError as error:
        return _error(404, str(error))
    return 200, builtin.script(name, seed).to_json()


def _schemas() -> dict[str, Any]:
    # Here, since a mock in a gateway's own tests may never be asked for them.
    from gateproof_schemas import names, schema

    return {
        name.removeprefix(_OWN): schema(name)
        for name in names()
        if name.startswith(_OWN) and name.removeprefix(_OWN).startswith(_SCHEMAS)
    }


def _no_script(name: str) -> Answer:
    return _error(404, f"No script has the marker or name {name[:60]!r}.")


def _from_here(headers: Mapping[str, str]) -> bool:
    """Whether a request is addressed to this machine by a name of its own, and comes from no page of another."""
    said = [headers.get("Host", ""), headers.get("Origin", "").partition("://")[2]]
    if headers.get("Origin") and not said[1]:
        return False
    # Every browser says both; who says neither is none.
    return all(is_loopback(re.sub(r":[0-9]*$", "", host)) for host in said if host)


def _error(status: int, message: str) -> Answer:
    return status, {"error": {"message": message}}
