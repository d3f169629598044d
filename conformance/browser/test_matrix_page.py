"""matrix.html in a browser: filtered, sorted, per pair, walked with the keyboard, in light and dark, and hostile."""

import json
from pathlib import Path

import pytest
from browsing import Open, address, field, opened_all, overflow, paper, shown, violations, walk, written
from example_reports import hostile_report
from made_up_reports import record, report
from playwright.sync_api import Page, expect

from gateproof.reports.matrix import gateways
from gateproof.reports.matrix_page import matrix_page
from gateproof.verdicts import FAIL, PASS, SHOULD

COMMITTED = Path(__file__).parents[1] / "results" / "matrix.html"

ALPHA = [
    record("ending.a-turn-ends[chat.responses.stream]", PASS),
    record("ending.a-turn-ends[chat.chat.stream]", PASS),
    record("usage.counts-add-up[chat.chat.json]", FAIL, message="nine is not ten"),
    record("usage.survives[chat.chat.json]", PASS),
    record("wire.is-fine[chat.chat.json]", FAIL),
]
BETA = [
    record("ending.a-turn-ends[chat.responses.stream]", FAIL, message="no end"),
    record("ending.a-turn-ends[chat.chat.stream]", PASS),
    record("usage.survives[chat.chat.json]", SHOULD),
    record("wire.is-fine[chat.chat.json]", FAIL),
]
GAMMA = [record("ending.a-turn-ends[chat.responses.json]", FAIL)]


def folder(root: Path, name: str, document: dict[str, object]) -> Path:
    (root / name).mkdir()
    written(root / name, json.dumps(document), "report.json")
    return root / name


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    named = {"alpha": ALPHA, "beta": BETA, "gamma": GAMMA}
    paths = [
        folder(tmp_path, name, report(checks, gateway={"name": name, "version": "1.0", "url": ""}))
        for name, checks in named.items()
    ]
    return written(tmp_path, matrix_page(gateways(paths, tmp_path)))


def rows(page: Page) -> list[str]:
    return [id.strip() for id in page.locator(".matrix .row:visible th code").all_text_contents()]


def columns(page: Page) -> list[str]:
    return page.locator(".matrix thead th[data-gateway]:visible button").all_text_contents()


def cell(page: Page, id: str, gateway: str) -> str:
    found = page.locator(f'.matrix tr[data-id="{id}"] td[data-gateway="{gateway}"]')
    return " ".join(found.locator(":visible").all_text_contents())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, page_file: Path, scheme: str) -> None:
    page = opened(page_file, color_scheme=scheme)
    opened_all(page)
    assert violations(page) == []


def test_axe_finds_nothing_on_a_phone(opened: Open, page_file: Path) -> None:
    page = opened(page_file, viewport={"width": 390, "height": 844})
    assert overflow(page) <= 0
    assert violations(page) == []


def test_filters_narrow_rows_and_say_how_far(opened: Open, page_file: Path) -> None:
    page = opened(page_file)
    state = page.locator("#filter output")
    field(page, "area").select_option("usage")
    assert rows(page) == ["usage.counts-add-up", "usage.survives"]
    assert state.text_content() == "2 of 4 requirements shown"
    assert shown(page, "article.one") == 2
    page.get_by_role("button", name="should").click()
    assert rows(page) == ["usage.survives"]
    page.get_by_role("button", name="Show all").click()
    assert state.text_content() == "All 4 requirements shown"
    field(page, "words").fill("counts-add")
    assert rows(page) == ["usage.counts-add-up"]
    field(page, "words").fill("")
    field(page, "level").select_option("SHOULD")
    assert rows(page) == []


def test_a_pair_shows_what_happened_on_it_alone(opened: Open, page_file: Path) -> None:
    page = opened(page_file)
    assert cell(page, "ending.a-turn-ends", "beta") == "F 1/2"
    assert cell(page, "usage.counts-add-up", "beta") == ""
    field(page, "pair").select_option(label="chat<chat")
    assert cell(page, "ending.a-turn-ends", "beta") == "✓ 1"
    assert columns(page) == ["alpha", "beta"]
    field(page, "pair").select_option(label="chat<responses")
    assert rows(page) == ["ending.a-turn-ends"]
    assert cell(page, "ending.a-turn-ends", "beta") == "F 1"
    assert columns(page) == ["alpha", "beta", "gamma"]
    assert page.locator("thead [data-gateway=alpha] .red").text_content() == "0 of 1 red"
    page.keyboard.press("Escape")
    assert cell(page, "ending.a-turn-ends", "beta") == "F 1/2"
    assert page.locator("thead [data-gateway=alpha] .red").text_content() == "2 of 5 red"


def test_rows_and_columns_are_sorted_by_name_and_by_what_fails(opened: Open, page_file: Path) -> None:
    page = opened(page_file)
    by_name = ["ending.a-turn-ends", "usage.counts-add-up", "usage.survives", "wire.is-fine"]
    assert rows(page) == by_name
    page.get_by_role("button", name="Red").click()
    assert rows(page) == ["ending.a-turn-ends", "wire.is-fine", "usage.counts-add-up", "usage.survives"]
    assert page.locator("thead [aria-sort=descending]").text_content() == "Redgateways"
    page.get_by_role("columnheader", name="alpha").get_by_role("button").click()
    assert rows(page) == ["usage.counts-add-up", "wire.is-fine", "ending.a-turn-ends", "usage.survives"]
    assert cell(page, "usage.counts-add-up", "alpha") == "F 1"
    requirement = page.get_by_role("button", name="Requirement")
    requirement.click()
    assert rows(page) == by_name
    requirement.click()
    assert rows(page) == by_name[::-1]
    field(page, "columns").select_option("fewest")
    assert columns(page) == ["gamma", "alpha", "beta"]
    assert page.locator(".matrix tr[data-id='wire.is-fine'] td[data-gateway]").nth(1).text_content() == "F 1"
    page.keyboard.press("Escape")
    assert (rows(page), columns(page)) == (by_name, ["alpha", "beta", "gamma"])
    assert shown(page, ".matrix tr.area") == 3


def test_the_address_keeps_filter_and_order(opened: Open, page_file: Path) -> None:
    page = opened(page_file)
    field(page, "area").select_option("usage")
    field(page, "columns").select_option("most")
    page.get_by_role("button", name="Red").click()
    assert address(page) == "#?area=usage&rows=red&columns=most"
    page.reload()
    assert rows(page) == ["usage.counts-add-up", "usage.survives"]
    assert columns(page)[0] == "alpha"


def test_a_cell_opens_its_evidence(opened: Open, page_file: Path) -> None:
    page = opened(page_file)
    page.locator(".matrix tr[data-id='ending.a-turn-ends'] td[data-gateway=beta] a").focus()
    page.keyboard.press("Enter")
    section = page.locator('[id="ending.a-turn-ends@beta"]')
    expect(section.locator("pre").first).to_be_visible()
    assert "no end" in (section.text_content() or "")
    assert page.evaluate("document.activeElement.localName") == "summary"
    assert section.locator("a").get_attribute("href") == "beta/report.json"


def test_the_keyboard_alone_is_enough(opened: Open, page_file: Path) -> None:
    page = opened(page_file)
    expected = shown(page, "a, button, select, input, summary, [tabindex='0']")
    steps = list(walk(page, 3 * expected))
    assert steps[0]["text"] == "To the results"
    assert len(steps) >= expected
    assert [step for step in steps if step["outline"] < 2] == []
    page.keyboard.press("/")
    page.keyboard.type("wire")
    assert rows(page) == ["wire.is-fine"]
    page.keyboard.press("Escape")
    assert len(rows(page)) == 4


def test_dark_is_the_systems_and_a_choice_is_remembered(opened: Open, page_file: Path) -> None:
    page = opened(page_file, color_scheme="light")
    assert paper(page) > 200
    page.get_by_label("Colours").select_option("dark")
    page.reload()
    assert paper(page) < 60


def test_without_scripts_everything_can_be_read(opened: Open, page_file: Path) -> None:
    page = opened(page_file, java_script_enabled=False)
    assert shown(page, "#filter, .theme") == 0
    assert len(rows(page)) == 4
    page.locator('[id="ending.a-turn-ends@beta"] summary').click()
    assert page.locator('[id="ending.a-turn-ends@beta"] pre').first.is_visible()


def test_hostile_text_does_nothing(opened: Open, tmp_path: Path) -> None:
    paths = [folder(tmp_path, "hostile", hostile_report()), folder(tmp_path, "ours", report(ALPHA))]
    page = opened(written(tmp_path, matrix_page(gateways(paths, tmp_path))))
    opened_all(page)
    assert page.locator("script").count() == 1
    assert page.locator("img, iframe, [onmouseover], [onerror]").count() == 0
    assert "<script>alert(1)</script><img src=x onerror=alert(2)>" in "".join(page.locator("pre").all_text_contents())


def test_the_committed_page_opens_and_filters(opened: Open) -> None:
    page = opened(COMMITTED)
    every = len(rows(page))
    page.get_by_role("button", name="Red").click()
    assert len(rows(page)) == every
    page.get_by_role("button", name="fail").click()
    assert 0 < len(rows(page)) < every
