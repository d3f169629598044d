"""Options and files that cannot be used: one clear message, and the exit code for it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gateproof.cli import main
from gateproof.options import from_environment

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--gateway-url=nonsense",), "--gateway-url: 'nonsense' is not a URL"),
        (("--gateway-url=http://127.0.0.1:1", "--pair=chat.nonsense"), "names no pair"),
        (("--gateway-url=http://127.0.0.1:1", "--mode=slow"), "'slow' is not a mode"),
        (("--gateway-url=http://127.0.0.1:1", "--patience=-1"), "--patience"),
        (("--gateway-url=http://127.0.0.1:1", "--gateway-header=nonsense"), "NAME:VALUE"),
        (("--gateway-url=http://127.0.0.1:1", "--upstream-listen=8089"), "HOST:PORT"),
        (("--gateway-url=http://127.0.0.1:1", "--edition=1999.1"), "no edition '1999.1'"),
        (("--gateway-url=http://127.0.0.1:1", "--gateway-model=chat.x=m"), "not a pair"),
        (("--gateway-url=http://127.0.0.1:1", "--baseline=absent.toml"), "absent.toml"),
        (("--gateway=absent.toml",), "absent.toml"),
        (
            ("--gateway-url=http://127.0.0.1:1", "--id=text.arrive-exactly-once"),
            "did you mean 'text.arrives-exactly-once'",
        ),
        (("--gateway-url=http://127.0.0.1:1", "--upstream-listen=[::1]:8089"), "IPv6"),
        (("--nonsense",), "unrecognized arguments"),
        ((), "--gateway-url"),
    ],
)
def test_a_wrong_option_is_named_and_exits_with_4(arguments: tuple[str, ...], words: str, gateproof: Run) -> None:
    done = gateproof("run", *arguments)

    assert done.returncode == 4, done.stdout + done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_key_in_gateway_toml_is_named(tmp_path: Path, gateproof: Run) -> None:
    (tmp_path / "gateway.toml").write_text('[gateway]\nurl = "http://127.0.0.1:1"\n[claims]\ncompakt = true\n', "utf-8")

    done = gateproof("run", "--gateway=gateway.toml")

    assert done.returncode == 4
    assert "gateway.toml, line 4: claims.compakt is not known; did you mean compact?" in done.stderr


def test_an_unknown_id_in_a_baseline_is_an_error(tmp_path: Path, gateproof: Run) -> None:
    (tmp_path / "known.toml").write_text('[[known]]\nid = "text.nonsense"\nreason = "x"\n', "utf-8")

    done = gateproof("run", "--gateway-url=http://127.0.0.1:1", "--baseline=known.toml")

    assert done.returncode == 4
    assert "text.nonsense" in done.stdout + done.stderr


def test_a_port_in_use_is_one_message(gateproof: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for command in (
            ("run", "--gateway-url=http://127.0.0.1:1", f"--upstream-listen=127.0.0.1:{port}"),
            ("mock", f"--listen=127.0.0.1:{port}"),
            ("reference", "--upstream=http://127.0.0.1:1/v1", f"--listen=127.0.0.1:{port}"),
        ):
            done = gateproof(*command)

            assert done.returncode in (4, 5), (command, done.stdout + done.stderr)
            assert str(port) in done.stdout + done.stderr
            assert "Traceback" not in done.stdout + done.stderr


def test_nothing_listens_and_nothing_selected_exit_with_5(gateproof: Run, reference_toml: Path) -> None:
    nobody = gateproof("run", "--gateway-url=http://127.0.0.1:1", "--upstream-listen=127.0.0.1:0")
    nothing = gateproof(
        "run",
        f"--gateway={reference_toml}",
        "--upstream-listen=127.0.0.1:0",
        "--id=text.several-messages-are-joined",
        "--pair=chat.chat",
        "--report-dir=r",
    )

    assert nobody.returncode == 5
    assert "Nothing listens at http://127.0.0.1:1" in nobody.stdout
    assert nothing.returncode == 5, nothing.stdout


@pytest.mark.parametrize("slip", ["failure.failed-is-never-succes", "failed-is-never-success", "failed-is-never"])
def test_explain_names_the_nearest_requirement(slip: str, gateproof: Run) -> None:
    done = gateproof("explain", slip)

    assert done.returncode == 4
    assert "did you mean failure.failed-is-never-success" in done.stdout


def test_translate_is_the_references_command(tmp_path: Path, gateproof: Run) -> None:
    (tmp_path / "asked.json").write_text('{"model": "m", "input": "hi"}', "utf-8")
    pair = ("--from=responses", "--to=chat")

    done = gateproof("translate", *pair, "--question", "asked.json")
    absent = gateproof("translate", *pair, "absent.sse")

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["messages"] == [{"role": "user", "content": "hi"}]
    assert absent.returncode == 4
    assert "absent.sse" in absent.stderr
    assert "Traceback" not in absent.stderr


FOR_PUBLICATION = (
    ("the option", ("--for-publication",), {}, ""),
    ("the environment", (), {"GATEPROOF_FOR_PUBLICATION": "1"}, ""),
    ("the ini file", (), {}, "gateproof_for_publication = true\n"),
)


@pytest.mark.parametrize(
    ("arguments", "variables", "ini"), [f[1:] for f in FOR_PUBLICATION], ids=[f[0] for f in FOR_PUBLICATION]
)
def test_for_publication_an_unstated_claim_is_named_wherever_it_is_asked_for(
    arguments: tuple[str, ...], variables: dict[str, str], ini: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "gateway.toml").write_text(
        '[gateway]\nurl = "http://127.0.0.1:1"\n[claims]\ncompact = false\n', "utf-8"
    )
    (tmp_path / "pytest.ini").write_text(f"[pytest]\ngateway = gateway.toml\n{ini}", "utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=tmp_path,
        env=environment | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 4, done.stdout + done.stderr
    assert "these are not: surfaces, routes, trailing_slash, concurrency_limit" in done.stderr


@pytest.mark.parametrize("variables", [{"GATEPROOF_FOR_PUBLICATION": "0"}, {}])
def test_a_flag_that_says_no_is_none(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEPROOF_FOR_PUBLICATION", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert not from_environment("for_publication")


def test_a_configuration_that_is_not_there_exits_with_4(tmp_path: Path, gateproof: Run) -> None:
    (tmp_path / "gateway.toml").write_text(
        '[gateway]\nurl = "http://127.0.0.1:1"\n[configurations.streaming]\nmodel = "m"\n', "utf-8"
    )

    done = gateproof("run", "--gateway=gateway.toml", "--gateway-configuration=streeming")

    assert done.returncode == 4
    assert "gateway.toml, line 3: there is no configuration 'streeming'; did you mean 'streaming'?" in done.stderr


def test_the_claims_are_listed_with_what_they_switch_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--claims"]) == 0
    told = capsys.readouterr().out
    assert "\nholds_key\n  The gateway has its own upstream key" in told
    assert "\n  Switches on: auth.client-key-stays-home, secret.upstream-key-stays-home.\n" in told
    assert main(["list", "--claims", "idle_*"]) == 0
    assert [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")] == [
        "idle_timeout",
        "idle_model",
    ]
    assert main(["list", "--claims", "nonsense"]) == 5
