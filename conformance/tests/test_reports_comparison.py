"""Two reports of one gateway: what is fixed and broken, and what cannot be told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_up_reports import record, report

from gateproof.reports.comparison import (
    BROKEN,
    CHANGED,
    FIXED,
    GONE,
    HOLDS,
    NEW,
    NOT_JUDGED,
    STILL,
    breaks,
    comparison,
    has_common_checks,
)
from gateproof.reports.comparison_text import comparison_json, comparison_markdown, comparison_terminal
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR
from gateproof_schemas import validate

Run = Callable[..., subprocess.CompletedProcess[str]]
ONE = "ending.a-turn-ends[chat.chat.json]"


def compared(before: str | None, after: str | None, name: str = ONE) -> dict[str, Any]:
    sides = [report([record(name, verdict)] if verdict else []) for verdict in (before, after)]
    return comparison(*sides)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        (PASS, PASS, HOLDS),
        (PASS, STALE, HOLDS),
        (PASS, FAIL, BROKEN),
        (PASS, SHOULD, BROKEN),
        (PASS, NOT_TESTABLE, BROKEN),
        (PASS, BLOCKED, BROKEN),
        (STALE, KNOWN, BROKEN),
        (FAIL, PASS, FIXED),
        (KNOWN, STALE, FIXED),
        (BLOCKED, PASS, FIXED),
        (FAIL, FAIL, STILL),
        (FAIL, KNOWN, CHANGED),
        (BLOCKED, FAIL, CHANGED),
        (SUITE_ERROR, PASS, NOT_JUDGED),
        (FAIL, SUITE_ERROR, NOT_JUDGED),
        (None, PASS, NEW),
        (None, FAIL, NEW),
        (PASS, None, GONE),
    ],
)
def test_a_check_in_two_reports(before: str | None, after: str | None, change: str) -> None:
    found = compared(before, after)
    assert found["counts"] == {change: 1}
    assert has_common_checks(found) == (change not in (NEW, GONE))
    assert [entry["change"] for entry in found["checks"]] == ([] if change == HOLDS else [change])
    assert breaks(found) == (change == BROKEN and after != SHOULD)
    assert validate(json.loads(comparison_json(found)), "own/comparison") == []


def test_another_revision_of_a_requirement_is_another_question() -> None:
    found = comparison(report([record(ONE, PASS)]), report([record(ONE, FAIL, revision=2)]))
    assert found["counts"] == {NOT_JUDGED: 1}
    assert not breaks(found)


def rich() -> dict[str, Any]:
    def side(version: str, edition: str, **verdicts: str) -> dict[str, Any]:
        checks = [
            record(f"ending.{id}[chat.chat.{mode}]", verdict, message=f"{id} is {verdict}\nassert 'a' == 'b'")
            for id, verdict in verdicts.items()
            for mode in ("json", "stream")
        ]
        return report(checks, edition=edition, gateway={"name": "Example", "version": version, "url": ""})

    old = side(
        "1.0", "2026.1", one=PASS, two=FAIL, three=FAIL, four=PASS, five=SUITE_ERROR, six=PASS, old=PASS, known=FAIL
    )
    new = side(
        "1.1",
        "2026.2",
        one=FAIL,
        two=PASS,
        three=FAIL,
        four=PASS,
        five=PASS,
        six=SHOULD,
        new=FAIL,
        fine=PASS,
        known=KNOWN,
    )
    return comparison(old, new)


def test_the_arithmetic_adds_up_and_new_ones_stand_beside_it() -> None:
    assert rich()["arithmetic"] == (
        "14 common checks = 4 broken + 2 fixed + 2 changed + 2 still failing + 2 holds + 2 not judged; 4 new; 2 gone"
    )


def test_the_terminal_says_what_broke_by_requirement() -> None:
    said = comparison_terminal(rich())
    for words in (
        "before:  Example 1.0, edition 2026.1",
        "after:   Example 1.1, edition 2026.2",
        "The editions differ (2026.1, 2026.2): only the checks that both have are judged.",
        "--- Broken ---",
        "ending.one  MUST  chat<chat (json, stream) (fail, was pass)\n    A turn is a turn.\n",
        "    expected 'b', got 'a'\n    one is fail\n",
        "ending.six  SHOULD  chat<chat (json, stream) (should, was pass)",
        "--- Fixed ---",
        "ending.two  MUST  chat<chat (json, stream) (pass, was fail)",
        "ending.known  MUST  chat<chat (json, stream) (known, was fail)",
        "ending.five  MUST  chat<chat (json, stream) (pass, was suite error)",
        "--- New, and fails ---",
        "ending.new  MUST  chat<chat (json, stream) (fail)",
        "ending.old  MUST  chat<chat (json, stream) (was pass)",
    ):
        assert words in said
    for unsaid in ("ending.three", "ending.four", "ending.fine"):
        assert unsaid not in said
    assert said.endswith(rich()["arithmetic"] + "\n")


def test_the_markdown_says_the_same() -> None:
    said = comparison_markdown(rich())
    assert said.startswith("## Gateproof: Example 1\\.0 and Example 1\\.1 compared\n")
    for words in (
        "### Broken\n",
        "- `ending.one` MUST, chat\\<chat",
        "  expected 'b', got 'a'\n",
        "### Gone",
        "The editions differ",
    ):
        assert words in said


def test_two_gateways_and_an_unfinished_run_are_said() -> None:
    other = report([record(ONE, PASS)], gateway={"name": "Other", "version": "", "url": ""}, complete=False)
    for said in (f(comparison(report([record(ONE, PASS)]), other)) for f in (comparison_terminal, comparison_markdown)):
        assert "These are two gateways" in said
        assert "The run after did not come to its end" in said


def test_what_a_gateway_sent_stays_text() -> None:
    evil = "\x1b[31m`` ``` </details> @octocat \u202e"
    found = comparison(report([record(ONE, PASS)]), report([record(ONE, FAIL, message=evil)], edition=evil))
    for said in (comparison_terminal(found), comparison_markdown(found)):
        assert [c for c in said if not c.isprintable() and c not in "\n\u200b"] == []
    assert "  ````text\n" in comparison_markdown(found)


# --- the commands -------------------------------------------------------------------------------------


def written(folder: Path, name: str, *checks: dict[str, Any]) -> None:
    (folder / name).write_text(json.dumps(report(list(checks))), "utf-8")


def test_the_exit_code_says_whether_a_must_broke(tmp_path: Path, gateproof: Run) -> None:
    written(tmp_path, "old.json", record(ONE, PASS))
    written(tmp_path, "new.json", record(ONE, FAIL))
    (tmp_path / "newer.json").write_text(json.dumps(report([]) | {"version": 3}), "utf-8")

    broken = gateproof("compare", "old.json", "new.json")
    fixed = gateproof("compare", "new.json", "old.json", "--format=json", "-o", "c.json")
    newer = gateproof("compare", "old.json", "newer.json")
    nowhere = gateproof("compare", "old.json", "new.json", "-o", "no/such/folder.txt")

    assert (broken.returncode, fixed.returncode, newer.returncode, nowhere.returncode) == (1, 0, 4, 4)
    assert "1 common check = 1 broken" in broken.stdout
    assert json.loads((tmp_path / "c.json").read_text("utf-8"))["counts"] == {"fixed": 1}
    assert newer.stderr == "gateproof compare: newer.json is version 3; this Gateproof reads up to 1: upgrade it\n"
    assert "no/such" in nowhere.stderr


def test_a_report_is_given_in_every_form(tmp_path: Path, gateproof: Run) -> None:
    written(tmp_path, "report.json", record(ONE, FAIL))

    summary = gateproof("report", "report.json", "--format=markdown")
    badge = gateproof("report", ".", "--format=badge", "-o", "here.json")
    everything = gateproof("report", ".")
    useless = gateproof("report", ".", "-o", "here.json")

    assert summary.stdout.startswith("## Gateproof: Example")
    # Whether it failed was said by the run.
    assert (summary.returncode, badge.returncode) == (0, 0)
    assert json.loads((tmp_path / "here.json").read_text("utf-8"))["message"] == "0 pass, 1 fail"
    assert everything.returncode == 1
    assert {"report.html", "junit.xml", "summary.md", "badge.json"} <= {file.name for file in tmp_path.iterdir()}
    assert useless.returncode == 4
    assert "needs --format" in useless.stderr
