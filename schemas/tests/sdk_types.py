"""What the types of the official SDKs say, in the terms of JSON: responses are pydantic models, requests TypedDicts."""

import datetime
import types
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, NotRequired, Required, Union, get_args, get_origin

import pydantic
from typing_extensions import get_type_hints, is_typeddict

ANYTHING = frozenset({"string", "integer", "number", "boolean", "null", "array", "object"})
_SCALARS: dict[Any, set[str]] = {
    str: {"string"},
    int: {"integer"},
    float: {"integer", "number"},
    bool: {"boolean"},
    type(None): {"null"},
    bytes: {"string"},
    datetime.datetime: {"string"},
    datetime.date: {"string"},
}


@dataclass(frozen=True)
class Shape:
    """What one annotation allows.

    `words` is the closed list of strings, None if any string goes; `models` the types of objects, `free` whether an
    object may have any keys; `items` the annotations of an array's items.
    """

    kinds: frozenset[str]
    words: frozenset[str] | None
    models: tuple[Any, ...]
    free: bool
    items: tuple[Any, ...]


@dataclass(frozen=True)
class Field:
    """`null_is_unsaid`: a response model writes every key that need not be there as `Optional[...] = None`."""

    annotation: Any
    required: bool
    null_is_unsaid: bool = False


def members(annotation: Any) -> Iterator[Any]:
    """The members of a union, however it is wrapped and nested; the annotation itself if it is none."""
    origin = get_origin(annotation)
    if origin in (Annotated, Required, NotRequired):
        yield from members(get_args(annotation)[0])
    elif origin in (Union, types.UnionType):
        for member in get_args(annotation):
            yield from members(member)
    elif hasattr(annotation, "__value__"):
        yield from members(annotation.__value__)
    else:
        yield annotation


def shape(annotation: Any) -> Shape:
    kinds: set[str] = set()
    words: set[str] = set()
    any_word, free = False, False
    models: list[Any] = []
    items: list[Any] = []
    for member in members(annotation):
        origin = get_origin(member)
        if member in (Any, object):
            kinds, any_word, free = kinds | ANYTHING, True, True
        elif origin is Literal:
            for value in get_args(member):
                kinds |= _SCALARS[type(value)]
                words |= {value} if isinstance(value, str) else set()
        elif is_model(member):
            kinds.add("object")
            models.append(member)
        elif member is dict or (isinstance(origin, type) and issubclass(origin, Mapping)):
            kinds.add("object")
            free = True
        elif member in (list, tuple) or (isinstance(origin, type) and issubclass(origin, Iterable)):
            kinds.add("array")
            items += get_args(member)[:1]
        elif member in _SCALARS:
            kinds |= _SCALARS[member]
            any_word |= "string" in _SCALARS[member]
        elif getattr(member, "__name__", "") in ("Base64FileInput", "PathLike") or origin is not None:
            # Files that the SDK reads and encodes: on the wire they are strings.
            kinds.add("string")
            any_word = True
        else:
            raise TypeError(f"an annotation of an unknown kind: {member!r}")
    closed = None if any_word or not words else frozenset(words)
    return Shape(frozenset(kinds), closed, tuple(models), free, tuple(items))


def is_model(annotation: Any) -> bool:
    return is_typeddict(annotation) or (isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel))


@cache
def fields(model: Any) -> Mapping[str, Field]:
    """The fields of a model by their names on the wire."""
    if not is_typeddict(model):
        return {
            field.alias or name: Field(field.annotation, field.is_required(), not field.is_required())
            for name, field in model.model_fields.items()
        }
    found: dict[str, Field] = {}
    for name, annotation in get_type_hints(model, include_extras=True).items():
        found[_alias(annotation) or name] = Field(annotation, _is_required(annotation))
    return found


def constants(model: Any) -> dict[str, str]:
    """The fields that can have one value only: what a model is told by."""
    told = {name: shape(field.annotation) for name, field in fields(model).items()}
    return {name: next(iter(one.words)) for name, one in told.items() if one.words and len(one.words) == 1}


def _is_required(annotation: Any) -> bool:
    return get_origin(annotation) is Required or (
        get_origin(annotation) is Annotated and _is_required(get_args(annotation)[0])
    )


def _alias(annotation: Any) -> str | None:
    """What PropertyInfo(alias=...) says, wherever in the annotation it stands."""
    if get_origin(annotation) is Annotated:
        for note in get_args(annotation)[1:]:
            if alias := getattr(note, "alias", None):
                return str(alias)
    if get_origin(annotation) in (Annotated, Required, NotRequired):
        return _alias(get_args(annotation)[0])
    return None
