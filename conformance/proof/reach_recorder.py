"""Runs the reference as `python -m` would, and writes at its end when each of its functions was called.

`python reach_recorder.py FILE -m gateproof_reference OPTIONS`. FILE gets a JSON object of function (file:name:line) to times, in
milliseconds of the clock, at most one a millisecond. Calls before the first request are at time 0.

A profile function sees every call, those of methods in tables and of nested functions too, which wrappers around names do not.
(`sys.monitoring` would be faster, and is not in Python 3.11.)
"""

from __future__ import annotations

import atexit
import json
import runpy
import sys
import threading
import time
from pathlib import Path
from types import CodeType, FrameType

import gateproof_reference

PACKAGE = str(Path(gateproof_reference.__file__).parent)
FIRST = "Gateway.__call__"


def function_name(code: CodeType) -> str:
    """Name a function of the reference: file:name:line."""
    return f"{Path(code.co_filename).relative_to(PACKAGE).as_posix()}:{code.co_qualname}:{code.co_firstlineno}"


class Recorder:
    """When functions were called."""

    def __init__(self) -> None:
        self._calls: dict[CodeType, list[int]] = {}
        self._serving = False

    def __call__(self, frame: FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        now = time.time_ns() // 1_000_000 if self._serving else 0
        calls = self._calls.setdefault(code, [])
        if not calls or calls[-1] != now:
            calls.append(now)
        if not self._serving and code.co_qualname == FIRST:
            self._serving = True
            calls[-1] = time.time_ns() // 1_000_000

    def write(self, file: Path) -> None:
        """Write what was seen of the reference's own functions."""
        own = {function_name(c): t for c, t in self._calls.items() if c.co_filename.startswith(PACKAGE)}
        file.write_text(json.dumps(own), "utf-8")


def main() -> None:
    file, _, module, *arguments = sys.argv[1:]
    recorder = Recorder()
    atexit.register(recorder.write, Path(file))
    atexit.register(sys.setprofile, None)
    sys.argv = [module, *arguments]
    # Packed bodies are unpacked in a thread.
    threading.setprofile(recorder)
    sys.setprofile(recorder)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
