"""What goes with a request and is not its body: headers, the query, the coding; and what a stream must be asked for."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Callable
from functools import cache

from gateproof.answers.absent import dig
from gateproof.questions import ANTHROPIC_VERSION
from gateproof.registry import case
from gateproof.stagehands import Ask, CheckHand, Upstream
from gateproof_mock import text

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

ANSWER = text("Under", "stood.")
BETAS = ("context-management-2025-06-27", "interleaved-thinking-2025-05-14")


@case("request.version-is-sent")
def version_is_sent(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)

    ask()

    versions = _sent(ask, "anthropic-version")
    assert versions == [ANTHROPIC_VERSION], f"anthropic-version: {versions}"


@case("request.betas-are-passed-on")
def betas_are_passed_on(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)
    for headers in ([("anthropic-beta", ",".join(BETAS))], [("anthropic-beta", flag) for flag in BETAS]):
        ask(headers=tuple(headers))

        flags = [flag.strip() for line in _sent(ask, "anthropic-beta") for flag in line.split(",")]
        assert set(BETAS) <= set(flags), f"of {len(headers)} lines with {BETAS} came {flags}"


def _sent(ask: Ask, name: str) -> list[str]:
    """The values of a header of the upstream's last call."""
    assert ask.last.calls, f"the gateway did not call its upstream: {ask.last.answer!r}"
    return [value for key, value in ask.last.calls[-1]["headers"] if key.lower() == name]


@case("request.query-is-tolerated")
def query_is_tolerated(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)

    answer = ask(query="beta=true")

    assert answer.status == 200, repr(answer)
    assert ask.last.calls, "answered without an upstream call"


@case("request.usage-is-asked-for")
def usage_is_asked_for(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)

    ask(include_usage=True)

    options = dig(ask.received_body, "stream_options")
    assert dig(options, "include_usage") is True, f"stream_options: {options!r}"


CODINGS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}


@case("request.compressed-bodies-are-read-or-refused")
def compressed_bodies_are_read_or_refused(ask: Ask, upstream: Upstream, check: CheckHand) -> None:
    upstream.says(ANSWER)
    for coding, pack in CODINGS.items():
        answer = ask(headers=(("Content-Encoding", coding),), pack=pack)

        if answer.status == 200:
            assert ask.last.calls, f"{coding}: answered without an upstream call"
            check.chose("read")
            continue
        assert answer.status in (400, 415), f"{coding}: {answer!r}"
        assert answer.error.message, f"{coding}: no error envelope in {answer!r}"
        check.chose("refused")


@case("request.compressed-bodies-do-no-harm")
def compressed_bodies_do_no_harm(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)
    attempts: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
        "gzip": ("gzip", gzip.compress),
        "zstd": ("zstd", zstd.compress),
        "an unknown coding": ("gateproof", bytes),
        "gzip that is none": ("gzip", bytes),
        "zstd that is cut short": ("zstd", lambda data: zstd.compress(data)[:-9]),
    }
    _assert_plain(ask)
    for what, (coding, pack) in attempts.items():
        answer = ask(headers=(("Content-Encoding", coding),), pack=pack)

        # Not 5xx: clients repeat what failed so. A gateway may hang up on what it cannot read.
        assert answer.status < 500, f"{what}: {answer!r}"
        assert answer.outcome != "hung", f"{what}: {answer!r}"
        if what in CODINGS:
            assert 400 not in [call["status"] for call in ask.last.calls], (
                f"{what}: the upstream could not read what came"
            )


def _assert_plain(ask: Ask) -> None:
    """That the same question is answered as it is: what is declined of everything shows nothing."""
    answer = ask()
    assert ask.last.calls, f"the gateway did not call its upstream: {answer!r}"


UNFOLDED = 80 * 1024 * 1024
"""Bytes that the bomb holds, in 80 KB: Anthropic takes 32 MB, OpenAI 50."""


@case("request.decompression-has-a-limit")
def decompression_has_a_limit(ask: Ask, upstream: Upstream) -> None:
    upstream.says(ANSWER)
    _assert_plain(ask)

    answer = ask(headers=(("Content-Encoding", "gzip"),), pack=_bomb)

    assert not ask.last.calls, "it was unfolded, and went upstream"
    closed = not answer.status and answer.outcome == "broken"
    assert closed or answer.status in (400, 413, 415, 422), repr(answer)


def _bomb(body: bytes) -> bytes:
    """The request, and white space after it: without a limit it is one like any other. A gzip file may have members."""
    return gzip.compress(body) + _blanks()


@cache
def _blanks() -> bytes:
    return gzip.compress(b" " * UNFOLDED, 6)
