"""`gateproof baseline`: what a run found beside the known failures, and the baseline brought up to it."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gateproof.catalogue import catalogue
from gateproof.checks import Check
from gateproof.cli import main
from gateproof.edition import newest
from gateproof.files import load_baseline
from gateproof.files.baseline_changes import changes, covering
from gateproof.files.baseline_editing import updated
from gateproof.pairs import PAIRS, Pair
from gateproof.reports.document import document
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR

TEXT = "text.arrives-exactly-once"
FAILED = "failure.failed-is-never-success"
STATUS = "error.status-is-kept"

Verdicts = Mapping[tuple[str, str], str]
"""By requirement and place."""


def report(
    verdicts: Verdicts, *, strict: bool = False, edition: str = "", served: list[str] | None = None
) -> dict[str, Any]:
    """The report of a run with these verdicts. Without `served`, the gateway serves where it was checked."""
    records = [
        {
            "name": f"{id}[{place}]",
            "id": id,
            "revision": 1,
            "pair": place.rpartition(".")[0],
            "mode": place.rpartition(".")[2],
            "level": "SHOULD" if verdict == SHOULD else "MUST",
            "verdict": verdict,
            "message": "",
            "alternatives": [],
            "began": 0,
            "seconds": 0,
            "exchanges": 0,
            "scripts": [],
            "transcripts": [],
        }
        for (id, place), verdict in verdicts.items()
    ]
    places = sorted({place for _, place in verdicts}) if served is None else served
    about = {"edition": edition or newest(), "served": places, "strict": strict, "complete": True}
    return document(about, records)


def on_pair(id: str, pair: str, stream: str, json: str) -> dict[tuple[str, str], str]:
    return {(id, f"{pair}.stream"): stream, (id, f"{pair}.json"): json}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """known.toml in an empty current folder."""
    monkeypatch.chdir(tmp_path)
    return Path("known.toml")


def write_report(found: dict[str, Any]) -> None:
    Path("gateproof-report").mkdir(exist_ok=True)
    Path("gateproof-report/report.json").write_text(json.dumps(found), "utf-8")


def entry(id: str, on: str = "", reason: str = "issue 41") -> str:
    lines = ["[[known]]", f'id = "{id}"', *([f'on = "{on}"'] if on else []), f'reason = "{reason}"']
    return "\n".join(lines) + "\n"


# --- the globs ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "others", "globs"),
    [
        ([], [], []),
        (["chat.responses.stream"], [], ["chat.responses.stream"]),
        (["chat.responses.stream"], ["chat.responses.json"], ["chat.responses.stream"]),
        (["chat.responses.stream", "chat.responses.json"], [], ["chat.responses.*"]),
        (["chat.responses.stream", "chat.responses.json"], ["chat.chat.json"], ["chat.responses.*"]),
        (["chat.responses.stream", "chat.chat.stream"], ["chat.chat.json"], ["chat.*.stream"]),
        (["chat.responses.stream", "chat.chat.json"], [], ["chat.*"]),
        (["chat.responses.stream", "responses.chat.stream"], ["chat.chat.json"], ["*.stream"]),
        (["chat.responses.stream", "messages.responses.json"], ["chat.chat.json"], ["*.responses.*"]),
        (["chat.responses.stream", "responses.chat.json"], [], ["*"]),
        (
            ["chat.responses.stream", "chat.responses.json", "messages.chat.json"],
            ["messages.chat.stream", "chat.chat.json"],
            ["chat.responses.*", "messages.chat.json"],
        ),
    ],
)
def test_few_globs_match_what_fails_and_nothing_else(wanted: list[str], others: list[str], globs: list[str]) -> None:
    assert covering(wanted, others) == globs


# --- what is told ---------------------------------------------------------------------------------------


def test_a_run_that_fits_is_told_as_that(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(entry(TEXT, "chat.responses.*"), "utf-8")
    write_report(
        report({**on_pair(TEXT, "chat.responses", KNOWN, KNOWN), **on_pair(FAILED, "chat.responses", PASS, PASS)})
    )

    assert main(["baseline", "known.toml"]) == 0
    assert capsys.readouterr().out == f"known.toml: 1 entry; 0 new, 0 stale, 0 unreviewed; edition {newest()}\n"


def test_new_stale_and_unreviewed_are_told_and_fail(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(entry(TEXT) + entry(FAILED, "chat.responses.stream", "unreviewed"), "utf-8")
    before = file.read_text("utf-8")
    write_report(
        report({**on_pair(TEXT, "chat.responses", STALE, KNOWN), **on_pair(FAILED, "chat.responses", KNOWN, FAIL)})
    )

    assert main(["baseline", "known.toml", "--report", "gateproof-report/report.json"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"new      {FAILED}[chat.responses.json] fails",
        f"stale    {TEXT} on *: it passes on chat.responses.stream; what is left is on chat.responses.json",
        f"review   {FAILED} on chat.responses.stream",
        f"known.toml: 2 entries; 1 new, 1 stale, 1 unreviewed; edition {newest()}",
        "gateproof baseline known.toml --update would bring it there",
    ]
    assert file.read_text("utf-8") == before


@pytest.mark.parametrize(("strict", "code"), [(False, 0), (True, 1)])
def test_a_should_is_new_only_where_it_fails_the_run(strict: bool, code: int, file: Path) -> None:
    file.write_text("", "utf-8")
    write_report(report(on_pair(STATUS, "chat.chat", SHOULD, PASS), strict=strict))
    assert main(["baseline", "known.toml"]) == code


@pytest.mark.parametrize("verdict", [NOT_TESTABLE, BLOCKED, SUITE_ERROR])
def test_what_tells_nothing_about_the_requirement_changes_nothing(
    verdict: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(entry(TEXT, "chat.chat.stream"), "utf-8")
    write_report(report({**on_pair(TEXT, "chat.chat", verdict, verdict)}))
    assert main(["baseline", "known.toml"]) == 0
    assert ("2 not testable: no baseline excuses them" in capsys.readouterr().out) == (verdict == NOT_TESTABLE)


# --- what is refused ------------------------------------------------------------------------------------


def test_a_baseline_of_another_edition_is_refused_and_update_takes_it_over(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(f'# Ours.\nedition = "{newest()}" # since spring\n\n{entry(TEXT, "chat.chat.*")}', "utf-8")
    write_report(report(on_pair(TEXT, "chat.chat", KNOWN, KNOWN), edition="draft"))

    assert main(["baseline", "known.toml"]) == 4
    assert capsys.readouterr().out == (
        f"gateproof baseline: known.toml: it was written for edition {newest()}, and this is edition draft; "
        "--update brings it there\n"
    )
    assert main(["baseline", "known.toml", "--update"]) == 0
    assert file.read_text("utf-8") == f'# Ours.\nedition = "draft" # since spring\n\n{entry(TEXT, "chat.chat.*")}'


@pytest.mark.parametrize("update", [[], ["--update"]])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[known]]\nid = "text.nonsense"\nreason = "x"', "known.toml, line 2: known[0].id: 'text.nonsense' is not in"),
        ("known = 1", "known.toml, line 1: known: expected an array"),
        ("[[known", "known.toml, line 1: not TOML"),
    ],
)
def test_a_wrong_baseline_is_refused(
    text: str, words: str, update: list[str], file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(text, "utf-8")
    write_report(report(on_pair(TEXT, "chat.chat", FAIL, FAIL)))
    assert main(["baseline", "known.toml", *update]) == 4
    assert f"gateproof baseline: {words}" in capsys.readouterr().out
    assert file.read_text("utf-8") == text


def test_entries_in_one_list_cannot_be_kept_apart(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text(f'known = [\n{{ id = "{TEXT}", reason = "x" }}]', "utf-8")
    write_report(report(on_pair(TEXT, "chat.chat", FAIL, FAIL)))
    assert main(["baseline", "known.toml", "--update"]) == 4
    assert "known.toml, line 2: write each known failure below a [[known]] of its own" in capsys.readouterr().out


def test_what_is_not_there_is_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["baseline", "known.toml"]) == 4
    assert "gateproof-report" in capsys.readouterr().out
    write_report(report(on_pair(TEXT, "chat.chat", PASS, PASS)))
    assert main(["baseline", "known.toml"]) == 4
    assert "known.toml: No such file" in capsys.readouterr().out
    write_report(report({}, edition="1999.1"))
    assert main(["baseline", "known.toml", "--update"]) == 4
    assert "there is no edition '1999.1'" in capsys.readouterr().out
    assert not file.exists()
    write_report(report({}))
    assert main(["baseline", "no/where/known.toml", "--update"]) == 4
    assert "no/where/known.toml: No such file" in capsys.readouterr().out


# --- the update -----------------------------------------------------------------------------------------


def test_a_first_baseline_names_exactly_what_fails(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(
        report(
            {
                **on_pair(TEXT, "chat.chat", FAIL, FAIL),
                **on_pair(TEXT, "responses.chat", FAIL, PASS),
                **on_pair(FAILED, "chat.responses", PASS, FAIL),
            }
        )
    )

    assert main(["baseline", "known.toml", "--update"]) == 0
    assert file.read_text("utf-8") == (
        f'edition = "{newest()}"\n\n'
        + entry(FAILED, "chat.responses.json", "unreviewed")
        + "\n"
        + entry(TEXT, "chat.chat.*", "unreviewed")
        + "\n"
        + entry(TEXT, "responses.chat.stream", "unreviewed")
    )
    assert "known.toml: 3 entries added, 0 removed, 0 narrowed" in capsys.readouterr().out
    assert main(["baseline", "known.toml"]) == 0


WRITTEN = f"""\
# Known failures of ours.

# --- text

# Told upstream.
[[known]] # the worst
id = "{TEXT}"
# and it stays
reason = "issue 41"
link = "https://example.invalid/41"

# Gone with 1.2.
[[known]]
id = "{FAILED}"
on = "chat.responses.*" # both
reason = "issue 42"
# a last word on it

# --- the rest

[[known]]
id = "{STATUS}"
on = "chat.chat.json"
reason = "never"

# The end.
"""


def test_an_update_touches_nothing_but_what_changed(file: Path) -> None:
    file.write_text(WRITTEN, "utf-8")
    verdicts = {
        **on_pair(TEXT, "chat.chat", KNOWN, STALE),
        **on_pair(TEXT, "chat.responses", STALE, STALE),
        **on_pair(TEXT, "messages.responses", KNOWN, KNOWN),
        **on_pair(FAILED, "chat.responses", STALE, STALE),
        **on_pair(STATUS, "chat.chat", FAIL, KNOWN),
    }
    write_report(report(verdicts))

    assert main(["baseline", "known.toml", "--update"]) == 0
    assert file.read_text("utf-8") == (
        WRITTEN.replace("# Known failures of ours.\n", f'# Known failures of ours.\nedition = "{newest()}"\n')
        .replace(
            'link = "https://example.invalid/41"\n',
            'link = "https://example.invalid/41"\non = "chat.chat.stream"\n\n'
            f'[[known]] # the worst\nid = "{TEXT}"\n# and it stays\nreason = "issue 41"\n'
            'link = "https://example.invalid/41"\non = "messages.responses.*"\n',
        )
        .replace(
            f'# Gone with 1.2.\n[[known]]\nid = "{FAILED}"\non = "chat.responses.*" # both\nreason = "issue 42"\n'
            "# a last word on it\n\n",
            "",
        )
        + "\n"
        + entry(STATUS, "chat.chat.stream", "unreviewed")
    )


def test_only_checks_that_ran_say_something(file: Path) -> None:
    file.write_text(entry(TEXT, "chat.*") + entry(FAILED), "utf-8")
    served = ["chat.chat.stream", "chat.chat.json", "chat.responses.stream", "chat.responses.json"]
    write_report(report({(TEXT, "chat.chat.stream"): STALE, (TEXT, "chat.chat.json"): STALE}, served=served))

    assert main(["baseline", "known.toml", "--update"]) == 0
    assert [(known.id, known.on) for known in load_baseline(file).known] == [(TEXT, "chat.responses.*"), (FAILED, "*")]


def test_line_ends_of_another_system_and_a_missing_last_one_are_kept(tmp_path: Path) -> None:
    run = report({**on_pair(TEXT, "chat.chat", FAIL, PASS), **on_pair(FAILED, "chat.responses", KNOWN, KNOWN)})
    file = tmp_path / "known.toml"
    text = entry(FAILED).replace("\n", "\r\n")
    file.write_bytes(text.encode())
    new = updated(file, text, changes(load_baseline(file), run), "draft")
    assert new.replace("\r\n", "").count("\n") == 0
    assert f'{text}\r\n[[known]]\r\nid = "{TEXT}"' in new
    assert updated(file, "# nothing yet", changes(load_baseline(file), report({})), "draft") == (
        '# nothing yet\nedition = "draft"\n'
    )


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    (tmp_path / "shared.toml").write_text("", "utf-8")
    file.symlink_to("shared.toml")
    write_report(report(on_pair(TEXT, "chat.chat", FAIL, FAIL)))
    assert main(["baseline", "known.toml", "--update"]) == 0
    assert file.is_symlink()
    assert load_baseline(tmp_path / "shared.toml").known[0].id == TEXT


@pytest.mark.parametrize("seed", range(30))
def test_after_any_update_the_run_fits_and_no_reason_is_lost(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    served = [f"{pair}.{mode}" for pair in draw.sample(PAIRS, 4) for mode in ("stream", "json")]
    verdicts = {
        (id, place): draw.choice((PASS, PASS, FAIL, FAIL, SHOULD, BLOCKED, NOT_TESTABLE))
        for id in (TEXT, FAILED, STATUS)
        for place in served
        if draw.random() < 0.8 and Pair.parse(place.rpartition(".")[0]) in catalogue()[id].pairs
    }
    run = report(verdicts, strict=draw.random() < 0.5, served=served)
    globs = ["*", "chat.*", "*.responses.*", "*.stream", "chat.responses.*", "chat.responses.json", "messages.*"]
    text = "".join(
        draw.choice(("", "# said\n", "\n", "\n# apart\n\n"))
        + entry(draw.choice((TEXT, FAILED)), draw.choice(globs), f"r{number}")
        for number in range(draw.randrange(6))
    )
    file = tmp_path / "known.toml"
    file.write_text(text, "utf-8")
    before = load_baseline(file)

    new = updated(file, text, changes(before, run), newest())
    file.write_text(new, "utf-8")

    after = load_baseline(file)
    assert not changes(after, run)
    assert updated(file, new, changes(after, run), newest()) == new
    assert new.count("# apart") == text.count("# apart")
    for (id, place), verdict in verdicts.items():
        check = Check(catalogue()[id], Pair.parse(place.rpartition(".")[0]), place.rpartition(".")[2])
        was, now = before.entry(check), after.entry(check)
        if verdict == PASS:
            assert now is None
        elif was is not None:
            assert now is not None
            assert now.reason == was.reason
        elif verdict == FAIL or (verdict == SHOULD and run["strict"]):
            assert now is not None
            assert now.reason == "unreviewed"
        else:
            assert now is None
