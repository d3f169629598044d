"""Options in each of their written forms: said as their defaults, as null, at length; what asks for nothing is never refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.answers.answer import Answer
from gateproof.asking.question import Question, Tool, Words, user
from gateproof.asking.reading import entries
from gateproof.cases.contested import is_documented, is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")
ASKED = (user("What now?"),)
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
LOOK = Tool("look", "Looks.", SCHEMA)
TIME = Tool("get-time", "The time.", {"type": "object", "properties": {"zone": {"type": "string"}}})

# Each at the default that its API documents, or empty, with the tools that OpenAI wants beside some of them. Apart, for
# Anthropic's newer models refuse temperature and top_p together, and so that a refusal names what was refused. Left out: what
# only some models take at all (verbosity), what has no documented default, and thinking disabled, which a model may not know.
DEFAULTS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "chat": (
        {"n": 1},
        {"presence_penalty": 0, "frequency_penalty": 0},
        {"logprobs": False},
        {"logit_bias": {}},
        {"modalities": ["text"]},
        {"store": False},
        {"stream": False},
        {"response_format": {"type": "text"}},
        {"service_tier": "auto"},
        {"temperature": 1},
        {"top_p": 1},
    ),
    "responses": (
        {"text": {"format": {"type": "text"}}},
        {"truncation": "disabled"},
        {"background": False},
        {"stream": False},
        {"metadata": {}},
        {"include": []},
        {"service_tier": "auto"},
        {"temperature": 1},
        {"top_p": 1},
    ),
    "messages": (
        {"stop_sequences": []},
        {"metadata": {}},
        {"stream": False},
        {"service_tier": "auto"},
        {"temperature": 1},
    ),
}
BESIDE_TOOLS: Mapping[str, tuple[dict[str, Any], ...]] = {
    "chat": ({"tool_choice": "auto"}, {"parallel_tool_calls": True}),
    "responses": ({"tool_choice": "auto"}, {"parallel_tool_calls": True}),
    "messages": (
        {"tool_choice": {"type": "auto"}},
        {"tool_choice": {"type": "auto", "disable_parallel_tool_use": False}},
    ),
}


@case("request.values-that-ask-for-nothing-are-taken")
def values_that_ask_for_nothing_are_taken(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    plain, tooled = Question(ASKED), Question(ASKED, (LOOK,))
    asked = [(plain, given) for given in DEFAULTS[check.surface]]
    asked += [(tooled, given) for given in BESIDE_TOOLS[check.surface]]
    wrong = []
    for question, given in asked:
        answer = ask(question, **given)

        if not _is_served(answer):
            wrong.append(f"{json.dumps(given)}: {answer!r}")
    assert not wrong, f"not served, though they ask for nothing: {'; '.join(wrong)}"


def _is_served(answer: Answer) -> bool:
    return answer.outcome == "complete" and answer.text == "Understood."


# What OpenAI documents as nullable, and clients with a field for each option send as null when it is not set.
NULLS: Mapping[str, tuple[str, ...]] = {
    "chat": (
        *("temperature", "top_p", "stop", "n", "seed", "max_tokens", "max_completion_tokens", "stream_options"),
        *("presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs", "metadata"),
        *("reasoning_effort", "service_tier", "store"),
    ),
    "responses": (
        *("instructions", "reasoning", "previous_response_id", "max_output_tokens", "temperature", "top_p"),
        *("metadata", "include", "parallel_tool_calls", "store", "background", "truncation", "service_tier"),
        *("max_tool_calls", "prompt", "conversation", "stream_options"),
    ),
}

OF_BOTH = ("moderation", "safety_identifier", "stream", "prompt_cache_key", "prompt_cache_retention", "top_logprobs")
NULLABLE: Mapping[str, tuple[str, ...]] = {
    "chat": (*NULLS["chat"], *OF_BOTH, "audio", "modalities", "prediction", "verbosity"),
    "responses": (*NULLS["responses"], *OF_BOTH, "context_management"),
    "messages": ("cache_control", "container", "diagnostics", "inference_geo", "speed"),
}
"""Where a dialect takes null: what is Optional in the types of OpenAI's and Anthropic's SDKs."""


@case("request.nulls-ask-for-nothing")
def nulls_ask_for_nothing(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)

    # In one request, as they come: an SDK that writes one null writes them all.
    answer = ask(Question(ASKED), **dict.fromkeys(NULLS[check.surface]))

    assert _is_served(answer), f"not served with nulls for {', '.join(NULLS[check.surface])}: {answer!r}"
    body = ask.received_body
    sent = [key for key, value in body.items() if value is None] if isinstance(body, dict) else []
    strange = [key for key in sent if key not in NULLABLE[check.dialect]]
    assert not strange, f"null went upstream, where it is no value, for {', '.join(strange)}"


PARALLEL: Mapping[str, tuple[dict[str, Any], ...]] = {
    "openai": tuple(
        {"parallel_tool_calls": True, **choice} for choice in ({}, {"tool_choice": "auto"}, {"tool_choice": "required"})
    ),
    "messages": tuple(
        {"tool_choice": {**choice, "disable_parallel_tool_use": False}}
        for choice in ({"type": "auto"}, {"type": "any"}, {"type": "tool", "name": LOOK.name})
    ),
}


@case("request.parallel-calls-stay-allowed")
def parallel_calls_stay_allowed(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for given in PARALLEL.get(check.surface, PARALLEL["openai"]):
        ask(Question(ASKED, (LOOK, TIME)), **given)

        assert ask.received.parallel is not False, f"{json.dumps(given)} became one call at a time"


@case("request.custom-typed-tools-are-functions")
def custom_typed_tools_are_functions(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)
    tools = [
        {"type": "custom", "name": LOOK.name, "description": LOOK.description, "input_schema": LOOK.parameters},
        {"name": TIME.name, "description": TIME.description, "input_schema": TIME.parameters},
    ]

    answer = ask(Question(ASKED), tools=tools)

    assert _is_served(answer), repr(answer)
    found = ask.received.tools
    assert [tool.name for tool in found] == [LOOK.name, TIME.name], f"of both tools came {[t.name for t in found]}"
    assert [tool.description for tool in found] == [LOOK.description, TIME.description]
    assert found[0].parameters == LOOK.parameters, f"parameters of {LOOK.name}: {found[0].parameters}"


BARE: Mapping[str, tuple[dict[str, Any], ...]] = {
    "chat": (
        {"type": "function", "function": {"name": "pause", "description": "Takes nothing."}},
        {"type": "function", "function": {"name": "resume", "description": "Takes nothing.", "parameters": {}}},
    ),
    # Its parameters are required, and null where there are none.
    "responses": (
        {"type": "function", "name": "pause", "description": "Takes nothing.", "parameters": None, "strict": None},
        {"type": "function", "name": "resume", "description": "Takes nothing.", "parameters": {}, "strict": None},
    ),
}


@case("request.tools-without-parameters-are-taken")
def tools_without_parameters_are_taken(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)

    answer = ask(Question(ASKED), tools=list(BARE[check.surface]))

    assert _is_served(answer), repr(answer)
    tools = entries(dig(ask.received_body, "tools"))
    assert [dig(tool, "name") for tool in tools] == ["pause", "resume"]
    kinds = [dig(tool, "input_schema", "type") for tool in tools]
    assert kinds == ["object", "object"], f"the type of each input_schema: {kinds}"


LONG = "".join(
    f'{number}. When it is {number} o\'clock, say so, and say it "in words".\n' for number in range(240)
).rstrip()
"""More than 12 KB: as long as the longest of Claude Code's, and beyond every round number of characters up to there."""


@case("request.long-descriptions-arrive-whole")
def long_descriptions_arrive_whole(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)

    answer = ask(Question(ASKED, (Tool("look", LONG, SCHEMA), TIME)))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    came = [tool.description for tool in ask.received.tools if tool.name == "look"]
    assert came, "the tool is lost"
    assert came[0] == LONG, f"of {len(LONG)} characters of the description came {len(came[0])}"
    check.chose("whole")


DOT = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


@case("request.image-detail-arrives")
def image_detail_arrives(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    for detail in ("low", "high"):
        nested = {"type": "image_url", "image_url": {"url": DOT, "detail": detail}}
        flat = {"type": "input_image", "image_url": DOT, "detail": detail}

        answer = ask(body=_with_part(check, nested if check.on_chat else flat))

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        if is_documented(check, claims, "image.detail"):
            check.chose("left out")
            continue
        found = [_detail(part) for part in _parts(ask.received_body)]
        assert detail in found, f"detail {detail} became {[one for one in found if one] or 'none'}"
        check.chose("mapped")


def _with_part(check: CheckHand, *parts: dict[str, Any]) -> dict[str, Any]:
    """A request in which the user says two words with these parts between them."""
    kind = "input_text" if check.surface == "responses" else "text"
    before, after = {"type": kind, "text": "Look at this:"}, {"type": kind, "text": "And be brief. [{marker}]"}
    said = {"role": "user", "content": [before, *parts, after]}
    if check.surface == "responses":
        return {"model": "{model}", "input": [{"type": "message", **said}]}
    return {"model": "{model}", "messages": [said], **({"max_tokens": 1024} if check.surface == "messages" else {})}


def _parts(body: Any) -> list[Any]:
    """The parts of all messages of a body of Chat Completions or Responses."""
    messages = [*entries(dig(body, "messages")), *entries(dig(body, "input"))]
    return [part for message in messages for part in entries(dig(message, "content"))]


def _detail(part: Any) -> Any:
    return dig(part, "image_url", "detail") or dig(part, "detail")


# Parts that not every API has, each with a value by which it is found wherever the upstream's API has a place for it. The
# words of a document may become words.
OTHER_PARTS: Mapping[str, tuple[tuple[dict[str, Any], str], ...]] = {
    "chat": (
        ({"type": "input_audio", "input_audio": {"data": "UklGRiQAAABXQVZF", "format": "wav"}}, "UklGRiQAAABXQVZF"),
        ({"type": "file", "file": {"file_id": "file-of-the-client"}}, "file-of-the-client"),
    ),
    "responses": (
        ({"type": "input_image", "file_id": "file-of-the-client", "detail": "auto"}, "file-of-the-client"),
        ({"type": "input_file", "file_id": "file-of-the-client"}, "file-of-the-client"),
    ),
    "messages": (
        (
            {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "The sea is calm."}},
            "The sea is calm.",
        ),
        (
            {
                "type": "search_result",
                "source": "https://pages.invalid/sea",
                "title": "The sea",
                "content": [{"type": "text", "text": "Waves of two metres."}],
            },
            "Waves of two metres.",
        ),
    ),
}


@case("request.other-parts-arrive-or-are-refused")
def other_parts_arrive_or_are_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    lost = []
    for part, value in OTHER_PARTS[check.surface]:
        answer = ask(body=_with_part(check, part))

        if is_refusal(ask, answer):
            check.chose("refused")
        elif value in json.dumps(ask.received_body) and (check.surface == "messages" or value not in _words(ask)):
            check.chose("forwarded")
        else:
            lost.append(part["type"])
    assert not lost, f"lost without a word: {', '.join(lost)}"


def _words(ask: Ask) -> str:
    """All text that reached the upstream: what was a recording or a file is lost there, for a model reads it as letters."""
    return "".join(part.text for part in ask.received.parts if isinstance(part, Words))
