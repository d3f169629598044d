"""The order of a Messages stream: the message around its blocks, and each block's beginning, deltas and end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from gateproof.cases.reading import place
from gateproof.exchange import Exchange
from gateproof.registry import invariant

_DELTAS = {
    "text": ("text_delta", "citations_delta"),
    "thinking": ("thinking_delta", "signature_delta"),
    "redacted_thinking": (),
    "tool_use": ("input_json_delta",),
    "server_tool_use": ("input_json_delta",),
}
"""The deltas of each type of block; one that is not here may have any."""

_KNOWN = tuple(dict.fromkeys(delta for deltas in _DELTAS.values() for delta in deltas))
_EMPTY = {"text": ("text", ""), "thinking": ("thinking", ""), "tool_use": ("input", {})}
"""What a block holds when it begins."""


@invariant("grammar.messages-events-are-in-order")
def messages_events_are_in_order(exchange: Exchange) -> list[str] | None:
    events = _events(exchange)
    return _Message().read(events) if events else None


@invariant("grammar.messages-blocks-are-in-order")
def messages_blocks_are_in_order(exchange: Exchange) -> list[str] | None:
    events = _events(exchange)
    if not any(str(e.get("type")).startswith("content_block_") for e in events):
        return None
    return _Blocks().read(events)


def _events(exchange: Exchange) -> list[dict[str, Any]]:
    return [e for e in exchange.answer.events if isinstance(e, dict)]


class _Breaches(ABC):
    """Notes each breach once."""

    def __init__(self) -> None:
        self._breaches: dict[str, None] = {}

    def read(self, events: list[dict[str, Any]]) -> list[str]:
        for event in events:
            self.take(str(event.get("type"))[:80], event)
        return list(self._breaches)[:5]

    def breach(self, words: str) -> None:
        self._breaches[words] = None

    @abstractmethod
    def take(self, kind: str, event: dict[str, Any]) -> None:
        """Read one event."""


class _Message(_Breaches):
    """What stands around the blocks. Pings and events of other types may stand anywhere before the end."""

    def __init__(self) -> None:
        super().__init__()
        self._started = False
        self._delta = False
        self._reason: Any = None
        self._terminal = ""

    def take(self, kind: str, event: dict[str, Any]) -> None:
        if self._terminal:
            self.breach(f"{kind} came after {self._terminal}")
        if kind in ("message_stop", "error"):
            self._ends(kind)
        elif kind == "message_start":
            self._starts(event.get("message"))
        elif kind == "message_delta":
            self._needs_start(kind)
            delta = event.get("delta")
            self._delta, self._reason = True, delta.get("stop_reason") if isinstance(delta, dict) else None
        elif kind.startswith("content_block_"):
            self._needs_start(kind)
            if self._delta:
                self.breach(f"{kind} came after message_delta")

    def _starts(self, message: Any) -> None:
        if self._started:
            self.breach("message_start came more than once")
        self._started = True
        if not isinstance(message, dict):
            return
        if message.get("content"):
            self.breach("message_start has content already")
        if message.get("stop_reason") is not None:
            self.breach(f"message_start has the stop_reason {message['stop_reason']!r} already"[:160])

    def _needs_start(self, kind: str) -> None:
        if not self._started:
            self.breach(f"{kind} came before message_start")

    def _ends(self, kind: str) -> None:
        self._terminal = self._terminal or kind
        if kind == "message_stop":
            self._needs_start(kind)
            if not self._delta:
                self.breach("message_stop came without a message_delta before it")
            elif not self._reason:
                # The SDKs' helpers keep what the last message_delta says.
                self.breach("the last message_delta before message_stop has no stop_reason")


class _Blocks(_Breaches):
    """One block after the other. `open`: the index and type of the one that was begun and not ended."""

    def __init__(self) -> None:
        super().__init__()
        self._open: tuple[Any, str] | None = None
        self._count = 0
        self._ids: set[str] = set()

    def take(self, kind: str, event: dict[str, Any]) -> None:
        index = place(event.get("index"))
        if kind == "content_block_start":
            self._begins(index, event.get("content_block"))
        elif kind == "content_block_delta":
            self._adds(index, event.get("delta"))
        elif kind == "content_block_stop":
            if self._open is None or self._open[0] != index:
                self.breach(f"content_block_stop for index {index}, which is not open")
            self._open = None
        elif kind in ("message_delta", "message_stop") and self._open is not None:
            self.breach(f"{kind} came while the block at index {self._open[0]} was open")

    def _begins(self, index: Any, block: Any) -> None:
        if self._open is not None:
            self.breach(f"the block at index {index} began while that at index {self._open[0]} was open")
        if index != self._count:
            self.breach(f"the block number {self._count} has the index {index}")
        self._count += 1
        block = block if isinstance(block, dict) else {}
        type = str(block.get("type"))[:80]
        self._open = (index, type)
        key, empty = _EMPTY.get(type, ("", None))
        if block.get(key, empty) != empty:
            self.breach(f"the {type} block at index {index} begins with {key} that no delta says")
        id = block.get("id")
        if isinstance(id, str):
            if id in self._ids:
                self.breach(f"two blocks have the id {id[:80]!r}")
            self._ids.add(id)

    def _adds(self, index: Any, delta: Any) -> None:
        if self._open is None or self._open[0] != index:
            self.breach(f"content_block_delta for index {index}, where no block is open")
            return
        type = self._open[1]
        kind = delta.get("type") if isinstance(delta, dict) else None
        if kind in _KNOWN and kind not in _DELTAS.get(type, _KNOWN):
            self.breach(f"{kind} in a block of type {type}")
