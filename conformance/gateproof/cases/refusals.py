"""What must not be taken for the model's ordinary word: a refusal after text, and a call whose arguments are broken."""

from __future__ import annotations

from gateproof.answers.answer import Answer
from gateproof.cases.reading import value_of
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import completed, refusal, text, tool_call

SAID, WONT = "Let me see.", "I will not."


@case("content.refusals-stay-apart")
def refusals_stay_apart(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text(SAID), refusal(WONT))

    answer = ask()

    # That all of the words come is content.refusal-arrives and mix.turns-arrive-whole.
    assert answer.outcome == "complete", repr(answer)
    assert WONT not in answer.text, f"the text is {answer.text!r}, the refusal {answer.refusal!r}"
    assert SAID not in answer.refusal, f"the text is {answer.text!r}, the refusal {answer.refusal!r}"


BROKEN = ('{"path": "/tm', '{"path": "/tmp/a", "text": }', "rm -r /tmp/a")
"""Arguments of a turn that the upstream ended as usual: cut short, with a hole, and no JSON from the beginning."""


@case("tools.broken-arguments-are-not-run")
def broken_arguments_are_not_run(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for broken in BROKEN:
        upstream.says(tool_call("write_file", broken), completed())

        answer = ask()

        if answer.failed:
            check.chose("error")
            continue
        if not answer.tool_calls and broken in answer.text:
            check.chose("as they are")
            continue
        assert answer.tool_calls, f"{broken}: the turn ended well and without its call: {answer!r}"
        assert _kept(answer, broken), f"{broken}: the client is to run {answer.calls!r}"
        check.chose("as they are")


def _kept(answer: Answer, broken: str) -> bool:
    """Whether the one call has these very characters, as its text or as a string in its object."""
    told = [arguments for _, arguments in answer.calls]
    if len(told) != 1:
        return False
    value = value_of(told[0])
    return told[0] == broken or (
        isinstance(value, dict) and broken in [v for v in value.values() if isinstance(v, str)]
    )
