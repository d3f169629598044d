"""What a call asked for, as far as an answer depends on it."""

from __future__ import annotations

import itertools
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_calls = itertools.count(1)
_process = secrets.token_hex(4).encode()

NO_MARKER = "gp-unnamed-unnamed"
"""What `{marker}` becomes in a call that has none. As long as every marker, as its place is of fixed length."""


def new_call() -> bytes:
    """16 hexadecimal digits that no other call of any process has: every id of an answer is built on them."""
    return b"%b%08x" % (_process, next(_calls) & 0xFFFFFFFF)


@dataclass(slots=True)
class Asked:
    """One call, read once. `call` and `created` (Unix seconds) are its own; ids are unique because some gateways keep upstream
    ids as primary keys (llama-stack).

    `kind`: see `Route`. `credential`: the key that the gateway sent, for scripts that echo it. `marker`: by which the call
    found its script.
    """

    body: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "turn"
    credential: str = ""
    call: str = field(default_factory=lambda: new_call().decode())
    created: int = field(default_factory=lambda: int(time.time()))
    marker: str = NO_MARKER
    _ids: int = 0

    def new_id(self, prefix: str) -> str:
        """An id such as `msg_67a1f00d0000000c00000002`; the same again when an answer is rendered again for this call."""
        self._ids += 1
        return f"{prefix}_{self.call}{self._ids:08x}"

    @property
    def stream(self) -> bool:
        return self.body.get("stream") is True and self.kind == "turn"

    @property
    def model(self) -> str:
        model = self.body.get("model")
        return model if isinstance(model, str) and model else "unnamed"

    @property
    def include_usage(self) -> bool:
        options = self.body.get("stream_options")
        return isinstance(options, Mapping) and options.get("include_usage") is True
