"""The options that `pytest --gateway-url` and `gateproof run` share. Light: every pytest run of our users imports it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pytest

PREFIX = "gateproof_"

REPEATABLE = {"gateway_header", "gateway_model", "assume", "id", "pair", "mode"}
OPTIONS: tuple[tuple[str, str, str], ...] = (
    ("--gateway-url", "URL", "the gateway: an origin, or origin + /v1"),
    ("--gateway", "FILE", "a gateway.toml; options override it"),
    ("--gateway-configuration", "NAME", "as [configurations.NAME] of the gateway.toml says"),
    ("--gateway-key", "KEY", "the client's key"),
    ("--gateway-header", "NAME:VALUE", "a header of every request (repeatable)"),
    (
        "--gateway-model",
        "[PAIR=]MODEL",
        "the model, or that of one pair (repeatable); {case} in it becomes the case's marker",
    ),
    ("--upstream-listen", "HOST:PORT", "where the mock upstream listens (default 127.0.0.1:8089)"),
    ("--upstream-attach", "URL", "use a mock that already runs (`gateproof mock`)"),
    ("--upstream-token", "TOKEN", "the control token of the attached mock, if it has one"),
    ("--assume", "PAIR[,PAIR]", "skip the detection of dialects; these pairs are served"),
    ("--edition", "NAME", "the edition that counts (default: the newest)"),
    ("--baseline", "FILE", "known failures"),
    ("--id", "GLOB", "only these requirements, or checks by name (repeatable)"),
    ("--pair", "GLOB", "only these pairs, such as chat.* (repeatable)"),
    ("--mode", "MODE", "only stream, json or both (repeatable)"),
    ("--patience", "FACTOR", "scales every ceiling (default 1)"),
    ("--report-dir", "DIR", "where the report goes (default ./gateproof-report)"),
)
FLAGS: tuple[tuple[str, str], ...] = (
    ("--for-publication", "refuse to run until gateway.toml states each claim of the edition, yes or no"),
)
_NO = ("0", "false", "no")
"""What says of a flag in the environment that it is not set."""


def dest(flag: str) -> str:
    """The name of an option by its flag: `gateway_url`."""
    return flag.removeprefix("--").replace("-", "_")


def add_options(parser: pytest.Parser) -> None:
    """The options as pytest's, with an ini key each (`gateway_url`) and an environment variable (`GATEPROOF_GATEWAY_URL`)."""
    group = parser.getgroup("gateproof", "LLM gateway conformance (gateproof)")
    for flag, shown, words in OPTIONS:
        name = dest(flag)
        action = "append" if name in REPEATABLE else "store"
        group.addoption(flag, dest=PREFIX + name, metavar=shown, action=action, default=None, help=words)
        kind: Literal["linelist", "string"] = "linelist" if name in REPEATABLE else "string"
        parser.addini(_ini(name), words, type=kind, default=None)
    for flag, words in FLAGS:
        name = dest(flag)
        group.addoption(flag, dest=PREFIX + name, action="store_true", default=None, help=words)
        parser.addini(_ini(name), words, type="bool", default=False)
    # pytest has a --strict of its own; `gateproof run --strict` is this option.
    group.addoption(
        "--strict-should", dest=PREFIX + "strict", action="store_true", default=False, help="SHOULDs fail too"
    )


def _ini(name: str) -> str:
    return name if name.startswith(("gateway", "upstream")) else PREFIX + name


def option(config: pytest.Config, name: str) -> Any:
    """The value of an option: command line, then environment, then ini; None, or [] for a repeatable one, if nowhere.

    Of a flag: whether it is set.
    """
    given = config.getoption(PREFIX + name)
    if given is not None:
        return given
    found = from_environment(name)
    if found is False:
        return False
    return found or config.getini(_ini(name)) or ([] if name in REPEATABLE else None)


def from_environment(name: str) -> Any:
    """The value of an option in the environment; None, or [] for a repeatable one, if it is not there. Of a flag, yes or no."""
    found = os.environ.get(PREFIX.upper() + name.upper(), "")
    if name in REPEATABLE:
        return shlex.split(found)
    if found and any(name == dest(flag) for flag, _ in FLAGS):
        return found.lower() not in _NO
    return found or None


def active(config: pytest.Config) -> bool:
    """Whether this pytest run is to run the suite."""
    return bool(option(config, "gateway_url") or option(config, "gateway"))
