"""MISSING: what the gateway left out.

Falsy, contains nothing, equal to nothing (not even itself), its attributes and items are MISSING too; so a wrong gateway always
ends in an AssertionError, and any other exception is a fault of the suite.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


class Missing:
    """See the module. `path` names what is absent: `<absent: error.message>`."""

    __slots__ = ("_path",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, path: str = "") -> None:
        self._path = path

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    def __contains__(self, item: object) -> bool:
        return False

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Missing:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self._path}.{name}" if self._path else name)

    def __getitem__(self, key: object) -> Missing:
        return Missing(f"{self._path}[{key!r}]")

    def __lt__(self, other: object) -> bool:
        return False

    __le__ = __gt__ = __ge__ = __lt__

    def __call__(self, *args: object, **kwargs: object) -> Missing:
        return Missing(f"{self._path}()")

    def __repr__(self) -> str:
        return f"<absent: {self._path}>" if self._path else "<absent>"


def dig(document: object, *keys: str | int, path: str = "") -> Any:
    """The value at these keys and indices, or MISSING named by `path` (default: the keys joined by dots)."""
    value = document
    for key in keys:
        if isinstance(key, int):
            found = isinstance(value, list) and -len(value) <= key < len(value)
        else:
            found = isinstance(value, dict) and key in value
        if not found:
            return Missing(path or ".".join(map(str, keys)))
        value = value[key]  # type: ignore[index]
    return value
