"""What to answer a call with: the one desk behind every server. No I/O."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects import models as model_lists
from gateproof_mock.dialects.asked import NO_MARKER, new_call
from gateproof_mock.dialects.routes import METHODS
from gateproof_mock.dialects.whole import quotes_credential, whole_json
from gateproof_mock.jsontext import dumps
from gateproof_mock.language.scripts import Script, ScriptError
from gateproof_mock.serving.answers import CALL, CREATED, MARKER, Answer, AnswerCache, Own, Sends, Transfer, answer
from gateproof_mock.serving.calls import Call
from gateproof_mock.serving.floor import Floor
from gateproof_mock.serving.journal import Entry, Journal
from gateproof_mock.serving.stage import DEFAULT_ANSWER, NO_BARRIERS, UNKNOWN_MARKER, Barrier, Cue, Stage


@dataclass(slots=True, eq=False)
class Prepared:
    """What a call is answered with. `script`: the name of what is played; "" for an answer of the mock's own, which is
    `matched` if it is what the caller wanted. `fault`: what went wrong inside the mock."""

    answer: Answer
    script: str = ""
    matched: bool = False
    barriers: Mapping[str, Barrier] = field(default_factory=dict)
    fault: str = ""

    at_once: Sends | None = field(init=False)
    """The one write that is all of the answer, if it is that, and the connection is kept after it."""

    def __post_init__(self) -> None:
        parts = self.answer.parts
        only = parts[0] if len(parts) == 1 and self.answer.keeps and not self.fault else None
        self.at_once = only if isinstance(only, Sends) and len(only) == 1 else None


@dataclass(slots=True, eq=False)
class Play:
    """A call's answer, with what is its own, and its entry in the journal."""

    entry: Entry
    answer: Answer
    own: Own
    barriers: Mapping[str, Barrier]


@dataclass(slots=True, eq=False)
class _Memo:
    """What the last call with these bytes got; another with the same script gets it again."""

    script: Script
    transfer: Transfer
    prepared: Prepared


class _Same:
    """A script as a key: itself, and no other that is equal. Its mappings have no hash."""

    __slots__ = ("script",)

    def __init__(self, script: Script) -> None:
        self.script = script

    def __hash__(self) -> int:
        return id(self.script)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.script is self.script


class Reception:
    """Answers calls from the stage, and notes them in the journal. `models`: what `GET /v1/models` lists.

    Every method may be called from any thread.
    """

    def __init__(self, models: tuple[str, ...] = ("gateproof",)) -> None:
        self.stage = Stage()
        self.journal = Journal()
        self.floor = Floor()
        self.models = models
        self._cache = AnswerCache()
        self._clock = (0, b"")

    def receive(self, call: Call, transfer: Transfer) -> Play:
        """What to play for a call of a dialect's route; noted in the journal. Never raises for a wrong request or script."""
        return self.open(call, self.prepare(call, transfer))

    def prepare(self, call: Call, transfer: Transfer) -> Prepared:
        """What a call is answered with. It counts as one: its script's next call gets the next answer."""
        memo: _Memo | None = call.memo
        if memo is None:
            own = self._own_answer(call, transfer)
            if own is not None:
                return own
        try:
            cue = self.stage.take(call)
        except ScriptError as error:
            return self._refusal(call, transfer, 400, str(error))
        script = cue.script if cue else UNKNOWN_MARKER if call.markers else DEFAULT_ANSWER
        if memo is not None and memo.script is script and memo.transfer is transfer and not (cue and cue.barriers):
            return memo.prepared
        return self._scripted(call, transfer, script, cue)

    def open(self, call: Call, prepared: Prepared) -> Play:
        """Note the call; what plays it closes the entry."""
        own = self._own(call, prepared.script)
        entry = self.journal.open(
            call, prepared.answer, own, prepared.script, matched=prepared.matched, fault=prepared.fault
        )
        return Play(entry, prepared.answer, own, prepared.barriers)

    def note(self, call: Call, prepared: Prepared, only: Sends, began: float) -> bytes:
        """Note the call as played, and give the bytes that play it: for an answer in one write."""
        own = self._own(call, prepared.script)
        self.journal.note(call, prepared.answer, own, prepared.script, prepared.matched, began)
        return only.filled(own)

    def refuse(
        self, call: Call, transfer: Transfer, status: int, message: str, headers: Mapping[str, str] | None = None
    ) -> Play:
        """An answer of the mock's own that says why there is no other, in the envelope of the dialect."""
        return self.open(call, self._refusal(call, transfer, status, message, headers))

    def gone(self, call: Call) -> None:
        """Note a call whose client left before all of it was read."""
        self.journal.close(self.open(call, _NOTHING).entry, "client went away")

    def _own_answer(self, call: Call, transfer: Transfer) -> Prepared | None:
        """What is no script's business: wrong requests, and the models."""
        allowed = METHODS.get(call.kind)
        if allowed and call.method not in allowed:
            message = f"{call.method} is not allowed here."
            return self._refusal(call, transfer, 405, message, {"Allow": ", ".join(allowed)})
        if call.problem:
            return self._refusal(call, transfer, 400, call.problem)
        if not isinstance(call.parsed_body, dict):
            message = "The request body is not a JSON object in UTF-8, or too deep."
            return self._refusal(call, transfer, 400, message)
        if call.kind in ("models", "model"):
            return Prepared(answer(model_lists.render(call, self.models), transfer), matched=True)
        return None

    def _refusal(
        self,
        call: Call,
        transfer: Transfer,
        status: int,
        message: str,
        headers: Mapping[str, str] | None = None,
        *,
        fault: bool = False,
    ) -> Prepared:
        body = DIALECTS.get(call.dialect, DIALECTS["chat"]).error(message, status)
        return Prepared(answer(whole_json(body, status, headers=headers), transfer), fault=message if fault else "")

    def _scripted(self, call: Call, transfer: Transfer, script: Script, cue: Cue | None) -> Prepared:
        try:
            rendered, again = self._rendered(call, script, transfer)
        except Exception as error:
            # A fault of the mock's own: the client gets an answer, and the journal says what it was.
            message = f"The mock could not render this script: {error!r}"
            return self._refusal(call, transfer, 500, message, fault=True)
        prepared = Prepared(rendered, cue.name if cue else "", cue is not None, cue.barriers if cue else NO_BARRIERS)
        if again:
            call.memo = _Memo(script, transfer, prepared)
        return prepared

    def _rendered(self, call: Call, script: Script, transfer: Transfer) -> tuple[Answer, bool]:
        """The answer, and whether it is the same for the next call with the same body."""
        dialect = DIALECTS[call.dialect]
        body = call.body
        if call.kind == "count" or quotes_credential(script):
            return answer(dialect.render(script, Asked(body, call.kind, call.credential)), transfer), False
        reads = {key: body[key] for key in dialect.reads if key in body}
        key = (_Same(script), call.dialect, call.kind, call.stream, dumps(reads), transfer)

        def make() -> Answer:
            asked = Asked(body, call.kind, call=CALL, created=CREATED, marker=MARKER)
            return answer(dialect.render(script, asked), transfer)

        return self._cache.get(key, make), True

    def _own(self, call: Call, script: str) -> Own:
        now = int(time.time())
        second, created = self._clock
        if second != now:
            created = str(now).encode()
            self._clock = (now, created)
        markers = call.markers
        if not markers:
            return Own(new_call(), created, _NO_MARKER)
        # The one that found the script, which an unregistered one may stand behind.
        return Own(new_call(), created, (script if script in markers else markers[-1]).encode())


_NO_MARKER = NO_MARKER.encode()
_NOTHING = Prepared(Answer((), 0, 0, keeps=False))
