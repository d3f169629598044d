"""JUnit XML: a test suite for each pair and mode, a test case for each check, requirement ids as properties."""

from __future__ import annotations

import re
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gateproof.transcript import render
from gateproof.verdicts import BLOCKED, FAIL, KNOWN, NOT_TESTABLE, PASS, SHOULD, STALE, SUITE_ERROR

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAGS = {
    FAIL: "failure",
    NOT_TESTABLE: "failure",
    STALE: "failure",
    KNOWN: "skipped",
    BLOCKED: "skipped",
    SUITE_ERROR: "error",
}


def junit(report: dict[str, Any]) -> str:
    """The XML text of a report document."""
    root = Element("testsuites", name="gateproof", tests=str(len(report["checks"])))
    places: dict[str, list[dict[str, Any]]] = {}
    for check in report["checks"]:
        places.setdefault(f"{check['pair']}.{check['mode']}", []).append(check)
    for place, checks in places.items():
        tags = [_tag(c, strict=report["strict"]) for c in checks]
        suite = SubElement(
            root,
            "testsuite",
            name=place,
            tests=str(len(checks)),
            failures=str(tags.count("failure")),
            errors=str(tags.count("error")),
            skipped=str(tags.count("skipped")),
            time=f"{sum(c['seconds'] for c in checks):.3f}",
        )
        for check, tag in zip(checks, tags, strict=True):
            _case(suite, check, tag)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _tag(check: dict[str, Any], *, strict: bool) -> str:
    if check["verdict"] == SHOULD:
        return "failure" if strict else ""
    return _TAGS.get(check["verdict"], "")


def _case(suite: Element, check: dict[str, Any], tag: str) -> None:
    case = SubElement(
        suite,
        "testcase",
        classname=f"{check['pair']}.{check['mode']}",
        name=check["name"],
        time=f"{check['seconds']:.3f}",
    )
    properties = SubElement(case, "properties")
    for name in ("id", "level", "verdict"):
        SubElement(properties, "property", name=f"gateproof.{name}", value=check[name])
    for alternative in check["alternatives"]:
        SubElement(properties, "property", name="gateproof.alternative", value=_legal(alternative))
    if tag:
        first = check["message"].splitlines()[0] if check["message"] else check["verdict"]
        body = SubElement(case, tag, message=_legal(f"{check['verdict']}: {first}"), type=check["verdict"])
        body.text = _legal("\n\n".join([check["message"], *(render(t, 200) for t in check["transcripts"])]))
    elif check["verdict"] != PASS:
        SubElement(case, "system-out").text = _legal(f"{check['verdict']}: {check['message']}")


def _legal(text: str) -> str:
    # XML 1.0 has no place for most control characters, which gateways do send.
    return _ILLEGAL.sub("�", text)
