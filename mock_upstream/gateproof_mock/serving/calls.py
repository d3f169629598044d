"""One call as it was read: what a server hands to the reception, and what the journal keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gateproof_mock import builtin
from gateproof_mock.dialects.routes import Route, credential
from gateproof_mock.jsontext import parsed
from gateproof_mock.markers import decoded, markers_in

BODY_KEPT = 1024 * 1024
"""Bytes of a request body that are kept when it is answered."""

EMPTY: Mapping[str, Any] = {}


@dataclass(eq=False)
class Call:
    """One request. `raw` is its body as it came, `at` its route; None when no dialect has the path.

    Everything else is found when it is first asked for. Two calls with the same bytes may share one object.
    """

    method: str
    path: str
    headers: list[tuple[str, str]]
    raw: bytes
    at: Route | None
    shared: bool = False
    """Whether more calls with the same bytes may come to use this object."""

    memo: Any = None
    """What the reception remembers of an answer to the same bytes."""

    def header(self, name: str) -> str:
        """The first value of a header; "" when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    @cached_property
    def _decoded(self) -> tuple[bytes, str]:
        encoding = self.header("Content-Encoding")
        return decoded(self.raw, encoding) if encoding else (self.raw, "")

    @property
    def text(self) -> bytes:
        """The body without its Content-Encoding; its beginning after `shrink`."""
        return self._decoded[0]

    @property
    def problem(self) -> str:
        """Why the body cannot be read, as a sentence; "" when it can."""
        return self._decoded[1]

    @cached_property
    def body_bytes(self) -> int:
        """The length of the decoded body."""
        return len(self.text)

    @property
    def kept(self) -> int:
        """Bytes that are kept of the body after `shrink`."""
        return min(self.body_bytes, BODY_KEPT)

    @cached_property
    def markers(self) -> tuple[str, ...]:
        """The markers in it, the newest last. A call of a path that no dialect has is no call of a script."""
        return markers_in(self.text) if self.at else ()

    @cached_property
    def builtin(self) -> tuple[str, int] | None:
        """The built-in script that it asks for, and the seed."""
        return builtin.find(self.text) if b"gp-play-" in self.text else None

    @cached_property
    def parsed_body(self) -> Any:
        """The body's JSON document while the call is being answered; {} for no body, None for what is not JSON."""
        return parsed(self.text) if self.text else {}

    @property
    def document(self) -> Any:
        """The body's JSON document, parsed when it is asked for; None for no body, no JSON, and a body that was shrunk."""
        return parsed(self.text) if self.body_bytes and self.body_bytes == len(self.text) else None

    @property
    def body(self) -> Mapping[str, Any]:
        return self.parsed_body if isinstance(self.parsed_body, dict) else EMPTY

    @property
    def credential(self) -> str:
        """The key that the caller sent."""
        return credential(self.headers)

    @property
    def dialect(self) -> str:
        return self.at.dialect if self.at else ""

    @property
    def kind(self) -> str:
        return self.at.kind if self.at else ""

    @cached_property
    def _streams(self) -> bool:
        return self.kind == "turn" and self.body.get("stream") is True

    @property
    def stream(self) -> bool:
        """Whether the caller asked for an event stream."""
        return self._streams

    def shrink(self) -> None:
        """Keep what the journal tells of an answered call: no parsed document, and the beginning of the body."""
        _ = (self.markers, self.stream, self.body_bytes)
        self.memo = None
        text, problem = self._decoded
        if len(text) > BODY_KEPT:
            text = bytes(text[:BODY_KEPT])
        self.__dict__["_decoded"] = (text, problem)
        self.raw = b""
        self.__dict__.pop("parsed_body", None)
