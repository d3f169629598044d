"""Run the suite on a gateway of this folder, in the environment that has it, and keep or compare the result.

python conformance/gateways/measure.py NAME            write conformance/results/NAME/report.json
python conformance/gateways/measure.py NAME --compare  exit 1 if a verdict differs from the committed one
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parent / "results"
REFUSED = 5
_FOLDERS = re.compile(r"(?:/[\w.@+-]+)+/(?=(?:site-packages|node_modules|python3\.\d+)/)")
"""Where the environment of a gateway lies on the disk, in the stack traces that it tells its clients."""
TEXT_KEPT = 8 * 1024
"""Characters that are kept of one piece of a transcript: more is the same over and over, and nobody's reading matter."""
PATIENCE = 3
"""Times the usual ceilings: a gateway that is slow where the processor has much else to do is no wrong one."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(p.parent.name for p in HERE.glob("*/gateway.toml")))
    parser.add_argument("--compare", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        gateway = HERE / arguments.name / "gateway.toml"
        code = _run(gateway, Path(folder))
        if code not in (0, 1):
            print(f"{arguments.name}: the run did not end as a measurement (exit code {code})")
            return code
        # Where it was started is this run's accident, not the gateway's.
        report = json.loads(_FOLDERS.sub("/", (Path(folder) / "report.json").read_text("utf-8")))
    report["gateway"]["url"] = ""
    for check in report["checks"]:
        # What was asked where nothing is wrong is the suite's own words, and three quarters of the file.
        if check["verdict"] == "pass":
            check["scripts"] = []
        for transcript in check["transcripts"]:
            transcript["lines"] = [[at, leg, _kept(text)] for at, leg, text in transcript["lines"]]
    committed = RESULTS / arguments.name / "report.json"
    if arguments.compare:
        return _compare(json.loads(committed.read_text("utf-8")), report)
    committed.parent.mkdir(parents=True, exist_ok=True)
    committed.write_text(json.dumps(report, indent=1) + "\n", "utf-8")
    print(f"{arguments.name}: {report['arithmetic']}")
    return 0


def _kept(text: str) -> str:
    left = len(text) - TEXT_KEPT
    return text if left <= 0 else f"{text[:TEXT_KEPT]}\n({left} characters more)"


def _run(gateway: Path, folder: Path) -> int:
    command = [sys.executable, "-c", "import sys; from gateproof.cli import main; sys.exit(main())", "run", "-q"]
    options = [
        f"--gateway={gateway}",
        "--upstream-listen=127.0.0.1:0",
        f"--report-dir={folder}",
        f"--patience={PATIENCE}",
        "--for-publication",
    ]
    return subprocess.run([*command, *options], check=False).returncode


def _compare(committed: dict[str, object], measured: dict[str, object]) -> int:
    before, now = _verdicts(committed), _verdicts(measured)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            print(f"{name}: committed {before.get(name, 'not run')}, measured {now.get(name, 'not run')}")
    print(f"committed: {committed['arithmetic']}\nmeasured:  {measured['arithmetic']}")
    return 0 if before == now else 1


def _verdicts(report: dict[str, object]) -> dict[str, str]:
    checks = report["checks"]
    assert isinstance(checks, list)
    return {check["name"]: check["verdict"] for check in checks}


if __name__ == "__main__":
    sys.exit(main())
