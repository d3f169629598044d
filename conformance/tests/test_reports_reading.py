"""Reading reports back: what is refused and how, and that writing survives a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import made_up_reports
import pytest
from jsonschema import Draft202012Validator
from made_up_reports import record, report
from referencing import Registry, Resource

from gateproof.reports.document import VERSION, document
from gateproof.reports.reading import CHECKS, REPORT, RUN, ReportError, read_report
from gateproof.reports.render import FILES, FORMATS
from gateproof.reports.store import Store
from gateproof.verdicts import FAIL, PASS
from gateproof_schemas import schema

RESULTS = Path(__file__).parents[1] / "results"
ONE = "text.arrives-exactly-once[chat.chat.json]"


def written(folder: Path, document: object) -> Path:
    file = folder / REPORT
    file.write_text(json.dumps(document), "utf-8")
    return file


def left_behind(folder: Path, *records: dict[str, Any]) -> None:
    """What a run leaves that was killed."""
    store = Store(folder)
    store.begin({"edition": "2026.1"})
    for one in records:
        store.add(one)
    store.close()


def refusal(path: Path) -> str:
    with pytest.raises(ReportError) as refused:
        read_report(path)
    return str(refused.value)


def test_a_file_and_its_folder_are_the_same_report(tmp_path: Path) -> None:
    file = written(tmp_path, report([record(ONE, FAIL)]))
    assert read_report(file) == read_report(tmp_path) == report([record(ONE, FAIL)])


def test_a_newer_version_is_refused_with_what_to_do(tmp_path: Path) -> None:
    # Its form is not ours to judge: the version is looked at first.
    file = written(tmp_path, {"format": "gateproof-report", "version": VERSION + 2, "checks": "elsewhere"})
    assert refusal(file) == f"{file} is version {VERSION + 2}; this Gateproof reads up to {VERSION}: upgrade it"


def test_a_run_of_a_newer_version_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / RUN).write_text(json.dumps({"version": VERSION + 1}), "utf-8")
    (tmp_path / CHECKS).write_text("", "utf-8")
    assert f"is version {VERSION + 1}; this Gateproof reads up to {VERSION}: upgrade it" in refusal(tmp_path)


@pytest.mark.parametrize("version", [0, -1, True, "1", 1.0, None])
def test_what_is_no_version_is_refused(version: object, tmp_path: Path) -> None:
    assert f"version {version!r} is none" in refusal(written(tmp_path, report([]) | {"version": version}))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not JSON"),
        ('{"format": "gateproof-rep', "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("NaN", "NaN is no number of JSON"),
        ("[]", "is no report"),
        ("{}", "is no report"),
        ('{"format": "gateproof-comparison", "version": 1}', "expected an object whose format is 'gateproof-report'"),
    ],
)
def test_what_is_no_report_is_refused(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    file.write_text(text, "utf-8")
    said = refusal(file)
    assert str(file) in said
    assert words in said


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / REPORT).write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refusal(tmp_path)


def test_a_missing_file_and_an_empty_folder_are_named(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nothing.json") == f"{tmp_path / 'nothing.json'}: No such file or directory"
    assert refusal(tmp_path) == f"{tmp_path} is no report folder: it has neither checks.jsonl nor report.json"


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"checks": {}}, "$.checks"),
        ({"checks": [{}]}, "$.checks[0]"),
        ({"began": 1e300}, "$.began"),
        ({"requirements": {"a.b": {}}}, "$.requirements"),
        ({"checks": [record(ONE, "splendid")]}, "$.checks[0].verdict"),
    ],
)
def test_what_does_not_fit_the_schema_is_named(changes: dict[str, Any], where: str, tmp_path: Path) -> None:
    assert where in refusal(written(tmp_path, report([]) | changes))


def test_a_report_of_the_first_gateproof_is_read_and_rendered(tmp_path: Path) -> None:
    # It did not yet say which Gateproof measured, and a gateway's name could be left out.
    old = report([record(ONE, FAIL)], gateway={})
    del old["gateproof"]
    found = read_report(written(tmp_path, old))
    assert (found["gateproof"], found["gateway"]["name"]) == ("", "")
    for render in FORMATS.values():
        assert render(found)


def test_what_was_measured_comes_before_what_was_rendered_from_it(tmp_path: Path) -> None:
    left_behind(tmp_path, record(ONE, PASS))
    written(tmp_path, report([record(ONE, FAIL)]))
    assert [check["verdict"] for check in read_report(tmp_path)["checks"]] == [PASS]


def test_a_line_that_is_no_check_is_named_by_its_number(tmp_path: Path) -> None:
    left_behind(tmp_path, record(ONE, PASS), record(ONE, PASS) | {"seconds": "long"})
    assert "line 2: $.seconds" in refusal(tmp_path)


def test_a_run_leaves_every_file_and_the_last_verdict_only(tmp_path: Path) -> None:
    first = Store(tmp_path)
    first.begin({"edition": "2026.1"})
    first.finish([record(ONE, PASS)], 0, complete=True)
    assert {f.name for f in tmp_path.iterdir()} == {CHECKS, RUN, *FILES}

    left_behind(tmp_path)

    # A run that is killed now must not be taken for the one that passed.
    assert {f.name for f in tmp_path.iterdir()} == {CHECKS, RUN}


KILLED = """
import os, signal, sys
from pathlib import Path
from gateproof.reports.store import Store
from made_up_reports import record

folder, fatal = Path(sys.argv[1]), sys.argv[2]
replace = Path.replace

def replaced(self, target):
    if Path(target).name == fatal:
        # Half of it is on the disk.
        os.truncate(self, self.stat().st_size // 2)
        os.kill(os.getpid(), signal.SIGKILL)
    return replace(self, target)

checks = [record(f"text.arrives-exactly-once[{pair}.json]", "fail") for pair in ("chat.chat", "chat.responses")]
store = Store(folder)
store.begin({"edition": "2026.1"})
Path.replace = replaced
for check in checks:
    store.add(check)
store.finish(checks, 7, complete=True)
"""


@pytest.mark.parametrize("fatal", [RUN, REPORT, "report.html"])
def test_a_kill_in_the_middle_of_writing_leaves_no_torn_file_and_is_rendered_again(
    fatal: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    environment["PYTHONPATH"] = str(Path(made_up_reports.__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), fatal], env=environment, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert fatal == RUN or not (tmp_path / fatal).exists()

    found = read_report(tmp_path)

    assert [check["verdict"] for check in found["checks"]] == [FAIL, FAIL]
    assert found["complete"] == (fatal != RUN)
    for name in FILES:
        if (tmp_path / name).exists():
            assert (tmp_path / name).read_text("utf-8") == FORMATS[FILES[name]](found)


# --- the schema ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("folder", sorted(p.parent.name for p in RESULTS.glob("*/report.json")))
def test_every_committed_result_is_a_report(folder: str) -> None:
    assert read_report(RESULTS / folder)["checks"]


def closed(node: Any) -> Any:
    """A schema in which no object has a key that is not described. Those of which no key is described are the user's."""
    if isinstance(node, list):
        return [closed(child) for child in node]
    if not isinstance(node, dict):
        return node
    described = {"properties", "patternProperties"} & node.keys() and node.get("type") == "object"
    return {key: closed(child) for key, child in node.items()} | ({"additionalProperties": False} if described else {})


def test_the_schema_describes_every_key_that_is_written() -> None:
    files = {name: closed(schema(name)) for name in ("own/report", "own/check")}
    registry = Registry[Any]().with_resources((f["$id"], Resource[Any].from_contents(f)) for f in files.values())
    made = document({"edition": "2026.1"}, [record(ONE, FAIL)])

    validator = Draft202012Validator(files["own/report"], registry=registry)

    assert [fault.message for fault in validator.iter_errors(made)] == []
    assert not validator.is_valid(made | {"more": 1})
    made["checks"][0]["transcripts"][0]["more"] = 1
    assert not validator.is_valid(made)
