"""`gateproof mock`: the mock upstream as a process, scripted over HTTP."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path
from types import FrameType

from gateproof.reports.store import ReportError, load
from gateproof.settings import DEFAULT_LISTEN, SettingsError, parse_listen
from gateproof_mock import MockUpstream, ScriptError, scripts_from_json


def add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen", metavar="HOST:PORT", default=DEFAULT_LISTEN, help=f"default {DEFAULT_LISTEN}; port 0: any"
    )
    parser.add_argument(
        "--token", metavar="TOKEN", default="", help="what control requests must send; needed off loopback"
    )
    parser.add_argument("--script", metavar="FILE", help='JSON: {"MARKER": [script, ...], ...}')
    parser.add_argument("--replay", metavar="DIR#CHECK", help="play the scripts of a check of a report")


def run(arguments: argparse.Namespace) -> int:
    try:
        host, port = parse_listen(arguments.listen)
        scripts = _from_file(Path(arguments.script)) if arguments.script else {}
        scripts |= _from_report(arguments.replay) if arguments.replay else {}
        mock = MockUpstream(host, port, token=arguments.token)
        for marker, calls in scripts.items():
            mock.stage.put(marker, scripts_from_json(calls))
    except (SettingsError, ScriptError, ReportError, OSError, ValueError) as error:
        print(f"gateproof mock: {error}")
        return 4
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        mock.start()
    except OSError as error:
        print(f"gateproof mock: cannot listen at {host}:{port}: {error}; choose another with --listen HOST:PORT")
        return 4
    with_control = "" if mock.control.enabled else " (control API off: give --token to have it off loopback)"
    print(f"gateproof mock listening: set your gateway's OpenAI base URL to {mock.base_url}{with_control}", flush=True)
    for marker in scripts:
        print(f"plays a script for prompts with {marker}", flush=True)
    stop.wait()
    mock.stop()
    return 0


def _from_file(path: Path) -> dict[str, object]:
    document = json.loads(path.read_text("utf-8"))
    if not isinstance(document, dict):
        raise ScriptError(f'{path}: expected {{"MARKER": [script, ...], ...}}')
    for marker, calls in document.items():
        scripts_from_json(calls, f"{path}: {marker}")
    return document


def _from_report(given: str) -> dict[str, object]:
    folder, found, name = given.partition("#")
    if not found:
        raise ScriptError(f"--replay: expected DIR#CHECK, got {given!r}")
    _, records = load(Path(folder))
    record = next((r for r in records if r["name"] == name), None)
    if record is None:
        raise ScriptError(f"--replay: {folder} has no check {name!r}")
    return {s["marker"]: s["calls"] for s in record["scripts"]}
