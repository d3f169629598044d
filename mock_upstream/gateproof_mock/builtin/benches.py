"""For measuring: how many, how large, how fast."""

from __future__ import annotations

from gateproof_mock.builtin.dice import WORDS, Dice
from gateproof_mock.builtin.registry import builtin
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import hold, text, usage
from gateproof_mock.language.wire import Wire

_ROUND = 100


@builtin("text")
def small(dice: Dice) -> Script:
    """A small answer of a few deltas: what a chat is mostly made of."""
    return script(
        text(*dice.pieces(f"Hello! {dice.sentence()}", 3, 5)), usage(dice.between(9, 40), dice.between(5, 20))
    )


@builtin("deltas-1000")
def deltas_1000(dice: Dice) -> Script:
    """1000 deltas of one short word, each in its own write: a long answer of a fast provider."""
    return _deltas(dice, 1000)


@builtin("deltas-1000-together")
def deltas_1000_together(dice: Dice) -> Script:
    """1000 deltas of one short word, 16 to a write: the same behind a proxy that buffers."""
    return _deltas(dice, 1000, Wire(together=16))


@builtin("deltas-10000")
def deltas_10000(dice: Dice) -> Script:
    """10,000 deltas of one short word: the longest answers that models give."""
    return _deltas(dice, 10_000)


@builtin("line-1mib")
def line_1mib(dice: Dice) -> Script:
    """One delta of 1 MiB, a single `data:` line: more than many readers' line buffers hold (64 KiB in Go and asyncio)."""
    return _line(dice, 1)


@builtin("line-8mib")
def line_8mib(dice: Dice) -> Script:
    """One delta of 8 MiB, a single `data:` line: generated images and files come so."""
    return _line(dice, 8)


@builtin("paced-100")
def paced_100(dice: Dice) -> Script:
    """100 deltas with 20 ms between two writes: a model at its usual speed."""
    return _deltas(dice, 100, Wire(pace=0.02))


@builtin("held")
def held(dice: Dice) -> Script:
    """One delta, the barrier `held`, and then the rest: whether the first word is delivered before the last is said."""
    return script(text(f"{dice.pick(WORDS)} "), hold("held"), text(*dice.pieces(dice.sentence())))


def _deltas(dice: Dice, count: int, wire: Wire | None = None) -> Script:
    # Words of five letters, so that all seeds weigh the same.
    words = [w for w in WORDS if len(w) == 5]
    said = text(*(f"{dice.pick(words)} " for _ in range(_ROUND)), times=count // _ROUND)
    return script(said, usage(dice.between(9, 40), count), wire=wire)


def _line(dice: Dice, size: int) -> Script:
    # 64 characters, so that any number of MiB is a whole number of them.
    line = (dice.words(16, 16) + " ")[:63] + " "
    return script(text(line, stretch=size * 1024 * 1024 // len(line)), usage(dice.between(9, 40), size * 200_000))
