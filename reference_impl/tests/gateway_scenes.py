"""Turns in all dialects, for tests that need many of them."""

import json
from dataclasses import dataclass, field
from typing import Any

from gateway_bench import CUT, Asking, Fake, Told, sse

ODD = 'say "no"\n\t\x1b\x07 \x00'
RESPONSE: dict[str, Any] = {
    "id": "resp_up",
    "object": "response",
    "created_at": 1,
    "model": "model-up",
    "status": "in_progress",
    "output": [],
}
USAGE: dict[str, Any] = {
    "input_tokens": 607,
    "output_tokens": 1024,
    "total_tokens": 1631,
    "input_tokens_details": {"cached_tokens": 64, "audio_tokens": 3},
    "output_tokens_details": {
        "reasoning_tokens": 112,
        "audio_tokens": 5,
        "accepted_prediction_tokens": 7,
        "rejected_prediction_tokens": 9,
    },
}
CHAT_USAGE: dict[str, Any] = {
    "prompt_tokens": 607,
    "completion_tokens": 1024,
    "total_tokens": 1631,
    "prompt_tokens_details": USAGE["input_tokens_details"],
    "completion_tokens_details": USAGE["output_tokens_details"],
}


def message(text: str, at: int = 0) -> dict[str, Any]:
    part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    item = {"id": f"msg_{at}", "type": "message", "status": "completed", "role": "assistant"}
    return {**item, "content": [part]}


def call(at: int, name: str = "look", arguments: str = '{"at":1}') -> dict[str, Any]:
    item = {"id": f"fc_{at}", "type": "function_call", "status": "completed", "call_id": f"call_{at}"}
    return {**item, "name": name, "arguments": arguments}


def thought(text: str, at: int = 0) -> dict[str, Any]:
    return {"id": f"rs_{at}", "type": "reasoning", "summary": [{"type": "summary_text", "text": text}]}


def events_of(item: dict[str, Any], at: int) -> list[dict[str, Any]]:
    """Return the events of one whole item, its words in two deltas."""
    place = {"item_id": item["id"], "output_index": at}
    emptied = {key: [] for key in ("content", "summary") if key in item} | (
        {"arguments": ""} if "arguments" in item else {}
    )
    events: list[dict[str, Any]] = [
        {"type": "response.output_item.added", "output_index": at, "item": {**item, **emptied}}
    ]
    for number, part in enumerate(item.get("content", [])):
        here, words = {**place, "content_index": number}, part["text"]
        events.append({"type": "response.content_part.added", **here, "part": {**part, "text": ""}})
        events += [{"type": "response.output_text.delta", **here, "delta": half} for half in halves(words)]
        events.append({"type": "response.output_text.done", **here, "text": words})
        events.append({"type": "response.content_part.done", **here, "part": part})
    for number, part in enumerate(item.get("summary", [])):
        here, words = {**place, "summary_index": number}, part["text"]
        events += [{"type": "response.reasoning_summary_text.delta", **here, "delta": half} for half in halves(words)]
        events.append({"type": "response.reasoning_summary_text.done", **here, "text": words})
    if "arguments" in item:
        for half in halves(item["arguments"]):
            events.append({"type": "response.function_call_arguments.delta", **place, "delta": half})
        events.append({"type": "response.function_call_arguments.done", **place, "arguments": item["arguments"]})
    return [*events, {"type": "response.output_item.done", "output_index": at, "item": item}]


def halves(words: str) -> list[str]:
    return [half for half in (words[: len(words) // 2], words[len(words) // 2 :]) if half]


def terminal(kind: str, output: list[Any], **more: Any) -> dict[str, Any]:
    status = kind.removeprefix("response.").replace("done", "completed")
    response = {**RESPONSE, "status": status, "output": output, "usage": USAGE, **more}
    return {"type": kind, "response": response}


def numbered(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**event, "sequence_number": at} for at, event in enumerate(events)]


def responses_turn(*items: dict[str, Any], end: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return a whole stream; `end` stands in place of response.completed."""
    opening = [{"type": kind, "response": RESPONSE} for kind in ("response.created", "response.in_progress")]
    events = [event for at, item in enumerate(items) for event in events_of(item, at)]
    return numbered([*opening, *events, end or terminal("response.completed", list(items))])


def failed(code: str | None = "server_error", text: str = "the model fell over") -> dict[str, Any]:
    response = {**RESPONSE, "status": "failed", "error": {"code": code, "message": text}}
    return {"type": "response.failed", "response": response}


def chunk(delta: dict[str, Any] | None = None, reason: str | None = None, **more: Any) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}]
    head = {"id": "chatcmpl-up", "object": "chat.completion.chunk", "created": 1, "model": "model-up"}
    return {**head, "choices": choices, **more}


ROLE = chunk({"role": "assistant", "content": ""})
DONE = b"data: [DONE]\n\n"


def piece(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments} | ({"name": more.pop("name")} if "name" in more else {})
    return chunk({"tool_calls": [{"index": index, **more, "function": function}]})


def as_it_is(event: dict[str, Any]) -> bytes:
    """Return a chunk whose characters beyond ASCII are not escaped."""
    return f"data: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


def chat_turn(*chunks: dict[str, Any] | bytes, reason: str = "stop") -> list[Any]:
    return [ROLE, *chunks, chunk({}, reason), chunk(usage=CHAT_USAGE), DONE]


CHAT_CALLS = (
    piece(0, "", id="call_a", type="function", name="look"),
    piece(1, "", id="call_b", type="function", name="take"),
    piece(0, '{"at"'),
    piece(1, '{"to"'),
    piece(0, ":1}"),
    piece(1, ":2}"),
)
BOTH_BEGIN, BOTH_GO_ON = (
    chunk({"tool_calls": [entry for one in pieces for entry in one["choices"][0]["delta"]["tool_calls"]]})
    for pieces in (CHAT_CALLS[:2], CHAT_CALLS[2:4])
)
"""Chunks that hold pieces of two calls."""
REFUSES = {"type": "response.refusal.delta", "item_id": "msg_0", "output_index": 0, "content_index": 0, "delta": "No."}
SEARCHES = {"type": "response.web_search_call.searching", "item_id": "ws_0", "output_index": 0}
PAGE = {"start_index": 0, "end_index": 2, "url": "https://example.org/a", "title": "A"}
NESTED = {"type": "url_citation", "url_citation": PAGE}
SECOND_CHOICE = chunk() | {"choices": [{"index": 1, "delta": {"content": "second"}, "finish_reason": None}]}
COMPLETION: dict[str, Any] = {
    "id": "chatcmpl-up",
    "object": "chat.completion",
    "created": 1,
    "model": "model-up",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hel"}, "finish_reason": "stop"}],
    "usage": CHAT_USAGE,
}


def cut_in_two(data: bytes) -> list[bytes]:
    """Return bytes in two pieces, cut within their first character beyond ASCII."""
    at = next(at for at, byte in enumerate(data) if byte > 0x7F) + 1
    return [data[:at], data[at:]]


def cited(text: str) -> dict[str, Any]:
    """Return a message that cites a page."""
    said = message(text)
    said["content"][0]["annotations"] = [{"type": "url_citation", **PAGE}]
    return said


LOGPROB = {"token": "Hel", "logprob": -0.125, "bytes": [72, 101, 108], "top_logprobs": []}
PROBABLE = chunk({"content": "Hel"})
PROBABLE["choices"][0]["logprobs"] = {"content": [LOGPROB], "refusal": None}


def probable() -> list[dict[str, Any]]:
    """Return a turn whose deltas tell probabilities."""
    turn = responses_turn(message("Hel"))
    return [{**e, "logprobs": [LOGPROB]} if e["type"] == "response.output_text.delta" else e for e in turn]


def without_numbers(turn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in event.items() if name != "sequence_number"} for event in turn]


TWO_CALLS = (call(0), call(1, "take", '{"to":2}'))
INTERLEAVED = numbered(
    [
        {"type": "response.created", "response": RESPONSE},
        *(
            {"type": "response.output_item.added", "output_index": at, "item": {**call(at), "arguments": ""}}
            for at in (0, 1)
        ),
        *(
            {
                "type": "response.function_call_arguments.delta",
                "item_id": f"fc_{at}",
                "output_index": at,
                "delta": delta,
            }
            for at, delta in ((0, '{"a"'), (1, '{"b"'), (0, ":1}"), (1, ":2}"))
        ),
        {"type": "response.function_call_arguments.delta", "item_id": "fc_9", "output_index": 9, "delta": "lost"},
        terminal("response.completed", []),
    ]
)


def only_in(where: str, item: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a turn whose words stand in one place only: the text's or call's done, the item's done, or the terminal."""
    empty = events_of(item, 0)[0]
    done = [event for event in events_of(item, 0) if event["type"].endswith(".done")]
    told = {"done": done[:1], "item": done[-1:], "terminal": []}[where]
    end = terminal("response.completed", [item] if where == "terminal" else [])
    return numbered([{"type": "response.created", "response": RESPONSE}, empty, *told, end])


MESSAGE: dict[str, Any] = {
    "id": "msg_up",
    "type": "message",
    "role": "assistant",
    "model": "model-up",
    "content": [],
    "stop_reason": None,
    "stop_sequence": None,
    "usage": {"input_tokens": 540, "cache_read_input_tokens": 64, "cache_creation_input_tokens": 3, "output_tokens": 1},
}
MESSAGES_USAGE: dict[str, Any] = {
    **MESSAGE["usage"],
    "output_tokens": 1024,
    "output_tokens_details": {"thinking_tokens": 112},
}
STOP = {"type": "message_stop"}
PING = {"type": "ping"}


def text_block(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def use(at: int, name: str = "look", **value: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"call_{at}", "name": name, "input": value or {"at": 1}}


def thinking(words: str, signature: str = "c2ln") -> dict[str, Any]:
    return {"type": "thinking", "thinking": words, "signature": signature}


def block_start(at: int, block: dict[str, Any]) -> dict[str, Any]:
    return {"type": "content_block_start", "index": at, "content_block": block}


def block_delta(at: int, kind: str, **member: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": at, "delta": {"type": kind, **member}}


def block_stop(at: int) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": at}


def block_events(block: dict[str, Any], at: int) -> list[dict[str, Any]]:
    """Return the events of one whole block, its words in two deltas."""
    emptied = {**block, **{name: "" for name in ("text", "thinking", "signature") if name in block}}
    emptied |= {"input": {}} if "input" in block else {}
    events = [block_start(at, emptied)]
    for name in ("text", "thinking"):
        events += [block_delta(at, f"{name}_delta", **{name: half}) for half in halves(block.get(name, ""))]
    if block.get("signature"):
        events.append(block_delta(at, "signature_delta", signature=block["signature"]))
    if "input" in block:
        pieces = halves(json.dumps(block["input"]))
        events += [block_delta(at, "input_json_delta", partial_json=half) for half in pieces]
    return [*events, block_stop(at)]


def message_delta(reason: str | None, usage: dict[str, Any] | None = None) -> dict[str, Any]:
    told = {"output_tokens": 1024, "output_tokens_details": {"thinking_tokens": 112}} if usage is None else usage
    return {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": told}


MESSAGE_START = {"type": "message_start", "message": MESSAGE}


def messages_turn(*blocks: dict[str, Any], reason: str | None = "end_turn") -> list[Any]:
    """Return a whole stream, with a ping where Anthropic sends one."""
    events = [event for at, block in enumerate(blocks) for event in block_events(block, at)]
    return [MESSAGE_START, *events[:1], PING, *events[1:], message_delta(reason), STOP]


def messages_body(*blocks: dict[str, Any], reason: str | None = "end_turn") -> dict[str, Any]:
    return {**MESSAGE, "content": list(blocks), "stop_reason": reason, "usage": MESSAGES_USAGE}


OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": ODD}}
"""The error event of Messages."""


@dataclass
class Scene:
    """One question and what the upstream does."""

    surface: str
    dialect: str
    steps: list[Any] | None = None
    body: Any = None
    stream: bool = True
    status: int = 200
    path: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    def play(self, ask: Asking, fake: Fake) -> Told:
        if self.steps is not None:
            fake.status = self.status
            fake.streams(*self.steps)
        else:
            fake.says(self.body, self.status)
        how = {"stream": self.stream, **self.settings, **self.more}
        if self.path:
            how["path"] = self.path
        return ask.turn(self.surface, self.dialect, **how)


COUNTED = {"stream_options": {"include_usage": True}}
SECRET = {"upstream_key": "sk-operator-secret"}


def scenes() -> list[Scene]:
    """Return what every mutant must be seen in: each lie shows in at least one of these."""
    r_streams: list[list[Any]] = [
        responses_turn(thought("I think"), message("Hello, world"), call(2)),
        responses_turn(message("Hello, "), message("world", 1)),
        responses_turn(*TWO_CALLS),
        INTERLEAVED,
        responses_turn(call(0, arguments="")),
        *(only_in(where, item) for where in ("done", "item", "terminal") for item in (message("Hi you"), call(0))),
        responses_turn({"id": "ws_1", "type": "web_search_call", "status": "completed"}, message("found", 1)),
        responses_turn(
            message("Hel"), end=terminal("response.incomplete", [], incomplete_details={"reason": "max_output_tokens"})
        ),
        responses_turn(
            message("Hel"), end=terminal("response.incomplete", [], incomplete_details={"reason": "content_filter"})
        ),
        responses_turn(message("Hel"), end=terminal("response.done", [])),
        responses_turn(message("Hel"), end={"type": "response.completed", "usage": USAGE}),
        responses_turn(message("Hel"), end=failed(text=ODD)),
        responses_turn(end=failed("context_length_exceeded")),
        responses_turn(message("Hel"), end={"type": "response.failed"}),
        responses_turn(message("Hel"), end={"type": "response.cancelled", "response": RESPONSE}),
        responses_turn(message("Hel"), end={"type": "error", "code": "server_error", "message": ODD, "param": None}),
        responses_turn(message("Hel"), end={"type": "error", "error": {"code": "server_error", "message": "no"}}),
        responses_turn(message("Hel"))[:-1],
        [*map(sse, responses_turn(message("Hel"))[:-1]), CUT],
        responses_turn(call(0))[:-1],
        responses_turn(cited("As they say")),
        numbered([{"type": "response.created", "response": RESPONSE}, REFUSES, terminal("response.completed", [])]),
        probable(),
        without_numbers(responses_turn(message("Hel"))),
        numbered([{"type": "response.created", "response": RESPONSE}, SEARCHES, terminal("response.completed", [])]),
    ]
    c_streams: list[list[Any]] = [
        chat_turn(chunk({"reasoning_content": "I think"}), chunk({"content": "Hello, "}), chunk({"content": "world"})),
        chat_turn(chunk({"content": "Hi "}), *CHAT_CALLS, reason="tool_calls"),
        chat_turn(piece(0, "", id="call_a", type="function", name="look"), reason="tool_calls"),
        [ROLE, *CHAT_CALLS, DONE],
        chat_turn(chunk({"content": "Hel"}))[:-1],
        chat_turn(chunk({"content": "Hel"}), reason="length"),
        chat_turn(chunk({"content": "Hel"}), reason="content_filter"),
        [ROLE, chunk({"content": "Hel"})],
        [sse(ROLE), sse(chunk({"content": "Hel"})), CUT],
        [ROLE, chunk({"content": "Hel"}), chunk(error={"type": "rate_limit_error", "message": "wait"}), DONE],
        chat_turn(as_it_is(chunk({"content": "one\u2028two"}))),
        chat_turn(chunk({"refusal": "I will "}), chunk({"refusal": "not"})),
        chat_turn(chunk({"content": "As they say"}), chunk({"annotations": [NESTED]})),
        chat_turn(chunk({"content": "first"}), SECOND_CHOICE),
        chat_turn(chunk({"content": None}), chunk({"content": "[DONE]"}), chunk()),
        chat_turn(*CHAT_CALLS, chunk({"content": "after"}), reason="length"),
        chat_turn(*CHAT_CALLS, chunk({"content": "after"}), reason="stop"),
        chat_turn(BOTH_BEGIN, BOTH_GO_ON, reason="tool_calls"),
        chat_turn(b": ping\n\n", *cut_in_two(as_it_is(chunk({"content": "na\u00efve"})))),
        [b"".join(map(sse, [ROLE, chunk({"content": "Hel"}), chunk({}, "stop")])).replace(b"\n", b"\r\n")],
        chat_turn(chunk({"content": "long " * 14_000})),
        [ROLE, chunk({"content": "Hel"}), chunk({}, "stop", usage=CHAT_USAGE), DONE],
        chat_turn(PROBABLE),
        chat_turn(
            chunk({"content": "As they say"}),
            chunk({"annotations": [NESTED, NESTED]}),
            chunk({"refusal": "I will not"}),
        ),
    ]
    m_streams: list[list[Any]] = [
        messages_turn(thinking("I think"), text_block("Hello, world"), use(2), reason="tool_use"),
        messages_turn(use(0), use(1, "take", to=2), reason="tool_use"),
        [MESSAGE_START, block_start(0, use(0)), block_stop(0), message_delta("tool_use"), STOP],
        [MESSAGE_START, block_start(0, {**use(0), "input": {}}), block_stop(0), message_delta("tool_use"), STOP],
        messages_turn(text_block("Hel"), reason="max_tokens"),
        messages_turn(text_block("Hel"), reason="refusal"),
        messages_turn(text_block("Hel"))[:-1],
        messages_turn(text_block("Hel"))[:-2],
        messages_turn(text_block("Hel"), reason=None),
        [*messages_turn(text_block("Hel"))[:-2], OVERLOADED],
        [MESSAGE_START, OVERLOADED],
        [*map(sse, messages_turn(text_block("Hel"))[:-2]), CUT],
        messages_turn(text_block("Hel"), reason="model_context_window_exceeded"),
        messages_turn(text_block("Hel"), reason="pause_turn"),
        messages_turn(thinking("I think"), text_block("One"), thinking("again", "c2lnMg=="), text_block("Two")),
        [*messages_turn(use(0))[:-2], OVERLOADED],
        [MESSAGE_START, {"type": "acme_progress"}, *messages_turn(text_block("Hel"))[1:]],
        messages_turn(text_block("One. "), text_block("Two.")),
    ]
    found: list[Scene] = []
    for dialect, streams in (("responses", r_streams), ("chat", c_streams), ("messages", m_streams)):
        for surface in ("chat", "responses", "messages"):
            more = COUNTED if surface == "chat" else {}
            found += [Scene(surface, dialect, steps, more=more) for steps in streams]
    forced = {"force_upstream_stream": True}
    for surface in ("chat", "responses", "messages"):
        found += [
            Scene(surface, "messages", m_streams[0], stream=False, settings=forced),
            Scene(surface, "messages", body=messages_body(thinking("hm"), use(1), reason="tool_use"), stream=False),
            Scene(surface, "responses", r_streams[0], stream=False),
            Scene(
                surface,
                "responses",
                [*r_streams[0][:-1], terminal("response.completed", [])],
                stream=False,
                settings=forced,
            ),
            Scene(surface, "chat", c_streams[1], stream=False, settings=forced),
            Scene(surface, "chat", c_streams[7], stream=False, settings=forced),
            *(
                Scene(
                    surface, "responses", body={**RESPONSE, "status": status, "error": {"message": "no"}}, stream=False
                )
                for status in ("failed", "cancelled", "queued")
            ),
            Scene(surface, "responses", body={"error": {"message": "sk-operator-secret"}}, status=500, settings=SECRET),
            Scene(surface, "chat", body={"error": {"message": "no"}}, stream=False),
            Scene(surface, "chat", body=COMPLETION),
            Scene(surface, "responses", r_streams[1]),
            Scene(surface, "responses", r_streams[1], settings={"max_concurrency": 1, "queue_timeout": 0.001}),
        ]
    for path in ("/responses", "/backend-api/codex/responses", "/v1/responses/", "/v1/responsesfoo", "/v1/responses/x"):
        found.append(Scene("responses", "responses", r_streams[1], path=path))
    found.append(Scene("chat", "responses", r_streams[1], more={"n": 2}))
    for dialect in ("responses", "chat"):
        found.append(Scene("responses", dialect, body={"output": []}, path="/v1/responses/compact"))
    return found
