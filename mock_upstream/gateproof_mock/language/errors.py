"""What is said about a script that cannot be played: the path of the wrong place, and the nearest right word."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class ScriptError(ValueError):
    """A script that cannot be played; the message names the path of the wrong key and the nearest right one.

    `path`: that path alone, "" if the message is about no place; `key`: the unknown key at this path.
    """

    def __init__(self, message: str, path: str = "", key: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.key = key


def wrong(path: str, problem: str, key: str = "") -> ScriptError:
    """The error of a place. Without a path it is the document itself."""
    return ScriptError(f"{path}: {problem}" if path else problem, path, key)


def below(path: str, key: str) -> str:
    """The path of a key of the object at `path`."""
    return f"{path}.{key}" if path else key


def known(data: Iterable[object], allowed: Iterable[str], path: str) -> None:
    """Refuse the first key that is not allowed."""
    names = list(allowed)
    for key in data:
        if key not in names:
            near = difflib.get_close_matches(str(key), names, n=1)
            hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names)}"
            raise wrong(path, f"unknown key `{shortened(str(key))}`; {hint}", str(key))


def one_of(value: str, allowed: Sequence[str]) -> str:
    """The problem of a word that is none of these; "" if it is one."""
    if value in allowed:
        return ""
    near = difflib.get_close_matches(value, allowed, n=1)
    words = ", ".join(word or '""' for word in allowed)
    return f"expected one of {words}" + (f" (did you mean `{near[0]}`?)" if near else "")


def short(value: object) -> str:
    """The value as a message shows it."""
    # The beginning is enough: what is wrong may be as large as a script may be, and larger.
    if isinstance(value, str | bytes):
        value = value[:80]
    elif isinstance(value, list | tuple) and len(value) > 20:
        value = value[:20]
    try:
        return shortened(repr(value))
    except RecursionError:
        return "something nested too deeply to show"
    except ValueError:
        return "a number of too many digits to show"


def shortened(shown: str) -> str:
    return shown if len(shown) <= 60 else shown[:57] + "..."
