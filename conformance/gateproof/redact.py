"""Secrets out of everything that is kept or shown, at the source."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator

HIDDEN = "***"
_SHORTEST = 6
_LONG = 20
_TELLING = 12
"""Characters of a long secret's beginning or end that are hidden too: messages are cut, and may be cut inside it."""

_SCHEMES = ("bearer", "basic", "token", "apikey")
_ENDINGS = ("authorization", "key", "token", "secret", "cookie", "credential", "password", "x-auth")


class Redactor:
    """Replaces known secrets. Shorter ones than 6 characters are hidden only in headers: they would blot out common words."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._lock = threading.Lock()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: str) -> None:
        """Hide this from now on: the value of a header or what it holds, as it is and as JSON writes it."""
        with self._lock:
            for bare in _held(secret):
                if len(bare) >= _SHORTEST:
                    self._secrets.update(_spellings(bare))

    def text(self, text: str) -> str:
        return self.pieces([text])[0]

    def pieces(self, texts: Iterable[str]) -> list[str]:
        """Texts that follow on one another, with the secrets hidden that are cut between them too."""
        shown = []
        given = list(texts)
        spans = self._spans("".join(given))
        spans.reverse()
        began = 0
        for text in given:
            ended = began + len(text)
            out: list[str] = []
            at = began
            while spans and spans[-1][0] < ended:
                start, end = spans[-1]
                if start >= began:
                    out += text[at - began : start - began], HIDDEN
                at = min(end, ended)
                if end > ended:
                    break
                spans.pop()
            out.append(text[at - began :])
            shown.append(_printable("".join(out)))
            began = ended
        return shown

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

    def _spans(self, text: str) -> list[tuple[int, int]]:
        """Where secrets stand, from left to right, none touching another."""
        with self._lock:
            secrets = list(self._secrets)
        found = sorted(span for secret in secrets for span in _places(text, secret))
        merged: list[tuple[int, int]] = []
        for start, end in found:
            if merged and start <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
            else:
                merged.append((start, end))
        return merged


def is_secret(name: str) -> bool:
    """Whether a header of this name holds a credential."""
    return name.lower().replace("_", "-").endswith(_ENDINGS)


def _held(value: str) -> Iterator[str]:
    """A header's value without its scheme; of cookies, each value too."""
    value = value.strip()
    scheme, _, rest = value.partition(" ")
    yield rest.strip() if scheme.lower() in _SCHEMES and rest.strip() else value
    for pair in value.split(";"):
        _, equals, held = pair.strip().partition("=")
        if equals:
            yield held.strip('" ')


def _spellings(secret: str) -> Iterator[str]:
    yield secret
    for ascii_only in (False, True):
        escaped = json.dumps(secret, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
    yield repr(secret)[1:-1]


def _places(text: str, secret: str) -> Iterator[tuple[int, int]]:
    head = secret[:_TELLING] if len(secret) >= _LONG else secret
    at = text.find(head)
    while at >= 0:
        length = len(head)
        while length < len(secret) and text[at + length : at + length + 1] == secret[length]:
            length += 1
        yield at, at + length
        at = text.find(head, at + length)
    if len(secret) < _LONG:
        return
    tail = secret[-_TELLING:]
    at = text.find(tail)
    while at >= 0:
        length = len(tail)
        while length < len(secret) and at and text[at - 1] == secret[-length - 1]:
            at, length = at - 1, length + 1
        yield at, at + length
        at = text.find(tail, at + length)


def _printable(text: str) -> str:
    """Half a surrogate pair, which JSON can spell and no file can hold, as its escape."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text
