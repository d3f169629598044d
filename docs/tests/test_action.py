"""The GitHub Action: its own script is run here, with files in the place of GitHub's, on the reference gateway."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateproof.verdicts import (
    EXIT_FAILED,
    EXIT_INTERRUPTED,
    EXIT_NOTHING,
    EXIT_OK,
    EXIT_SUITE_ERROR,
    EXIT_USAGE,
)
from gateproof_docs.action import action
from gateproof_docs.fences import fences
from gateproof_docs.readmes import ROOT

CEILING = 120.0
_INPUT = re.compile(r"\$\{\{ inputs\.([\w-]+) \}\}")
STEPS = action()["runs"]["steps"]
SCRIPTS = {step.get("name", ""): step["run"] for step in STEPS if "run" in step}
(SUITE,) = (step for step in STEPS if step.get("id") == "suite")

REFERENCE = "gateproof reference --upstream {upstream} --listen 127.0.0.1:{port}"


@pytest.fixture
def runner(tmp_path: Path) -> "Runner":
    return Runner(tmp_path)


class Runner:
    """A folder with what a step finds on a runner, and the suite installed as the step before it does."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.temp = folder / "temp"
        self.output = folder / "output"
        self.summary = folder / "summary"
        self.workspace.mkdir()
        bin = self.temp / "gateproof" / "bin"
        bin.mkdir(parents=True)
        for name in ("python", "gateproof"):
            word = sys.executable if name == "python" else f"{Path(sys.executable).parent / name}"
            (bin / name).write_text(f'#!/bin/sh\nexec "{word}" "$@"\n', "utf-8")
            (bin / name).chmod(0o755)

    def suite(self, **inputs: str) -> dict[str, str]:
        """Run the main step with these inputs (`_` for `-`); its outputs. Whatever comes of the suite, the step succeeds."""
        ran = self.step(SUITE, **inputs)
        assert ran.returncode == 0, ran.stdout
        return dict(line.split("=", 1) for line in self.output.read_text("utf-8").splitlines())

    def step(self, step: dict[str, Any], **inputs: str) -> subprocess.CompletedProcess[str]:
        given = {name: one["default"] for name, one in action()["inputs"].items()}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        own = {name: _INPUT.sub(lambda found: given[found[1]], value) for name, value in step["env"].items()}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", "-c", step["run"]],
            cwd=self.workspace,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                "GITHUB_OUTPUT": str(self.output),
                "GITHUB_STEP_SUMMARY": str(self.summary),
                "GITHUB_WORKSPACE": str(self.workspace),
                "RUNNER_TEMP": str(self.temp),
                "GATEPROOF_UPSTREAM_LISTEN": "127.0.0.1:0",
                **own,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=CEILING,
            check=False,
        )


# --- the file ----------------------------------------------------------------------------------------


def test_every_input_is_used_and_every_used_one_is_declared() -> None:
    used = set(re.findall(r"inputs\.([\w-]+)", (ROOT / "action.yml").read_text("utf-8")))
    assert used == set(action()["inputs"])


def test_every_input_and_output_says_what_it_is() -> None:
    assert all(one["description"] for part in ("inputs", "outputs") for one in action()[part].values())


def test_every_output_is_written_by_the_step() -> None:
    told = set(re.findall(r'echo "([\w-]+)=', SUITE["run"]))
    assert {one["value"] for one in action()["outputs"].values()} == {
        f"${{{{ steps.suite.outputs.{n} }}}}" for n in told
    }


@pytest.mark.parametrize("name", SCRIPTS)
def test_nothing_is_put_into_a_script(name: str) -> None:
    """What is filled into the text of a script is run as a part of it."""
    assert "${{" not in SCRIPTS[name]


@pytest.mark.parametrize("name", SCRIPTS)
def test_its_scripts_are_bash(name: str) -> None:
    checked = subprocess.run(
        ["bash", "-n"], input=SCRIPTS[name], capture_output=True, text=True, timeout=30, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_page_uses_inputs_that_there_are() -> None:
    used = 0
    for fence in fences((ROOT / "docs/ci/github.md").read_text("utf-8")):
        document = yaml.safe_load(fence.text)
        steps = document["jobs"]["conformance"]["steps"] if isinstance(document, dict) else document
        for step in steps:
            if "gateproof@" in step.get("uses", ""):
                used += 1
                assert set(step["with"]) <= set(action()["inputs"])
    assert used


# --- what it does ------------------------------------------------------------------------------------


def test_a_gateway_file_that_passes(runner: Runner) -> None:
    start = [*REFERENCE.split()]
    (runner.workspace / "gateway.toml").write_text(f"[gateway]\nstart = {start}\nready = '/health'\n", "utf-8")

    outputs = runner.suite(
        gateway_file="gateway.toml", report_dir="a report", extra_args="--id 'turn.*' --pair chat.responses"
    )

    assert outputs == {"verdict": "pass", "exit-code": str(EXIT_OK), "report": "a report"}
    assert (runner.workspace / "a report" / "report.html").exists()
    assert "2 checks = 2 pass" in runner.summary.read_text("utf-8")


def test_a_command_whose_gateway_fails(runner: Runner) -> None:
    outputs = runner.suite(
        command=f"echo here > started && exec {REFERENCE} --mutant calls-end-with-stop",
        extra_args="--id tools.only-calls-end-with-tool-calls --pair chat.responses --mode stream",
    )

    assert (outputs["verdict"], outputs["exit-code"]) == ("fail", str(EXIT_FAILED))
    assert "tools.only-calls-end-with-tool-calls" in runner.summary.read_text("utf-8")
    assert (runner.workspace / "started").exists()


def test_a_gateway_that_does_not_start(runner: Runner) -> None:
    """What an earlier run left is not taken for a summary of this one."""
    (runner.workspace / "gateproof-report").mkdir()
    (runner.workspace / "gateproof-report" / "summary.md").write_text("All is well.", "utf-8")

    outputs = runner.suite(command="exit 7")

    assert (outputs["verdict"], outputs["exit-code"]) == ("not-begun", str(EXIT_NOTHING))
    assert "left no report" in runner.summary.read_text("utf-8")
    assert "All is well" not in runner.summary.read_text("utf-8")


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, "Give a gateway-file, a url or a command."),
        ({"command": "true", "url": "http://127.0.0.1:1"}, "not both"),
        ({"url": "http://127.0.0.1:1", "extra_args": "--id 'turn.*"}, "a quote is open"),
    ],
)
def test_inputs_that_cannot_be_used(runner: Runner, inputs: dict[str, str], words: str) -> None:
    outputs = runner.suite(**inputs)
    assert (outputs["verdict"], outputs["exit-code"]) == ("unusable", str(EXIT_USAGE))
    assert words in runner.summary.read_text("utf-8")


@pytest.mark.parametrize("name", ["edition", "baseline", "url", "gateway_file", "extra_args"])
def test_an_input_is_never_a_command(runner: Runner, name: str) -> None:
    inputs = {"url": "http://127.0.0.1:1", name: '"; touch pwned; $(touch pwned) `touch pwned` #"'}
    outputs = runner.suite(**inputs)
    assert outputs["verdict"] in ("unusable", "not-begun")
    assert not (runner.workspace / "pwned").exists()


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (EXIT_OK, "pass"),
        (EXIT_FAILED, "fail"),
        (EXIT_INTERRUPTED, "interrupted"),
        (EXIT_SUITE_ERROR, "suite-error"),
        (EXIT_USAGE, "unusable"),
        (EXIT_NOTHING, "not-begun"),
        (139, "suite-error"),
    ],
)
def test_each_exit_code_has_its_verdict(runner: Runner, code: int, verdict: str) -> None:
    (runner.temp / "gateproof" / "bin" / "gateproof").write_text(f"#!/bin/sh\nexit {code}\n", "utf-8")
    outputs = runner.suite(url="http://127.0.0.1:1")
    assert (outputs["verdict"], outputs["exit-code"]) == (verdict, str(code))
    assert runner.step({**STEPS[-1], "env": {"CODE": str(code)}}).returncode == code


def test_strict_and_the_rest_reach_the_suite(runner: Runner) -> None:
    (runner.temp / "gateproof" / "bin" / "gateproof").write_text('#!/bin/sh\nprintf "%s\\n" "$@" > given\n', "utf-8")
    runner.suite(
        gateway_file="my gateway.toml",
        edition="2026.1",
        baseline="b c.toml",
        strict="true",
        extra_args="-j 2 --id 'a b'",
    )
    assert (runner.workspace / "given").read_text("utf-8").splitlines() == [
        "run",
        "--report-dir=gateproof-report",
        "--gateway=my gateway.toml",
        "--edition=2026.1",
        "--baseline=b c.toml",
        "--strict",
        "-j",
        "2",
        "--id",
        "a b",
    ]
