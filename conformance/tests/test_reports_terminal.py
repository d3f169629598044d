"""What the terminal says at the end: findings taken apart, transcripts folded, failures grouped, and never too much of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made_up_reports import record, report

from gateproof.again import StartedAs, again
from gateproof.options import PREFIX
from gateproof.reports import folding, terminal
from gateproof.reports.breaches import selecting
from gateproof.reports.findings import Finding, counted, finding
from gateproof.reports.folding import fold
from gateproof.reports.reading import read_report
from gateproof.reports.terminal import MOST_IN_FULL, leave_to_the_summary
from gateproof.transcript import LEGS
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR

Run = Callable[..., subprocess.CompletedProcess[str]]
RESULTS = Path(__file__).parents[1] / "results"
ONE = "ending.a-turn-ends[chat.chat.json]"


# --- findings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("assert 'stop' == 'length'\n  \n  - length\n  + stop", Finding("", "'length'", "'stop'", "")),
        ("after text: <answer>\nassert 'stop' == 'length'", Finding("after text: <answer>", "'length'", "'stop'", "")),
        ("input 5: HTTP 500\nassert 500 in (400, 422)", Finding("input 5: HTTP 500", "one of (400, 422)", "500", "")),
        ("assert 'stop' not in ('stop', 'x')", Finding("", "none of ('stop', 'x')", "'stop'", "")),
        ("assert 'complete' != 'complete'", Finding("", "anything but 'complete'", "'complete'", "")),
        ("assert 3 >= 4", Finding("", "at least 4", "3", "")),
        ("assert None == 'No.'", Finding("", "'No.'", "None", "")),
        # An operator inside a value is not the assertion's.
        ("assert 'a == b' == 'c'", Finding("", "'c'", "'a == b'", "")),
        ("assert [('x', 'is in \\'it')] == []", Finding("", "[]", "[('x', 'is in \\'it')]", "")),
        ("assert <answer: a == b> == 1", Finding("", "1", "<answer: a == b>", "")),
        # What compares nothing is no finding, unless it is all there is.
        ("the key is there\nassert not True", Finding("the key is there", "", "", "")),
        ("assert False", Finding("assert False", "", "", "")),
        (
            "no type\nseen in 3 of 9 exchanges, first in text.x[chat.chat.json]",
            Finding("no type", "", "", "seen in 3 of 9 exchanges, first in text.x[chat.chat.json]"),
        ),
        ("", Finding("", "", "", "")),
    ],
)
def test_a_message_is_taken_apart(message: str, found: Finding) -> None:
    assert finding(message) == found


def test_messages_that_say_the_same_are_counted_as_one() -> None:
    first = "item 1 of gp-abc-def\nseen in 1 of 5 exchanges, first in a.b[chat.chat.json]"
    same = "item 22 of gp-xyz-123\nseen in 4 of 9 exchanges, first in c.d[chat.chat.stream]"
    assert counted([first, "another", same]) == [(first, 2), ("another", 1)]


def test_an_invariant_is_run_alone_with_the_case_that_broke_it() -> None:
    seen = "no type\nseen in 3 of 9 exchanges, first in text.x[chat.chat.json]"
    assert selecting(record(ONE, FAIL)) == f"--id '{ONE}'"
    assert selecting(record(ONE, FAIL, message=seen)) == f"--id '{ONE}' --id 'text.x[chat.chat.json]'"


# --- folding ------------------------------------------------------------------------------------------


def transcript(*lines: tuple[float, int, str]) -> dict[str, Any]:
    return {
        "marker": "gp-a-b",
        "pair": "chat.chat",
        "mode": "stream",
        "lines": [[at, LEGS[n], t] for at, n, t in lines],
    }


def long_stream(events: int) -> dict[str, Any]:
    return transcript(
        (0.0, 0, "POST /v1/chat/completions\naccept: x\n\n{}"),
        (1.0, 1, "POST /v1/chat/completions\n\n{}"),
        *((2.0 + n, 2, f"{'HTTP 200' + chr(10) if n == 0 else ''}data: up {n}\n\n") for n in range(events)),
        (900.0, 3, "HTTP 200\ncontent-type: text/event-stream\n\n"),
        *((901.0 + n, 3, f"data: down {n}\n\n") for n in range(events)),
        (9999.0, 3, "(end of the body) read as: <answer>"),
    )


def test_a_short_transcript_is_shown_whole() -> None:
    lines = fold(long_stream(2), 100)
    assert [line.split(maxsplit=1)[1] for line in lines] == [
        "client -> gateway     POST /v1/chat/completions {}",
        "gateway -> upstream   POST /v1/chat/completions {}",
        "upstream -> gateway   HTTP 200",
        "upstream -> gateway   data: up 0",
        "upstream -> gateway   data: up 1",
        "gateway -> client     HTTP 200 content-type: text/event-stream",
        "gateway -> client     data: down 0",
        "gateway -> client     data: down 1",
        "gateway -> client     (end of the body) read as: <answer>",
    ]


def test_a_long_leg_is_folded_to_its_end_with_a_count_of_what_is_left_out() -> None:
    text = "\n".join(fold(long_stream(500), 100))
    assert text.count("\n") < folding.ROWS + 4
    for kept in ("POST /v1/chat/completions {}", "up 499", "down 499", "content-type", "(end of the body)"):
        assert kept in text
    left_out = sum(int(n) for line in text.splitlines() if "left out:" in line for n in line.split() if n.isdigit())
    shown = sum("data: " in line for line in text.splitlines())
    assert left_out + shown == 1000


@pytest.mark.parametrize("width", [100, 160])
def test_no_line_is_wider_than_it_may_be_and_times_go_forward(width: int) -> None:
    for check in read_report(RESULTS / "codex-relay")["checks"]:
        for shown in check["transcripts"]:
            lines = fold(shown, width)
            assert max(map(len, lines)) <= width
            times = [float(line[:8]) for line in lines if line[:8].strip(" …")]
            assert all(before <= after for before, after in pairwise(times))


def test_a_long_answer_is_shown_where_what_came_stands() -> None:
    body = f'{{"id": "{"i" * 400}", "finish_reason": "stop", "more": "{"m" * 400}"}}'
    shown = transcript((0.0, 0, "POST /v1\n\n{}"), (1.0, 3, f"HTTP 200\n\n{body}"))
    assert '"stop"' not in "\n".join(fold(shown, 120))
    assert '"stop"' in "\n".join(fold(shown, 120, "'stop'"))


@pytest.mark.parametrize("got", ["", "''", "None", "<answer>", "'open", "(" * 1000, "'absent'", "[1, 'stop']"])
def test_what_came_may_be_anything(got: str) -> None:
    assert fold(long_stream(3), 100, got) == fold(long_stream(3), 100)


# --- the summary --------------------------------------------------------------------------------------


def summary(document: dict[str, Any], transcripts: bool = True) -> list[terminal.Line]:
    return list(
        terminal.summary(document, width=100, command="gateproof run --x", evidence="r.html", transcripts=transcripts)
    )


def text(lines: list[terminal.Line]) -> str:
    return "\n".join(line.text for line in lines)


def test_a_failure_says_what_its_reader_needs() -> None:
    checks = [
        record("ending.a-turn-ends[chat.chat.json]", FAIL, message="words\nassert 'stop' == 'length'"),
        record("ending.a-turn-ends[chat.chat.stream]", FAIL, message="words\nassert 'stop' == 'length'"),
        record("ending.a-turn-ends[responses.chat.json]", FAIL, message="others\nassert 500 == 400"),
        record("tools.call-arrives[chat.chat.json]", NOT_TESTABLE, message="it calls messages"),
    ]
    said = text(summary(report(checks)))
    for words in (
        "--- ending ---",
        "ending.a-turn-ends  MUST  3 fail",
        "  requirement  A turn is a turn.",
        "         harm  Clients hang.",
        "        where  chat<chat (json, stream), responses<chat (json)",
        "     expected  'length'",
        "          got  'stop'",
        "        found  words",
        "on 2 checks; and",
        "on 1: expected 400, got 500; others",
        "     0.0  client -> gateway     POST /v1/chat/completions {}",
        "alone  gateproof run --x --id 'ending.a-turn-ends[chat.chat.json]'",
        "evidence  r.html#ending.a-turn-ends[chat.chat.json]",
        "--- tools ---",
        "tools.call-arrives  MUST  1 not testable",
        "it calls messages",
    ):
        assert words in said
    assert said.count("client -> gateway") == 2
    assert said.endswith("4 checks = 3 fail + 1 not testable; 31 not claimed")


def test_warnings_and_stale_entries_have_a_line_each_and_known_ones_none() -> None:
    checks = [
        record("ending.a-turn-ends[chat.chat.json]", SHOULD),
        record("ending.b-turn-ends[chat.chat.json]", STALE),
        record("ending.c-turn-ends[chat.chat.json]", KNOWN),
        record("ending.d-turn-ends[chat.chat.json]", PASS),
    ]
    lines = summary(report(checks))
    assert sum("-turn-ends" in line.text for line in lines) == 2
    assert "SHOULDs that do not hold" in text(lines)
    assert "stale entries of the baseline" in text(lines)


def test_a_should_is_shown_as_a_failure_where_it_is_one() -> None:
    checks = [record("ending.a-turn-ends[chat.chat.json]", SHOULD)]
    assert "client -> gateway" in text(summary(report(checks, strict=True)))
    assert "client -> gateway" not in text(summary(report(checks)))


def test_a_cause_that_blocks_many_and_a_fault_of_the_suite_are_said_once() -> None:
    trace = "\n".join(f"line {n}" for n in range(50))
    checks = [
        *(record(f"ending.a-{n}[chat.chat.json]", BLOCKED, message="the plain turn fails") for n in range(9)),
        *(record(f"ending.b-{n}[chat.chat.json]", SUITE_ERROR, message=trace) for n in range(3)),
    ]
    said = text(summary(report(checks)))
    assert "blocked, 9 checks on chat<chat (json): the plain turn fails" in said
    assert "A fault of the suite, not of the gateway: 3 checks, ending.b-0" in said
    assert "… 38 lines before" in said
    assert said.count("line 49") == 1
    assert "line 37\n" not in said


def test_of_hundreds_of_failures_the_worst_are_shown_in_full_and_all_are_named() -> None:
    checks = [
        record(f"area{n % 9}.requirement-{n}[chat.{dialect}.json]", FAIL)
        for n in range(100)
        for dialect in ("chat", "responses")
        if n < 10 or dialect == "chat"
    ]
    said = text(summary(report(checks)))
    assert said.count("  alone  ") == MOST_IN_FULL
    assert all(f".requirement-{n}  MUST" in said for n in range(100))
    assert all(f"--id 'area{n % 9}.requirement-{n}[" in said for n in range(10))
    assert f"The {MOST_IN_FULL} worst are shown in full" in said


def test_the_plain_turn_is_shown_whatever_else_fails() -> None:
    checks = [record(f"a.r-{n}[chat.{d}.json]", FAIL) for n in range(30) for d in ("chat", "responses")]
    said = text(summary(report([*checks, record("turn.plain-text-arrives[chat.chat.json]", FAIL)])))
    assert "--id 'turn.plain-text-arrives[chat.chat.json]'" in said


def test_a_real_gateway_with_hundreds_of_failures_stays_readable() -> None:
    lines = terminal.terminal(read_report(RESULTS / "litellm")).splitlines()
    assert len(lines) < 600
    assert lines[-1].startswith("2205 checks = ")


def test_what_a_gateway_sent_cannot_paint_on_the_terminal() -> None:
    evil = "\x1b[2J\x1b[32mPASS\x07\u202e\r\x9b31m"
    lines = [[0.0, leg, f"HTTP 200\n\n{evil}"] for leg in LEGS]
    shown = [{"marker": "gp-a-b", "pair": "chat.chat", "mode": "json", "lines": lines}]
    checks = [
        record(
            f"a.{verdict.replace(' ', '-')}[chat.chat.json]",
            verdict,
            message=f"{evil}\nassert '{evil}' == 'x'",
            transcripts=shown,
        )
        for verdict in (FAIL, NOT_TESTABLE, BLOCKED, SUITE_ERROR, SHOULD)
    ]
    checks.append(record("a.fail[chat.chat.stream]", FAIL, message=f"other {evil}"))
    said = terminal.terminal(report(checks))
    assert [c for c in said if not c.isprintable() and c != "\n"] == []
    assert "\\x1b[2J" in said


# --- the command that is shown ------------------------------------------------------------------------


def started(*plugins: object, **options: Any) -> Any:
    given = {PREFIX + name: value for name, value in options.items()}
    return SimpleNamespace(
        getoption=lambda name: given.get(name),
        pluginmanager=SimpleNamespace(get_plugins=lambda: {object(), *plugins}),
    )


def test_the_command_repeats_how_the_gateway_is_reached_and_holds_no_secret() -> None:
    config = started(
        gateway_url="http://127.0.0.1:4000",
        gateway_key="sk-secret",
        gateway_header=["x-key: secret"],
        upstream_token="secret",
        gateway_model=["m", "chat.chat=my model"],
        id=["text.*"],
        pair=["chat.*"],
        report_dir="r",
    )
    assert again(config) == (
        'pytest --gateway-url http://127.0.0.1:4000 --gateway-key "$GATEWAY_KEY" --gateway-header "$GATEWAY_HEADER" '
        "--gateway-model m --gateway-model 'chat.chat=my model' --upstream-token \"$UPSTREAM_TOKEN\""
    )


def test_the_command_is_the_one_that_started_pytest() -> None:
    assert (
        again(started(StartedAs("gateproof run", takes_options=True), gateway="g.toml"))
        == "gateproof run --gateway g.toml"
    )
    assert again(started(StartedAs("gateproof demo", takes_options=False), gateway="/tmp/x.toml")) == "gateproof demo"


# --- what is left to the summary ----------------------------------------------------------------------


def config(**option: Any) -> Any:
    defaults = {"verbose": 0, "tbstyle": "auto", "reportchars": "fE"}
    reporter = SimpleNamespace(reportchars="fE")
    plugins = SimpleNamespace(get_plugin=lambda name: reporter)
    return SimpleNamespace(option=SimpleNamespace(**{**defaults, **option}), pluginmanager=plugins, reporter=reporter)


def test_pytests_sections_give_way_to_the_summary() -> None:
    given = config()
    assert leave_to_the_summary(given, 2)
    assert (given.option.tbstyle, given.reporter.reportchars) == ("no", "")


@pytest.mark.parametrize(("checks", "option"), [(1, {}), (9, {"verbose": 1}), (9, {"tbstyle": "short"})])
def test_pytests_sections_stay_where_they_are_wanted(checks: int, option: dict[str, Any]) -> None:
    given = config(**option)
    before = vars(given.option).copy()
    assert not leave_to_the_summary(given, checks)
    assert vars(given.option) == before
    assert given.reporter.reportchars == "fE"


def test_quiet_has_neither() -> None:
    given = config(verbose=-1)
    assert not leave_to_the_summary(given, 9)
    assert given.option.tbstyle == "no"


def test_a_run_ends_with_its_failures_by_requirement(tmp_path: Path, gateproof: Run) -> None:
    done = gateproof("demo", "--mutant=calls-end-with-stop", "--id=tools.*", "--id=text.*", "--report-dir=r")

    assert done.returncode == 1
    progress = [line.split(" ")[0] for line in done.stdout.splitlines() if line.startswith(("text ", "tools "))]
    assert progress == ["text", "tools"]
    ended = done.stdout.partition("= gateproof =")[2]
    for words in (
        "--- tools ---",
        "tools.only-calls-end-with-tool-calls  MUST  2 fail",
        "expected  'tool_calls'",
        'finish_reason":"stop"',
    ):
        assert words in ended
    assert "FAILURES" not in done.stdout
    assert len(done.stdout.splitlines()) < 90
    alone = (
        "gateproof demo --mutant calls-end-with-stop --id 'tools.only-calls-end-with-tool-calls[chat.responses.json]'"
    )
    assert f"alone  {alone}\n" in ended

    # The command that the summary shows.
    again = gateproof(*alone.replace("'", "").split()[1:])

    assert again.returncode == 1
    assert "1 check = 1 fail" in again.stdout
    assert "FAILURES" in again.stdout
