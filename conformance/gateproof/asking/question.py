"""A question, in no API's words: what a case asks on any surface, and what the upstream received in any dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from gateproof.answers.document import parse


@dataclass(frozen=True, slots=True)
class Words:
    """Text."""

    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """An image by its URL; one that came with the request has a base64 data URL, whatever the API calls its parts."""

    url: str


@dataclass(frozen=True, slots=True)
class Document:
    """A file that came with the request, in base64."""

    data: str
    media_type: str = "application/pdf"
    name: str = "paper.pdf"


@dataclass(frozen=True, slots=True)
class Strange:
    """What the upstream's API has no place for where it stood: no client's word, whatever it holds."""

    what: str


Part = Words | Picture | Document | Strange


@dataclass(frozen=True, slots=True)
class Said:
    """A message. `role`: system (also where an API says developer or instructions), user or assistant."""

    role: str
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Words))


@dataclass(frozen=True, slots=True)
class Called:
    """A call of an earlier turn; `arguments` is JSON text, also where the API has an object in its place."""

    id: str
    name: str
    arguments: str

    @property
    def value(self) -> Any:
        """The arguments as a value; none at all are an empty object."""
        try:
            return parse(self.arguments or "{}")
        except ValueError:
            return f"no JSON: {self.arguments!r}"


@dataclass(frozen=True, slots=True)
class Returned:
    """What the call with this id returned."""

    id: str
    parts: tuple[Part, ...]
    failed: bool = False

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Words))


@dataclass(frozen=True, slots=True)
class Thought:
    """Reasoning of an earlier turn: what was shown of it, and what only its provider can read."""

    text: str
    seal: str
    redacted: bool = False


Item = Said | Called | Returned | Thought | Strange


@dataclass(frozen=True, slots=True)
class Tool:
    """A function of the client's own. `parameters` is its JSON Schema, None where it takes nothing."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Whether the model must call. `mode`: auto, none, required, or named (then `names` is the one function)."""

    mode: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Format:
    """The shape that the answer's text must have. `kind`: text, json_object or json_schema."""

    kind: str
    name: str = ""
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One request. What an API has no word for is left out where it is written, and empty where it is read.

    `system` items that open the question are written where the surface has a place of its own for them. `effort` is a word;
    read from Messages it may be `budget 2048`.
    """

    items: tuple[Item, ...] = ()
    tools: tuple[Tool, ...] = ()
    choice: Choice | None = None
    parallel: bool | None = None
    format: Format | None = None
    limit: Any = None
    stop: tuple[str, ...] = ()
    effort: str = ""
    sampling: Mapping[str, Any] = field(default_factory=dict)
    """`temperature` and `top_p`: the two that all three APIs have."""

    def said(self, role: str) -> list[str]:
        """The text of each message of a role, in order; messages without text left out."""
        return [item.text for item in self.items if isinstance(item, Said) and item.role == role and item.text]

    @property
    def calls(self) -> list[Called]:
        return [item for item in self.items if isinstance(item, Called)]

    @property
    def results(self) -> list[Returned]:
        return [item for item in self.items if isinstance(item, Returned)]

    @property
    def thoughts(self) -> list[Thought]:
        return [item for item in self.items if isinstance(item, Thought)]

    @property
    def parts(self) -> list[Part]:
        """Everything that was said or returned, in order."""
        return [part for item in self.items if isinstance(item, Said | Returned) for part in item.parts]

    @property
    def pictures(self) -> list[str]:
        """The URLs of all images, wherever they stand."""
        return [part.url for part in self.parts if isinstance(part, Picture)]

    @property
    def strange(self) -> list[str]:
        """What had no place, in order."""
        found = [*self.items, *self.parts]
        return [one.what for one in found if isinstance(one, Strange)]


def user(*parts: str | Part) -> Said:
    """What the user says; strings are words."""
    return Said("user", _parts(parts))


def assistant(*parts: str | Part) -> Said:
    """What the model said in an earlier turn."""
    return Said("assistant", _parts(parts))


def system(*parts: str) -> Said:
    """An instruction."""
    return Said("system", _parts(parts))


def developer(*parts: str) -> Said:
    """An instruction, in the word that OpenAI's APIs have for it since 2024."""
    return Said("developer", _parts(parts))


def returned(id: str, *parts: str | Part, failed: bool = False) -> Returned:
    """What a tool returned."""
    return Returned(id, _parts(parts), failed)


def _parts(parts: tuple[str | Part, ...]) -> tuple[Part, ...]:
    return tuple(Words(part) if isinstance(part, str) else part for part in parts)


def marked(question: Question, mark: str) -> Question:
    """The question with its marker at the end of the user's first words. Raises ValueError if the user says nothing."""
    for at, item in enumerate(question.items):
        if isinstance(item, Said) and item.role == "user":
            for number, part in enumerate(item.parts):
                if isinstance(part, Words):
                    parts = (*item.parts[:number], Words(part.text + mark), *item.parts[number + 1 :])
                    items = (*question.items[:at], Said("user", parts), *question.items[at + 1 :])
                    return replace(question, items=items)
    raise ValueError("a question must have words of the user, to carry its marker")
