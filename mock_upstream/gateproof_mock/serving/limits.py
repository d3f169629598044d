"""What every server of the mock keeps to."""

from __future__ import annotations

from urllib.parse import urlsplit

BODY_LIMIT = 64 * 1024 * 1024
"""Bytes of a request body on a dialect's route."""

BARRIER_CEILING = 30.0
"""Seconds after which a barrier that nobody releases lets go."""


def checked_ceiling(seconds: float) -> float:
    """A barrier's ceiling. Raises ValueError for what is no number of seconds up to a day."""
    if not 0 <= seconds <= 86_400:
        raise ValueError(f"barrier_ceiling: expected 0 to 86400 seconds, got {seconds!r}")
    return seconds


def checked_port(port: int) -> int:
    """Raises ValueError for what is no port."""
    if not isinstance(port, int) or not 0 <= port <= 65535:
        raise ValueError(f"port: expected 0 to 65535, got {port!r}")
    return port


LONGEST_WAIT = 3600.0
"""Seconds; a longer wait than this is a test that hangs."""


def bounded(within: float) -> float:
    """Seconds to wait, an hour at most. Raises ValueError for what is no number of seconds."""
    if not within >= 0:
        raise ValueError(f"expected a number of seconds to wait, got {within!r}")
    return min(within, LONGEST_WAIT)


def target_of(target: str) -> str:
    """A request's target as it begins with a slash; the absolute form, which every server must take, is brought to it."""
    return target if target.startswith("/") else "/" + target.partition("://")[2].partition("/")[2]


def path_of(target: str) -> str:
    """The path of a request's target, without its query."""
    return target_of(target).split("?", 1)[0]


def target_problem(target: str) -> str:
    """Why a request's target is no URL, as a sentence; "" when it is one."""
    try:
        urlsplit(target)
    except ValueError as error:
        return f"The request target is no URL: {error}"
    return ""


def unknown_path(path: str) -> str:
    """What to say about a path that nobody serves: most often it is a base URL that is configured wrong."""
    said = f"The mock upstream serves nothing at {path[:100]}."
    if "/v1/v1" in path:
        return f"{said} The base URL has /v1 once too often."
    if path.startswith("/_gateproof"):
        return f"{said} The control API's routes begin with /_gateproof/, such as /_gateproof/health."
    return f"{said} Its API base ends in /v1: /v1/responses, /v1/chat/completions, /v1/messages, /v1/models."
