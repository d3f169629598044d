"""What the upstream says in each case, recorded from a run of the suite on the reference gateway.

A case's script is made while it runs, so it cannot be read from the source. `docs/scripts.json` holds it, committed; the
pages draw their diagrams from it. `python -m gateproof_docs.recording` (with `docs` on PYTHONPATH) writes it again, in about
half a minute; a test compares its ids with the catalogue, and records some of the cases anew.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gateproof.catalogue import Requirement, catalogue
from gateproof.checks import Check
from gateproof.cli.demo import PLAIN, STREAMING, reference_folder
from gateproof.pairs import MODES

FILE = Path(__file__).parent.parent / "scripts.json"
CEILING = 600.0
MOST_SCRIPTS = 6
"""Of one case: tables of examples ask dozens of times, and after a few nobody reads on."""
MOST_STEPS = 12
MOST_CHARACTERS = 160
MOST_ITEMS = 12

Recorded = dict[str, Any]
"""`{"check": name, "scripts": [...], "more": N}`; each script is `{"asks": "POST /path", "calls": [script, ...]}`."""


def chosen() -> dict[str, Check]:
    """The check of each case that is recorded, by requirement: on a pair that translates, and streamed, where it has one."""
    return {id: _chosen(r) for id, r in catalogue().items() if not r.untestable and not r.invariant}


def _chosen(requirement: Requirement) -> Check:
    pair = min(requirement.pairs, key=lambda p: not p.translated)
    mode = next(m for m in MODES if m in requirement.modes)
    return Check(requirement, pair, mode)


def record(checks: Iterable[Check]) -> dict[str, Recorded]:
    """Run these checks on the reference. Raises RuntimeError when one of them does not pass."""
    plain: list[str] = []
    streaming: list[str] = []
    for check in checks:
        (streaming if check.requirement.when else plain).append(check.name)
    recorded = _record(PLAIN, plain) | _record(STREAMING, streaming)
    return dict(sorted(recorded.items()))


def _record(gateway: str, names: list[str]) -> dict[str, Recorded]:
    if not names:
        return {}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())"]
        command += ["run", "-q", "--edition=draft", "--upstream-listen=127.0.0.1:0"]
        command += [f"--gateway={reference_folder() / gateway}", f"--report-dir={folder}"]
        command += [f"--id={name}" for name in names]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=CEILING, check=False)
        if ran.returncode != 0:
            raise RuntimeError(f"the reference does not pass (exit code {ran.returncode}):\n{ran.stdout}{ran.stderr}")
        report = json.loads((Path(folder) / "report.json").read_text("utf-8"))
    return {check["id"]: _kept(check) for check in report["checks"]}


def _kept(check: dict[str, Any]) -> Recorded:
    scripts: list[dict[str, Any]] = []
    for script in check["scripts"]:
        request = script["request"]
        calls = json.loads(_without_accidents(json.dumps(script["calls"]).replace(script["marker"], "{marker}")))
        kept = {"asks": f"{request['method']} {request['path']}", "calls": [_shortened_call(call) for call in calls]}
        if kept not in scripts:
            scripts.append(kept)
    return {"check": check["name"], "scripts": scripts[:MOST_SCRIPTS], "more": len(scripts[MOST_SCRIPTS:])}


def _without_accidents(text: str) -> str:
    """Without the ids and times that the mock made up for one run, in scripts that hold an answer given whole."""
    return re.sub(r"\b1[7-9][0-9]{8}\b", "0", re.sub(r"_[0-9a-f]{24}\b", "_1", text))


def _shortened_call(call: dict[str, Any]) -> dict[str, Any]:
    said = [_shortened(element) for element in call["say"]]
    if len(said) > MOST_STEPS:
        said = [*said[: MOST_STEPS - 2], {"...": f"{len(said) - MOST_STEPS + 1} more"}, said[-1]]
    return {**call, "say": said}


def _shortened(value: Any) -> Any:
    """The value with what is long in it cut: megabytes of text are said by their length."""
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return f"{value[: MOST_CHARACTERS // 2]}... ({len(value):,} characters)"
    if isinstance(value, list):
        kept = [_shortened(one) for one in value[:MOST_ITEMS]]
        return kept if len(value) <= MOST_ITEMS else [*kept, f"... ({len(value) - MOST_ITEMS:,} more)"]
    if isinstance(value, dict):
        return {key: _shortened(one) for key, one in value.items()}
    return value


def load() -> dict[str, Recorded]:
    """The committed recording."""
    recorded: dict[str, Recorded] = json.loads(FILE.read_text("utf-8"))
    return recorded


def write(recorded: dict[str, Recorded]) -> None:
    """One line a requirement, so that a change reads as one in a diff."""
    lines = ",\n".join(f"{json.dumps(id)}: {json.dumps(one, ensure_ascii=False)}" for id, one in recorded.items())
    FILE.write_text(f"{{\n{lines}\n}}\n", "utf-8")


def main() -> None:
    recorded = record(chosen().values())
    write(recorded)
    print(f"{len(recorded)} cases; {FILE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
