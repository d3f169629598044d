"""Where a key stands in a TOML document, however it is written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest

from gateproof.files.toml_lines import KeyPath, dotted, key_lines, line_of

DOCUMENT = '''\
# a comment with [brackets] = and "quotes"
edition = "2026.1" # and more
a.b."c.d" = 1

[gateway]
start = [
  "run", # [not, a, table]
  "it's",
  { deep = [1, 2] },
]
env = { A = "x = [1]", "B C" = 'y\\', N = { M = """
]
""", L = true } }
text = """
[not.a.table]
not_a_key = 1 \\"""
""" # ends
raw = \'\'\'
'' key = 2
\'\'\'\'\'
when = 2026-11-21T10:00:00Z
[ "quoted" . table ]  # spaces
x=-1.5e3

[[known]]
id = "a"
[known.inner]
z = 1
[[known]]
id = "b"
[[known.more]]
q = 1
[[known.more]]
q = 2
'''

LINES: dict[KeyPath, int] = {
    ("edition",): 2,
    ("a", "b", "c.d"): 3,
    ("gateway",): 5,
    ("gateway", "start"): 6,
    ("gateway", "start", 0): 7,
    ("gateway", "start", 1): 8,
    ("gateway", "start", 2, "deep", 1): 9,
    ("gateway", "env", "A"): 11,
    ("gateway", "env", "B C"): 11,
    ("gateway", "env", "N", "M"): 11,
    ("gateway", "env", "N", "L"): 13,
    ("gateway", "text"): 14,
    ("gateway", "raw"): 18,
    ("gateway", "when"): 21,
    ("quoted", "table"): 22,
    ("quoted", "table", "x"): 23,
    ("known",): 25,
    ("known", 0, "id"): 26,
    ("known", 0, "inner", "z"): 28,
    ("known", 1): 29,
    ("known", 1, "id"): 30,
    ("known", 1, "more", 0, "q"): 32,
    ("known", 1, "more", 1, "q"): 34,
}


def paths(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, child in children:
        yield (*path, step)
        yield from paths(child, (*path, step))


@pytest.mark.parametrize("text", [DOCUMENT, DOCUMENT.replace("\n", "\r\n")], ids=["lines", "windows"])
def test_every_key_and_element_of_a_document_has_its_line(text: str) -> None:
    found = key_lines(text)
    assert {path: found[path] for path in LINES} == LINES
    assert set(found) == set(paths(tomllib.loads(text)))


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (("gateway", "env", "A"), 11),
        (("gateway", "env", "absent"), 11),
        (("gateway", "absent", "deeper"), 5),
        (("known", 1, "reason"), 29),
        (("absent",), None),
        ((), None),
    ],
)
def test_what_is_not_there_has_the_line_of_what_encloses_it(key: KeyPath, line: int | None) -> None:
    assert line_of(key_lines(DOCUMENT), key) == line


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "a=1", "a = []", "[t]", "a = {}", "a=''''''"])
def test_a_short_document_is_no_trouble(text: str) -> None:
    assert set(key_lines(text)) == set(paths(tomllib.loads(text)))


def test_a_path_is_told_as_it_is_written() -> None:
    assert dotted(("known", 0, "reason")) == "known[0].reason"
    assert dotted(("models", "chat.responses")) == 'models."chat.responses"'
    assert dotted(()) == ""
