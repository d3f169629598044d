"""A baseline's text, brought up to a run: what was not touched stays as it was written, comments and order included.

The text is cut into its entries and only those that change are edited, each by itself: tomlkit alone would count a comment above
an entry to the entry before it, and remove it with that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from gateproof.files.baseline import UNREVIEWED
from gateproof.files.baseline_changes import Changes
from gateproof.files.faults import FileError
from gateproof.files.toml_lines import key_lines

_ENTRY = '[[known]]\nid = "{id}"\non = "{on}"\nreason = "{reason}"\n'


def updated(path: Path, text: str, found: Changes, edition: str) -> str:
    """The text of a baseline that fits the run which found these changes. `path` is for messages. Raises FileError."""
    plain = text.replace("\r\n", "\n")
    if plain and not plain.endswith("\n"):
        plain += "\n"
    head, entries = _cut(path, plain)
    stale = {change.position: change.instead for change in found.stale}
    parts = [_on_edition(head, edition)]
    for position, entry in enumerate(entries):
        parts.append(_fitted(entry, stale[position]) if position in stale else entry.text)
    parts += [_ENTRY.format(id=id, on=on, reason=UNREVIEWED) for id, on in found.entries]
    whole = _joined(parts)
    return whole.replace("\n", "\r\n") if "\r\n" in text else whole


@dataclass(frozen=True, slots=True)
class _Entry:
    """The lines of an entry: comments that stand right above it, the entry itself, and what follows after an empty line."""

    above: str
    itself: str
    after: str

    @property
    def text(self) -> str:
        return self.above + self.itself + self.after


def _cut(path: Path, text: str) -> tuple[str, list[_Entry]]:
    """What stands before the first entry, and the entries."""
    lines = text.splitlines(keepends=True)
    where = key_lines(text)
    headers: list[int] = []
    while ("known", len(headers)) in where:
        headers.append(where["known", len(headers)] - 1)
    for header in headers:
        if not lines[header].lstrip().startswith("[["):
            raise FileError(f"{path}, line {header + 1}: write each known failure below a [[known]] of its own")
    begins = [_begin(lines, header) for header in headers]
    ends = [*begins, len(lines)][1:]
    spans = zip(begins, headers, ends, strict=True)
    return "".join(lines[: begins[0]] if begins else lines), [_entry(lines, *span) for span in spans]


def _begin(lines: Sequence[str], header: int) -> int:
    begin = header
    while begin and lines[begin - 1].lstrip().startswith("#"):
        begin -= 1
    # What stands at the top of the file is about the file.
    return begin or header


def _entry(lines: Sequence[str], begin: int, header: int, end: int) -> _Entry:
    last = end
    while last > header + 1 and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
        last -= 1
    after = next((number for number in range(last, end) if not lines[number].strip()), end)
    return _Entry("".join(lines[begin:header]), "".join(lines[header:after]), "".join(lines[after:end]))


def _fitted(entry: _Entry, globs: Sequence[str]) -> str:
    """The entry on these globs instead of its own: once for each, with its reason. Comments after it are kept in any case."""
    if not globs:
        return entry.after if entry.after.strip() else ""
    first, *others = (_with(entry.itself, "on", glob) for glob in globs)
    return _joined([entry.above + first, *others]) + entry.after


def _on_edition(head: str, edition: str) -> str:
    if "edition" in tomlkit.parse(head):
        return _with(head, "edition", edition)
    lines = head.splitlines(keepends=True)
    about = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join([*lines[:about], f'edition = "{edition}"\n', *lines[about:]])


def _with(text: str, key: str, value: str) -> str:
    """A piece of the baseline with this key set, in its entry if it is one."""
    document = tomlkit.parse(text)
    table: Any = document["known"][0] if "known" in document else document
    if table.get(key) == value:
        return text
    table[key] = value
    return tomlkit.dumps(document)


def _joined(parts: Sequence[str]) -> str:
    """Parts with one empty line between them, where neither brings its own."""
    whole = ""
    for part in filter(None, parts):
        if not whole:
            whole = part
        elif whole.endswith("\n\n"):
            whole += part.lstrip("\n")
        else:
            whole += part if part.startswith("\n") else f"\n{part}"
    return whole
