"""Secrets out of everything that is kept or shown, at the source."""

from __future__ import annotations

import threading
from collections.abc import Iterable

HIDDEN = "***"
_SHORTEST = 6
_NAMED = ("authorization", "x-api-key", "api-key", "cookie", "set-cookie", "proxy-authorization")


class Redactor:
    """Replaces known secrets. Shorter ones than 6 characters are hidden only in headers: they would blot out common words."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._lock = threading.Lock()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        bare = secret.removeprefix("Bearer ").strip()
        if len(bare) >= _SHORTEST:
            with self._lock:
                self._secrets.add(bare)

    def text(self, text: str) -> str:
        with self._lock:
            secrets = sorted(self._secrets, key=len, reverse=True)
        for secret in secrets:
            if secret in text:
                text = text.replace(secret, HIDDEN)
        return text

    def headers(self, headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
        """Headers with the values of secret ones hidden; what they held is learned."""
        shown = []
        for name, value in headers:
            if is_secret(name):
                self.learn(value)
                shown.append((name, HIDDEN))
            else:
                shown.append((name, self.text(value)))
        return shown


def is_secret(name: str) -> bool:
    """Whether a header of this name holds a credential."""
    lower = name.lower()
    return lower in _NAMED or lower.endswith(("-key", "-token", "-secret"))
