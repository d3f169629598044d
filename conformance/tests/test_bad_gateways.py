"""A gateway that hangs, floods or lies: one clear message or failed checks, in bounded time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

CEILING = 120
BAD = Path(__file__).with_name("bad_gateways.py")
Run = Callable[..., subprocess.CompletedProcess[str]]


def _file(folder: Path, how: str) -> Path:
    file = folder / "gateway.toml"
    command = json.dumps([sys.executable, str(BAD), how, "{port}"])
    file.write_text(f'[gateway]\nname = "bad"\nkey = "sk-secret-of-the-client"\nstart = {command}\n', "utf-8")
    return file


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("hang", "no answer, or no end of it, within"),
        ("html", "without calling the mock upstream"),
        ("wrong_key", "give its client key with --gateway-key"),
        ("unknown_model", "Choose one with --gateway-model"),
        ("never_calls", "Set its OpenAI base URL to http://127.0.0.1:"),
        ("garbage", "no HTTP answer the suite can read"),
        ("endless", "without calling the mock upstream"),
        ("long_line", "without calling the mock upstream"),
        ("drip", "without calling the mock upstream"),
    ],
)
def test_the_preflight_says_what_to_do(how: str, words: str, tmp_path: Path, gateproof: Run) -> None:
    done = gateproof(
        "run", f"--gateway={_file(tmp_path, how)}", "--upstream-listen=127.0.0.1:0", "--patience=0.05", "--report-dir=r"
    )

    assert done.returncode == 5, done.stdout
    assert words in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "sk-secret-of-the-client" not in done.stdout + done.stderr


# The process's own peak: what the kernel tells of a child counts what it was forked from.
MEASURED = """
import re, sys
from gateproof.cli import main
code = main()
with open("/proc/self/status") as status, open("peak", "w") as peak:
    peak.write(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1])
sys.exit(code)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", ["endless", "long_line", "drip", "hang", "garbage"])
def test_a_flood_or_a_silence_is_a_failed_check_in_bounded_memory(
    how: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    arguments = [
        "run",
        "-q",
        f"--gateway={_file(tmp_path, how)}",
        "--upstream-listen=127.0.0.1:0",
        "--patience=0.05",
        "--assume=chat.responses",
        "--id=turn.*",
        "--id=text.*",
        "--report-dir=r",
    ]
    command = [sys.executable, "-c", MEASURED, *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=CEILING, check=False
    )

    assert done.returncode == 1, done.stdout
    report = json.loads((tmp_path / "r" / "report.json").read_text("utf-8"))
    assert {c["verdict"] for c in report["checks"]} == {"fail", "blocked"}
    # In KiB; an answer is read to 8 MiB.
    assert int((tmp_path / "peak").read_text()) < 400 * 1024


def test_a_gateway_that_does_not_start_shows_its_last_output(tmp_path: Path, gateproof: Run) -> None:
    file = tmp_path / "gateway.toml"
    command = json.dumps([sys.executable, "-c", "print('no licence found'); raise SystemExit(3)"])
    file.write_text(f"[gateway]\nstart = {command}\n", "utf-8")

    done = gateproof("run", f"--gateway={file}", "--upstream-listen=127.0.0.1:0", "--report-dir=r")

    assert done.returncode == 5
    assert "ended with exit code 3" in done.stdout
    assert "no licence found" in done.stdout


SHOUTS = """
import os, sys, time
print("starting with", os.environ["MY_API_KEY"], os.environ["MY_PORT"], sys.argv[1:], flush=True)
print("no licence found", flush=True)
time.sleep(60)
"""


def test_a_gateway_that_does_not_get_ready_shows_its_last_output_without_what_it_was_given(
    tmp_path: Path, gateproof: Run
) -> None:
    command = [sys.executable, "-c", SHOUTS, "{key}", "--master-key", "mk-of-the-command", "--token=tk-of-the-command"]
    (tmp_path / "gateway.toml").write_text(
        f'[gateway]\nkey = "sk-of-the-client"\nready_within = 2\nstart = {json.dumps(command)}\n'
        '[gateway.env]\nMY_API_KEY = "ak-of-the-environment"\nMY_PORT = "{port}"\n'
        '[gateway.headers]\nX-Auth-Token = "th-of-the-header"\n',
        "utf-8",
    )

    done = gateproof("run", "--gateway=gateway.toml", "--upstream-listen=127.0.0.1:0", "--report-dir=r")

    assert done.returncode == 5
    assert "the gateway was not ready within 2 s" in done.stdout
    assert "Its last output (" in done.stdout
    assert "starting with ***" in done.stdout
    assert "no licence found" in done.stdout
    everything = done.stdout + done.stderr + (tmp_path / "r" / "gateway.log").read_text("utf-8")
    for secret in (
        "sk-of-the-client",
        "mk-of-the-command",
        "tk-of-the-command",
        "ak-of-the-environment",
        "th-of-the-header",
    ):
        assert secret not in everything
