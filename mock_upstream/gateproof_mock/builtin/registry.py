"""Which built-in scripts there are, and the word by which a prompt asks for one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from functools import lru_cache

from gateproof_mock.builtin.dice import Dice
from gateproof_mock.language.errors import ScriptError, shortened
from gateproof_mock.language.scripts import Script

SEED_LIMIT = 999_999_999

PATTERN = re.compile(rb"gp-play-([a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?)(?:\.([0-9]{1,1000}))?(?![A-Za-z0-9_])")
"""A name and a seed. A point that no digit follows ends a sentence."""

_PREFIX = b"gp-play-"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,58}[a-z0-9])?")

Maker = Callable[[Dice], Script]

_makers: dict[str, tuple[Maker, str]] = {}


def register(name: str, maker: Maker, doc: str) -> None:
    """Add one that a table makes. A name that is taken, or that no prompt could hold, is a fault of this package."""
    if name in _makers or not _NAME.fullmatch(name) or not doc.strip():
        raise ValueError(f"the built-in script {name!r} is there already, has no name, or no description")
    _makers[name] = (maker, " ".join(doc.split()))


def builtin(name: str) -> Callable[[Maker], Maker]:
    """Add the decorated function under this name; its docstring is its description."""

    def add(maker: Maker) -> Maker:
        register(name, maker, maker.__doc__ or "")
        return maker

    return add


def names() -> tuple[str, ...]:
    """Every built-in script's name, sorted."""
    return tuple(sorted(_makers))


def describe(name: str) -> str:
    """One line: what it plays, and which real thing does so. Raises ScriptError for an unknown name."""
    return _find(name)[1]


@lru_cache(maxsize=512)
def script(name: str, seed: int = 0) -> Script:
    """The script of this name and seed. Raises ScriptError for an unknown name, with the nearest, and for no such seed."""
    maker, _ = _find(name)
    if not 0 <= seed <= SEED_LIMIT:
        raise ScriptError(f"gp-play-{name}: expected a seed of 0 to {SEED_LIMIT}, got {seed}")
    return maker(Dice(f"{name}:{seed}"))


def find(body: bytes) -> tuple[str, int] | None:
    """The name and seed that the last such word in a request asks for; None if there is no such word."""
    at = body.rfind(_PREFIX)
    while at >= 0:
        found = PATTERN.match(body, at)
        if found:
            return found[1].decode(), int(found[2] or 0)
        at = body.rfind(_PREFIX, 0, at)
    return None


def _find(name: str) -> tuple[Maker, str]:
    if name not in _makers:
        near = difflib.get_close_matches(name, _makers, n=3, cutoff=0.5)
        hint = f"did you mean {' or '.join(f'`{n}`' for n in near)}?" if near else f"there are {len(_makers)} others"
        raise ScriptError(f"gp-play-{shortened(name)}: there is no such built-in script; {hint}")
    return _makers[name]
