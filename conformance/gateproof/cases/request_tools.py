"""What the upstream is told of the tools: their definitions, the choice among them, and images that they returned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateproof.answers.absent import dig
from gateproof.asking.apis import WRITERS
from gateproof.asking.question import Choice, Question, Tool, user
from gateproof.asking.reading import entries, inlined
from gateproof.cases.contested import is_documented, is_refusal
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

ANSWER = text("Under", "stood.")
ASKED = (user("What now?"),)

NESTED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "where": {"$ref": "#/$defs/place"},
        "how": {"type": ["string", "null"], "enum": ["fast", "slow", None], "description": 'How "fast".'},
        "many": {"type": "array", "items": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}]}},
        "always": {"const": "yes", "default": "yes"},
        "type": {"type": "object", "properties": {"properties": {"type": "boolean"}}},
    },
    "required": ["where", "how"],
    "additionalProperties": False,
    "$defs": {"place": {"type": "object", "properties": {"name": {"type": "string", "pattern": "^[A-ZÆØÅ]"}}}},
}
FLAT: dict[str, Any] = {"type": "object", "properties": {"zone": {"type": "string"}}}
GO = Tool("go_there", "Goes there.\n\n- bæ 日本 `code`\n", NESTED)
TIME = Tool("get-time", "The time.", FLAT)
BARE = Tool("stop")
STRICT = Tool(
    "look_up",
    "Looks it up.",
    {"type": "object", "properties": {"q": {"type": "string"}}, "required": ["q"], "additionalProperties": False},
    strict=True,
)


@case("request.tool-definitions-arrive-whole")
def tool_definitions_arrive_whole(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)

    ask(Question(ASKED, (GO, TIME, BARE)))

    found = ask.received.tools
    assert [tool.name for tool in found] == ["go_there", "get-time", "stop"]
    assert [tool.description for tool in found[:2]] == [GO.description, TIME.description]
    for came, sent in zip(found, (GO, TIME), strict=False):
        given, wanted = inlined(came.parameters or {}), inlined(sent.parameters or {})
        changed = [key for key in given | wanted if given.get(key, key) != wanted.get(key, key)]
        assert given == wanted, f"parameters of {sent.name} differ in {changed}: {given}"
    assert not dig(found[2].parameters, "properties"), f"stop takes nothing, and got {found[2].parameters}"


@case("request.strictness-is-kept")
def strictness_is_kept(ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]) -> None:
    upstream.says(ANSWER)

    answer = ask(Question(ASKED, (STRICT, TIME)))

    if is_refusal(ask, answer):
        check.chose("refused")
        return
    if is_documented(check, claims, "tools.strict"):
        check.chose("left out")
        return
    found = ask.received.tools
    assert [tool.name for tool in found] == [STRICT.name, TIME.name]
    strict, loose = found
    assert strict.strict is True, f"strict became {strict.strict}"
    # What says nothing is strict on Responses, and is not on Chat Completions and Messages.
    unsaid = (False,) if check.dialect == "responses" and check.surface != "responses" else (False, None)
    assert loose.strict in unsaid, f"strict is {loose.strict} on a tool that is not strict"
    check.chose("kept")


HOSTED: Mapping[str, tuple[dict[str, Any], ...]] = {
    "chat": ({"type": "custom", "custom": {"name": "draw", "description": "Draws."}},),
    "responses": (
        {"type": "web_search"},
        {"type": "mcp", "server_label": "docs", "server_url": "https://docs.invalid/mcp"},
        {"type": "image_generation"},
    ),
    "messages": (
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "bash_20250124", "name": "bash"},
    ),
}


# Of these, what another API has under the same word.
_OWN = {"chat": ("custom",), "responses": ("custom",), "messages": ()}


@case("request.foreign-tools-are-mapped-or-refused")
def foreign_tools_are_mapped_or_refused(
    ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]
) -> None:
    upstream.says(ANSWER)
    for tool in HOSTED[check.surface]:
        question, kind = Question(ASKED, (TIME,)), tool["type"]

        answer = ask(question, tools=[*WRITERS[check.surface](question)["tools"], tool])

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found = ask.received.tools
        assert TIME.parameters in [one.parameters for one in found], f"beside {kind} the function is lost: {found}"
        empty = [one for one in found if one.name != "get-time" and _is_empty_function(one)]
        assert not empty, f"{kind} became a function that says nothing: {empty}"
        others = [one for one in entries(dig(ask.received_body, "tools")) if "get-time" not in str(one)]
        kinds = [str(dig(one, "type")) for one in others]
        assert kind not in kinds or kind in _OWN[check.dialect], f"{kind} went upstream, where nobody knows it"
        if others or isinstance(dig(ask.received_body, "web_search_options"), dict):
            check.chose("mapped")
            continue
        assert is_documented(check, claims, f"tools.{kind}"), f"{kind} was left out, and no claim says so"
        check.chose("left out")


def _is_empty_function(tool: Tool) -> bool:
    """Whether a tool is a function without name or parameters; a tool of the upstream's own is none."""
    own = tool.name.startswith("a tool of type")
    return not own and not (tool.name and dig(tool.parameters, "properties"))


TWO = (GO, TIME)
CHOICES = (Choice("auto"), Choice("none"), Choice("required"), Choice("named", ("get-time",)))


@case("request.tool-choice-is-mapped")
def tool_choice_is_mapped(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)
    for choice in CHOICES:
        ask(Question(ASKED, TWO, choice))

        found = ask.received
        assert _means(found, choice), f"tool_choice {choice} became {found.choice} among {len(found.tools)} tools"


@case("request.one-call-at-a-time-is-mapped")
def one_call_at_a_time_is_mapped(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)
    for choice in (None, Choice("auto"), Choice("required"), Choice("named", ("get-time",))):
        for parallel in (False, None):
            ask(Question(ASKED, TWO, choice, parallel))

            found = ask.received
            assert (found.parallel is False) == (parallel is False), (
                f"parallel {parallel} beside {choice} became {found.parallel}"
            )
            assert _means(found, choice or Choice("auto")), f"beside parallel {parallel} {choice} became {found.choice}"


def _means(found: Question, choice: Choice) -> bool:
    """Whether the upstream understands this choice: auto is what an API does unasked, and without tools there is none."""
    if choice.mode == "auto":
        return found.choice is None or found.choice == choice
    if choice.mode == "none":
        return found.choice == choice or not found.tools
    return found.choice == choice


@case("request.allowed-tools-are-kept-or-refused")
def allowed_tools_are_kept_or_refused(
    ask: Ask, upstream: Upstream, check: CheckHand, claims: Mapping[str, Any]
) -> None:
    upstream.says(ANSWER)
    for mode in ("auto", "required"):
        answer = ask(Question(ASKED, TWO), tool_choice=_allowed(check.surface, mode))

        if is_refusal(ask, answer):
            check.chose("refused")
            continue
        found = ask.received
        offered = {tool.name for tool in found.tools}
        named = found.choice is not None and found.choice.mode == f"{mode} of some"
        kept = named and found.choice is not None and found.choice.names == ("get-time",)
        # One tool that must be called is also said by naming it, and by offering no other.
        only = offered == {"get-time"} and _means(found, Choice(mode))
        forced = mode == "required" and found.choice == Choice("named", ("get-time",))
        if kept or only or forced:
            check.chose("mapped")
            continue
        assert is_documented(check, claims, "tool_choice.allowed_tools"), f"it became {found.choice} of {offered}"
        check.chose("left out")


def _allowed(surface: str, mode: str) -> dict[str, Any]:
    if surface == "chat":
        tools = [{"type": "function", "function": {"name": "get-time"}}]
        return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": tools}}
    return {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": "get-time"}]}
