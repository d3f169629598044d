"""The suite in somebody's pytest: marks, `-k`, a readable `--collect-only`, and other people's plugins beside it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gateproof.checks import product
from gateproof.edition import edition, newest

NOWHERE = "--gateway-url=http://127.0.0.1:1"


def in_pytest(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--strict-markers", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def collected(folder: Path, environment: dict[str, str], *arguments: str) -> set[str]:
    done = in_pytest(folder, environment, "--collect-only", "-q", NOWHERE, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if line.endswith("]")}


@pytest.mark.parametrize(
    ("marks", "takes"),
    [
        ("should", lambda check: check.level == "SHOULD"),
        (
            "must and usage and not json",
            lambda c: c.level == "MUST" and c.requirement.area == "usage" and c.mode != "json",
        ),
        ("chat.responses and streamed", lambda check: check.place == "chat.responses.stream"),
    ],
)
def test_marks_are_level_area_pair_and_mode(
    tmp_path: Path, environment: dict[str, str], marks: str, takes: object
) -> None:
    assert callable(takes)
    expected = {check.name for check in product(edition(newest())) if takes(check)}
    assert expected
    assert collected(tmp_path, environment, "-m", marks) == expected


def test_a_word_chooses_by_what_an_id_holds(tmp_path: Path, environment: dict[str, str]) -> None:
    expected = {check.name for check in product(edition(newest())) if "tools" in check.name}
    assert collected(tmp_path, environment, "-k", "tools") == expected


def test_the_marks_are_listed_in_runs_of_the_suite_only(tmp_path: Path, environment: dict[str, str]) -> None:
    assert "@pytest.mark.chat.responses:" in in_pytest(tmp_path, environment, "--markers", NOWHERE).stdout
    assert "(gateproof)" not in in_pytest(tmp_path, environment, "--markers").stdout


def test_collect_only_reads_as_a_catalogue(tmp_path: Path, environment: dict[str, str]) -> None:
    done = in_pytest(
        tmp_path, environment, "-p", "no:randomly", "--collect-only", NOWHERE, "--id=text.arrives-exactly-once"
    )

    lines = [line.strip() for line in done.stdout.splitlines()]
    start = lines.index(f"<Suite gateproof, edition {newest()}>")
    assert lines[start + 1] == "<Area text>"
    assert lines[start + 2].startswith("<MUST text.arrives-exactly-once: ")
    assert "<Check chat.responses.stream>" in lines[start + 3 :]


def test_plugins_of_others_see_ordinary_tests(
    tmp_path: Path, environment: dict[str, str], reference_toml: Path
) -> None:
    """pytest-timeout, pytest-html, pytest-randomly and pytest-xdist at once, as in many a CI."""
    done = in_pytest(
        tmp_path,
        environment,
        *("-n2", "--timeout=60", "--html=page.html", "--self-contained-html", "--junitxml=their.xml"),
        *(f"--gateway={reference_toml}", "--upstream-listen=127.0.0.1:0", "--id=text.*", "--pair=chat.*"),
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "text.arrives-exactly-once[chat.responses.stream]" in (tmp_path / "page.html").read_text("utf-8")
    assert "text.arrives-exactly-once[chat.responses.stream]" in (tmp_path / "their.xml").read_text("utf-8")
    report = json.loads((tmp_path / "gateproof-report" / "report.json").read_text("utf-8"))
    assert report["complete"]
    assert {check["verdict"] for check in report["checks"]} == {"pass"}
