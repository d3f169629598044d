"""Where the strict schemas and the types of an SDK differ, each difference one line.

A line is `<schema or definition> <key>...: <what>`. Both sides are walked together from a pair of roots. Wherever the SDK
knows several kinds of object, they are told apart by the constant that they carry (`type`, `role`), and the schema is asked
what it says about an object with that constant.

Not compared, because the SDKs' types do not say it: whether a key that a response model need not have may be null.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator
from sdk_types import ANYTHING, Shape, fields, shape

from gateproof_schemas.library import find, registry
from gateproof_schemas.strict import STRICT_BASE

Resolver = Any
"""What `Registry.resolver()` gives; its class has no public name."""

SAMPLES: Mapping[str, Any] = {
    "string": "",
    "integer": 1,
    "number": 1.5,
    "boolean": True,
    "null": None,
    "array": [],
    "object": {},
}
TELLING = ("type", "role", "object")
"""The keys that tell kinds of objects apart, the first that they have."""


@dataclass(frozen=True, eq=False)
class Node:
    """A schema and what resolves its references; the same wherever it is come to."""

    schema: Any
    resolver: Resolver

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.schema is other.schema

    def at(self, schema: Any) -> "Node":
        return Node(schema, self.resolver)


Nodes = tuple[Node, ...]


def root(name: str, pointer: str = "") -> Node:
    """A schema of the strict library, or one definition of it."""
    target = registry(strict=True).resolver(find(name, strict=True)["$id"]).lookup(f"#{pointer}")
    return Node(target.contents, target.resolver)


def here(nodes: Nodes, instance: Any) -> Iterator[Node]:
    """Every schema that speaks about the place of an instance, given what is known of the instance."""
    for node in nodes:
        yield node
        if isinstance(node.schema, bool):
            continue
        parts = [node.at(part) for part in node.schema.get("allOf", ())]
        if "$ref" in node.schema:
            target = node.resolver.lookup(node.schema["$ref"])
            parts.append(Node(target.contents, target.resolver))
        if "if" in node.schema:
            branch = "then" if Draft202012Validator(node.schema["if"]).is_valid(instance) else "else"
            parts.append(node.at(node.schema.get(branch, True)))
        yield from here(tuple(parts), instance)


def says(nodes: Nodes, instance: Any, keyword: str) -> list[Any]:
    """Every value that a keyword has at the place of an instance."""
    schemas = [node.schema for node in here(nodes, instance)]
    return [schema[keyword] for schema in schemas if isinstance(schema, dict) and keyword in schema]


@cache
def kinds(nodes: Nodes) -> frozenset[str]:
    """Which types of JSON the schemas together let through."""
    return frozenset(kind for kind, sample in SAMPLES.items() if _lets_through(nodes, sample))


def _lets_through(nodes: Nodes, sample: Any) -> bool:
    types = says(nodes, sample, "type")
    values = [[const] for const in says(nodes, sample, "const")] + says(nodes, sample, "enum")
    return all(Draft202012Validator({"type": type_}).is_valid(sample) for type_ in types) and all(
        any(type(value) is type(sample) for value in allowed) for allowed in values
    )


def words(nodes: Nodes) -> frozenset[str] | None:
    """The strings that are allowed, None if any is."""
    lists = [[const] for const in says(nodes, "", "const")] + says(nodes, "", "enum")
    closed = [frozenset(word for word in allowed if isinstance(word, str)) for allowed in lists]
    return frozenset.intersection(*closed) if closed else None


def keys(nodes: Nodes, instance: Mapping[str, Any]) -> dict[str, Nodes]:
    """What is said about each key of an object."""
    found: dict[str, Nodes] = {}
    for node in here(nodes, instance):
        if isinstance(node.schema, dict):
            for key, schema in node.schema.get("properties", {}).items():
                found[key] = (*found.get(key, ()), node.at(schema))
    return found


def label(where: str, nodes: Nodes) -> str:
    """The name of a definition that a place refers to; else the place."""
    for node in nodes:
        reference = node.schema.get("$ref") if isinstance(node.schema, dict) else None
        if reference:
            file, _, pointer = reference.partition("#")
            base = node.resolver.lookup(file or "#").contents["$id"].removeprefix(STRICT_BASE).removesuffix(".json")
            return f"{base}#{pointer.removeprefix('/$defs/')}" if pointer else str(base)
    return where


@dataclass
class Comparison:
    """Finds the differences; what was compared once is not compared again.

    One definition may stand for several types of the SDK, as an item does that is told in a response and goes back in a
    request. It may allow what any of them allows, and must require what any of them requires.
    """

    _found: set[str] = field(default_factory=set)
    _only_here: dict[tuple[frozenset[int], str], str] = field(default_factory=dict)
    _in_both: set[tuple[frozenset[int], str]] = field(default_factory=set)
    _seen: set[Any] = field(default_factory=set)

    @property
    def found(self) -> set[str]:
        return self._found | {line for key, line in self._only_here.items() if key not in self._in_both}

    def compare(self, where: str, nodes: Nodes, annotation: Any, *, null_is_unsaid: bool = False) -> None:
        there = shape(annotation)
        self._kinds(where, nodes, there.kinds | ({"null"} & kinds(nodes) if null_is_unsaid else set()), null_is_unsaid)
        if "string" in there.kinds and "string" in kinds(nodes):
            self._words(where, nodes, there.words)
        if there.items:
            elements = [node for node in here(nodes, []) if isinstance(node.schema, dict) and "items" in node.schema]
            inside = tuple(node.at(node.schema["items"]) for node in elements)
            self.compare(label(f"{where}[]", inside), inside, _union(there.items))
        if "object" in there.kinds and "object" in kinds(nodes):
            self._objects(where, nodes, there)

    def _kinds(self, where: str, nodes: Nodes, theirs: frozenset[str], null_is_unsaid: bool) -> None:
        ours = kinds(nodes)
        if ours == ANYTHING != theirs:
            self._found.add(f"{where}: anything here, {_either(theirs)} there")
            return
        for kind in ours:
            self._note(nodes, kind, kind in theirs, f"{where}: {kind} only here")
        for kind in theirs - ours - ({"null"} if null_is_unsaid else set()):
            self._found.add(f"{where}: {kind} only there")

    def _words(self, where: str, nodes: Nodes, theirs: frozenset[str] | None) -> None:
        ours = words(nodes)
        if ours is None or theirs is None:
            if ours != theirs:
                self._found.add(f"{where}: words are listed only {'there' if ours is None else 'here'}")
            return
        for word in ours:
            self._note(nodes, word, word in theirs, f"{where}: the word {word} only here")
        self._found.update(f"{where}: the word {word} only there" for word in theirs - ours)

    def _note(self, nodes: Nodes, what: str, in_both: bool, line: str) -> None:
        """What our schema allows may be allowed by another type of the SDK that is compared later."""
        key = (frozenset(id(node.schema) for node in here(nodes, "") if _is_a_rule(node.schema)), what)
        if in_both:
            self._in_both.add(key)
        else:
            self._only_here[key] = line

    def _objects(self, where: str, nodes: Nodes, there: Shape) -> None:
        told: dict[tuple[str, str] | None, list[Any]] = {}
        for model in there.models:
            for telling in tellings(model):
                told.setdefault(telling, []).append(model)
        for telling in {telling[0] for telling in told if telling}:
            theirs = frozenset(each[1] for each in told if each and each[0] == telling)
            self._words(f"{where} {telling}", keys(nodes, {}).get(telling, ()), theirs)
        for each, models in told.items():
            seen = (nodes, each, tuple(models))
            if seen not in self._seen:
                self._seen.add(seen)
                self._object(where, nodes, each, models)
        if there.free and True not in says(nodes, {}, "additionalProperties"):
            self._found.add(f"{where}: any key only there")

    def _object(self, where: str, nodes: Nodes, telling: tuple[str, str] | None, models: list[Any]) -> None:
        instance = dict([telling] if telling else [])
        if telling and not where.endswith(f"#{telling[1]}"):
            where = f"{where} <{telling[1]}>"
        theirs = [fields(model) for model in models]
        known = keys(nodes, instance)
        free = True in says(nodes, instance, "additionalProperties")
        required = {key for listed in says(nodes, instance, "required") for key in listed}
        for key in dict.fromkeys(key for model in theirs for key in model):
            found = [model[key] for model in theirs if key in model]
            if key not in known:
                if not free:
                    self._found.add(f"{where} {key}: only there")
                continue
            self._note(known[key], "", True, "")
            if key in instance:
                continue
            needed = len(found) == len(theirs) and all(field.required for field in found)
            if (key in required) != needed:
                self._found.add(f"{where} {key}: required only {'here' if key in required else 'there'}")
            unsaid = any(field.null_is_unsaid for field in found)
            union = _union(field.annotation for field in found)
            self.compare(label(f"{where} {key}", known[key]), known[key], union, null_is_unsaid=unsaid)
        for key in known.keys() - {key for model in theirs for key in model}:
            self._note(known[key], "", False, f"{where} {key}: only here")


def _is_a_rule(schema: Any) -> bool:
    return isinstance(schema, dict) and not schema.keys().isdisjoint({"type", "enum", "const"})


def tellings(model: Any) -> list[tuple[str, str] | None]:
    """What tells a model apart, as key and word; several if it has several types, None if nothing does."""
    for key in TELLING:
        told = shape(fields(model)[key].annotation).words if key in fields(model) else None
        if told and (key == "type" or len(told) == 1):
            return [(key, word) for word in sorted(told)]
    return [None]


def _union(annotations: Any) -> Any:
    result = None
    for number, annotation in enumerate(annotations):
        result = annotation if number == 0 else result | annotation
    return result


def _either(names: frozenset[str]) -> str:
    return " or ".join(sorted(names))
