"""`gateproof init`: what it finds of a running gateway, and the gateway.toml that it writes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateproof.catalogue import catalogue
from gateproof.cli import main
from gateproof.files import Gateway, load_gateway
from gateproof.files.claims import claims_of
from gateproof.files.first_gateway import first_gateway, variable_of
from gateproof.gateway_process import GatewayProcess, free_port
from gateproof.pairs import Pair
from gateproof_schemas import validate

Run = Callable[..., subprocess.CompletedProcess[str]]
TENANT = "tenant-of-the-header"


@dataclass(frozen=True, slots=True)
class Running:
    """A gateway that runs, its client's key, and where it looks for its upstream."""

    url: str
    key: str
    listen: str

    def init(self, *more: str) -> list[str]:
        return ["init", self.url, f"--gateway-key={self.key}", f"--upstream-listen={self.listen}", *more]


@pytest.fixture(scope="module")
def running(reference_toml: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The reference. Its upstream comes with each test."""
    gateway = load_gateway(reference_toml)
    listen = f"127.0.0.1:{free_port()}"
    with GatewayProcess(gateway, f"http://{listen}/v1", tmp_path_factory.mktemp("gateway") / "gateway.log") as process:
        yield Running(process.url, gateway.key, listen)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, and no option of ours in the environment."""
    for name in os.environ:
        if name.startswith("GATEPROOF"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def uncommented(text: str) -> str:
    """The file with each line that is a claim's made one."""
    names = "|".join(claim.name for claim in claims_of(catalogue().values()))
    return re.sub(rf"(?m)^# (?=(?:{names}) = )", "", text.partition("# [configurations.")[0])


def test_what_is_found_is_written_and_a_run_takes_it(
    running: Running, folder: Path, gateproof: Run, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done = gateproof(
        *running.init(
            "--gateway-model=m", "--gateway-model=chat.chat=over-chat", f"--gateway-header=X-Tenant: {TENANT}"
        )
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        "found: chat<responses (stream, json), chat<chat (stream, json), responses<responses (stream, json)"
        in done.stdout
    )
    assert "gateway.toml is written" in done.stdout
    assert done.stdout.splitlines()[-3:] == [
        "  export GATEPROOF_GATEWAY_KEY=...",
        "  export GATEPROOF_HEADER_X_TENANT=...",
        f"  gateproof run --gateway gateway.toml --upstream-listen {running.listen}",
    ]
    text = (folder / "gateway.toml").read_text("utf-8")
    for secret in (running.key, TENANT):
        assert secret not in text + done.stdout + done.stderr
    monkeypatch.setenv("GATEPROOF_GATEWAY_KEY", running.key)
    monkeypatch.setenv("GATEPROOF_HEADER_X_TENANT", TENANT)
    gateway = load_gateway(folder / "gateway.toml")
    assert gateway.claims == {"surfaces": ["chat", "responses", "messages"]}
    assert (gateway.url, gateway.key, gateway.headers) == (running.url, running.key, (("X-Tenant", TENANT),))
    assert (gateway.model, gateway.models) == ("m", {"chat.chat": "over-chat"})

    environment |= {"GATEPROOF_GATEWAY_KEY": running.key, "GATEPROOF_HEADER_X_TENANT": TENANT}
    (folder / "gateway.toml").write_text(f'{text}\n[configurations.other]\nmodel = "over-chat"\n', "utf-8")
    ran = gateproof(
        *("run", "--gateway=gateway.toml", f"--upstream-listen={running.listen}", "--id=turn.*", "--pair=chat.*"),
        *("--gateway-configuration=other", "--report-dir=r"),
    )
    assert ran.returncode == 0, ran.stdout
    assert "2 checks = 2 pass" in ran.stdout
    report = json.loads((folder / "r" / "report.json").read_text("utf-8"))
    assert validate(report, "own/report") == []
    assert report["gateway"]["configuration"] == "other"
    assert "chat.chat.json" in report["served"]


def test_a_file_that_is_there_is_kept_unless_told_otherwise(
    running: Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mine.toml").write_text("precious", "utf-8")

    assert main(running.init("-o", "mine.toml")) == 4
    assert "mine.toml is there already; --force replaces it" in capsys.readouterr().out
    assert (folder / "mine.toml").read_text("utf-8") == "precious"

    assert main(running.init("-o", "mine.toml", "--force")) == 0
    text = (folder / "mine.toml").read_text("utf-8")
    # No model was named, and the reference lists none.
    assert 'model = "gateproof" # none was named' in text


def test_a_gateway_that_does_not_reach_the_mock_is_told_what_to_do(
    running: Running, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = replace(running, listen=f"127.0.0.1:{free_port()}")

    assert main(elsewhere.init("--gateway-model=m")) == 5
    told = capsys.readouterr().out
    assert f"Set its OpenAI base URL to http://{elsewhere.listen}/v1" in told
    assert told.endswith("Nothing was written.\n")

    assert main(replace(elsewhere, url="http://127.0.0.1:1").init()) == 5
    assert "Nothing listens at http://127.0.0.1:1" in capsys.readouterr().out

    assert main(replace(elsewhere, key="sk-a-wrong-one").init()) == 5
    told = capsys.readouterr().out
    assert "The gateway refuses the key" in told
    assert "sk-a-wrong-one" not in told
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "--gateway-url: 'nonsense' is not a URL"),
        (["http://h", "--upstream-listen=8089"], "--upstream-listen: '8089' is not HOST:PORT"),
        (["http://h", "--gateway-header=X-A"], "--gateway-header: expected NAME:VALUE"),
        (
            ["http://h", "--gateway-path=chat=v1"],
            "--gateway-path: expected SURFACE=/PATH, with a surface of chat, responses",
        ),
        (["http://h", "--gateway-path=gemini=/v1"], "--gateway-path: expected SURFACE=/PATH"),
        (["http://h", "-o", "."], ". is a folder"),
        (["http://h", "-o", "no/where.toml"], "no/where.toml: there is no such folder"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", *arguments]) == 4
    assert f"gateproof init: {words}" in capsys.readouterr().out


# --- the text -------------------------------------------------------------------------------------------

PAIRS = {Pair("chat", "responses"), Pair("messages", "responses")}


def test_every_claim_is_there_to_be_uncommented(folder: Path) -> None:
    text = first_gateway(Gateway(url="http://h:1", model="m"), PAIRS, model_named=True)
    (folder / "plain.toml").write_text(text, "utf-8")
    (folder / "claimed.toml").write_text(uncommented(text), "utf-8")

    claims = claims_of(catalogue().values())
    assert load_gateway(folder / "plain.toml").claims == {"surfaces": ["chat", "messages"]}
    assert load_gateway(folder / "claimed.toml").claims == {
        **{claim.name: claim.example for claim in claims},
        "surfaces": ["chat", "messages"],
    }
    for claim in claims:
        assert all(id in text for id in (*claim.needed_by, *claim.read_by))
        assert claim.text.split(". ")[0][:60] in text


def test_whatever_a_gateway_is_called_the_file_can_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = Gateway(
        url="http://[::1]:4000/team/v1",
        key="sk-not-to-be-seen",
        model='a "model"\nkey = "x" \\ \x7f \u2028',
        headers=(("X-A.b", "value-not-to-be-seen"),),
        paths={"chat": '/"'},
        models={"chat.responses": "'''"},
    )
    text = first_gateway(gateway, PAIRS, model_named=False)
    (folder / "gateway.toml").write_text(text, "utf-8")
    monkeypatch.setenv("GATEPROOF_GATEWAY_KEY", gateway.key)
    monkeypatch.setenv(variable_of("X-A.b"), "value-not-to-be-seen")

    found = load_gateway(folder / "gateway.toml")

    assert "not-to-be-seen" not in text
    assert found == replace(gateway, name="[::1]:4000/team", claims={"surfaces": ["chat", "messages"]})


def test_a_gateway_with_its_own_paths_is_asked_there(running: Running, folder: Path) -> None:
    code = main(
        running.init("--gateway-path=responses=/responses", "--gateway-path=chat=/nowhere", "--gateway-model=m")
    )

    assert code == 0
    text = (folder / "gateway.toml").read_text("utf-8")
    assert '[paths]\nresponses = "/responses"\nchat = "/nowhere"\n' in text
    assert 'surfaces = ["responses", "messages"] # found' in text
