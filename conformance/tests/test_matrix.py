"""`gateproof matrix`: what each gateway does with each requirement, and nothing that was not measured."""

import base64
import hashlib
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from example_reports import EVERY, hostile_report
from made_up_reports import record, report
from strict_page import Page

from gateproof.cli import main
from gateproof.reports.matrix import document, gateways, markdown
from gateproof.reports.matrix_page import matrix_page
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, PASS, SHOULD
from gateproof_schemas import validate

RESULTS = Path(__file__).parents[1] / "results"
TURN, USAGE = "ending.a-turn-ends", "usage.survives"


def folder(root: Path, name: str, checks: list[dict[str, Any]], **changes: Any) -> Path:
    """A folder with a report of a gateway of this name."""
    about = {"gateway": {"name": name, "version": "1.0", "url": ""}, **changes}
    (root / name).mkdir()
    (root / name / "report.json").write_text(json.dumps(report(checks, **about)), "utf-8")
    return root / name


@pytest.fixture
def two(tmp_path: Path) -> list[Path]:
    """One gateway with an ending that fails on one pair of two and a warning, and one that only has usage, and passes."""
    first = [
        record(f"{TURN}[chat.responses.stream]", FAIL, message="no end"),
        record(f"{TURN}[chat.responses.json]", PASS),
        record(f"{TURN}[chat.chat.stream]", PASS),
        record(f"{USAGE}[chat.chat.json]", SHOULD, message="too few"),
    ]
    second = [record(f"{USAGE}[chat.chat.json]", PASS), record(f"{USAGE}[chat.chat.stream]", PASS)]
    return [folder(tmp_path, "beta", first), folder(tmp_path, "alpha", second)]


def page_of(paths: list[Path], beside: Path) -> Page:
    return Page(matrix_page(gateways(paths, beside)))


def cells_of(page: Page) -> dict[tuple[str, str], str]:
    """The text of each cell that has one, by its gateway and its place among the rows."""
    rows = [a["data-id"] for tag, a, _ in page.elements if tag == "tr" and "data-id" in a]
    cells = [a for tag, a, _ in page.elements if tag == "td" and "data-gateway" in a]
    across = len(cells) // len(rows)
    asked = [(rows[n // across], a["data-gateway"]) for n, a in enumerate(cells) if "data-on" in a]
    said = [
        text
        for path, text in page.texts
        if len(path) > 2 and path[-2] == "td." and path[-1].split(".")[0] in ("a", "span")
    ]
    return dict(zip(asked, said, strict=True))


def test_a_cell_has_the_worst_verdict_and_its_share_and_what_was_not_asked_is_blank(two: list[Path]) -> None:
    page = page_of(two, two[0].parent)
    assert cells_of(page) == {(TURN, "beta"): "F 1/3", (USAGE, "alpha"): "✓ 2", (USAGE, "beta"): "W 1"}
    assert page.text("td.sum") == "1 of 10 of 2"


def test_gateways_are_in_order_of_their_names_however_they_were_given(two: list[Path]) -> None:
    root = two[0].parent
    assert matrix_page(gateways(two, root)) == matrix_page(gateways(reversed(two), root))
    assert page_of(two, root).text("th.").index("alpha") < page_of(two, root).text("th.").index("beta")


def test_a_cell_leads_to_the_finding_in_the_page_and_to_the_report_that_lies_beside(two: list[Path]) -> None:
    root = two[0].parent
    page = page_of(two, root)
    links = [
        unquote(a["href"]) for tag, a, above in page.elements if tag == "a" and above[-1] == "td" and "tbody" in above
    ]
    assert [link for link in links if link.startswith("#")] == [f"#{TURN}@beta", f"#{USAGE}@beta"]
    assert all(unquote(a["href"][1:]) in page.ids for a in page.all("a") if a["href"].startswith("#"))
    assert "no end" in page.text("pre.found")
    assert "data: 19" in page.text("pre.found")

    (two[0] / "report.html").write_text("")
    page = page_of(two, root)
    links = [a["href"] for tag, a, above in page.elements if tag == "a" and above[-1] == "td" and "tbody" in above]
    assert f"beta/report.html#{TURN}%5Bchat.responses.stream%5D" in links


def test_links_are_to_what_is_there_and_relative_to_the_page(two: list[Path], tmp_path: Path) -> None:
    (two[0] / "README.md").write_text("notes")
    out = tmp_path / "pages"
    out.mkdir()
    by_name = {gateway.key: gateway for gateway in gateways(two, out)}
    assert (by_name["beta"].json, by_name["beta"].notes) == ("../beta/report.json", "../beta/README.md")
    assert (by_name["alpha"].json, by_name["alpha"].notes, by_name["alpha"].page) == ("../alpha/report.json", "", "")


def test_a_requirement_has_its_text_level_source_and_harm(two: list[Path]) -> None:
    text = page_of(two, two[0].parent).text("article.")
    for said in ("MUST", "A turn is a turn.", "Clients hang.", "litellm#1; https://example.com/spec"):
        assert said in text


def test_the_words_of_a_requirement_are_the_newest_reports(tmp_path: Path) -> None:
    def words(text: str) -> dict[str, Any]:
        return {USAGE: {"level": "MUST", "text": text, "source": [], "harm": "", "alternatives": {}}}

    check = record(f"{USAGE}[chat.chat.json]", PASS)
    new = folder(tmp_path, "a", [check], requirements=words("New."), began=2)
    old = folder(tmp_path, "b", [check], requirements=words("Old."), began=1)
    assert "New." in page_of([new, old], tmp_path).text("p.req")
    assert "Old." not in page_of([new, old], tmp_path).text("p.req")


def test_reports_of_different_editions_are_marked(tmp_path: Path) -> None:
    check = record(f"{USAGE}[chat.chat.json]", PASS)
    same = [folder(tmp_path, name, [check]) for name in ("a", "b")]
    assert "different editions" not in page_of(same, tmp_path).text()
    mixed = [*same, folder(tmp_path, "c", [check], edition="2027.1")]
    assert "different editions (2026.1, 2027.1)" in page_of(mixed, tmp_path).text("p.alert").replace("\n", " ")
    assert "edition 2027.1" in page_of(mixed, tmp_path).text("th.")
    assert "different editions" in markdown(gateways(mixed, tmp_path))


def test_a_run_that_did_not_end_says_so(tmp_path: Path) -> None:
    path = folder(tmp_path, "a", [record(f"{USAGE}[chat.chat.json]", PASS)], complete=False)
    assert "did not end" in page_of([path], tmp_path).text("td.result")
    assert "did not end" in markdown(gateways([path], tmp_path))


def test_a_name_that_comes_twice_is_two_columns(tmp_path: Path) -> None:
    check = record(f"{USAGE}[chat.chat.json]", FAIL)
    about = {"name": "x", "url": ""}
    paths = [folder(tmp_path, n, [check], gateway=about | {"version": v}) for n, v in (("new", "2"), ("old", "1"))]
    assert [(g.key, g.release) for g in gateways(paths, tmp_path)] == [("x", "1"), ("x~2", "2")]
    page = page_of(paths, tmp_path)
    assert len(page.ids) == len(set(page.ids))


def test_a_gateway_without_a_name_is_called_by_its_folder(tmp_path: Path) -> None:
    path = folder(
        tmp_path, "nameless", [record(f"{USAGE}[chat.chat.json]", PASS)], gateway={"name": "", "version": "", "url": ""}
    )
    assert [g.name for g in gateways([path / "report.json"], tmp_path)] == ["nameless"]


def test_the_script_can_tell_pairs_apart(two: list[Path]) -> None:
    on = [a["data-on"] for tag, a, _ in page_of(two, two[0].parent).elements if "data-on" in a]
    assert on == ["0:F1✓1;1:✓1", "1:✓2", "1:W1"]


def test_as_json_it_has_every_verdict_and_fits_its_schema(two: list[Path]) -> None:
    made = document(gateways(two, two[0].parent))
    assert validate(made, "own/matrix") == []
    assert made["verdicts"] == {
        TURN: {"beta": {"chat.responses.stream": FAIL, "chat.responses.json": PASS, "chat.chat.stream": PASS}},
        USAGE: {"alpha": {"chat.chat.json": PASS, "chat.chat.stream": PASS}, "beta": {"chat.chat.json": SHOULD}},
    }


def test_as_markdown_a_row_is_a_requirement(two: list[Path]) -> None:
    text = markdown(gateways(two, two[0].parent))
    assert f"| `{TURN}` | MUST |  | F 1/3 |" in text
    assert f"| `{USAGE}` | MUST | ✓ 2 | W 1 |" in text


# --- the page as a page -------------------------------------------------------------------------------


def hostile_folder(root: Path) -> Path:
    path = root / "hostile"
    path.mkdir()
    (path / "report.json").write_text(json.dumps(hostile_report()), "utf-8")
    return path


def test_hostile_text_stays_text(tmp_path: Path) -> None:
    ours = page_of([folder(tmp_path, "ours", EVERY)], tmp_path)
    made = matrix_page(gateways([hostile_folder(tmp_path)], tmp_path))
    theirs = Page(made)
    assert {tag for tag, _, _ in theirs.elements} <= {tag for tag, _, _ in ours.elements}
    assert {name for _, a, _ in theirs.elements for name in a} <= {name for _, a, _ in ours.elements for name in a}
    assert theirs.text("script.") == ours.text("script.")
    assert len(theirs.all("script")) == len(theirs.all("style")) == 1
    assert "</script><script>alert(1)</script><img src=x" in theirs.text("pre.found")
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\uffff]", made) is None


def test_nothing_is_loaded_and_only_the_pages_own_script_runs(tmp_path: Path) -> None:
    page = page_of([folder(tmp_path, "ours", EVERY), hostile_folder(tmp_path)], tmp_path)
    for _, attributes, _ in page.elements:
        assert not {"src", "srcset", "data", "action", "style", "background", "poster"} & attributes.keys()
        assert not [name for name in attributes if name.startswith("on")]
        assert not re.match("[a-z]+:|//", attributes.get("href", "#"))
    policy = next(m["content"] for m in page.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    for directive, source in (("style-src", page.text("style.")), ("script-src", page.text("script."))):
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_headings_descend_and_headers_have_a_scope(tmp_path: Path) -> None:
    page = page_of([folder(tmp_path, "ours", EVERY)], tmp_path)
    levels = [int(tag[1]) for tag, _, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all("scope" in attributes for attributes in page.all("th"))


def test_a_cell_says_its_verdict_in_a_word(tmp_path: Path) -> None:
    page = page_of([folder(tmp_path, "ours", [record(f"{USAGE}[chat.chat.json]", KNOWN)])], tmp_path)
    link = next(a for tag, a, above in page.elements if tag == "a" and above[-1] == "td" and a.get("class") == "known")
    assert link["aria-label"] == "known, 1: ours"


def test_evidence_is_shared_out_when_cells_are_many(tmp_path: Path) -> None:
    lines = [[0, "gateway -> client", "begin" + "x" * 60_000 + "end of it"]]
    shown = [{"marker": "gp-a2b3c4-d5e6f7g2", "pair": "chat.chat", "mode": "json", "lines": lines}]
    checks = [
        record(f"area-{n % 9}.check-{n}[chat.chat.json]", FAIL, message="m" * 9_000, transcripts=shown)
        for n in range(900)
    ]
    made = matrix_page(gateways([folder(tmp_path, "big", checks)], tmp_path))
    assert len(made.encode()) < 2_000_000
    assert made.count("end of it") == 900
    assert "more characters: see the report" in made


def test_a_blocked_cell_says_its_cause(tmp_path: Path) -> None:
    page = page_of([folder(tmp_path, "a", [record(f"{USAGE}[chat.chat.json]", BLOCKED, message="no turn")])], tmp_path)
    assert cells_of(page) == {(USAGE, "a"): "B 1"}
    assert "no turn" in page.text("pre.found")


# --- the command --------------------------------------------------------------------------------------


def test_the_command_writes_the_page_and_passes_over_other_files(
    two: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = two[0].parent
    (root / "README.md").write_text("about the results")
    assert main(["matrix", *map(str, sorted(root.iterdir())), "-o", str(root / "matrix.html")]) == 0
    out, err = capsys.readouterr()
    assert "matrix.html" in out
    assert "beta 1.0: 4 checks = " in out
    assert "README.md is passed over" in err
    assert (root / "matrix.html").read_text("utf-8") == matrix_page(gateways(two, root))


def test_other_formats_go_to_standard_output(two: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", *map(str, two), "--format", "json"]) == 0
    assert validate(json.loads(capsys.readouterr().out), "own/matrix") == []
    assert main(["matrix", *map(str, two), "--format", "markdown"]) == 0
    assert capsys.readouterr().out.startswith("# Gateways by requirements")


@pytest.mark.parametrize("wrong", ["nothing-there", "empty", "README.md"])
def test_what_is_no_report_is_named(two: list[Path], wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    root = two[0].parent
    (root / "empty").mkdir()
    (root / "README.md").write_text("")
    assert main(["matrix", str(root / wrong), "-o", str(root / "out.html")]) == 4
    assert str(root / wrong) in capsys.readouterr().err
    assert not (root / "out.html").exists()


def test_where_nothing_can_be_written_is_named(two: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["matrix", str(two[0]), "-o", str(two[0] / "no" / "where.html")]) == 4
    assert "where.html" in capsys.readouterr().err


def test_the_committed_page_is_what_the_committed_reports_give() -> None:
    paths = [file.parent for file in RESULTS.glob("*/report.json")]
    assert (RESULTS / "matrix.html").read_text("utf-8") == matrix_page(gateways(paths, RESULTS)), (
        "render it again: gateproof matrix conformance/results/* -o conformance/results/matrix.html"
    )
