"""YAML as it is read here: what JSON can say, in YAML 1.2's core words, with the line of every value.

Built from the parser's events, and so without recursion: a file may be nested or folded back onto itself as it likes, and
is refused. `on`, `yes` and `no` are words, a key is its text, `010` is ten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from gateproof_mock.jsontext import DEPTH_LIMIT
from gateproof_mock.language.errors import shortened

NODE_LIMIT = 1_000_000
"""Values of a file, each counted as often as it is referred to."""

_CORE = "tag:yaml.org,2002:"
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NULL = re.compile(r"~|null|Null|NULL|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


class YamlError(ValueError):
    """A file that is not read; `line` is counted from 1."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(slots=True)
class Node:
    """A value: a scalar, or a dict or list of nodes. `line`: of the value; `lines`: of an object's keys.

    `size` counts the values in it, `height` its levels, both with what aliases refer to.
    """

    value: Any
    line: int
    lines: dict[str, int] = field(default_factory=dict)
    size: int = 1
    height: int = 0

    def plain(self) -> Any:
        """The value as JSON's own types. Its height is bounded."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        return [node.plain() for node in self.value] if isinstance(self.value, list) else self.value


@dataclass(slots=True)
class _Open:
    """A list or object that is being read; `key` waits for its value."""

    node: Node
    anchor: str | None
    key: str | None = None


class _Builder:
    def __init__(self) -> None:
        self.stack: list[_Open] = []
        self.anchors: dict[str, Node | None] = {}
        self.root: Node | None = None
        self.documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.DocumentStartEvent():
                self.documents += 1
                if self.documents > 1:
                    raise YamlError("expected one document, and here a second begins", line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event, line)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                done = self.stack.pop()
                self._place(done.node, done.anchor)
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.AliasEvent():
                self._alias(event, line)

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> None:
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _CORE + ("map" if mapping else "seq")):
            raise YamlError(f"the tag {shortened(str(event.tag))} is not known here", line)
        self._expects_value(line)
        if len(self.stack) >= DEPTH_LIMIT:
            raise YamlError(f"expected {DEPTH_LIMIT} levels at most", line)
        if event.anchor:
            self.anchors[event.anchor] = None
        self.stack.append(_Open(Node({} if mapping else [], line), event.anchor))

    def _expects_value(self, line: int) -> None:
        if self.stack and isinstance(self.stack[-1].node.value, dict) and self.stack[-1].key is None:
            raise YamlError("expected a word as a key", line)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if re.search(r"[\ud800-\udfff]", event.value):
            raise YamlError("half a surrogate pair is no character", line)
        opened = self.stack[-1] if self.stack else None
        if opened and isinstance(opened.node.value, dict) and opened.key is None:
            if event.value in opened.node.value:
                raise YamlError(f"the key `{shortened(event.value)}` is there twice", line)
            opened.key = event.value
            opened.node.lines[event.value] = line
        else:
            self._place(Node(_resolved(event, line), line), event.anchor)

    def _alias(self, event: yaml.AliasEvent, line: int) -> None:
        self._expects_value(line)
        name = str(event.anchor)
        node = self.anchors.get(name)
        if node is None:
            why = "refers to itself" if name in self.anchors else "refers to nothing before it"
            raise YamlError(f"*{shortened(name)} {why}", line)
        self._place(node, None)

    def _place(self, node: Node, anchor: str | None) -> None:
        if anchor:
            self.anchors[anchor] = node
        if not self.stack:
            self.root = node
            return
        into = self.stack[-1]
        if isinstance(into.node.value, dict):
            assert into.key is not None
            into.node.value[into.key] = node
            into.key = None
        else:
            into.node.value.append(node)
        into.node.size += node.size
        into.node.height = max(into.node.height, node.height + 1)
        if into.node.size > NODE_LIMIT:
            raise YamlError(f"expected {NODE_LIMIT} values at most, with what aliases repeat", node.line)
        if len(self.stack) + node.height > DEPTH_LIMIT:
            raise YamlError(f"expected {DEPTH_LIMIT} levels at most", node.line)


def read_yaml(text: str) -> Node:
    """The one document of a text. Raises YamlError."""
    builder = _Builder()
    try:
        for event in _events(text):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join(part for part in (error.context, error.problem) if part)
        raise YamlError(problem or "not YAML", mark.line + 1 if mark else 1) from None
    except yaml.reader.ReaderError as error:
        # libyaml counts bytes, and PyYAML itself characters: in ASCII, as lines are counted, a difference of columns.
        line = text.encode().count(b"\n", 0, error.position) + 1
        raise YamlError("a control character, which YAML can only say escaped", line) from None
    except YamlError:
        raise
    except ValueError as error:
        raise YamlError(f"not YAML: {error}", 1) from None
    return builder.root or Node(None, 1)


def _events(text: str) -> Iterable[yaml.Event]:
    events: Iterable[yaml.Event] = yaml.parse(text, Loader=_LOADER)
    return events


def _resolved(event: yaml.ScalarEvent, line: int) -> Any:
    """What a scalar stands for. Quoted or tagged `!`, it is a string."""
    text = event.value
    plain = event.tag is None and event.implicit[0]
    if not plain and event.tag in (None, "!", f"{_CORE}str"):
        return text
    try:
        kind, value = _core(text)
    except ValueError:
        raise YamlError("a number of too many digits", line) from None
    if plain or event.tag == _CORE + kind:
        return value
    raise YamlError(f"the tag {shortened(str(event.tag))} is not known here, or not for this", line)


def _core(text: str) -> tuple[str, Any]:
    if _NULL.fullmatch(text):
        return "null", None
    if _BOOL.fullmatch(text):
        return "bool", text[0] in "tT"
    if _INT.fullmatch(text):
        return "int", int(text)
    if _BASED.fullmatch(text):
        return "int", int(text, 0)
    if _FLOAT.fullmatch(text):
        return "float", float(text)
    return "str", text
