"""What a called path means, and which of a request's headers carries its key.

Every form is one that a provider documents, in full: a path that merely ends like one, such as `/v1/v1/responses`, is a
base URL configured wrong, and has to stay a 404 to be found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote


@dataclass(frozen=True, slots=True)
class Route:
    """What a called path means: the dialect (or `models`, whose form depends on the caller), and what is asked of it.

    `kind`: `turn`, `compact`, `count` (of tokens), `models` (the list), `model` (one of them), or `subpath` for what else
    stands under a documented path. `name`: the model's id, or the name of Azure's deployment; "" when the path has none.
    """

    dialect: str
    kind: str
    name: str = ""


METHODS: Mapping[str, tuple[str, ...]] = {
    "turn": ("POST",),
    "compact": ("POST",),
    "count": ("POST",),
    "models": ("GET", "HEAD"),
    "model": ("GET", "HEAD"),
}
"""What may be asked of a kind of route; of a subpath, anything."""

# OpenAI's own, with and without the version (gateways that add it or do not), Azure's v1 surface and Groq's, OpenRouter's.
_OPENAI = ("/v1", "", "/openai/v1", "/api/v1")
# Anthropic's own, and where Azure, DeepSeek and others have the dialect beside their first one.
_ANTHROPIC = ("/v1", "", "/api/v1", "/anthropic/v1", "/anthropic")

_CHAT = tuple(f"{prefix}/chat/completions" for prefix in _OPENAI)
_RESPONSES = tuple(f"{prefix}/responses" for prefix in (*_OPENAI, "/openai", "/backend-api/codex"))
_MESSAGES = tuple(f"{prefix}/messages" for prefix in _ANTHROPIC)
_MODELS = tuple(f"{prefix}/models" for prefix in dict.fromkeys((*_OPENAI, *_ANTHROPIC)))
_DEPLOYMENTS = "/openai/deployments/"

_TURNS = dict.fromkeys(_CHAT, "chat") | dict.fromkeys(_RESPONSES, "responses") | dict.fromkeys(_MESSAGES, "messages")
_FIXED: dict[str, Route] = (
    {path: Route(dialect, "turn") for path, dialect in _TURNS.items()}
    | {f"{path}/compact": Route("responses", "compact") for path in _RESPONSES}
    | {f"{path}/count_tokens": Route("messages", "count") for path in _MESSAGES}
    | {path: Route("models", "models") for path in _MODELS}
)
# Chat Completions has documented subpaths too (stored completions), but no gateway under test speaks them.
_BASES = (*_RESPONSES, *_MESSAGES, *_MODELS)


def route(path: str) -> Route | None:
    """The route of a path as it stands in the request line, without its query. One trailing slash is no difference."""
    bare = path.removesuffix("/")
    return _FIXED.get(bare) or _deployment(bare) or _below(bare)


def credential(headers: Iterable[tuple[str, str]]) -> str:
    """The key that the caller sent: the bearer token, else Anthropic's `x-api-key`, else Azure's `api-key`; "" for none."""
    found = {"authorization": "", "x-api-key": "", "api-key": ""}
    for name, value in headers:
        key = name.lower()
        if not found.get(key, "-"):
            found[key] = value.strip()
    scheme, _, token = found["authorization"].partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    return bearer or found["x-api-key"] or found["api-key"]


def _deployment(bare: str) -> Route | None:
    """Azure's form of Chat Completions, with the deployment in the path and the version in the query."""
    if not bare.startswith(_DEPLOYMENTS):
        return None
    name, _, rest = bare.removeprefix(_DEPLOYMENTS).partition("/")
    return Route("chat", "turn", unquote(name)) if name and rest == "chat/completions" else None


def _below(bare: str) -> Route | None:
    """What stands below a documented path. A path that climbs out of it, or has an empty part, is no such thing."""
    base = next((base for base in _BASES if bare.startswith(base + "/")), "")
    if not base or any(part in ("", ".", "..") for part in bare[len(base) + 1 :].split("/")):
        return None
    if base in _MODELS:
        return Route("models", "model", unquote(bare[len(base) + 1 :]))
    return Route(_TURNS[base], "subpath")
