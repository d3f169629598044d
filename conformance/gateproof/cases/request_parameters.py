"""What the upstream is told beside the conversation: limits, stops, formats, efforts, and every other parameter."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.asking.question import Choice, Format, Question, Tool, user
from gateproof.asking.reading import inlined
from gateproof.cases.contested import is_documented, is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")
ASKED = (user("How warm is it in Oslo?"),)


@case("request.token-limit-arrives")
def token_limit_arrives(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    names = {
        "chat": ("max_tokens", "max_completion_tokens"),
        "responses": ("max_output_tokens",),
        "messages": ("max_tokens",),
    }
    for name in names[check.surface]:
        answer = ask(Question(ASKED), **{name: 1234})

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        limit = ask.received.limit
        assert limit == 1234, f"{name} 1234 became {limit!r}"
        check.chose("mapped")


@case("request.messages-upstream-gets-a-limit")
def messages_upstream_gets_a_limit(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)

    ask(Question(ASKED))

    limit = ask.received.limit
    assert isinstance(limit, int), f"max_tokens is {limit!r}"
    assert limit > 0


@case("request.sampling-arrives")
def sampling_arrives(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    # One at a time: Anthropic's newer models refuse both together.
    for name, value in (("temperature", 0.25), ("temperature", 0), ("temperature", 1), ("top_p", 0.5)):
        answer = ask(Question(ASKED, sampling={name: value}))

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found = ask.received.sampling
        assert found.get(name) == value, f"{name} {value} became {found.get(name)!r}"
        check.chose("mapped")


@case("request.stop-sequences-arrive")
def stop_sequences_arrive(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(text("One. ", "Two. ", "###", " Three."))
    several: dict[str, Any] = {"stop_sequences" if check.surface == "messages" else "stop": ["###", "\n\nEND"]}
    single: list[dict[str, Any]] = [{"stop": "###"}] if check.on_chat else []
    for given in (several, *single):
        wanted = ("###",) if given in single else ("###", "\n\nEND")

        answer = ask(Question(ASKED), **given)

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        if ask.received.stop == wanted:
            check.chose("mapped")
            continue
        assert not ask.received.stop, f"{given} became {ask.received.stop}"
        if answer.text.rstrip() == "One. Two.":
            check.chose("emulated")
            continue
        assert is_documented(check, claims, next(iter(given))), f"{given} did not arrive, and the text goes on"
        check.chose("left out")


SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": {"type": "string", "description": 'The "city".'},
        "sky": {"type": "string", "enum": ["clear", "grey"]},
        "later": {"type": "array", "items": {"$ref": "#/$defs/hour"}},
    },
    "required": ["city", "sky", "later"],
    "additionalProperties": False,
    "$defs": {
        "hour": {
            "type": "object",
            "properties": {"at": {"type": "integer"}, "sky": {"type": ["string", "null"]}},
            "required": ["at", "sky"],
            "additionalProperties": False,
        }
    },
}
WEATHER = Format("json_schema", "weather", SCHEMA, strict=True)
LOOSE = Format("json_schema", "weather_2", SCHEMA, strict=False)


@case("request.format-arrives-whole")
def format_arrives_whole(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    for wanted in (WEATHER,) if check.has_messages else (WEATHER, LOOSE):
        answer = ask(Question(ASKED, format=wanted))

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found = ask.received
        if found.format is not None:
            assert inlined(found.format.schema) == inlined(wanted.schema), f"the schema became {found.format.schema}"
            if not check.has_messages:
                # Messages has neither: its schema has no name, and is always kept.
                assert found.format.name == wanted.name
                assert found.format.strict is wanted.strict, f"strict {wanted.strict} became {found.format.strict}"
            check.chose("mapped")
            continue
        if _is_forced_call(found, wanted):
            check.chose("forced call")
            continue
        assert is_documented(check, claims, _FORMAT[check.surface]), "the format is lost, and no claim says so"
        check.chose("left out")


_FORMAT = {"chat": "response_format", "responses": "text.format", "messages": "output_config.format"}


def _is_forced_call(found: Question, wanted: Format) -> bool:
    """Whether the shape is asked for by a function that must be called: how it was done before Messages had formats."""
    tools = [tool for tool in found.tools if inlined(tool.parameters) == inlined(wanted.schema)]
    choices = (Choice("required"), Choice("named", tuple(tool.name for tool in tools)))
    return len(tools) == 1 and found.choice in choices


@case("request.json-mode-arrives-or-is-refused")
def json_mode_arrives_or_is_refused(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(text('{"warm": ', "true}"))

    answer = ask(Question((user("How warm is it in Oslo? Answer in JSON."),), format=Format("json_object")))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    found = ask.received.format
    if found is not None and found.kind in ("json_object", "json_schema"):
        check.chose("mapped")
        return
    assert is_documented(check, claims, f"{_FORMAT[check.surface]}.json_object"), "it is lost, and no claim says so"
    check.chose("left out")


@case("request.format-and-effort-both-arrive")
def format_and_effort_both_arrive(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)

    answer = ask(Question(ASKED, format=WEATHER, effort="low"), **_verbose(check))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    found = ask.received
    lost = []
    if not (found.format is not None and inlined(found.format.schema) == inlined(SCHEMA)) and not _is_forced_call(
        found, WEATHER
    ):
        lost.append(_FORMAT[check.surface])
    if not found.effort:
        lost.append(_EFFORT[check.surface])
    if _verbose(check) and "low" not in (
        dig(ask.received_body, "verbosity"),
        dig(ask.received_body, "text", "verbosity"),
    ):
        lost.append("verbosity" if check.on_chat else "text.verbosity")
    silent = [name for name in lost if not is_documented(check, claims, name)]
    assert not silent, f"asked together, {silent} did not arrive, and no claim says so"
    check.chose("left out" if lost else "mapped")


def _verbose(check: CheckHand) -> dict[str, Any]:
    """What shares a place with the format in Responses; Messages has no such thing."""
    if check.has_messages:
        return {}
    if check.on_chat:
        return {"verbosity": "low"}
    return {
        "text": {
            "format": {"type": "json_schema", "name": "weather", "strict": True, "schema": SCHEMA},
            "verbosity": "low",
        }
    }


_EFFORT = {"chat": "reasoning_effort", "responses": "reasoning.effort", "messages": "thinking"}


@case("request.effort-arrives")
def effort_arrives(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    seen: list[str] = []
    for word, given in _efforts(check.surface):
        answer = ask(Question(ASKED), **given)

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        effort = ask.received.effort
        if is_documented(check, claims, _EFFORT[check.surface]):
            check.chose("left out")
            continue
        assert effort, f"{given} did not arrive, and no claim says so"
        if not check.has_messages:
            assert effort == word, f"{given} became {effort!r}"
        seen.append(effort)
        check.chose("mapped")
    assert len(set(seen)) == len(seen), f"little effort and much are one: {seen}"


@case("request.summaries-are-asked-for")
def summaries_are_asked_for(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    thinking = {"type": "enabled", "budget_tokens": 4096, "display": "summarized"}

    answer = ask(Question(ASKED), thinking=thinking, max_tokens=8192)

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    asked = dig(ask.received_body, "reasoning", "summary")
    assert asked or is_documented(check, claims, "thinking.display"), f"reasoning.summary: {asked!r}"
    check.chose("asked for" if asked else "left out")


def _efforts(surface: str) -> list[tuple[str, dict[str, Any]]]:
    """Little and much, in each of the words that a surface has for it."""
    if surface == "chat":
        return [(word, {"reasoning_effort": word}) for word in ("low", "high")]
    if surface == "responses":
        return [(word, {"reasoning": {"effort": word}}) for word in ("low", "high")]
    budgets = [("low", 1024), ("high", 32000)]
    return [
        (word, {"thinking": {"type": "enabled", "budget_tokens": budget}, "max_tokens": 40000})
        for word, budget in budgets
    ]


LOOK = Tool("look", "Looks.", {"type": "object", "properties": {"at": {"type": "string"}}})


@case("request.effort-stands-beside-the-rest")
def effort_stands_beside_the_rest(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    for asked in (
        Question(ASKED, limit=1234, effort="high"),
        Question(ASKED, tools=(LOOK,), choice=Choice("required"), effort="high"),
        Question(ASKED, sampling={"temperature": 0.25}, effort="high"),
    ):
        answer = ask(asked)

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found = ask.received
        lost = [] if found.effort else [_EFFORT[check.surface]]
        # A limit that thinking counts towards may be raised by it.
        lost += ["limit"] if asked.limit and not found.limit else []
        lost += (
            ["tool_choice"] if asked.choice and found.choice not in (asked.choice, Choice("named", ("look",))) else []
        )
        lost += ["temperature"] if asked.sampling and found.sampling != asked.sampling else []
        silent = [name for name in lost if not is_documented(check, claims, name)]
        assert not silent, f"asked together, {silent} did not arrive, and no claim says so"
        check.chose("left out" if lost else "mapped")


@case("request.thinking-off-stays-off")
def thinking_off_stays_off(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    off: dict[str, dict[str, Any]] = {
        "chat": {"reasoning_effort": "none"},
        "responses": {"reasoning": {"effort": "none"}},
        "messages": {"thinking": {"type": "disabled"}},
    }
    answer = ask(Question(ASKED), **off[check.surface])

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    effort = ask.received.effort
    # What is the least an upstream's models can do differs; to say nothing leaves it to the model.
    assert effort in ("", "none", "minimal"), f"thinking that was switched off became {effort!r}"
    check.chose("mapped")


@case("request.foreign-names-are-not-ignored")
def foreign_names_are_not_ignored(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    schema = {"type": "json_schema", "json_schema": {"name": "weather", "schema": SCHEMA, "strict": True}}
    for name, value in (("response_format", schema), ("max_tokens", 1234)):
        answer = ask(Question(ASKED), **{name: value})

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found, body = ask.received, ask.received_body
        relayed = not check.translated and dig(body, name) == value
        mapped = found.limit == 1234 if name == "max_tokens" else found.format is not None
        assert relayed or mapped, f"{name} was taken, and reached the upstream under no name"
        check.chose("relayed" if relayed else "mapped")


# Documented parameters that another API may lack, by the name of a claim: the request's keys, and a value by which they are
# found wherever the upstream's API has them.
PARAMETERS: Mapping[str, Mapping[str, tuple[dict[str, Any], Any]]] = {
    "chat": {
        "seed": ({"seed": 424242}, 424242),
        "frequency_penalty": ({"frequency_penalty": 0.3125}, 0.3125),
        "presence_penalty": ({"presence_penalty": 0.4375}, 0.4375),
        "logit_bias": ({"logit_bias": {"1734": -7}}, {"1734": -7}),
        "logprobs": ({"logprobs": True, "top_logprobs": 3}, 3),
        "user": ({"user": "user-of-the-client"}, "user-of-the-client"),
        "safety_identifier": ({"safety_identifier": "person-18"}, "person-18"),
        "metadata": ({"metadata": {"label": "of-the-client"}}, "of-the-client"),
        "verbosity": ({"verbosity": "low"}, "low"),
        "prompt_cache_key": ({"prompt_cache_key": "cache-of-the-client"}, "cache-of-the-client"),
        "service_tier": ({"service_tier": "flex"}, "flex"),
    },
    "responses": {
        "top_logprobs": ({"top_logprobs": 3, "include": ["message.output_text.logprobs"]}, 3),
        "max_tool_calls": ({"max_tool_calls": 5}, 5),
        "user": ({"user": "user-of-the-client"}, "user-of-the-client"),
        "safety_identifier": ({"safety_identifier": "person-18"}, "person-18"),
        "metadata": ({"metadata": {"label": "of-the-client"}}, "of-the-client"),
        "text.verbosity": ({"text": {"verbosity": "low"}}, "low"),
        "prompt_cache_key": ({"prompt_cache_key": "cache-of-the-client"}, "cache-of-the-client"),
        "service_tier": ({"service_tier": "flex"}, "flex"),
        "truncation": ({"truncation": "auto"}, "auto"),
    },
    "messages": {
        "top_k": ({"top_k": 37}, 37),
        "metadata.user_id": ({"metadata": {"user_id": "user-of-the-client"}}, "user-of-the-client"),
        "inference_geo": ({"inference_geo": "us"}, "us"),
        "speed": ({"speed": "fast"}, "fast"),
        "cache_control": ({"cache_control": {"type": "ephemeral"}}, "ephemeral"),
    },
}


@case("request.parameters-are-kept-or-refused")
def parameters_are_kept_or_refused(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)
    lost = []
    for name, (given, value) in PARAMETERS[check.surface].items():
        answer = ask(Question(ASKED), **given)

        if is_refusal(ask, answer):
            check.chose("refused")
        elif _holds(ask.received_body, value):
            check.chose("mapped")
        elif is_documented(check, claims, name):
            check.chose("left out")
        else:
            lost.append(name)
    assert not lost, f"lost without a word, and in no claim: {', '.join(lost)}"


def _holds(document: Any, value: Any) -> bool:
    """Whether this value stands anywhere in a document."""
    if json.dumps(document) == json.dumps(value):
        return True
    if isinstance(document, dict):
        return any(_holds(child, value) for child in document.values())
    return isinstance(document, list) and any(_holds(child, value) for child in document)
