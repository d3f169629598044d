"""What a started gateway prints: kept in a file without its secrets, and no more of it than a disk can bear."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import BinaryIO, TextIO

from gateproof.redact import HIDDEN, Redactor, is_secret

FILE_LIMIT = 16 * 2**20
"""Bytes of the file. A gateway at its debug level prints about a tenth of that in a whole run."""

_TAIL = 60
_LINE_LIMIT = 64 * 1024
_DRAIN_CEILING = 2.0

# What gateways print that nobody told us: the keys that they send, of which only the shape is known.
_SHAPES = re.compile(
    r"(?i)(\bbearer\s+|\bsk-|\b(?:x-)?(?:api|goog-api)[-_]?key[\"']?\s*[:=]\s*[\"']?)[A-Za-z0-9._~+/=-]{6,}"
)


class GatewayLog:
    """Reads an output to its end in a thread of its own. Known secrets, and what looks like one, are hidden."""

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.path = path
        self._redactor = redactor
        self._last: deque[str] = deque(maxlen=_TAIL)
        self._thread: threading.Thread | None = None

    def follow(self, output: BinaryIO) -> None:
        """Begin. The file is new, and there at once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("w", encoding="utf-8")
        self._thread = threading.Thread(
            target=self._read, args=(output, file), daemon=True, name="gateproof-gateway-log"
        )
        self._thread.start()

    def last(self) -> str:
        """The last lines so far, of an output that has ended or is still going on."""
        tail = "".join(list(self._last))[-4000:].strip()
        return f"Its last output ({self.path}):\n{tail}" if tail else "It printed nothing."

    def drain(self) -> None:
        """Wait until the output has ended; a ceiling, for a grandchild may hold it open."""
        if self._thread is not None:
            self._thread.join(_DRAIN_CEILING)

    def _read(self, output: BinaryIO, file: TextIO) -> None:
        written = 0
        with output, file:
            # Lines, and never more than this of one: a flood without a line end must not fill the memory.
            while line := output.readline(_LINE_LIMIT):
                text = self.clean(line.decode("utf-8", "replace"))
                self._last.append(text)
                written += len(line)
                if written <= FILE_LIMIT:
                    file.write(text)
                    file.flush()
                elif written - len(line) <= FILE_LIMIT:
                    file.write(
                        f"\n... {FILE_LIMIT // 2**20} MiB are kept; what came after them was read and left out\n"
                    )
                    file.flush()

    def clean(self, text: str) -> str:
        """A text without secrets."""
        return _SHAPES.sub(lambda found: found[1] + HIDDEN, self._redactor.text(text))


def secrets_of(environment: Mapping[str, str], others: Iterable[str]) -> Redactor:
    """Hides these, and the values of all variables that are named like a secret: a gateway may print what it was given."""
    return Redactor([*others, *(value for name, value in environment.items() if is_secret(name) and value)])
