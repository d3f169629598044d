"""A TOML file of the user's and its schema: read whole, or refused with every fault at its line."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateproof.files.faults import Fault, FileError, faulty
from gateproof.files.toml_lines import KeyPath, dotted, key_lines, line_of
from gateproof_schemas import Violation, validate

_STEP = re.compile(r'\.(?P<name>\w+)|\[(?P<position>\d+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]')
_KNOWN_KEY = re.compile(r'a known key(?: like (?P<nearest>".*"))?')
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")
"""Where `tomllib` says that a fault is."""

_SECRETS = ("key", "headers", "env")
"""Keys of a gateway, and of a configuration of it, whose values are never quoted."""


@dataclass(frozen=True, slots=True)
class TomlFile:
    """What a file says, and on which lines."""

    path: Path
    data: dict[str, Any]
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def fault(self, key: KeyPath, words: str) -> Fault:
        """`gateway.toml, line 7: words`, by the line of this key or of what encloses it."""
        line = line_of(self.lines, key)
        return Fault(line, f"{self.path}, line {line}: {words}") if line else Fault(0, f"{self.path}: {words}")


def read_toml(path: Path, schema: str) -> TomlFile:
    """A file that fits its schema. Raises FileError, with every fault of the schema that it has."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise FileError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: not TOML: {error}") from error
    try:
        data, lines = tomllib.loads(text), key_lines(text)
    except tomllib.TOMLDecodeError as error:
        raise FileError(_not_toml(path, text, str(error))) from error
    except RecursionError as error:
        raise FileError(f"{path}: nested too deeply") from error
    file = TomlFile(path, data, lines)
    faults = [_told(file, violation) for violation in validate(data, schema)]
    faults += [
        file.fault(key, f"{dotted(key)}: expected a number that is finite, got {value}")
        for key, value in _numbers(data)
        if not math.isfinite(value)
    ]
    if faults:
        raise faulty(faults)
    return file


def _not_toml(path: Path, text: str, said: str) -> str:
    place = _PLACE.search(said)
    if place is None:
        return f"{path}: not TOML: {said}"
    line = place["line"] or len(text.rstrip().splitlines())
    column = f" (column {place['column']})" if place["column"] else ""
    return f"{path}, line {line}: not TOML: {said[: place.start()]}{column}"


def _told(file: TomlFile, violation: Violation) -> Fault:
    """A rule that the file breaks, in words of TOML."""
    key = _steps(violation.path)
    known = _KNOWN_KEY.fullmatch(violation.expected)
    if known:
        advice = f"; did you mean {json.loads(known['nearest'])}?" if known["nearest"] else ""
        try:
            key = (*key, json.loads(violation.got))
        except ValueError:
            # So long that it was cut.
            return file.fault(key, f"{dotted(key)}: the key {violation.got} is not known{advice}")
        return file.fault(key, f"{dotted(key)} is not known{advice}")
    where = dotted(key) or "the file"
    if not violation.got:
        return file.fault(key, f"{where}: expected {violation.expected}, which is missing")
    got = violation.got
    if _may_be_secret(key):
        got = got[got.rindex("(") :].strip("()") if got.endswith(")") else "something else"
    return file.fault(key, f"{where}: expected {violation.expected}, got {got}")


def _may_be_secret(key: KeyPath) -> bool:
    match key:
        case ("gateway", name, *_) | ("configurations", _, name, *_):
            return name in _SECRETS
        case _:
            return False


def _steps(path: str) -> KeyPath:
    """A violation's `$.known[0].id` as `("known", 0, "id")`."""
    return tuple(_step(found) for found in _STEP.finditer(path))


def _step(found: re.Match[str]) -> str | int:
    if found["position"]:
        return int(found["position"])
    return str(json.loads(found["quoted"])) if found["quoted"] else found["name"]


def _numbers(value: Any, key: KeyPath = ()) -> Iterator[tuple[KeyPath, float]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _numbers(child, (*key, name))
    elif isinstance(value, float):
        yield key, value
