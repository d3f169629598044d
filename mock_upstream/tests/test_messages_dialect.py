"""The Anthropic Messages dialect: every element, ending and switch, streamed and in JSON, by the schemas and by the grammar."""

import json
import time
from typing import Any

import pytest

from gateproof_mock.dialects import Asked, messages
from gateproof_mock.dialects.messages.blocks import FOUND
from gateproof_mock.dialects.steps import Break, Head, Rest, Step, Wait, Write
from gateproof_mock.language.scripts import Script, script
from gateproof_mock.language.turns import (
    ELEMENTS,
    Cancelled,
    Cut,
    Element,
    Ending,
    ErrorEvent,
    Failed,
    Refused,
    Unfinished,
    cancelled,
    citation,
    comment,
    completed,
    custom_tool_call,
    cut,
    error_event,
    event,
    failed,
    hold,
    image,
    incomplete,
    interleaved,
    item,
    next_message,
    next_part,
    pause,
    ping,
    raw,
    reasoning,
    refusal,
    refused,
    text,
    tool_call,
    unfinished,
    usage,
    web_search,
)
from gateproof_mock.language.wire import Wire
from gateproof_schemas import validate

Json = dict[str, Any]
CALL = "00112233aabbccdd"
OSLO = tool_call("get_weather", '{"city":', ' "Oslo"}')
ROME = tool_call("get_time", '{"zone": "Rome"}', id="toolu_rome")
EMPTY_TEXT = {"type": "text", "text": "", "citations": None}


def rendered(played: Script, *, kind: str = "turn", credential: str = "", marker: str = "", **body: Any) -> list[Step]:
    asked = Asked({"model": "claude-x", **body}, kind, credential, call=CALL)
    if marker:
        asked.marker = marker
    return list(messages.render(played, asked))


def body_of(steps: list[Step]) -> bytes:
    return b"".join(s.data for s in steps if isinstance(s, Write))


def head_of(steps: list[Step]) -> Head:
    return next(s for s in steps if isinstance(s, Head))


def document(played: Script, **asked: Any) -> Json:
    found = json.loads(body_of(rendered(played, **asked)))
    assert isinstance(found, dict)
    return found


def frames(played: Script, **asked: Any) -> list[Json]:
    """The data of every event, each of which must be named by its type."""
    found = []
    for block in body_of(rendered(played, stream=True, **asked)).decode().split("\n\n")[:-1]:
        lines = dict(line.split(": ", 1) for line in block.split("\n"))
        if "data" in lines and lines["data"] != "[DONE]":
            data = json.loads(lines["data"])
            assert lines.get("event", "") == data.get("type", "")
            found.append(data)
    return found


def says(*elements: Element, wire: Wire | None = None) -> list[Json]:
    """The events of a turn without its beginning, its end and its ping."""
    events = frames(script(*elements, wire=wire))
    assert [e["type"] for e in events[-2:]] == ["message_delta", "message_stop"]
    assert events[0]["type"] == "message_start"
    return [e for e in events[1:-2] if e["type"] != "ping"]


def content(*elements: Element) -> list[Json]:
    found: list[Json] = document(script(*elements))["content"]
    return found


def stops(*elements: Element, wire: Wire | None = None) -> Json:
    delta: Json = frames(script(*elements, wire=wire))[-2]["delta"]
    if wire is None:
        whole = document(script(*elements))
        assert {key: whole[key] for key in delta} == delta
    return delta


def block(index: int, begun: Json, *deltas: Json) -> list[Json]:
    return [
        {"type": "content_block_start", "index": index, "content_block": begun},
        *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
        {"type": "content_block_stop", "index": index},
    ]


def words(*pieces: str | None) -> list[Json]:
    return [{"type": "text_delta", "text": piece} for piece in pieces]


def arguments(*pieces: str | None) -> list[Json]:
    return [{"type": "input_json_delta", "partial_json": piece} for piece in pieces]


def thoughts(*pieces: str | None) -> list[Json]:
    return [{"type": "thinking_delta", "thinking": piece} for piece in pieces]


def called(number: int, name: str, given: Json | None = None) -> Json:
    return {"type": "tool_use", "id": f"toolu_{CALL}{number:08x}", "name": name, "input": given or {}}


# --- every turn -----------------------------------------------------------------------------------

TURNS: dict[str, tuple[Element, ...]] = {
    "nothing": (),
    "text": (text("Hel", "lo"), completed()),
    "empty text": (text(""),),
    "no pieces": (text(),),
    "text in two elements": (text("Hel"), hold("here"), text("lo")),
    "awkward text": (text("\x00\x1b \u2028\x85", "日本 🦄", '"\\\n'),),
    "half a surrogate pair": (text("\ud83e", "\udd84"),),
    "cited": (text("a", citations=[citation("https://example.com/a", "A", cited="aa"), citation("https://b")]),),
    "times and stretch": (text("ab", "c", times=3, stretch=2),),
    "parts": (text("a"), next_part(), text("b"), next_message(), text("c"), next_part()),
    "reasoning": (reasoning("Let me ", "think.", signature="sig"), text("42")),
    "full reasoning": (reasoning("sum", full=["all ", "of it"]), text("42")),
    "redacted": (reasoning(encrypted="secret"), text("42")),
    "empty reasoning": (reasoning(), text("42")),
    "refusal": (text("Well, "), refusal("I can", "not.")),
    "tool": (OSLO,),
    "tool without arguments": (tool_call("now"),),
    "tool with wrong arguments": (tool_call("now", '{"a"', ": tru"),),
    "tool with a list": (tool_call("now", "[1]"),),
    "custom tool": (custom_tool_call("patch", 'say "', 'é\n"', id="toolu_c"),),
    "custom tool without input": (custom_tool_call("patch"),),
    "text and tools": (text("Looking."), OSLO, ROME),
    "interleaved": (interleaved(OSLO, ROME),),
    "interleaved in reverse": (interleaved(OSLO, ROME, reverse=True), text("Done.")),
    "search": (web_search("weather"), text("Sunny.")),
    "item": (item(type="mcp_tool_use", id="m", name="n", input={}), text("a")),
    "image": (text("a"), image("aGk="), text("b")),
    "usage": (text("a"), usage(607, 1024, cached=500, reasoning=1000, cache_write=3, cache_write_1h=4, web_searches=2)),
    "incomplete": (text("a"), incomplete()),
    "filtered": (text("a"), incomplete("content_filter")),
    "stop sequence": (text("a"), completed(stop_sequence="END")),
    "own reason": (text("a"), completed(reason="pause_turn")),
    "on the wire": (ping(), comment("c"), text("a"), pause(0.1), hold("h"), completed(), hold("i"), comment("late")),
}
FAILURES: dict[str, Failed | ErrorEvent | Cancelled | Unfinished] = {
    "failed": failed(),
    "error event": error_event("slow_down", "Later."),
    "cancelled": cancelled(),
    "unfinished": unfinished("queued"),
}


def folded(events: list[Json]) -> list[Json]:
    """The blocks of a stream, as the Anthropic SDK puts them together."""
    blocks: list[Json] = []
    texts: dict[int, str] = {}
    for e in events:
        if e["type"] == "content_block_start":
            blocks.append(dict(e["content_block"]))
        elif e["type"] == "content_block_delta":
            b, delta = blocks[e["index"]], e["delta"]
            match delta["type"]:
                case "text_delta":
                    b["text"] += delta["text"]
                case "thinking_delta":
                    b["thinking"] += delta["thinking"]
                case "signature_delta":
                    b["signature"] = delta["signature"]
                case "citations_delta":
                    b["citations"] = [*(b["citations"] or []), delta["citation"]]
                case "input_json_delta":
                    texts[e["index"]] = texts.get(e["index"], "") + delta["partial_json"]
    for index, given in texts.items():
        try:
            found = json.loads(given)
        except ValueError:
            found = None
        blocks[index]["input"] = found if isinstance(found, dict) else {"arguments": given}
    return blocks


def check_grammar(events: list[Json]) -> None:
    assert [e["type"] for e in events].count("message_start") == 1
    assert events[0]["type"] == "message_start"
    opened, index = False, -1
    for e in events[1:]:
        match e["type"]:
            case "content_block_start":
                assert not opened
                assert e["index"] == index + 1
                opened, index = True, index + 1
            case "content_block_delta" | "content_block_stop":
                assert opened
                assert e["index"] == index
                opened = e["type"] != "content_block_stop"
            case "ping":
                pass
            case "error":
                assert e is events[-1]
            case "message_delta":
                assert not opened
                assert events[-1]["type"] == "message_stop"
                assert e is events[-2]
            case kind:
                assert kind == "message_stop"
                assert e is events[-1]


@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_turn_is_valid_and_the_same_in_both_modes(turn: tuple[Element, ...]) -> None:
    events, whole = frames(script(*turn)), document(script(*turn))
    assert [v for e in events for v in validate(e, "messages/event")] == []
    assert validate(whole, "messages/response") == []
    check_grammar(events)
    start, delta = events[0]["message"], events[-2]
    pings = [i for i, e in enumerate(events) if e["type"] == "ping"]
    if "content_block_start" in [e["type"] for e in events]:
        assert [e["type"] for e in events].index("content_block_start") + 1 in pings
    # Through JSON once more, where two halves of a surrogate pair become one character.
    assert json.loads(json.dumps(folded(events))) == whole["content"]
    assert start == {
        "id": f"msg_{CALL}00000001",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": start["usage"],
    }
    assert {k: v for k, v in whole.items() if k not in ("content", "usage")} == {
        k: v for k, v in {**start, **delta["delta"]}.items() if k not in ("content", "usage")
    }
    assert start["usage"] | delta["usage"] == whole["usage"]


@pytest.mark.parametrize("ending", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)
def test_failure_after_every_turn(turn: tuple[Element, ...], ending: Ending) -> None:
    before = [e for e in turn if not isinstance(e, Ending) and e.KEY != "usage"]
    events = frames(script(*before, ending))
    assert [v for e in events for v in validate(e, "messages/event")] == []
    check_grammar(events)
    assert events[-1]["type"] == "error"


def test_every_answer_has_the_request_id() -> None:
    for played in (script(text("a")), script(failed()), script(refused(502, "<html>")), script(cut())):
        for stream in (False, True):
            assert head_of(rendered(played, stream=stream)).headers["request-id"] == f"req_{CALL}"
    own = head_of(rendered(script(refused(429, None, Request_Id="mine")))).headers
    assert {name.lower(): value for name, value in own.items()} == {"request-id": "mine"}


# --- blocks ---------------------------------------------------------------------------------------


def test_ping_follows_the_first_block_start_and_no_other() -> None:
    events = frames(script(text("a"), OSLO))
    assert [e["type"] for e in events[:4]] == ["message_start", "content_block_start", "ping", "content_block_delta"]
    assert events[2] == {"type": "ping"}
    assert sum(e["type"] == "ping" for e in events) == 1
    assert "ping" not in [e["type"] for e in frames(script())]


def test_neighbouring_texts_are_one_block_until_a_part_or_a_message_begins() -> None:
    turn = (text("a"), hold("h"), image("x"), text("b", "c"), next_part(), text("d"), next_message(), text("e"))
    assert says(*turn) == [
        *block(0, EMPTY_TEXT, *words("a", "b", "c")),
        *block(1, EMPTY_TEXT, *words("d")),
        *block(2, EMPTY_TEXT, *words("e")),
    ]
    assert [b["text"] for b in content(*turn)] == ["abc", "d", "e"]


def test_citations_follow_the_deltas_of_their_text() -> None:
    cited = text("a", "b", citations=[citation("https://example.com", "Title", start=3, end=4, cited="words")])
    told = says(cited, text("c"))
    at = told[3]["delta"]["citation"]
    assert told == block(0, EMPTY_TEXT, *words("a", "b"), {"type": "citations_delta", "citation": at}, *words("c"))
    assert at == {
        "type": "web_search_result_location",
        "url": "https://example.com",
        "title": "Title",
        "encrypted_index": at["encrypted_index"],
        "cited_text": "words",
    }
    assert at["encrypted_index"]
    assert content(cited, text("c")) == [{"type": "text", "text": "abc", "citations": [at]}]


def test_probabilities_are_not_told() -> None:
    assert says(text("a", "b", logprobs=True)) == says(text("a", "b"))


def test_thinking_ends_with_its_signature() -> None:
    begun = {"type": "thinking", "thinking": "", "signature": ""}
    signed = {"type": "signature_delta", "signature": "sig"}
    assert says(reasoning("a", "b", signature="sig")) == block(0, begun, *thoughts("a", "b"), signed)
    assert says(reasoning("a", full=["b", "c"], signature="sig")) == block(0, begun, *thoughts("b", "c"), signed)
    assert content(reasoning("a", "b", signature="sig")) == [{"type": "thinking", "thinking": "ab", "signature": "sig"}]


def test_made_up_signature_is_never_empty_and_always_the_same() -> None:
    (first,), (second,), (other,) = content(reasoning("a")), content(reasoning("a")), content(reasoning("b"))
    assert first["signature"] == second["signature"] != other["signature"]
    assert first["signature"]
    assert says(reasoning("a"))[2]["delta"]["signature"] == first["signature"]


def test_nothing_but_encrypted_reasoning_is_redacted() -> None:
    assert says(reasoning(encrypted="e")) == block(0, {"type": "redacted_thinking", "data": "e"})
    assert content(reasoning(encrypted="e")) == [{"type": "redacted_thinking", "data": "e"}]
    assert content(reasoning(encrypted="e", signature="s")) == [{"type": "thinking", "thinking": "", "signature": "s"}]


def test_refusal_is_a_text_block_of_its_own() -> None:
    assert says(text("a"), refusal("b", "c")) == [
        *block(0, EMPTY_TEXT, *words("a")),
        *block(1, EMPTY_TEXT, *words("b", "c")),
    ]
    assert stops(text("a"), refusal("b")) == {"stop_reason": "refusal", "stop_sequence": None}


def test_call_is_a_tool_use() -> None:
    assert says(OSLO, ROME) == [
        *block(0, called(2, "get_weather"), *arguments('{"city":', ' "Oslo"}')),
        *block(1, called(3, "get_time") | {"id": "toolu_rome"}, *arguments('{"zone": "Rome"}')),
    ]
    assert content(OSLO, ROME) == [
        called(2, "get_weather", {"city": "Oslo"}),
        called(3, "get_time", {"zone": "Rome"}) | {"id": "toolu_rome"},
    ]
    assert stops(text("a"), OSLO) == {"stop_reason": "tool_use", "stop_sequence": None}


@pytest.mark.parametrize(
    ("pieces", "given"),
    [
        ((), {}),
        (("",), {}),
        (("{}",), {}),
        (('{"a": [1, 2.5, null]}',), {"a": [1, 2.5, None]}),
        (('{"a"', ": tru"), {"arguments": '{"a": tru'}),
        (("[1]",), {"arguments": "[1]"}),
        (('{"a": NaN}',), {"arguments": '{"a": NaN}'}),
        (("\ud83e",), {"arguments": "\ud83e"}),
        (('{"a":"\ud83e', '\udd84"}'), {"a": "🦄"}),
    ],
)
def test_arguments_are_streamed_as_they_are_and_parsed_in_json(pieces: tuple[str, ...], given: Json) -> None:
    assert says(tool_call("now", *pieces)) == block(0, called(2, "now"), *arguments(*pieces))
    assert content(tool_call("now", *pieces))[0]["input"] == given


def test_custom_call_is_a_tool_use_with_its_input() -> None:
    told = custom_tool_call("patch", 'say "', "é\n", "")
    assert says(told) == block(0, called(2, "patch"), *arguments('{"input":"say \\"', "é\\n", '"}'))
    assert content(told) == [called(2, "patch", {"input": 'say "é\n'})]
    assert says(custom_tool_call("patch"))[1:2] == block(0, {}, *arguments('{"input":""}'))[1:2]
    assert stops(told)["stop_reason"] == "tool_use"


def test_parallel_calls_are_one_after_the_other() -> None:
    weather, clock = content(interleaved(OSLO, ROME)), content(interleaved(OSLO, ROME, reverse=True))
    assert [b["name"] for b in weather] == ["get_weather", "get_time"]
    assert [b["name"] for b in clock] == ["get_time", "get_weather"]
    assert says(interleaved(OSLO, ROME)) == says(OSLO, ROME)
    assert says(interleaved(OSLO, ROME, reverse=True)) == says(ROME, OSLO)


def test_search_is_a_server_tool_with_its_result() -> None:
    id = f"srvtoolu_{CALL}00000002"
    told = says(web_search('the "sea"'))
    use = {"type": "server_tool_use", "id": id, "name": "web_search", "input": {}}
    result = told[3]["content_block"]
    assert told == [*block(0, use, *arguments('{"query":"the \\"sea\\""}')), *block(1, result)]
    (found,) = result["content"]
    assert (result["type"], result["tool_use_id"]) == ("web_search_tool_result", id)
    assert (found["type"], found["url"], found["title"]) == ("web_search_result", FOUND, 'the "sea"')
    assert content(web_search('the "sea"')) == [use | {"input": {"query": 'the "sea"'}}, result]
    assert stops(web_search("x"))["stop_reason"] == "end_turn"


def test_item_is_given_whole() -> None:
    data = {"type": "text", "text": "whole", "new": {"a": [1]}}
    assert says(text("a"), item(**data)) == [*block(0, EMPTY_TEXT, *words("a")), *block(1, data)]
    assert content(item(**data)) == [data]
    assert stops(item(type="tool_use", id="t", name="n", input={}))["stop_reason"] == "tool_use"


def test_image_says_nothing() -> None:
    assert says(image("aGk=")) == []
    assert content(image("aGk=")) == []


# --- usage ----------------------------------------------------------------------------------------


def test_usage_takes_the_cache_off_the_input() -> None:
    counts = usage(607, 1024, cached=500, reasoning=1000, cache_write=3, cache_write_1h=4, web_searches=2)
    side = {"input_tokens": 100, "cache_creation_input_tokens": 7, "cache_read_input_tokens": 500}
    written = {"cache_creation": {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}}
    spent = {
        "output_tokens": 1024,
        "output_tokens_details": {"thinking_tokens": 1000},
        "server_tool_use": {"web_search_requests": 2},
    }
    events = frames(script(counts))
    assert document(script(counts))["usage"] == side | written | spent | {"service_tier": "standard"}
    assert events[0]["message"]["usage"] == side | written | {"output_tokens": 1, "service_tier": "standard"}
    assert events[-2]["usage"] == side | spent


def test_usage_is_never_negative_and_says_no_more_than_there_is() -> None:
    assert document(script(usage(5, 0, cached=9)))["usage"] == {
        "input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 9,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 0,
        "service_tier": "standard",
    }
    assert frames(script(usage(5, 0)))[0]["message"]["usage"]["output_tokens"] == 0


def test_extra_is_laid_over_the_usage() -> None:
    extra = {"input_tokens": None, "cache_creation": {"ephemeral_5m_input_tokens": 9}, "new": {"a": 1}}
    events = frames(script(usage(extra=extra)))
    start, end = events[0]["message"]["usage"], events[-2]["usage"]
    assert start["cache_creation"] == {"ephemeral_5m_input_tokens": 9, "ephemeral_1h_input_tokens": 0}
    for counts in (start, end, document(script(usage(extra=extra)))["usage"]):
        assert (counts["input_tokens"], counts["new"]) == (None, {"a": 1})


def test_usage_at_the_start_alone() -> None:
    counts = usage(20, 30, cached=5, reasoning=10)
    events = frames(script(counts, wire=Wire(usage_in="start")))
    assert events[0]["message"]["usage"] == document(script(counts))["usage"]
    assert events[-2]["usage"] == {
        "input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
        "output_tokens_details": {"thinking_tokens": 0},
    }


# --- endings --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("turn", "reason", "sequence"),
    [
        ((), "end_turn", None),
        ((text("a"), completed()), "end_turn", None),
        ((OSLO, completed()), "tool_use", None),
        ((interleaved(OSLO),), "tool_use", None),
        ((completed(stop_sequence="END"),), "stop_sequence", "END"),
        ((OSLO, completed(reason="pause_turn")), "pause_turn", None),
        ((completed(reason="odd", stop_sequence="END"),), "odd", "END"),
        ((incomplete(),), "max_tokens", None),
        ((OSLO, incomplete("content_filter")), "refusal", None),
        ((incomplete("model_context_window_exceeded"),), "model_context_window_exceeded", None),
        ((refusal("no"), OSLO), "refusal", None),
        ((refusal("no"), incomplete()), "max_tokens", None),
    ],
)
def test_stop_reason(turn: tuple[Element, ...], reason: str, sequence: str | None) -> None:
    assert stops(*turn) == {"stop_reason": reason, "stop_sequence": sequence}


@pytest.mark.parametrize(
    ("ending", "status", "kind", "words"),
    [
        (failed(message="Oh."), 500, "api_error", "Oh."),
        (failed("x", "Oh.", type="odd_error", status=418), 418, "odd_error", "Oh."),
        (failed("rate_limit_exceeded", "Oh.", status=429), 429, "rate_limit_error", "Oh."),
        (failed("server_is_overloaded", "Oh.", status=529), 529, "overloaded_error", "Oh."),
        (failed("context_length_exceeded", "Oh.", status=400), 400, "invalid_request_error", "Oh."),
        (failed("insufficient_quota", "Oh."), 500, "billing_error", "Oh."),
        (error_event("slow_down", "Oh.", nested=True, then_failed=True), 500, "overloaded_error", "Oh."),
        (error_event("invalid_prompt", "Oh."), 500, "invalid_request_error", "Oh."),
        (cancelled(), 500, "api_error", "The request was cancelled."),
        (unfinished("queued"), 500, "api_error", "The response is still queued."),
    ],
)
def test_failure_is_an_http_error_or_an_error_event(ending: Ending, status: int, kind: str, words: str) -> None:
    expected = {"type": "error", "error": {"type": kind, "message": words}, "request_id": f"req_{CALL}"}
    steps = rendered(script(text("a"), ending))
    assert (head_of(steps).status, json.loads(body_of(steps))) == (status, expected)
    assert validate(expected, "messages/error") == []
    events = frames(script(text("a"), ending))
    assert head_of(rendered(script(ending), stream=True)).status == 200
    assert events[-1] == expected
    assert [e["type"] for e in events[-2:]] == ["content_block_delta", "error"]


def test_broken_off_text_is_not_closed_but_a_call_is() -> None:
    assert frames(script(text("a"), cut()))[-1]["type"] == "content_block_delta"
    assert frames(script(OSLO, failed()))[-2]["type"] == "content_block_stop"


def test_cut_stops_the_stream_and_halves_the_json() -> None:
    played = script(text("one"), cut("rst"))
    steps = rendered(played, stream=True)
    assert steps[-1] == Break("rst")
    assert body_of(steps).endswith(b'{"type":"text_delta","text":"one"}}\n\n')
    assert not isinstance(rendered(script(text("one"), cut()), stream=True)[-1], Break)
    inside = body_of(rendered(script(text("日"), cut("fin", "utf8")), stream=True))
    assert inside.endswith("日".encode()[:2])
    assert body_of(rendered(script(text("one"), completed()))).startswith(body_of(rendered(played)))
    assert rendered(played)[-1] == Break("rst")


def test_refused_is_an_answer_as_it_is() -> None:
    played = script(text("never"), hold("h"), refused(429, {"key": "{credential}"}, retry_after="7"))
    for stream in (False, True):
        steps = rendered(played, stream=stream, credential="sk-1")
        assert steps[0] == Wait("h")
        assert (head_of(steps).status, head_of(steps).headers["retry-after"]) == (429, "7")
        assert body_of(steps) == b'{"key":"sk-1"}'


def test_what_is_done_on_the_wire_is_in_its_place() -> None:
    played = script(
        comment("first"),
        text("a"),
        pause(0.5),
        ping(),
        event(type="new.event", a=1),
        event(b=2),
        raw("data: {half"),
        completed(),
        hold("late"),
        comment("after"),
        event(type="ping"),
    )
    steps = rendered(played, stream=True)
    sent = body_of(steps).decode()
    assert "event: message_start" in sent.split(": first\n\n")[0]
    assert (
        'event: ping\ndata: {"type":"ping"}\n\nevent: new.event\ndata: {"type":"new.event","a":1}\n\ndata: {"b":2}\n\ndata: {half'
        in sent
    )
    assert Rest(0.5) in steps
    at = steps.index(Wait("late"))
    assert body_of(steps[:at]).endswith(b'event: message_stop\ndata: {"type":"message_stop"}\n\n')
    assert body_of(steps[at:]) == b': after\n\nevent: ping\ndata: {"type":"ping"}\n\n'
    whole = rendered(played)
    assert whole[:2] == [Rest(0.5), Wait("late")]
    assert json.loads(body_of(whole))["content"] == [{"type": "text", "text": "a", "citations": None}]


# --- switches -------------------------------------------------------------------------------------


def test_no_preamble_matters_to_an_instant_failure_alone() -> None:
    off = Wire(preamble=False)
    assert [e["type"] for e in frames(script(hold("h"), failed(), wire=off))] == ["error"]
    for turn in ((text("a"), failed()), (text("a"),), (), (cut(),)):
        assert frames(script(*turn, wire=off)) == frames(script(*turn))


@pytest.mark.parametrize("place", ["arguments_done", "item_done", "terminal"])
def test_arguments_at_the_block_start(place: str) -> None:
    wire = Wire(arguments_in=place)
    assert says(OSLO, custom_tool_call("c", "x"), text("a"), wire=wire) == [
        *block(0, called(2, "get_weather", {"city": "Oslo"})),
        *block(1, called(3, "c", {"input": "x"})),
        *block(2, EMPTY_TEXT, *words("a")),
    ]
    assert says(tool_call("now"), wire=wire) == block(0, called(2, "now"))
    assert says(web_search("q"), wire=wire)[0]["content_block"]["input"] == {"query": "q"}


@pytest.mark.parametrize("place", ["text_done", "item_done", "terminal"])
def test_text_at_the_block_start(place: str) -> None:
    wire = Wire(text_in=place)
    told = says(text("a"), text("b", citations=[citation("u")]), refusal("no"), OSLO, wire=wire)
    whole = content(text("a"), text("b", citations=[citation("u")]), refusal("no"))
    assert told == [
        *block(0, whole[0]),
        *block(1, whole[1]),
        *block(2, called(2, "get_weather"), *arguments('{"city":', ' "Oslo"}')),
    ]
    assert whole[0]["citations"]


def test_null_deltas_come_before_real_ones() -> None:
    wire = Wire(null_deltas=True)
    assert says(text("a", "b"), wire=wire) == block(0, EMPTY_TEXT, *words(None, "a", None, "b"))
    assert says(tool_call("now", "{}"), wire=wire) == block(0, called(2, "now"), *arguments(None, "{}"))
    begun = {"type": "thinking", "thinking": "", "signature": ""}
    signed = {"type": "signature_delta", "signature": "s"}
    assert says(reasoning("a", signature="s"), wire=wire) == block(0, begun, *thoughts(None, "a"), signed)


def test_endings_that_lack_something() -> None:
    whole = frames(script(text("a")))
    assert frames(script(text("a"), wire=Wire(bare_terminal=True)))[-2] == {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
    }
    assert stops(completed(stop_sequence="END"), wire=Wire(no_finish=True)) == {
        "stop_reason": None,
        "stop_sequence": None,
    }
    assert frames(script(text("a"), wire=Wire(no_done=True))) == whole[:-1]


def test_done_is_the_last_frame() -> None:
    for turn in ((text("a"), completed()), (text("a"), failed())):
        plain = body_of(rendered(script(*turn), stream=True))
        assert body_of(rendered(script(*turn, wire=Wire(done=True)), stream=True)) == plain + b"data: [DONE]\n\n"
    late = body_of(rendered(script(completed(), comment("late"), wire=Wire(done=True)), stream=True))
    assert late.endswith(b"data: [DONE]\n\n: late\n\n")


def test_terminal_twice() -> None:
    wire = Wire(repeat_terminal=True)
    kinds = [e["type"] for e in frames(script(text("a"), wire=wire))]
    assert kinds[-4:] == ["message_delta", "message_delta", "message_stop", "message_stop"]
    assert [e["type"] for e in frames(script(failed(), wire=wire))] == ["message_start", "error", "error"]


def test_order_of_events() -> None:
    late = [
        e["type"].removeprefix("content_block_") for e in frames(script(text("a", "b"), wire=Wire(order="added_late")))
    ]
    assert late == ["message_start", "delta", "start", "delta", "stop", "message_delta", "message_stop"]
    early = frames(script(text("a", "b"), wire=Wire(order="done_early")))
    assert [e["type"].removeprefix("content_block_") for e in early[1:6]] == ["start", "ping", "delta", "stop", "delta"]


def test_switches_of_other_dialects_change_nothing() -> None:
    turn = (text("a"), reasoning("b"), OSLO)
    plain = rendered(script(*turn), stream=True)
    for wire in (
        Wire(terminal="response.done"),
        Wire(terminal_output="empty"),
        Wire(sequence="gaps"),
        Wire(reasoning_key="reasoning"),
        Wire(usage_in="event"),
        Wire(usage_in="every"),
    ):
        assert rendered(script(*turn, wire=wire), stream=True) == plain


def test_unrequested_stream_and_names() -> None:
    steps = rendered(script(text("a"), wire=Wire(unrequested_sse=True)))
    assert steps == rendered(script(text("a")), stream=True)
    assert b"event:" not in body_of(rendered(script(text("a"), wire=Wire(unnamed_events=True)), stream=True))
    typeless = body_of(rendered(script(text("a"), wire=Wire(typeless_events=True)), stream=True))
    assert b"event: message_stop\ndata: {}\n\n" in typeless


def test_marker_and_credential_are_quoted() -> None:
    assert (
        document(script(text("I am {marker}.")), marker="gp-aaaaaa-bbbbbbbb")["content"][0]["text"]
        == "I am gp-aaaaaa-bbbbbbbb."
    )
    told = frames(script(failed(message="Bad key {credential}")), credential="sk-1")[-1]
    assert told["error"]["message"] == "Bad key sk-1"


# --- counts, subpaths, errors ---------------------------------------------------------------------


def test_count_of_tokens_is_the_script_s() -> None:
    counted = document(script(text("a"), usage(123)), kind="count", stream=True)
    assert counted == {"input_tokens": 123}
    assert validate(counted, "messages/count-response") == []
    assert head_of(rendered(script(refused(404)), kind="count")).status == 404
    assert document(script(failed()), kind="count")["type"] == "error"
    unrequested = script(usage(1), wire=Wire(unrequested_sse=True))
    assert document(unrequested, kind="count") == {"input_tokens": 1}


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({}, 1),
        ({"messages": [{"role": "user", "content": "12345678"}]}, 2),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "123456789"}]}], "system": "1234"}, 4),
        ({"tools": [{"name": "1234", "input_schema": {"properties": {"a": {"description": "1234"}}}}]}, 2),
        ({"messages": [{"content": [{"type": "image", "source": {"type": "base64", "data": "A" * 9999}}]}]}, 1),
        ({"messages": 5, "system": None}, 1),
    ],
)
def test_count_of_tokens_is_made_from_the_request(body: Json, count: int) -> None:
    assert document(script(text("a")), kind="count", **body) == {"input_tokens": count}


def test_subpath_says_that_it_is_one() -> None:
    assert document(script(text("a")), kind="subpath", stream=True) == {"object": "gateproof.subpath", "stream": True}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (405, "invalid_request_error"),
        (413, "request_too_large"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (503, "overloaded_error"),
        (529, "overloaded_error"),
    ],
)
def test_error_of_the_mock_itself(status: int, kind: str) -> None:
    found = messages.error("No.", status)
    assert found["error"] == {"type": kind, "message": "No."}
    assert found["request_id"].startswith("req_")
    assert validate(found, "messages/error") == []


def test_long_turns_and_long_lines_are_rendered_fast() -> None:
    began = time.perf_counter()
    many = rendered(script(text("abc", times=10_000), tool_call("t", *(["1"] * 10_000))), stream=True)
    line = rendered(script(text("a", stretch=8 * 1024 * 1024)), stream=True)
    whole = document(script(text("abc", times=10_000)))
    assert sum(isinstance(s, Write) for s in many) == 20_000 + 8
    assert max(len(s.data) for s in line if isinstance(s, Write)) > 8 * 1024 * 1024
    assert whole["content"][0]["text"] == "abc" * 10_000
    assert time.perf_counter() - began < 5


def test_same_call_gets_the_same_bytes() -> None:
    played = script(reasoning("a"), text("b"), OSLO, web_search("q"))
    assert rendered(played, stream=True) == rendered(played, stream=True)
    assert CALL.encode() in body_of(rendered(played, stream=True))


def test_kinds_of_endings_are_all_here() -> None:
    """An ending that is neither a failure, nor known to `stop`, would be taken for a turn that is completed."""
    known = {Failed, ErrorEvent, Cancelled, Unfinished, Cut, Refused, type(completed()), type(incomplete())}
    assert known == {kind for kind in ELEMENTS.values() if issubclass(kind, Ending)}
