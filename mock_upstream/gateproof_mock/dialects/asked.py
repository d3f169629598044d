"""What a call asked for, as far as an answer depends on it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_numbers = itertools.count(1)
_start = f"{int(time.time() * 1000) & 0xFFFFFFFF:08x}"


def new_id(prefix: str) -> str:
    """An id that no other answer of this process has, such as `resp_67a1f00d000000000000000c`.

    Unique because some gateways keep upstream ids as primary keys (llama-stack).
    """
    return f"{prefix}_{_start}{next(_numbers):016x}"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request body, read once. `credential` is the bearer token the gateway sent, for scripts that echo it."""

    body: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "turn"
    credential: str = ""
    created: int = field(default_factory=lambda: int(time.time()))

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
