"""Both servers play the same: every built-in script, in every dialect and mode, byte for byte and to the same end."""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from gateproof_mock import LoadUpstream, MockUpstream, builtin

PATHS = {"responses": "/v1/responses", "chat": "/v1/chat/completions", "messages": "/v1/messages"}
CEILING = 20.0
BARRIERS = 0.1
EVERY = [(name, dialect, stream) for name in builtin.names() for dialect in PATHS for stream in (True, False)]


@dataclass
class Engines:
    threads: MockUpstream
    load: LoadUpstream


@pytest.fixture(scope="module")
def engines() -> Iterator[Engines]:
    with MockUpstream(barrier_ceiling=BARRIERS) as threads, LoadUpstream(barrier_ceiling=BARRIERS) as load:
        yield Engines(threads, load)


def exchange(mock: MockUpstream | LoadUpstream, name: str, dialect: str, *, stream: bool) -> tuple[bytes, str, str]:
    """What came, how the connection ended, and how the mock says that the play did."""
    prompt = {"role": "user", "content": f"gp-play-{name}"}
    document = {"model": "m", "stream": stream, "max_tokens": 9, "messages": [prompt], "input": [prompt]}
    document |= {"stream_options": {"include_usage": True}}
    body = json.dumps(document).encode()
    head = (
        f"POST {PATHS[dialect]} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    received, end = [], "closed"
    with socket.create_connection(("127.0.0.1", mock.port), timeout=CEILING) as connection:
        connection.sendall(head.encode() + body)
        try:
            while data := connection.recv(1 << 20):
                received.append(data)
        except ConnectionResetError:
            end = "reset"
    (entry,) = mock.journal.await_calls(f"gp-play-{name}.0", 1, CEILING, ended=True)
    mock.journal.clear()
    return b"".join(received), end, entry.ended


def impersonal(data: bytes) -> bytes:
    """Without what is each call's own: its id and its time. A script may have split them anywhere, so all of the body is
    joined first."""
    head, _, rest = data.partition(b"\r\n\r\n")
    found = re.search(rb"request-id: req_([0-9a-f]{16})", head)
    # A refusal has the script's headers alone; what it says is nobody's own.
    call = found.group(1) if found else b"no call"
    sizes: list[int] = []
    if b"Transfer-Encoding: chunked" in head:
        joined, offset = [], 0
        while (line := rest.find(b"\r\n", offset)) >= 0:
            sizes.append(int(rest[offset:line], 16))
            joined.append(rest[line + 2 : line + 2 + sizes[-1]])
            offset = line + 4 + sizes[-1]
        rest = b"".join(joined)
    rest = re.sub(rb'("(?:created|created_at|completed_at)":) ?\d{10}', rb"\1 0", rest.replace(call, b"CALL"))
    return head.replace(call, b"CALL") + repr(sizes).encode() + rest


@pytest.mark.parametrize(("name", "dialect", "stream"), EVERY)
def test_both_engines_send_the_same_bytes(engines: Engines, name: str, dialect: str, stream: bool) -> None:
    one = exchange(engines.threads, name, dialect, stream=stream)
    other = exchange(engines.load, name, dialect, stream=stream)
    assert one[1:] == other[1:]
    assert impersonal(one[0]) == impersonal(other[0])
