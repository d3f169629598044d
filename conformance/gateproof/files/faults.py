"""What can be wrong with a value that a user gives, in a file or as an option."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

MOST = 10
"""Faults of one file that are told; of more, the number."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """Something wrong in a file: its line, 0 if it has none, and what to tell, which begins with the file and the line."""

    line: int
    told: str


class FileError(ValueError):
    """A file that cannot be used. The message has a line for each fault: the file, the line, the key and what to do."""


def faulty(faults: Iterable[Fault]) -> FileError:
    """Faults of one file as one error, by line and each once."""
    told = [fault.told for fault in sorted(set(faults))]
    rest = len(told) - MOST
    return FileError("\n".join([*told[:MOST], *([f"and {rest} more"] if rest > 0 else [])]))


def fault_of_url(value: str) -> str:
    """What is wrong with the URL of a gateway or a mock; "" when nothing is."""
    useless = f"{value!r} is not a URL such as http://127.0.0.1:4000"
    try:
        parts, known = urlsplit(value), httpx.URL(value)
        fine = parts.scheme in ("http", "https") and bool(known.host) and parts.port != 0
    except (ValueError, httpx.InvalidURL):
        return useless
    if not fine or not value.isprintable() or " " in value:
        return useless
    if parts.username is not None or parts.password is not None:
        return "the URL holds a password; give it as a header instead"
    if parts.query or parts.fragment:
        return f"{value!r}: routes are built from the URL, so it can have no query and no fragment"
    return ""


def fault_of_header(name: str, value: str) -> str:
    """What is wrong with a header; "" when nothing is. The value is never quoted: it may be a secret."""
    if not _TOKEN.fullmatch(name):
        return f"{name!r} is no name of a header"
    if not value.isascii() or not value.isprintable() or value != value.strip():
        return f"the value of {name} has a character that a header cannot carry"
    return ""
