"""The HTML report: whatever a gateway sent, the page is whole, complete, self-contained and says what was measured."""

import base64
import hashlib
import re
import shutil
import subprocess
from itertools import pairwise
from typing import Any
from urllib.parse import unquote

import pytest
from example_reports import EVERY, ONE, hostile_report
from made_up_reports import record, report
from strict_page import Page

from gateproof.reports.html import curl, html
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, RAN, SHOULD, STALE, SUITE_ERROR
from gateproof_schemas import validate

BLOCKS = {"div", "ul", "ol", "dl", "pre", "p", "table", "section", "article", "details", "h1", "h2", "h3", "h4"}


def test_the_examples_are_reports_and_have_every_verdict() -> None:
    assert validate(report(EVERY), "own/report") == []
    assert validate(hostile_report(), "own/report") == []
    assert {c["verdict"] for c in EVERY} == set(RAN)


def test_the_page_nests_and_its_headings_descend() -> None:
    page = Page(html(report(EVERY)))
    for tag, _, above in page.elements:
        assert not (tag in BLOCKS and "p" in above), (tag, above)
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]
    assert all("scope" in attributes for attributes in page.all("th"))
    assert [b["aria-pressed"] for b in page.all("button") if "data-filter" in b] == ["false"] * len(RAN)


def test_every_check_has_one_anchor_and_the_matrix_leads_there() -> None:
    page = Page(html(report(EVERY)))
    assert len(page.ids) == len(set(page.ids))
    names = [c["name"] for c in EVERY]
    assert all(page.ids.count(name) == 1 for name in names)
    links = [a["href"] for tag, a, above in page.elements if tag == "a" and "td" in above]
    assert sorted(unquote(link.removeprefix("#")) for link in links) == sorted(names)
    assert all(unquote(a["href"].removeprefix("#")) in page.ids for a in page.all("a"))


def test_each_cell_says_its_verdict_in_a_letter_and_a_word() -> None:
    page = Page(html(report(EVERY)))
    cells = [(a["class"], a["aria-label"]) for tag, a, above in page.elements if tag == "a" and "td" in above]
    assert ("fail", "fail: chat<responses stream") in cells
    assert ("untestable", "not testable: responses<chat stream") in cells
    letters = [text for path, text in page.texts if any(step.startswith("td") for step in path[-2:-1])]
    assert sorted(letters) == sorted("FT✓WKSEBB")


def test_the_head_says_what_was_measured() -> None:
    document = report(EVERY)
    page = Page(html(document))
    text = page.text()
    for said in (
        document["arithmetic"],
        "2026.1",
        "Example",
        "1.2.3",
        "http://127.0.0.1:4000",
        "2026-08-22 08:03 UTC",
        "42.4 s",
    ):
        assert said in text
    assert "31 checks of the edition" in text


@pytest.mark.parametrize(
    ("checks", "changes", "word"),
    [
        ([], {}, "Nothing ran"),
        ([record("a.b[chat.chat.json]", PASS)], {}, "Passed"),
        ([record("a.b[chat.chat.json]", PASS)], {"complete": False, "ended": 0}, "Not finished"),
        ([record("a.b[chat.chat.json]", SHOULD)], {}, "Passed"),
        ([record("a.b[chat.chat.json]", SHOULD)], {"strict": True}, "Failed"),
        ([record("a.b[chat.chat.json]", FAIL)], {"complete": False}, "Failed"),
        ([record("a.b[chat.chat.json]", SUITE_ERROR)], {}, "Suite error"),
    ],
)
def test_one_word_for_the_run_which_is_green_only_for_a_whole_run_that_passed(
    checks: list[dict[str, Any]], changes: dict[str, Any], word: str
) -> None:
    page = Page(html(report(checks, **changes)))
    assert page.text("h1.").split()[-len(word.split()) :] == word.split()
    assert ("did not come to its end" in page.text()) == (changes.get("complete") is False)


def test_failures_come_first_and_passes_last() -> None:
    page = Page(html(report(EVERY)))
    order = [a["data-verdict"] for _, a, _ in page.elements if "data-verdict" in a]
    assert order == [FAIL, NOT_TESTABLE, STALE, SUITE_ERROR, BLOCKED, BLOCKED, SHOULD, KNOWN, PASS]


def test_a_cause_that_blocks_many_is_said_once() -> None:
    page = Page(html(report(EVERY)))
    assert page.text().count("the plain turn fails") == 1
    assert "2 checks by one cause" in page.text()


def test_a_failure_tells_requirement_harm_source_finding_and_how_to_see_it_again() -> None:
    check = record(ONE, FAIL, alternatives=["in-band"], message="<got> 'stop'")
    text = Page(html(report([check]))).text("article.")
    for said in (
        "A turn is a turn.",
        "Clients hang.",
        "litellm#1; https://example.com/spec",
        "in-band: a 200 whose stream holds the error",
        "<got> 'stop'",
        "gateproof run --gateway-url http://127.0.0.1:4000",
        "--gateway-model m --id 'failure.is-an-error[chat.responses.stream]'",
        "gateproof mock --replay 'DIR#failure.is-an-error[chat.responses.stream]'",
        "curl -sSiN --globoff http://127.0.0.1:4000/v1/chat/completions",
        '-H "Authorization: Bearer $GATEWAY_KEY"',
    ):
        assert said in text


def test_a_pass_tells_its_alternative() -> None:
    text = Page(html(report(EVERY))).text("div.passed")
    assert "chat<chat json chose in-band" in text
    assert "in-band: a 200 whose stream holds the error" in text


def test_the_sequence_has_times_directions_and_folds_what_is_long() -> None:
    page = Page(html(report([record(ONE, FAIL)])))
    legs = [a["class"] for tag, a, _ in page.elements if tag == "li" and a.get("class", "").startswith("leg")]
    assert legs == ["leg-0", "leg-1", "leg-2", "leg-3"]
    assert page.text("span.at") == "0.0 ms3.1 ms5.0 ms1505.5 ms"
    assert "client to gateway" in page.text("span.arrow")
    assert page.text("span.gap") == "1500.5 ms pass"
    assert page.text("span.eol") == "↵↵"
    inside = [tag for tag, _, above in page.elements if above[-3:] == ("ol", "li", "div")]
    assert inside == ["pre", "pre", "pre", "details"]
    folded = next(t for path, t in page.texts if path[-3:] == ("div.text", "details.", "pre."))
    assert folded == "\n" + "\n".join(f"data: {n}" for n in range(20))


# --- hostile text -------------------------------------------------------------------------------------


def test_hostile_text_stays_text() -> None:
    ours, theirs = Page(html(report(EVERY[:5]))), Page(html(hostile_report()))
    assert {tag for tag, _, _ in theirs.elements} <= {tag for tag, _, _ in ours.elements}
    assert len(theirs.all("script")) == len(theirs.all("style")) == 1
    assert {name for _, a, _ in theirs.elements for name in a} <= {name for _, a, _ in ours.elements for name in a}
    assert theirs.text("script.") == ours.text("script.")
    assert "</script><script>alert(1)</script><img src=x onerror=alert(2)>" in theirs.text("article.")
    assert "{{ 7*7 }} {% raw %} &lt;b&gt;" in theirs.text("article.")


def test_strange_characters_are_spelt_out() -> None:
    source = html(hostile_report())
    source.encode()
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\uffff]", source) is None
    assert r"␀␇␛[31m␍" in source
    assert r"\x85\u202e\u2066\ufeff\ud800 \uffff end" in source


def test_nothing_is_loaded_and_only_the_pages_own_script_runs() -> None:
    for document in (report(EVERY), hostile_report()):
        page = Page(html(document))
        for _, attributes, _ in page.elements:
            assert not {"src", "srcset", "data", "action", "style", "background", "poster"} & attributes.keys()
            assert not [name for name in attributes if name.startswith("on")]
            assert attributes.get("href", "#").startswith("#")
        assert not re.search(r"url\(|@import", page.text("style."))
        policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
        assert "default-src 'none'" in policy
        for directive, source in (("style-src", page.text("style.")), ("script-src", page.text("script."))):
            digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
            assert f"{directive} 'sha256-{digest}'" in policy


# --- size ---------------------------------------------------------------------------------------------


def test_three_hundred_checks_with_forty_large_failures_stay_small_and_say_what_is_left_out() -> None:
    frame = 'data: {"choices": [{"index": 0, "delta": {"content": "<Hel>"}}]}\n\n'
    leg = [[n / 10, "gateway -> client", frame] for n in range(1000)]
    lines = [[0, "client -> gateway", "first " + "x" * 65_000], *leg, [100, "gateway -> client", "the very last"]]
    shown = [{"marker": "gp-a2b3c4-d5e6f7g2", "pair": "chat.chat", "mode": "stream", "lines": lines}] * 3
    checks = [
        record(
            f"area-{n % 9}.check-{n}[chat.chat.stream]", FAIL if n < 40 else PASS, transcripts=shown if n < 40 else []
        )
        for n in range(300)
    ]
    checks[0]["scripts"][0]["request"]["body"] = '"' * 64_000
    source = html(report(checks))
    assert len(source.encode()) < 3_000_000
    text = Page(source).text()
    assert text.count("the very last") == 120
    assert text.count("lines left out here: see report.json") == 120
    assert "more characters: see report.json" in text
    assert "too long for this page" in text


# --- the command lines --------------------------------------------------------------------------------

BODIES = [
    '{"stream": true, "words": "it\'s $HOME `date` \\"quoted\\" \\\\ %s"}',
    "@/etc/passwd",
    "line\nfeed\n",
    'a \\u202e \u202e and \\n, \x1b and \r\n, a NUL \x00 and 100% \\c "done"',
    "naïve 漢字 😀",
]


@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a POSIX shell")
@pytest.mark.parametrize("body", BODIES)
def test_the_curl_line_sends_the_very_body_and_the_key(body: str) -> None:
    line = curl("http://h:1", {"method": "POST", "path": "/v1/it's", "body": body})
    # A curl that prints each argument on a line, then the body as the true one would send it.
    fake = """curl() {
      for last; do :; done
      for word; do printf '<%s>\\n' "$word"; done >&2
      if [ "$last" = @- ]; then cat; else printf %s "$last"; fi
    }
    """
    ran = subprocess.run(
        ["sh", "-c", fake + line],
        capture_output=True,
        check=True,
        env={"GATEWAY_KEY": "k$ 1", "PATH": "/usr/bin:/bin"},
        timeout=10,
    )
    assert ran.stdout == body.encode()
    words = ran.stderr.decode()
    assert "<Authorization: Bearer k$ 1>" in words
    assert "<http://h:1/v1/it's>" in words
    assert f"<Accept: {'text/event-stream' if 'stream' in body else 'application/json'}>" in words
    assert "<--data-raw>" in words or "<--data-binary>\n<@->" in words


def test_a_question_without_a_body_is_put_with_its_method() -> None:
    line = curl("", {"method": "GET", "path": "/v1/models", "body": ""})
    assert line.startswith('curl -sSiN --globoff -X GET "$GATEWAY_URL"/v1/models')
    assert "data" not in line
