"""What the tests share: a raw HTTP client that hides nothing, and readers of the dialects' streams."""

import json
import socket
from collections.abc import Iterator
from typing import Any

from gateproof_mock import LoadUpstream, MockUpstream, Script, marker, run_part
from gateproof_mock.dialects import DIALECTS, Asked
from gateproof_mock.dialects.steps import Head, Step, Write

PATHS = {"responses": "/v1/responses", "chat": "/v1/chat/completions", "messages": "/v1/messages"}
CEILING = 5.0

Json = dict[str, Any]
Mock = MockUpstream | LoadUpstream
ENGINES: dict[str, type[MockUpstream] | type[LoadUpstream]] = {"threads": MockUpstream, "load": LoadUpstream}


def new_marker() -> str:
    return marker(run_part())


def rendered(script: Script, dialect: str, *, kind: str = "turn", **body: Any) -> list[Step]:
    return list(DIALECTS[dialect].render(script, Asked(body, kind)))


def body_of(steps: list[Step]) -> bytes:
    return b"".join(s.data for s in steps if isinstance(s, Write))


def status_of(steps: list[Step]) -> int:
    return next(s.status for s in steps if isinstance(s, Head))


def document(script: Script, dialect: str, **body: Any) -> Json:
    found = json.loads(body_of(rendered(script, dialect, **body)))
    assert isinstance(found, dict)
    return found


def frames(script: Script, dialect: str, **body: Any) -> list[tuple[str, Json]]:
    """Event name and data of each frame; `[DONE]` is left out."""
    return list(read_frames(body_of(rendered(script, dialect, stream=True, **body))))


def read_frames(data: bytes) -> Iterator[tuple[str, Json]]:
    assert data.endswith(b"\n\n")
    for block in data.split(b"\n\n")[:-1]:
        fields = dict(line.split(b": ", 1) for line in block.split(b"\n"))
        if b"data" in fields and fields[b"data"] != b"[DONE]":
            yield fields.get(b"event", b"").decode(), json.loads(fields[b"data"])


def said(events: list[tuple[str, Json]], *keys: str) -> list[Json]:
    """Of every event its type without `response.`, and the keys that are asked for, as far as it has them."""
    return [
        {"type": data["type"].removeprefix("response."), **{key: data[key] for key in keys if key in data}}
        for _, data in events
    ]


class Client:
    """One connection. What is read is what came, byte by byte; `end` says how the connection ended."""

    def __init__(self, mock: Mock) -> None:
        self.socket = socket.create_connection(("127.0.0.1", mock.port), timeout=CEILING)
        self.left = b""
        self.end = ""

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *about: object) -> None:
        self.socket.close()

    def send(self, *parts: bytes) -> "Client":
        for part in parts:
            self.socket.sendall(part)
        return self

    def ask(self, mark: str = "", dialect: str = "responses", *, stream: bool = False, **body: Any) -> "Client":
        return self.send(
            post(json.dumps({"model": "m", "stream": stream, "input": mark, **body}).encode(), PATHS[dialect])
        )

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            self.end = "rst"
            return False
        self.left += data
        if not data:
            self.end = "fin"
        return bool(data)

    def until(self, word: bytes) -> bytes:
        """Read up to and with a word."""
        while word not in self.left:
            assert self._more(), f"the connection ended ({self.end}) before {word!r}: {self.left!r}"
        found, _, self.left = self.left.partition(word)
        return found + word

    def exactly(self, size: int) -> bytes:
        while len(self.left) < size:
            assert self._more(), f"the connection ended ({self.end}) after {self.left!r}"
        found, self.left = self.left[:size], self.left[size:]
        return found

    def rest(self) -> bytes:
        """Read until the connection ends."""
        while self._more():
            pass
        found, self.left = self.left, b""
        return found

    def head(self) -> tuple[int, dict[str, str]]:
        lines = self.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        return int(lines[0].split()[1]), {name.lower(): value for name, value in headers.items()}

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """One whole answer; a chunked body is put together, and must end with its last chunk."""
        status, headers = self.head()
        if "content-length" in headers:
            return status, headers, self.exactly(int(headers["content-length"]))
        if "chunked" not in headers.get("transfer-encoding", ""):
            return status, headers, b""
        body = b""
        while size := int(self.until(b"\r\n"), 16):
            body += self.exactly(size)
            assert self.exactly(2) == b"\r\n"
        assert self.exactly(2) == b"\r\n"
        return status, headers, body


def post(body: bytes, path: str = PATHS["responses"], *headers: str, version: str = "1.1") -> bytes:
    lines = [f"POST {path} HTTP/{version}", "Host: mock", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def chunked(*after: bytes, path: str = PATHS["responses"]) -> bytes:
    """The head of a chunked request, and whatever is to follow it."""
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + b"".join(after)
