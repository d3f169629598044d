"""The four legs of an exchange on one time line."""

from __future__ import annotations

import base64
from typing import Any

from gateproof.exchange import Exchange
from gateproof.redact import Redactor, is_secret

LEGS = ("client -> gateway", "gateway -> upstream", "upstream -> gateway", "gateway -> client")
_QUIET_HEADERS = ("accept", "accept-encoding", "connection", "user-agent", "host", "content-length")


def transcript(exchange: Exchange, redactor: Redactor) -> dict[str, Any]:
    """`{"marker", "pair", "mode", "lines": [[milliseconds, leg, text], ...]}`, each leg capped (journal.LEG_LIMIT)."""
    for call in exchange.calls:
        for name, value in call["headers"]:
            if is_secret(name):
                redactor.learn(value)
    lines: list[tuple[float, int, str]] = []
    head = [f"{exchange.method} {exchange.path}", *_headers(exchange.request_headers, redactor)]
    body = exchange.request_body[: 64 * 1024].decode("utf-8", "replace")
    lines.append((exchange.began, 0, "\n".join([*head, "", body])))
    for call in exchange.calls:
        head = [f"{call['method']} {call['path']}", *_headers([(n, v) for n, v in call["headers"]], redactor)]
        lines.append((call["began"], 1, "\n".join([*head, "", _shown(call["body"])])))
        sent, ended = call["sent"], call["finished"] or exchange.ended
        if not sent["pieces"]:
            lines.append(
                (call["finished"] or call["began"], 2, f"HTTP {call['status']}" if call["status"] else "(nothing)")
            )
        for number, (at, piece) in enumerate(_pieces(sent, redactor)):
            status = f"HTTP {call['status']}\n" if number == 0 else ""
            lines.append((at, 2, status + piece))
        if "rest_sha256" in sent:
            lines.append((ended, 2, f"({sent['bytes']} bytes in all; sha256 of the rest {sent['rest_sha256']})"))
        if call["ended"] != "played":
            lines.append((ended, 2, f"({call['ended']})"))
    answer = exchange.answer
    interesting = ("content-type", "retry-after", "x-request-id", "location")
    kept = [f"{n}: {v}" for n, v in answer.headers.items() if n in interesting]
    status = "\n".join([f"HTTP {answer.status}" if answer.status else "(no answer)", *kept]) + "\n\n"
    leg = exchange.leg.to_json()
    for number, (at, piece) in enumerate(_pieces(leg, redactor)):
        lines.append((at, 3, (status if number == 0 else "") + piece))
    if not leg["pieces"]:
        lines.append((exchange.ended, 3, status.strip()))
    if "rest_sha256" in leg:
        lines.append((exchange.ended, 3, f"({leg['bytes']} bytes in all; sha256 of the rest {leg['rest_sha256']})"))
    lines.append((exchange.ended, 3, _end_of(exchange)))
    lines.sort(key=lambda line: line[0])
    return {
        "marker": exchange.marker,
        "pair": str(exchange.pair),
        "mode": exchange.mode,
        "lines": [[round((at - exchange.began) * 1000, 1), LEGS[leg], redactor.text(text)] for at, leg, text in lines],
    }


def _end_of(exchange: Exchange) -> str:
    words = "(end of the body)" if exchange.clean else "(the body did not come to its end)"
    return f"{words} read as: {exchange.answer!r}"


def _headers(headers: list[tuple[str, str]], redactor: Redactor) -> list[str]:
    return [f"{n}: {v}" for n, v in redactor.headers(headers) if n.lower() not in _QUIET_HEADERS]


def _pieces(leg: dict[str, Any], redactor: Redactor) -> list[tuple[float, str]]:
    """Time and text of each piece. A secret may begin in one and end in another, so they are redacted together."""
    texts = redactor.pieces(_shown(piece) for _, piece in leg["pieces"])
    return [(at, text) for (at, _), text in zip(leg["pieces"], texts, strict=True)]


def _shown(piece: str | dict[str, str]) -> str:
    if isinstance(piece, str):
        return piece
    return base64.b64decode(piece["base64"]).decode("utf-8", "backslashreplace")


def render(document: dict[str, Any], width: int = 0) -> str:
    """A transcript as text: one block a line of time. `width` > 0 cuts long lines there."""
    out: list[str] = []
    for at, leg, text in document["lines"]:
        # A gateway's escape sequences would otherwise be obeyed by the terminal, and could paint a verdict.
        shown = [harmless(line) for line in text.rstrip("\n").split("\n")]
        if width:
            shown = [s if len(s) <= width else s[: width - 1] + "…" for s in shown]
        out.append(f"{at:>9.1f} ms  {leg:<19}  {shown[0]}")
        out.extend(" " * 35 + s for s in shown[1:])
    return "\n".join(out)


def harmless(line: str) -> str:
    """A line whose invisible characters are spelled out."""
    line = line.removesuffix("\r")
    if line.isprintable():
        return line
    return "".join(c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode() for c in line)
