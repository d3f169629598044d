"""Which calls a script is for, where that is not said by a marker in the prompt."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any, Protocol

from gateproof_mock.jsontext import DEPTH_LIMIT, too_deep
from gateproof_mock.language.errors import ScriptError, below, known, one_of, short, wrong

DIALECTS = ("chat", "messages", "responses")
CONTAINS = "contains"

_WORDS = ("dialect", "model", "path", "method", "key")


class Asking(Protocol):
    """What a rule looks at. `path` may have its query; `headers` are as they came."""

    @property
    def dialect(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def headers(self) -> Sequence[tuple[str, str]]: ...
    @property
    def credential(self) -> str: ...
    @property
    def body(self) -> Mapping[str, Any]: ...
    @property
    def stream(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class When:
    """A call matches when everything that is given here is true of it; an empty rule matches every call.

    `dialect`: chat, messages or responses. `model`, `path` (without its query) and the values of `headers` (any case of
    the name; one of its values is enough) are globs of `*`, `?` and `[...]`. `method`: any case. `key`: the caller's
    credential, exactly; no message and no repr shows it. `stream`: whether an event stream is asked for.

    `body`: a fragment that the request has to hold. An object: these keys with such values, among others. A list: each
    of these elements is held by some element. A string, a number, true, false, null: the same; and `{"contains": "word"}`
    is held by a string that has the word in it.

    `test`, in Python only: a function of the request's body.
    """

    dialect: str = ""
    model: str = ""
    path: str = ""
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    key: str = field(default="", repr=False)
    stream: bool | None = None
    body: Mapping[str, Any] | None = None
    test: Callable[[Mapping[str, Any]], bool] | None = None

    def __post_init__(self) -> None:
        _check({f.name: getattr(self, f.name) for f in fields(self)}, "when")

    def matches(self, call: Asking) -> bool:
        """Whether the script is for this call. Raises ScriptError if `test` raises."""
        return (
            self.dialect in ("", call.dialect)
            and self.method.upper() in ("", call.method.upper())
            and self.stream in (None, call.stream)
            and _glob(self.path, call.path.partition("?")[0])
            and _glob(self.model, call.body.get("model"))
            and all(_has_header(call.headers, name, value) for name, value in self.headers.items())
            and (not self.key or hmac.compare_digest(_bytes(self.key), _bytes(call.credential)))
            and (self.body is None or holds(call.body, self.body))
            and self._passes(call.body)
        )

    def _passes(self, body: Mapping[str, Any]) -> bool:
        if self.test is None:
            return True
        try:
            return bool(self.test(body))
        except Exception as error:
            name = getattr(self.test, "__qualname__", repr(self.test))
            raise ScriptError(f"when.test ({name}) raised {type(error).__name__}: {short(str(error))}") from error

    def to_json(self) -> dict[str, Any]:
        """The JSON form, the key included: for the control API, not for people. Raises ScriptError if there is a `test`."""
        if self.test is not None:
            raise ScriptError("when.test: a function has no JSON form; use `body`", "when.test")
        out: dict[str, Any] = {name: getattr(self, name) for name in _WORDS if getattr(self, name)}
        if self.headers:
            out["headers"] = dict(self.headers)
        if self.stream is not None:
            out["stream"] = self.stream
        return out | ({} if self.body is None else {"body": dict(self.body)})

    @classmethod
    def from_json(cls, data: object, path: str = "when") -> When:
        """Read the JSON form. Raises ScriptError."""
        if not isinstance(data, Mapping):
            raise wrong(path, f'expected an object such as {{"model": "gpt-*"}}, got {short(data)}')
        known(data, [f.name for f in fields(cls) if f.name != "test"], path)
        for name in data:
            if data[name] is None or data[name] == "":
                raise wrong(below(path, name), f"expected a value, or no such key, got {short(data[name])}")
        _check(data, path)
        return cls(**data)


def holds(actual: object, wanted: object) -> bool:
    """Whether a JSON value holds this fragment; see `When.body`."""
    if isinstance(wanted, Mapping):
        if isinstance(actual, str):
            word = wanted.get(CONTAINS)
            return len(wanted) == 1 and isinstance(word, str) and word in actual
        return isinstance(actual, Mapping) and all(k in actual and holds(actual[k], v) for k, v in wanted.items())
    if isinstance(wanted, list | tuple):
        return isinstance(actual, list | tuple) and all(any(holds(a, w) for a in actual) for w in wanted)
    # In Python true is 1.
    return isinstance(wanted, bool) == isinstance(actual, bool) and actual == wanted


def _glob(pattern: str, word: object) -> bool:
    return not pattern or (isinstance(word, str) and fnmatchcase(word, pattern))


def _has_header(headers: Sequence[tuple[str, str]], name: str, pattern: str) -> bool:
    return any(key.lower() == name.lower() and fnmatchcase(value, pattern) for key, value in headers)


def _bytes(word: str) -> bytes:
    return word.encode("utf-8", "surrogatepass")


def _check(given: Mapping[str, Any], path: str) -> None:
    for name in _WORDS:
        if not isinstance(given.get(name, ""), str):
            # A wrong key may be a secret all the same.
            shown = "" if name == "key" else f", got {short(given[name])}"
            raise wrong(below(path, name), f"expected a string{shown}")
    if given.get("dialect") and (problem := one_of(given["dialect"], DIALECTS)):
        raise wrong(below(path, "dialect"), f"{problem}, got {short(given['dialect'])}")
    _check_headers(given.get("headers", {}), below(path, "headers"))
    stream, body, test = given.get("stream"), given.get("body"), given.get("test")
    if stream is not None and not isinstance(stream, bool):
        raise wrong(below(path, "stream"), f"expected true or false, got {short(stream)}")
    if body is not None and not isinstance(body, Mapping):
        raise wrong(below(path, "body"), f"expected an object that the request holds, got {short(body)}")
    if too_deep(body):
        raise wrong(below(path, "body"), f"expected JSON of {DEPTH_LIMIT} levels at most")
    if test is not None and not callable(test):
        raise wrong(below(path, "test"), f"expected a function of the request's body, got {short(test)}")


def _check_headers(headers: object, path: str) -> None:
    if not isinstance(headers, Mapping):
        raise wrong(path, f"expected an object of names and globs, got {short(headers)}")
    for name, value in headers.items():
        if not isinstance(name, str) or not name:
            raise wrong(path, f"expected header names, not {short(name)}")
        if not isinstance(value, str):
            raise wrong(below(path, name), f"expected a string, got {short(value)}")
