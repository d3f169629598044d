"""The schema files below this package: which there are, what they are called and what they hold.

A file's name is its path without `.json`: `responses/events/error.json` is `responses/events/error`. Adding a schema is
adding a file. A file that begins with `_` holds definitions for its neighbours and is no name.
"""

import copy
import difflib
import json
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from referencing import Registry, Resource

Schema = dict[str, Any]


@lru_cache(maxsize=1)
def names() -> tuple[str, ...]:
    """The name of every schema, sorted: `("chat/chunk", "chat/error", ...)`."""
    return tuple(name for name in _library() if not name.rpartition("/")[2].startswith("_"))


def schema(name: str) -> Schema:
    """The schema of that name, as parsed JSON: a copy, which the caller may change.

    Raises KeyError, which lists the nearest names, if there is none.
    """
    return copy.deepcopy(find(name))


def find(name: str) -> Schema:
    """As `schema`, but the library's own object, which must not be changed."""
    if name not in names():
        nearest = ", ".join(difflib.get_close_matches(name, names(), n=3, cutoff=0.0))
        raise KeyError(f"no schema is called {name!r}; the nearest names are {nearest}")
    return _library()[name]


@lru_cache(maxsize=1)
def registry() -> Registry[Any]:
    """Every file under its `$id`, so that references between them resolve and nothing is ever fetched."""
    resources = ((schema["$id"], Resource[Any].from_contents(schema)) for schema in _library().values())
    return Registry[Any]().with_resources(resources).crawl()


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


@lru_cache(maxsize=1)
def _library() -> dict[str, Schema]:
    return dict(sorted(read(files("gateproof_schemas"))))
