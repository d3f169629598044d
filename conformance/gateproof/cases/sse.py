"""What a gateway has to read off its upstream's wire: all that HTTP and the SSE standard leave open."""

from __future__ import annotations

from typing import Any

from gateproof.answers.answer import Answer
from gateproof.cases.canned import answered, modes
from gateproof.cases.reading import assert_calls
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import Wire, comment, event, item, ping, reasoning, script, text, tool_call
from gateproof_mock.language.turns import Element

MEBIBYTE = 1024 * 1024
ROOM = 64 * MEBIBYTE
"""For long answers: a stream may say its words more than once, and some gateways do so often."""

SAID = "naïve 日本 🦄 end."
SPOKEN = text("naïve ", "日本", " 🦄", " end.")
CALLED = tool_call("get_weather", '{"city":', ' "Tromsø 🦄 日本"}')
CALL = ("get_weather", '{"city": "Tromsø 🦄 日本"}')


def _assert_whole(answer: Answer, check: CheckHand, how: object, said: str = SAID, *calls: tuple[str, str]) -> None:
    assert answer.outcome == "complete", f"{how}: {answer!r}"
    assert answer.text == said, f"{how}: text {answer.text[:200]!r}"
    assert_calls(answer, check, *calls)


@case("sse.comments-are-ignored")
def comments_are_ignored(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for words in ("ping", "OPENROUTER PROCESSING", "[DONE]", "data: {}", '{"error": {"message": "no"}}', ""):
        upstream.says(
            SPOKEN, comment(words), comment(words), CALLED, wire=Wire(opening_comment=words or "x", comments=words)
        )

        answer = ask()

        _assert_whole(answer, check, f"comment {words!r}", SAID, CALL)


SPLITS: dict[str, Wire] = {
    "each byte alone": Wire(split_every=1),
    "each byte alone, CRLF": Wire(split_every=1, line_end="crlf"),
    "seven bytes at a time": Wire(split_every=7),
    "all in one write": Wire(together=0),
}


@case("sse.any-split-reads-alike")
def any_split_reads_alike(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for how, wire in SPLITS.items():
        upstream.says(SPOKEN, CALLED, wire=wire)

        answer = ask()

        _assert_whole(answer, check, how, SAID, CALL)


FIELDS: dict[str, Wire] = {
    "CRLF": Wire(line_end="crlf"),
    "no space after the colon": Wire(no_space=True),
    "several data lines": Wire(data_lines=4),
    "events with an id": Wire(event_ids=True),
}
OPENINGS: dict[str, Wire] = {
    "a byte order mark": Wire(bom=True),
    "a block with a retry field alone": Wire(retry=3000),
}
"""What a relay may pass on as it is, to clients that cannot read it: only a translator writes streams of its own."""


@case("sse.fields-read-alike")
def fields_read_alike(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for how, wire in (FIELDS | OPENINGS if check.translated else FIELDS).items():
        upstream.says(SPOKEN, CALLED, wire=wire)

        answer = ask()

        _assert_whole(answer, check, how, SAID, CALL)


ESCAPED = (
    "nul \0 ",
    "del \x7f ",
    "lines \u2028\u2029\x85 ",
    "mark \ufeff ",
    "pair 🦄👩‍👩‍👧 ",
    "combined e\u0301 n\u0303",
    " tab\t\\u0041\\n",
)


@case("sse.escapes-read-alike")
def escapes_read_alike(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    for ascii in (False, True):
        upstream.says(text(*ESCAPED), CALLED, wire=Wire(ascii=ascii))

        answer = ask()

        _assert_whole(answer, check, "escaped" if ascii else "raw", "".join(ESCAPED), CALL)


@case("sse.mebibyte-line-passes")
def mebibyte_line_passes(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(text("0123456789abcdef", stretch=MEBIBYTE // 16))

    answer = ask(limit=ROOM)

    _assert_long(answer, MEBIBYTE)
    # Shorter, for some gateways cut arguments into pieces of a few characters: a slow one is no wrong one.
    whole = '{"file": "' + "0123456789abcdef" * (MEBIBYTE // 4 // 16) + '"}'
    upstream.says(tool_call("write_file", whole))

    answer = ask(limit=ROOM)

    assert answer.outcome == "complete", repr(answer)
    assert_calls(answer, check, ("write_file", whole))


@case("sse.eight-mebibyte-line-passes")
def eight_mebibyte_line_passes(ask: Ask, upstream: Upstream) -> None:
    upstream.says(text("0123456789abcdef", stretch=8 * MEBIBYTE // 16))

    answer = ask(limit=ROOM)

    _assert_long(answer, 8 * MEBIBYTE)


def _assert_long(answer: Answer, length: int) -> None:
    assert answer.outcome == "complete", repr(answer)
    assert len(answer.text) == length, f"{len(answer.text)} of {length} characters came"
    assert answer.text == "0123456789abcdef" * (length // 16), "the text is not what was said"


def _chunk(**members: Any) -> Element:
    """A chat chunk whose choices are empty."""
    chunk = {"id": "", "object": "chat.completion.chunk", "created": 0, "model": "", "choices": [], **members}
    return event(**chunk)


STRANGE: dict[str, tuple[Element, ...]] = {
    "responses": (
        ping(),
        event(type="acme:progress", output_index=0, delta="not a word of the answer"),
        event(type="response.acme_call.searching", output_index=9, item_id="acme_1"),
        item(type="acme_call", status="completed", text="not a word of the answer"),
    ),
    "messages": (
        ping(),
        event(type="acme_progress", delta={"type": "text_delta", "text": "not a word of the answer"}),
        item(type="acme_block", text="not a word of the answer"),
    ),
    "chat": (
        ping(),
        _chunk(prompt_filter_results=[{"prompt_index": 0, "content_filter_results": {}}]),
        _chunk(),
    ),
}
"""What no translator has heard of, or what says nothing."""


@case("sse.unknown-events-change-nothing")
def unknown_events_change_nothing(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    strange = STRANGE[check.dialect]
    for number in range(len(strange) + 1):
        # Each alone before and within the text; at last all of them everywhere.
        chosen = strange[number : number + 1] or strange
        upstream.says(*chosen, text("naïve ", "日本"), *chosen, text(" 🦄", " end."), CALLED, *chosen)

        answer = ask()

        _assert_whole(answer, check, [e.KEY for e in chosen], SAID, CALL)


@case("sse.empty-deltas-are-harmless")
def empty_deltas_are_harmless(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    wires = (Wire(), Wire(null_deltas=True)) if check.dialect == "chat" else (Wire(),)
    for wire in wires:
        how = "null deltas" if wire.null_deltas else "empty deltas"
        upstream.says(text("", "naïve ", "", "日本", " 🦄", " end.", ""), wire=wire)

        answer = ask()

        _assert_whole(answer, check, how)
        # Where a gateway puts reasoning is not asked here, but that empty pieces of it change nothing.
        upstream.says(reasoning("Hm."), SPOKEN)
        without = ask()
        upstream.says(reasoning("", "Hm.", ""), text("", "naïve ", "", "日本", " 🦄", " end.", ""), wire=wire)

        answer = ask()

        _assert_whole(answer, check, f"{how} of reasoning", without.text)
        assert answer.reasoning == without.reasoning, f"{how}: {answer.reasoning!r}"


@case("sse.compressed-answers-are-read")
def compressed_answers_are_read(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(SPOKEN)
    answer = ask()
    _assert_whole(answer, check, "not compressed")
    headers = ask.last.calls[-1]["headers"] if ask.last.calls else []
    offered = ",".join(value for name, value in headers if name.lower() == "accept-encoding")
    if "gzip" not in offered.lower():
        check.chose("not-offered")
        return
    upstream.plays(*(script(answered(check.dialect, mode, SPOKEN, gzip=True)) for mode in modes(ask.last)))

    answer = ask()

    _assert_whole(answer, check, "gzip, as the gateway offered")
    check.chose("offered")
