"""A report with every verdict, and one whose every text is hostile."""

from typing import Any

from made_up_reports import record, report

from gateproof.transcript import LEGS
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR

ONE = "failure.is-an-error[chat.responses.stream]"
HOSTILE = (
    '</script><script>alert(1)</script><img src=x onerror=alert(2)>" onmouseover="alert(3)" \' </pre></td></title>'
    "<!-- {{ 7*7 }} {% raw %} &lt;b&gt; \x00\x07\x1b[31m\r\n\x85\u202e\u2066\ufeff\ud800 \uffff end"
)

EVERY = [
    record("ending.a-turn-ends[chat.responses.stream]", FAIL),
    record("ending.a-turn-ends[chat.chat.json]", PASS, alternatives=["in-band"]),
    record("ending.a-turn-ends[responses.chat.stream]", NOT_TESTABLE),
    record("failure.is-an-error[chat.responses.stream]", SHOULD),
    record("failure.is-an-error[chat.chat.stream]", KNOWN),
    record("failure.is-an-error[responses.responses.json]", STALE),
    record("usage.same-in-both-modes[chat.responses.both]", SUITE_ERROR, message="Traceback"),
    record("usage.same-in-both-modes[responses.chat.both]", BLOCKED, message="the plain turn fails"),
    record("usage.survives[responses.chat.json]", BLOCKED, message="the plain turn fails"),
]


def hostile_report() -> dict[str, Any]:
    request = {"method": HOSTILE, "path": f"/{HOSTILE}", "body": HOSTILE}
    lines = [[0.5, leg, HOSTILE] for leg in LEGS]
    check = record(
        ONE,
        FAIL,
        message=HOSTILE,
        alternatives=[HOSTILE],
        scripts=[{"marker": HOSTILE, "calls": [{"say": []}], "request": request}],
        transcripts=[{"marker": HOSTILE, "pair": "chat.responses", "mode": "stream", "lines": lines}],
    )
    requirement = {"level": "MUST", "text": HOSTILE, "source": [HOSTILE], "harm": HOSTILE, "alternatives": {}}
    blocked = record("failure.is-an-error[chat.chat.stream]", BLOCKED, message=HOSTILE)
    return report(
        [check, blocked],
        edition=HOSTILE,
        gateway={"name": HOSTILE, "version": HOSTILE, "url": f"http://{HOSTILE}"},
        claims={HOSTILE: HOSTILE},
        served=[HOSTILE],
        arithmetic=HOSTILE,
        requirements={"failure.is-an-error": requirement},
    )
