"""What the operator reads: one JSON object per line on stderr, about what happened and not about what was said.

A line names the request, where it came from and went to, and what became of it. Nobody's words stand in it: messages of
failures quote prompts, and so do those of exceptions, of which only the type and the places are told. Keys stand in no
line at all.
"""

import json
import logging
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TextIO

from gateproof_reference import failures
from gateproof_reference.failures import Failure
from gateproof_reference.redaction import masked, scrub

LEVELS = ("debug", "info", "warning", "error")
"""`debug` has a line per answer, `info` the refused requests and start and stop, `warning` the failures of the upstream and
of this gateway, `error` what should never happen."""

LABEL = re.compile(r"[\w.:/-]{1,64}")
"""A code of an upstream, or a type of a client's tool, that is one. Some put whole sentences there."""

_logger = logging.getLogger("gateproof_reference")


@dataclass(slots=True)
class Trail:
    """What is known so far of one request; a name is empty until it is."""

    request_id: str
    route: str = ""
    surface: str = ""
    dialect: str = ""
    failed: bool = False

    def members(self) -> dict[str, str]:
        """Return what is known, as members of a line."""
        every = {"request_id": self.request_id, "route": self.route, "surface": self.surface, "dialect": self.dialect}
        return {name: value for name, value in every.items() if value}


def configure(level: str, secrets: Mapping[bytes, bytes], stream: TextIO) -> None:
    """Write lines of `level` and above to a stream. Of other packages only warnings, and in the same form."""
    # Else a line that cannot be written is followed by a traceback, with words.
    logging.raiseExceptions = False
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(secrets))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    _logger.setLevel(level.upper())


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON, in ASCII."""

    def __init__(self, secrets: Mapping[bytes, bytes]) -> None:
        super().__init__()
        self._secrets = secrets

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower()}
        if record.name == _logger.name:
            line |= {"event": record.msg, **getattr(record, "members", {})}
        else:
            # Only the first line: asyncio shows the exception, with its words, in those that follow.
            line |= {"event": "noted", "logger": record.name, "message": record.getMessage().partition("\n")[0]}
        if record.exc_info and record.exc_info[1] is not None:
            line |= exception(record.exc_info[1])
        return masked(scrub(json.dumps(line).encode("ascii"), self._secrets).decode("ascii"))


def exception(error: BaseException) -> dict[str, Any]:
    """Return the type of an exception and where it came from, innermost last; not its words."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    found: dict[str, Any] = {"exception": type(error).__qualname__, "traceback": places}
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return found if earlier is None else {**found, "because_of": exception(earlier)}


def note(event: str, members: Mapping[str, object] = MappingProxyType({}), level: int = logging.INFO) -> None:
    """Write a line."""
    _logger.log(level, event, extra={"members": members})


def answered(trail: Trail, status: int, seconds: float) -> None:
    """Write a line about an answer that ended as it should; of any other there is a line already."""
    if not trail.failed and _logger.isEnabledFor(logging.DEBUG):
        note("answered", {**trail.members(), "status": status, "seconds": round(seconds, 3)}, logging.DEBUG)


def dropped(trail: Trail, types: tuple[str, ...]) -> None:
    """Write a line about the tools that a request lost in translation."""
    note("dropped", {**trail.members(), "tools": [label(word) for word in types]})


def failed(trail: Trail, failure: Failure, *, status: int, in_band: bool) -> None:
    """Write a line about a failure: what it was, and what the client was told.

    `status` is the one that the client got, which is 200 if the failure came `in_band`.
    """
    trail.failed = True
    kind = failures.class_of(failure)
    told = {
        "code": label(failures.responses_code(failure)),
        "class": kind,
        "upstream_status": failure.upstream_status,
        "cause": failure.cause,
        "status": status,
        "in_band": in_band,
    }
    level = logging.INFO if kind == "request" else logging.WARNING
    note("failed", {**trail.members(), **{name: value for name, value in told.items() if value is not None}}, level)


def crashed(trail: Trail, error: Exception) -> None:
    """Write a line about a fault of this gateway."""
    _logger.error("crashed", exc_info=error, extra={"members": trail.members()})


def label(word: str) -> str:
    """Return a word of somebody else, if it is one word."""
    return word if LABEL.fullmatch(word) else "(not a word)"
