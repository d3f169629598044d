"""Whole runs, as users start them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from gateproof.files import load_baseline
from gateproof.reports.store import Store
from gateproof_schemas import validate

Run = Callable[..., subprocess.CompletedProcess[str]]
GATEPROOF = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())"]
CHECK = "text.arrives-exactly-once[chat.responses.stream]"


def _pytest(folder: Path, environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _report(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "report.json").read_text("utf-8"))
    return found


def test_pytest_runs_the_suite_beside_a_users_own_folders(
    tmp_path: Path, environment: dict[str, str], reference_toml: Path
) -> None:
    # A project whose own packages are called like our folders, with a testpaths that must not be collected.
    for name in ("schemas", "conformance", "reference_impl", "mock_upstream"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')\n", "utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\ntestpaths = own\n", "utf-8")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "test_own.py").write_text(
        "def test_own():\n    raise AssertionError('not to be run')\n", "utf-8"
    )

    done = _pytest(
        tmp_path,
        environment,
        f"--gateway={reference_toml}",
        "--upstream-listen=127.0.0.1:0",
        "--id=text.*",
        "--pair=chat.*",
    )

    assert done.returncode == 0, done.stdout
    assert "collecting the suite's own checks, not files" in done.stdout
    assert re.search(r"\b(\d+) checks = \1 pass", done.stdout)
    assert not validate(_report(tmp_path / "gateproof-report"), "own/report")


def test_a_users_own_tests_are_left_alone_without_a_gateway(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n", "utf-8")

    done = _pytest(tmp_path, environment)

    assert done.returncode == 0
    assert "1 passed" in done.stdout
    assert "gateproof:" not in done.stdout


def test_a_users_own_tests_run_when_named_and_the_suite_does_not(
    tmp_path: Path, environment: dict[str, str], reference_toml: Path
) -> None:
    (tmp_path / "test_own.py").write_text("def test_own():\n    pass\n", "utf-8")

    done = _pytest(tmp_path, environment, "test_own.py", f"--gateway={reference_toml}")

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
    assert "only they are collected" in done.stdout


def test_a_check_is_run_by_its_name(tmp_path: Path, environment: dict[str, str], reference_toml: Path) -> None:
    done = _pytest(tmp_path, environment, CHECK, f"--gateway={reference_toml}", "--upstream-listen=127.0.0.1:0", "-v")

    assert done.returncode == 0, done.stdout
    assert f"{CHECK} PASS" in done.stdout
    assert "1 check = 1 pass" in done.stdout


def test_collection_touches_no_network_and_lists_the_static_product(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    done = _pytest(tmp_path, environment, "--collect-only", "-q", "--gateway-url=http://127.0.0.1:1")

    assert done.returncode == 0, done.stdout
    assert CHECK in done.stdout
    assert not (tmp_path / "gateproof-report").exists()


def test_a_known_failure_is_excused_and_a_stale_one_is_not(
    tmp_path: Path, gateproof: Run, reference_toml: Path
) -> None:
    mutant = reference_toml.read_text("utf-8").replace(
        '"gateproof_reference",', '"gateproof_reference", "--mutant", "reasoning-is-text",'
    )
    (tmp_path / "gateway.toml").write_text(mutant, "utf-8")
    (tmp_path / "known.toml").write_text(
        '[[known]]\nid = "reasoning.never-becomes-text"\non = "chat.responses.*"\nreason = "we show it"\n'
        '[[known]]\nid = "text.arrives-exactly-once"\non = "chat.responses.json"\nreason = "was broken once"\n'
        '[[known]]\nid = "text.arrives-exactly-once"\non = "messages.chat.*"\nreason = "unreviewed"\n',
        "utf-8",
    )

    done = gateproof(
        "run",
        "--gateway=gateway.toml",
        "--upstream-listen=127.0.0.1:0",
        "--baseline=known.toml",
        "--pair=chat.responses",
        "--id=reasoning.never-becomes-text",
        "--id=text.arrives-exactly-once",
        "--report-dir=r",
    )

    verdicts = {c["name"]: c["verdict"] for c in _report(tmp_path / "r")["checks"]}  # type: ignore[attr-defined]
    assert done.returncode == 1, done.stdout
    assert verdicts == {
        "reasoning.never-becomes-text[chat.responses.json]": "known",
        "reasoning.never-becomes-text[chat.responses.stream]": "known",
        "text.arrives-exactly-once[chat.responses.json]": "stale",
        "text.arrives-exactly-once[chat.responses.stream]": "pass",
    }
    assert "baseline: 1 unreviewed entry" in done.stdout

    assert gateproof("baseline", "known.toml", "--report=r").returncode == 1
    assert gateproof("baseline", "known.toml", "--report=r", "--update").returncode == 0
    # What this run did not ask stays.
    assert [(k.id, k.on, k.reason) for k in load_baseline(tmp_path / "known.toml").known] == [
        ("reasoning.never-becomes-text", "chat.responses.*", "we show it"),
        ("text.arrives-exactly-once", "messages.chat.*", "unreviewed"),
    ]


def test_a_failure_shows_requirement_source_harm_and_transcript_and_no_key(
    tmp_path: Path, gateproof: Run, reference_toml: Path
) -> None:
    mutant = reference_toml.read_text("utf-8").replace(
        '"gateproof_reference",', '"gateproof_reference", "--mutant", "reasoning-is-text",'
    )
    (tmp_path / "gateway.toml").write_text(mutant, "utf-8")

    done = gateproof(
        "run",
        "--gateway=gateway.toml",
        "--upstream-listen=127.0.0.1:0",
        "-v",
        "--id=reasoning.*",
        "--pair=chat.*",
        "--report-dir=r",
    )

    assert done.returncode == 1
    for words in (
        "requirement  ",
        "source  ",
        "harm  ",
        "client -> gateway",
        "gateway -> upstream",
        "upstream -> gateway",
    ):
        assert words in done.stdout
    everything = done.stdout + "".join(f.read_text("utf-8") for f in (tmp_path / "r").iterdir())
    assert "client-key-of-the-demo" not in everything
    assert "upstream-key-of-the-demo" not in everything
    junit = ET.parse(tmp_path / "r" / "junit.xml").getroot()
    ids = {p.get("value") for p in junit.iter("property") if p.get("name") == "gateproof.id"}
    assert "reasoning.never-becomes-text" in ids
    assert junit.find(".//failure") is not None


@pytest.mark.parametrize(
    "sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["interrupted", "terminated", "killed"]
)
def test_what_was_measured_survives_an_interruption(
    sign: signal.Signals,
    tmp_path: Path,
    environment: dict[str, str],
    reference_toml: Path,
    gateproof: Run,
    processes: Callable[..., subprocess.Popen[str]],
) -> None:
    command = [
        *GATEPROOF,
        "run",
        "-v",
        f"--gateway={reference_toml}",
        "--upstream-listen=127.0.0.1:0",
        "--report-dir=r",
    ]
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # Shells start what runs in the background so, and children inherit it: nothing could interrupt the run.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    process = processes(command, cwd=tmp_path, env={**environment, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    passed = 0
    for line in process.stdout:
        passed += " PASS" in line
        if passed == 20:
            break

    os.kill(process.pid, sign)
    process.communicate(timeout=60)

    if sign != signal.SIGKILL:
        assert (tmp_path / "r" / "report.html").exists()
        assert process.returncode == 2
    rendered = gateproof("report", "r")
    assert rendered.returncode == 0, rendered.stdout + rendered.stderr
    assert "(the run did not end)" in rendered.stdout
    report = _report(tmp_path / "r")
    assert len(report["checks"]) >= 19  # type: ignore[arg-type]
    assert report["complete"] is False


def test_a_torn_last_line_is_left_out_and_a_torn_middle_line_is_named(
    tmp_path: Path, gateproof: Run, reference_toml: Path
) -> None:
    gateproof("run", f"--gateway={reference_toml}", "--upstream-listen=127.0.0.1:0", "--id=text.*", "--report-dir=r")
    file = tmp_path / "r" / "checks.jsonl"
    whole = file.read_text("utf-8")
    file.write_text(whole + '{"name": "torn', "utf-8")
    torn_end = gateproof("report", "r")
    file.write_text('{"name": "torn\n' + whole, "utf-8")
    torn_middle = gateproof("report", "r")

    assert torn_end.returncode == 0, torn_end.stdout
    assert torn_middle.returncode == 4
    assert "line 1" in torn_middle.stderr


def test_a_mock_that_already_runs_is_used(
    tmp_path: Path, environment: dict[str, str], processes: Callable[..., subprocess.Popen[str]], gateproof: Run
) -> None:
    mock = processes([*GATEPROOF, "mock", "--listen=127.0.0.1:0"], cwd=tmp_path, env=environment)
    assert mock.stdout is not None
    base = mock.stdout.readline().split("base URL to ")[1].split()[0]
    reference = processes(
        [*GATEPROOF, "reference", f"--upstream={base}", "--dialect=chat", "--listen=127.0.0.1:0"],
        cwd=tmp_path,
        env=environment,
    )
    assert reference.stdout is not None
    url = reference.stdout.readline().split("listening on ")[1].strip()

    done = gateproof("run", f"--gateway-url={url}", f"--upstream-attach={base}", "--id=text.*", "--report-dir=r")

    assert done.returncode == 0, done.stdout
    assert "chat<chat (stream, json), responses<chat (stream, json), messages<chat (stream, json)" in done.stdout
    assert re.search(r"\b(\d+) checks = \1 pass", done.stdout)


def test_replay_plays_a_checks_script(
    tmp_path: Path,
    environment: dict[str, str],
    gateproof: Run,
    reference_toml: Path,
    processes: Callable[..., subprocess.Popen[str]],
) -> None:
    import httpx

    gateproof("run", f"--gateway={reference_toml}", "--upstream-listen=127.0.0.1:0", f"--id={CHECK}", "--report-dir=r")
    check = _report(tmp_path / "r")["checks"][0]  # type: ignore[index]
    request = check["scripts"][0]["request"]

    mock = processes([*GATEPROOF, "mock", "--listen=127.0.0.1:0", f"--replay=r#{CHECK}"], cwd=tmp_path, env=environment)
    assert mock.stdout is not None
    base = mock.stdout.readline().split("base URL to ")[1].split()[0]
    answer = httpx.post(f"{base}/chat/completions", content=request["body"], trust_env=False)

    assert "naïve 日本" in answer.text


def test_a_worker_that_dies_is_a_suite_error_and_the_rest_is_measured(
    tmp_path: Path, environment: dict[str, str], reference_toml: Path, processes: Callable[..., subprocess.Popen[str]]
) -> None:
    command = [*GATEPROOF, "run", "-v", "-j", "2", f"--gateway={reference_toml}", "--upstream-listen=127.0.0.1:0"]
    options = ["--report-dir=r", "--pair=chat.*", "--id=tools.*", "--id=text.*", "--id=ending.*", "--id=schema.*"]
    process = processes([*command, *options], cwd=tmp_path, env={**environment, "PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    passed = 0
    for line in process.stdout:
        passed += " PASS " in line
        if passed == 5:
            listed = subprocess.run(
                ["ps", "--ppid", str(process.pid), "-o", "pid=,args="], capture_output=True, text=True, check=True
            )
            workers = [row.split()[0] for row in listed.stdout.splitlines() if "exec(eval(" in row]
            os.kill(int(workers[0]), signal.SIGKILL)
            break

    process.communicate(timeout=100)

    assert process.returncode == 3
    verdicts = [c["verdict"] for c in _report(tmp_path / "r")["checks"]]  # type: ignore[attr-defined]
    assert verdicts.count("suite error") == 1
    assert set(verdicts) == {"pass", "suite error"}


MORTAL = """
import itertools, os, signal, sys
sys.path.insert(0, {folder!r})
import plain_relay

questions = itertools.count()

def do_POST(self, relay=plain_relay.Relay.do_POST):
    if next(questions) == 12:
        print("out of memory", flush=True)
        os.kill(os.getpid(), signal.SIGSEGV)
    relay(self)

plain_relay.Relay.do_POST = do_POST
plain_relay.main()
"""


def test_a_gateway_that_dies_is_said_to_have_died(tmp_path: Path, gateproof: Run) -> None:
    (tmp_path / "gateway.py").write_text(MORTAL.format(folder=str(Path(__file__).parent)), "utf-8")
    start = json.dumps([sys.executable, "{here}/gateway.py", "{upstream_origin}", "{port}"])
    (tmp_path / "gateway.toml").write_text(f'[gateway]\nmodel = "m"\nstart = {start}\n', "utf-8")

    done = gateproof(
        *("run", "-q", "--gateway=gateway.toml", "--upstream-listen=127.0.0.1:0", "--report-dir=r"),
        *("--id=text.*", "--id=turn.*", "--id=tools.*", "--pair=chat.chat"),
    )

    assert done.returncode == 1, done.stdout
    verdicts = {c["name"]: (c["verdict"], c["message"]) for c in _report(tmp_path / "r")["checks"]}
    assert "pass" in {verdict for verdict, _ in verdicts.values()}
    blocked = [message for verdict, message in verdicts.values() if verdict == "blocked"]
    assert len(blocked) > 3
    assert all(message.startswith("the gateway ended with signal 11 (SIGSEGV). Its last output") for message in blocked)
    assert "out of memory" in blocked[0]


UNSERVED = """
import os, sys
sys.path.insert(0, {folder!r})
import plain_relay

seen = []

def do_POST(self, relay=plain_relay.Relay.do_POST):
    body = self.rfile.peek(int(self.headers["Content-Length"]))
    if seen or b"Good morning?" not in body:
        seen.append(1)
        {how}
    relay(self)

plain_relay.Relay.do_POST = do_POST
plain_relay.main()
"""
BANS = """self.close_connection = True
        self.send_response(429)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"error": {"message": "no deployments available", "type": "rate_limit_error"}}')
        return"""


@pytest.mark.parametrize(
    ("how", "cause"),
    [
        ("os._exit(9)", "the gateway ended with exit code 9"),
        (BANS, "the gateway no longer calls its upstream: a plain turn is answered with <answer: error"),
        (
            "self.rfile.read(), self.rfile.read(1)",
            "the gateway serves no longer: a plain turn, which was served before",
        ),
    ],
    ids=["dead", "locked-out", "hanging"],
)
def test_no_check_holds_on_a_gateway_that_serves_no_longer(
    how: str, cause: str, tmp_path: Path, gateproof: Run
) -> None:
    """An error is what these checks want to see, and anybody who answers nothing gives one."""
    (tmp_path / "gateway.py").write_text(
        UNSERVED.replace("{how}", how).replace("{folder!r}", repr(str(Path(__file__).parent))), "utf-8"
    )
    start = json.dumps([sys.executable, "{here}/gateway.py", "{upstream_origin}", "{port}"])
    (tmp_path / "gateway.toml").write_text(f'[gateway]\nmodel = "m"\nstart = {start}\n', "utf-8")

    done = gateproof(
        *("run", "-q", "--gateway=gateway.toml", "--upstream-listen=127.0.0.1:0", "--report-dir=r", "--pair=chat.chat"),
        *("--mode=stream", "--patience=0.05", "--id=mix.cut*", "--id=lifecycle.output-is-never-repeated"),
        *("--id=secret.internals-stay-home", "--id=failure.failed*", "--id=tools.*"),
    )

    assert done.returncode == 1, done.stdout
    checks = _report(tmp_path / "r")["checks"]
    assert len(checks) > 5  # type: ignore[arg-type]
    verdicts = {c["name"]: (c["verdict"], c["message"].partition("\n")[0][:120]) for c in checks}  # type: ignore[attr-defined]
    assert {verdict for verdict, _ in verdicts.values()} == {"blocked"}, verdicts
    assert all(message.startswith(cause) for _, message in verdicts.values()), verdicts


def test_a_report_folder_that_cannot_be_had_is_one_line(tmp_path: Path, gateproof: Run, reference_toml: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    (tmp_path / "odd" / "report.html").mkdir(parents=True)
    (tmp_path / "taken").mkdir()
    words = {"file/below": "Not a directory", "odd": "cannot be written", "taken": "another run is writing into"}
    other = Store(tmp_path / "taken")

    for folder, cause in words.items():
        done = gateproof(
            "run",
            f"--gateway={reference_toml}",
            "--upstream-listen=127.0.0.1:0",
            "--id=text.*",
            f"--report-dir={folder}",
        )
        assert done.returncode == 4, done.stdout
        assert cause in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
    other.close()


TOLD = """
import sys
sys.path.insert(0, {folder!r})
import plain_relay

def do_POST(self, relay=plain_relay.Relay.do_POST):
    self.upstream = self.headers["X-Upstream"].removesuffix("/v1")
    relay(self)

plain_relay.Relay.do_POST = do_POST
plain_relay.main()
"""


def test_a_gateway_is_told_by_a_header_where_its_upstream_is(tmp_path: Path, gateproof: Run) -> None:
    (tmp_path / "gateway.py").write_text(TOLD.format(folder=str(Path(__file__).parent)), "utf-8")
    start = json.dumps([sys.executable, "{here}/gateway.py", "http://127.0.0.1:9", "{port}"])
    (tmp_path / "gateway.toml").write_text(
        f'[gateway]\nmodel = "m"\nstart = {start}\nheaders = {{ X-Upstream = "{{upstream}}" }}\n', "utf-8"
    )

    # Two jobs: a worker of another process fills the headers in no second time, it is handed them.
    done = gateproof(
        *("run", "-q", "-j", "2", "--gateway=gateway.toml", "--upstream-listen=127.0.0.1:0", "--report-dir=r"),
        *("--id=turn.*", "--pair=chat.chat"),
    )

    assert done.returncode == 0, done.stdout
    assert {c["verdict"] for c in _report(tmp_path / "r")["checks"]} == {"pass"}  # type: ignore[attr-defined]
