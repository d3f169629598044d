"""Histories in the forms that few tests write, and clients do: strings in place of blocks, instructions in parts, empty words,
refusals, files that a tool returned, arguments that are no JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.asking.apis import WRITERS
from gateproof.asking.order import misplaced
from gateproof.asking.question import (
    Called,
    Document,
    Question,
    Said,
    Tool,
    Words,
    assistant,
    developer,
    returned,
    system,
    user,
)
from gateproof.asking.reading import entries, text_of
from gateproof.cases.contested import in_order, is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")
TOOLS = (
    Tool("get_weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}}),
    Tool("get_time", "The time.", {"type": "object", "properties": {"zone": {"type": "string"}}}),
)
WEATHER = Called("call_weather1", "get_weather", '{"city": "Oslo"}')
TIME = Called("call_time2", "get_time", '{"zone": "Europe/Oslo"}')
SUNNY, NOON = returned(WEATHER.id, "Sunny."), returned(TIME.id, "Noon.")


def _assert_paired(ask: Ask, check: CheckHand, asked: Question) -> None:
    """That each call arrived with its name, its arguments and its own result, where the upstream wants them."""
    found = ask.received
    made = [(call.name, call.value) for call in found.calls]
    assert made == [(call.name, call.value) for call in asked.calls], f"of the calls came {made}"
    by_call = {result.id: result.text for result in found.results}
    for came, sent in zip(found.calls, asked.calls, strict=True):
        words = next((result.text for result in asked.results if result.id == sent.id), "")
        told = by_call.get(came.id)
        assert told is not None, f"the result of {sent.name} is lost: {found.results}"
        assert words in told, f"of the result {words!r} came {told!r}"
    assert len(found.results) == len(asked.results), f"of {len(asked.results)} results came {found.results}"
    assert misplaced(check.dialect, ask.received_body) == []


@case("request.results-are-read-as-strings")
def results_are_read_as_strings(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for words in ("Sunny.", '[{"type": "text", "text": "quoted"}]\n\tindented', ""):
        question = (user("Oslo? [{marker}]"), WEATHER, TIME, returned(WEATHER.id, words), NOON, user("So?"))
        body = WRITERS["messages"](Question(question, TOOLS))
        for message in body["messages"]:
            for block in message["content"]:
                if block["type"] == "tool_result":
                    block["content"] = block["content"][0]["text"]

        answer = ask(body={"model": "{model}", **body})

        assert answer.outcome == "complete", f"the result {words!r} as a string: {answer!r}"
        _assert_paired(ask, check, Question(question, TOOLS))


BRIEF, POLITE, NORSE = "Be brief.", "Be polite.", "Answer in Norwegian."
IN_PARTS: Mapping[str, tuple[Question, ...]] = {
    "chat": (
        Question((system(BRIEF, POLITE), user("Hello."))),
        Question((developer(BRIEF, POLITE), user("Hello."))),
        Question((system(BRIEF), developer(POLITE, NORSE), user("Hello."))),
    ),
    "responses": (
        Question((developer(BRIEF, POLITE), user("Hello."))),
        Question((system(BRIEF), developer(POLITE, NORSE), user("Hello."))),
    ),
}


@case("request.instructions-in-parts-arrive")
def instructions_in_parts_arrive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for asked in IN_PARTS[check.surface]:
        ask(asked)

        found = ask.received
        rules = [item for item in asked.items if isinstance(item, Said) and item.role != "user"]
        given = [part.text for rule in rules for part in rule.parts if isinstance(part, Words)]
        assert in_order("\n".join(found.said("system")), given), f"of {given} came {found.said('system')}"
        assert found.said("user") == ["Hello."], f"the user said {found.said('user')}"
        assert not found.said("assistant"), f"the assistant said {found.said('assistant')}"


@case("request.empty-words-beside-calls-are-harmless")
def empty_words_beside_calls_are_harmless(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    asked = Question((user("Oslo?"), assistant(""), WEATHER, TIME, SUNNY, NOON, user("So?")), TOOLS)

    answer = ask(asked)

    assert answer.outcome == "complete", repr(answer)
    empty = [at for at, message in enumerate(entries(dig(ask.received_body, "messages"))) if _says_nothing(message)]
    assert not empty, f"empty text in messages {empty}: {ask.received_body['messages']}"
    _assert_paired(ask, check, asked)


def _says_nothing(message: Any) -> bool:
    """Whether a message of Messages has text without a character, which Anthropic refuses."""
    content = dig(message, "content")
    return content == "" or any(dig(b, "type") == "text" and not text_of(dig(b, "text")) for b in entries(content))


DECLINED = "I cannot help with that."


@case("request.refusals-in-the-history-arrive")
def refusals_in_the_history_arrive(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    asked = Question((user("Do it. [{marker}]"), assistant(DECLINED), user("Why not?")))
    body = WRITERS[check.surface](asked)
    for message in body["input" if check.surface == "responses" else "messages"]:
        if message["role"] == "assistant":
            part = {"type": "refusal", "refusal": DECLINED}
            message |= {"content": [part]} if check.surface == "responses" else {"content": None, "refusal": DECLINED}

    answer = ask(body={"model": "{model}", **body})

    assert answer.outcome == "complete", repr(answer)
    found = ask.received
    assert found.said("assistant") == [DECLINED], f"of the refusal came {found.said('assistant')}"
    assert found.said("user") == ["Do it.", "Why not?"], f"the user said {found.said('user')}"


PAPER = Document("JVBERi0xLjQKJcOkw7zDtsOfCjIgMCBvYmoKPDwvTGVuZ3RoIDMgMCBSPj4KJSVFT0YK")


@case("request.returned-files-arrive-or-are-refused")
def returned_files_arrive_or_are_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for parts in ((PAPER,), ("Read:", PAPER, "That is all.")):
        asked = Question((user("What does it say?"), WEATHER, TIME, returned(WEATHER.id, *parts), NOON), TOOLS)

        answer = ask(asked)

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found = ask.received
        # Where results hold text only, a file may follow in a message of the user's.
        papers = [part.data for part in found.parts if isinstance(part, Document)]
        assert papers == [PAPER.data], f"the file did not arrive: {found.items}"
        assert len(found.results) == 2, f"of two results {len(found.results)} arrived"
        words = [part for part in parts if isinstance(part, str)]
        told = [found.results[0].text, "".join(found.said("user"))]
        assert any(in_order(text, words) for text in told), f"of {words} came {told!r}"
        check.chose("forwarded")


CUT_OFF = ('{"city": "Os', "{'city': 'Oslo'}", "Oslo", "[1, 2]")


@case("request.broken-arguments-are-told")
def broken_arguments_are_told(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for arguments in CUT_OFF:
        broken = Called(WEATHER.id, WEATHER.name, arguments)

        answer = ask(Question((user("Oslo?"), broken, SUNNY, user("So?")), TOOLS))

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        assert answer.outcome == "complete", f"the arguments {arguments!r}: {answer!r}"
        found = ask.received
        assert [call.name for call in found.calls] == [WEATHER.name], f"of the call came {found.calls}"
        told = [result.text for result in found.results]
        assert len(told) == 1, f"of the result came {told}"
        assert "Sunny." in told[0], f"of the result came {told}"
        assert misplaced(check.dialect, ask.received_body) == []
        check.chose("mapped")


@case("request.prefill-arrives-or-is-refused")
def prefill_arrives_or_is_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text('"Oslo"}'))
    begun = '{"city":'

    answer = ask(Question((user("Name a city, as JSON."), assistant(begun))))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    assert begun in "\n".join(ask.received.said("assistant")), f"what the answer begins with is lost: {ask.received}"
    check.chose("forwarded")


HALF = b"\\ud83d"
"""One half of an emoji, as JSON.stringify writes what was cut in its middle."""


@case("request.lone-surrogates-are-no-fault")
def lone_surrogates_are_no_fault(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)

    answer = ask(Question((user("Look: HALF"),)), pack=lambda body: body.replace(b"HALF", HALF))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    assert answer.outcome == "complete", repr(answer)
    check.chose("served")


MARK = {"cache_control": {"type": "ephemeral"}}


@case("request.cache-marks-on-parts-stay-here")
def cache_marks_on_parts_stay_here(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    asked = Question((user("Oslo? [{marker}]", "And the time?"), WEATHER, TIME, SUNNY, NOON, user("So?")), TOOLS)
    body = WRITERS["messages"](asked)
    questions, calls, results = (message["content"] for message in body["messages"])
    # Four, which is as many as Anthropic allows: on words, a call, a result, and what is in another.
    for block in (questions[-1], calls[-1], results[0], results[1]["content"][0]):
        block |= MARK

    answer = ask(body={"model": "{model}", **body})

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    assert answer.outcome == "complete", repr(answer)
    sent = json.dumps(ask.received_body)
    if "cache_control" not in claims.get("adds_keys", ()):
        assert '"cache_control"' not in sent, f"a mark of another API went along: {sent}"
    _assert_paired(ask, check, asked)
    check.chose("left out")
