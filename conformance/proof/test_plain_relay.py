"""A second opinion: a relay that knows nothing of APIs, in front of the mock on pairs of the same dialect, passes what a relay
can. Whatever else it fails would be a demand that a right and transparent gateway does not meet: a wrong red of ours."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from whole_runs import command

RELAY = Path(__file__).parents[1] / "tests" / "plain_relay.py"

CANNOT = {
    # It has no opinion of its own: what is wrong upstream stays as it is.
}
