"""The command that a run was started with, to be given again for one of its checks."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateproof.options import OPTIONS, PREFIX

if TYPE_CHECKING:
    import pytest

_SECRETS = ("--gateway-key", "--gateway-header", "--upstream-token")
_OF_THIS_RUN = ("--id", "--pair", "--mode", "--report-dir")
"""What chose the checks of this run, and where its report went: a single check must not replace that."""


@dataclass(frozen=True, slots=True)
class StartedAs:
    """Registered as a plugin by the commands that start pytest. `takes_options`: those of the suite, as pytest does."""

    command: str
    takes_options: bool


def again(config: pytest.Config) -> str:
    """The command for a shell, without its selection; a secret is a variable. What the environment holds is not repeated."""
    found = (p for p in config.pluginmanager.get_plugins() if isinstance(p, StartedAs))
    started = next(found, StartedAs("pytest", takes_options=True))
    words = [started.command]
    for flag, _, _ in OPTIONS if started.takes_options else ():
        if flag in _OF_THIS_RUN:
            continue
        given = config.getoption(PREFIX + flag[2:].replace("-", "_"))
        for value in given if isinstance(given, list) else [given] if given else []:
            shown = f'"${flag[2:].replace("-", "_").upper()}"' if flag in _SECRETS else shlex.quote(value)
            words += [flag, shown]
    return " ".join(words)
