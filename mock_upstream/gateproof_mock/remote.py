"""A mock in another process, or in this one, scripted over its control API."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from gateproof_mock.control import PREFIX, TOKEN_HEADER, WAIT_LIMIT
from gateproof_mock.jsontext import dumps
from gateproof_mock.language.files import load
from gateproof_mock.language.matching import When
from gateproof_mock.language.scripts import Script
from gateproof_mock.markers import is_marker

if TYPE_CHECKING:
    from gateproof_mock.serving.server import MockUpstream

_CONNECT_LIMIT = 10.0


class MockError(RuntimeError):
    """The mock could not be reached, or refused a control request; the message says which and why."""


class RemoteMock:
    """The control API as methods. `url`: the mock's origin, or its API base. Every method but `close` may raise MockError.

    Waits are `within` seconds at most, and never more than the control API's 60. Any number of threads may use one.
    """

    # On http.client: a control request is plumbing, made twice for each exchange of the suite, and httpx takes three times as
    # long for one.

    def __init__(self, url: str, token: str = "") -> None:
        try:
            parts = urlsplit(url if "//" in url else f"http://{url}")
            self.origin, self._address = f"{parts.scheme}://{parts.netloc}", parts.netloc
        except ValueError:
            self.origin = self._address = url
        self._headers = {TOKEN_HEADER: token.encode()} if token else {}
        self._idle: list[HTTPConnection] = []

    def __enter__(self) -> RemoteMock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        while (connection := self._taken()) is not None:
            connection.close()

    def health(self) -> dict[str, Any]:
        return self._ask("GET", "health")

    def put(self, name: str, scripts: Sequence[Script], when: When | None = None) -> None:
        """Register the scripts of the first, second, nth call with this marker; with `when`, of those that look so.

        Raises ScriptError for a `when` with a function in it, which cannot travel.
        """
        document: dict[str, Any] = {"calls": [s.to_json() for s in scripts]}
        if when is not None:
            document["when"] = when.to_json()
        self._ask("PUT", f"scripts/{_part(name)}", document)

    def drop(self, name: str) -> None:
        self._ask("DELETE", f"scripts/{_part(name)}")

    def scripts(self) -> list[str]:
        """The markers and names that are registered."""
        found: list[str] = self._ask("GET", "scripts")["scripts"]
        return found

    def builtin(self) -> dict[str, str]:
        """The built-in scripts: what each is about, by name."""
        return {one["name"]: one["about"] for one in self._ask("GET", "builtin")["builtin"]}

    def release(self, name: str, barrier: str) -> None:
        self._ask("POST", f"barriers/{_part(name)}/{_part(barrier)}")

    def reached(self, name: str, barrier: str, within: float) -> bool:
        """Whether a script has come to this barrier; waits for it at most `within` seconds."""
        return bool(self._ask("GET", f"barriers/{_part(name)}/{_part(barrier)}", within=within)["reached"])

    def release_all(self, name: str) -> None:
        """Release every barrier of these scripts."""
        self._ask("POST", f"barriers/{_part(name)}")

    def load(self, path: str | Path) -> list[str]:
        """Register all scripts of a YAML or JSON file; their names. Raises ScriptError."""
        for one in (found := load(path)):
            self.put(one.name, one.calls, one.when)
        return [one.name for one in found]

    def calls(
        self, name: str, at_least: int = 0, within: float = 0.0, *, ended: bool = False, problems: bool = False
    ) -> list[dict[str, Any]]:
        """The journal's entries of a marker or script ("": of any), waiting for `at_least` of them to have come in (or ended).

        `problems`: each with what its dialect's schema has against the request.
        """
        query: dict[str, Any] = {**({"script": name} if name else {}), "calls": at_least, "within": within}
        query |= {key: 1 for key, wanted in (("ended", ended), ("problems", problems)) if wanted}
        found: list[dict[str, Any]] = self._ask("GET", "journal", **query)["calls"]
        return found

    def await_call(self, name: str, within: float) -> dict[str, Any]:
        """The first call of this marker or script, once it has come in."""
        for call in self.calls(name, 1, within):
            return call
        raise MockError(f"the mock at {self.origin} got no call of {name} within {within:g} s")

    def await_end(self, name: str, within: float) -> dict[str, Any]:
        """The first call of this marker or script that has ended, once there is one."""
        calls = self.calls(name, 1, within, ended=True)
        for call in calls:
            if call["ended"] != "open":
                return call
        came = f"{len(calls)} came, and none ended" if calls else "none came"
        raise MockError(f"no call of {name} at the mock at {self.origin} ended within {within:g} s: {came}")

    def all_calls(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "journal")["calls"]
        return found

    def unmatched(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "journal", unmatched=1)["calls"]
        return found

    def reset(self) -> None:
        """Forget every script, every call and the floor, and release whoever waits."""
        self._ask("POST", "reset")

    def _ask(self, method: str, path: str, body: object = None, **query: Any) -> dict[str, Any]:
        target = f"{PREFIX}{path}?{urlencode(query)}" if query else PREFIX + path
        status, document = self._document(method, target, None if body is None else dumps(body))
        if status != 200:
            why = document.get("error")
            message = why.get("message") if isinstance(why, dict) else json.dumps(document)[:200]
            raise MockError(f"the mock refused {method} {PREFIX}{path}: {message}")
        return document

    def _document(self, method: str, target: str, body: bytes | None) -> tuple[int, dict[str, Any]]:
        """Status and document of the answer to a control request. Raises MockError if there is none."""
        asked = f"{method} {target.partition('?')[0]}"
        try:
            status, data = self._exchanged(method, target, body)
            document = json.loads(data)
        except (OSError, HTTPException, ValueError) as error:
            raise MockError(f"the mock at {self.origin} did not answer {asked}: {error!r}") from error
        if not isinstance(document, dict):
            shown = data.decode("utf-8", "replace")[:60]
            raise MockError(f"what answers at {self.origin} is no mock: {asked} gave {shown!r}")
        return status, document

    # -- connections

    def _exchanged(self, method: str, target: str, body: bytes | None) -> tuple[int, bytes]:
        """Status and body of the answer. Raises OSError, HTTPException and ValueError."""
        connection = self._taken()
        if connection is not None:
            # The mock, or another at its address, may have closed it meanwhile. To ask twice does what asking once does.
            with contextlib.suppress(ConnectionError):
                return self._answered(connection, method, target, body)
        return self._answered(self._connected(), method, target, body)

    def _answered(self, connection: HTTPConnection, method: str, target: str, body: bytes | None) -> tuple[int, bytes]:
        try:
            connection.request(method, target, body, self._headers)
            answer = connection.getresponse()
            data = answer.read()
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            self._idle.append(connection)
        return answer.status, data

    def _taken(self) -> HTTPConnection | None:
        """An idle connection, which is the caller's from now on."""
        try:
            return self._idle.pop()
        except IndexError:
            return None

    def _connected(self) -> HTTPConnection:
        kind = HTTPSConnection if self.origin.startswith("https") else HTTPConnection
        connection = kind(self._address, timeout=_CONNECT_LIMIT)
        connection.connect()
        connection.sock.settimeout(WAIT_LIMIT + 10.0)
        return connection


class LocalMock(RemoteMock):
    """The same for a mock of this process, whose control API is asked without a socket in between.

    A third of what the suite costs on one worker would be HTTP to itself. What is asked for at each exchange, to register
    scripts and to read their calls, does without the API's words too: scripts that are read from JSON are those that were
    written (mock_upstream/tests prove it of every word of the language), and calls are put in words by the journal anyhow.
    """

    def __init__(self, mock: MockUpstream) -> None:
        super().__init__(mock.base_url, mock.control_token)
        self._mock = mock
        self._said = {TOKEN_HEADER: mock.control_token}

    def put(self, name: str, scripts: Sequence[Script], when: When | None = None) -> None:
        if when is None and scripts and is_marker(name):
            self._mock.stage.put(name, scripts)
        else:
            super().put(name, scripts, when)

    def calls(
        self, name: str, at_least: int = 0, within: float = 0.0, *, ended: bool = False, problems: bool = False
    ) -> list[dict[str, Any]]:
        if not name:
            return super().calls(name, at_least, within, ended=ended, problems=problems)
        found = self._mock.journal.await_calls(name, at_least, min(within, WAIT_LIMIT), ended=ended)
        return [entry.to_json(problems=problems) for entry in found]

    def _document(self, method: str, target: str, body: bytes | None) -> tuple[int, dict[str, Any]]:
        return self._mock.control.answer(method, target, self._said, body or b"")


def _part(name: str) -> str:
    return quote(name, safe="")
