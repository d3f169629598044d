"""What clients send back of earlier answers: thoughts, and whole answers as the SDKs dump them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.apis import WRITERS
from gateproof.asking.order import misplaced
from gateproof.asking.question import Called, Item, Question, Returned, Thought, Tool, assistant, returned, user
from gateproof.asking.reading import entries, text_of
from gateproof.cases.contested import is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import reasoning, text, tool_call

ANSWER = text("Under", "stood.")
TOOLS = (Tool("get_weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}}),)
CALL = Called("call_9aXqweather", "get_weather", '{"city": "Oslo"}')
RESULT = returned(CALL.id, "Sunny there.")

SEAL = "EqQBCgIYAhIM" + "A/b+C=" * 20 + "=="
IDEA, DOUBT = "Look at the sky first.", "Tomorrow is another day."
TAGGED = re.compile(r"<(think|thinking)>.*?</\1>", re.DOTALL)
"""How many models' templates write a thought among the words. They take it out again: it is told as a thought."""


def _told(found: Question) -> list[str]:
    """The words of everybody, and of the tools, without thoughts that are marked as such."""
    spoken = [words for role in ("system", "user", "assistant") for words in found.said(role)]
    return [TAGGED.sub("", words).strip() for words in [*spoken, *(result.text for result in found.results)]]


@case("request.earlier-thoughts-do-no-harm")
def earlier_thoughts_do_no_harm(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    first, second = Thought(IDEA, SEAL), Thought(DOUBT, SEAL)
    histories: dict[str, tuple[Item, ...]] = {
        "before a call": (user("Oslo?"), first, CALL, RESULT),
        "before a call, and before words": (
            *(user("Oslo?"), first, assistant("Let me look."), CALL, RESULT),
            *(second, assistant("It is sunny."), user("And tomorrow?")),
        ),
        "of which only the seal is told": (user("Oslo?"), Thought("", SEAL), CALL, RESULT, user("So?")),
    }
    if check.surface == "messages":
        # What translators send as thinking often has no signature.
        histories["without a seal"] = (user("Oslo?"), Thought(IDEA, ""), CALL, RESULT, user("So?"))
        redacted = Thought("", "EmwKAhgBEgy3va3pzix/LafPsn4a", redacted=True)
        histories["redacted"] = (user("Oslo?"), redacted, first, CALL, RESULT, user("So?"))
    for what, items in histories.items():
        asked = Question(items, TOOLS)

        answer = ask(asked)

        # As the providers do with a seal that is none of theirs. A gateway's own are request.answers-come-back-as-they-were.
        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        assert answer.outcome == "complete", f"thoughts {what}: {answer!r}"
        found = ask.received
        leaked = [words for words in _told(found) for thought in (IDEA, DOUBT) if thought in words]
        assert not leaked, f"thoughts {what} are told as words: {leaked}"
        said = [words for spoken in found.said("assistant") if (words := TAGGED.sub("", spoken).strip())]
        assert said == asked.said("assistant"), f"thoughts {what}: the assistant said {said}"
        assert found.said("user") == asked.said("user"), f"thoughts {what}: the user said {found.said('user')}"
        _assert_called(found, [(CALL.name, CALL.value)], [RESULT], what=f"thoughts {what}")
        assert misplaced(check.dialect, ask.received_body) == [], f"thoughts {what}"
        check.chose("served")


def _assert_called(found: Question, calls: list[tuple[str, Any]], results: list[Returned], *, what: str) -> None:
    made = [(call.name, call.value) for call in found.calls]
    assert made == calls, f"{what}: of the calls {calls} came {made}"
    pairs = [(call.id, result.id) for call, result in zip(found.calls, found.results, strict=False)]
    assert len(pairs) == len(found.results) == len(results), f"{what}: of {results} came {found.results}"
    assert all(call == result for call, result in pairs), f"{what}: the ids of calls and results are {pairs}"
    for came, sent in zip(found.results, results, strict=True):
        assert sent.text in came.text, f"{what}: of the result {sent.text!r} came {came.text!r}"


SAID = "It depends on the day."
ANSWERS = {
    "words": (text("It depends ", "on the day."),),
    "words and a call": (text("It depends ", "on the day."), tool_call(CALL.name, CALL.arguments, id=CALL.id)),
    "reasoning, words and a call": (
        reasoning(full=("Look at the sky first.",)),
        *(text("It depends ", "on the day."), tool_call(CALL.name, CALL.arguments, id=CALL.id)),
    ),
}

DUMPED: Mapping[str, Any] = {"refusal": None, "annotations": []}
"""What OpenAI's answers have beside their words, and the guides' loops send back."""

ALL_OF_IT: Mapping[str, Any] = {"tool_calls": None, "function_call": None, "audio": None}
"""What model_dump() adds: every member that a message may have. OpenAI has refused tool_calls that hold none, so that a
gateway may, too; but it is no fault of the gateway's own."""


@case("request.answers-come-back-as-they-were")
def answers_come_back_as_they_were(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for what, turn in ANSWERS.items():
        upstream.says(*turn)
        first = ask(Question((user("Oslo?"),), TOOLS))
        assert first.outcome == "complete", f"{what}: {first!r}"
        results = [returned(text_of(call.id), "Sunny there.") for call in first.tool_calls]
        upstream.says(ANSWER)
        for kept, may_be_refused in _as_sent_back(check.surface, first):
            answer = ask(body=_second(check.surface, kept, results))

            if may_be_refused and is_refusal(ask, answer):
                continue
            assert answer.outcome == "complete", f"{what}, sent back as {kept!r:.300}: {answer!r}"
            found = ask.received
            said = "\n".join(found.said("assistant"))
            assert SAID in said, f"{what}: of what the assistant had said came {said!r}"
            assert found.said("user") == ["Oslo?", "And tomorrow?"], f"{what}: the user said {found.said('user')}"
            _assert_called(found, [(CALL.name, CALL.value) for _ in results], results, what=what)
            assert misplaced(check.dialect, ask.received_body) == [], what


def _as_sent_back(surface: str, answer: Answer) -> list[tuple[list[Any], bool]]:
    """The answer as entries of the next request, and whether they may be refused."""
    if surface == "responses":
        return [(entries(dig(answer.body, "output")), False)]
    if surface == "messages":
        blocks = entries(dig(answer.body, "content"))
        dumped = [{"citations": None, **block} if dig(block, "type") == "text" else block for block in blocks]
        return [([{"role": "assistant", "content": content}], False) for content in (blocks, dumped)]
    choices = entries(dig(answer.body, "choices"))
    message = dig(choices[0], "message") if choices else None
    said = message if isinstance(message, dict) else {}
    return [([{**DUMPED, **said}], False), ([{**DUMPED, **ALL_OF_IT, **said}], True)]


def _second(surface: str, kept: list[Any], results: list[Returned]) -> dict[str, Any]:
    """The body of the second turn: the question, what is kept of the answer, what the tools returned, and more words."""
    write, held = WRITERS[surface], "input" if surface == "responses" else "messages"
    body = write(Question((user("Oslo? [{marker}]"),), TOOLS))
    after = write(Question((*results, user("And tomorrow?"))))
    return {"model": "{model}", **body, held: [*body[held], *kept, *after[held]]}
