"""What one API allows more of than another: longer names of tools, more stop sequences, longer numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.asking.question import Question, Tool, user
from gateproof.cases.contested import is_documented, is_refusal
from gateproof.cases.reading import assert_calls
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text, tool_call

ASKED = (user("What now?"),)
PATH: dict[str, Any] = {"type": "object", "properties": {"path": {"type": "string"}}}

# As an agent names the tools of its servers: alike up to the 90th character.
LONG = tuple(
    f"mcp__documents_of_the_whole_department__read_one_file_of_the_folder_by_its_path_version_{n:03}" for n in (1, 2)
)


@case("request.long-names-go-round-or-are-refused")
def long_names_go_round_or_are_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    tools = tuple(Tool(name, f"Reads the file of {name[-3:]}.", PATH) for name in LONG)
    upstream.says(text("Under", "stood."))

    answer = ask(Question(ASKED, tools))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    # Known by their descriptions: in what order they come is the gateway's own.
    known = {tool.description: tool.name for tool in ask.received.tools}
    names = [known.get(tool.description, "") for tool in tools]
    assert len({*names} - {""}) == len(LONG), f"two tools of {len(LONG[0])} characters became {names}"
    upstream.says(tool_call(names[1], '{"path": "a"}'))

    answer = ask(Question(ASKED, tools))

    assert_calls(answer, check, (LONG[1], '{"path": "a"}'))
    check.chose("whole" if names == list(LONG) else "mapped")


STOPS = ("###", "\n\nEND", "<done>", "Observation:", "Human:")


@case("request.every-stop-sequence-counts")
def every_stop_sequence_counts(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(text("One. ", "Two. ", STOPS[-1], " Three."))

    answer = ask(Question(ASKED), stop_sequences=list(STOPS))

    if is_refusal(ask, answer):
        check.chose("refused")
    elif sorted(map(repr, ask.received.stop or ())) == sorted(map(repr, STOPS)):
        check.chose("mapped")
    elif answer.text.rstrip() == "One. Two.":
        check.chose("emulated")
    else:
        assert is_documented(check, claims, "stop_sequences"), (
            f"of {len(STOPS)} stop sequences came {list(ask.received.stop or ())}, and the text goes on"
        )
        check.chose("left out")


@case("tools.long-numbers-keep-their-digits")
def long_numbers_keep_their_digits(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    given = '{"id": 1234567890123456789, "at": 0.1}'
    upstream.says(tool_call("get_user", given))

    answer = ask(offers=("get_user",))

    assert_calls(answer, check, ("get_user", given))
