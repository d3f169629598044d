"""Which path is what: aliases, trailing slashes, subpaths; everything else does not exist (sub2api#2972)."""

from dataclasses import dataclass
from typing import Literal

CHAT = ("/v1/chat/completions", "/chat/completions")
RESPONSES = ("/v1/responses", "/responses", "/backend-api/codex/responses")
MESSAGES = ("/v1/messages", "/messages")
MODELS = ("/v1/models", "/models")
HEALTH = ("/health",)

COMPACT = "/compact"
COUNT = "/count_tokens"

Kind = Literal["turn", "compact", "count", "subpath", "models", "health"]


@dataclass(frozen=True, slots=True)
class Route:
    """Where a path leads. `rest` is what follows the base of a subpath, with its leading slash.

    `methods` is empty if every method is the upstream's business.
    """

    kind: Kind
    surface: str = ""
    methods: tuple[str, ...] = ("POST",)
    rest: str = ""


GET = ("GET", "HEAD")


def find(path: str) -> Route | None:
    """Return the route of a decoded path, None if there is none. One trailing slash is no difference."""
    bare = path.removesuffix("/")
    if bare in CHAT:
        return Route("turn", "chat")
    if bare in RESPONSES:
        return Route("turn", "responses")
    if bare in MESSAGES:
        return Route("turn", "messages")
    if bare.endswith(COUNT) and bare.removesuffix(COUNT) in MESSAGES:
        return Route("count", "messages")
    if bare in MODELS:
        return Route("models", methods=GET)
    if bare in HEALTH:
        return Route("health", methods=GET)
    for base in RESPONSES:
        if bare == base + COMPACT:
            return Route("compact", "responses")
        # The slash matters: /v1/responsesfoo is another word, and not a subpath.
        if bare.startswith(base + "/"):
            return subpath(bare.removeprefix(base))
    return None


def subpath(rest: str) -> Route | None:
    """Return the route of a path below responses. One that climbs out of it would use our key elsewhere: None."""
    climbs = any(part in ("", ".", "..") for part in rest[1:].split("/"))
    return None if climbs else Route("subpath", "responses", methods=(), rest=rest)
