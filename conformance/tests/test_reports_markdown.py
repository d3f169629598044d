"""The Markdown summary and the badge: what they say, that a gateway's words stay words, and that there is room for them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from made_up_reports import record, report

from gateproof.reports.badge import badge
from gateproof.reports.markdown import LIMIT, markdown
from gateproof.reports.plain_markdown import block, code, escaped
from gateproof.reports.reading import read_report
from gateproof.transcript import LEGS
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR

RESULTS = Path(__file__).parents[1] / "results"
EVERY = [
    record(f"ending.requirement-{n}[chat.chat.json]", verdict)
    for n, verdict in enumerate((PASS, FAIL, SHOULD, NOT_TESTABLE, KNOWN, STALE, BLOCKED, SUITE_ERROR))
]
EVIL = (
    "</details></code></pre><script>alert(1)</script>[a](javascript:alert(2)) ![b](https://e.example/p.png)\n"
    "```\n````\n## owned\n@octocat owner/name#7 #8 https://e.example www.e.example <https://e.example> a@e.example\n"
    "| --- |\n1. one\n- two\n&lt;b&gt; `` ` \x1b[31m\u202e\ud800 $x$ ~~gone~~"
)


def outside_of_code(page: str) -> str:
    """The page without what is code, in blocks and spans: where markup would be markup."""
    bare = re.sub(r"^(`{3,})text\n.*?^\1$", "", page, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(?<![`\\])(`+)(?!`).*?(?<!`)\1(?!`)", "", bare, flags=re.DOTALL)


def test_it_says_the_verdict_the_arithmetic_and_each_area() -> None:
    checks = [
        record("ending.a-turn-ends[chat.chat.json]", FAIL),
        record("ending.a-turn-ends[chat.chat.stream]", PASS),
        record("tools.call-arrives[chat.chat.json]", PASS),
    ]
    page = markdown(report(checks))
    assert page.startswith("## Gateproof: Example 1\\.2\\.3: failed\n")
    assert "**3 checks = 2 pass \\+ 1 fail; 31 not claimed**" in page
    assert "Edition 2026\\.1, began 2026-08-22 08:03 UTC" in page
    assert "| area | pass | fail | checks |\n|---|---:|---:|---:|\n" in page
    assert "| ending | 1 | 1 | 2 |\n| tools | 1 |  | 1 |\n| **all** | 2 | 1 | 3 |\n" in page


def test_a_failure_is_folded_and_says_what_its_reader_needs() -> None:
    page = markdown(report([record("ending.a-turn-ends[chat.chat.json]", FAIL, message="w\nassert 1 == 2")]))
    folded = page[page.index("<details>") : page.index("</details>")]
    for words in (
        "<summary><code>ending.a-turn-ends</code> MUST, 1 fail</summary>\n\nA turn is a turn\\.",
        "- Harm: Clients hang\\.",
        "- Where: chat\\<chat \\(json\\)",
        "- Alone: `gateproof run ... --id 'ending.a-turn-ends[chat.chat.json]'`",
        "\n\n```text\nexpected  2\n     got  1\n   found  w\n",
        "client -> gateway     POST /v1/chat/completions {}",
    ):
        assert words in folded


def test_every_verdict_but_pass_and_known_has_its_place() -> None:
    page = markdown(report(EVERY))
    headings = re.findall(r"^### (.*)$", page, re.MULTILINE)
    assert headings == ["Suite errors", "Failures", "Blocked", "Stale entries of the baseline", "Warnings"]
    assert page.count("<details>") == page.count("</details>") == 2
    assert "requirement-0" not in page
    assert "requirement-4" not in page


@pytest.mark.parametrize(
    ("checks", "changes", "word"),
    [
        ([], {}, "nothing ran"),
        (EVERY[:1], {}, "passed"),
        (EVERY[:1], {"complete": False}, "not finished"),
        (EVERY[2:3], {}, "passed"),
        (EVERY[2:3], {"strict": True}, "failed"),
        (EVERY[1:2], {"complete": False}, "failed"),
        (EVERY, {}, "suite error"),
    ],
)
def test_one_word_for_the_run(checks: list[dict[str, Any]], changes: dict[str, Any], word: str) -> None:
    assert markdown(report(checks, **changes)).splitlines()[0].endswith(f": {word}")


def hostile_report() -> dict[str, Any]:
    lines = [[0.5, leg, f"HTTP 200\n\n{EVIL}"] for leg in LEGS]
    shown = [{"marker": "gp-a-b", "pair": "chat.chat", "mode": "json", "lines": lines}]
    checks = [
        record(f"a.r-{n}[chat.chat.json]", v, message=EVIL, transcripts=shown) for n, v in enumerate((FAIL, SHOULD))
    ]
    checks += [record(f"a.s-{n}[chat.chat.json]", v, message=EVIL) for n, v in enumerate((BLOCKED, SUITE_ERROR, STALE))]
    requirement = {"level": "MUST", "text": EVIL, "source": [EVIL], "harm": EVIL, "alternatives": {}}
    return report(
        checks,
        edition=EVIL,
        arithmetic=EVIL,
        gateway={"name": EVIL, "version": EVIL, "url": ""},
        requirements={check["id"]: requirement for check in checks},
    )


def test_what_a_gateway_sent_is_no_markup_no_link_and_no_mention() -> None:
    page = markdown(hostile_report())
    page.encode()
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", page)
    plain = outside_of_code(page)
    # Beside what is written here, no sign that means anything is left without its backslash.
    ours = re.sub(r"</?(?:details|summary|code)>", "", plain)
    assert re.findall(r"(?<!\\)[<>&`\[\]@~$!_]", ours) == []
    assert re.findall(r"(?<!\\)://", plain) == []
    assert not re.search(r"www\.|(?<!\\)#\w|[@#]\w", ours)
    assert [line for line in ours.splitlines() if re.match(r"\s*(?:\d+[.)] |[-+*=]{3,})", line)] == []
    assert page.count("<details>") == page.count("</details>") - page.count("</details></code>") == 1


@pytest.mark.parametrize("text", ["`", "``` ````` ``", "a`b", "x", "| a |", EVIL])
def test_code_ends_where_it_should(text: str) -> None:
    for made in (code(text), block(text.splitlines())):
        fence = re.match("`+", made)
        assert fence
        inside = made.strip()[len(fence[0]) : -len(fence[0])]
        assert made.strip().endswith(fence[0])
        assert max((len(run) for run in re.findall("`+", inside)), default=0) < len(fence[0])


def test_words_stay_readable() -> None:
    assert escaped("A turn's (last) word, 50%: done") == "A turn's \\(last\\) word, 50%\\: done"


def test_a_huge_report_fits_into_a_summary_and_says_what_is_left_out() -> None:
    lines = [[float(n), "gateway -> client", "€" * 200] for n in range(30)]
    shown = [{"marker": "gp-a-b", "pair": "chat.chat", "mode": "json", "lines": lines}]
    requirement = {"level": "MUST", "text": "€" * 500, "source": [], "harm": "€" * 500, "alternatives": {}}
    checks = [record(f"a.r-{n}[chat.chat.json]", FAIL, message="€" * 9000, transcripts=shown) for n in range(900)]
    page = markdown(report(checks, requirements={check["id"]: requirement for check in checks}))
    assert LIMIT * 0.9 < len(page.encode()) <= LIMIT
    left_out = re.search(r"\n(\d+) more are left out here", page)
    assert left_out
    named = {int(n) for n in re.findall(r"r-(\d+)", page)}
    assert len(named) + int(left_out[1]) == 900


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in RESULTS.glob("*/report.json")))
def test_every_committed_result_has_a_summary(folder: str) -> None:
    found = read_report(RESULTS / folder)
    page = markdown(found)
    assert "left out here" not in page
    for id in {check["id"] for check in found["checks"] if check["verdict"] == FAIL}:
        assert f"<code>{id}</code>" in page


# --- the badge ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("checks", "changes", "message", "colour"),
    [
        ([], {}, "nothing ran", "lightgrey"),
        (EVERY[:1], {}, "1 pass", "brightgreen"),
        (EVERY[:1], {"complete": False}, "1 pass, not finished", "yellow"),
        ([EVERY[0], EVERY[2], EVERY[4]], {}, "1 pass", "brightgreen"),
        ([EVERY[0], EVERY[2]], {"strict": True}, "1 pass, 1 fail", "red"),
        (EVERY[:7], {}, "1 pass, 4 fail", "red"),
        (EVERY, {}, "suite error", "lightgrey"),
    ],
)
def test_the_badge_is_green_only_for_a_whole_run_that_passed(
    checks: list[dict[str, Any]], changes: dict[str, Any], message: str, colour: str
) -> None:
    assert json.loads(badge(report(checks, **changes))) == {
        "schemaVersion": 1,
        "label": "gateproof 2026.1",
        "message": message,
        "color": colour,
    }
