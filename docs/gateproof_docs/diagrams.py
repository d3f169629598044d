"""A recorded script as a sequence: who says what to whom, and where the upstream waits at a barrier.

Plain HTML in three lanes (client, gateway, upstream), drawn by `assets/site.css`; read aloud it is a numbered list.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape
from typing import Any

from gateproof_docs.recording import Recorded

_LANES = '<li class="gp-lanes" aria-hidden="true"><span>client</span><span>gateway</span><span>upstream</span></li>'
ENDINGS = ("completed", "incomplete", "failed", "error_event", "cancelled", "unfinished", "cut", "refused")


def diagram(recorded: Recorded) -> str:
    """Every script of a case, one list each."""
    parts = [_script(script) for script in recorded["scripts"]]
    if recorded["more"]:
        parts.append(f'<p class="gp-note">... and {recorded["more"]} more of its kind.</p>')
    return "\n".join(parts)


def _script(script: dict[str, Any]) -> str:
    steps = [_LANES, _step("ask", "client to gateway", script["asks"])]
    for number, call in enumerate(script["calls"], 1):
        which = "its call" if len(script["calls"]) == 1 else f"call {number}"
        steps.append(_step("call", "gateway to upstream", which))
        steps += [_step(kind, "upstream to gateway", words) for kind, words in _said(call)]
    return '<ol class="gp-script">\n' + "\n".join(steps) + "\n</ol>"


def _step(kind: str, way: str, words: str) -> str:
    return f'<li class="gp-{kind}"><span class="gp-way">{way}</span> <code>{escape(words)}</code></li>'


def _said(call: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for switch, value in call.get("wire", {}).items():
        yield "wire", f"on the wire, {switch}: {_words(value)}"
    ended = False
    for element in call["say"]:
        ((key, value),) = element.items()
        if key == "hold":
            yield "hold", f"waits at barrier {_words(value)}, until released"
        elif key == "pause":
            yield "hold", f"pauses {_words(value)} s"
        else:
            ended = ended or key in ENDINGS
            yield ("end" if key in ENDINGS else "said"), key if value in (True, {}) else f"{key} {_words(value)}"
    if not ended:
        yield "end", "completed"


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_words(one)}" for key, one in value.items())
    if isinstance(value, list) and len(value) == 1:
        return _words(value[0])
    return value if isinstance(value, str) and value.isidentifier() else json.dumps(value, ensure_ascii=False)
