"""Files of scripts, in YAML or JSON, and the same in the body of a control request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from gateproof_mock.jsontext import DEPTH_LIMIT, too_deep
from gateproof_mock.language.errors import ScriptError, below, known, short, shortened, wrong
from gateproof_mock.language.matching import When
from gateproof_mock.language.scripts import Script, scripts_from_json
from gateproof_mock.language.yamltext import Node, YamlError, read_yaml
from gateproof_mock.markers import MARKER_RULE, is_marker

SIZE_LIMIT = 16 * 1024 * 1024
NAME = re.compile(r"[A-Za-z0-9_.:-]{1,100}")

_NAME_RULE = "1 to 100 of A-Z a-z 0-9 _ . : -"
_SHAPE = 'NAME: [script, ...] or NAME: {"when": {...}, "calls": [script, ...]}'


@dataclass(frozen=True, slots=True)
class Registration:
    """What a stage is given: the scripts of a first, second, nth call, and which calls those are.

    Without `when`, the name is the marker of these calls.
    """

    name: str
    calls: tuple[Script, ...]
    when: When | None = None


def load(path: str | Path) -> list[Registration]:
    """The scripts of a file: `.yaml` and `.yml` are YAML, every other JSON. Raises ScriptError, with the file and line."""
    path = Path(path)
    return registrations_from_text(_bytes(path), str(path), yaml=path.suffix.lower() in (".yaml", ".yml"))


def registrations_from_text(data: bytes, name: str = "", *, yaml: bool) -> list[Registration]:
    """The same from the bytes of a document; messages begin with its `name`, if it has one."""
    text = _text(data, name)
    if yaml:
        try:
            node = read_yaml(text)
        except YamlError as error:
            raise ScriptError(f"{_at(name, error.line)}{error}") from None
        try:
            return _registrations(node.plain())
        except ScriptError as error:
            raise ScriptError(f"{_at(name, line_of(node, error))}{error}", error.path, error.key) from None
    try:
        return _registrations(_json(text))
    except json.JSONDecodeError as error:
        raise ScriptError(f"{_at(name, error.lineno)}not JSON: {error.msg}") from None
    except ScriptError as error:
        raise ScriptError(f"{_at(name)}{error}", error.path, error.key) from None


def _at(name: str, line: int = 0) -> str:
    """What a message begins with."""
    if not name:
        return f"line {line}: " if line else ""
    return f"{name}:{line}: " if line else f"{name}: "


def registration_from_json(name: str, data: object, path: str = "") -> Registration:
    """One name's scripts: a list of them, or `{"calls": [...], "when": {...}}`. Raises ScriptError.

    `path`: what messages begin with.
    """
    if not NAME.fullmatch(name):
        raise wrong(path, f"expected a name: {_NAME_RULE}, got {short(name)}")
    if isinstance(data, list):
        calls, when = scripts_from_json(data, path or "calls"), None
    elif isinstance(data, Mapping):
        known(data, ("when", "calls"), path)
        if "calls" not in data:
            raise wrong(path, "`calls` is missing: a list of at least one script")
        calls = scripts_from_json(data["calls"], below(path, "calls"))
        when = When.from_json(data["when"], below(path, "when")) if "when" in data else None
    else:
        raise wrong(path, f"expected [script, ...] or an object with `calls`, got {short(data)}")
    if when is None and not is_marker(name):
        raise wrong(path, f"{short(name)} is no marker ({MARKER_RULE}), so it needs a `when`")
    return Registration(name, calls, when)


def line_of(node: Node, error: ScriptError) -> int:
    """The line of the place that an error is about, or of the nearest around it."""
    line, path = node.line, ""
    while True:
        step = _step(node, path, error.path)
        if step is None:
            return node.lines.get(error.key, line) if path == error.path else line
        path, line, node = step


def _step(node: Node, path: str, wanted: str) -> tuple[str, int, Node] | None:
    """The child that leads to a path: its own path, its line, and itself."""
    if isinstance(node.value, dict):
        children = [(below(path, key), node.lines[key], child) for key, child in node.value.items()]
    elif isinstance(node.value, list):
        children = [(f"{path}[{i}]", child.line, child) for i, child in enumerate(node.value)]
    else:
        return None
    # A name may hold dots: the longest one that fits is meant.
    fits = [c for c in children if wanted == c[0] or wanted.startswith((f"{c[0]}.", f"{c[0]}["))]
    return max(fits, key=lambda child: len(child[0]), default=None)


def _registrations(data: object) -> list[Registration]:
    if not isinstance(data, Mapping):
        raise wrong("", f"expected {_SHAPE}, got {short(data)}")
    # An editor's hint, which JSON has no comment to put in.
    return [registration_from_json(name, calls, name) for name, calls in data.items() if name != "$schema"]


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(SIZE_LIMIT + 1)
    except (OSError, ValueError) as error:
        raise ScriptError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None


def _text(data: bytes, name: str) -> str:
    if len(data) > SIZE_LIMIT:
        raise ScriptError(f"{_at(name)}larger than {SIZE_LIMIT // 1024 // 1024} MiB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ScriptError(f"{_at(name, line)}not UTF-8: byte 0x{data[error.start]:02x}") from None


def _json(text: str) -> Any:
    try:
        data = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
        if too_deep(data):
            raise RecursionError
    except RecursionError:
        raise ScriptError(f"expected {DEPTH_LIMIT} levels at most") from None
    except (json.JSONDecodeError, ScriptError):
        raise
    except ValueError:
        raise ScriptError("a number of too many digits") from None
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ScriptError("half a surrogate pair (\\ud800 to \\udfff) is no character") from None
    return data


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ScriptError(f"the key `{shortened(key)}` is there twice")
        found[key] = value
    return found


def _no_constant(word: str) -> NoReturn:
    raise ScriptError(f"{word} is not JSON")
