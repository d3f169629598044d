"""The schema files below this package: which there are, what they are called and what they hold.

A file's name is its path without `.json`: `responses/events/error.json` is `responses/events/error`. Adding a schema is
adding a file. A file that begins with `_` holds definitions for its neighbours and is no name. The suite's own files, below
`own/`, have one strength: they are closed as they stand.
"""

import copy
import difflib
import json
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from referencing import Registry, Resource

from gateproof_schemas.strict import strict as strict_form

Schema = dict[str, Any]

_NOTES = {"title", "description", "examples"}
_MAPS = {"properties", "$defs"}


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The name of every schema, sorted: `("chat/chunk", "chat/error", ...)`."""
    return tuple(name for name in _library() if not name.rpartition("/")[2].startswith("_"))


def schema(name: str, *, strict: bool = False) -> Schema:
    """The schema of that name, as parsed JSON: a copy, which the caller may change.

    Raises KeyError, which lists the nearest names, if there is none.
    """
    return copy.deepcopy(find(name, strict=strict))


def find(name: str, *, strict: bool = False) -> Schema:
    """As `schema`, but the library's own object, which must not be changed."""
    if name not in names():
        nearest = ", ".join(difflib.get_close_matches(name, names(), n=3, cutoff=0.0))
        raise KeyError(f"no schema is called {name!r}; the nearest names are {nearest}")
    return library(strict=strict)[name]


@cache
def registry(*, strict: bool = False) -> Registry[Any]:
    """Every file under its `$id`, so that references between them resolve and nothing is ever fetched.

    The files are here without their descriptions: a validator looks at every keyword at every place of a document.
    """
    resources = (
        (schema["$id"], Resource[Any].from_contents(_rules(schema))) for schema in library(strict=strict).values()
    )
    return Registry[Any]().with_resources(resources).crawl()


@cache
def variants(name: str) -> Mapping[str, str]:
    """By a document's `type`, the schema that stands for the general one: those of `x/event` are in `x/events/`.

    Looking the type up first takes a tenth of the time of a union of all event types, and the messages are about the
    event that was sent.
    """
    folder = f"{name}s/"
    return {variant.removeprefix(folder): variant for variant in names() if variant.startswith(folder)}


def read(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Schema]]:
    """Name and content of every JSON file below a folder.

    Raises ValueError, naming the file, for one that is not a JSON object with an `$id`.
    """
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from read(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".json"):
            name = prefix + entry.name.removesuffix(".json")
            try:
                content = json.loads(entry.read_text(encoding="utf-8"))
            except ValueError as error:
                raise ValueError(f"schema {name}: not JSON: {error}") from error
            if not isinstance(content, dict) or "$id" not in content:
                raise ValueError(f"schema {name}: a schema file is an object with an $id")
            yield name, content


@cache
def library(*, strict: bool = False) -> Mapping[str, Schema]:
    """Every file by its name, those of `_` included: as it stands, or in its strict form."""
    if not strict:
        return _library()
    return {
        name: file if name.startswith("own/") else strict_form(file, variants(name))
        for name, file in _library().items()
    }


def _rules(node: Any) -> Any:
    """A schema without the keywords that are no rules; `$schema` stays, which says how to read the rest."""
    if isinstance(node, list):
        return [_rules(child) for child in node]
    if not isinstance(node, dict):
        return node
    return {
        keyword: {key: _rules(child) for key, child in value.items()} if keyword in _MAPS else _rules(value)
        for keyword, value in node.items()
        if keyword not in _NOTES
    }


@lru_cache(maxsize=1)
def _library() -> dict[str, Schema]:
    return dict(sorted(read(files("gateproof_schemas"))))
