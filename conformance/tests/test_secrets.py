"""Secrets are planted wherever there is room for one, and then looked for in everything that a run leaves behind."""

from __future__ import annotations

import base64
import html
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]

CLIENT = 'cl1ent/+&<"key-of-the-client'
HEADER = "team-token-0123456789"
UPSTREAM = "sk-upstream/+&<plant>-987654"
SESSION = "c00kie+session/value=13579"
INHERITED = "an-inherited-secret-24680"
SECRETS = {"client": CLIENT, "header": HEADER, "upstream": UPSTREAM, "session": SESSION, "inherited": INHERITED}


def spellings(secret: str) -> Iterator[str]:
    """How a file may write it."""
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret)[1:-1].replace("/", "\\/")
    yield json.dumps(json.dumps(secret)[1:-1])[1:-1]
    yield html.escape(secret)
    yield html.escape(json.dumps(secret)[1:-1])
    yield repr(secret)[1:-1]
    yield quote(secret)
    yield quote(secret, safe="")
    for padding in ("", "a", "ab"):
        # Without the characters at its ends, which depend on what stands beside it.
        yield base64.b64encode((padding + secret).encode()).decode()[4:-4]


def found_in(text: str) -> list[str]:
    return [name for name, secret in SECRETS.items() if any(spelling in text for spelling in spellings(secret))]


@pytest.fixture
def leaky_toml(tmp_path: Path, environment: dict[str, str]) -> Path:
    environment |= {"THE_CLIENT_KEY": CLIENT, "SOMEBODYS_API_KEY": INHERITED}
    script = Path(__file__).with_name("leaky_relay.py")
    file = tmp_path / "gateway.toml"
    file.write_text(
        f"""
[gateway]
name = "leaky"
key = "$THE_CLIENT_KEY"
start = ["{{python}}", {json.dumps(str(script))}, "{{upstream_origin}}", "{{port}}"]
env = {{ UPSTREAM_KEY = {json.dumps(UPSTREAM)}, SESSION_SECRET = {json.dumps(SESSION)} }}
headers = {{ X-Team-Token = "{HEADER}" }}

[claims]
holds_key = true
""",
        "utf-8",
    )
    return file


def test_a_gateway_that_shows_every_secret_brings_none_into_what_is_kept(
    tmp_path: Path, gateproof: Run, leaky_toml: Path
) -> None:
    chosen = [f"--id={area}.*" for area in ("secret", "error", "wire", "failure", "auth")]
    done = gateproof(
        "run", "-v", f"--gateway={leaky_toml}", "--upstream-listen=127.0.0.1:0", "--pair=chat.chat", *chosen
    )

    assert done.returncode == 1, done.stdout + done.stderr
    folder = tmp_path / "gateproof-report"
    checks = json.loads((folder / "report.json").read_text("utf-8"))["checks"]
    red = {check["id"] for check in checks if check["verdict"] == "fail"}
    assert "secret.upstream-key-stays-home" in red
    log = (folder / "gateway.log").read_text("utf-8")
    assert "debug: /v1/chat/completions" in log
    assert "***" in log

    assert not found_in(done.stdout + done.stderr)
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    assert {"checks.jsonl", "gateway.log", "junit.xml", "report.html", "report.json"} <= {file.name for file in files}
    assert {file.name: found_in(file.read_text("utf-8")) for file in files} == {file.name: [] for file in files}

    for command in (["report", "--format=markdown"], ["compare", str(folder)], ["matrix"]):
        made = gateproof(*command, str(folder))
        assert not found_in(made.stdout + made.stderr), command


def test_a_gateway_that_dies_of_shame_shows_its_output_without_them(
    tmp_path: Path, gateproof: Run, leaky_toml: Path
) -> None:
    script = tmp_path / "dies.py"
    script.write_text("import os, sys\nprint(dict(os.environ), sys.argv)\nsys.exit('no config')\n", "utf-8")
    text = leaky_toml.read_text("utf-8")
    start = f'start = ["{{python}}", {json.dumps(str(script))}, "--key", "{{key}}"]'
    leaky_toml.write_text("\n".join(start if line.startswith("start") else line for line in text.splitlines()), "utf-8")

    done = gateproof("run", f"--gateway={leaky_toml}", "--upstream-listen=127.0.0.1:0")

    assert done.returncode == 5
    assert "exit code 1" in done.stdout
    assert "no config" in done.stdout
    assert "'UPSTREAM_KEY': '***'" in done.stdout
    assert not found_in(done.stdout + done.stderr)


def test_a_flood_of_output_is_read_and_not_kept(tmp_path: Path, gateproof: Run, leaky_toml: Path) -> None:
    script = tmp_path / "floods.py"
    script.write_text(
        "import sys\nfor _ in range(300):\n    sys.stdout.write('x' * 100_000)\nsys.exit('full')\n", "utf-8"
    )
    text = leaky_toml.read_text("utf-8")
    start = f'start = ["{{python}}", {json.dumps(str(script))}]'
    leaky_toml.write_text("\n".join(start if line.startswith("start") else line for line in text.splitlines()), "utf-8")

    done = gateproof("run", f"--gateway={leaky_toml}", "--upstream-listen=127.0.0.1:0")

    assert done.returncode == 5
    assert len(done.stdout) < 20_000
    assert (tmp_path / "gateproof-report" / "gateway.log").stat().st_size < 17 * 2**20
