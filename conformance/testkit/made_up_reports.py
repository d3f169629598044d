"""Reports that no run made, small enough to be read in a test."""

from typing import Any

from gateproof.verdicts import BLOCKED, PASS, RAN, SHOULD, arithmetic


def record(name: str, verdict: str, **changes: Any) -> dict[str, Any]:
    """A check (schema own/check) of this name, with one transcript unless it passed or was blocked."""
    requirement, _, place = name.removesuffix("]").partition("[")
    pair, _, mode = place.rpartition(".")
    marker = "gp-a2b3c4-d5e6f7g2"
    request = {
        "method": "POST",
        "path": "/v1/chat/completions",
        "body": f'{{"model": "m", "stream": true, "x": "[{marker}]"}}',
    }
    lines = [
        [0.0, "client -> gateway", "POST /v1/chat/completions\nauthorization: ***\n\n{}"],
        [3.14, "gateway -> upstream", "POST /v1/responses"],
        [5.0, "upstream -> gateway", "HTTP 200\ndata: {}\n\n"],
        [1505.5, "gateway -> client", "\n".join(f"data: {n}" for n in range(20))],
    ]
    asked = verdict not in (PASS, BLOCKED)
    return {
        "name": name,
        "id": requirement,
        "revision": 1,
        "pair": pair,
        "mode": mode,
        "level": "SHOULD" if verdict == SHOULD else "MUST",
        "verdict": verdict,
        "message": "" if verdict == PASS else f"found {verdict}",
        "alternatives": [],
        "began": 1787385791.2,
        "seconds": 0.01,
        "exchanges": 1,
        "scripts": [{"marker": marker, "calls": [{"say": []}], "request": request}],
        "transcripts": [{"marker": marker, "pair": pair, "mode": "stream", "lines": lines}] if asked else [],
    } | changes


def report(checks: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    """A report document (schema own/report) of these checks."""
    verdicts = [c["verdict"] for c in checks]
    requirement = {
        "level": "MUST",
        "text": "A turn is a turn.",
        "source": ["litellm#1", "https://example.com/spec"],
        "harm": "Clients hang.",
        "alternatives": {"in-band": "a 200 whose stream holds the error"},
    }
    return {
        "format": "gateproof-report",
        "version": 1,
        "gateproof": "0.1.0",
        "edition": "2026.1",
        "gateway": {"name": "Example", "version": "1.2.3", "url": "http://127.0.0.1:4000"},
        "claims": {"surfaces": ["chat"]},
        "served": ["chat.responses.stream"],
        "strict": False,
        "complete": True,
        "began": 1787385791.0,
        "ended": 1787385833.4,
        "counts": {v: verdicts.count(v) for v in RAN if v in verdicts},
        "not_claimed": 31,
        "arithmetic": arithmetic(checks, 31),
        "requirements": {c["id"]: requirement for c in checks},
        "checks": sorted(checks, key=lambda c: c["name"]),
    } | changes
