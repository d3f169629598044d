"""The bytes of a stream, and its headers."""

from __future__ import annotations

import re
from itertools import pairwise

from gateproof.answers.answer import Answer
from gateproof.cases.canned import answered
from gateproof.cases.reading import assert_calls, is_stream, wire_events
from gateproof.exchange import Exchange
from gateproof.registry import case, invariant
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, hold, reasoning, text, tool_call

_MARK = b"\xef\xbb\xbf"


@invariant("wire.sse-is-clean")
def sse_is_clean(exchange: Exchange) -> list[str] | None:
    if not is_stream(exchange) or not exchange.wire:
        return None
    found: dict[str, None] = {}
    raw = exchange.wire
    if raw.startswith(_MARK):
        found["a byte order mark"] = None
    lines = raw.removeprefix(_MARK).replace(b"\r\n", b"\n")
    # The carriage return that a broken transfer ends with may have had its line feed on the way.
    if b"\r" in (lines if exchange.clean else lines.removesuffix(b"\r")):
        found["a lone carriage return as line end"] = None
    # What follows the last blank line is no block yet.
    for block in lines.split(b"\n\n")[:-1]:
        if block.startswith(b"data:") or b"\ndata:" in block:
            continue
        fields = {line.partition(b":")[0] for line in block.split(b"\n") if line and not line.startswith(b":")}
        if fields and b"data" not in fields:
            found[f"a block without data: {block[:60]!r}"] = None
    events, pending = wire_events(exchange)
    for event, document in events:
        # To the letter: openai-node compares with it, openai-python looks at the beginning.
        if event.data != "[DONE]" and not isinstance(document, dict):
            found[f"data that is no JSON object: {event.data[:60]!r}" if event.data else "an empty data line"] = None
    if pending and exchange.clean:
        found["the last event has no blank line after it"] = None
    return list(found)[:5]


@invariant("wire.event-name-is-its-type")
def event_name_is_its_type(exchange: Exchange) -> list[str] | None:
    if not is_stream(exchange):
        return None
    found: dict[str, None] = {}
    seen = 0
    for event, data in wire_events(exchange)[0]:
        if not isinstance(data, dict):
            continue
        seen += 1
        kind = data.get("type")
        if not isinstance(kind, str):
            found[f"an event without a type: {event.data[:80]}"] = None
        elif event.name and event.name != kind:
            found[f"event: {event.name[:80]}, but type {kind[:80]}"] = None
        elif not event.name and exchange.pair.surface == "messages":
            # The Anthropic SDK for Python goes by that line alone.
            found[f"no event line for type {kind[:80]}"] = None
    return list(found)[:5] if seen else None


@invariant("wire.messages-have-no-done")
def messages_have_no_done(exchange: Exchange) -> list[str] | None:
    events = exchange.answer.events
    if not events:
        return None
    sentinels = events.count("[DONE]")
    return [f"[DONE] came {'once' if sentinels == 1 else f'{sentinels} times'}"] if sentinels else []


@invariant("wire.sequence-numbers-increase")
def sequence_numbers_increase(exchange: Exchange) -> list[str] | None:
    events = [e for e in exchange.answer.events if isinstance(e, dict)]
    numbers = [e["sequence_number"] for e in events if "sequence_number" in e]
    if not numbers:
        # A relay of a provider without numbers has none to pass on; a translator makes its own events.
        return ["no event has a sequence_number"] if events and exchange.pair.translated else None
    wrong = [n for n in numbers if not _is_integer(n)]
    if wrong:
        return [f"{_short(wrong[0])} is no integer"]
    for before, after in pairwise(numbers):
        if after <= before:
            return [f"{_short(after)} after {_short(before)}"]
    return []


def _short(value: object) -> str:
    return repr(value)[:80]


def _is_integer(number: object) -> bool:
    # 1.0 is an integer in JSON Schema, and 1 in JavaScript.
    whole = isinstance(number, int) or (isinstance(number, float) and number.is_integer())
    return whole and not isinstance(number, bool)


@invariant("wire.sequence-numbers-count-from-zero")
def sequence_numbers_count_from_zero(exchange: Exchange) -> list[str] | None:
    events = [e for e in exchange.answer.events if isinstance(e, dict)]
    numbers = [e.get("sequence_number") for e in events]
    if not numbers:
        return None
    wrong = [(wanted, told) for wanted, told in enumerate(numbers) if told != wanted]
    return [f"event {wanted} has the sequence_number {_short(told)}" for wanted, told in wrong[:1]]


@case("wire.streams-forbid-caching")
def streams_forbid_caching(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("Hel", "lo"))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    told = answer.headers.get("cache-control", "")
    fine = any(word.strip().lower() in ("no-cache", "no-store") for word in told.split(","))
    assert fine, f"Cache-Control {told or '(none)'!r}"


@case("wire.upstream-cookies-stay-home")
def upstream_cookies_stay_home(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    said = text("Hel", "lo")
    upstream.says(answered(check.dialect, check.mode, said, set_cookie="gp_upstream=secret-of-the-provider; Path=/"))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert "gp_upstream" not in answer.headers.get("set-cookie", ""), "the client got the upstream's cookie"


@case("wire.compressed-answers-decode")
def compressed_answers_decode(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("one ", "two "), hold("before-the-end"), text("three"))

    answer, came = _read_before_the_end(ask, check, "gzip, deflate")
    coding = answer.headers.get("content-encoding", "identity").strip().lower()
    # A gateway that holds every stream back is another requirement's business.
    slow = not came and _read_before_the_end(ask, check, "identity")[1]

    assert not slow, f"with Content-Encoding {coding} nothing had come while the upstream waited, and plain it came"
    check.chose("plain" if coding in ("identity", "") else coding)


def _read_before_the_end(ask: Ask, check: CheckHand, coding: str) -> tuple[Answer, bool]:
    """The answer to a client that takes this coding, and whether its first words came while the upstream waited."""
    live = ask.begin(headers=(("Accept-Encoding", coding),))
    came = not check.stream or check.is_buffering() or live.until(lambda answer: answer.text.startswith("one "))
    live.release("before-the-end")
    answer = live.finish()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "one two three"
    return answer, came


@invariant("wire.content-type-fits")
def content_type_fits(exchange: Exchange) -> list[str] | None:
    answer = exchange.answer
    if not answer.status:
        return None
    kind = answer.headers.get("content-type", "")
    wanted = "text/event-stream" if exchange.mode == "stream" and answer.status == 200 else "application/json"
    if kind.split(";")[0].strip().lower() == wanted:
        return []
    return [f"HTTP {answer.status} with content type {kind or '(none)'!r}, not {wanted}"]


_ID_FIELD = re.compile(rb"^id(?::.*)?$", re.MULTILINE)


@invariant("wire.streams-have-no-event-id")
def streams_have_no_event_id(exchange: Exchange) -> list[str] | None:
    relayed = not exchange.pair.translated and any(script.wire.event_ids for script in exchange.scripts)
    if not is_stream(exchange) or not exchange.wire or relayed:
        return None
    lines = exchange.wire.removeprefix(_MARK).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    # Looked for as plain bytes first: the expression alone takes as long as all other invariants on an event of 8 MiB.
    told = _ID_FIELD.search(lines) if lines.startswith(b"id") or b"\nid" in lines else None
    return [f"an event has the field {told[0][:60]!r}"] if told else []


@case("wire.missing-sequence-numbers-do-no-harm")
def missing_sequence_numbers_do_no_harm(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    call = tool_call("get_weather", '{"city":', '"Oslo"}')
    upstream.says(reasoning("Hm."), text("Hel", "lo"), call, wire=Wire(sequence="missing"))

    answer = ask()

    assert answer.outcome == "complete", repr(answer)
    assert answer.text == "Hello"
    assert_calls(answer, check, ("get_weather", '{"city":"Oslo"}'))
    if check.translated:
        return
    events = [e for e in answer.events if isinstance(e, dict)]
    numbers = [e["sequence_number"] for e in events if e.get("sequence_number") is not None]
    wrong = [n for n in numbers if not _is_integer(n)]
    assert not wrong, f"{_short(wrong[:1])} is no sequence_number"
    back = [pair for pair in pairwise(numbers) if pair[1] <= pair[0]]
    assert not back, f"the sequence_number {_short(back[0][1])} after {_short(back[0][0])}"
    check.chose("filled" if len(numbers) == len(events) else "left")


@case("wire.connection-serves-again")
def connection_serves_again(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("Hel", "lo"))
    unsaid = 0
    with ask.kept_line() as line:
        for number, mode in enumerate(("stream", "json", "json", "stream"), start=1):
            before, ends = line.connections, line.ends
            answer = ask(mode=mode, line=line)
            if line.connections == before and not answer.status and answer.outcome == "broken" and not ask.last.calls:
                # It was closed as it was taken up again, which no client can tell beforehand (RFC 9112 9.3.1): once more.
                answer = ask(mode=mode, line=line)

            what = f"turn {number} ({mode}), over connection {line.connections}"
            assert answer.outcome == "complete", f"{what}: {answer!r}"
            assert answer.text == "Hello", f"{what}: {answer!r}"
            unsaid += 0 < before < line.connections and not ends
    # One that was idle for too long, or served long enough, may end at any time. One that ends each time has to say so: whether
    # a client finds it closed, or loses its next request in it, is chance.
    assert unsaid < 2, f"{unsaid} of 3 connections ended without a word of it, when they were used again or before"
    check.chose("kept" if line.connections == 1 else "closed")
