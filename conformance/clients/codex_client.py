"""The Codex binary: one process a job, in a home of its own, with what it says as JSON lines put into a driver's result."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from drivers import HERE, installed, quiet
from told import Json


def binary() -> Path:
    """The native binary, which npm's package has beside a starter in JavaScript. Raises Absent."""
    (found,) = (installed("codex", "node_modules/@openai/codex") / "node_modules" / "@openai").glob(
        "codex-*/vendor/*/bin/codex"
    )
    return found


def ask(codex: Path, job: Json) -> Json:
    """The result of a job, as in node/drive.mjs.

    `calls` are the commands that Codex ran: their `arguments` are {"command", "output", "exit_code"}. `ending` is
    `turn.completed`, `turn.failed`, or "ceiling" when it had to be ended.
    """
    home = Path(tempfile.mkdtemp(prefix="codex-"))
    try:
        (home / "config.toml").write_text(_config(job), "utf-8")
        command = [str(codex), "exec", "--skip-git-repo-check", "--ephemeral", "--json", job["prompt"]]
        environment = quiet(HOME=str(home), CODEX_HOME=str(home), GATEWAY_KEY=job["key"])
        try:
            done = subprocess.run(
                command,
                cwd=home,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=job["ceiling"],
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            return _result(late.stdout or b"") | {"ending": "ceiling"}
        return _result(done.stdout) | {"code": done.returncode, "log": done.stderr.decode("utf-8", "replace")}
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _config(job: Json) -> str:
    request, stream = job["retries"]
    words = {"base": job["base"], "model": job["model"], "request_retries": request, "stream_retries": stream}
    text = (HERE / "codex" / "config.toml").read_text("utf-8")
    for name, value in words.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def _result(output: bytes) -> Json:
    found: Json = {"text": "", "reasoning": "", "calls": [], "usage": None, "ending": "", "status": None, "message": ""}
    for event in _events(output):
        item = event.get("item", {})
        match event["type"], item.get("type"):
            case "item.completed", "agent_message":
                found["text"] += item["text"]
            case "item.completed", "reasoning":
                found["reasoning"] += item["text"]
            case "item.completed", "command_execution":
                said = {"command": item["command"], "output": item["aggregated_output"], "exit_code": item["exit_code"]}
                found["calls"].append({"id": item["id"], "name": item["type"], "arguments": json.dumps(said)})
            case "turn.completed", _:
                found["ending"] = event["type"]
                usage = event["usage"]
                found["usage"] = {
                    "input": usage["input_tokens"],
                    "output": usage["output_tokens"],
                    "cached": usage["cached_input_tokens"],
                    "reasoning": usage.get("reasoning_output_tokens"),
                }
            case "turn.failed", _:
                found["ending"] = event["type"]
                found["message"] = event["error"]["message"]
    return found


def _events(output: bytes) -> Iterator[Json]:
    """The JSON lines. Not str.splitlines: U+2028 and U+0085 stand as they are inside of one."""
    for line in output.split(b"\n"):
        if line.startswith(b"{"):
            yield json.loads(line)
