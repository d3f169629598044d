"""A second opinion, which is not the reference's: a relay that knows nothing of any API (`tests/plain_relay.py`) stands before
the mock on a pair of one dialect, and fails nothing but what is listed here. Whatever else it fails is a demand that a
transparent gateway before a right provider does not meet, and so a wrong red of ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from whole_runs import Run, command

RELAY = Path(__file__).parents[1] / "tests" / "plain_relay.py"

WRONG_UPSTREAM = "the upstream breaks its own documents, and a relay passes that on"
TRANSPARENT = "it passes the upstream's headers and bodies on as they are"
ONE_SIDED = "it looks at its client only when it writes, and reads on to the end of its upstream"
CANNOT = {
    "ending.calls-then-done-is-tool-calls": WRONG_UPSTREAM,
    "ending.done-without-finish-reason-ends": WRONG_UPSTREAM,
    "ending.truncated-upstream-is-an-error": WRONG_UPSTREAM,
    "error.foreign-envelope-is-read": WRONG_UPSTREAM,
    "error.no-turn-is-no-success": WRONG_UPSTREAM,
    "error.unreadable-refusal-is-told": WRONG_UPSTREAM,
    "failure.responses-stream-ends-with-failed": WRONG_UPSTREAM,
    "wire.streams-forbid-caching": TRANSPARENT,
    "wire.upstream-cookies-stay-home": TRANSPARENT,
    "lifecycle.disconnect-closes-the-upstream": ONE_SIDED,
    "lifecycle.early-disconnect-closes-the-upstream": ONE_SIDED,
    "stream.body-ends-with-the-turn": ONE_SIDED,
}
"""What a plain relay cannot, all of it SHOULD, and why."""

OPINION = {"request.compressed-bodies-do-no-harm": "it passes a coding on, which its own surface might have undone"}
"""A MUST that it fails."""


@pytest.fixture
def relayed(tmp_path: Path) -> Callable[[str], Run]:
    """Run everything on the relay, with one API on both sides."""

    def run(api: str) -> Run:
        gateway, folder = tmp_path / "gateway.toml", tmp_path / "report"
        start = ", ".join(json.dumps(word) for word in ("{python}", str(RELAY), "{upstream_origin}", "{port}"))
        table = (
            f'[gateway]\nkey = "sk-of-the-client"\nmodel = "any"\nstart = [{start}]\n[claims]\nsurfaces = ["{api}"]\n'
        )
        gateway.write_text(table, "utf-8")
        options = (f"--gateway={gateway}", "--upstream-listen=127.0.0.1:0", f"--report-dir={folder}", "--patience=0.25")
        done = command("run", "-q", "--edition=draft", *options)
        return Run(done.returncode, done.stdout + done.stderr, json.loads((folder / "report.json").read_text("utf-8")))

    return run


@pytest.mark.parametrize("api", ["chat", "responses", "messages"])
def test_a_plain_relay_fails_only_what_a_relay_cannot(api: str, relayed: Callable[[str], Run]) -> None:
    run = relayed(api)

    assert run.ids("fail", "not testable", "blocked", "suite error", "stale") <= set(OPINION), run.output[-6000:]
    assert run.ids("should") <= set(CANNOT), run.output[-6000:]
    assert len(run.ids("pass")) > 100
