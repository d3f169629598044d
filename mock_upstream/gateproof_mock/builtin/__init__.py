"""Scripts that are there already, addressed by a word in the prompt alone: `gp-play-NAME`, or `gp-play-NAME.SEED`.

The seed varies words, counts and where the pieces break. The same name and seed are the same script in every process and
every Python.

Further ones are functions of a `Dice` with the `builtin` decorator, in one of the modules below, each with one line that
says what it plays and which real thing does so.
"""

from gateproof_mock.builtin import awkward, benches, endings, habits, refusals, said
from gateproof_mock.builtin.registry import PATTERN, SEED_LIMIT, describe, find, names, script

__all__ = [
    "PATTERN",
    "SEED_LIMIT",
    "awkward",
    "benches",
    "describe",
    "endings",
    "find",
    "habits",
    "names",
    "refusals",
    "said",
    "script",
]
