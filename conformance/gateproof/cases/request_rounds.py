"""Two turns: what the client got in the first goes back in the second, and must be what the upstream knows."""

from __future__ import annotations

import json
from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.order import misplaced
from gateproof.asking.question import Called, Question, Thought, Tool, assistant, returned, user
from gateproof.asking.reading import entries, text_of
from gateproof.cases.contested import is_refusal
from gateproof.cases.reading import events_of_type
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import completed, custom_tool_call, item, reasoning, text, tool_call

ANSWER = text("Under", "stood.")
TOOLS = (
    Tool("get_weather", "The weather.", {"type": "object", "properties": {"city": {"type": "string"}}}),
    Tool("get_time", "The time.", {"type": "object", "properties": {"zone": {"type": "string"}}}),
)

IDS = {
    "responses": [("call_9aXq", "call_7bYr"), ("fc-like_id", "call_" + "z" * 40)],
    "chat": [("call_9aXq", "call_7bYr"), ("functions.get_weather:0", "functions.get_time:1")],
    "messages": [("toolu_01A09q90qw90lq91", "toolu_01D7FLrfh4GYq7yT")],
}


@case("request.call-ids-correlate")
def call_ids_correlate(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for own in IDS[check.dialect]:
        calls = []
        for tool, id in zip(TOOLS, own, strict=True):
            upstream.says(tool_call(tool.name, "{}", id=id))
            answer = ask(Question((user("Oslo?"),), TOOLS))
            assert answer.tool_calls, repr(answer)
            calls.append(Called(text_of(answer.tool_calls[0].id), tool.name, "{}"))
        results = [returned(call.id, f"Result of {call.name}.") for call in calls]
        upstream.says(ANSWER)

        ask(Question((user("Oslo?"), *calls, *results), TOOLS))

        found = ask.received
        ids = [call.id for call in found.calls]
        assert misplaced(check.dialect, ask.received_body) == []
        assert [result.id for result in found.results] == ids
        for result, own_words in zip(found.results, ("Result of get_weather.", "Result of get_time."), strict=True):
            assert own_words in result.text, f"{result.id}: {result.text!r}"
        if not check.translated:
            assert ids == list(own), f"of the upstream's own ids {own} came back {ids}"


SIGNATURE = "EqQBCgIYAhIM" + "A/b+C=" * 20 + "=="


@case("request.signed-thinking-goes-round")
def signed_thinking_goes_round(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    call = Called("toolu_01A09q90qw90lq91", "get_weather", '{"city": "Oslo"}')
    for shown in ("The sky, then.", ""):
        thought = reasoning(full=(shown,), signature=SIGNATURE) if shown else reasoning(signature=SIGNATURE)
        upstream.says(thought, tool_call(call.name, call.arguments, id=call.id))
        answer = ask(Question((user("Oslo?"),), TOOLS), thinking={"type": "enabled", "budget_tokens": 1024})
        told = _signatures(answer, stream=check.stream)
        assert told == [SIGNATURE], f"of the signature the client got {told}"
    upstream.says(ANSWER)
    for thoughts in (
        (Thought("The sky, then.", SIGNATURE),),
        (Thought("", SIGNATURE),),
        (Thought("Hm.", SIGNATURE), Thought("", "EmwKAhgBEgy3va3pzix/LafPsn4a", redacted=True)),
    ):
        items = (user("Oslo?"), *thoughts, assistant("Let me look."), call, returned(call.id, "Sunny."))

        ask(Question(items, TOOLS), thinking={"type": "enabled", "budget_tokens": 1024})

        assert ask.received.thoughts == list(thoughts), f"of {thoughts} came {ask.received.thoughts}"


@case("request.matched-stop-is-told")
def matched_stop_is_told(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("One. ", "Two. "), completed(stop_sequence="###"))

    answer = ask(Question((user("Count."),), stop=("###", "END")))

    assert answer.outcome == "complete", repr(answer)
    ended = (
        [dig(event, "delta") for event in events_of_type(answer, "message_delta")] if check.stream else [answer.body]
    )
    told = [(dig(end, "stop_reason"), dig(end, "stop_sequence")) for end in ended if dig(end, "stop_reason")]
    assert told == [("stop_sequence", "###")], f"stop_reason and stop_sequence: {told}"


def _signatures(answer: Answer, *, stream: bool) -> list[Any]:
    if stream:
        deltas = [dig(event, "delta") for event in events_of_type(answer, "content_block_delta")]
        return ["".join(text_of(dig(d, "signature")) for d in deltas if dig(d, "type") == "signature_delta")]
    return [dig(b, "signature") for b in entries(dig(answer.body, "content")) if dig(b, "type") == "thinking"]


@case("request.sealed-reasoning-arrives")
def sealed_reasoning_arrives(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    sealed = {"type": "reasoning", "summary": [], "encrypted_content": SIGNATURE}
    shown = [{"type": "summary_text", "text": "The sky, then."}]
    for own in (sealed, {**sealed, "id": "rs_68af4030"}, {**sealed, "id": "rs_68af4030", "summary": shown}):
        output = [
            own,
            {
                "type": "function_call",
                "id": "fc_68af4031",
                "call_id": "call_9aXq",
                "name": "get_weather",
                "arguments": "{}",
            },
            {"type": "function_call_output", "call_id": "call_9aXq", "output": "Sunny."},
        ]
        question = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Oslo? [{marker}]"}]}
        body = {"model": "{model}", "input": [question, *output], "stream": check.stream, "store": False}

        ask(body={**body, "include": ["reasoning.encrypted_content"]})

        came = ask.received_body
        reasoned = [one for one in entries(dig(came, "input")) if dig(one, "type") == "reasoning"]
        assert len(reasoned) == 1, f"of one reasoning item {len(reasoned)} arrived"
        assert dig(reasoned[0], "encrypted_content") == SIGNATURE, f"the seal became {reasoned[0]}"
        assert dig(reasoned[0], "summary") == own["summary"]
        # Without its id it is read by its seal; an empty one is refused.
        ids = [one["id"] for one in entries(dig(came, "input")) if isinstance(one, dict) and "id" in one]
        assert all(id in ("rs_68af4030", "fc_68af4031") or id is None for id in ids), f"ids: {ids}"
        assert dig(came, "store") is False, f"store became {dig(came, 'store')!r}: what was not to be kept is"
        assert "reasoning.encrypted_content" in entries(dig(came, "include")), (
            "the answer's reasoning will have no seal"
        )


PATCH = '*** Begin Patch\n*** Add File: a.txt\n+"naïve" {\\n}\n*** End Patch'
FREE = {"type": "custom", "name": "apply_patch", "description": "Applies a patch."}


@case("request.custom-tools-go-round-or-are-refused")
def custom_tools_go_round_or_are_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    answer = ask(Question((user("Patch it."),)), tools=[FREE])
    if is_refusal(ask, answer):
        check.chose("refused")
        return
    key = _wrapping(ask.received, ask.received_body)
    call = (
        tool_call("apply_patch", json.dumps({key: PATCH}), id="call_patch1")
        if key
        else custom_tool_call("apply_patch", PATCH[:20], PATCH[20:], id="call_patch1")
    )
    upstream.says(call)

    answer = ask(Question((user("Patch it."),)), tools=[FREE])

    made = _custom_calls(answer, stream=check.stream)
    assert [(dig(one, "name"), dig(one, "input")) for one in made] == [("apply_patch", PATCH)], f"calls: {made}"
    id = dig(made[0], "call_id")
    assert id, f"a call without call_id: {made}"
    if check.stream:
        deltas = events_of_type(answer, "response.custom_tool_call_input.delta")
        told = "".join(text_of(dig(delta, "delta")) for delta in deltas)
        assert told == PATCH or not deltas, f"{len(deltas)} deltas of input make {told!r}"
    upstream.says(ANSWER)

    asked = {"role": "user", "content": "Patch it. [{marker}]"}
    replayed = {"type": "custom_tool_call", "call_id": id, "name": "apply_patch", "input": PATCH}
    output = {"type": "custom_tool_call_output", "call_id": id, "output": "Done."}
    body = {"model": "{model}", "stream": check.stream, "tools": [FREE], "input": [asked, replayed, output]}
    ask(body=body)

    assert misplaced(check.dialect, ask.received_body) == []
    if key:
        values = [call.value for call in ask.received.calls]
        assert values == [{key: PATCH}], f"of the call's input came {values}"
    came = json.dumps(ask.received_body)
    assert key or json.dumps(PATCH) in came, "the call's input is lost"
    assert '"Done."' in came, "what the tool returned is lost"
    check.chose("wrapped" if key else "native")


def _wrapping(found: Question, body: Any) -> str:
    """The one property of the function that a custom tool was wrapped in; "" if it went upstream as a custom tool."""
    kinds = [dig(tool, "type") for tool in entries(dig(body, "tools"))]
    if kinds == ["custom"] and not found.tools[0].parameters:
        return ""
    assert [tool.name for tool in found.tools] == ["apply_patch"], f"of one custom tool came {found.tools}"
    properties = dig(found.tools[0].parameters, "properties")
    named = properties.items() if isinstance(properties, dict) else ()
    strings = [name for name, schema in named if dig(schema, "type") == "string"]
    assert len(strings) == 1, f"a function that a custom tool's input does not fit in: {found.tools[0].parameters}"
    return str(strings[0])


def _custom_calls(answer: Answer, *, stream: bool) -> list[Any]:
    done = [dig(event, "item") for event in events_of_type(answer, "response.output_item.done")]
    output = done if stream else entries(dig(answer.body, "output"))
    return [one for one in output if dig(one, "type") in ("custom_tool_call", "function_call")]


COMPACTED = {"type": "compaction", "id": "cmp_68af", "encrypted_content": SIGNATURE}


@case("request.compaction-passes-both-ways")
def compaction_passes_both_ways(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(item(**COMPACTED), text("Under", "stood."))
    question = {"role": "user", "content": "Go on. [{marker}]"}
    body = {"model": "{model}", "stream": check.stream, "input": [question, {"type": "compaction_trigger"}]}

    answer = ask(body={**body, "context_management": [{"type": "compaction", "compact_threshold": 1000}]})

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    came = ask.received_body
    assert {"type": "compaction_trigger"} in entries(dig(came, "input")), f"the trigger is lost: {dig(came, 'input')}"
    assert dig(came, "context_management"), "context_management is lost"
    done = [dig(event, "item") for event in events_of_type(answer, "response.output_item.done")]
    output = done if check.stream else entries(dig(answer.body, "output"))
    seals = [dig(one, "encrypted_content") for one in output if dig(one, "type") == "compaction"]
    assert seals == [SIGNATURE], f"of the compaction the client got {seals}"
    check.chose("kept")
